from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from textwrap import dedent

from ormlint.api import Label, Mark, Project, Schema, Severity, Site
from ormlint.judge.finding import Applicability, Finding, Fix
from ormlint.problem import Problem
from ormlint.report import closing, concise, full
from ormlint.report.ink import Ink
from ormlint.report.result import Result, exit_code
from ormlint.run.parts import Statistics
from ormlint.text import LineIndex
from tests.judge.courtroom import at

VIEWS = """\
from shop.models import Book


def index(request):
    books = Book.objects.all()
    names = []

    for book in books:
        names.append(book.author.name)
    return names
"""
MODELS = "class Book:\n    def byline(self):\n\t\treturn self.author.name\n"
TEXTS = {"shop/views.py": VIEWS, "shop/models.py": MODELS}
QUERY = at("shop/views.py", VIEWS, "Book.objects.all()")
LOOP = at("shop/views.py", VIEWS, "for book in books")
ACCESS = at("shop/views.py", VIEWS, "book.author")
DEEP = at("shop/models.py", MODELS, "self.author")
STATISTICS = Statistics(files=1234, templates=2, models=1, relations=1, queries=3, loops=1, loops_over_queries=1, calls=3, calls_resolved=2)


def finding(site: Site = ACCESS, labels: Sequence[Label] | None = None, fix: Fix | None = None, **facts: object) -> Finding:
    labels = labels or (
        Label(QUERY, Mark.QUERY, "the rows come from here"),
        Label(LOOP, Mark.LOOP, "the loop"),
        Label(site, Mark.ACCESS, "this reads `author`"),
    )
    made = Finding(
        "ORM101",
        "related-object-in-loop",
        "n-plus-one",
        Severity.WARNING,
        site,
        "loading `book.author` runs one query per `Book`",
        'add `.select_related("author")` to the query at shop/views.py:5',
        tuple(labels),
        relations=("author",),
        fix=fix,
        fingerprint="0123456789abcdef",
    )
    return dataclasses.replace(made, **facts)  # type: ignore[arg-type]


def result(*findings: Finding, texts: dict[str, str] = TEXTS, problems: Sequence[Problem] = (), viewpoint: str = "") -> Result:
    project = Project("/srv/shop", Schema(), lines={path: LineIndex.of(text) for path, text in texts.items()}, viewpoint=viewpoint)
    return Result(project, list(findings), list(problems), texts=texts, statistics=STATISTICS)


def shown(*findings: Finding, texts: dict[str, str] = TEXTS) -> str:
    return "\n".join(full.render([result(*findings, texts=texts)], Ink()))


def test_the_full_report_shows_query_loop_and_access() -> None:
    assert shown(finding()) == dedent("""\
        shop/views.py:9:22: ORM101 loading `book.author` runs one query per `Book` [related-object-in-loop]
            |
          5 |     books = Book.objects.all()
            |             ^^^^^^^^^^^^^^^^^^ the rows come from here
            ┊
          8 |     for book in books:
            |     ^^^^^^^^^^^^^^^^^ the loop
          9 |         names.append(book.author.name)
            |                      ^^^^^^^^^^^ this reads `author`
            |
          help: add `.select_related("author")` to the query at shop/views.py:5
        """)


def test_places_in_another_file_stand_in_a_block_of_their_own() -> None:
    labels = (Label(QUERY, Mark.QUERY, "the rows come from here"), Label(DEEP, Mark.ACCESS, "this reads `author`"))
    text = shown(finding(QUERY, labels, notes=("call path: `byline` at shop/views.py:9",)))
    assert text == dedent("""\
        shop/views.py:5:13: ORM101 loading `book.author` runs one query per `Book` [related-object-in-loop]
            |
          5 |     books = Book.objects.all()
            |             ^^^^^^^^^^^^^^^^^^ the rows come from here
           --> shop/models.py:3
            |
          3 |         return self.author.name
            |                ^^^^^^^^^^^ this reads `author`
            |
          note: call path: `byline` at shop/views.py:9
          help: add `.select_related("author")` to the query at shop/views.py:5
        """)


def test_two_labels_on_one_line_are_drawn_below_each_other() -> None:
    text = "names = [book.author for book in Book.objects.all()]\n"
    labels = (
        Label(at("x.py", text, "Book.objects.all()"), Mark.QUERY, "the rows come from here"),
        Label(at("x.py", text, "book.author"), Mark.ACCESS, "this reads `author`"),
    )
    assert shown(finding(labels[1].site, labels), texts={"x.py": text}).splitlines()[1:5] == [
        "    |",
        "  1 | names = [book.author for book in Book.objects.all()]",
        "    |          ^^^^^^^^^^^ this reads `author`",
        "    |                                  ^^^^^^^^^^^^^^^^^^ the rows come from here",
    ]


def test_columns_are_right_behind_wide_characters_and_tabs() -> None:
    text = "'日本'; \tbook.author\r\n"
    site = at("x.py", text, "book.author")
    lines = shown(finding(site, (Label(site, Mark.ACCESS, "here"),)), texts={"x.py": text}).splitlines()
    assert lines[2] == "  1 | '日本';   book.author"
    assert lines[3] == "    |           ^^^^^^^^^^^ here"


