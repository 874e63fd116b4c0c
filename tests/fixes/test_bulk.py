from __future__ import annotations

import pytest

from ormlint.judge.finding import Applicability, Fix, WriteTogether
from ormlint.link.schema import Column
from ormlint.run.log import Loop, QueryObject
from ormlint.text import Site
from tests.fixes.building import NOWHERE, PATH, Shop, fixed, plan, site
from tests.fixes.test_django_loads import unmark

SHOP = Shop()
SHOP.book.columns["pages"] = Column("pages", "IntegerField", NOWHERE)
SHOP.book.columns["sold"] = Column("sold", "BooleanField", NOWHERE)


def write(marked: str, method: str, *fields: str, plain: bool = False, source: QueryObject | None = None) -> tuple[str, Fix | None]:
    """The fix of the marked call in the first loop of a text whose head begins with `for b`."""
    text, part = unmark(marked)
    header = site(text, "for b")
    loop = Loop(1, header, Site(PATH, header.end + 1, len(text)), "for", source=source)
    intent = WriteTogether(site(text, part), loop, SHOP.book, method, fields, plain)
    return text, plan(text, SHOP, (intent, intent.site))[0]


IMPORT = "from shop.models import Book\n"
ONE_CALL = {
    "an update": (
        "for b in Book.objects.filter(x=1):\n    b.sold = True\n    b.pages = self.pages\n    «b.save()»\n",
        "Book.objects.filter(x=1).update(sold=True, pages=self.pages)\n",
        "update",
    ),
    "an update of a variable": ("for b in list(books):\n\tb.sold = None\n\t«b.save()»\n", "books.update(sold=None)\n", "update"),
    "an update over several lines": (
        "for b in (\n    Book.objects\n    .all()\n):\n    b.sold = True\n    «b.save()»\n",
        "(\n    Book.objects\n    .all()\n).update(sold=True)\n",
        "update",
    ),
    "a comment in the loop": ("for b in Book.objects.all(): # x\n    «b.delete()»\n", None, "delete"),
    "a comment behind it": ("for b in Book.objects.all():\n    «b.delete()»  # x\n", "Book.objects.all().delete()  # x\n", "delete"),
    "rows that are made": (
        "for b, c in xs:\n    «Book.objects.create(a=b, **c)»\n",
        "Book.objects.bulk_create([Book(a=b, **c) for b, c in xs])\n",
        "create",
    ),
    "a delete on one line": ("for b in Book.objects.all():\r\n    «b.delete()»\r\nx = 1", "Book.objects.all().delete()\r\nx = 1", "delete"),
    "a link": ("for b in a | c:\n    «shelf.books.add(b)»\n", "shelf.books.add(*(a | c))\n", "add"),
    "a link with more": (
        "for b in books:\n    «shelf.books.add(b, through_defaults={'a': 1})»\n",
        "shelf.books.add(*books, through_defaults={'a': 1})\n",
        "add",
    ),
}


@pytest.mark.parametrize(("before", "after", "method"), ONE_CALL.values(), ids=ONE_CALL)
def test_a_loop_that_does_nothing_else_becomes_one_call(before: str, after: str | None, method: str) -> None:
    fields = ("sold", "pages") if "pages" in before else ("sold",)
    text, fix = write(IMPORT + before, method, *fields, plain=True)
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE
    if after is None:
        assert "append" in fixed(text, [fix])
    else:
        assert fixed(text, [fix]) == IMPORT + after


COLLECTED = {
    "values that vary": "for b in books:\n    b.sold = b.pages > 3\n    «b.save()»\n",
    "a value of the round": "for b in books:\n    x = 3\n    b.sold = x\n    «b.save()»\n",
    "a row that is read later": "for b in books:\n    b.sold = True\n    «b.save()»\nprint(b)\n",
    "a condition": "for b in books:\n    if b.pages:\n        b.sold = True\n        «b.save()»\n    else:\n        continue\n",
    "another field than the log knows": "for b in books:\n    b.sold = True\n    b.extra = 1\n    «b.save()»\n",
}


@pytest.mark.parametrize("code", COLLECTED.values(), ids=COLLECTED)
def test_other_rows_are_collected(code: str) -> None:
    text, fix = write(IMPORT + code, "update", "sold", plain=True)
    after = fixed(text, [fix])
    assert after.startswith(f"{IMPORT}changed = []\nfor b in")
    assert 'Book.objects.bulk_update(changed, ["sold"])\n' in after
    assert "b.save()" not in after


def test_a_name_that_is_taken() -> None:
    text, fix = write(f"{IMPORT}changed = 1\nfor b in books:\n    b.sold = b.x\n    «b.save()»", "update", "sold")
    loop = "changed_rows = []\nfor b in books:\n    b.sold = b.x\n    changed_rows.append(b)\n"
    assert fixed(text, [fix]).endswith(f'{loop}Book.objects.bulk_update(changed_rows, ["sold"])')


@pytest.mark.parametrize("body", [" x = 1; «b.save()»\n", "\n    x = 1; «b.save()»\n"])
def test_statements_that_share_a_line(body: str) -> None:
    text, fix = write(f"{IMPORT}for b in books:{body}", "update", "sold")
    assert fixed(text, [fix]).startswith(f"{IMPORT}changed = []\nfor b in books:\n    x = 1\n    changed.append(b)\n")


