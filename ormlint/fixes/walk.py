"""A `for` loop around a statement, as far as a fix has to know it: what it binds, how it can be left, where lines go before and behind it."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.imports import Refusal
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.text import Edit, Site

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Walk:
    """A loop with a body of its own lines, and an expression in its body, or in the head of a loop or test there."""

    file: SourceFile
    statement: Statement
    loop: cst.For
    node: cst.BaseExpression
    indentation: str

    @property
    def body(self) -> tuple[cst.BaseStatement, ...]:
        """The statements of the loop's body."""
        return tuple(line for line in self.loop.body.body if isinstance(line, (cst.SimpleStatementLine, cst.BaseCompoundStatement)))

    @property
    def bound(self) -> frozenset[str]:
        """The names that the loop binds, in its head or in its body."""
        return frozenset(name.value for name in _bound(self.statement, self.loop))

    def names(self, node: cst.CSTNode) -> frozenset[str]:
        """Returns the names that an expression reads."""
        return frozenset(name.value for name in self.statement.within(node, cst.Name) if not self._is_part(name))

    def _is_part(self, name: cst.Name) -> bool:
        match self.statement.parent(name):
            case cst.Attribute(attr=part) | cst.Arg(keyword=part):
                return part is name
            case _:
                return False

    def fresh(self, name: str) -> str | None:
        """Returns a name for a list that the loop fills, None if the function around it uses all that come to mind.

        That of a loop in a loop is made of its variable, so that it is not taken for that of the loop around it.
        """
        scope = self.statement.function(self.loop)
        used = set(_WORD.findall(self.file.text)) if scope is None else {other.value for other in self.statement.within(scope, cst.Name)}
        nested = any(isinstance(above, (cst.For, cst.While)) for above in self.statement.ancestors(self.loop))
        variable = self.loop.target.value.strip("_") if isinstance(self.loop.target, cst.Name) else ""
        variable = variable or "row"
        wanted = [f"{name}_{variable}s", f"{name}_by_{variable}"] if nested else [name, f"{name}_rows", f"{name}_{variable}s"]
        return next((each for each in wanted if each not in used and not keyword.iskeyword(each) and not hasattr(builtins, each)), None)

    def is_read_later(self, names: frozenset[str]) -> bool:
        """Whether one of these names occurs behind the loop, or around it in a further loop."""
        scope = self.statement.function(self.loop)
        start, end = self.statement.span(self.loop)
        if scope is None:
            return not names.isdisjoint(_WORD.findall(self.file.text[end:]))
        repeated = any(isinstance(above, (cst.For, cst.While)) for above in self.statement.ancestors(self.loop))
        for name in self.statement.within(scope, cst.Name):
            at = self.statement.span(name)[0]
            if name.value in names and not self._is_part(name) and (at >= end or (repeated and at < start)):
                return True
        return False

    def before(self, *lines: str) -> Edit:
        """Returns the edit that inserts lines before the loop."""
        start = self.statement.span(self.loop)[0]
        return self.file.insert(start, "".join(f"{line}{self.file.newline}{self.indentation}" for line in lines))

    def behind(self, *lines: str) -> Edit:
        """Returns the edit that inserts lines behind the loop; if it has an `else`, which is always done, before what is done there."""
        if self.loop.orelse is not None:
            line = self.loop.orelse.body.body[0]
            first = self.statement.span(line.body[0] if isinstance(line, cst.SimpleStatementLine) else line)[0]
            indentation = self.file.indentation(first) or ""
            return self.file.insert(first, "".join(f"{line}{self.file.newline}{indentation}" for line in lines))
        end = self.statement.span(self.loop)[1]
        end += len(self.file.rest_of_line(end))
        return self.file.insert(end, "".join(f"{self.file.newline}{self.indentation}{line}" for line in lines))

    def replaced(self, code: str) -> Edit | None:
        """Returns the edit that puts a line in the place of the loop, None if a comment or an `else` would be lost."""
        start, end = self.statement.span(self.loop)
        if self.loop.orelse is not None or "#" in self.file.text[start:end]:  # that of the last line stays
            return None
        return self.file.edit(start, end, code)


