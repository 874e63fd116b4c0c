"""Reads that end in an error: a relation that is not loaded, on a row for which nothing can be loaded any more.

`MissingGreenlet`: the row belongs to an AsyncSession and nobody awaits the read
`InvalidRequestError`: `raiseload()`, `lazy="raise"`

A program that does this stops there, so only what is certain is recorded: the query is known whole, no way to this place loads
the relation, and the row behind it cannot be in the session for another reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.link.schema import Kind, Model, Relation
from ormlint.run.frame import Frame
from ormlint.run.log import READS, Event, LoadKind, LoadPlan, Obstacle, Op, QueryObject
from ormlint.run.machine import Machine
from ormlint.run.queries import MAPPING_LOADS
from ormlint.run.values import Mapping, Row, Sequence, Union, Value, deps_of, options

MAX_HOPS = 4
FORBIDDING = frozenset({"raise", "raise_on_sql"})


def obstacle_to(m: Machine, row: Row) -> Obstacle | None:
    """Returns why a relation that the row lacks cannot be loaded here, or None if it can."""
    if row.detached is not None:
        return Obstacle.DETACHED
    if row.origin is None or not row.origin.query.asynchronous or row.awaited or m.greenlets:
        return None
    return Obstacle.ASYNCHRONOUS


def failed_load(m: Machine, f: Frame, node: ir.Node, row: Row, relation: Relation, obstacle: Obstacle) -> bool:
    """Records that reading a relation of a row fails, and returns True, if it is certain to."""
    origin = row.origin
    if origin is None or row.fresh or not origin.query.complete or m.greenlets or row.awaited:
        return False
    if obstacle is Obstacle.FORBIDDEN and (not origin.query.asynchronous or relation.lazy not in FORBIDDING):
        return False  # `raiseload()` where the rows are fetched: whoever reads them knows
    if relation.lazy in FORBIDDING:
        obstacle = Obstacle.FORBIDDEN
    if relation.lazy in MAPPING_LOADS and relation.lazy not in FORBIDDING:
        return False  # loaded with every row of the model, however deep the plan is followed
    shares = obstacle is not Obstacle.DETACHED  # without a session no other row of it is found
    if shares and relation.kind is Kind.FOREIGN_KEY and (asks_for(origin.query, relation) or meets(f, row, relation.target)):
        return False
    if is_at_hand(m, f, row, relation):
        return False
    m.event(
        f,
        Op.FAILED_LOAD,
        node,
        loops=row.births,
        model=relation.target,
        orm=row.model.orm,
        query=origin.query,
        row=origin,
        relation=relation,
        path=(*origin.path, relation.name),
        depends=deps_of(row),
        row_loops=row.births,
        absolute=any(loop not in f.loops for loop in row.births),
        certain=relation.name not in row.plan.loaded or obstacle is Obstacle.FORBIDDEN,
        obstacle=obstacle,
        since=row.detached,
        text="" if isinstance(node, ir.Attr) else f"{row.model.name.lower()}.{relation.name}",
    )
    return True


def asks_for(query: QueryObject, relation: Relation) -> bool:
    """Whether a query is for the rows of given targets of a many-to-one: who knows their keys has mostly loaded them.

    # select(Order).where(Order.customer_id == customer.id); what is not understood may do the same
    """
    return not query.filters.isdisjoint({"*", relation.attname, f"{relation.attname}__in", relation.name, f"{relation.name}__in"})


def meets(f: Frame, row: Row, model: Model | None) -> bool:
    """Whether a variable in reach holds a row of a model: it may be the very row that a many-to-one leads to.

    # user = await session.get(User, user_id); order = await session.get(Order, order_id); order.user
    """
    if model is None:
        return True
    return any(_holds(value, row, model) for frame in _in_reach(f) for value in list(frame.env.values()))


def _in_reach(f: Frame) -> Iterator[Frame]:
    """Yields a frame, those around its definition, and those that called them."""
    waiting: list[Frame | None] = [f]
    seen: set[int] = set()
    while waiting:
        frame = waiting.pop()
        if frame is not None and id(frame) not in seen:
            seen.add(id(frame))
            yield frame
            waiting += (frame.outer, frame.caller)


def _holds(value: Value, row: Row, model: Model) -> bool:
    match value:
        case Row():
            return value is not row and value.origin != row.origin and (_is_a(value.model, model) or _may_hold(value, model))
        case Sequence():
            items = value.items if value.items is not None else (value.element,)
            return any(_holds(item, row, model) for item in items if not isinstance(item, Sequence))
        case Mapping():
            return value.element is not None and _holds(value.element, row, model)
        case Union():
            return any(_holds(option, row, model) for option in options(value))
        case _:
            return False


def _may_hold(row: Row, model: Model) -> bool:
    """Whether rows of a model may have been loaded with a row of which it is not known how it was fetched."""
    return row.origin is None and not row.fresh and any(r.target is not None and _is_a(r.target, model) for r in row.model.relations.values())


def _is_a(model: Model, other: Model) -> bool:
    """Whether a row of one model may be one of the other: models of one inheritance hierarchy."""
    return _descends(model, other) or _descends(other, model)


def _descends(model: Model, ancestor: Model) -> bool:
    return model is ancestor or any(_descends(base, ancestor) for base in model.bases if not base.abstract)


def is_at_hand(m: Machine, f: Frame, row: Row, relation: Relation) -> bool:
    """Whether a query on the way here loads the relation, or what it leads to: rows are shared within a session, with all that is loaded on them.

    # await session.scalars(select(Order).where(Order.id.in_(ids)).options(selectinload(Order.lines)))
    """
    assert row.origin is not None
    source = row.origin.query
    if relation.kind is Kind.FOREIGN_KEY and _gives(source.model, source.plan, relation.target):
        return True
    for frame in _in_reach(f):
        events = [*frame.events, *(flat.event for called in frame.calls for flat in m.flatten(called.summary))]
        if any(_fetches(event, row.model, relation) for event in events):
            return True
        for query in {event.query for event in events if event.query is not None and event.op in READS}:
            if query.site != source.site and _loads(query.model, query.plan, row.model, relation.name):
                return True
            if relation.kind is Kind.FOREIGN_KEY and query.site != source.site and _gives(query.model, query.plan, relation.target, itself=True):
                return True
    return False


def _fetches(event: Event, model: Model, relation: Relation) -> bool:
    """Whether a relation of some row is loaded on its own: `await order.awaitable_attrs.lines`, `await session.refresh(order, ["lines"])`."""
    if event.op is Op.REFRESH:
        return event.model is None or (_is_a(event.model, model) and (relation.name in event.assigned or "*" in event.assigned))
    return event.op in (Op.LAZY_OBJECT, Op.LAZY_COLLECTION, Op.LOAD_ROWS) and event.relation is relation


def _gives(model: Model | None, plan: LoadPlan, target: Model | None, depth: int = 0, *, itself: bool = False) -> bool:
    """Whether rows of `target` come with those of `model` that are loaded along with `plan`."""
    if model is None or target is None or depth > MAX_HOPS:
        return False
    if itself and _is_a(model, target):
        return True
    hops = ((model.relations.get(hop), entry) for hop, entry in plan.loaded.items() if entry.kind is not LoadKind.RAISE)
    return any(relation is not None and _gives(relation.target, entry.plan, target, depth + 1, itself=True) for relation, entry in hops)


def _loads(model: Model | None, plan: LoadPlan, owner: Model, name: str, depth: int = 0) -> bool:
    """Whether rows of `model` that are loaded along with `plan` include rows of `owner` with a relation loaded."""
    if model is None or depth > MAX_HOPS:
        return False
    if name in plan.loaded and plan.loaded[name].kind is not LoadKind.RAISE and _is_a(model, owner):
        return True
    for hop, entry in plan.loaded.items():
        relation = model.relations.get(hop)
        if relation is not None and _loads(relation.target, entry.plan, owner, name, depth + 1):
            return True
    return False


__all__ = ["failed_load", "obstacle_to"]
