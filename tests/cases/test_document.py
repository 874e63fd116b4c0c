from pathlib import Path

import pytest

from tests.cases.document import DocumentError, read_cases
from tests.cases.expectation import Expected, Found, differences, expected_findings, expected_types
from tests.cases.growth import degree, evaluate, formula

HERE = Path("case.md")
DOCUMENT = """\
# Shop
`shop/models.py`:
```py
one
```
## First
<!-- runnable: django, 1 + N statements -->
```toml
select = ["ORM101"]
```
Then `shop/report.py`:
```py
two
```
```diff unsafe
-two
```
## Second
### Inner
`shop/models.py`:
````py
```
````
"""


def test_sections_inherit_files_and_inner_files_win() -> None:
    first, second = read_cases(HERE, DOCUMENT)
    assert first.texts == {"shop/models.py": "one\n", "shop/report.py": "two\n"}
    assert second.texts == {"shop/models.py": "```\n"}
    assert (first.title, second.title) == ("First", "Second › Inner")


def test_configuration_pins_and_the_runnable_mark_belong_to_their_case() -> None:
    first, second = read_cases(HERE, DOCUMENT)
    assert first.config == 'select = ["ORM101"]\n'
    assert first.pins["diff"].flags == {"unsafe"}
    assert first.runnable is not None
    assert (first.runnable.orm, first.runnable.cost) == ("django", "1 + N")
    assert (second.config, second.pins, second.runnable) == ("", {}, None)


def test_fences_know_their_lines() -> None:
    fence = read_cases(HERE, DOCUMENT)[0].files["shop/report.py"]
    assert DOCUMENT.splitlines()[fence.first - 1 : fence.last] == ["two"]


@pytest.mark.parametrize(
    "text",
    [
        "# A\n```py\nnever closed\n",
        "# A\n## B\nno files\n",
        "# A\n## B\n```py\nno path\n```\n",
        "# A\n`a.py`:\n```py\n```\n## B\n## B\n",
        "# A\n`a.py`:\n```py\n```\n`a.py`:\n```py\n```\n",
        "# A\n`a.py`:\n```py\n```\n<!-- runnable: mongo -->\n",
    ],
)
def test_a_malformed_document_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        read_cases(HERE, text)


def test_expectations_stand_on_the_line_or_above_it() -> None:
    text = 'a()  # error: [ORM101] "`a`"\n# error: [ORM102]\n# why\nb()\n{# error: [ORM301] "x" #}\n{{ c }}\n'
    assert expected_findings("v.py", text) == [
        Expected("v.py", 1, "ORM101", "`a`"),
        Expected("v.py", 4, "ORM102"),
        Expected("v.py", 6, "ORM301", "x"),
    ]


def test_one_line_may_expect_several_findings() -> None:
    expected = expected_findings("v.py", 'a()  # error: [ORM101] "x" # error: [ORM102]\n')
    assert [item.rule for item in expected] == ["ORM101", "ORM102"]


def test_revealed_types_are_read() -> None:
    assert expected_types("v.py", "reveal_type(a)  # revealed: query of Book\n") == {("v.py", 1): "query of Book"}


def test_missing_and_unexpected_findings_are_differences() -> None:
    expected = [Expected("v.py", 1, "ORM101", "author"), Expected("v.py", 2, "save-in-loop")]
    found = [Found("v.py", 2, "ORM301", "save-in-loop", "saved"), Found("v.py", 1, "ORM101", "related-object-in-loop", "publisher")]
    assert differences(expected, found) == [
        '- missing     v.py:1: [ORM101] "author"',
        "+ unexpected  v.py:1: [ORM101] publisher",
    ]
    assert differences(expected[1:], found[:1]) == []


def test_one_finding_does_not_satisfy_two_expectations() -> None:
    expected = [Expected("v.py", 1, "ORM101"), Expected("v.py", 1, "ORM101")]
    assert len(differences(expected, [Found("v.py", 1, "ORM101", "n", "m")])) == 1


@pytest.mark.parametrize(("text", "degrees"), [("0", 0), ("4", 0), ("1 + N", 1), ("2N", 1), ("1 + 3N + 2N²", 2), ("N²", 2), ("4N - 1", 1)])
def test_formulas_are_recovered_from_two_measurements(text: str, degrees: int) -> None:
    assert formula(evaluate(text, 3), evaluate(text, 7)) == text
    assert degree(text) == degrees


def test_a_number_that_does_not_follow_the_rows_has_no_formula() -> None:
    with pytest.raises(ValueError, match="with 7 rows"):
        formula(3, 5)
    with pytest.raises(ValueError, match="not a sum"):
        evaluate("many", 3)
