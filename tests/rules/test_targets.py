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