def walk_around(sources: Sources, site: Site, loop: Site, *, with_else: bool = False) -> Walk | Refusal | None:
    """Returns the innermost loop around the expression at a site, if that is the one at `loop`; None if the places are not found.

    A loop with an `else` that a `break` passes over is refused, unless nothing is to be put behind it: `with_else`.
    """
    file, statement = sources.file(site), sources.statement(site)
    node = statement.expression(site.start, site.end) if statement is not None else None
    if file is None or statement is None or node is None:
        return None
    around = next((above for above in statement.ancestors(node) if _is_around(statement, above, node)), None)
    if isinstance(around, (cst.FunctionDef, cst.Lambda)) or around is None:
        return Refusal("it stands in a function that the loop calls")
    start, end = statement.span(around)
    if not isinstance(around, cst.For) or not start <= loop.start < end or loop.path != site.path:
        return Refusal("it belongs to another loop")
    if around.asynchronous is not None:
        return Refusal("the loop is asynchronous")
    if not with_else and around.orelse is not None and not _is_always_done(statement, around, around.orelse):
        return Refusal("the loop has an `else`")
    indentation = file.indentation(start)
    if indentation is None or not isinstance(around.body, cst.IndentedBlock):
        return Refusal("the loop shares its line")
    return Walk(file, statement, around, node, indentation)


def _is_always_done(statement: Statement, loop: cst.For, orelse: cst.Else) -> bool:
    leaves = any(isinstance(node, cst.Break) for node in inside(loop.body))
    return not leaves and isinstance(orelse.body, cst.IndentedBlock) and isinstance(orelse.body.body[0], cst.SimpleStatementLine)


def _is_around(statement: Statement, above: cst.CSTNode, node: cst.CSTNode) -> bool:
    """Whether a loop or function runs an expression more than once, or at another time; the rows of a loop are not part of it."""
    if isinstance(above, cst.For):
        start, end = statement.span(above.iter)
        return not (start <= statement.span(node)[0] and statement.span(node)[1] <= end)
    return isinstance(above, (cst.While, cst.FunctionDef, cst.Lambda))


def inside(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yields the nodes of a block but not those of functions and classes defined in it."""
    for child in node.children:
        if not isinstance(child, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
            yield child
            yield from inside(child)


def _bound(statement: Statement, loop: cst.For) -> Iterator[cst.Name]:
    yield from _targets(statement, loop.target)
    for node in inside(loop.body):
        match node:
            case cst.AssignTarget(target=target) | cst.AnnAssign(target=target) | cst.AugAssign(target=target) | cst.NamedExpr(target=target):
                yield from _targets(statement, target)
            case cst.For(target=target) | cst.CompFor(target=target):
                yield from _targets(statement, target)
            case cst.AsName(name=name):
                yield from statement.within(name, cst.Name)
            case cst.FunctionDef(name=name) | cst.ClassDef(name=name):
                yield name


def _targets(statement: Statement, target: cst.CSTNode) -> Iterator[cst.Name]:
    """Yields the names that a target binds; `book.title = …` changes what `book` is, too."""
    yield from statement.within(target, cst.Name)


def binds(around: cst.CSTNode, name: str) -> int:
    """Returns how often a block, its head included, gives a variable a value."""
    found = 0
    for node in (around, *inside(around)):
        match node:
            case cst.AssignTarget(target=target) | cst.AnnAssign(target=target) | cst.AugAssign(target=target) | cst.NamedExpr(target=target):
                found += _is_target(target, name)
            case cst.For(target=target) | cst.CompFor(target=target):
                found += _is_target(target, name)
            case cst.AsName(name=target):
                found += _is_target(target, name)
            case cst.Param(name=target):
                found += target.value == name
            case cst.Global(names=names) | cst.Nonlocal(names=names):
                found += sum(each.name.value == name for each in names)
    return found


def _is_target(target: cst.CSTNode, name: str) -> bool:
    match target:
        case cst.Name(value=value):
            return value == name
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            return any(_is_target(element.value, name) for element in elements)
        case cst.StarredElement(value=value):
            return _is_target(value, name)
        case _:
            return False
