"""What is asserted of a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.cases.document import Case
from tests.cases.execution import Execution, Laboratory, Program
from tests.cases.expectation import expected_findings
from tests.cases.growth import SIZES, evaluate
from tests.cases.rewrite import UPDATING, Rewriter

Check = Callable[[Case, Laboratory, Rewriter], None]


class Disagreement(AssertionError):
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


def programs_of(case: Case, *, fixed: bool) -> Iterator[Program]:
    """Yields what has to be executed for a case: the case as it is, and as fixed."""
    if case.runnable is not None:
        yield Program.of(case.runnable.orm, case.texts)


def run(case: Case, laboratory: Laboratory, rewriter: Rewriter) -> None:
    """The number of statements under the real ORM is the one the runnable mark states."""
    assert case.runnable is not None
    execution = executed(case, laboratory)
    if UPDATING:
        line = f"<!-- runnable: {case.runnable.orm}, {execution.cost} {'statement' if execution.cost == '1' else 'statements'} -->"
        rewriter.replace_line(case, case.runnable.line, line)
        return
    if not case.runnable.cost:
        raise Disagreement(f"the mark states no number of statements; measured: {execution.cost}")
    for rows, done in zip(SIZES, execution.runs, strict=True):
        stated = evaluate(case.runnable.cost, rows)
        if stated != done.statements:
            log = "\n".join(f"  {sql[:150]}" for sql in done.log)
            raise Disagreement(f"{case.runnable.cost} is {stated} with {rows} rows, measured: {done.statements}\n{log}")


def executed(case: Case, laboratory: Laboratory) -> Execution:
    """Returns how a runnable case went. Raises Disagreement if it failed."""
    execution = laboratory.result(next(programs_of(case, fixed=False)))
    if execution.error:
        raise Disagreement(execution.error)
    return execution


def findings(case: Case, laboratory: Laboratory, rewriter: Rewriter) -> None:
    """Every expected finding is there and no other."""
    raise Disagreement("not yet")


def agree(case: Case, laboratory: Laboratory, rewriter: Rewriter) -> None:
    """The query log grows as the real one does, and the fixed program prints the same with fewer statements."""
    raise Disagreement("not yet")


def fix(case: Case, laboratory: Laboratory, rewriter: Rewriter) -> None:
    """Fixes do what they promise, and the pinned one is what comes out."""
    raise Disagreement("not yet")


ALL = (findings, run, agree, fix)
EXECUTING = (run, agree)
