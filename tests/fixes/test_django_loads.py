from __future__ import annotations

import pytest

from ormlint.judge.finding import Applicability
from ormlint.link.schema import Kind
from ormlint.run.log import Loaded, LoadKind, LoadPlan, Use, UseKind
from tests.fixes.building import PATH, Shop, fixed, load, relate, site

SHOP = Shop()
AUTHOR = (SHOP.to_author,)
COUNTRY = (SHOP.to_author, SHOP.to_country)
PUBLISHER = (SHOP.to_publisher,)
TAGS = (SHOP.to_tags,)
AUTHORS_BOOKS = (SHOP.to_author, SHOP.to_books)

# name: text before, text after; the query is between « and », which are no part of the text
ONE_LINE = {
    "a manager passed on": (
        "for book in «Book.objects»: pass\n",
        'for book in Book.objects.select_related("author"): pass\n',
    ),
    "a class attribute of a view": (
        "class Books(ListView):\n    queryset = «Book.objects»\n",
        'class Books(ListView):\n    queryset = Book.objects.select_related("author")\n',
    ),
    "a call chain": (
        "qs = «Book.objects.filter(a=1).order_by('x')»\n",
        "qs = Book.objects.filter(a=1).order_by('x').select_related('author')\n",
    ),
    "before a slice": (
        "for book in «Book.objects.all()[:10]»: pass\n",
        'for book in Book.objects.all().select_related("author")[:10]: pass\n',
    ),
    "before a slice outside of the site": (
        "for book in «Book.objects.all()»[:10]: pass\n",
        'for book in Book.objects.all().select_related("author")[:10]: pass\n',
    ),
    "before get": (
        'book = «Book.objects.get(slug="x")»\n',
        'book = Book.objects.select_related("author").get(slug="x")\n',
    ),
    "before iterator": (
        "for book in «Book.objects.all().iterator()»: pass\n",
        'for book in Book.objects.all().select_related("author").iterator(): pass\n',
    ),
    "in list()": (
        "books = «list(Book.objects.all())»\n",
        'books = list(Book.objects.all().select_related("author"))\n',
    ),
    "under await": (
        "async def f():\n    return «await Book.objects.filter(a=1).afirst()»\n",
        'async def f():\n    return await Book.objects.filter(a=1).select_related("author").afirst()\n',
    ),
    "a related manager": (
        "for book in «author.books.all()»: pass\n",
        'for book in author.books.all().select_related("author"): pass\n',
    ),
    "a related manager of a row fetched in the same expression": (
        "for book in «Author.objects.get(pk=1).books.all()»: pass\n",
        'for book in Author.objects.get(pk=1).books.all().select_related("author"): pass\n',
    ),
    "a union of querysets by operator": (
        "for book in «a | b»: pass\n",
        'for book in (a | b).select_related("author"): pass\n',
    ),
    "a union of querysets in parentheses": (
        "for book in («a | b»)[:3]: pass\n",
        'for book in (a | b).select_related("author")[:3]: pass\n',
    ),
    "parentheses around it": (
        "for book in («Book.objects.all()»): pass\n",
        'for book in (Book.objects.all().select_related("author")): pass\n',
    ),
    "a call of the parent's method": (
        "class V:\n\tdef get_queryset(self):\n\t\treturn «super().get_queryset()»\n",
        'class V:\n\tdef get_queryset(self):\n\t\treturn super().get_queryset().select_related("author")\n',
    ),
    "a queryset in a shortcut": (
        "book = «get_object_or_404(Book.objects.all(), pk=1)»\n",
        'book = get_object_or_404(Book.objects.all().select_related("author"), pk=1)\n',
    ),
    "merged into a call": (
        'qs = «Book.objects.select_related("publisher").all()»\n',
        'qs = Book.objects.select_related("publisher", "author").all()\n',
    ),
    "merged into a call with a trailing comma": (
        "qs = «Book.objects.select_related('publisher',)»\n",
        "qs = Book.objects.select_related('publisher', 'author',)\n",
    ),
    "merged into a call outside of the site": (
        'qs = «Book.objects.all()».select_related("publisher")\n',
        'qs = Book.objects.all().select_related("publisher", "author")\n',
    ),
    "behind a call that clears": (
        "qs = «Book.objects.select_related(None).all()»\n",
        'qs = Book.objects.select_related(None).all().select_related("author")\n',
    ),
    "non-ASCII before it on the line": (
        's = "äöü𝄞"; qs = «Book.objects.all()»  # ü\n',
        's = "äöü𝄞"; qs = Book.objects.all().select_related("author")  # ü\n',
    ),
    "two statements on a line, one-line suite": (
        "if x: qs = «Book.objects.all()»; y = 1\n",
        'if x: qs = Book.objects.all().select_related("author"); y = 1\n',
    ),
    "in an f-string": (
        'print(f"{[b for b in «Book.objects.all()»]}")\n',
        "print(f\"{[b for b in Book.objects.all().select_related('author')]}\")\n",
    ),
    "no final newline": (
        "qs = «Book.objects.all()»",
        'qs = Book.objects.all().select_related("author")',
    ),
    "a lambda": (
        "f = lambda: «Book.objects.all()»\n",
        'f = lambda: Book.objects.all().select_related("author")\n',
    ),
    "a member of a class among others, two on a line": (
        "@a\nclass V:\n    é = 'é'\n    @b\n    def f(self): pass\n    x = 1; qs = «Book.objects.all()»\n    @c\n    def g(self): pass\n",
        "@a\nclass V:\n    é = 'é'\n    @b\n    def f(self): pass\n    x = 1; qs = Book.objects.all().select_related('author')\n"
        "    @c\n    def g(self): pass\n",
    ),
    "a class on one line": (
        "class V: qs = «Book.objects.all()»\n",
        'class V: qs = Book.objects.all().select_related("author")\n',
    ),
    "a nested function in a method": (
        "class V:\n  def f(self):\n    def g():\n      return «Book.objects.all()»\n    return g\n",
        'class V:\n  def f(self):\n    def g():\n      return Book.objects.all().select_related("author")\n    return g\n',
    ),
    "a decorated function": (
        "@login_required\n@other(\n    1\n)\ndef view(request):\n    return «Book.objects.all()»\n",
        '@login_required\n@other(\n    1\n)\ndef view(request):\n    return Book.objects.all().select_related("author")\n',
    ),
}
SEVERAL_LINES = {
    "dots begin the lines": (
        """\
            books = (
                «Book.objects
                .filter(a=1)
                .order_by("x")»
            )
        """,
        """\
            books = (
                Book.objects
                .filter(a=1)
                .order_by("x")
                .select_related("author")
            )
        """,
    ),
    "a comment behind the last link": (
        """\
            books = (
                «Book.objects  # all
                # of them
                .order_by("x")»  # newest first
            )
        """,
        """\
            books = (
                Book.objects  # all
                # of them
                .order_by("x")  # newest first
                .select_related("author")
            )
        """,
    ),
    "before a link on its own line": (
        """\
            book = (
                «Book.objects
                .filter(a=1)  # one
                # really
                .first()»
            )
        """,
        """\
            book = (
                Book.objects
                .filter(a=1)  # one
                # really
                .select_related("author")
                .first()
            )
        """,
    ),
    "backslashes": (
        """\
            books = «Book.objects \\
                .filter(a=1) \\
                .order_by("x")»
        """,
        """\
            books = Book.objects \\
                .filter(a=1) \\
                .order_by("x") \\
                .select_related("author")
        """,
    ),
    "lines within brackets only": (
        """\
            books = «Book.objects.filter(
                a=1,  # one
                **extra,
            )»
        """,
        """\
            books = Book.objects.filter(
                a=1,  # one
                **extra,
            ).select_related("author")
        """,
    ),
    "a call over several lines with a trailing comma and comments": (
        """\
            books = «Book.objects.select_related(
                "publisher",
                "shelf",  # where
            )»
        """,
        """\
            books = Book.objects.select_related(
                "publisher",
                "shelf",  # where
                "author",
            )
        """,
    ),
    "a call over several lines without a trailing comma": (
        """\
            books = «Book.objects.select_related(
                "publisher",
                "shelf"  # where
            )»
        """,
        """\
            books = Book.objects.select_related(
                "publisher",
                "shelf",  # where
                "author"
            )
        """,
    ),
    "implicit concatenation in the call": (
        """\
            books = «Book.objects.select_related(
                "publisher"
                "__owner",
            )»
        """,
        """\
            books = Book.objects.select_related(
                "publisher"
                "__owner",
                "author",
            )
        """,
    ),
}