def test_a_place_over_several_lines_is_drawn_under_its_first() -> None:
    text = "rows = (\n    Book.objects\n    .all()\n)\n"
    site = Site("x.py", text.index("Book"), text.index(")\n)") + 1)
    lines = shown(finding(site, (Label(site, Mark.QUERY, "here"),)), texts={"x.py": text}).splitlines()
    assert lines[2:4] == ["  2 |     Book.objects", "    |     ^^^^^^^^^^^^ here"]


def test_a_long_line_is_cut_around_the_place() -> None:
    text = f"x = [{'1, ' * 100}book.author, {'2, ' * 100}]\n"
    site = at("x.py", text, "book.author")
    source, underline = shown(finding(site, (Label(site, Mark.ACCESS, "here"),)), texts={"x.py": text}).splitlines()[2:4]
    assert len(source) < 160
    assert source[underline.index("^") : underline.rindex("^") + 1] == "book.author"


def test_the_fix_line_says_who_may_apply_it() -> None:
    safe = Fix(Applicability.SAFE, 'add `select_related("author")`', ())
    unsafe = Fix(Applicability.UNSAFE, "move the commit", (), "an error now undoes all rows")
    by_hand = Fix(Applicability.DISPLAY, "move the commit", (), "the loop may end early")
    none = Fix(Applicability.DISPLAY, "", (), "the query is built in a library")

    def lines(fix: Fix) -> list[str]:
        text = shown(finding(fix=fix))
        return text[text.index("  fix:") :].splitlines()

    assert lines(safe) == ['  fix: add `select_related("author")`, with `--fix`']
    assert lines(unsafe) == ["  fix: move the commit, with `--fix --unsafe-fixes`", "       unsafe: an error now undoes all rows"]
    assert lines(by_hand) == ["  fix: move the commit, by hand", "       not automatic: the loop may end early"]
    assert lines(none) == ["  fix: none: the query is built in a library"]


def test_colour_changes_nothing_but_colour() -> None:
    import re

    coloured = "\n".join(full.render([result(finding())], Ink(True)))
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == shown(finding())


def test_the_concise_report_is_one_line_per_finding() -> None:
    problem = Problem("shop/broken.py", 3, 7, "invalid syntax", "syntax")
    assert list(concise.render([result(finding(), problems=[problem])], Ink())) == [
        "shop/broken.py:3:7: error: invalid syntax",
        "shop/views.py:9:22: ORM101 loading `book.author` runs one query per `Book` [related-object-in-loop]",
    ]


def test_paths_are_seen_from_the_current_directory() -> None:
    (line,) = concise.render([result(finding(), viewpoint="/srv/shop/shop")], Ink())
    assert line.startswith("views.py:9:22:")
    (line,) = concise.render([result(finding(), viewpoint="/srv/other")], Ink())
    assert line.startswith("../shop/shop/views.py:9:22:")


def test_an_internal_error_shows_its_details_only_when_asked() -> None:
    broken = result(problems=[Problem("", 1, 1, "the analysis failed", "internal", "Traceback\n  line\n")])
    assert list(full.render([broken], Ink())) == ["internal error: the analysis failed", ""]
    assert list(full.render([broken], Ink(), verbose=True)) == ["internal error: the analysis failed", "Traceback", "  line", ""]


def test_the_closing_lines_tell_what_was_found_and_examined() -> None:
    safe = Fix(Applicability.SAFE, "x", ())
    unsafe = Fix(Applicability.UNSAFE, "x", ())
    assert list(closing.render([result(finding(fix=safe), finding(fix=unsafe))])) == [
        "Found 2 findings in 1 file; 1 can be fixed with `--fix`, 1 more with `--fix --unsafe-fixes`.",
        "Examined 1 234 files and 2 templates, 1 model, 1 relation, 3 queries, 1 loop (1 over queries), 66 % of 3 calls resolved.",
    ]
    assert next(closing.render([result(finding(fix=unsafe))])) == "Found 1 finding in 1 file; 1 can be fixed with `--fix --unsafe-fixes`."
    assert next(closing.render([result()])) == "No findings."
    assert next(closing.render([result(problems=[Problem("x.py", 1, 1, "no", "syntax")])])) == "Found no findings and 1 error."


def test_the_statistics_count_findings_by_rule() -> None:
    other = finding(code="ORM201", name="len-of-query")
    assert list(closing.statistics([result(finding(), other, finding())])) == ["2  ORM101  related-object-in-loop", "1  ORM201  len-of-query"]


def test_exit_codes() -> None:
    syntax, internal = Problem("x.py", 1, 1, "no", "syntax"), Problem("", 1, 1, "no", "internal")
    elsewhere = result()
    elsewhere.other_problems = [syntax]
    assert [exit_code([r]) for r in (result(), elsewhere, result(finding()), result(problems=[syntax]), result(problems=[internal]))] == [
        0,
        0,
        1,
        1,
        2,
    ]
    assert [exit_code([r], exit_zero=True) for r in (result(finding()), result(problems=[internal]))] == [0, 2]
