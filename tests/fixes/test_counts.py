from __future__ import annotations

import pytest

from ormlint.fixes.counts import breaks_line
from ormlint.judge.finding import Applicability, Fix, Intent, ReplaceCountTest, ReplaceLen, ReplaceTruthTest
from ormlint.link.schema import Orm
from ormlint.text import Site
from tests.fixes.building import PATH, Shop, fixed, plan, query
from tests.fixes.test_django_loads import unmark

DJANGO, SQLALCHEMY = Shop(), Shop(Orm.SQLALCHEMY)


def place(text: str, part: str) -> Site:
    start = text.index(part)
    return Site(PATH, start, start + len(part))


def len_fix(marked: str, shop: Shop = DJANGO, **options: object) -> tuple[str, Fix | None]:
    text, part = unmark(marked)
    intent = ReplaceLen(query(shop, text, part, **options), place(text, part))
    return text, plan(text, shop, (intent, intent.site))[0]


def count_fix(marked: str, shop: Shop = DJANGO, negated: bool = False, **options: object) -> tuple[str, Fix | None]:
    """The test stands between « and », the call of count between ‹ and ›."""
    text = marked.translate({ord(mark): None for mark in "«»‹›"})
    test, count = (marked.split(first)[1].split(last)[0].translate({ord(mark): None for mark in "«»‹›"}) for first, last in ("«»", "‹›"))
    intent: Intent = ReplaceCountTest(query(shop, text, count, **options), place(text, count), place(text, test), negated)
    return text, plan(text, shop, (intent, place(text, test)))[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("n = «len(Book.objects.all())»\n", "n = Book.objects.all().count()\n"),
        ("n = «len(list(Book.objects.all()))»\n", "n = Book.objects.all().count()\n"),
        ("n = «len([b for b in Book.objects.all()])»\n", "n = Book.objects.all().count()\n"),
        ("n = «len(a | b)»\n", "n = (a | b).count()\n"),
        ("n = «len((a | b))»\n", "n = (a | b).count()\n"),
        ("n = «len(a if x else b)»\n", "n = (a if x else b).count()\n"),
        ("n = «len(qs := Book.objects.all())»\n", "n = (qs := Book.objects.all()).count()\n"),
        ("n = «len(qs[:5],)»\n", "n = qs[:5].count()\n"),
        ("n = «len(  qs  )»\n", "n = qs.count()\n"),
        ("n = 1if-«len(qs)»else 2\n", "n = 1if-qs.count()else 2\n"),
        ('ü = "ü"; n = «len(qs)»; m = 2\n', 'ü = "ü"; n = qs.count(); m = 2\n'),
        ('print(f"{«len(qs)»:>3} {qs!r}")\n', 'print(f"{qs.count():>3} {qs!r}")\n'),
        ("n = «len(\n    Book.objects.filter(\n        a=1,  # one\n    )\n)»\n", "n = Book.objects.filter(\n        a=1,  # one\n    ).count()\n"),
        ("n = «len(\n    Book.objects\n    .all()\n)»\n", "n = (Book.objects\n    .all()).count()\n"),
        ("n = «len(  # all\n    qs  # of, them\n)»  # n\n", "n = (  # all\n    qs  # of, them\n).count()  # n\n"),
        ("n = «len(\n    qs,  # (one)\n)»\n", "n = (\n    qs  # (one)\n).count()\n"),
        ("f = lambda: «len(qs)» + 1\n", "f = lambda: qs.count() + 1\n"),
    ],
)
def test_len_becomes_count(before: str, after: str) -> None:
    text, fix = len_fix(before)
    assert fixed(text, [fix]) == after
    assert fix is not None
    assert (fix.applicability, fix.reason) == (Applicability.SAFE, "")


@pytest.mark.parametrize(
    "code",
    [
        "n = «len(*qs)»\n",
        "n = «len(qs, key)»\n",
        "n = «[b for b in qs]»\n",
        "n = «len(set(qs))»\n",
        "n = «len(sorted(qs))»\n",
        "n = «len([b for b in qs if b.x])»\n",
        "n = «len([*qs])»\n",
        "async def f():\n    return «len([b async for b in qs])»\n",
    ],
)
def test_len_of_something_else_stays(code: str) -> None:
    assert len_fix(code)[1] is None


def test_a_locking_query_is_not_counted() -> None:
    _, fix = len_fix("n = «len(qs)»\n", locked=True)
    assert fix is None


