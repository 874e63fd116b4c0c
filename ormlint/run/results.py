"""SQLAlchemy: what a Query gives when it is evaluated, and the results of executed statements."""

from __future__ import annotations

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library import sqlalchemy_api as api
from ormlint.run.frame import Frame
from ormlint.run.log import Bound, Op, QueryObject, Shape, UseKind
from ormlint.run.machine import Machine
from ormlint.run.queries import around_row, element_of_query, evaluate_query, query_facts, refined, single_row, take_rows
from ormlint.run.recipes import is_repeatable, note_statement
from ormlint.run.values import NONE, UNKNOWN, Instance, Row, Scalar, Sequence, Value, deps_of, may_differ, varying


def evaluating(
    m: Machine, f: Frame, node: ir.Call, query: QueryObject, name: str, args: list[Value], keywords: dict[str, Value], parameters: frozenset[int]
) -> Value:
    """Calls a method of a Query that runs it, or that is not understood."""
    query.parameters |= parameters
    if name in ("all", "all_or_404"):
        evaluate_query(m, f, query, node, UseKind.DERIVE, operator="all")
        return Sequence("list", element_of_query(m, query), bound=query.bound, limit=query.limit, source=query)
    if name in api.ONE_ROW:
        m.use(f, query, UseKind.METHOD, node, operator=name)
        if query in m.counting:
            return counted(m, f, node, query, name)
        source = replace(query, uses=[], heirs=[])
        m.new_query(f, source)
        carry(m, query, source)
        return single_row(m, f, node, source, name, parameters)
    if name == "count":
        return counted(m, f, node, query, name)
    if name == "paginate":
        evaluate_query(m, f, query, node, UseKind.METHOD, operator=name)
        page = replace(query, uses=[], heirs=[], bound=Bound.PAGE, cached=True, paged=query.site)
        m.new_query(f, page)
        carry(m, query, page)
        return page_of(m, Sequence("list", element_of_query(m, page), bound=Bound.PAGE, source=page))
    row = m.rows_of.get(query)
    loops, foreign = around_row(f, row, tuple(f.loops))
    if name in ("update", "delete"):
        op = Op.UPDATE_ROWS if name == "update" else Op.DELETE_ROWS
        same = not any(deps_of(arg) or may_differ(arg) for arg in args) and all(is_repeatable(m, f, arg) for arg in node.args)
        m.event(f, op, node, loops=loops, method=name, absolute=foreign, constant=same and name == "update", **query_facts(query, row))
        return UNKNOWN
    if name in ("append", "add", "remove", "extend"):
        return NONE
    m.use(
        f,
        query,
        UseKind.DERIVE if name in ("exists", "subquery", "statement", "scalar_subquery", "cte", "as_scalar") else UseKind.ARGUMENT,
        node,
        operator=name,
    )
    return varying((query, *args))


def result_method(m: Machine, f: Frame, node: ir.Call, result: QueryObject, name: str) -> Value:
    """Calls a method of a Result: nothing more is sent."""
    if name == "scalars":
        models = m.entities.get(result)
        if models is not None and models and models[0] is not None:
            new = refined(m, f, node, result, name, shape=Shape.ROWS, model=models[0])
        elif models is not None:
            return refined(m, f, node, result, name)
        else:
            new = refined(m, f, node, result, name, shape=Shape.ROWS)
        _tuples(m, result, new, scalars=True)
        return new
    if name in ("unique", "tuples", "mappings", "yield_per", "columns", "freeze"):
        new = refined(m, f, node, result, name, shape=Shape.UNKNOWN if name == "mappings" else result.shape)
        _tuples(m, result, new, scalars=False)
        return new
    if name == "partitions":
        m.use(f, result, UseKind.ITERATE, node, operator=name)
        rows = Sequence("list", row_of_result(m, result), bound=Bound.PAGE, source=result)
        return Sequence("generator", rows, bound=result.bound, batches=True)
    if name in api.ROW_LISTS:
        m.use(f, result, UseKind.DERIVE, node, operator=name)
        take_rows(m, f, result, node, name)
        return Sequence("list", row_of_result(m, result), bound=result.bound, limit=result.limit, source=result)
    if name in api.ONE_ROW:
        m.use(f, result, UseKind.METHOD, node, operator=name)
        event = m.executed.get(_origin_of(m, result))
        if event is not None:
            event.op, event.method = Op.GET_ROW, name
            if result in m.counting or _origin_of(m, result) in m.counting:
                event.op = Op.COUNT
                return Scalar(event)
        scalar = name.startswith("scalar")
        one = refined(m, f, node, result, name, bound=Bound.ONE, limit=1)
        _tuples(m, result, one, scalars=False)
        element = row_of_result(m, one)
        if scalar and isinstance(element, Sequence) and element.items:
            element = element.items[0]
        return replace(element, births=tuple(f.loops), single=True) if isinstance(element, Row) else element
    m.use(f, result, UseKind.OTHER, node)
    return varying((result,))


def _tuples(m: Machine, old: QueryObject, new: QueryObject, *, scalars: bool) -> None:
    m.result_of[new] = _origin_of(m, old)
    if not scalars and old in m.entities:
        m.entities[new] = m.entities[old]
    if not scalars and old in m.wrapped:
        m.wrapped.add(new)


def _origin_of(m: Machine, result: QueryObject) -> QueryObject:
    return m.result_of.get(result, result)


def row_of_result(m: Machine, result: QueryObject) -> Value:
    """Returns one row of a result: an entity, or a tuple that holds it."""
    element = element_of_query(m, result)
    return Sequence("tuple", items=(element,)) if result in m.wrapped and isinstance(element, Row) else element


def carry(m: Machine, old: QueryObject, new: QueryObject) -> None:
    """Hands on what is known of the entities and the row of a query to one that stands for the same rows."""
    if old in m.rows_of:
        m.rows_of[new] = m.rows_of[old]
    if old in m.entities:
        m.entities[new] = m.entities[old]
    if old in m.entity_plans:
        m.entity_plans[new] = m.entity_plans[old]


def counted(m: Machine, f: Frame, node: ir.Call, query: QueryObject, name: str) -> Value:
    """Records that a query is counted and returns the number."""
    m.use(f, query, UseKind.METHOD, node, operator=name)
    row = m.rows_of.get(query)
    loops, foreign = around_row(f, row, tuple(f.loops))
    m.counters.queries.add(query.site)
    event = m.event(f, Op.COUNT, node, loops=loops, method=name, absolute=foreign, **query_facts(query, row))
    note_statement(f, event, query.recipe)
    return Scalar(event)


def page_of(m: Machine, items: Sequence) -> Value:
    """Returns a Flask-SQLAlchemy `Pagination` that holds one page of rows."""
    module = m.program.library.get("flask_sqlalchemy.pagination")
    if module is None:
        return items
    return Instance(module.classes["Pagination"], {"items": items}, initialised=True)
