"""The rule API: everything a rule needs, on one page.

A rule is a function from the project's facts and its query log to reports:

    @rule("ORM202", "count-for-existence", severity=Severity.WARNING)
    def check(project: Project, log: QueryLog) -> Iterator[Report]:
        for event in log.of(Op.COUNT):
            …
            yield Report(…)

It lives in `rules/<family>/<name>.py` beside its page `<name>.md`, and is found by discovery.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ormlint.judge.finding import Report, Severity
from ormlint.judge.project import Project
from ormlint.link.schema import Orm
from ormlint.run.log import QueryLog

Check = Callable[[Project, QueryLog], Iterator[Report]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A registered rule. `stable` rules are on by default, others need `--preview`.

    `judges_comments` marks a rule that looks at `project.suppressions` and so runs after all rules that can be suppressed.
    """

    code: str
    name: str
    check: Check
    severity: Severity
    stable: bool
    orms: tuple[Orm, ...]
    module: str
    aliases: tuple[str, ...] = ()
    judges_comments: bool = False

    @property
    def family(self) -> str:
        """The folder the rule lives in, with dashes: "n-plus-one"."""
        return self.module.split(".")[-2].replace("_", "-")


def rule(
    code: str,
    name: str,
    *,
    severity: Severity = Severity.WARNING,
    stable: bool = True,
    orms: tuple[Orm, ...] = (Orm.DJANGO, Orm.SQLALCHEMY),
    aliases: tuple[str, ...] = (),
    judges_comments: bool = False,
) -> Callable[[Check], Rule]:
    """Makes a `Rule` of a check function."""

    def register(check: Check) -> Rule:
        return Rule(code, name, check, severity, stable, orms, check.__module__, aliases, judges_comments)

    return register