def unmark(marked: str) -> tuple[str, str]:
    before, part, after = marked.replace("»", "«").split("«")
    return before + part + after, part


def dedented(text: str) -> str:
    return "".join(line[12:] if line.strip() else line for line in text.rstrip(" ").splitlines(keepends=True))


@pytest.mark.parametrize("name", ONE_LINE)
def test_select_related_goes(name: str) -> None:
    before, after = ONE_LINE[name]
    text, part = unmark(before)
    fixes = load(text, part, AUTHOR, shop=SHOP)
    assert fixed(text, fixes) == after
    assert fixes[0] is not None
    assert (fixes[0].applicability, fixes[0].reason) == (Applicability.SAFE, "")


@pytest.mark.parametrize("name", SEVERAL_LINES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_select_related_keeps_the_layout(name: str, newline: str) -> None:
    before, after = (dedented(text).replace("\n", newline) for text in SEVERAL_LINES[name])
    text, part = unmark(before)
    assert fixed(text, load(text, part, AUTHOR, shop=SHOP)) == after


@pytest.mark.parametrize("name", SEVERAL_LINES)
def test_a_second_plan_on_the_fixed_text_changes_nothing(name: str) -> None:
    text, part = unmark(dedented(SEVERAL_LINES[name][0]))
    after = fixed(text, load(text, part, AUTHOR, shop=SHOP))
    start, end = text.index(part), after.rindex(")") if after.startswith("books = (\n") else len(after)
    assert load(after, after[start:end].rstrip().removesuffix("\n)"), AUTHOR, shop=SHOP) == [None]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([COUNTRY], '.select_related("author__country")'),
        ([TAGS], '.prefetch_related("tags")'),
        ([AUTHORS_BOOKS], '.prefetch_related("author__books")'),
        ([(SHOP.to_subject,)], '.prefetch_related("subject")'),
        ([(SHOP.to_author, SHOP.to_profile)], '.select_related("author__author_profile")'),
        (
            [(SHOP.to_author, SHOP.to_profile, relate(SHOP.profile, "badges", None, Kind.MANY_TO_MANY))],
            '.prefetch_related("author__profile__badges")',
        ),
        ([AUTHOR, PUBLISHER], '.select_related("author", "publisher")'),
        ([AUTHOR, COUNTRY], '.select_related("author__country")'),
        ([AUTHOR, TAGS], '.select_related("author").prefetch_related("tags")'),
        ([AUTHOR, AUTHORS_BOOKS], '.select_related("author").prefetch_related("author__books")'),
    ],
)
def test_the_method_follows_from_the_path(paths: list[tuple[object, ...]], expected: str) -> None:
    text = "for book in Book.objects.all(): pass\n"
    fixes = load(text, "Book.objects.all()", *paths, shop=SHOP)  # type: ignore[arg-type]
    assert fixed(text, fixes) == f"for book in Book.objects.all(){expected}: pass\n"
    assert all(fix == fixes[0] for fix in fixes)


