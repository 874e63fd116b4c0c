"""Every rule has the same form."""

from __future__ import annotations

import importlib
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from ormlint.judge.registry import load_rules, page_of
from ormlint.judge.rule import Rule

HEADINGS = ["What it does", "Why it costs", "Example", "Use instead", "When it is right", "Fix safety", "Options"]
ROOT = Path(__file__).parents[2]
RULES = load_rules()
FAMILY_OF_DIGIT = {"0": "suppressions", "1": "n-plus-one", "2": "evaluation", "3": "writes", "4": "unbounded", "5": "schema", "6": "sessions"}


def named(rule: Rule) -> str:
    return rule.code


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_has_a_page_with_the_headings_in_order(rule: Rule) -> None:
    page = page_of(rule)
    assert page is not None, f"{rule.module} has no .md beside it"
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    assert title is not None
    assert rule.code in title[1]
    assert rule.name in title[1]


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_is_called_what_its_file_is_called(rule: Rule) -> None:
    assert rule.module.split(".")[-1] == rule.name.replace("-", "_")
    assert re.fullmatch(r"ORM\d{3}", rule.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert rule.family == FAMILY_OF_DIGIT[rule.code[3]]


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_is_small(rule: Rule) -> None:
    source = ROOT / "rules" / Path(*rule.module.split(".")[2:]).with_suffix(".py")
    assert source.read_text(encoding="utf-8").count("\n") <= 120


def test_codes_names_and_families_are_different_words() -> None:
    words = Counter(word for rule in RULES for word in {rule.code, rule.name, *rule.aliases})
    words.update({rule.family for rule in RULES})
    assert not [word for word, number in words.items() if number > 1]


def test_there_is_no_page_without_a_rule() -> None:
    pages = {page_of(rule) for rule in RULES}
    assert {path for path in (ROOT / "rules").rglob("*.md") if path.resolve() not in {page.resolve() for page in pages if page}} == set()


def fixes(rule: Rule) -> str:
    """Returns the kinds of fixes that a rule's page speaks of: "safe", "unsafe", "safe, unsafe" or "none"."""
    page = page_of(rule)
    assert page is not None
    text = page.read_text(encoding="utf-8").partition("## Fix safety")[2].partition("\n## ")[0].lower()
    kinds = {"safe": r"(?<!not )\bsafe\b", "unsafe": r"\bunsafe\b|\bnot safe\b"}
    denied = re.match(r"\s*(?:none\b|there is no (?:automatic )?fix\b)", text)
    return ", ".join(kind for kind, words in kinds.items() if not denied and re.search(words, text)) or "none"


def test_the_list_of_rules_is_the_registry() -> None:
    """With ORMLINT_UPDATE=1 the list is written instead."""
    path = ROOT / "docs" / "rules.md"
    lines = ["# Rules", "", "`ormlint rule CODE` explains one, with examples. A rule in preview needs `--preview`, or `preview = true`."]
    lines += ["*Fix* tells what the rule offers: safe fixes with `--fix`, unsafe ones with `--fix --unsafe-fixes`; each page says which is when."]
    for family in sorted({rule.family for rule in RULES}, key=list(FAMILY_OF_DIGIT.values()).index):
        lines += ["", f"## {family}", "", "| Code | Name | Stage | Fix | Reports |", "|---|---|---|---|---|"]
        for rule in (rule for rule in RULES if rule.family == family):
            summary = (importlib.import_module(rule.module).__doc__ or "").partition(": ")[2].partition("\n\n")[0].replace("\n", " ").strip()
            page = f"../rules/{'/'.join(rule.module.split('.')[2:])}.md"
            lines.append(f"| {rule.code} | [{rule.name}]({page}) | {'stable' if rule.stable else 'preview'} | {fixes(rule)} | {summary} |")
    text = "\n".join(lines) + "\n"
    if os.environ.get("ORMLINT_UPDATE") == "1":
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
