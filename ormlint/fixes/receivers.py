"""Whether an expression is a query on every way: `.count()` and `.exists()` take the place of functions that take more than queries.

def show(books=None):          a caller may give None, a list, or somebody else's query that has no `exists()`
    if books: …
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ormlint.fixes.chain import chain_of, last_name
from ormlint.fixes.orders import risk_of_lost_rows
from ormlint.fixes.source import Sources
from ormlint.fixes.statement import Function, Statement
from ormlint.fixes.variables import bindings
from ormlint.library.functions import MEMOISING
from ormlint.library.querysets import LAZY
from ormlint.link.schema import Orm
from ormlint.run.log import QueryObject, UseKind
from ormlint.text import Site

GIVEN = "callers may give something else than a query"
KEPT = "a function keeps the query, whose rows are then loaded once for all who ask for it"
EITHER = "something else than the query may stand there"
OWN_ANSWERS = "its class says itself what its truth, its number or its rows are"
_TESTS = (UseKind.LEN, UseKind.TRUTH)
_OWN = ("self", "cls")
_CLONING = LAZY - {"get_queryset", "raw", "iterator", "_clone", "_chain"}
_CACHES = frozenset({"_result_cache", "_prefetched_objects_cache"})
_QUERY = ("QuerySet", "Query")


def risk_of_another_value(sources: Sources, statement: Statement, node: cst.BaseExpression, query: QueryObject) -> str:
    """Returns why something else than a query of one use may stand in an expression's place, or its rows be fewer than those asked for, "" if not."""
    return risk_of_another_query(sources, statement, node, query) or risk_of_lost_rows(query)


def risk_of_another_query(sources: Sources, statement: Statement, node: cst.BaseExpression, query: QueryObject) -> str:
    """Returns why something else than a query of one use, with Django's own answers, may stand in an expression's place, "" if not."""
    if not all(way.plain for way in query.every_way()):
        return OWN_ANSWERS
    if any(_is_kept(sources, site, statement.function(node)) for site in (query.site, *query.trail)):
        return KEPT
    if any(use.either for use in query.all_uses() if use.kind in _TESTS):
        return EITHER
    return GIVEN if may_be_given(statement, node, statement.function(node)) else ""


def is_list(query: QueryObject, test: Site) -> bool:
    """Whether it is a list that another place has made of a query's rows that is counted or tested: it has neither `count()` nor `exists()`."""
    uses = list(query.all_uses())
    made = [use.site for use in uses if use.kind is UseKind.ITERATE or (use.kind is UseKind.DERIVE and use.operator in ("list", "tuple"))]
    return any(use.listed for use in uses if use.kind in _TESTS) and not (made and all(test.encloses(site) for site in made))


def is_new_queryset(value: cst.BaseExpression) -> bool:
    """Whether an expression that gives a queryset makes one that nobody else has: it ends with a method that clones."""
    match value:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=method))):
            return method in _CLONING
        case cst.Subscript(value=whole, slice=[cst.SubscriptElement(slice=cst.Slice())]):
            return is_new_queryset(whole)
        case cst.IfExp(body=one, orelse=other):
            return is_new_queryset(one) and is_new_queryset(other)
        case _:
            return False


def is_surely_queryset(statement: Statement, node: cst.BaseExpression) -> bool:
    """Whether an expression that may be a queryset is one on every way: one is made there, or wherever its variable is bound."""
    if not isinstance(node, cst.Name):
        return is_new_queryset(node)
    scope = statement.function(node)
    if not isinstance(scope, cst.FunctionDef):
        return False
    values = list(assigned(statement, scope, node.value))
    return bool(values) and len(values) == len(list(bindings(statement, scope, node.value))) and all(is_new_queryset(value) for value in values)


def reads_caches(statement: Statement, scope: cst.CSTNode) -> bool:
    """Whether code looks at the rows that querysets keep, which are nobody's business."""
    return any(attribute.attr.value in _CACHES for attribute in statement.within(scope, cst.Attribute))


def is_stream(query: QueryObject) -> bool:
    """Whether what a program has is an iterator over the rows of a queryset, which has no method of one."""
    return query.orm is Orm.DJANGO and query.has("iterator", "aiterator")


def before_stream(rows: cst.BaseExpression) -> cst.BaseExpression:
    """Returns the queryset of `queryset.iterator(…)`, any other expression as it is."""
    match rows:
        case cst.Call(func=cst.Attribute(value=queryset, attr=cst.Name(value="iterator"))):
            return queryset
        case _:
            return rows


def _is_kept(sources: Sources, site: Site, user: Function | None) -> bool:
    """Whether the function that makes or returns a query at a place keeps what it gives to the one that uses it."""
    statement = sources.statement(site)
    node = statement.expression(site.start, site.end) if statement is not None else None
    function = statement.function(node) if statement is not None and node is not None else None
    if not isinstance(function, cst.FunctionDef) or function is user:
        return False
    names = (each.decorator.func if isinstance(each.decorator, cst.Call) else each.decorator for each in function.decorators)
    return any(last_name(name) in MEMOISING or "memo" in last_name(name) or "cache" in last_name(name) for name in names)


def may_be_given(statement: Statement, node: cst.BaseExpression, function: Function | None, seen: frozenset[str] = frozenset()) -> bool:
    """Whether an expression is a parameter of the function around it, or made from one in a way that tells nothing of what it is."""
    match node:
        case cst.Name(value=name):
            return name not in seen and _is_given(statement, name, function, seen | {name})
        case cst.BooleanOperation(left=left, right=right):
            return any(may_be_given(statement, part, function, seen) for part in (left, right))
        case cst.IfExp(body=body, orelse=orelse):
            return any(may_be_given(statement, part, function, seen) for part in (body, orelse))
        case cst.NamedExpr(value=value) | cst.Await(expression=value):
            return may_be_given(statement, value, function, seen)
        case cst.Call(func=cst.Attribute()) | cst.Subscript() | cst.Attribute():
            chain = chain_of(statement, node)
            direct = not any(link.is_attribute for link in chain.links[: chain.inner])  # `book.tags.all()` asks for rows of a row
            return direct and isinstance(chain.root, cst.Name) and may_be_given(statement, chain.root, function, seen)
        case _:
            return False


def _is_given(statement: Statement, name: str, function: Function | None, seen: frozenset[str]) -> bool:
    while function is not None:
        parameter = next((each for each in statement.within(function.params, cst.Param) if each.name.value == name), None)
        if parameter is not None:
            return name not in _OWN and not _is_query(parameter.annotation)
        values = list(assigned(statement, function, name))
        if values:
            return any(may_be_given(statement, value, function, seen) for value in values)
        function = statement.function(function)
    return False


def _is_query(annotation: cst.Annotation | None) -> bool:
    """Whether a parameter is declared to be a query, and nothing else: `books: QuerySet[Book]`."""
    node = annotation.annotation if annotation is not None else None
    if isinstance(node, cst.Subscript):
        node = node.value
    match node:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name.endswith(_QUERY)
        case _:
            return False


def assigned(statement: Statement, function: cst.CSTNode, name: str) -> Iterator[cst.BaseExpression]:
    """Yields the values that a function assigns to a name."""
    yield from (node.value for node in statement.within(function, cst.Assign) if any(_is_name(target.target, name) for target in node.targets))
    yield from (node.value for node in statement.within(function, cst.AnnAssign) if _is_name(node.target, name) and node.value is not None)
    yield from (node.value for node in statement.within(function, cst.NamedExpr) if _is_name(node.target, name))


def _is_name(node: cst.BaseExpression, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name
