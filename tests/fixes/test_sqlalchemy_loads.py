from __future__ import annotations

import pytest

from ormlint.judge.finding import Applicability, EagerLoad
from ormlint.link.schema import Kind, Orm, Relation
from tests.fixes.building import Shop, fixed, load, plan, query, relate, site
from tests.fixes.test_django_loads import dedented, unmark

SHOP = Shop(Orm.SQLALCHEMY)
AUTHOR = (SHOP.to_author,)
COUNTRY = (SHOP.to_author, SHOP.to_country)
TAGS = (SHOP.to_tags,)
IMPORTS = "from sqlalchemy.orm import Session, joinedload, selectinload\nfrom shop.models import Author, Book\n"

# name: style, code before (the query between « and »), code after
PLACES = {
    "a query": ("query", "for b in «session.query(Book)»: pass", "for b in session.query(Book).options(joinedload(Book.author)): pass"),
    "before all": (
        "query",
        "x = «session.query(Book).filter_by(a=1).all()»",
        "x = session.query(Book).filter_by(a=1).options(joinedload(Book.author)).all()",
    ),
    "before limit": (
        "query",
        "x = «db.session.query(Book).order_by(Book.id).limit(3).all()»",
        "x = db.session.query(Book).order_by(Book.id).options(joinedload(Book.author)).limit(3).all()",
    ),
    "before a slice": ("query", "x = «session.query(Book)[:3]»", "x = session.query(Book).options(joinedload(Book.author))[:3]"),
    "before a call outside of the site": (
        "query",
        "x = «session.query(Book)».all()",
        "x = session.query(Book).options(joinedload(Book.author)).all()",
    ),
    "Flask's query": ("query", "x = «Book.query.filter_by(a=1)».all()", "x = Book.query.filter_by(a=1).options(joinedload(Book.author)).all()"),
    "Flask's query alone": ("query", "for b in «Book.query»: pass", "for b in Book.query.options(joinedload(Book.author)): pass"),
    "Flask's query of a class method": ("query", "x = «cls.query.all()»", "x = cls.query.options(joinedload(cls.author)).all()"),
    "an aliased class": ("query", "x = «session.query(B).all()»", "x = session.query(B).options(joinedload(B.author)).all()"),
    "a class of a module": ("query", "x = «session.query(m.Book).all()»", "x = session.query(m.Book).options(joinedload(m.Book.author)).all()"),
    "two entities": (
        "query",
        "x = «session.query(Book, Author).all()»",
        "x = session.query(Book, Author).options(joinedload(Book.author)).all()",
    ),
    "a select": ("select", "stmt = «select(Book).where(Book.a == 1)»", "stmt = select(Book).where(Book.a == 1).options(joinedload(Book.author))"),
    "a select of a module": ("select", "stmt = «sa.select(Book)».limit(3)", "stmt = sa.select(Book).options(joinedload(Book.author)).limit(3)"),
    "a select in scalars": (
        "result",
        "x = «session.scalars(select(Book).limit(3)).all()»",
        "x = session.scalars(select(Book).options(joinedload(Book.author)).limit(3)).all()",
    ),
    "a select in an awaited execute": (
        "result",
        "async def f(): return «(await session.execute(select(Book))).scalars()»",
        "async def f(): return (await session.execute(select(Book).options(joinedload(Book.author)))).scalars()",
    ),
    "a variable in scalars": (
        "result",
        "x = «list(session.scalars(stmt))»",
        "x = list(session.scalars(stmt.options(joinedload(Book.author))))",
    ),
    "merged": (
        "query",
        "x = «session.query(Book).options(selectinload(Book.tags)).all()»",
        "x = session.query(Book).options(selectinload(Book.tags), joinedload(Book.author)).all()",
    ),
    "merged into no arguments": ("select", "x = «select(Book).options()»", "x = select(Book).options(joinedload(Book.author))"),
    "merged, with unpacking": (
        "select",
        "x = «select(Book).options(*more)»",
        "x = select(Book).options(*more, joinedload(Book.author))",
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_options_go(name: str) -> None:
    style, before, after = PLACES[name]
    text, part = unmark(f"{IMPORTS}{before}\n")
    fixes = load(text, part, AUTHOR, shop=SHOP, style=style)
    assert fixed(text, fixes) == f"{IMPORTS}{after}\n"
    assert fixes[0] is not None
    assert (fixes[0].applicability, fixes[0].reason) == (Applicability.SAFE, "")


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([TAGS], "selectinload(Book.tags)"),
        ([COUNTRY], "joinedload(Book.author).joinedload(Author.country)"),
        ([(*AUTHOR, SHOP.to_books)], "joinedload(Book.author).selectinload(Author.books)"),
        ([(*AUTHOR, SHOP.to_books, SHOP.to_author)], "joinedload(Book.author).selectinload(Author.books).joinedload(Book.author)"),
        ([AUTHOR, COUNTRY], "joinedload(Book.author).joinedload(Author.country)"),
        ([TAGS, AUTHOR], "selectinload(Book.tags), joinedload(Book.author)"),
    ],
)
def test_the_loader_follows_from_the_path(paths: list[tuple[Relation, ...]], expected: str) -> None:
    text = f"{IMPORTS}x = select(Book)\n"
    fixes = load(text, "select(Book)", *paths, shop=SHOP, style="select")
    assert fixed(text, fixes) == f"{IMPORTS}x = select(Book).options({expected})\n"
    assert all(fix == fixes[0] for fix in fixes)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("joinedload(Book.author)", "joinedload(Book.author).joinedload(Author.country)"),
        ("contains_eager(Book.author)", "contains_eager(Book.author).joinedload(Author.country)"),
        ("orm.joinedload(Book.author)", "orm.joinedload(Book.author).joinedload(Author.country)"),
        (
            "joinedload(Book.author).load_only(Author.name)",
            "joinedload(Book.author).load_only(Author.name), joinedload(Book.author).joinedload(Author.country)",
        ),
    ],
)
def test_an_option_is_continued(before: str, after: str) -> None:
    text = f"{IMPORTS}x = select(Book).options({before})\n"
    fixes = load(text, f"select(Book).options({before})", COUNTRY, shop=SHOP, style="select")
    assert fixed(text, fixes) == f"{IMPORTS}x = select(Book).options({after})\n"


