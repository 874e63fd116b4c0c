"""The report for people: what it costs, where the rows come from, where the loop is, where the query happens, what to change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ormlint.judge.finding import Applicability, Finding, Fix, Label, Mark
from ormlint.report.concise import finding_line, problem_line
from ormlint.report.excerpt import excerpt
from ormlint.report.ink import Ink
from ormlint.report.result import Result, every_problem


def render(results: Sequence[Result], ink: Ink, *, verbose: bool = False) -> Iterator[str]:
    """Yields the lines of the report, findings separated by blank lines; `verbose` adds the details of internal errors."""
    for result, problem in every_problem(results):
        yield problem_line(result, problem, ink)
        if verbose and problem.details:
            yield from problem.details.rstrip().splitlines()
        yield ""
    for result in results:
        for finding in result.findings:
            yield finding_line(result, finding, ink)
            yield from _details(result, finding, ink)
            yield ""


def _details(result: Result, finding: Finding, ink: Ink) -> Iterator[str]:
    labels: list[Label] = list(finding.labels)
    if not any(label.site == finding.site for label in labels):
        labels.append(Label(finding.site, Mark.ACCESS, ""))
    yield from (f"  {line}" for line in excerpt(labels, result.project, result.texts, ink, finding.site.path))
    for note in finding.notes:
        yield f"  {ink('cyan', 'note:')} {note}"
    yield f"  {ink('green', 'help:')} {finding.help}"
    if finding.fix is not None:
        yield from (f"  {line}" for line in _availability(finding.fix, ink))


def _availability(fix: Fix, ink: Ink) -> Iterator[str]:
    """Yields what the fix does and with which options, and on a line of its own why it needs more than `--fix`."""
    head = ink("green", "fix:")
    if not fix.description:
        yield f"{head} none: {fix.reason}"
        return
    match fix.applicability:
        case Applicability.SAFE:
            yield f"{head} {fix.description}, with `--fix`"
        case Applicability.UNSAFE:
            yield f"{head} {fix.description}, with `--fix --unsafe-fixes`"
            yield f"     unsafe: {fix.reason}"
        case Applicability.DISPLAY:
            yield f"{head} {fix.description}, by hand"
            yield f"     not automatic: {fix.reason}"
