from __future__ import annotations

from collections import Counter

from hypothesis import event, given

from ormlint.judge.finding import Finding
from tests.cases.examine import Examined, examine, fixed, offers
from tests.generated import django_projects, sqlalchemy_projects
from tests.generated.runner import Outcome, Zygote

FIGURES = ("ORM201", "ORM202", "ORM203")
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
    assert not _new_findings(examine(before), left)


def _new_findings(before: Examined, after: Examined) -> list[Finding]:
    """Returns the findings that were not there before.

    What was said of a whole path of relations may be said of the rest of it. That a figure is asked for twice is not said of rows that are
    loaded for it, but of counts.
    """
    known = Counter((finding.code, finding.site.path, finding.message) for finding in before.result.findings)
    paths = {(finding.code, finding.site.path, relation) for finding in before.result.findings for relation in finding.relations}
    figures = any(finding.code in FIGURES for finding in before.result.findings)
    found = []
    for finding in after.result.findings:
        key = (finding.code, finding.site.path, finding.message)
        if figures and finding.code in ("ORM204", "ORM205", "ORM206"):
            continue
        if not known[key] and not any((finding.code, finding.site.path, relation) in paths for relation in finding.relations):
            found.append(finding)
        known[key] -= 1
    return found


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
    """Returns the error that a program has stopped with, "" if there is none; what it says may quote a statement, or name another row's lack."""
    return next((":".join(line.split(":")[:2]) for line in output.splitlines() if line.startswith("failed: ")), "")
