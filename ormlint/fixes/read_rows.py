"""Rows that a function has read from the database itself, and that still are what they were when it goes on with them.

book = Book.objects.get(pk=key)        `book` has a key, that of a row of the table; a caller may give a new book, None, or one that was deleted
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ormlint.fixes.imports import is_imported
from ormlint.fixes.kept_variables import has_namespace
from ormlint.fixes.source import SourceFile
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import bindings, only_value, reads
from ormlint.run.log import Origin, QueryObject
from ormlint.text import Site

_FETCHING = frozenset({"get", "get_object_or_404", "earliest", "latest"})  # never None


def is_read_row(file: SourceFile, statement: Statement, node: cst.BaseExpression, name: str, origin: Origin, function_name: str) -> bool:
    """Whether a variable that an expression names surely has a row there as the function has read it from the database.

    It is bound in one place, to a row and never None, and before the expression nothing but its columns is read; the row may not come from a caller.
    """
    function, model = statement.function(node), origin.query.model
    if origin.path or origin.query.function != function_name or model is None:
        return False
    if not isinstance(function, cst.FunctionDef) or not model.plain_rows or model.unread_base or len(list(bindings(statement, function, name))) != 1:
        return False
    if has_namespace(statement, function) or not _is_fetched(file, statement, function, name, origin.query):
        return False
    looped, end = next(loops_repeating(statement, node), None) is not None, statement.span(node)[1]
    for read in reads(statement, function, name):
        at, above = statement.span(read)[0], statement.parent(read)
        if statement.span(node)[0] <= at < end:
            continue
        if statement.function(read) is not function:
            return False
        if at < end or looped:
            match above:
                case cst.Attribute(attr=cst.Name(value=column)) if above.value is read and column in model.concrete:
                    if isinstance(statement.parent(above), (cst.Call, cst.Del)):
                        return False
                case _:
                    return False
    return True


def loops_repeating(statement: Statement, node: cst.BaseExpression) -> Iterator[cst.While | cst.BaseComp | cst.For]:
    """Yields the loops of the function that evaluate an expression in each round; what a loop walks is evaluated once."""
    below: cst.CSTNode = node
    for above in statement.ancestors(node):
        match above:
            case cst.FunctionDef():
                return
            case cst.For(iter=walked) if walked is below:
                pass
            case cst.BaseComp(for_in=cst.CompFor(iter=walked)) if any(walked is each for each in (node, *statement.ancestors(node))):
                pass
            case cst.While() | cst.BaseComp() | cst.For():
                yield above
        below = above


def _is_fetched(file: SourceFile, statement: Statement, function: cst.FunctionDef, name: str, origin: QueryObject) -> bool:
    """Whether what binds a variable gives a row of a query, and never None."""
    value = only_value(statement, function, name)
    if value is None:
        walks: list[cst.For | cst.CompFor] = [*statement.within(function, cst.For), *statement.within(function, cst.CompFor)]
        return any(isinstance(walk.target, cst.Name) and walk.target.value == name for walk in walks)
    start, end = statement.outer(value)
    if not Site(file.path, start, end).encloses(origin.site):
        return False
    match value:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=method))):
            return method in _FETCHING
        case cst.Call(func=cst.Name(value="get_object_or_404")):
            return is_imported(file, start, "get_object_or_404", "django.shortcuts")
        case _:
            return False
