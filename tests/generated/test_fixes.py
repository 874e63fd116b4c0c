from __future__ import annotations

from hypothesis import event, given

from tests.cases.examine import examine, fixed, new_findings, offers
from tests.generated import django_projects, sqlalchemy_projects
from tests.generated.runner import Outcome, Zygote

Program = django_projects.Program | sqlalchemy_projects.Program


@given(django_projects.programs())
def test_a_django_program_does_the_same_after_its_safe_fixes(program: Program) -> None:
    _check(program)


@given(sqlalchemy_projects.programs())
def test_a_sqlalchemy_program_does_the_same_after_its_safe_fixes(program: Program) -> None:
    _check(program)


def _check(program: Program) -> None:
    models = {path: text for path, text in program.models.items() if path != "fill.py"}
    before = models | program.files
    done = fixed(before, "", unsafe=False)
    if not done.count:
        event("nothing to fix")
        return
    event("fixed")
    changed = {path: text for path, text in done.files.items() if path in program.files}
    assert done.files == models | changed, "a model was changed"
    zygote = Zygote.of(program.orm, program.models)
    for old, new in zip(zygote.run(program.entry, program.files), zygote.run(program.entry, changed), strict=True):
        _compare(old, new)
    left = examine(done.files)
    assert not [finding for finding in left.result.findings if offers(finding, unsafe=False)]
    assert not list(new_findings(examine(before).found(), left.found()))


def _compare(old: Outcome, new: Outcome) -> None:
    printed = list(map(_comparable, old.outputs)), list(map(_comparable, new.outputs))
    assert printed[0] == printed[1], f"{old.name} prints {printed[1]} instead of {printed[0]}"
    cheaper = all(after <= before or _has_failed(output) for before, after, output in zip(old.statements, new.statements, old.outputs, strict=True))
    assert cheaper, f"{old.name} sends {new.statements} instead of {old.statements} statements"


def _comparable(output: str) -> object:
    """The order of rows that nothing orders may change, and with it what is printed before an error."""
    return _failure(output) or sorted(output.splitlines())


def _has_failed(output: str) -> bool:
    """Whether a program has stopped early: what was loaded in advance for the rows after that is wasted."""
    return bool(_failure(output))


def _failure(output: str) -> str:
    """Returns the first line of the error that a program has stopped with, "" if there is none; the others may quote a statement."""
    return next((line for line in output.splitlines() if line.startswith("failed: ")), "")