REFUSED = {
    "an early return": ("def f():\n    for b in books:\n        if b.x: return\n        «b.save()»\n", "can be left early"),
    "a generator": ("def f():\n    for b in books:\n        yield b\n        «b.save()»\n", "can be left early"),
    "a try": ("for b in books:\n    try:\n        «b.save()»\n    except E: pass\n", "`try` or a `with`"),
    "a lock": ("for b in books:\n    with lock:\n        «b.save()»\n", "`try` or a `with`"),
    "an else": ("for b in books:\n    «b.save()»\nelse: pass\n", "has an `else`"),
    "an asynchronous loop": ("async def f():\n    async for b in books:\n        «b.save()»\n", "asynchronous"),
    "a value that is used": ("for b in books:\n    x = «b.save()»\n", "larger statement"),
    "a function": ("for b in books:\n    def f():\n        «b.save()»\n", "function that the loop calls"),
    "another loop": ("for b in books:\n    while x:\n        «b.save()»\n", "another loop"),
    "arguments": ("for b in books:\n    «b.save(using='other')»\n", "given arguments"),
    "a row without a name": ("for b in books:\n    «b.next.save()»\n", "has no name"),
}


@pytest.mark.parametrize(("code", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(code: str, reason: str) -> None:
    fix = write(IMPORT + code, "update", "sold")[1]
    assert fix is not None
    assert fix.applicability is Applicability.DISPLAY
    assert reason in fix.reason


def test_the_primary_key_cannot_be_updated() -> None:
    fix = write(f"{IMPORT}for b in books:\n    b.id = 3\n    «b.save()»\n", "update", "id")[1]
    assert fix is not None
    assert "no column that can be updated" in fix.reason


CREATED = {
    "create": ("for b in xs:\n    print(b)\n    «Book.objects.create(pages=b, **more)»\n", "created.append(Book(pages=b, **more))"),
    "save": ("for b in xs:\n    «Book(pages=b).save()»\n", "created.append(Book(pages=b))"),
    "save of a variable": ("for b in xs:\n    x = Book()\n    «x.save()»  # now\n", "created.append(x)  # now"),
    "several lines": ("for b in xs:\n    «Book.objects.create(\n        pages=b,\n    )»\n", "created.append(Book(\n        pages=b,\n    ))"),
}


@pytest.mark.parametrize(("code", "append"), CREATED.values(), ids=CREATED)
def test_new_rows_are_collected(code: str, append: str) -> None:
    text, fix = write(IMPORT + code, "create")
    after = fixed(text, [fix])
    assert append in after
    assert after.endswith("\nBook.objects.bulk_create(created)\n")


@pytest.mark.parametrize(
    "code", ["shelf.books.create(pages=b)", "Book.objects.create(b)", "Book.objects.using('x').create(a=b)", "x.save(force_insert=True)"]
)
def test_rows_that_are_made_in_another_way(code: str) -> None:
    fix = write(f"{IMPORT}for b in xs:\n    «{code}»\n", "create")[1]
    assert fix is not None
    assert fix.applicability is Applicability.DISPLAY


@pytest.mark.parametrize(
    "code", ["b.tags.add(tag)", "shelf.books.add(*xs)", "shelf.books.add(b, b)", "shelf.books.add(b, through_defaults={'a': b})"]
)
def test_links_that_stay(code: str) -> None:
    fix = write(f"{IMPORT}for b in xs:\n    «{code}»\n", "add")[1]
    assert fix is not None
    assert fix.applicability is Applicability.DISPLAY


CONDITIONAL = {
    "a delete": ("for b in Book.objects.all():\n    if b.sold:\n        «b.delete()»\n", "delete", "        deleted.append(b.pk)\n"),
    "a link": ("for b in books:\n    if b.sold:\n        «shelf.books.add(b)»\n", "add", "        linked.append(b)\n"),
    "a new row": ("for b in xs:\n    if b:\n        «Book.objects.create(a=b)»\n", "create", "        created.append(Book(a=b))\n"),
    "an update": ("for b in books:\n    b.sold = True\n    if b.pages:\n        «b.save()»\n", "update", "        changed.append(b)\n"),
}


@pytest.mark.parametrize(("code", "method", "line"), CONDITIONAL.values(), ids=CONDITIONAL)
def test_a_condition_in_the_loop_stays(code: str, method: str, line: str) -> None:
    text, fix = write(IMPORT + code, method, "sold", plain=True)
    after = fixed(text, [fix])
    assert "    if b" in after
    assert line in after


@pytest.mark.parametrize(
    ("rows", "is_one_call"), [("books", False), ("get_books()", False), ("list(books)", False), ("list(Book.objects.all())", True)]
)
def test_a_list_has_no_update(rows: str, is_one_call: bool) -> None:
    text, fix = write(f"{IMPORT}for b in {rows}:\n    «b.delete()»\n", "delete", plain=True, source=QueryObject(style="list"))
    assert ("deleted = []" not in fixed(text, [fix])) is is_one_call
