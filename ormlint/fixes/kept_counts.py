"""A count of rows that are loaded anyway: the rows are loaded for it, and the query that counts is spared.

books = Book.objects.filter(shelf=shelf)
print(books.count(), "books")                    print(len(books), "books")
for book in books: …
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import seen_through
from ormlint.fixes.imports import Refusal, is_builtin
from ormlint.fixes.kept_variables import CALLS, Walk, is_harmless, is_made_anew, risk_of_keeping
from ormlint.fixes.orders import risk_of_another_number
from ormlint.fixes.receivers import is_list, is_stream, risk_of_another_value
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import Applicability, CountRows, Fix
from ormlint.link.schema import Orm
from ormlint.run.log import QueryObject

_DESCRIPTION = "count the rows that are loaded anyway with `len()`"
_OTHER = "what is done with the rows may give another number of them than the database counts"
_PLAIN = frozenset({"all", "filter", "exclude", "order_by", "reverse", "select_related", "prefetch_related", "only", "defer", "using"})


def count_rows(sources: Sources, intent: CountRows) -> Fix | None:
    """Returns the fix, a display-only one if it cannot be written, None if the places are not found."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    if file is None or statement is None:
        return None
    call = statement.expression(intent.site.start, intent.site.end)
    load = statement.expression(intent.load.site.start, intent.load.site.end) if intent.load.site.path == intent.site.path else None
    if call is None:
        return None
    made = _counted(sources, file, statement, intent, call, load)
    return Fix(Applicability.DISPLAY, _DESCRIPTION, (), made.reason) if isinstance(made, Refusal) else made


def _counted(
    sources: Sources, file: SourceFile, statement: Statement, intent: CountRows, call: cst.BaseExpression, load: cst.BaseExpression | None
) -> Fix | Refusal:
    query = intent.query
    if query.orm is not Orm.DJANGO:
        return Refusal("the query keeps no rows: load them into a list, and take its `len()`")
    match call:
        case cst.Call(func=cst.Attribute(value=cst.Name() as counted, attr=cst.Name(value="count")), args=[]):
            pass
        case _:
            return Refusal("the rows are loaded by another queryset than the one that is counted")
    rows = seen_through(load) if load is not None else None
    if intent.load.query is not query or not isinstance(rows, cst.Name) or rows.value != counted.value:
        return Refusal("the rows are loaded by another queryset than the one that is counted")
    scope = statement.function(counted)
    if not isinstance(scope, cst.FunctionDef) or statement.function(rows) is not scope or scope.asynchronous is not None:
        return Refusal("the rows are not loaded in the same function, or it is asynchronous")
    if query.locked or query.raw or is_stream(query) or is_list(query, intent.site):
        return Refusal("the queryset does not keep its rows")
    if not is_made_anew(statement, counted):
        return Refusal("a loop asks the queryset again and again")
    if not is_builtin(file, "len"):
        return Refusal("`len` means something else in this file")
    start, end = statement.span(call)
    if "#" in file.text[start:end]:
        return Refusal("a comment stands in the expression")
    edit = file.edit(start, end, f"len({counted.value})")
    risk = _risk(sources, statement, query, Walk(statement, call, False, counted, rows))
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, f"count the rows of `{counted.value}`, which are loaded anyway", (edit,), risk)


def _risk(sources: Sources, statement: Statement, query: QueryObject, walk: Walk) -> str:
    """Returns why the number, the rows or the queries may be others, "" if they are the same."""
    ways = query.every_way()
    for way in ways:
        if not way.complete or way.combined or not _PLAIN.issuperset(way.methods):
            return _OTHER
        if order := risk_of_another_number(way):
            return order
    if _is_handed_on(walk):
        return CALLS
    return risk_of_another_value(sources, statement, walk.tested, query) or risk_of_keeping(walk)


def _is_handed_on(walk: Walk) -> bool:
    """Whether something that is not understood gets the number before the rows are loaded: `audit(books.count())`, `self.size = books.count()`."""
    child: cst.CSTNode = walk.test
    for above in walk.statement.ancestors(walk.test):
        match above:
            case cst.Call(func=function) if function is not child and not is_harmless(above):
                return True
            case cst.Assign(targets=targets) if not all(isinstance(target.target, cst.Name) for target in targets):
                return True
            case cst.Await() | cst.Yield() | cst.AugAssign():
                return True
            case cst.With() if walk.statement.span(above)[1] <= walk.statement.span(walk.load)[0]:
                return True
            case cst.For(iter=part) | cst.CompFor(iter=part) if part is child:
                return True
            case cst.FunctionDef():
                return False
        child = above
    return False
