"""The pages of the rules are true: the example is reported where it says, the cure is silent and is what the fix writes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ormlint.judge.registry import own_rules, page_of
from tests.cases.document import read_sections
from tests.cases.examine import examine, fixed
from tests.cases.expectation import differences, expected_findings

NAMELESS = "shop/models.py"
MARK = re.compile(r"\{# (?:error|info): \[.*?#\}|\s*# (?:error|info): \[.*$", re.MULTILINE)
Files = dict[str, str]
PREVIEW = {rule.code for rule in own_rules() if not rule.stable}


def config_for(code: str) -> str:
    """Returns the configuration under which a rule speaks: one in preview is asked for alone."""
    return f'preview = true\nselect = ["{code}"]\n' if code in PREVIEW else ""


def examples() -> Iterator[tuple[str, Files, Files]]:
    """Yields the rule, the files of an example and those of what to use instead, for each example of each page."""
    for rule in sorted(own_rules(), key=lambda rule: rule.code):
        page = page_of(rule)
        if page is None:
            continue
        (title,) = read_sections(page.read_text(encoding="utf-8")).sections
        parts = {section.title: section for section in title.sections}
        bad, good = parts["Example"], parts["Use instead"]
        if bad.files:
            yield rule.code, {path: fence.text for path, fence in bad.files.items()}, {path: fence.text for path, fence in good.files.items()}
        for before, after in zip(bad.examples, good.examples, strict=True):
            yield rule.code, {NAMELESS: before.text}, {NAMELESS: after.text}


EXAMPLES = list(examples())
EACH = pytest.mark.parametrize(("code", "bad", "good"), EXAMPLES, ids=[f"{code}-{number}" for number, (code, _, _) in enumerate(EXAMPLES)])


@EACH
def test_the_example_names_its_rule(code: str, bad: Files, good: Files) -> None:
    assert [item.rule for path, text in bad.items() for item in expected_findings(path, text)] == [code]
    assert not any(MARK.search(text) for text in good.values())


@EACH
def test_the_example_is_reported_there_and_nowhere_else(code: str, bad: Files, good: Files) -> None:
    expected = [item for path, text in bad.items() for item in expected_findings(path, text)]
    assert differences(expected, examine(bad, config_for(code)).found()) == []


@EACH
def test_what_to_use_instead_is_silent(code: str, bad: Files, good: Files) -> None:
    assert differences([], examine(good, config_for(code)).found()) == []


@EACH
def test_the_fix_writes_what_to_use_instead(code: str, bad: Files, good: Files) -> None:
    result = fixed(bad, config_for(code), unsafe=True)
    if result.count:
        assert {path: MARK.sub("", text) for path, text in result.files.items()} == good


@EACH
def test_what_has_a_fix_says_so_on_its_page(code: str, bad: Files, good: Files) -> None:
    (page,) = {page_of(rule) for rule in own_rules() if rule.code == code}
    assert page is not None
    if any(finding.intent is not None for finding in examine(bad, config_for(code)).result.findings):
        assert "There is no automatic fix" not in page.read_text(encoding="utf-8")