def test_a_comment_within_nested_calls_is_not_lost() -> None:
    _, fix = len_fix("n = «len(list(  # all\n    qs\n))»\n")
    assert fix is not None
    assert (fix.applicability, fix.reason) == (Applicability.DISPLAY, "a comment stands in the expression")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("n = «len(session.query(Book).all())»\n", "n = session.query(Book).count()\n", ""),
        ("n = «len(Book.query.filter_by(a=1).all())»\n", "n = Book.query.filter_by(a=1).count()\n", ""),
        ("n = «len(session.query(Book).filter(Book.a == 1).all())»\n", "n = session.query(Book).filter(Book.a == 1).count()\n", ""),
        (
            "n = «len(session.query(Book).filter(Book.author_id == Author.id).all())»\n",
            "n = session.query(Book).filter(Book.author_id == Author.id).count()\n",
            "the filter on `Author` may join",
        ),
        ("n = «len(session.query(Book).join(Author).all())»\n", "n = session.query(Book).join(Author).count()\n", "with `join()`"),
        ("n = «len(session.query(Book).limit(3).all())»\n", "n = session.query(Book).limit(3).count()\n", "with `limit()`"),
        ("n = «len(session.query(Book, Author).all())»\n", "n = session.query(Book, Author).count()\n", "more than one entity"),
        ("n = «len(q.all())»\n", "n = q.count()\n", "built in another place"),
    ],
)
def test_len_of_a_sqlalchemy_query(before: str, after: str, reason: str) -> None:
    text, fix = len_fix(before, SQLALCHEMY, style="query")
    assert fixed(text, [fix]) == after
    assert fix is not None
    assert fix.applicability is (Applicability.UNSAFE if reason else Applicability.SAFE)
    assert reason in fix.reason


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from sqlalchemy import func, select\nn = «len(list(session.scalars(stmt)))»\n",
            "from sqlalchemy import func, select\nn = session.scalar(select(func.count()).select_from(stmt.subquery()))\n",
        ),
        (
            "from sqlalchemy import func, select\nn = «len(session.execute(stmt).scalars().all())»\n",
            "from sqlalchemy import func, select\nn = session.scalar(select(func.count()).select_from(stmt.subquery()))\n",
        ),
        (
            "from sqlalchemy.orm import Session\nimport sqlalchemy\nn = «len(session.scalars(stmt).all())»\n",
            "from sqlalchemy.orm import Session\nimport sqlalchemy\n"
            "n = session.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(stmt.subquery()))\n",
        ),
        (
            "from sqlalchemy import select\nn = «len(session.scalars(select(Book).where(x)).all())»\n",
            "from sqlalchemy import func, select\nn = session.scalar(select(func.count()).select_from(select(Book).where(x).subquery()))\n",
        ),
        (
            "import sqlalchemy as sa\nasync def f(): return «len((await session.scalars(stmt)).all())»\n",
            "import sqlalchemy as sa\nasync def f(): return (await session.scalar(sa.select(sa.func.count()).select_from(stmt.subquery())))\n",
        ),
        (
            "import os\nn = «len(session.scalars(stmt).all())»\n",
            "import os\nfrom sqlalchemy import func\nfrom sqlalchemy import select\n"
            "n = session.scalar(select(func.count()).select_from(stmt.subquery()))\n",
        ),
    ],
)
def test_len_of_a_select(before: str, after: str) -> None:
    text, fix = len_fix(before, SQLALCHEMY, style="select")
    assert fixed(text, [fix]) == after
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE
    assert fix.reason


