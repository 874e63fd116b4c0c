"""The versions a project runs on decide what is suggested."""

import pytest

from tests.cases.examine import examine

MODELS = """
from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=80)


class Book(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    name = models.CharField(max_length=80)
"""
REPORT = """
from shop.models import Book


def names():
    return [book.author.name for book in Book.objects.all()]
"""
PRICES = """
from shop.models import Book


def price(prices):
    for book in Book.objects.all():
        book.name = prices[book.pk]
        book.save()


def count(prices):
    for key, name in prices.items():
        Book.objects.filter(pk=key).update(name=name)


def shelve(names):
    for name in names:
        Book.objects.update_or_create(name=name)
"""
LISTED = """
from shop.models import Author


def drafts():
    return [list(author.book_set.filter(name="")) for author in Author.objects.all()]
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


def _codes(files: dict[str, str], config: str = "preview = true") -> set[str]:
    shop = {"shop/models.py": MODELS, "shop/prices.py": PRICES, "shop/listed.py": LISTED}
    return {finding.code for finding in examine({**shop, **files}, config).result.findings} & {"ORM102", "ORM301", "ORM304", "ORM305"}


WRITES = {"ORM301", "ORM304", "ORM305"}
EVERY = {*WRITES, "ORM102"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, EVERY),
        ({"requirements.txt": "Django==5.1.2\n"}, EVERY),
        ({"requirements.txt": "Django\n"}, EVERY),
        ({"requirements.txt": "Django~=1.10.5  # not 1.11 yet\n"}, {"ORM102"}),
        ({"requirements/base.txt": "six\ndjango[argon2] >= 1.8, < 2.0 ; python_version > '3'\n"}, {"ORM102"}),
        ({"setup.py": "from setuptools import setup\n\nsetup(install_requires=['Django==1.4.17', 'pytest-django==4.2'])\n"}, set()),
        ({"setup.py": "from setuptools import setup\n\nsetup(install_requires=['Django>=1.8'])\n", "requirements.txt": "Django==1.11.3"}, {"ORM102"}),
        ({"requirements.txt": "Django==1.11.3", "requirements-new.txt": "Django>=3.2"}, EVERY),
        ({"requirements.txt": "pytest-django==1.11.3\ndjango-filter<2\n"}, EVERY),
        ({"setup.cfg": "[options]\ninstall_requires =\n    Django>=1.11,<2\n"}, {"ORM102"}),
        ({"Pipfile": '[packages]\ndjango = "~=2.1.0"\n'}, {"ORM102"}),
        ({"Pipfile": '[packages]\ndjango = "*"\n'}, EVERY),
        ({"pyproject.toml": '[tool.poetry.dependencies]\ndjango = {version = "^1.11", extras = ["argon2"]}\n'}, {"ORM102"}),
        ({"pyproject.toml": '[project]\ndependencies = ["django>=2.2,<5"]\n'}, EVERY),
        ({"pyproject.toml": '[project]\nclassifiers = ["Framework :: Django :: 1.11"]\n'}, EVERY),
        ({"shop/urls.py": "from django.core.urlresolvers import reverse\n"}, {"ORM102"}),
        ({"shop/urls.py": "from django.conf.urls.defaults import patterns\n"}, set()),
        ({"shop/urls.py": "from django.conf.urls.defaults import patterns\n", "requirements.txt": "Django>=4.2\n"}, EVERY),
        (
            {"shop/urls.py": "try:\n    import django.urls\nexcept ImportError:\n    import django.core.urlresolvers\n"},
            EVERY,
        ),
        ({"shop/views.py": "from django.core.urlresolvers import reverse\n", "shop/urls.py": "from django.urls import path\n"}, EVERY),
        ({"shop/models.py": MODELS.replace(", on_delete=models.CASCADE", "")}, {"ORM102"}),
    ],
)
def test_nothing_is_suggested_that_the_newest_django_of_the_project_lacks(files: dict[str, str], expected: set[str]) -> None:
    assert _codes(files) == expected


def test_the_configured_version_counts_before_the_requirements() -> None:
    assert _codes({"requirements.txt": "Django==1.4\n"}, 'preview = true\ntarget-django = "4.2"') == EVERY


@pytest.mark.parametrize(("version", "together"), [("5.2", True), ("3.2", False)])
def test_conflicts_are_updated_where_that_exists(version: str, together: bool) -> None:
    models = MODELS.replace("name = models.CharField(max_length=80)", "name = models.CharField(max_length=80, unique=True)")
    prices = PRICES.replace("update_or_create(name=name)", 'update_or_create(name=name, defaults={"author": None})')
    result = examine({"shop/models.py": models, "shop/prices.py": prices}, f'preview = true\ntarget-django = "{version}"').result
    (finding,) = (finding for finding in result.findings if finding.code == "ORM305")
    assert ("update_conflicts" in finding.help) is together


@pytest.mark.parametrize(("version", "call"), [("5.2", ".contains(…)"), ("3.2", ".filter(pk=….pk).exists()")])
def test_a_row_is_searched_with_what_the_version_has(version: str, call: str) -> None:
    search = "from shop.models import Book\n\n\ndef sold(book):\n    return book in Book.objects.exclude(name='')\n"
    result = examine({"shop/models.py": MODELS, "shop/search.py": search}, f'target-django = "{version}"').result
    (finding,) = (finding for finding in result.findings if finding.code == "ORM207")
    assert call in finding.help


@pytest.mark.parametrize(("version", "call"), [("5.2", "filter=Q(…)"), ("1.11", "Case(When("), ("1.7", "Book.objects.filter(…).values(…)")])
def test_some_rows_of_each_are_counted_with_what_the_version_has(version: str, call: str) -> None:
    count = (
        "from shop.models import Author\n\n\ndef drafts():\n    return [author.book_set.filter(name='').count() for author in Author.objects.all()]\n"
    )
    result = examine({"shop/models.py": MODELS, "shop/counted.py": count}, f'target-django = "{version}"').result
    (finding,) = (finding for finding in result.findings if finding.code == "ORM119")
    assert call in finding.help


@pytest.mark.parametrize(("version", "call"), [("5.2", "Exists("), ("1.10", "Book.objects.filter(…).values(…)")])
def test_existence_is_a_subquery_where_there_are_some(version: str, call: str) -> None:
    test = "from shop.models import Author\n\n\ndef main():\n    return [a.book_set.filter(name='').exists() for a in Author.objects.all()]\n"
    result = examine({"shop/models.py": MODELS, "shop/tested.py": test}, f'target-django = "{version}"').result
    (finding,) = (finding for finding in result.findings if finding.code == "ORM119")
    assert call in finding.help


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
        ("5.2", "iterator()", 'order_by("pk")', ", and give its `.iterator()` a `chunk_size`, and sort `.all()`"),
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