def test_the_layout_of_the_chain_is_kept() -> None:
    text, part = unmark(
        dedented("""\
            from sqlalchemy.orm import joinedload
            from .models import Book
            books = (
                «session.query(Book)
                .filter(Book.a == 1)  # one
                .order_by(Book.id)  # two
                .all()»
            )
        """)
    )
    assert fixed(text, load(text, part, AUTHOR, shop=SHOP, style="query")) == dedented("""\
            from sqlalchemy.orm import joinedload
            from .models import Book
            books = (
                session.query(Book)
                .filter(Book.a == 1)  # one
                .order_by(Book.id)  # two
                .options(joinedload(Book.author))
                .all()
            )
        """)


# name: imports before, imports after, how the loader is written
SPELLINGS = {
    "alias": ("from sqlalchemy.orm import joinedload as jl\n", None, "jl"),
    "module alias": ("import sqlalchemy.orm as orm\n", None, "orm.joinedload"),
    "module from package": ("from sqlalchemy import orm\n", None, "orm.joinedload"),
    "whole module": ("import sqlalchemy.orm\n", None, "sqlalchemy.orm.joinedload"),
    "in a try": ("try:\n    from sqlalchemy.orm import joinedload\nexcept ImportError:\n    raise\n", None, "joinedload"),
    "appended": ("from sqlalchemy.orm import Session\n", "from sqlalchemy.orm import Session, joinedload\n", "joinedload"),
    "sorted": (
        "from sqlalchemy.orm import Session, relationship\n",
        "from sqlalchemy.orm import Session, joinedload, relationship\n",
        "joinedload",
    ),
    "unsorted": (
        "from sqlalchemy.orm import relationship, Session as S, aliased  # noqa\n",
        "from sqlalchemy.orm import relationship, Session as S, aliased, joinedload  # noqa\n",
        "joinedload",
    ),
    "lines, trailing comma": (
        "from sqlalchemy.orm import (  # all\n    Mapped,\n    Session,  # s\n)\n",
        "from sqlalchemy.orm import (  # all\n    Mapped,\n    Session,  # s\n    joinedload,\n)\n",
        "joinedload",
    ),
    "lines, no trailing comma": (
        "from sqlalchemy.orm import (\n    Session  # s\n)\n",
        "from sqlalchemy.orm import (\n    Session,  # s\n    joinedload\n)\n",
        "joinedload",
    ),
    "lines, in between": (
        "from sqlalchemy.orm import (\n    Session,\n    relationship,  # r\n)\n",
        "from sqlalchemy.orm import (\n    Session,\n    joinedload,\n    relationship,  # r\n)\n",
        "joinedload",
    ),
    "parentheses on one line": ("from sqlalchemy.orm import (Session)\n", "from sqlalchemy.orm import (Session, joinedload)\n", "joinedload"),
    "backslash": (
        "from sqlalchemy.orm import Session, \\\n    aliased as a\n",
        "from sqlalchemy.orm import Session, \\\n    aliased as a, joinedload\n",
        "joinedload",
    ),
    "two statements on a line": (
        "import os; from sqlalchemy.orm import Session; import re\n",
        "import os; from sqlalchemy.orm import Session, joinedload; import re\n",
        "joinedload",
    ),
    "star": (
        "from sqlalchemy.orm import *\n",
        "from sqlalchemy.orm import *\nfrom sqlalchemy.orm import joinedload\n",
        "joinedload",
    ),
    "only for type checkers": (
        "from sqlalchemy import select\nif TYPE_CHECKING:\n    from sqlalchemy.orm import joinedload\nimport re\n",
        "from sqlalchemy import select\nfrom sqlalchemy.orm import joinedload\n"
        "if TYPE_CHECKING:\n    from sqlalchemy.orm import joinedload\nimport re\n",
        "joinedload",
    ),
    "in another function": (
        "import os\n\ndef g():\n    from sqlalchemy.orm import joinedload\n",
        "import os\nfrom sqlalchemy.orm import joinedload\n\ndef g():\n    from sqlalchemy.orm import joinedload\n",
        "joinedload",
    ),
    "no imports, a docstring": (
        '#!/usr/bin/python\n# coding: utf-8\n"""Doc."""\n\n\nclass Book: pass\n',
        '#!/usr/bin/python\n# coding: utf-8\n"""Doc."""\n\nfrom sqlalchemy.orm import joinedload\n\n\nclass Book: pass\n',
        "joinedload",
    ),
    "no imports": (
        "# Licence\n\nclass Book: pass\n",
        "# Licence\n\nfrom sqlalchemy.orm import joinedload\n\nclass Book: pass\n",
        "joinedload",
    ),
    "future": (
        "from __future__ import annotations\n\nx = 1\n",
        "from __future__ import annotations\n\nfrom sqlalchemy.orm import joinedload\n\nx = 1\n",
        "joinedload",
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_loader_is_imported(name: str, newline: str) -> None:
    before, after, spelling = (part.replace("\n", newline) if part is not None else None for part in SPELLINGS[name])
    code = f"def f(session):{newline}    return session.query(Book){newline}"
    fixes = load(f"{before}{code}", "session.query(Book)", AUTHOR, shop=SHOP, style="query")
    assert fixed(f"{before}{code}", fixes) == (after or before or "") + code.replace("(Book)", f"(Book).options({spelling}(Book.author))")


def test_an_import_in_the_function_is_used() -> None:
    text = "def f(session):\n    from sqlalchemy.orm import joinedload as load\n    return session.query(Book)\n"
    after = fixed(text, load(text, "session.query(Book)", AUTHOR, shop=SHOP, style="query"))
    assert after == text.replace("(Book)", "(Book).options(load(Book.author))")


def test_an_import_in_a_method_is_used_and_one_in_another_method_is_not() -> None:
    head = "class A:\n    def f(self, session):\n        from sqlalchemy.orm import joinedload as load\n"
    inside = f"{head}        if x:\n            return session.query(Book)\n"
    outside = f"{head}\n    def g(self, session):\n        return session.query(Book)\n"
    assert "options(load(Book.author))" in fixed(inside, load(inside, "session.query(Book)", AUTHOR, shop=SHOP, style="query"))
    assert "options(joinedload(Book.author))" in fixed(outside, load(outside, "session.query(Book)", AUTHOR, shop=SHOP, style="query"))


def test_the_class_of_the_second_hop_is_imported_with_others_of_its_module() -> None:
    text = "from sqlalchemy.orm import joinedload\nfrom .models import (\n    Book,\n)\nx = session.query(Book)\n"
    after = fixed(text, load(text, "session.query(Book)", COUNTRY, shop=SHOP, style="query"))
    assert "import (\n    Author,\n    Book,\n)\n" in after


def test_two_loaders_are_imported_at_once() -> None:
    text = "from sqlalchemy.orm import Session\nx = session.query(Book)\n"
    after = fixed(text, load(text, "session.query(Book)", AUTHOR, TAGS, shop=SHOP, style="query"))
    assert after == (
        "from sqlalchemy.orm import Session, joinedload, selectinload\n"
        "x = session.query(Book).options(joinedload(Book.author), selectinload(Book.tags))\n"
    )


@pytest.mark.parametrize(
    "binding",
    [
        "joinedload = 1\n",
        "def joinedload(): pass\n",
        "from other import joinedload\n",
        "import joinedload\n",
        "class A:\n    def f(self, joinedload): pass\n",
        "for joinedload in x: pass\n",
    ],
)
def test_a_name_that_means_something_else_is_not_taken(binding: str) -> None:
    (fix,) = load(f"{binding}x = session.query(Book)\n", "session.query(Book)", AUTHOR, shop=SHOP, style="query")
    assert fix is not None
    assert (fix.applicability, fix.reason) == (Applicability.DISPLAY, "`joinedload` means something else in this file")


@pytest.mark.parametrize(
    ("imports", "spelling"),
    [
        ("from shop.models import Author as Writer\n", "Writer"),
        ("from .models import Author\n", "Author"),
        ("from shop import Author\n", "Author"),
        ("from shop import models\n", "models.Author"),
        ("from . import models as m\n", "m.Author"),
        ("import shop.models\n", "shop.models.Author"),
        ("from shop.models import Book\n", "Author"),
        ("from .models import (\n    Book,\n)\n", "Author"),
        ("from shop.models import Book\nAuthor = 1\n", None),
        ("from other.models2 import Book\n", None),
        ("from shop.people import Author\n", None),
        ("from .people import Author\n", None),
        ("from . import Author\n", "Author"),
        ("from ..shop.models import Author\n", "Author"),
        ("class Author: pass\n", None),
        ("if TYPE_CHECKING:\n    from shop.models import Author\n", None),
        ("", None),
    ],
)
def test_the_class_of_the_second_hop_is_written_as_the_file_knows_it(imports: str, spelling: str | None) -> None:
    text = f"from sqlalchemy.orm import joinedload\n{imports}x = session.query(Book)\n"
    (fix,) = load(text, "session.query(Book)", COUNTRY, shop=SHOP, style="query")
    if spelling is None:
        assert fix is not None
        assert (fix.applicability, fix.reason) == (Applicability.DISPLAY, "`Author` is not imported in this file")
    else:
        assert f"joinedload(Book.author).joinedload({spelling}.country)" in fixed(text, [fix])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("session.get(Book, 1)", "session.get(Book, 1, options=[joinedload(Book.author)])"),
        ("session.get_one(\n    Book,\n    1,\n)", "session.get_one(\n    Book,\n    1,\n    options=[joinedload(Book.author)],\n)"),
        (
            "session.get(Book, 1, options=[selectinload(Book.tags)])",
            "session.get(Book, 1, options=[selectinload(Book.tags), joinedload(Book.author)])",
        ),
        (
            "session.get(Book, 1, options=(selectinload(Book.tags),))",
            "session.get(Book, 1, options=(selectinload(Book.tags), joinedload(Book.author),))",
        ),
    ],
)
def test_a_row_that_is_fetched_by_its_key(before: str, after: str) -> None:
    (fix,) = load(f"{IMPORTS}x = {before}\n", before, AUTHOR, shop=SHOP, style="result")
    assert fixed(f"{IMPORTS}x = {before}\n", [fix]) == f"{IMPORTS}x = {after}\n"


