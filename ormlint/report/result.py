"""What a run knows at its end; the input of every report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from ormlint.judge.finding import Applicability, Finding
from ormlint.judge.project import Project
from ormlint.problem import Problem
from ormlint.run.parts import Statistics

STOPPING = "internal"  # the kind of problem after which a run cannot be trusted


@dataclass(slots=True)
class Result:
    """The outcome for one project. `texts` are its files by path, `pages` the documentation of its rules by code.

    `other_problems` concern files outside the paths that were asked about; they are shown and do not count. `warnings` are
    for the user and concern no file; `unsafe_fixes` tells whether those fixes are wanted; `fixed` counts the fixes applied.
    """

    project: Project
    findings: list[Finding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    other_problems: list[Problem] = field(default_factory=list)
    texts: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)
    statistics: Statistics = field(default_factory=Statistics)
    warnings: tuple[str, ...] = ()
    unsafe_fixes: bool = False
    fixed: int = 0


def every_problem(results: Sequence[Result]) -> list[tuple[Result, Problem]]:
    """Returns all problems with the results they belong to, by path."""
    found = [(result, problem) for result in results for problem in (*result.problems, *result.other_problems)]
    return sorted(found, key=lambda pair: (pair[1].path, pair[1].line, pair[1].column))


def fixable(results: Sequence[Result]) -> Counter[Applicability]:
    """Returns how many findings have a fix of each applicability."""
    return Counter(finding.fix.applicability for result in results for finding in result.findings if finding.fix is not None)


def total(results: Sequence[Result]) -> Statistics:
    """Returns the sum of what was examined."""
    names = [entry.name for entry in fields(Statistics)]
    return Statistics(**{name: sum(getattr(result.statistics, name) for result in results) for name in names})


def exit_code(results: Sequence[Result], *, exit_zero: bool = False) -> int:
    """Returns 2 after an internal error, 1 if something was found or could not be read (0 with `exit_zero`), otherwise 0."""
    if any(problem.kind == STOPPING for _, problem in every_problem(results)):
        return 2
    if exit_zero:
        return 0
    return int(any(result.findings or result.problems for result in results))
