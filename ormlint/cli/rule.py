"""`ormlint rule`: the documentation of the rules."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ormlint.problem import UsageError

if TYPE_CHECKING:
    from ormlint.judge.rule import Rule


@click.command("rule")
@click.argument("rule", required=False, metavar="[CODE|NAME]")
@click.option("--all", "every", is_flag=True, help="Show all rules, one line each.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How the rules are written.")
def command(rule: str | None, every: bool, output_format: str) -> int:
    """Explains a rule, or lists all of them."""
    from ormlint.cli.options import configuration
    from ormlint.judge.registry import load_rules
    from ormlint.judge.select import resolve
    from ormlint.targets import targets_of

    if (rule is None) == (not every):
        raise UsageError("give a rule's code or name, or --all")
    (target,) = targets_of(["."])
    config = configuration(target, None)
    rules = load_rules(config.directories(target.root.path, config.rules))
    shown = rules if rule is None else resolve(rule, rules, "the command line")[1]
    if output_format == "json":
        click.echo(json.dumps([_as_data(entry) for entry in shown], indent=2, ensure_ascii=False))
    elif rule is None or len(shown) > 1:
        _list(shown)
    else:
        _page(shown[0])
    return 0


def _page(rule: Rule) -> None:
    """Prints a rule's page, rendered if the output is a terminal and as it is written otherwise."""
    from ormlint.cli.terminal import ink_for

    text = _text(rule) or f"# {rule.name} ({rule.code})\n\n{rule.check.__doc__ or ''}\n"
    if not ink_for(sys.stdout).enabled:
        click.echo(text, nl=False)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(force_terminal=True)
    console.print(Markdown(text), width=min(console.width, 100))


def _list(rules: Sequence[Rule]) -> None:
    width = max(len(rule.name) for rule in rules)
    family = ""
    for rule in rules:
        if rule.family != family:
            family = rule.family
            click.echo(f"{family}")
        stage = "" if rule.stable else "  (preview)"
        click.echo(f"  {rule.code}  {rule.name:<{width}}  {rule.severity.value}{stage}".rstrip())


def _text(rule: Rule) -> str | None:
    from ormlint.judge.registry import page_of

    page = page_of(rule)
    return page.read_text(encoding="utf-8") if page is not None else None


def _as_data(rule: Rule) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "aliases": list(rule.aliases),
        "family": rule.family,
        "severity": rule.severity.value,
        "stage": "stable" if rule.stable else "preview",
        "orms": [orm.value for orm in rule.orms],
        "documentation": _text(rule),
    }
