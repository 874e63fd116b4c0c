"""An order for pages (ORM412) and indexes that go (ORM504): where they are written, and what looks like it and is left alone."""

from __future__ import annotations

import pytest

from tests.cases.examine import examine, fixed

DJANGO = """from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=9)


class Book(models.Model):
    title = models.CharField(max_length=9)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
"""
VIEW = """from django.core.paginator import Paginator
from django.db.models import Count

from shop.models import Author, Book


def show(request, pk):
    rows = {rows}
    return list(Paginator(rows, 10).page(2))
"""
TABLES = """from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)
    author: Mapped[Author] = relationship()
"""
PAGE = """from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from shop.models import Author, Book

Other = aliased(Book)


def show(session: Session, page: int):
    return {rows}
"""
ORDER, INDEX = 'select = ["ORM412"]\npreview = true\n', 'select = ["ORM504"]\npreview = true\n'


def of(models: str, page: str, rows: str) -> str:
    done = fixed({"shop/models.py": models, "shop/pages.py": page.replace("{rows}", rows)}, ORDER, unsafe=True)
    assert done.files["shop/models.py"] == models
    head, tail = page.split("{rows}")
    return done.files["shop/pages.py"].removeprefix(head).removesuffix(tail)


@pytest.mark.parametrize(
    ("rows", "ordered"),
    [
        ("Book.objects.all()", 'Book.objects.all().order_by("pk")'),
        ("Book.objects.filter(title='a')", "Book.objects.filter(title='a').order_by('pk')"),
        ("Book.objects.values_list('title')", "Book.objects.order_by('pk').values_list('title')"),
        ("Book.objects.select_related('author')  # all", "Book.objects.select_related('author').order_by('pk')  # all"),
    ],
)
def test_pages_of_a_queryset_get_an_order(rows: str, ordered: str) -> None:
    assert of(DJANGO, VIEW, rows) == ordered


@pytest.mark.parametrize(
    "rows",
    [
        "Book.objects.order_by('title')",
        "Book.objects.order_by('?')",
        "Book.objects.order_by().filter(pk__gt=1)",
        "Book.objects.filter(title='a').distinct()",
        "Book.objects.values('author').annotate(n=Count('pk'))",
        "Book.objects.values('author').annotate(n=Count('pk')).filter(n__gt=1)",
        "Book.objects.filter(title='a').union(Book.objects.filter(title='b'))",
        "Author.objects.get(pk=pk).books.all()",
        "list(Book.objects.all())",
        "[*Book.objects.all()]",
    ],
)
def test_pages_of_other_querysets_are_left(rows: str) -> None:
    assert of(DJANGO, VIEW, rows) == rows


@pytest.mark.parametrize(
    ("rows", "ordered"),
    [
        (
            'session.query(Book).filter(Book.title == "a").offset(page).limit(9).all()',
            'session.query(Book).filter(Book.title == "a").order_by(Book.id).offset(page).limit(9).all()',
        ),
        (
            "session.scalars(select(Other).offset(page).limit(9)).all()",
            "session.scalars(select(Other).order_by(Other.id).offset(page).limit(9)).all()",
        ),
        (
            "session.execute(select(Book, Author).join(Author).offset(page).limit(9)).all()",
            "session.execute(select(Book, Author).join(Author).order_by(Book.id).offset(page).limit(9)).all()",
        ),
    ],
)
def test_pages_of_a_statement_get_an_order(rows: str, ordered: str) -> None:
    assert of(TABLES, PAGE, rows) == ordered


@pytest.mark.parametrize(
    "rows",
    [
        "session.query(Book.author_id, func.count()).group_by(Book.author_id).offset(page).limit(9).all()",
        "session.query(Book).group_by(Book.author_id).offset(page).limit(9).all()",
        "session.query(Book.title).distinct().offset(page).limit(9).all()",
        "session.query(Book).union(session.query(Book)).offset(page).limit(9).all()",
        "session.query(Book).filter(Book.id > 3).from_self().offset(page).limit(9).all()",
        "session.query(Book).order_by(Book.title).offset(page).limit(9).all()",
        "session.scalars(select(Book).limit(9)).all()",
    ],
)
def test_pages_of_other_statements_are_left(rows: str) -> None:
    assert of(TABLES, PAGE, rows) == rows


