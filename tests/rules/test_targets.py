"""The versions a project runs on decide what is suggested."""

import pytest

from tests.cases.examine import examine

MODELS = """
from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=80)


class Book(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
"""
REPORT = """
from shop.models import Book


def names():
    return [book.author.name for book in Book.objects.all()]
"""
TABLES = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
"""
LOAD = """
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from shop.models import Book


def load(session: Session):
    for book in session.scalars(select(Book)):
        session.execute(insert(Book).values(title=f"About {book.title}"))
"""


@pytest.mark.parametrize(("version", "suggested"), [("5.2", False), ("6.1", True)])
def test_fetch_modes_are_suggested_where_they_exist(version: str, suggested: bool) -> None:
    result = examine({"shop/models.py": MODELS, "shop/report.py": REPORT}, f'target-django = "{version}"').result
    (finding,) = result.findings
    assert any("FETCH_PEERS" in note for note in finding.notes) is suggested


@pytest.mark.parametrize(("version", "call"), [("1.4", "bulk_insert_mappings(Book"), ("2.0", "execute(insert(Book)")])
def test_the_bulk_insert_of_the_version_is_suggested(version: str, call: str) -> None:
    result = examine({"shop/models.py": TABLES, "shop/load.py": LOAD}, f'target-sqlalchemy = "{version}"').result
    assert [call in finding.help for finding in result.findings] == [True]


STREAMED = """
from shop.models import Author


def pages():
    for author in Author.objects.{walk}:
        print([book.pk for book in author.book_set.{read}])
"""


@pytest.mark.parametrize(
    ("version", "walk", "read", "advice"),
    [
        ("5.2", "iterator()", "all()", ", and give its `.iterator()` a `chunk_size`"),
        ("5.2", "iterator()", 'order_by("pk")', ", and give its `.iterator()` a `chunk_size`, and read `.all()`"),
        ("5.2", "iterator()", "filter(pk__gt=3)", ", and give its `.iterator()` a `chunk_size` and read that attribute"),
        ("4.0", "iterator()", "all()", ", in the place of its `.iterator()`, which prefetches nothing"),
        ("5.2", "iterator(chunk_size=100)", "all()", ""),
        ("5.2", "all()", "all()", ""),
    ],
)
def test_an_iterator_needs_a_chunk_size_to_prefetch(version: str, walk: str, read: str, advice: str) -> None:
    report = STREAMED.format(walk=walk, read=read)
    result = examine({"shop/models.py": MODELS, "shop/report.py": report}, f'target-django = "{version}"\npreview = true').result
    helps = [finding.help for finding in result.findings if finding.code in ("ORM102", "ORM106")]
    assert len(helps) == 1
    assert advice in helps[0]
    assert advice or "iterator" not in helps[0]


def test_a_join_needs_no_chunk_size() -> None:
    report = REPORT.replace("Book.objects.all()", "Book.objects.iterator()")
    (finding,) = examine({"shop/models.py": MODELS, "shop/report.py": report}, 'target-django = "5.2"').result.findings
    assert "chunk_size" not in finding.help


@pytest.mark.parametrize(
    ("load", "advice"),
    [
        ("first()", "with `.first()` first and test it for `None`"),
        ("last()", "with `.last()` first and test it for `None`"),
        ("get()", "with `.first()` first and test it for `None`"),
        ('latest("pk")', "with `.latest(…)` first, and catch `DoesNotExist`"),
    ],
)
def test_the_row_is_asked_for_as_before(load: str, advice: str) -> None:
    report = f"""
from shop.models import Book


def newest(author):
    books = Book.objects.filter(author=author)
    if books.exists():
        return books.{load}
    return None
"""
    result = examine({"shop/models.py": MODELS, "shop/report.py": report}).result
    helps = [finding.help for finding in result.findings if finding.code == "ORM204"]
    assert len(helps) == 1
    assert advice in helps[0]


@pytest.mark.parametrize(
    ("rows", "body", "reported"),
    [
        ("('a', 'b', 'c', 'd')", "found.append(name)", False),
        ("names", "found.append(name)", True),
        ("('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i')", "found.append(name)", False),
        ("('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i')", "given.append(name)", True),
    ],
)
def test_what_a_few_constants_put_into_a_list_is_few(rows: str, body: str, reported: bool) -> None:
    report = f"""
from shop.models import Author


def collected(names, given):
    found = []
    for name in {rows}:
        {body}
    return {body.partition(".")[0]}


def write(names):
    for name in collected(names, names[1:]):
        Author.objects.update_or_create(name=name)
"""
    result = examine({"shop/models.py": MODELS, "shop/report.py": report}, "preview = true").result
    assert any(finding.code == "ORM305" for finding in result.findings) is reported


@pytest.mark.parametrize(
    ("rows", "figure"),
    [
        ("all()", 'Count("book")'),
        ("filter(name='a')", 'Count("book")'),
        ("filter(book__pk__gt=3)", "Subquery(…)"),
        ("filter(name='a').distinct()", "Subquery(…)"),
    ],
)
def test_a_figure_of_a_collection_by_which_the_rows_are_chosen_is_a_subquery(rows: str, figure: str) -> None:
    report = f"""
from shop.models import Author


def figures():
    return [author.book_set.count() for author in Author.objects.{rows}]
"""
    result = examine({"shop/models.py": MODELS, "shop/report.py": report}).result
    helps = [finding.help for finding in result.findings if finding.code == "ORM119"]
    assert len(helps) == 1
    assert f".annotate(…={figure})" in helps[0]
