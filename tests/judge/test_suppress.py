from __future__ import annotations

import pytest

from ormlint.api import Site
from tests.judge.courtroom import at, judged, report, rule_that

OTHER = rule_that([], "ORM202", "count-for-existence")


def codes(text: str, fragment: str = "book.author", *places: str, path: str = "x.py") -> list[str]:
    """Returns the codes found in a text where ORM101 reports a fragment, with labels at other fragments."""
    rule = rule_that([report(at(path, text, fragment), *(at(path, text, place) for place in places))])
    return [finding.code for finding in judged({path: text}, rule, others=[OTHER]).findings]


@pytest.mark.parametrize(
    "comment",
    [
        "# ormlint: ignore[ORM101]",
        "# ormlint: ignore[ORM101] there are nine books",
        "# ormlint:ignore[related-object-in-loop]",
        "# ormlint: ignore[ORM1]",
        "# ormlint: ignore[n-plus-one]",
        "# ormlint: ignore",
        "# type: ignore  # ormlint: ignore[ORM101]",
        "# noqa: ORM101",
        "# noqa: E501,ORM101",
        "# NOQA:ORM101 E501",
        "# noqa",
        "# ormlint: ignore-file[ORM101]",
    ],
)
def test_a_comment_on_the_line_silences(comment: str) -> None:
    assert codes(f"print(book.author)  {comment}\n") == []


@pytest.mark.parametrize("comment", ["# noqa: E501", "# ormlint: ignore[]", "# ignore[ORM101]", "'# ormlint: ignore[ORM101]'"])
def test_what_speaks_of_something_else_does_not(comment: str) -> None:
    assert codes(f"print(book.author, {comment}\n)\n") == ["ORM101"]


def test_a_comment_on_a_line_of_its_own_speaks_of_the_next_line_of_code() -> None:
    assert codes("# ormlint: ignore[ORM101]\nprint(book.author)\n") == []
    assert codes("# ormlint: ignore[ORM101]\n# because\n\nprint(book.author)\n") == []


def test_a_comment_behind_code_does_not_speak_of_the_next_line() -> None:
    assert codes("x = 1  # ormlint: ignore[ORM101]\nprint(book.author)\n") == ["ORM001", "ORM101"]


def test_a_comment_above_a_statement_of_many_lines_speaks_of_all_of_it() -> None:
    assert codes("# ormlint: ignore[ORM101]\nprint(\n    1,\n    book.author,\n)\n") == []


def test_a_comment_at_the_end_of_a_statement_of_many_lines_speaks_of_all_of_it() -> None:
    assert codes("print(\n    1,\n    book.author,\n)  # ormlint: ignore[ORM101]\n") == []


def test_a_comment_at_a_head_does_not_speak_of_the_body() -> None:
    text = "for book in books:  # ormlint: ignore[ORM101]\n    print(book.author)\n"
    assert codes(text) == ["ORM001", "ORM101"]
    assert codes(text, "book.author", "for book in books") == []


def test_a_comment_above_a_head_of_many_lines_speaks_of_the_head() -> None:
    text = "# ormlint: ignore[ORM101]\nfor book in f(\n    Book.objects.all()\n):\n    print(book.author)\n"
    assert codes(text, "book.author", "Book.objects.all()") == []
    assert codes(text) == ["ORM001", "ORM101"]


def test_every_place_of_a_finding_counts_also_in_another_file() -> None:
    texts = {"query.py": "rows = Book.objects.all()  # ormlint: ignore[ORM101]\n", "use.py": "print(book.author)\n"}
    finding = report(at("use.py", texts["use.py"], "book.author"), at("query.py", texts["query.py"], "Book.objects.all()"))
    assert judged(texts, rule_that([finding])).findings == []


@pytest.mark.parametrize("name", ["ORM0", "ORM001, ORM002", "unused-suppression, unknown-suppression"])
def test_a_comment_for_the_file_silences_what_is_said_of_comments(name: str) -> None:
    text = "print(book.author)\nx = 1  # ormlint: ignore[ORM101]\ny = 1  # ormlint: ignore[ORM987]\n"
    assert codes(text) == ["ORM101", "ORM001", "ORM002"]
    assert codes(f"{text}# ormlint: ignore-file[{name}]\n") == ["ORM101"]
    assert codes(f"{text}# ormlint: ignore-file[{name}, ORM101]\n") == []


@pytest.mark.parametrize("comment", ["ignore-file", "ignore-file[ALL]"])
def test_a_comment_that_names_no_rule_silences_nothing_that_is_said_of_comments(comment: str) -> None:
    assert codes(f"x = 1  # ormlint: ignore[ORM987]\n# ormlint: {comment}\nprint(book.author)\n") == ["ORM002"]


def test_a_comment_for_the_file_may_stand_anywhere_in_it() -> None:
    assert codes("print(book.author)\n\n# ormlint: ignore-file[ORM101] generated\n") == []


def test_an_unused_comment_is_reported_at_the_name_it_names() -> None:
    text = "x = 1  # ormlint: ignore[ORM101, ORM202] few\n"
    (finding,) = judged({"x.py": text}, rule_that([]), others=[OTHER]).findings
    assert (finding.code, text[finding.site.start : finding.site.end]) == ("ORM001", "ORM101")
    assert finding.message == "the comment silences `ORM101`, but there is nothing to silence here"


def test_a_comment_for_a_rule_that_did_not_run_is_not_unused() -> None:
    assert codes("print(book.author)  # ormlint: ignore[ORM101, ORM202]\n") == []


def test_a_bare_comment_is_unused_only_if_all_rules_ran() -> None:
    text = "x = 1  # ormlint: ignore\n"
    assert [finding.code for finding in judged({"x.py": text}, rule_that([])).findings] == ["ORM001"]
    assert judged({"x.py": text}, rule_that([]), others=[OTHER]).findings == []


def test_a_bare_noqa_is_never_unused() -> None:
    assert judged({"x.py": "x = 1  # noqa\n"}, rule_that([])).findings == []


@pytest.mark.parametrize(
    ("comment", "named", "message"),
    [
        ("# ormlint: ignore[ORM999]", "ORM999", "the comment silences `ORM999`, which is the name of no rule"),
        ("# noqa: ORM999", "ORM999", "the comment silences `ORM999`, which is the name of no rule"),
        ("# ormlint: ingore[ORM101]", "ormlint: ingore[ORM101]", "`ormlint: ingore` is not a comment that ormlint knows"),
    ],
)
def test_a_comment_that_is_not_understood_is_reported(comment: str, named: str, message: str) -> None:
    text = f"é = 'é'  {comment}\n"
    (finding,) = judged({"x.py": text}, rule_that([])).findings
    assert (finding.code, text[finding.site.start : finding.site.end], finding.message) == ("ORM002", named, message)


def test_a_place_as_long_as_a_body_is_spoken_of_at_its_first_line() -> None:
    text = "def f():\n" + "    pass\n" * 30 + "    x = 1  # ormlint: ignore[ORM101]\n"
    rule = rule_that([report(Site("x.py", 0, len(text)))])
    assert [finding.code for finding in judged({"x.py": text}, rule).findings] == ["ORM101", "ORM001"]
