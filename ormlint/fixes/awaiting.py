"""A statement of Django in an async function is awaited: where it is a statement of its own, or the rows of a loop or list.

book = Book.objects.get(pk=key)        book = await Book.objects.aget(pk=key)
for book in books: …                   async for book in books: …
return [book.id for book in books]     return [book.id async for book in books]
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import Applicability, AwaitStatement, Fix
from ormlint.text import Edit

_OTHERS = "other coroutines run while it waits, and a thread of its own sends it"


def await_statement(sources: Sources, intent: AwaitStatement) -> Fix | None:
    """Returns the fix, None if the place is part of a larger expression or stands in a function that is not asynchronous."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    node = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    function = statement.function(node) if statement is not None and node is not None else None
    if file is None or statement is None or node is None or not isinstance(function, cst.FunctionDef) or function.asynchronous is None:
        return None
    edits = _awaited(file, statement, node, intent.method) if intent.method else _walked(file, statement, node)
    return Fix(Applicability.UNSAFE, "await it", tuple(edits), _OTHERS) if edits is not None else None


def _awaited(file: SourceFile, statement: Statement, node: cst.BaseExpression, method: str) -> list[Edit] | None:
    match node:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=name) as attribute)) if name == method and _is_statement(statement, node):
            start = statement.outer(node)[0]
            before = file.text[start - 1 : start]
            glued = " " if before.isalnum() or before == "_" else ""
            return [file.insert(start, f"{glued}await "), file.insert(statement.span(attribute)[0], "a")]
        case _:
            return None


def _walked(file: SourceFile, statement: Statement, node: cst.BaseExpression) -> list[Edit] | None:
    above = statement.parent(node)
    whole = statement.parent(above) if above is not None else None
    match above:
        case cst.For(iter=rows, asynchronous=None) if rows is node:
            start = statement.span(above)[0]
        case cst.CompFor(iter=rows, asynchronous=None) if rows is node and isinstance(whole, (cst.ListComp, cst.SetComp, cst.DictComp)):
            if whole.for_in is not above or not _is_statement(statement, whole):
                return None
            start = statement.span(above)[0]
        case _:
            return None
    start += len(file.text[start:]) - len(file.text[start:].lstrip())
    return [file.insert(start, "async ")] if file.text.startswith("for", start) else None


def _is_statement(statement: Statement, node: cst.BaseExpression) -> bool:
    """Whether an expression is all that a statement does, but for what it gives the value to."""
    match statement.parent(node):
        case cst.Assign() | cst.AnnAssign() | cst.Expr() | cst.Return():
            return True
        case _:
            return False
