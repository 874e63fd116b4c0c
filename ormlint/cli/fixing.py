"""Fixing in passes: what one pass changes is analysed anew, until nothing is left to fix."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from ormlint.check import Tell, check
from ormlint.fixes import MAX_PASSES, apply_fixes, rewrite
from ormlint.problem import Problem
from ormlint.report.result import Result
from ormlint.request import Request


@dataclass(slots=True)
class Rewritten:
    """What fixing makes of the texts: the result that is left, and every text that changes, before and after."""

    result: Result
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)


def fix_files(request: Request, tell: Tell) -> Result:
    """Returns what is left after fixing the files; what could not be fixed is among its problems."""
    result = check(request, tell)
    done = 0
    problems: list[Problem] = []
    known = _Texts()
    for _ in range(MAX_PASSES):
        texts = result.texts
        applied = apply_fixes(result.findings, result.project.root, texts.__getitem__, request.config.unsafe_fixes)
        done += len(applied.applied)
        # what still hinders a fix is met again in every pass; a failure of ours need not be
        problems = [*(problem for problem in problems if problem.kind == "internal"), *applied.problems]
        if not applied.written:
            break
        known.add({path: texts[path] for path in applied.written})
        result = check(request, tell)
        if known.returned(result.texts, applied.written):
            problems.append(known.problem(applied.written))
            break
    result.problems += dict.fromkeys(problems)
    result.fixed = done
    return result


def fix_texts(request: Request, tell: Tell, only: Collection[str] = ()) -> Rewritten:
    """Returns what fixing would do, in memory; `only` are the files that may change, if not all may."""
    outcome = Rewritten(check(request, tell))
    done = 0
    problems: list[Problem] = []
    known = _Texts()
    for _ in range(MAX_PASSES):
        result = outcome.result
        refused = frozenset(result.texts).difference(only) if only else frozenset()
        step = rewrite(result.findings, result.texts.__getitem__, request.config.unsafe_fixes, refused)
        done += len(step.applied)
        problems += step.problems
        if not step.texts:
            break
        before = {path: result.texts[path] for path in step.texts}
        known.add(before)
        outcome.before = {**before, **outcome.before}
        outcome.after |= step.texts
        request = replace(request, overrides={**request.overrides, **step.texts})
        outcome.result = check(request, tell)
        if known.returned(step.texts, step.texts):
            problems.append(known.problem(step.texts))
            break
    outcome.result.problems += dict.fromkeys(problems)
    outcome.result.fixed = done
    return outcome


class _Texts:
    """The texts that files had before the passes so far."""

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}

    def add(self, texts: Mapping[str, str]) -> None:
        """Remembers texts by path."""
        for path, text in texts.items():
            self._seen.setdefault(path, set()).add(text)

    def returned(self, texts: Mapping[str, str], paths: Collection[str]) -> bool:
        """Whether each of these files has a text again that it had before: then further passes would go on like that for ever."""
        return all(texts[path] in self._seen.get(path, ()) for path in paths)

    def problem(self, paths: Collection[str]) -> Problem:
        """Returns the problem that fixes undo each other."""
        return Problem(min(paths), 1, 1, f"fixes undo each other in {', '.join(sorted(paths))}", "internal")