def test_several_paths_of_several_methods_get_lines_of_their_own() -> None:
    text = "books = (\n    Book.objects\n    .all()\n)\n"
    fixes = load(text, "Book.objects\n    .all()", AUTHOR, TAGS, shop=SHOP)
    assert fixed(text, fixes) == 'books = (\n    Book.objects\n    .all()\n    .select_related("author")\n    .prefetch_related("tags")\n)\n'


@pytest.mark.parametrize(
    ("before", "paths", "after"),
    [
        ('Book.objects.select_related("author")', [COUNTRY], 'Book.objects.select_related("author__country")'),
        ("Book.objects.select_related(r'author', x)", [COUNTRY], "Book.objects.select_related(r'author', x, 'author__country')"),
        ('Book.objects.prefetch_related("tags")', [AUTHORS_BOOKS], 'Book.objects.prefetch_related("tags", "author__books")'),
        ("Book.objects.select_related(name)", [AUTHOR], 'Book.objects.select_related(name).select_related("author")'),
        ("Book.objects.prefetch_related(Prefetch('x'))", [TAGS], "Book.objects.prefetch_related(Prefetch('x'), 'tags')"),
        ("Book.objects.prefetch_related()", [TAGS], 'Book.objects.prefetch_related("tags")'),
        ("Book.objects.prefetch_related(*more)", [TAGS], 'Book.objects.prefetch_related(*more).prefetch_related("tags")'),
        (
            'Book.objects.prefetch_related("author", Prefetch("author__books", queryset=x))',
            [(*AUTHORS_BOOKS, SHOP.to_publisher)],
            'Book.objects.prefetch_related("author", Prefetch("author__books", queryset=x), "author__books__publisher")',
        ),
        (
            'Book.objects.select_related("publisher").prefetch_related("tags").order_by("x")',
            [AUTHOR, AUTHORS_BOOKS],
            'Book.objects.select_related("publisher", "author").prefetch_related("tags", "author__books").order_by("x")',
        ),
        (
            'Book.objects.select_related("publisher").order_by("x")',
            [AUTHOR, TAGS],
            'Book.objects.select_related("publisher", "author").order_by("x").prefetch_related("tags")',
        ),
    ],
)
def test_merging(before: str, paths: list[tuple[object, ...]], after: str) -> None:
    fixes = load(f"qs = {before}\n", before, *paths, shop=SHOP)  # type: ignore[arg-type]
    assert fixed(f"qs = {before}\n", fixes) == f"qs = {after}\n"
    assert load(f"qs = {after}\n", after, *paths, shop=SHOP) == [None] * len(paths)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "path", "options", "reason"),
    [
        ("Book.objects.only('title', 'author')", AUTHOR, {"methods": ("only",)}, "`only()` limits the columns"),
        ("Book.objects.defer('x')", AUTHOR, {"methods": ("defer",)}, "`defer()` leaves columns out"),
        ("Book.objects.select_for_update()", AUTHOR, {"methods": ("select_for_update",), "locked": True}, "would lock the joined rows"),
        ("Book.objects.extra(where=['1'])", TAGS, {"methods": ("extra",)}, "`extra()` adds SQL"),
        ("Book.objects.distinct('x')", AUTHOR, {"methods": ("distinct",), "distinct": True}, "`distinct()` would compare"),
        ("Book.objects.all()", AUTHOR, {"complete": False}, "not understood"),
        ("Book.objects.select_related(*names)", AUTHOR, {}, "nothing to unpack"),
        ("Book.objects.all()", AUTHOR, {"uses": []}, "not known where"),
    ],
)
def test_unsafe(code: str, path: tuple[object, ...], options: dict[str, object], reason: str) -> None:
    text = f"qs = {code}\n"
    (fix,) = load(text, code, path, shop=SHOP, **options)  # type: ignore[arg-type]
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE
    assert reason in fix.reason
    assert "select_related" in fixed(text, [fix]) or "prefetch_related" in fixed(text, [fix])


