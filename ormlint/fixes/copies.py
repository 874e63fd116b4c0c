"""`for row in list(query):` → `for row in query:`."""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.counts import unwrap
from ormlint.fixes.receivers import EITHER, is_stream, is_surely_queryset, reads_caches, risk_of_another_query
from ormlint.fixes.source import Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import Applicability, Fix, WalkQuery
from ormlint.run.log import QueryObject

_DESCRIPTION = "walk the queryset itself"
_CACHES = "the rows that querysets keep are read or changed here"


def walk_query(sources: Sources, intent: WalkQuery) -> Fix | None:
    """Returns the fix, a display-only one if the rows would be fetched at another time, None if the place is not understood."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    call = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or intent.query.locked or intent.query.raw or is_stream(intent.query):
        return None
    match call:
        case cst.Call(func=cst.Name(value="list" | "tuple"), args=[cst.Arg(value=rows, star="", keyword=None)]):
            pass
        case _:
            return None
    match statement.parent(call):
        case cst.For(iter=walked, asynchronous=None) as loop if walked is call:
            pass
        case cst.CompFor(iter=walked, asynchronous=None) as loop if walked is call:
            pass
        case _:
            return None
    if isinstance(statement.parent(loop), cst.GeneratorExp):
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), "a generator may fetch the rows later")
    edits = unwrap(file, statement, call, rows, "")
    if edits is None:
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), "a comment stands in the expression")
    risk = _risk(sources, statement, rows, intent.query)
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, _DESCRIPTION, tuple(edits), risk)


def _risk(sources: Sources, statement: Statement, rows: cst.BaseExpression, query: QueryObject) -> str:
    """Returns why the loop may walk something else than a list of its own, "" if it cannot.

    A queryset fetches all rows before the first round and is walked as the list that it keeps: nothing in the loop can change that one.
    """
    if not is_surely_queryset(statement, rows):
        return EITHER
    return _CACHES if reads_caches(statement, statement.module) else risk_of_another_query(sources, statement, rows, query)
