"""Subscripts: `value[index]` and `value[a:b]`."""

from __future__ import annotations

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, External
from ormlint.link.schema import Orm
from ormlint.run.evaluate import evaluate
from ormlint.run.frame import Frame
from ormlint.run.log import Bound, Loop, QueryObject, UseKind
from ormlint.run.machine import Machine
from ormlint.run.merging import join_values
from ormlint.run.queries import element_of_query, evaluate_query, refined, single_row
from ormlint.run.values import (
    EMPTY,
    UNKNOWN,
    Constant,
    Instance,
    Mapping,
    Row,
    Sequence,
    Union,
    Unknown,
    Value,
    any_entry,
    deps_of,
    element_of,
    entry_name,
    varying,
)


def subscript(m: Machine, f: Frame, node: ir.Index, value: Value) -> Value:
    """Returns what `value[index]` is."""
    if isinstance(value, Union):
        found = subscript(m, f, node, value.options[0])
        for option in value.options[1:]:
            found = join_values(m, found, subscript(m, f, node, option))
        return found
    if isinstance(value, QueryObject):
        return _query(m, f, node, value)
    index = evaluate(m, f, node.index)
    match value:
        case Sequence():
            return _sequence(m, f, node, value, index)
        case Mapping():
            name = entry_name(index)
            if name is not None and name in value.known:
                return value.known[name]
            found_ = any_entry(value) if name is None else value.element
            return entry(f, found_ if found_ is not None else UNKNOWN, index)
        case External() if value.path.endswith((".config", ".extensions")) and isinstance(index, Constant) and isinstance(index.value, str):
            from ormlint.run.application_values import application_value

            kept = application_value(m, value, index.value)
            return kept if kept is not None else value
        case ClassInfo() | External():
            return value
        case Instance():
            from ormlint.run.stand_ins import item_of

            return item_of(m, f, node, value, index)
        case _:
            return varying((value, index))


def entry(f: Frame, found: Value, index: Value, varies: frozenset[int] = EMPTY) -> Value:
    """Returns an element looked up by an index: another one per round if the index or what is looked into varies with a loop, else one.

    # `found = [book for book in books if book.title]`, and then `found[0].author`, but `for group in groups.values(): group[0].author`
    """
    deps = deps_of(index)
    if isinstance(found, Row) and deps:
        loops = tuple(loop for loop in f.loops if loop.id in deps)
        return replace(found, births=loops or found.births)
    if isinstance(found, Row) and found.births and (isinstance(index, Constant) or not f.loops):
        return _met_now(f, found, varies)
    if isinstance(found, Unknown):
        return Unknown(found.deps | deps)
    return found


def _met_now(f: Frame, row: Row, varies: frozenset[int]) -> Row:
    """Returns a row as it is met behind the loops that have ended: those that went to collect it do not repeat what is done to it.

    # `while queue: book = queue[0]` meets another one per round all the same
    """
    if any(loop.kind == "while" for loop in f.loops):
        return row
    running: dict[int, Loop] = {}
    frame: Frame | None = f
    while frame is not None:
        running.update((loop.id, loop) for loop in frame.loops)
        frame = frame.caller
    kept = [loop for loop in row.births if loop.id < 0 or loop.id in running]
    return replace(row, births=(*kept, *(loop for number, loop in running.items() if number in varies and loop not in kept)))


def _sequence(m: Machine, f: Frame, node: ir.Index, value: Sequence, index: Value) -> Value:
    if isinstance(node.index, ir.Slice):
        if value.source is not None:
            m.use(f, value, UseKind.INDEX, node)
        limit = node.index.upper.value if isinstance(node.index.upper, ir.Const) and isinstance(node.index.upper.value, int) else None
        stepped = node.index.upper is not None and bool(deps_of(varying([index])))
        bound = min(value.bound, Bound.PAGE) if f.module.is_library and value.items is None else value.bound  # what a framework cuts is a page
        return Sequence(
            value.kind,
            element_of(value),
            bound=Bound.FEW if limit is not None else bound,
            limit=limit,
            source=value.source,
            deps=value.deps | deps_of(index),
            batches=value.batches or stepped,
        )
    if value.source is not None:
        m.use(f, value, UseKind.INDEX, node, constant=index.value if isinstance(index, Constant) else None)
    if value.items is not None and isinstance(index, Constant) and isinstance(index.value, int):
        at = index.value
        if -len(value.items) <= at < len(value.items):
            return value.items[at]
    return entry(f, element_of(value), index, value.deps)


def _query(m: Machine, f: Frame, node: ir.Index, query: QueryObject) -> Value:
    if isinstance(node.index, ir.Slice):
        return _slice(m, f, node, query)
    index = evaluate(m, f, node.index)
    m.use(f, query, UseKind.INDEX, node, constant=index.value if isinstance(index, Constant) else None)
    if query.cached or query in f.evaluated or query.style in ("list", "result"):
        return entry(f, element_of_query(m, query), index)
    source = replace(query, uses=[], heirs=[])
    m.new_query(f, source)
    row = m.rows_of.get(query)
    if row is not None:
        m.rows_of[source] = row
    return single_row(m, f, node, source, "[]", deps_of(index))


def _slice(m: Machine, f: Frame, node: ir.Index, query: QueryObject) -> Value:
    assert isinstance(node.index, ir.Slice)
    lower = evaluate(m, f, node.index.lower) if node.index.lower is not None else Constant(0)
    upper = evaluate(m, f, node.index.upper) if node.index.upper is not None else None
    bound, limit = query.bound, query.limit
    if isinstance(upper, Constant) and isinstance(upper.value, int) and isinstance(lower, Constant) and isinstance(lower.value, int):
        limit = max(upper.value - lower.value, 0) if upper.value >= 0 else None
        if limit is not None:
            bound = Bound.ONE if limit <= 1 else Bound.FEW if limit <= 10 else Bound.PAGE
    elif upper is not None:
        bound, limit = min(query.bound, Bound.PAGE), None
    parameters = query.parameters | deps_of(lower) | (deps_of(upper) if upper is not None else frozenset())
    cached = query.cached or query in f.evaluated
    in_memory = query.style in ("list", "result") if query.orm is Orm.SQLALCHEMY else cached
    where = f.site(node.start, node.end) if not isinstance(lower, Constant) and not in_memory else None
    paged = query.site if f.module.is_library else where  # what a framework cuts is a page
    sliced = refined(m, f, node, query, "[:]", sliced=True, bound=bound, limit=limit, parameters=parameters, cached=cached, paged=paged)
    if node.index.step is not None or query.orm is Orm.SQLALCHEMY:
        if query.style in ("query", "queryset", "related"):
            evaluate_query(m, f, sliced, node, UseKind.ITERATE)
            return Sequence("list", element_of_query(m, sliced), bound=bound, limit=limit, source=sliced)
    return sliced