@pytest.mark.parametrize(
    ("kind", "applicability"),
    [
        (UseKind.ARGUMENT, Applicability.UNSAFE),
        (UseKind.STORE, Applicability.UNSAFE),
        (UseKind.RETURN, Applicability.UNSAFE),
        (UseKind.RENDER, Applicability.UNSAFE),
        (UseKind.ITERATE, Applicability.UNSAFE),
        (UseKind.OTHER, Applicability.UNSAFE),
        (UseKind.TRUTH, Applicability.SAFE),
        (UseKind.LEN, Applicability.SAFE),
    ],
)
def test_a_second_use_of_the_query(kind: UseKind, applicability: Applicability) -> None:
    text = "qs = Book.objects.all()\nfirst(qs); second(qs)\n"
    uses = [Use(UseKind.ITERATE, site(text, "first(qs)")), Use(kind, site(text, "second(qs)"))]
    (fix,) = load(text, "Book.objects.all()", AUTHOR, shop=SHOP, uses=uses)
    assert fix is not None
    assert fix.applicability is applicability
    assert bool(fix.reason) is (applicability is Applicability.UNSAFE)


@pytest.mark.parametrize(
    ("code", "uses", "reason"),
    [
        ("print([b.author for b in Q])", [(UseKind.ITERATE, "Q"), (UseKind.ARGUMENT, "print([b.author for b in Q])")], ""),
        ("print(sorted(Q)[0])", [(UseKind.ITERATE, "sorted(Q)"), (UseKind.INDEX, "sorted(Q)[0]")], ""),
        ("any(b.author for b in Q)", [(UseKind.ITERATE, "Q"), (UseKind.ITERATE, "any(b.author for b in Q)")], ""),
        ("show(list(Q))", [(UseKind.ARGUMENT, "show(list(Q))"), (UseKind.ITERATE, "list(Q)")], ""),
        (
            "show(list(Q), Q)",
            [(UseKind.ITERATE, "list(Q)"), (UseKind.ARGUMENT, "show(list(Q), Q)"), (UseKind.ARGUMENT, "show(list(Q), Q)")],
            "the query is passed to code that is not understood",
        ),
    ],
)
def test_what_is_done_with_the_result_is_no_use_of_the_query(code: str, uses: list[tuple[UseKind, str]], reason: str) -> None:
    text = f"{code.replace('Q', 'Book.objects.all()')}\n"
    made = [Use(kind, site(text, part.replace("Q", "Book.objects.all()"))) for kind, part in uses]
    (fix,) = load(text, "Book.objects.all()", AUTHOR, shop=SHOP, uses=made)
    assert fix is not None
    assert fix.reason == reason


