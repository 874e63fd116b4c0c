"""What the fixers take for granted about the libraries, asked of the libraries themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MODELS = """
from django.db import models

class Author(models.Model):
    name = models.CharField(max_length=9)

class Profile(models.Model):
    author = models.OneToOneField(Author, models.CASCADE, related_name="profile", related_query_name="author_profile")

class Book(models.Model):
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    pages = models.IntegerField()

"""

DJANGO = """
import django
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}, INSTALLED_APPS=["shop"])
django.setup()
from django.core.exceptions import FieldError
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from shop.models import Author, Book, Profile

with connection.schema_editor() as editor:
    for model in (Author, Profile, Book):
        editor.create_model(model)
for number in range(3):
    author = Author.objects.create(name=str(number))
    Profile.objects.create(author=author)
    Book.objects.create(author=author, pages=number)

def count(make):
    with CaptureQueriesContext(connection) as queries:
        make()
    return len(queries)

# a reverse one-to-one is selected by its query name, and prefetched by the attribute
assert count(lambda: [a.profile for a in Author.objects.select_related("author_profile")]) == 1
try:
    list(Author.objects.select_related("profile"))
    raise SystemExit("select_related takes the attribute's name")
except FieldError:
    pass
assert count(lambda: [a.profile for a in Author.objects.prefetch_related("profile")]) == 2
# loads may stand before a slice and before raw()
assert count(lambda: [b.author for b in Book.objects.select_related("author")[:2]]) == 1
assert count(lambda: [b.author for b in Book.objects.prefetch_related("author").raw("select * from shop_book")]) == 2
# naming a relation ends what select_related() without arguments does
assert count(lambda: [b.author for b in Book.objects.select_related().select_related("author")]) == 1
assert Author.objects.select_related().select_related("author_profile").query.select_related == {"author_profile": {}}
# the longer lookup loads the shorter one
assert count(lambda: [len(b.author.books.all()) for b in Book.objects.prefetch_related("author__books")]) == 3
assert count(lambda: [b.author.profile for b in Book.objects.select_related("author__author_profile")]) == 1
assert Book.objects.none().aggregate(total=models.Sum("pages", default=0))["total"] == 0
assert Book.objects.order_by("pages")[:2].aggregate(total=models.Sum("pages", default=0))["total"] == 1
assert Book.objects.exists() and Book.objects.all()[:1].exists() and (Book.objects.all() | Book.objects.all()).exists()
"""

SQLALCHEMY = """
from sqlalchemy import Column, ForeignKey, Integer, create_engine, event, func, select
from sqlalchemy.dialects import mssql
from sqlalchemy.orm import Session, declarative_base, joinedload, lazyload, relationship, selectinload

Base = declarative_base()

class Author(Base):
    __tablename__ = "author"
    id = Column(Integer, primary_key=True)
    books = relationship("Book", back_populates="author")

class Book(Base):
    __tablename__ = "book"
    id = Column(Integer, primary_key=True)
    pages = Column(Integer)
    author_id = Column(Integer, ForeignKey("author.id"))
    author = relationship(Author, back_populates="books")

engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
session = Session(engine)
session.add_all([Author(books=[Book(pages=n), Book(pages=n)]) for n in range(3)])
session.commit()
sent = []
event.listen(engine, "before_cursor_execute", lambda *args: sent.append(args[2]))

def count(make):
    session.expunge_all()
    sent.clear()
    make()
    return len(sent)

# eager loads go with yield_per
assert count(lambda: [b.author.id for b in session.query(Book).options(joinedload(Book.author)).yield_per(2)]) == 1
assert count(lambda: [a.books for a in session.query(Author).options(selectinload(Author.books)).yield_per(9)]) == 2
# options may stand before limit, and after where and order_by
assert count(lambda: [a.books for a in session.scalars(select(Author).order_by(Author.id).options(selectinload(Author.books)).limit(2))]) == 2
# a loader continues another one by methods, which need no import
assert count(lambda: [a.books[0].author for a in session.query(Author).options(selectinload(Author.books).joinedload(Book.author))]) == 2
# all() drops the duplicates that a join makes, count() counts them
joined = session.query(Author).join(Author.books)
assert (len(joined.all()), joined.count()) == (3, 6)
crossed = session.query(Author).filter(Book.author_id == Author.id)
assert (len(crossed.all()), crossed.count()) == (3, 6)
query = session.query(Book).filter(Book.pages > 0)
assert len(query.all()) == query.count() == session.scalar(select(func.count()).select_from(select(Book).where(Book.pages > 0).subquery()))
# existence, with the session of the query
assert query.session is session
assert session.query(query.exists()).scalar() is True
assert session.query(query.filter(Book.pages > 9).exists()).scalar() is False
# which SQL Server does not take
assert str(session.query(query.exists()).statement.compile(dialect=mssql.dialect())).startswith("SELECT EXISTS (")
ordered = session.query(Book).order_by(Book.pages)
assert ordered.order_by(None).with_entities(func.coalesce(func.sum(Book.pages), 0)).scalar() == 6
assert "ORDER BY" not in str(ordered.order_by(None))
assert session.query(Book).filter(Book.pages > 9).with_entities(func.coalesce(func.sum(Book.pages), 0)).scalar() == 0
"""


@pytest.mark.parametrize(("library", "program"), [("django", DJANGO), ("sqlalchemy", SQLALCHEMY)])
def test_the_library_does_so(library: str, program: str, tmp_path: Path) -> None:
    pytest.importorskip(library)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "models.py").write_text(MODELS)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
