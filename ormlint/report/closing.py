"""The closing lines: how much was found, and how much was examined and understood to find it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ormlint.judge.finding import Applicability
from ormlint.report.result import Result, every_problem, fixable, total
from ormlint.run.parts import Statistics


def render(results: Sequence[Result]) -> Iterator[str]:
    """Yields the lines that end a report in text."""
    if any(result.fixed for result in results):
        yield fixed(results)
    yield _found(results)
    yield _examined(total(results))


def fixed(results: Sequence[Result]) -> str:
    """Returns the line that tells how much was fixed."""
    return f"Fixed {counted(sum(result.fixed for result in results), 'finding')}."


def statistics(results: Sequence[Result]) -> Iterator[str]:
    """Yields one line per rule with the number of its findings, the most frequent first."""
    counts = Counter((finding.code, finding.name) for result in results for finding in result.findings)
    width = len(str(max(counts.values(), default=0)))
    for (code, name), number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"{number:>{width}}  {code}  {name}"


def counted(number: int, noun: str) -> str:
    """Returns a number with its noun: "1 file", "2 files", "2 queries"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}".replace(",", " ")


def _found(results: Sequence[Result]) -> str:
    findings = sum(len(result.findings) for result in results)
    problems = len(every_problem(results))
    errors = f" and {counted(problems, 'error')}" if problems else ""
    if not findings:
        return f"Found no findings{errors}." if problems else "No findings."
    files = len({(result.project.root, finding.site.path) for result in results for finding in result.findings})
    fixes = fixable(results)
    safe, unsafe = fixes[Applicability.SAFE], fixes[Applicability.UNSAFE]
    text = f"Found {counted(findings, 'finding')} in {counted(files, 'file')}{errors}"
    if safe:
        text += f"; {safe} can be fixed with `--fix`"
    if unsafe:
        text += f"{f', {unsafe} more' if safe else f'; {unsafe} can be fixed'} with `--fix --unsafe-fixes`"
    return f"{text}."


def _examined(seen: Statistics) -> str:
    resolved = f"{100 * seen.calls_resolved // seen.calls} % of {counted(seen.calls, 'call')} resolved" if seen.calls else "no calls"
    parts = [
        counted(seen.files, "file") + (f" and {counted(seen.templates, 'template')}" if seen.templates else ""),
        counted(seen.models, "model"),
        counted(seen.relations, "relation"),
        counted(seen.queries, "query"),
        counted(seen.loops, "loop") + (f" ({seen.loops_over_queries} over queries)" if seen.loops_over_queries else ""),
        resolved,
    ]
    return f"Examined {', '.join(parts)}."