@pytest.mark.parametrize("extra", ["", "    other = qs.defer('x')\n"])
def test_a_query_refined_later_is_safe_only_if_nothing_else_is_made_from_it(extra: str) -> None:
    text = f"def f():\n    qs = Book.objects.all()\n    qs = qs.filter(a=1)\n{extra}    for book in qs: print(book.qs)\n"
    options = {"steps": (site(text, "qs.filter(a=1)"),), "uses": [Use(UseKind.ITERATE, site(text, "qs", occurrence=4 + bool(extra)))]}
    (fix,) = load(text, "Book.objects.all()", AUTHOR, shop=SHOP, **options)
    assert fix is not None
    assert text[options["uses"][0].site.start - 3 :].startswith("in qs:")  # type: ignore[attr-defined]
    assert fix.reason == ("other queries may be made from the same one" if extra else "")
    assert fixed(text, [fix]) == text.replace(
        "objects.all()", "objects.all().select_related('author')" if extra else 'objects.all().select_related("author")'
    )


@pytest.mark.parametrize(
    ("code", "path", "options", "reason"),
    [
        ("Book.objects.select_related()", AUTHOR, {}, "without arguments"),
        ("a.union(b)", AUTHOR, {"combined": True}, "combined query"),
        ("Book.objects.raw('')", AUTHOR, {"raw": True}, "`raw()` takes no"),
        ("Book.objects.only('title')", AUTHOR, {"plan": LoadPlan(only=frozenset({"title"}))}, "defers `author`"),
        ("Book.objects.defer('author')", AUTHOR, {"plan": LoadPlan(deferred=frozenset({"author"}))}, "defers `author`"),
        ("Book.objects.aiterator()", TAGS, {"methods": ("aiterator",)}, "needs a `chunk_size`"),
        ("Book.objects.all()", (SHOP.to_subject, SHOP.to_country), {}, "different models"),
        (
            "Book.objects.all()",
            (SHOP.to_tags, SHOP.to_country),
            {"plan": LoadPlan({"tags": Loaded(LoadKind.SEPARATE, LoadPlan(), to_attr="labels")})},
            "`Prefetch` with `to_attr`",
        ),
    ],
)
def test_display_only(code: str, path: tuple[object, ...], options: dict[str, object], reason: str) -> None:
    (fix,) = load(f"qs = {code}\n", code, path, shop=SHOP, **options)  # type: ignore[arg-type]
    assert fix is not None
    assert fix.applicability is Applicability.DISPLAY
    assert reason in fix.reason