IMPORTING = {
    "behind the docstring": (
        'def f():\n    """Shows."""\n\n    for x in session.query(Book): pass\n',
        'def f():\n    """Shows."""\n\n    from shop.models import Author\n    for x in session.query(Book)LOADED: pass\n',
    ),
    "in the innermost function": (
        "def f():\n\tdef g():\n\t\treturn list(session.query(Book))\n",
        "def f():\n\tdef g():\n\t\tfrom shop.models import Author\n\t\treturn list(session.query(Book)LOADED)\n",
    ),
    "before a decorated function": (
        "async def f():\n    @memo\n    def g(): pass\n    return list(session.query(Book))\n",
        "async def f():\n    from shop.models import Author\n    @memo\n    def g(): pass\n    return list(session.query(Book)LOADED)\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), IMPORTING.values(), ids=IMPORTING)
def test_a_class_that_is_not_imported_is_imported_in_the_function(before: str, after: str) -> None:
    shop = Shop(Orm.SQLALCHEMY)
    head = "from sqlalchemy.orm import joinedload\nfrom shop.other import x\n"
    text = head + before
    (fix,) = load(text, "session.query(Book)", (shop.to_author, shop.to_country), shop=shop, style="query")
    loaded = ".options(joinedload(Book.author).joinedload(Author.country))"
    assert fixed(text, [fix]) == head + after.replace("LOADED", loaded)


@pytest.mark.parametrize(
    "code",
    [
        "from shop.other import x\ndef f(): return list(session.query(Book))\n",
        "def f():\n    return list(session.query(Book))\n",
        "from shop.other import x\ndef f():\n    Author = 1\n    return list(session.query(Book))\n",
    ],
)
def test_a_class_that_cannot_be_imported_in_the_function(code: str) -> None:
    shop = Shop(Orm.SQLALCHEMY)
    (fix,) = load(
        f"from sqlalchemy.orm import joinedload\n{code}", "session.query(Book)", (shop.to_author, shop.to_country), shop=shop, style="query"
    )
    assert fix is not None
    assert fix.applicability is Applicability.DISPLAY


def test_what_cannot_be_written_does_not_hold_back_the_rest() -> None:
    fixes = load("from sqlalchemy.orm import joinedload\nx = session.query(Book)\n", "session.query(Book)", AUTHOR, COUNTRY, shop=SHOP, style="query")
    assert fixes[0] is not None
    assert fixes[0].applicability is Applicability.SAFE
    assert fixes[1] is not None
    assert fixes[1].applicability is Applicability.DISPLAY


@pytest.mark.parametrize(
    ("code", "path", "options", "reason"),
    [
        ("author.books", AUTHOR, {"style": "related"}, "come from a relationship"),
        ("session.get(*key)", AUTHOR, {"style": "result"}, "fetched by its key"),
        ("session.merge(book)", AUTHOR, {"style": "result"}, "fetched by its key"),
        ("session.get(cls, 1)", AUTHOR, {"style": "result"}, "which class is fetched"),
        ("session.get(Book, 1, options=more)", AUTHOR, {"style": "result"}, "no plain list"),
        ("session.query(Book, Book)", AUTHOR, {"style": "query"}, "which of the selected entities"),
        ("session.query(Book).options(lazyload(Book.author))", AUTHOR, {"style": "query"}, "has an option for `author` already"),
        (
            "session.query(Book)",
            (relate(SHOP.book, "loans", SHOP.book, Kind.REVERSE_FOREIGN_KEY, lazy="dynamic"),),
            {"style": "query"},
            'lazy="dynamic"',
        ),
        ("session.query(Book)", (SHOP.to_country,), {"style": "query"}, "belongs to a subclass"),
    ],
)
def test_display_only(code: str, path: tuple[Relation, ...], options: dict[str, object], reason: str) -> None:
    (fix,) = load(f"{IMPORTS}x = {code}\n", code, path, shop=SHOP, **options)
    assert fix is not None
    assert fix.applicability is Applicability.DISPLAY
    assert reason in fix.reason


@pytest.mark.parametrize(
    ("options", "path", "reason"),
    [
        ({"methods": ("with_for_update",), "locked": True}, AUTHOR, "would lock the joined rows"),
        ({"methods": ("distinct",), "distinct": True}, AUTHOR, "`distinct()` would compare"),
        ({"methods": ("group_by",)}, AUTHOR, "`group_by()`"),
        ({"methods": ("populate_existing",)}, AUTHOR, "`populate_existing()`"),
        ({"methods": ("execution_options",)}, AUTHOR, "`execution_options()`"),
        ({"uses": []}, AUTHOR, "not known where"),
        ({"methods": ("distinct",), "distinct": True}, TAGS, ""),
    ],
)
def test_unsafe(options: dict[str, object], path: tuple[Relation, ...], reason: str) -> None:
    (fix,) = load(f"{IMPORTS}x = session.query(Book)\n", "session.query(Book)", path, shop=SHOP, style="query", **options)
    assert fix is not None
    assert fix.applicability is (Applicability.UNSAFE if reason else Applicability.SAFE)
    assert reason in fix.reason
    assert bool(reason) is bool(fix.reason)


def test_a_query_that_other_callers_get_too_is_unsafe() -> None:
    text = f"{IMPORTS}x = session.query(Book)\n"
    source = query(SHOP, text, "session.query(Book)", style="query")
    source.parent = query(SHOP, text, "session.query(Book)")
    (fix,) = plan(text, SHOP, (EagerLoad(source, AUTHOR, source.site), site(text, "x")))
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE


def test_two_loaders_that_are_missing_come_with_one_import() -> None:
    text = "import os\nfrom shop.models import Author, Book\n\nx = session.query(Book)\n"
    after = fixed(text, load(text, "session.query(Book)", AUTHOR, TAGS, shop=SHOP, style="query"))
    assert "from sqlalchemy.orm import joinedload, selectinload\n" in after
    assert after.count("import") == 3


def test_what_paths_share_stands_once_and_a_long_list_has_lines_of_its_own() -> None:
    shop = Shop(Orm.SQLALCHEMY)
    paths = [(shop.to_author, shop.to_country), (shop.to_author, shop.to_books), (shop.to_tags,), (shop.to_publisher,)]
    text = "from sqlalchemy.orm import joinedload\nfrom shop.models import Author\n\ndef f():\n\tx = session.query(Book).filter_by(a=1).all()\n"
    fixes = load(text, "session.query(Book).filter_by(a=1).all()", *paths, shop=shop, style="query")
    assert fixed(text, fixes).partition("def f():\n")[2] == (
        "\tx = session.query(Book).filter_by(a=1).options(\n"
        "\t\tjoinedload(Book.author).options(joinedload(Author.country), selectinload(Author.books)),\n"
        "\t\tselectinload(Book.tags),\n\t\tjoinedload(Book.publisher),\n\t).all()\n"
    )


def test_loaders_that_only_follow_others_are_not_imported() -> None:
    shop = Shop(Orm.SQLALCHEMY)
    relate(shop.country, "cities", shop.author, Kind.REVERSE_FOREIGN_KEY)
    relate(shop.country, "ruler", shop.author)
    paths = [(shop.to_tags, shop.country.relations["cities"]), (shop.to_tags, shop.country.relations["ruler"])]
    text = "from shop.models import Country\nx = session.query(Book)\n"
    fixes = load(text, "session.query(Book)", *paths, shop=shop, style="query")
    after = fixed(text, fixes)
    assert "selectinload(Book.tags).options(selectinload(Country.cities), joinedload(Country.ruler))" in after
    assert "from sqlalchemy.orm import joinedload, selectinload\n" in after
