from __future__ import annotations

import pytest

from ormlint.judge.finding import AggregateInDatabase, Applicability, Fix, MoveAfterLoop
from ormlint.link.schema import Orm
from ormlint.run.log import Loop
from ormlint.text import Site
from tests.fixes.building import PATH, Shop, fixed, plan, query, site
from tests.fixes.test_django_loads import unmark

DJANGO, SQLALCHEMY = Shop(), Shop(Orm.SQLALCHEMY)


def aggregate(marked: str, shop: Shop = DJANGO, **options: object) -> tuple[str, Fix | None]:
    text, part = unmark(marked)
    intent = AggregateInDatabase(query(shop, text, part, **options), site(text, part), part.partition("(")[0], shop.pages)
    return text, plan(text, shop, (intent, intent.site))[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from django.db.models import Q, Value\nx = «sum(b.pages for b in qs)»\n",
            'from django.db.models import Q, Sum, Value\nx = qs.aggregate(total=Sum("pages", default=0))["total"]\n',
        ),
        (
            "from django.db import models\nx = «sum([b.pages for b in qs])»\n",
            'from django.db import models\nx = qs.aggregate(total=models.Sum("pages", default=0))["total"]\n',
        ),
        (
            "from django.shortcuts import render\nimport os\nx = «max(b.pages for b in list(Book.objects.filter(a='1')))»\n",
            "from django.db.models import Max\nfrom django.shortcuts import render\nimport os\n"
            "x = Book.objects.filter(a='1').aggregate(maximum=Max('pages'))['maximum']\n",
        ),
        (
            "from django.db.models import Min\nx = «min(b.pages for b in a | b)» + 1\n",
            'from django.db.models import Min\nx = (a | b).aggregate(minimum=Min("pages"))["minimum"] + 1\n',
        ),
        (
            "from django.db.models import Min\nx = «min(\n    b.pages\n    for b in Book.objects\n    .all()\n)»\n",
            'from django.db.models import Min\nx = (Book.objects\n    .all()).aggregate(minimum=Min("pages"))["minimum"]\n',
        ),
    ],
)
def test_an_aggregate_in_django(before: str, after: str) -> None:
    text, fix = aggregate(before)
    assert fixed(text, [fix]) == after
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE
    assert fix.reason


@pytest.mark.parametrize(
    "code",
    [
        "x = «sum(b.pages for b in qs if b.x)»\n",
        "x = «sum((b.pages for b in qs), 5)»\n",
        "x = «sum(b.pages for a in x for b in a)»\n",
        "x = «sum(c.pages for b in qs)»\n",
        "x = «sum(b.price for b in qs)»\n",
        "x = «max(b.pages for b in qs, default=0)»\n".replace("(b.pages for b in qs, ", "((b.pages for b in qs), "),
        "x = «sum(b.pages * 2 for b in qs)»\n",
    ],
)
def test_other_sums_stay(code: str) -> None:
    assert aggregate(code)[1] is None


def test_a_comment_in_the_expression_is_not_lost() -> None:
    fix = aggregate("x = «sum(  # all\n    b.pages for b in qs)»\n")[1]
    assert fix is not None
    assert (fix.applicability, fix.edits) == (Applicability.DISPLAY, ())


def test_a_taken_name() -> None:
    fix = aggregate("Sum = 1\nx = «sum(b.pages for b in qs)»\n")[1]
    assert fix is not None
    assert (fix.applicability, fix.reason) == (Applicability.DISPLAY, "`Sum` means something else in this file")


@pytest.mark.parametrize(
    ("before", "after", "methods"),
    [
        (
            "from sqlalchemy import func\nx = «sum(b.pages for b in s.query(Book).filter(y).all())»\n",
            "from sqlalchemy import func\nx = s.query(Book).filter(y).with_entities(func.coalesce(func.sum(Book.pages), 0)).scalar()\n",
            (),
        ),
        (
            "import sqlalchemy as sa\nx = «max(b.pages for b in Book.query.order_by(y))»\n",
            "import sqlalchemy as sa\nx = Book.query.order_by(y).order_by(None).with_entities(sa.func.max(Book.pages)).scalar()\n",
            ("order_by",),
        ),
    ],
)
def test_an_aggregate_of_a_sqlalchemy_query(before: str, after: str, methods: tuple[str, ...]) -> None:
    text, fix = aggregate(before, SQLALCHEMY, style="query", methods=methods)
    assert fixed(text, [fix]) == after
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE


