"""Which fixes are applied together, and what the files look like afterwards; nothing is written here.

A fix is applied as a whole or not at all. Of two fixes that touch the same place the later one is deferred: the caller
analyses the new text and plans anew. Equal edits (an import that two fixes need) count as one.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ormlint.judge.finding import Applicability, Finding, Fix
from ormlint.problem import Problem
from ormlint.text import Edit, LineIndex, apply_edits


@dataclass(slots=True)
class Rewrite:
    """The outcome of applying fixes to texts: the new text of every file that changes, by path.

    `deferred` are findings whose fix met another one and waits for the next pass; `dropped` those whose fix was refused,
    each with an entry in `problems`.
    """

    texts: dict[str, str] = field(default_factory=dict)
    applied: list[Finding] = field(default_factory=list)
    deferred: list[Finding] = field(default_factory=list)
    dropped: list[Finding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def rewrite(findings: Iterable[Finding], texts: Callable[[str], str], unsafe: bool, refused: frozenset[str] = frozenset()) -> Rewrite:
    """Returns the texts with the fixes of the findings applied, the unsafe ones only if `unsafe`.

    `refused` names files that must not change. A fix that leaves a file that is no Python is dropped and becomes a problem.
    Raises what `texts` raises.
    """
    result = Rewrite()
    accepted: dict[str, set[Edit]] = {}
    parses: dict[str, bool] = {}
    for finding in findings:
        fix = finding.fix
        if fix is None or not _is_wanted(fix, unsafe):
            continue
        paths = sorted({edit.path for edit in fix.edits})
        if not refused.isdisjoint(paths):
            result.dropped.append(finding)
        elif _conflicts(fix, accepted):
            result.deferred.append(finding)
        else:
            for path in paths:
                accepted.setdefault(path, set()).update(edit for edit in fix.edits if edit.path == path)
            result.applied.append(finding)
    for path, edits in accepted.items():
        result.texts[path] = apply_edits(texts(path), list(edits))
        parses[path] = not path.endswith(".py") or is_python(result.texts[path])
    if not all(parses.values()):
        return _without_the_broken(result, texts, unsafe, refused)
    return result


def _is_wanted(fix: Fix, unsafe: bool) -> bool:
    return bool(fix.edits) and (fix.applicability is Applicability.SAFE or (unsafe and fix.applicability is Applicability.UNSAFE))


def _conflicts(fix: Fix, accepted: dict[str, set[Edit]]) -> bool:
    for edit in fix.edits:
        known = accepted.get(edit.path, set())
        # Edits that only touch conflict too: `.count()` and `.select_related(…)` at the end of one expression.
        if edit not in known and any(edit.start <= other.end and other.start <= edit.end for other in known):
            return True
    return False


def _without_the_broken(result: Rewrite, texts: Callable[[str], str], unsafe: bool, refused: frozenset[str]) -> Rewrite:
    """Applies the fixes one after the other, leaving out those after which a file is no Python."""
    good: list[Finding] = []
    problems: list[Problem] = []
    dropped: list[Finding] = []
    edits: dict[str, set[Edit]] = {}
    for finding in result.applied:
        assert finding.fix is not None
        tried = {path: set(known) for path, known in edits.items()}
        for edit in finding.fix.edits:
            tried.setdefault(edit.path, set()).add(edit)
        paths = {edit.path for edit in finding.fix.edits if edit.path.endswith(".py")}
        if all(is_python(apply_edits(texts(path), list(tried[path]))) for path in paths):
            good.append(finding)
            edits = tried
        else:
            dropped.append(finding)
            problems.append(_broken(finding, texts))
    again = rewrite(good, texts, unsafe, refused)
    again.deferred += result.deferred
    again.dropped += [*result.dropped, *dropped]
    again.problems += problems
    return again


def _broken(finding: Finding, texts: Callable[[str], str]) -> Problem:
    position = LineIndex.of(texts(finding.site.path)).position(finding.site.start)
    message = f"the fix of {finding.code} would leave a file that is no valid Python and was not applied"
    return Problem(finding.site.path, *position, message, "internal", repr(finding.fix))


def is_python(text: str) -> bool:
    """Whether a text is valid Python, for the running interpreter or for libcst."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text.removeprefix("\ufeff"))
            return True
        except (SyntaxError, ValueError):
            pass
    import libcst as cst

    try:
        cst.parse_module(text.removeprefix("\ufeff"))
        return True
    except cst.ParserSyntaxError:
        return False


def unified_diff(path: str, before: str, after: str) -> str:
    """Returns the difference of two texts as a unified diff, "" if there is none."""
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:] * bool(lines[-1])


def diff_fixes(findings: Iterable[Finding], texts: Callable[[str], str], unsafe: bool) -> str:
    """Returns what one pass of `apply_fixes` would change, as a unified diff. Raises what `texts` raises."""
    result = rewrite(findings, texts, unsafe)
    return "".join(unified_diff(path, texts(path), text) for path, text in sorted(result.texts.items()))
