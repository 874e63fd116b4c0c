from __future__ import annotations

import pytest

from ormlint.judge.finding import Applicability, FetchBefore, Fix
from ormlint.link.schema import Column, Model
from ormlint.run.log import Loop, QueryObject
from ormlint.text import Site
from tests.fixes.building import NOWHERE, PATH, Shop, fixed, plan, site
from tests.fixes.test_django_loads import unmark

SHOP = Shop()
for each, column in ((SHOP.book, "isbn"), (SHOP.author, "isbn"), (SHOP.publisher, "isbn")):
    each.columns[column] = Column(column, "CharField" if each is not SHOP.publisher else "IntegerField", NOWHERE, unique=each is SHOP.author)


def fetch(marked: str, model: Model, walked: Model) -> tuple[str, Fix | None]:
    text, part = unmark(marked)
    header = site(text, "for r")
    walk = Loop(1, header, Site(PATH, header.end + 1, len(text)), "for", source=QueryObject(model=walked))
    intent = FetchBefore(site(text, part), walk, model, walked)
    return text, plan(text, SHOP, (intent, intent.site))[0]


BOOKS = (SHOP.author, SHOP.book)
AUTHORS = (SHOP.book, SHOP.author)
FETCHED = {
    "get by the primary key": (
        "for r in books:\n    x = «Author.objects.get(pk=r.author_id)»\n",
        "authors_by_id = Author.objects.in_bulk([r.author_id for r in books])\nfor r in books:\n    x = authors_by_id[r.author_id]\n",
        BOOKS,
    ),
    "first": (
        "def f():\n\tfor r in Book.objects.all():  # x\n\t\tprint(«Author.objects.select_related('y').filter(id=r.author_id).first()»)\n",
        "def f():\n\trs = list(Book.objects.all())\n"
        "\tauthors_by_id = Author.objects.select_related('y').in_bulk([r.author_id for r in rs])\n"
        "\tfor r in rs:  # x\n\t\tprint(authors_by_id.get(r.author_id))\n",
        BOOKS,
    ),
    "exists": (
        "for r in authors:\n    if not «Book.objects.filter(a=1).filter(author=r).exists()»: y()\n",
        'known_author_ids = set(Book.objects.filter(a=1).filter(author_id__in=[r.pk for r in authors]).values_list("author_id", flat=True))\n'
        "for r in authors:\n    if r.pk not in known_author_ids: y()\n",
        AUTHORS,
    ),
    "exists in a comparison": (
        "for r in authors:\n    x = «Book.objects.filter(author_id=r.id).exists()» == y\n",
        'known_author_ids = set(Book.objects.filter(author_id__in=[r.pk for r in authors]).values_list("author_id", flat=True))\n'
        "for r in authors:\n    x = (r.pk in known_author_ids) == y\n",
        AUTHORS,
    ),
    "the rows of each": (
        "import os\nz = 1\nfor r in authors:\n    for b in «Book.objects.filter(author=r, a=1).order_by('x')»:\n        y(b)\n",
        "import os\nfrom collections import defaultdict\nz = 1\nbooks_by_author_id = defaultdict(list)\n"
        "for row in Book.objects.filter(author_id__in=[r.pk for r in authors], a=1).order_by('x'):\n"
        "    books_by_author_id[row.author_id].append(row)\n"
        "for r in authors:\n    for b in books_by_author_id[r.pk]:\n        y(b)\n",
        AUTHORS,
    ),
    "a column that is unique": (
        "for r in books:\n    x = «Author.objects.get(isbn=r.isbn)»\n",
        "authors_by_isbn = {row.isbn: row for row in Author.objects.filter(isbn__in=[r.isbn for r in books])}\n"
        "for r in books:\n    x = authors_by_isbn[r.isbn]\n",
        BOOKS,
    ),
}


@pytest.mark.parametrize(("before", "after", "models"), FETCHED.values(), ids=FETCHED)
def test_one_query_for_all_keys(before: str, after: str, models: tuple[Model, Model]) -> None:
    text, fix = fetch(before, *models)
    assert fixed(text, [fix]) == after
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE


REFUSED = {
    "a key of another type": ("for r in books:\n    «Publisher.objects.get(isbn=r.isbn)»\n", (SHOP.publisher, SHOP.book), "another type"),
    "a key from elsewhere": ("for r in books:\n    x = g(r)\n    «Author.objects.get(pk=x)»\n", BOOKS, "not read from the row"),
    "two keys": ("for r in authors:\n    «Book.objects.get(author=r, isbn=r.isbn)»\n", AUTHORS, "more than one value"),
    "the first of several": ("for r in authors:\n    «Book.objects.filter(author=r).first()»\n", AUTHORS, "several rows"),
    "a try": ("for r in books:\n    try: «Author.objects.get(pk=r.author_id)»\n    except E: pass\n", BOOKS, "waits for the row"),
    "a manager of another name": ("for r in books:\n    «Author.all.get(pk=r.author_id)»\n", BOOKS, "manager of its model"),
    "a method that is not understood": ("for r in books:\n    «Author.objects.using(x).get(pk=r.author_id)»\n", BOOKS, "more than to look rows up"),
    "an exclusion": ("for r in authors:\n    «Book.objects.exclude(author=r).exists()»\n", AUTHORS, "looked up by"),
    "a query that is kept": ("for r in authors:\n    x.append(«Book.objects.filter(author=r)»)\n", AUTHORS, "used for more"),
    "a loop that it is not in": (
        "for r in authors:\n    def f(): «Book.objects.filter(author=r).exists()»\n",
        AUTHORS,
        "function that the loop calls",
    ),
}


@pytest.mark.parametrize(("code", "models", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(code: str, models: tuple[Model, Model], reason: str) -> None:
    fix = fetch(code, *models)[1]
    assert fix is not None
    assert (fix.applicability, fix.edits) == (Applicability.DISPLAY, ())
    assert reason in fix.reason