@pytest.mark.parametrize("known", [True, False])
def test_a_class_in_a_shortcut_becomes_its_manager_if_that_is_known(known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SHOP.book, "has_objects", known)
    code = "get_object_or_404(Book, pk=1)"
    (fix,) = load(f"book = {code}\n", code, AUTHOR, shop=SHOP)
    assert fix is not None
    assert (fix.applicability is Applicability.DISPLAY) is not known
    assert ("the default manager of `Book` may have another name" in fix.reason) is not known
    assert [edit.content for edit in fix.edits] == ['.objects.select_related("author")']


def test_iterator_with_a_chunk_size_can_prefetch() -> None:
    text = "for b in Book.objects.iterator(chunk_size=100): pass\n"
    fixes = load(text, "Book.objects.iterator(chunk_size=100)", TAGS, shop=SHOP, methods=("iterator",))
    assert fixed(text, fixes) == 'for b in Book.objects.prefetch_related("tags").iterator(chunk_size=100): pass\n'


def test_a_model_of_a_view_is_shown_what_to_give_instead() -> None:
    text = "class Books(ListView):\n    model = Book\n"
    (fix,) = load(text, "Book\n"[:-1], AUTHOR, shop=SHOP, site=site(text, "Book", occurrence=2))
    assert fix is not None
    assert (fix.applicability, fix.edits) == (Applicability.DISPLAY, ())


def test_a_step_that_clears_the_loads() -> None:
    text = "qs = Book.objects.all()\nqs = qs.select_related(None)\n"
    (fix,) = load(text, "Book.objects.all()", AUTHOR, shop=SHOP, steps=(site(text, "qs.select_related(None)"),))
    assert fix is not None
    assert (fix.applicability, fix.reason) == (Applicability.DISPLAY, "a later statement clears what the query loads")


def test_a_place_outside_of_the_project_or_in_a_template_has_no_fix() -> None:
    text = "qs = Book.objects.all()\n"
    for path in ("<django>", "shop/list.html", "shop/gone.py"):
        assert load(text, "Book.objects.all()", AUTHOR, shop=SHOP, site=site(text, "Book.objects.all()", path)) == [None]


def test_safe_and_unsafe_findings_of_one_query_do_not_wait_for_each_other() -> None:
    text = "qs = Book.objects.distinct('x')\n"
    joined, prefetched = load(text, "Book.objects.distinct('x')", AUTHOR, TAGS, shop=SHOP, methods=("distinct",))
    assert joined is not None
    assert prefetched is not None
    assert (joined.applicability, prefetched.applicability) == (Applicability.UNSAFE, Applicability.SAFE)
    assert fixed(text, [prefetched]) == "qs = Book.objects.distinct('x').prefetch_related('tags')\n"


def test_syntax_newer_than_the_interpreter_is_left_as_it_is_around_the_edit() -> None:
    from ormlint.fixes.rewrite import rewrite
    from tests.fixes.building import finding, texts_of

    text = 'import a\n\ntype X = int\n\n\nqs = Book.objects.all()\ns = f"{x["y"]}"\n'
    (fix,) = load(text, "Book.objects.all()", AUTHOR, shop=SHOP)
    each = finding(None, site(text, "qs"))  # type: ignore[arg-type]
    each.fix = fix
    result = rewrite([each], texts_of({PATH: text}), unsafe=False)
    assert result.texts[PATH] == text.replace("all()", 'all().select_related("author")')


def test_a_byte_order_mark_is_kept() -> None:
    text = "\ufeffqs = Book.objects.all()\n"
    assert fixed(text, load(text, "Book.objects.all()", AUTHOR, shop=SHOP)) == '\ufeffqs = Book.objects.all().select_related("author")\n'
