"""`--explain` agrees with the report: what is reported at a line is understood there, and never left out as well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ormlint.check import Examination
from ormlint.config import load_config
from ormlint.dev import explain
from ormlint.request import Request
from ormlint.source.root import Root
from ormlint.targets import Target

MODELS = """\
from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=80)


class Book(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
"""
REPORT = """\
from shop.models import Book


def names(year):
    books = Book.objects.filter(pk__gt=year)
    if not books:
        return []
    return [(book.author.name, book.author.name.upper()) for book in Book.objects.all()]
"""

Explain = Callable[[str, int], list[str]]


@pytest.fixture
def explained(tmp_path: Path) -> Explain:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").touch()
    (tmp_path / "shop/models.py").write_text(MODELS, encoding="utf-8")
    (tmp_path / "shop/report.py").write_text(REPORT, encoding="utf-8")
    root = Root(tmp_path.resolve(), None, "")
    examination = Examination(Request(Target(root, ("",)), load_config(root), use_cache=False, jobs=1))
    examination.project.viewpoint = str(root.path)
    return lambda path, line: list(explain(examination, path, line))


def test_what_is_done_with_a_query_that_was_made_elsewhere_is_told(explained: Explain) -> None:
    lines = explained("shop/report.py", 6)
    assert [line.partition(":")[0] for line in lines][:1] == ["reported"]
    assert any("used: truth at shop/report.py:6" in line for line in lines)


def test_reads_of_one_cause_on_one_line_are_reported_alone(explained: Explain) -> None:
    lines = explained("shop/report.py", 8)
    assert any(line.startswith("reported: ORM101 loading `book.author`") for line in lines)
    assert not any(line.startswith("not reported: ORM101") for line in lines)


def test_columns_are_told_where_they_are_declared(explained: Explain) -> None:
    assert "column: shop.Author.name" in explained("shop/models.py", 5)