def test_an_aggregate_of_a_select_is_only_shown() -> None:
    fix = aggregate("from shop.models import Book\nx = «sum(b.pages for b in s.scalars(select(Book)))»\n", SQLALCHEMY, style="select")[1]
    assert fix is not None
    assert (fix.applicability, fix.edits) == (Applicability.DISPLAY, ())
    assert "func.sum(Book.pages)" in fix.description


def test_a_limited_query_is_not_aggregated() -> None:
    assert aggregate("x = «sum(b.pages for b in s.query(Book).limit(3))»\n", SQLALCHEMY, style="query")[1] is None


# ------------------------------------------------------------------------------------------------------------ loops
def move(text: str, call: str = "session.commit()", loop: str = "for x in xs") -> Fix | None:
    header = site(text, loop)
    walk = Loop(1, header, Site(PATH, header.end + 1, len(text)), "for")
    intent = MoveAfterLoop(site(text, call), walk)
    return plan(text, SQLALCHEMY, (intent, intent.site))[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "def f(session, xs):\n    for x in xs:\n        session.add(x)\n        # done\n        session.commit()  # now\n    return 1\n",
            "def f(session, xs):\n    for x in xs:\n        session.add(x)\n        # done\n    session.commit()  # now\n    return 1\n",
        ),
        ("for x in xs:\r\n\tsession.add(x)\r\n\r\n\tsession.commit()", "for x in xs:\r\n\tsession.add(x)\r\n\r\nsession.commit()"),
        (
            "async def f(xs):\n    async with S() as s:\n        async for x in xs:\n            s.add(x)\n            await session.commit()\n",
            "async def f(xs):\n    async with S() as s:\n        async for x in xs:\n            s.add(x)\n        await session.commit()\n",
        ),
        ("for x in xs: session.add(x); session.commit()\n", "for x in xs:\n    session.add(x)\nsession.commit()\n"),
        (
            "for x in xs:\n\ty = 1\n\tsession.add(x); session.commit()  # now\n",
            "for x in xs:\n\ty = 1\n\tsession.add(x)\nsession.commit()  # now\n",
        ),
    ],
)
def test_a_commit_moves_behind_the_loop(before: str, after: str) -> None:
    fix = move(before)
    assert fixed(before, [fix]) == after
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE
    assert "transaction" in fix.reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("for x in xs:\n    session.commit()\n", "nothing else"),
        ("for x in xs:\n    session.commit()\n    y = 1\n", "not the last statement"),
        ("for x in xs:\n    y = 1\n    if y:\n        session.commit()\n", "not the last statement"),
        ("for x in xs:\n    y = 1\n    session.commit()\nelse:\n    z = 1\n", "`else`"),
        ("for x in xs:\n    if y:\n        continue\n    session.commit()\n", "left early"),
        ("for x in xs:\n    try:\n        y = 1\n    finally:\n        pass\n    session.commit()\n", "a `try`"),
        ("try:\n    for x in xs:\n        y = 1\n        session.commit()\nfinally:\n    pass\n", "stands in a `try`"),
        ("for x in xs:\n    session = S()\n    session.commit()\n", "`session` is bound"),
        ("for x in xs:\n    for y in x:\n        z = 1\n        session.commit()\n", "another loop"),
        ("for x in xs:\n    y = 1\n    z = session.commit()\n", "larger expression"),
        ("def f():\n    session.commit()\nfor x in xs:\n    f()\n", "a function that the loop calls"),
    ],
)
def test_a_commit_that_cannot_move(body: str, reason: str) -> None:
    fix = move(body)
    assert fix is not None
    assert (fix.applicability, fix.edits) == (Applicability.DISPLAY, ())
    assert any(part in fix.reason for part in reason.split("|"))
