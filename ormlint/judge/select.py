"""Which rules run: codes, names, prefixes and families against all rules there are.

Layers are applied in order (configuration, then command line). Within one, the more specific selector wins, and `ignore`
wins over `select` among equals: `select = ["ORM1"]`, `ignore = ["ORM103"]` means family 1 without ORM103.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ormlint.judge.layers import Layer
from ormlint.judge.rule import Rule
from ormlint.problem import UsageError
from ormlint.suggest import nearest

EXACT = 1000
PREFIX = re.compile(r"[A-Z]+[0-9]*$")


@dataclass(frozen=True, slots=True)
class Choice:
    """The rules that run, and what the user should know about those that do not."""

    rules: tuple[Rule, ...]
    warnings: tuple[str, ...] = ()


def meaning(selector: str, rules: Iterable[Rule]) -> tuple[int, tuple[Rule, ...]]:
    """Returns how specific a selector is and the rules it means; none if nothing is called that."""
    if selector == "ALL":
        return 0, tuple(rules)
    exact = tuple(rule for rule in rules if selector in (rule.code, rule.name, *rule.aliases))
    if exact:
        return EXACT, exact
    family = tuple(rule for rule in rules if rule.family == selector)
    if family:
        return 4, family
    if PREFIX.match(selector):
        return len(selector), tuple(rule for rule in rules if rule.code.startswith(selector))
    return EXACT, ()


def resolve(selector: str, rules: Sequence[Rule], origin: str) -> tuple[int, tuple[Rule, ...]]:
    """Returns what `meaning` returns; raises UsageError, with the nearest valid selector, if there is no such rule."""
    specificity, meant = meaning(selector, rules)
    if not meant:
        names = {name for rule in rules for name in (rule.code, rule.name, rule.family)}
        raise UsageError(f"{origin}: there is no rule `{selector}`{nearest(selector, sorted(names))}")
    return specificity, meant


def choose(rules: Sequence[Rule], layers: Iterable[Layer], preview: bool) -> Choice:
    """Returns the rules that the layers select, preview rules only if `preview`.

    Raises UsageError for a selector that means no rule.
    """
    chosen: dict[str, bool] = {}
    asked_for: dict[str, str] = {}
    for layer in layers:
        if layer.select is not None:
            chosen.clear()
            asked_for.clear()
        votes: list[tuple[int, bool, tuple[Rule, ...]]] = []
        for selector in (*(layer.select or ()), *layer.extend_select):
            specificity, meant = resolve(selector, rules, layer.origin)
            votes.append((specificity, True, meant))
            if specificity == EXACT:
                asked_for[meant[0].code] = selector
        votes += [(specificity, False, meant) for specificity, meant in (resolve(s, rules, layer.origin) for s in layer.ignore)]
        for _, vote, meant in sorted(votes, key=lambda v: (v[0], not v[1])):
            chosen.update((rule.code, vote) for rule in meant)
    running = tuple(rule for rule in rules if chosen.get(rule.code) and (rule.stable or preview))
    warnings = tuple(
        f"`{asked_for[rule.code]}` is a preview rule and runs only with --preview"
        for rule in rules
        if rule.code in asked_for and chosen.get(rule.code) and not rule.stable and not preview
    )
    return Choice(running, warnings)
