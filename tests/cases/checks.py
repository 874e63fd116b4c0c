"""What is asserted of a case."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterator, Mapping

from tests.cases.agreement import disagreements
from tests.cases.document import Case, Runnable
from tests.cases.dump import dump_log, dump_schema
from tests.cases.examine import Examined, RefusalError, examine, fixed, new_findings, offers
from tests.cases.execution import Execution, Laboratory, Program
from tests.cases.expectation import differences, expected_findings, expected_types
from tests.cases.growth import SIZES, evaluate
from tests.cases.rewrite import UPDATING, Rewriter

Check = Callable[[Case, Laboratory, Rewriter], None]


class CaseError(AssertionError):
    """What a case pins is not what happens."""


def checks_of(case: Case) -> Iterator[Check]:
    """Yields the checks that apply to a case."""
    yield findings
    if case.runnable is not None:
        yield run
        if not case.known_wrong:
            yield agree
    if "diff" in case.pins or any(expected_findings(path, text) for path, text in case.texts.items()):
        yield fix


# -------------------------------------------------------------------------------------------------------- findings
def findings(case: Case, laboratory: Laboratory, rewriter: Rewriter) -> None:
    """Every expected finding is there and no other, the inference and what is pinned are right."""
    examined = examine(case.texts, case.config)
    expected = [item for path, text in case.texts.items() for item in expected_findings(path, text)]
    lines = differences(expected, examined.found())
    types = {place: text for path, content in case.texts.items() for place, text in expected_types(path, content).items()}
    if types:
        lines += _compared_types(types, examined.revealed())
    lines += _pinned(case, "queries", lambda: dump_log(examined.analysis.log, examined.place), rewriter)
    lines += _pinned(case, "schema", lambda: dump_schema(examined.analysis.schema), rewriter)
    lines += _pinned(case, "snapshot", lambda: _rendered(examined), rewriter)
    if lines:
        raise CaseError("\n".join(lines))


def _compared_types(expected: Mapping[tuple[str, int], str], revealed: Mapping[tuple[str, int], str]) -> list[str]:
    return [
        f"{path}:{line}: reveal_type() says {revealed.get((path, line), 'nothing')!r}, expected {text!r}"
        for (path, line), text in sorted(expected.items())
        if revealed.get((path, line)) != text
    ]


def _pinned(case: Case, kind: str, produce: Callable[[], str], rewriter: Rewriter) -> list[str]:
    """Returns the differences between a fence and what is now; none when updating, which writes it instead."""
    fence = case.pins.get(kind)
    if fence is None or (text := produce()) == fence.text:
        return []
    if UPDATING:
        rewriter.replace_fence(case, fence, text)
        return []
    return [f"the `{kind}` fence is out of date:", *_unified(fence.text, text)]


def _unified(before: str, after: str, path: str = "") -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), path, path, n=1, lineterm="")
    return ["@@" if line.startswith("@@") else line for line in lines][0 if path else 2 :]


def _rendered(examined: Examined) -> str:
    from ormlint.report import full
    from ormlint.report.ink import Ink

    return "".join(f"{line}\n" for line in full.render([examined.result], Ink(False)))


# ------------------------------------------------------------------------------------------------------------- run
def programs_of(case: Case, *, also_fixed: bool) -> Iterator[Program]:
    """Yields what has to be executed for a case: the case as it is, and as fixed."""
    if case.runnable is None:
        return
    yield Program.of(case.runnable.orm, case.texts | case.support)
    if also_fixed:
        try:
            files = _most_fixed(case)
        except RefusalError:
            # the check that asks for the fixed files raises it again, for this case alone
            return
        if files != case.texts:
            yield Program.of(case.runnable.orm, files | case.support)


def _most_fixed(case: Case) -> dict[str, str]:
    return fixed(case.texts, case.config, unsafe=_wants_unsafe(case)).files


def _wants_unsafe(case: Case) -> bool:
    return "diff" in case.pins and "unsafe" in case.pins["diff"].flags


def run(case: Case, laboratory: Laboratory, rewriter: Rewriter) -> None:
    """The number of statements under the real ORM is the one the runnable mark states."""
    assert case.runnable is not None
    execution = _executed(Program.of(case.runnable.orm, case.texts | case.support), laboratory)
    if UPDATING:
        same = ", the same when fixed" * case.runnable.same
        line = f"<!-- runnable: {case.runnable.library}, {execution.cost} {'statement' if execution.cost == '1' else 'statements'}{same} -->"
        rewriter.replace_line(case, case.runnable.line, line)
        return
    if not case.runnable.cost:
        raise CaseError(f"the mark states no number of statements; measured: {execution.cost}")
    for rows, done in zip(SIZES, execution.runs, strict=True):
        stated = evaluate(case.runnable.cost, rows)
        if stated != done.statements:
            raise CaseError(f"{case.runnable.cost} is {stated} with {rows} rows, measured: {done.statements}\n{_shortened(done.log)}")


def _shortened(log: tuple[str, ...]) -> str:
    return "\n".join(f"  {sql[:150]}" for sql in log)


def _executed(program: Program, laboratory: Laboratory) -> Execution:
    execution = laboratory.result(program)
    if execution.error:
        raise CaseError(execution.error)
    try:
        _ = execution.cost
    except ValueError as error:
        raise CaseError(f"the number of statements does not follow the rows: {error}") from error
    return execution


def agree(case: Case, laboratory: Laboratory, rewriter: Rewriter) -> None:
    """The query log grows as the real one does, and the fixed program prints the same with fewer statements."""
    assert case.runnable is not None
    before = _executed(Program.of(case.runnable.orm, case.texts | case.support), laboratory)
    examined = examine(case.texts, case.config)
    lines = list(disagreements(examined.analysis.log, before.cost, examined.place))
    files = _most_fixed(case)
    if files != case.texts:
        after = _executed(Program.of(case.runnable.orm, files | case.support), laboratory)
        lines += _compared_runs(before, after, case.runnable)
    if lines:
        raise CaseError("\n".join(lines))


def _compared_runs(before: Execution, after: Execution, mark: Runnable) -> Iterator[str]:
    for rows, old, new in zip(SIZES, before.runs, after.runs, strict=True):
        if old.output != new.output:
            yield f"with {rows} rows the fixed program prints something else:"
            yield from _unified(old.output, new.output)
    old, new = before.runs[-1], after.runs[-1]
    if new.statements > old.statements or (new.statements == old.statements and new.log == old.log and not mark.same):
        yield f"the fixed program sends {new.statements} statements, the original {old.statements}:\n{_shortened(new.log)}"


# ------------------------------------------------------------------------------------------------------------- fix
def fix(case: Case, laboratory: Laboratory, rewriter: Rewriter) -> None:
    """Every fix offered parses, removes its finding, brings no new one and leaves nothing to do; the pinned one is right.

    An empty `diff` fence pins that nothing is fixed.
    """
    lines: list[str] = []
    for unsafe in (False, True):
        lines += _broken_promises(case, unsafe)
    if "diff" in case.pins:
        after = fixed(case.texts, case.config, unsafe=_wants_unsafe(case)).files
        lines += _pinned(case, "diff", lambda: _diff(case.texts, after), rewriter)
    if lines:
        raise CaseError("\n".join(lines))


def _diff(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    lines = [line for path in sorted(after) for line in _unified(before.get(path, ""), after[path], path)]
    return "".join(f"{line}\n" for line in lines)


def _broken_promises(case: Case, unsafe: bool) -> Iterator[str]:
    kind = "unsafe" if unsafe else "safe"
    before = examine(case.texts, case.config)
    offered = [finding for finding in before.result.findings if offers(finding, unsafe=unsafe)]
    if not offered:
        return
    after = fixed(case.texts, case.config, unsafe=unsafe)
    for path, text in after.files.items():
        if path.endswith(".py") and text != case.texts.get(path):
            try:
                ast.parse(text)
            except SyntaxError as error:
                yield f"after {kind} fixes {path}:{error.lineno} does not parse: {error.msg}\n{text}"
                return
    left = examine(after.files, case.config)
    yield from (f"after {kind} fixes there is a new finding: {found}" for found in new_findings(before.found(), left.found()))
    expected = len(before.result.findings) - len(offered)
    if len(left.result.findings) > expected:
        yield f"after {kind} fixes of {len(offered)} findings {len(left.result.findings)} are left, not {expected}:"
        yield from (f"  {found}" for found in left.found())


ALL = (findings, run, agree, fix)
EXECUTING = (run, agree)