def test_a_list_made_in_another_statement_is_only_shown() -> None:
    fix = len_fix("n = «len(rows)»\n", SQLALCHEMY, style="result")[1]
    assert fix is not None
    assert (fix.applicability, fix.edits) == (Applicability.DISPLAY, ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if «‹qs.count()› > 0»: pass\n", "if qs.exists(): pass\n"),
        ("if «‹qs.count()› != 0»: pass\n", "if qs.exists(): pass\n"),
        ("if «‹qs.count()› >= 1»: pass\n", "if qs.exists(): pass\n"),
        ("if «‹qs.count()› == 0»: pass\n", "if not qs.exists(): pass\n"),
        ("if «‹qs.count()› < 1»: pass\n", "if not qs.exists(): pass\n"),
        ("if «‹qs.count()› <= 0»: pass\n", "if not qs.exists(): pass\n"),
        ("if «0 < ‹qs.count()›»: pass\n", "if qs.exists(): pass\n"),
        ("if «0 != ‹qs.count()›»: pass\n", "if qs.exists(): pass\n"),
        ("if «1 <= ‹qs.count()›»: pass\n", "if qs.exists(): pass\n"),
        ("if «0 == ‹qs.count()›»: pass\n", "if not qs.exists(): pass\n"),
        ("if «1 > ‹qs.count()›»: pass\n", "if not qs.exists(): pass\n"),
        ("if(0)<‹qs.count()›: pass\n".replace("(0)<‹qs.count()›", "«(0)<‹qs.count()›»"), "if qs.exists(): pass\n"),
        ("if «‹qs.count()›»: pass\n", "if qs.exists(): pass\n"),
        ("if not «‹qs.count()›»: pass\n", "if not qs.exists(): pass\n"),
        ("if «not ‹qs.count()›»: pass\n", "if not qs.exists(): pass\n"),
        ("x = «bool(‹qs.count()›)»\n", "x = qs.exists()\n"),
        ("if not «‹qs.count()› == 0»: pass\n", "if qs.exists(): pass\n"),
        ("if not «‹qs.count()› > 0»: pass\n", "if not qs.exists(): pass\n"),
        ("if not («‹qs.count()› == 0»): pass\n", "if not (not qs.exists()): pass\n"),
        ("x = a and «‹qs.count()› == 0» or b\n", "x = a and not qs.exists() or b\n"),
        ("x = y == («‹qs.count()› == 0»)\n", "x = y == (not qs.exists())\n"),
        ("x = [i for i in y if «‹i.books.count()› == 0»]\n", "x = [i for i in y if not i.books.exists()]\n"),
        ("x = 1 if «‹(a | b).count()› > 0» else 2\n", "x = 1 if (a | b).exists() else 2\n"),
        ("f = lambda: «‹qs.count()› == 0»\n", "f = lambda: not qs.exists()\n"),
        ("f(«‹qs.count()› == 0», *a, k=1)\n", "f(not qs.exists(), *a, k=1)\n"),
        ('print(f"é{«‹qs.count()› > 0»}")\n', 'print(f"é{qs.exists()}")\n'),
        ("while «(‹qs.count()›) > 0»: pass\n", "while (qs.exists()): pass\n"),
        (
            "if (\n    «‹Book.objects\n    .filter(a=1)  # one\n    .count()›  # two\n    > 0»  # three\n):\n    pass\n",
            "if (\n    Book.objects\n    .filter(a=1)  # one\n    .exists()  # two  # three\n):\n    pass\n",
        ),
        ("if «‹qs.count()› \\\r\n  == 0»: pass\r\n", "if not qs.exists(): pass\r\n"),
        ("async def f():\n    return «‹await qs.acount()› > 0»\n", "async def f():\n    return await qs.aexists()\n"),
        ("async def f():\n    return «‹await qs.acount()› == 0»\n", "async def f():\n    return not await qs.aexists()\n"),
        ("async def f():\n    return «await ‹qs.acount()› == 0»\n", "async def f():\n    return not await qs.aexists()\n"),
    ],
)
def test_a_test_of_a_count_becomes_exists(before: str, after: str) -> None:
    text, fix = count_fix(before)
    assert fixed(text, [fix]) == after
    assert fix is not None
    assert (fix.applicability, fix.reason) == (Applicability.SAFE, "")


@pytest.mark.parametrize(
    "code",
    [
        "if «‹qs.count()› > 1»: pass\n",
        "if «‹qs.count()› == 1»: pass\n",
        "if «0 < ‹qs.count()› < 5»: pass\n",
        "if «(n := ‹qs.count()›) > 0»: pass\n",
        "if «‹names.count('x')› > 0»: pass\n",
        "if «‹qs.count()› > n»: pass\n",
        "if «‹qs.count()› + 1 > 0»: pass\n",
    ],
)
def test_other_comparisons_stay(code: str) -> None:
    assert count_fix(code)[1] is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "if «‹db.session.query(Book).filter(x).count()› > 0»: pass\n",
            "if db.session.query(db.session.query(Book).filter(x).exists()).scalar(): pass\n",
        ),
        ("x = a and «‹s.query(Book).count()› == 0»\n", "x = a and not s.query(s.query(Book).exists()).scalar()\n"),
        ("if «0 == ‹s.query(Book).count()›»: pass\n", "if not s.query(s.query(Book).exists()).scalar(): pass\n"),
        ("x = «bool(‹s.query(Book).count()›)»\n", "x = bool(s.query(s.query(Book).exists()).scalar())\n"),
        (
            "from shop import db\nif «‹Book.query.filter_by(a=1).count()› > 0»: pass\n",
            "from shop import db\nif db.session.query(Book.query.filter_by(a=1).exists()).scalar(): pass\n",
        ),
        ("if «‹q.count()›»: pass\n", "if q.session.query(q.exists()).scalar(): pass\n"),
        (
            "if (\n    «‹s.query(Book)  # all\n    .count()›  # n\n    > 0»\n): pass\n",
            "if (\n    s.query(s.query(Book)  # all\n    .exists()).scalar()  # n\n): pass\n",
        ),
    ],
)
def test_a_test_of_a_count_in_sqlalchemy(before: str, after: str) -> None:
    text, fix = count_fix(before, SQLALCHEMY, style="query")
    assert fixed(text, [fix]) == after
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE
    assert "SELECT EXISTS" in fix.reason


