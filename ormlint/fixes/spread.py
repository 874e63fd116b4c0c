"""Statements that share a line get lines of their own where no fix could be planned as they stand, and the fix is planned once more.

for ship in ships: ship.tons += 1; session.commit()          for ship in ships:
                                                                 ship.tons += 1
                                                             session.commit()

The fixers see a file in which the lines are spread out, and an intent whose sites lie in it; what they do there is told as edits of the file
as it is.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
from collections.abc import Callable, Iterator
from typing import TypeVar

import libcst as cst
import msgspec

from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import Fix, Intent
from ormlint.link.schema import Model, Relation, Schema
from ormlint.run.log import Event, Loop
from ormlint.run.parts import Recipe
from ormlint.text import Edit, Site, apply_edits

_INDENTATION = "    "
# What has no place in the lines that are spread, or is known by what it is.
_LEFT = (str, bytes, int, float, type(None), Model, Relation, Schema, Recipe)
_T = TypeVar("_T")


def plan_spread(intent: Intent, sources: Sources, plan: Callable[[Intent, Sources], Fix | None]) -> Fix | None:
    """Returns what `plan` makes of an intent whose places have lines of their own, None if they have them anyway, or nothing comes of it."""
    sites = list(_sites(intent))
    file = sources.file(sites[0]) if sites else None
    if file is None:
        return None
    breaks = sorted({edit for site in sites if site.path == file.path for edit in _breaks(file, sources, site)})
    if not breaks:
        return None
    spread = SourceFile(file.path, apply_edits(file.text, breaks))
    fix = plan(_moved(intent, _Shift(file.path, breaks)), sources.with_file(spread))
    if fix is None or not fix.edits:
        return None
    own = [edit for edit in fix.edits if edit.path == file.path]
    edits = [edit for edit in fix.edits if edit.path != file.path]
    return dataclasses.replace(fix, edits=(*edits, *_between(file, apply_edits(spread.text, own))))


def _sites(intent: Intent) -> Iterator[Site]:
    """Yields the places that an intent is about, its own first."""
    for name in (field.name for field in dataclasses.fields(intent)):
        value = getattr(intent, name)
        for each in value if isinstance(value, tuple) and not isinstance(value, Site) else (value,):
            match each:
                case Site():
                    yield each
                case Event(site=site) | Loop(site=site):
                    yield site


# ---------------------------------------------------------------------------------------------------------- the lines
def _breaks(file: SourceFile, sources: Sources, site: Site) -> Iterator[Edit]:
    """Yields the edits that give the statements around a place, and those that share a line with them, lines of their own."""
    statement = sources.statement(site)
    node = statement.expression(site.start, site.end) if statement is not None else None
    if statement is None or node is None:
        return
    for above in statement.ancestors(node):
        if isinstance(above, cst.SimpleStatementSuite):
            yield from _of_suite(file, statement, above)
        elif isinstance(above, cst.SimpleStatementLine) and len(above.body) > 1:
            indentation = file.indentation(statement.span(above.body[0])[0])
            if indentation is not None:
                yield from _of_line(file, statement, above, indentation)
        elif isinstance(above, (cst.For, cst.While, cst.With)) and isinstance(above.body, cst.SimpleStatementSuite):
            yield from _of_suite(file, statement, above.body)
        elif isinstance(above, (cst.FunctionDef, cst.ClassDef)):
            return


def _of_suite(file: SourceFile, statement: Statement, suite: cst.SimpleStatementSuite) -> Iterator[Edit]:
    owner = statement.parent(suite)
    outer = file.indentation(statement.span(owner)[0]) if owner is not None else None
    if outer is None or owner is None:
        return
    inner = outer + _step(file, statement, owner, outer)
    first = statement.span(suite.body[0])[0]
    start = len(file.text[:first].rstrip(" \t"))
    if file.text[start - 1] == ":":
        yield file.edit(start, first, file.newline + inner)
        yield from _of_line(file, statement, suite, inner)


def _of_line(file: SourceFile, statement: Statement, line: cst.SimpleStatementSuite | cst.SimpleStatementLine, indentation: str) -> Iterator[Edit]:
    for one, other in zip(line.body, line.body[1:], strict=False):
        start, end = statement.span(one)[1], statement.span(other)[0]
        if file.text[start:end].strip(" \t") == ";":
            yield file.edit(start, end, file.newline + indentation)


def _step(file: SourceFile, statement: Statement, node: cst.CSTNode, indentation: str) -> str:
    """Returns what a block is indented with, as the blocks around it are."""
    for above in statement.ancestors(node):
        if isinstance(above, cst.IndentedBlock):
            owner = statement.parent(above)
            outer = file.indentation(statement.span(owner)[0]) if owner is not None else None
            if outer is not None and indentation.startswith(outer) and indentation != outer:
                return indentation[len(outer) :]
    return _INDENTATION


# ---------------------------------------------------------------------------------------------------------- the places
@dataclasses.dataclass(frozen=True, slots=True)
class _Shift:
    """Where the places of a file lie when edits have been applied to it, none of which touches them."""

    path: str
    edits: list[Edit]

    def of(self, site: Site) -> Site:
        return Site(site.path, self._moved(site.start), self._moved(site.end)) if site.path == self.path else site

    def _moved(self, offset: int) -> int:
        return offset + sum(len(edit.content) - (edit.end - edit.start) for edit in self.edits if edit.end <= offset)


def _moved(intent: _T, shift: _Shift) -> _T:
    """Returns a copy of an intent and of all that it refers to, with every place where it lies now; models and relations are not copied."""
    copies: dict[int, tuple[object, object]] = {}
    todo: list[object] = []

    def moved(value: object) -> object:
        match value:
            case Site():
                return shift.of(value)
            case _ if isinstance(value, _LEFT):
                return value
            case tuple():
                return tuple(moved(each) for each in value)
            case list():
                return [moved(each) for each in value]
            case frozenset():
                return frozenset(moved(each) for each in value)
            case dict():
                return {key: moved(each) for key, each in value.items()}
            case _ if not _fields(value):
                return value
        if id(value) not in copies:
            copies[id(value)] = value, copy.copy(value)
            todo.append(value)
        return copies[id(value)][1]

    result = moved(intent)
    while todo:
        value = todo.pop()
        copied = copies[id(value)][1]
        for name in _fields(value):
            new = moved(getattr(value, name))
            if isinstance(copied, msgspec.Struct):
                msgspec.structs.force_setattr(copied, name, new)
            else:
                object.__setattr__(copied, name, new)  # it may be frozen
    return result  # type: ignore[return-value]


def _fields(value: object) -> tuple[str, ...]:
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    return tuple(field.name for field in dataclasses.fields(value)) if dataclasses.is_dataclass(value) and not isinstance(value, type) else ()


# ----------------------------------------------------------------------------------------------------------- the edits
def _between(file: SourceFile, text: str) -> Iterator[Edit]:
    """Yields the edits that make another text of a file's, each of whole lines."""
    old, new = (each.splitlines(keepends=True) for each in (file.text, text))
    first = _shared(old, new)
    last = _shared(old[first:][::-1], new[first:][::-1])
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    matcher = difflib.SequenceMatcher(None, old[first : len(old) - last], new[first : len(new) - last], autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            yield file.edit(starts[first + i], starts[first + j], "".join(new[first + k : first + m]))


def _shared(one: list[str], other: list[str]) -> int:
    """Returns how many lines two texts begin with alike."""
    return next((number for number, (line, same) in enumerate(zip(one, other, strict=False)) if line != same), min(len(one), len(other)))
