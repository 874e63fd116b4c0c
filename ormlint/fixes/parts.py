"""Rows that a loop looks at one by one are fetched in parts.

for book in Book.objects.all():                  for book in Book.objects.iterator(chunk_size=2000):
for book in session.query(Book).all():           for book in session.query(Book).yield_per(1000):
for book in session.scalars(select(Book)):       for book in session.scalars(select(Book).execution_options(yield_per=1000)):
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import Chain, chain_of, insert_links
from ormlint.fixes.guards import calls_of
from ormlint.fixes.origins import is_for_nothing, list_for_alone, origin
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import is_used_later
from ormlint.fixes.walked import gives_queryset
from ormlint.judge.finding import Applicability, Fix, WalkParts
from ormlint.link.schema import Model, Orm
from ormlint.run.log import LoadKind, LoadPlan, QueryObject
from ormlint.text import Edit

_DESCRIPTION = "fetch the rows in parts"
_LATER = "a row is seen as it is when its part is fetched, and the query stays open as long as the loop runs"
_ALONE = "before Django 5.0 `aiterator()` prefetches nothing"
_REPEATING = frozenset({"subqueryload", "lazy=subquery"})  # loaders that send the query once more
_LISTING = frozenset({"all", "list", "tuple"})
_ANYTHING = frozenset({"object", "Any", "Iterable"})  # annotations of a variable that may have a list or a query
_RUN = frozenset({"scalars", "execute"})


def walk_parts(sources: Sources, intent: WalkParts) -> Fix | None:
    """Returns the fix, None if a loop does not walk the query itself, or it cannot be fetched in parts as it is."""
    file, statement, query = sources.file(intent.site), sources.statement(intent.site), intent.query
    rows = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or rows is None or query.ways or not query.plain or query.locked or query.asynchronous:
        return None
    whole = rows
    if isinstance(rows, cst.NamedExpr):
        rows = rows.value
    match statement.parent(whole):
        case cst.For(iter=walked, asynchronous=waits) if walked is whole and (waits is None or query.orm is Orm.DJANGO):
            pass
        case _:
            return None
    if query.orm is Orm.DJANGO:
        edits = _in_django(sources, file, statement, rows, whole, intent, "iterator" if waits is None else "aiterator")
    elif _needs_all(query.plan, query.model) or any(next(calls_of(sources, site, "unique"), None) for site in (query.site, intent.site)):
        return None
    elif query.style == "query":
        edits = _of_query(sources, file, statement, rows, whole, intent)
    else:
        edits = _of_select(file, statement, rows, query, intent)
    return Fix(Applicability.UNSAFE, _DESCRIPTION, tuple(edits), _LATER if waits is None else f"{_LATER}; {_ALONE}") if edits is not None else None


def _needs_all(plan: LoadPlan, model: Model | None) -> bool:
    """Whether a relation is loaded along in a way that goes with all rows only: a collection that is joined, or any that repeats the query."""
    for name, loaded in plan.loaded.items():
        relation = model.relations.get(name) if model is not None else None
        joined = loaded.kind is LoadKind.JOIN and (relation is None or not relation.to_one)
        if joined or loaded.method in _REPEATING or _needs_all(loaded.plan, relation.target if relation is not None else None):
            return True
    return False


def _in_django(
    sources: Sources, file: SourceFile, statement: Statement, rows: cst.BaseExpression, whole: cst.BaseExpression, intent: WalkParts, method: str
) -> list[Edit] | None:
    if not gives_queryset(sources, statement, rows, intent.query) or (isinstance(rows, cst.Name) and is_used_later(statement, rows)):
        return None
    prefetches = any(loaded.kind is LoadKind.SEPARATE for loaded in intent.query.plan.loaded.values())
    if prefetches and (not intent.prefetches or method == "aiterator"):
        return None
    code = f"{method}({intent.chunk})"
    if whole is not rows:
        return [file.insert(statement.outer(whole)[1], f".{code}")] if whole.lpar and is_for_nothing(statement, whole) else None
    chain = chain_of(statement, rows)
    last = chain.links[chain.inner - 1] if chain.inner else None
    if last is not None and last.name == "all" and last.call is not None and not last.call.args and isinstance(last.call.func, cst.Attribute):
        return [file.edit(statement.span(last.call.func.attr)[0], statement.span(last.call)[1], code)]
    return insert_links(file, statement, chain, chain.inner, [f".{code}"])


def _of_query(
    sources: Sources, file: SourceFile, statement: Statement, rows: cst.BaseExpression, whole: cst.BaseExpression, intent: WalkParts
) -> list[Edit] | None:
    """Returns the edits for `session.query(Book)`, in the head of the loop or where its list is made for the loop alone."""
    made = origin(sources, file, statement, rows, intent.query)
    if made is None or not intent.query.complete:
        return None
    method = f"yield_per({intent.chunk})"
    chain = chain_of(statement, rows)
    own = {link.name for link in chain.links[: chain.inner]}
    if made.methods.isdisjoint(_LISTING - own):
        if whole is not rows and "all" not in own:
            return [file.insert(statement.outer(whole)[1], f".{method}")] if whole.lpar else None
        if whole is not rows and not is_for_nothing(statement, whole):
            return None
        return _behind(file, statement, chain, method) if chain.inner == len(chain.links) else None
    value = list_for_alone(statement, rows, made, _ANYTHING)
    return _behind(file, statement, chain_of(statement, value), method) if value is not None else None


def _behind(file: SourceFile, statement: Statement, chain: Chain, code: str) -> list[Edit]:
    """Returns the edits that end a chain in a method; a last `.all()`, which makes a list, gives way to it."""
    last = chain.links[chain.inner - 1] if chain.inner else None
    if last is not None and last.name == "all" and last.call is not None and isinstance(last.call.func, cst.Attribute):
        return [file.edit(statement.span(last.call.func.attr)[0], statement.span(last.call)[1], code)]
    return insert_links(file, statement, chain, chain.inner, [f".{code}"])


def _of_select(file: SourceFile, statement: Statement, rows: cst.BaseExpression, query: QueryObject, intent: WalkParts) -> list[Edit] | None:
    """Returns the edits for `session.scalars(stmt)` and `session.execute(stmt).scalars()`, with or without `.all()`."""
    edits: list[Edit] = []
    node = rows
    match node:
        case cst.Call(func=cst.Attribute(value=receiver, attr=cst.Name(value="all")), args=[]):
            start, end = statement.outer(receiver)[1], statement.span(node)[1]
            if "#" in file.text[start:end]:
                return None
            edits.append(file.edit(start, end, ""))
            node = receiver
        case _:
            pass
    match node:
        case cst.Call(func=cst.Attribute(value=cst.Call() as receiver, attr=cst.Name(value="scalars")), args=[]):
            node = receiver
        case _:
            pass
    match node:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=method)), args=[cst.Arg(value=selected, star="", keyword=None)]) if method in _RUN:
            pass
        case _:
            return None
    chain = chain_of(statement, selected)
    if chain.inner != len(chain.links) or not isinstance(chain.root, (cst.Name, cst.Call, cst.NamedExpr)):
        return None
    return [*edits, *insert_links(file, statement, chain, chain.inner, [f".execution_options(yield_per={intent.chunk})"])]
