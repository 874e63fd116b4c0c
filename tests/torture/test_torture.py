"""Every fixer on every shape of code, before and after its fix, under the real ORM; `matrix.md` tells what became of each.

A cell that is fixed: what is reported is there before and gone afterwards, nothing is new, and nothing is left to fix; the file is Python, has its
comments, its line endings and every line that is nobody's business; the program prints the same and sends fewer statements.
A cell that is left is left as a whole, for the reason that `left.py` gives; one that no program can have says why.
`ORMLINT_UPDATE=1` rewrites the matrix.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.torture import django_works, sqlalchemy_works
from tests.torture.left import LEFT
from tests.torture.program import Inapplicable
from tests.torture.shapes import SHAPES
from tests.torture.trial import WORKS, Cell, faults, is_offered, programs, trial_of
from tests.torture.verdicts import MEANING, Verdict, unused, verdict_of

MATRIX = Path(__file__).with_name("matrix.md")
_HEAD = """# Fixers and the shapes of code

`x`: fixed, with the assertions of `test_torture.py`. A number: left as it is, or in part, for the reason below: refused, `-1` nothing to do, `?1` not
done yet. A dot: no program can have the shape. No fixer moves an import, so that no name can still be used after its import has moved.
"""


@pytest.mark.parametrize("fixer", WORKS)
def test_only_the_work_is_changed(fixer: str) -> None:
    _skip_without(fixer)
    trial = trial_of(fixer)
    assert not trial.strays
    assert not trial.problems


@pytest.mark.parametrize(("fixer", "shape"), [(fixer, shape) for fixer in WORKS for shape in SHAPES], ids=lambda part: part)
def test_a_program_keeps_its_meaning(fixer: str, shape: str) -> None:
    _skip_without(fixer)
    cell, left = trial_of(fixer).cells[shape], LEFT.get((fixer, shape))
    if isinstance(cell, Inapplicable):
        assert cell.reason
        assert left is None
        return
    codes = frozenset(cell.program.work.codes)
    if left is None:
        assert cell.is_fixed
        assert not list(faults(cell, codes)), _story(cell)
    elif left.codes:
        assert cell.is_fixed
        assert not any(is_offered(finding) for finding in cell.found if finding.code in left.codes)
        assert not list(faults(cell, codes - left.codes)), _story(cell)
    else:
        assert cell.after == cell.before, _story(cell)
        assert cell.new == cell.old


def test_every_piece_of_work_has_a_name_of_its_own() -> None:
    assert len(WORKS) == len(django_works.WORKS) + len(sqlalchemy_works.WORKS)


def test_every_reason_has_a_verdict() -> None:
    reasons = {left.reason for left in LEFT.values()}
    assert all(verdict_of(reason) in Verdict for reason in reasons)
    assert not unused(reasons)


def test_the_matrix_is_true() -> None:
    text = _matrix()
    if os.environ.get("ORMLINT_UPDATE"):
        MATRIX.write_text(text, encoding="utf-8")
    assert MATRIX.read_text(encoding="utf-8") == text


def _skip_without(fixer: str) -> None:
    if WORKS[fixer].needs:
        pytest.importorskip(WORKS[fixer].needs)


def _story(cell: Cell) -> str:
    return "\n".join(text[cell.path].decode(errors="replace") for text in (cell.before, cell.after))


def _matrix() -> str:
    notes: dict[str, str] = {}
    cells: dict[str, int] = {}
    impossible: dict[str, list[str]] = {}
    lines = [_HEAD, f"| | {' | '.join(WORKS)} |", f"|---{'|---' * len(WORKS)}|"]
    shaped = {fixer: programs(work) for fixer, work in WORKS.items()}
    fixed = 0
    for shape in SHAPES:
        marks = []
        for fixer in WORKS:
            cell, left = shaped[fixer][shape], LEFT.get((fixer, shape))
            if isinstance(cell, Inapplicable):
                impossible.setdefault(cell.reason, []).append(f"{fixer}: {shape}")
                marks.append(".")
            elif left is None:
                fixed += 1
                marks.append("x")
            else:
                cells[left.reason] = cells.get(left.reason, 0) + 1
                marks.append(notes.setdefault(left.reason, f"{verdict_of(left.reason).value}{len(notes) + 1}"))
        lines.append(f"| {shape} | {' | '.join(marks)} |")
    none = sum(map(len, impossible.values()))
    counts = {verdict: sum(count for reason, count in cells.items() if verdict_of(reason) is verdict) for verdict in Verdict}
    lines += [
        "",
        f"Of {fixed + sum(cells.values()) + none} cells {fixed} are fixed, {counts[Verdict.REFUSED]} refused, {counts[Verdict.OPEN]} not done yet;",
    ]
    lines += [f"in {counts[Verdict.NOTHING]} there is nothing to do, and {none} are not possible."]
    for verdict, meaning in MEANING.items():
        lines += ["", f"## {meaning}", ""]
        lines += [f"- {number.lstrip('-?')}: {reason} ({cells[reason]})" for reason, number in notes.items() if verdict_of(reason) is verdict]
    lines += ["", "## Not possible", "", *(f"- {reason}: {len(found)} cells" for reason, found in impossible.items())]
    return "\n".join(lines) + "\n"
