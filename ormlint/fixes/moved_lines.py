"""What a loop makes a query of in lines of its own, moved before the loop together with the query.

for name in names:                          books = Book.objects.order_by("pk")
    books = Book.objects.order_by("pk")     for name in names:
    print(name, [… for book in books])          print(name, [… for book in books])
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.source import SourceFile
from ormlint.fixes.statement import Function, Statement
from ormlint.fixes.variables import bindings, only_value, reads
from ormlint.text import Edit, Site


@dataclass(frozen=True, slots=True)
class Moved:
    """An assignment in the body of a loop, its value, and the line that it stands in."""

    value: cst.BaseExpression
    assign: cst.BaseSmallStatement
    line: cst.SimpleStatementLine


def moved_of(statement: Statement, scope: Function, loop: cst.For, name: str, sites: tuple[Site, ...], before: int) -> Moved | None:
    """Returns the only assignment of a variable, if it stands in the loop's own body and makes a query at one of the sites; else None.

    All that reads the variable has to stand behind it, and in the loop `before` an offset nothing of which it is made is bound.
    """
    value = only_value(statement, scope, name)
    assign = statement.parent(value) if value is not None else None
    line = statement.parent(assign) if assign is not None else None
    if value is None or not isinstance(assign, (cst.Assign, cst.AnnAssign)) or not isinstance(line, cst.SimpleStatementLine):
        return None
    start, end = statement.span(value)
    if statement.parent(line) is not loop.body or not start < before or not any(start <= site.start and site.end <= end for site in sites):
        return None
    if isinstance(assign, cst.Assign) and len(assign.targets) != 1:
        return None
    if any(next(bindings(statement, loop, read.value), None) is not None for read in statement.within(value, cst.Name)):
        return None
    first, last = statement.span(loop)
    places = [statement.span(read)[0] for read in reads(statement, scope, name)]
    return Moved(value, assign, line) if all(end <= place < last and place > first for place in places) else None


def moved_before(file: SourceFile, statement: Statement, loop: cst.For, moved: Moved) -> list[Edit] | None:
    """Returns the edits that move an assignment before a loop, its line as a whole if nothing else stands in it; None if that loses a comment."""
    start, end = statement.span(moved.assign)
    first = statement.span(loop)[0]
    outer, inner = file.indentation(first), file.indentation(statement.span(moved.line.body[0])[0])
    if outer is None or inner is None:
        return None
    code = file.text[start:end]
    if "\n" in code or "\r" in code:
        return None
    if len(moved.line.body) == 1:
        number = file.line_of(start)
        code += file.rest_of_line(end)
        begin, stop = file.starts[number - 1], file.starts[number] if number < len(file.starts) else len(file.text)
    else:
        at = moved.line.body.index(moved.assign)
        begin, stop = start, statement.span(moved.line.body[at + 1])[0] if at + 1 < len(moved.line.body) else end
        if at + 1 == len(moved.line.body):
            begin = statement.span(moved.line.body[at - 1])[1]
    return [file.insert(first, f"{code}{file.newline}{outer}"), file.edit(begin, stop, "")]
