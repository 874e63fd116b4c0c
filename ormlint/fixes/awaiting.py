"""A statement of Django in an async function is awaited: where it is a statement of its own, or the rows of a loop or list.

book = Book.objects.get(pk=key)        book = await Book.objects.aget(pk=key)
for book in books: …                   async for book in books: …
return [book.id for book in books]     return [book.id async for book in books]

Django refuses to send a statement from a thread with a running event loop of asyncio (django.utils.asyncio.async_unsafe), so that nothing comes
of it so far but an error. Some statements need not be sent, though, and succeed: those about no rows at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import libcst as cst

from ormlint.fixes.chain import last_name
from ormlint.fixes.guards import HANDLED, calls_of, is_handled
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import Applicability, AwaitStatement, Fix
from ormlint.run.log import CHANGED, QueryObject
from ormlint.text import Edit, Site

_NOT_SENT = "with nothing to ask for it is not sent and succeeds so far, and other coroutines would run while it waits"
_ALL = "await it, and what else the function sends"
_HALF = "the function sends more that cannot be awaited where it stands, and would stop there"
_TRANSACTION = "the function opens a transaction, which Django refuses where an event loop runs, and would stop there"
_REST = "of what else the function sends something may not be sent so far, or its error is waited for"
_PERMITTED = "the project names `{}`, in whose loop Django does not refuse the statement so far"
_PERMITTING = re.compile(r"\b(?:trio|curio)\b")
# Those that send something whatever they are asked about and given.
_ALWAYS_SENT = frozenset({"get", "first", "last", "latest", "earliest", "count", "exists", "create", "get_or_create", "update_or_create", "delete"})
_ROWS_SENT = frozenset({"save", "refresh_from_db", "add", "set", "clear"})  # of one row, without an empty list of fields
_LARGER = "it is part of a larger expression, and other coroutines would run in the middle of that"
_OPENING = frozenset({"atomic", "cursor"})
_CHOOSING = ("filter", "exclude", "get", "get_or_create", "update_or_create", "complex_filter", "extra", "raw")


def await_statement(sources: Sources, intent: AwaitStatement, paths: Iterable[str]) -> Fix | None:
    """Returns the fix, None if the place is part of a larger expression or stands in a function that is not asynchronous."""
    found = _found(sources, intent)
    edits = _edits(sources, intent)
    if found is None or edits is None:
        return None
    for other in intent.rest:  # what the function does before the next refusal would be done for the first time
        more = _edits(sources, other) if other is not None else None
        if more is None:
            return Fix(Applicability.DISPLAY, "await it", (), _HALF)
        edits += more
    if _opens_transaction(*found):
        return Fix(Applicability.DISPLAY, "await it", (), _TRANSACTION)
    risk = _risk(sources, intent, *found, paths)
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, "await it" if not intent.rest else _ALL, tuple(edits), risk)


def _found(sources: Sources, intent: AwaitStatement) -> tuple[Statement, cst.BaseExpression] | None:
    """Returns the expression that waits, None if it is none of an asynchronous function."""
    statement = sources.statement(intent.site)
    node = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    function = statement.function(node) if statement is not None and node is not None else None
    if statement is None or node is None or not isinstance(function, cst.FunctionDef) or function.asynchronous is None:
        return None
    return statement, node


def _opens_transaction(statement: Statement, node: cst.BaseExpression) -> bool:
    """Whether the function around an expression has a `with transaction.atomic():`, or a cursor, of its own."""
    function = statement.function(node)
    blocks = statement.within(function, cst.With) if function is not None else ()
    managers = (item.item for block in blocks if block.asynchronous is None and statement.function(block) is function for item in block.items)
    return any(last_name(manager.func if isinstance(manager, cst.Call) else manager) in _OPENING for manager in managers)


def _edits(sources: Sources, intent: AwaitStatement) -> list[Edit] | None:
    file, found = sources.file(intent.site), _found(sources, intent)
    if file is None or found is None:
        return None
    return _awaited(file, *found, intent.method) if intent.method else _walked(file, *found)


def _risk(sources: Sources, intent: AwaitStatement, statement: Statement, node: cst.BaseExpression, paths: Iterable[str]) -> str:
    """Returns why something else may come of the statement so far than an error, or of the function from now on; "" if it cannot."""
    risk = _risk_alone(sources, intent, statement, node)
    others = ((other, _found(sources, other)) for other in intent.rest if other is not None)
    if not risk and not all(found is not None and not _risk_alone(sources, other, *found) for other, found in others):
        return _REST
    named = sources.found(_PERMITTING, paths) if not risk else ""
    return _PERMITTED.format(named) if named else risk


def _risk_alone(sources: Sources, intent: AwaitStatement, statement: Statement, node: cst.BaseExpression) -> str:
    if is_handled(statement, node):
        return HANDLED
    above = statement.parent(node)
    whole = statement.parent(above) if isinstance(above, cst.CompFor) else node
    if not isinstance(above, cst.For) and not (isinstance(whole, cst.BaseExpression) and _is_statement(statement, whole)):
        return _LARGER
    return "" if _is_sent(sources, intent, node) else _NOT_SENT


def _is_sent(sources: Sources, intent: AwaitStatement, node: cst.BaseExpression) -> bool:
    """Whether a statement is surely sent: not for rows that are known to be none, `filter(pk__in=[])`."""
    query = intent.query
    if intent.method in _ROWS_SENT:
        return isinstance(node, cst.Call) and all(not argument.star and (argument.keyword is None or _names_some(argument)) for argument in node.args)
    if intent.method and intent.method not in _ALWAYS_SENT:
        return False
    return query is None or all(_asks_for_rows(sources, way, intent.site) for way in query.every_way())


def _names_some(argument: cst.Arg) -> bool:
    """Whether an argument is a list with something in it: `update_fields=["pages"]`."""
    return isinstance(argument.value, (cst.List, cst.Tuple)) and any(isinstance(each, cst.Element) for each in argument.value.elements)


def _asks_for_rows(sources: Sources, query: QueryObject, site: Site) -> bool:
    if not query.complete or query.raw or query.combined or query.sliced or query.has("none", "in_bulk", CHANGED):
        return False
    if any(re.search(r"(?:^|__)in(?:__not)?$", name) for name in query.filters):
        return False
    calls = [call for place in {query.site, *query.steps, site} for method in _CHOOSING for call in calls_of(sources, place, method)]
    return all(argument.keyword is not None and not argument.star for call in calls for argument in call.args)


def _awaited(file: SourceFile, statement: Statement, node: cst.BaseExpression, method: str) -> list[Edit] | None:
    match node:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=name) as attribute)) if name == method and _may_wait(statement, node):
            start, end = statement.outer(node)
            before = file.text[start - 1 : start]
            glued = " " if before.isalnum() or before == "_" else ""
            edits = [file.insert(start, f"{glued}await "), file.insert(statement.span(attribute)[0], "a")]
            if isinstance(statement.parent(node), (cst.Attribute, cst.Call, cst.Subscript)):  # `await` binds less than `.title`
                edits = [file.insert(start, f"{glued}(await "), edits[1], file.insert(end, ")")]
            return edits
        case _:
            return None


def _walked(file: SourceFile, statement: Statement, node: cst.BaseExpression) -> list[Edit] | None:
    above = statement.parent(node)
    whole = statement.parent(above) if above is not None else None
    match above:
        case cst.For(iter=rows, asynchronous=None) if rows is node:
            start = statement.span(above)[0]
        case cst.CompFor(iter=rows, asynchronous=None) if rows is node and isinstance(whole, (cst.ListComp, cst.SetComp, cst.DictComp)):
            if whole.for_in is not above or not _may_wait(statement, whole):
                return None
            start = statement.span(above)[0]
        case _:
            return None
    start += len(file.text[start:]) - len(file.text[start:].lstrip())
    return [file.insert(start, "async ")] if file.text.startswith("for", start) else None


def _may_wait(statement: Statement, node: cst.BaseExpression) -> bool:
    """Whether an expression may stand behind `await`, or be a comprehension that waits, where it stands."""
    for above in statement.ancestors(node):
        match above:
            case cst.FunctionDef():
                return True
            case cst.GeneratorExp() | cst.FormattedString() | cst.Lambda() | cst.Await() | cst.Decorator() | cst.Param():
                return False
    return False


def _is_statement(statement: Statement, node: cst.BaseExpression) -> bool:
    """Whether an expression is all that a statement does, but for what it gives the value to."""
    match statement.parent(node):
        case cst.Assign() | cst.AnnAssign() | cst.Expr() | cst.Return():
            return True
        case _:
            return False