def test_a_session_that_is_not_at_hand() -> None:
    for code in ("if «‹Session().query(Book).count()› > 0»: pass\n", "if «‹Book.query.count()› > 0»: pass\n"):
        fix = count_fix(code, SQLALCHEMY, style="query")[1]
        assert fix is not None
        assert fix.applicability is Applicability.DISPLAY


def test_limited_queries_are_left_alone() -> None:
    assert count_fix("if «‹s.query(Book).limit(3).count()› > 0»: pass\n", SQLALCHEMY, style="query", methods=("limit",))[1] is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if «qs»: pass\n", "if qs.exists(): pass\n"),
        ("if not «qs»: pass\n", "if not qs.exists(): pass\n"),
        ("if «not qs»: pass\n", "if not qs.exists(): pass\n"),
        ("if a and «Book.objects.all()[:3]»: pass\n", "if a and Book.objects.all()[:3].exists(): pass\n"),
        ("if «a | b»: pass\n", "if (a | b).exists(): pass\n"),
        ("if («a | b»): pass\n", "if (a | b).exists(): pass\n"),
        ("x = «bool(qs)»\n", "x = qs.exists()\n"),
        ("x = bool(«qs»)\n", "x = bool(qs.exists())\n"),
        ("if «list(qs)»: pass\n", "if qs.exists(): pass\n"),
        ("x = 1 if «qs» else 2\n", "x = 1 if qs.exists() else 2\n"),
        ("assert «qs», 'none'\n", "assert qs.exists(), 'none'\n"),
        ("x = [i for i in y if «i.books.all()»]\n", "x = [i for i in y if i.books.all().exists()]\n"),
        ("if (\n    «Book.objects\n    .all()»  # all\n): pass\n", "if (\n    Book.objects\n    .all()  # all\n    .exists()\n): pass\n"),
    ],
)
def test_a_truth_test_becomes_exists(before: str, after: str) -> None:
    text, part = unmark(before)
    intent = ReplaceTruthTest(query(DJANGO, text, part), place(text, part))
    if before.startswith("x = bool"):
        intent = ReplaceTruthTest(intent.query, Site(PATH, text.index("qs"), text.index("qs") + 2))
    (fix,) = plan(text, DJANGO, (intent, intent.site))
    assert fixed(text, [fix]) == after


@pytest.mark.parametrize(
    "code",
    [
        "x = «qs» or []\n",
        "return_value = f(«qs» or None)\n",
        "if («qs»).x: pass\n",
        "if f(«qs»): pass\n",
        "x = list(«qs»)\n",
        "if «(rows := qs)»: pass\n",
        "if «bool(rows := qs)»: pass\n",
        "async def f():\n    if «qs»: pass\n",
        "x = «qs» if a else b\n",
    ],
)
def test_a_query_whose_value_is_used_stays(code: str) -> None:
    text, part = unmark(code)
    intent = ReplaceTruthTest(query(DJANGO, text, part), place(text, part))
    assert plan(text, DJANGO, (intent, intent.site)) == [None]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a.b", False),
        ("a(\n1,\n)", False),
        ("a\n.b", True),
        ("(a\n.b)", False),
        ('"""x\ny"""', False),
        ("a.b(1,\n2).c\\\n.d", False),
        ("a.b(\n).c\n.d", True),
    ],
)
def test_where_brackets_are_needed(code: str, expected: bool) -> None:
    assert breaks_line(code) is expected