META = """from django.db import models


class Book(models.Model):
    title = {title}
    pages = models.IntegerField()
    day = models.DateField()

    class Meta:
        indexes = {indexes}
"""
TITLE = "models.CharField(max_length=9)"


def declared(title: str, indexes: str) -> tuple[str, str]:
    done = fixed({"shop/models.py": META.replace("{title}", title).replace("{indexes}", indexes)}, INDEX, unsafe=True)
    text = done.files["shop/models.py"]
    start, middle, end = META.partition("{title}")[0], "\n    pages = models", "        indexes = "
    return text[len(start) : text.index(middle)], text[text.index(end) + len(end) :].rstrip("\n")


LONG = 'models.Index(fields=["title", "pages"])'
SHORT = 'models.Index(fields=["title"])'
OTHER = 'models.Index(fields=["day"])'


@pytest.mark.parametrize(
    ("indexes", "left"),
    [
        (f"[{SHORT}, {LONG}]", f"[{LONG}]"),
        (f"[{LONG}, {SHORT}]", f"[{LONG}]"),
        (f"[{LONG}, {SHORT},]", f"[{LONG},]"),
        (f"[{LONG}, {SHORT}, {OTHER}]", f"[{LONG}, {OTHER}]"),
        (f"({SHORT}, {LONG})", f"({LONG},)"),
        (f"({LONG}, {SHORT})", f"({LONG},)"),
        (f"({LONG}, {SHORT}, {OTHER})", f"({LONG}, {OTHER})"),
        (f"[\n            {SHORT},\n            {LONG},  # by both\n        ]", f"[\n            {LONG},  # by both\n        ]"),
    ],
)
def test_an_index_of_a_list_goes(indexes: str, left: str) -> None:
    assert declared(TITLE, indexes) == (TITLE, left)


@pytest.mark.parametrize(
    "indexes",
    [
        f"[{SHORT}, {OTHER}]",
        f'[models.Index(fields=["pages"]), {LONG}]',
        f'[models.Index(fields=["-title"]), {LONG}]',
        f'[models.Index(fields=["title"], condition=models.Q(pages__gt=1)), {LONG}]',
        f'[models.Index(fields=["title"], include=["day"]), {LONG}]',
        f'[models.Index("title", models.F("pages").desc()), {SHORT}]',
        f"[\n            {SHORT},  # of the search\n            {LONG},\n        ]",
        f"[\n            {LONG},\n            # of the search\n            {SHORT},\n        ]",
    ],
)
def test_other_indexes_of_a_list_stay(indexes: str) -> None:
    assert declared(TITLE, indexes) == (TITLE, indexes)


@pytest.mark.parametrize(
    ("title", "left"),
    [
        ("models.CharField(max_length=9, db_index=True)", "models.CharField(max_length=9)"),
        ("models.CharField(db_index=True, max_length=9)", "models.CharField(max_length=9)"),
        ("models.CharField(\n        max_length=9,\n        db_index=True,\n    )", "models.CharField(\n        max_length=9,\n    )"),
    ],
)
def test_the_index_of_a_column_goes(title: str, left: str) -> None:
    assert declared(title, f"[{LONG}]") == (left, f"[{LONG}]")


@pytest.mark.parametrize(
    "title",
    [
        "models.CharField(max_length=9, unique=True)",
        "models.CharField(max_length=9, db_index=False)",
        "models.CharField(max_length=9, db_index=bool(1))",
        "models.CharField(max_length=9, **{'db_index': True})",
        "models.CharField(\n        max_length=9,\n        db_index=True,  # of the search\n    )",
    ],
)
def test_other_columns_stay(title: str) -> None:
    assert declared(title, f"[{LONG}]") == (title, f"[{LONG}]")


def test_what_goes_is_told_no_more() -> None:
    files = {"shop/models.py": META.replace("{title}", TITLE).replace("{indexes}", f"[{SHORT}, {LONG}]")}
    assert examine(files, INDEX).result.findings
    assert not examine(fixed(files, INDEX, unsafe=True).files, INDEX).result.findings
