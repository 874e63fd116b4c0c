"""One line per finding: `path:line:column: CODE message [name]`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ormlint.judge.finding import Finding
from ormlint.problem import Problem
from ormlint.report.ink import OF_SEVERITY, Ink
from ormlint.report.result import Result, every_problem


def render(results: Sequence[Result], ink: Ink) -> Iterator[str]:
    """Yields the lines of the report: problems first, then findings."""
    for result, problem in every_problem(results):
        yield problem_line(result, problem, ink)
    for result in results:
        for finding in result.findings:
            yield finding_line(result, finding, ink)


def finding_line(result: Result, finding: Finding, ink: Ink) -> str:
    """Returns the primary line of a finding."""
    line, column = result.project.position(finding.site)
    place = ink("bold", f"{result.project.shown(finding.site.path)}:{line}:{column}:")
    return f"{place} {ink(OF_SEVERITY[finding.severity], finding.code)} {finding.message} {ink('dim', f'[{finding.name}]')}"


def problem_line(result: Result, problem: Problem, ink: Ink) -> str:
    """Returns the line for a file that could not be analysed, or for a failure of ormlint itself."""
    what = "internal error" if problem.kind == "internal" else "error"
    place = ink("bold", f"{result.project.shown(problem.path)}:{problem.line}:{problem.column}: ") if problem.path else ""
    return f"{place}{ink('red', f'{what}:')} {problem.message}"
