"""What the conditions of a query tell about the columns of its rows.

for task in Task.objects.filter(state=OPEN, assigned_to=None):
    if task.state == CLOSED: …          is never reached
    task.assigned_to                    costs no query: it is None
"""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.library import columns
from ormlint.link.schema import Column, Kind, Model
from ormlint.run.log import QueryObject
from ormlint.run.parts import Literal, Pin
from ormlint.run.values import Constant, Row, Sequence, Unknown, Value, deps_of, options

LOOKUP = "__"
_DEEPEST = 8  # relations on the way to rows that are noted as altered
_OWN_KEY = (Kind.FOREIGN_KEY, Kind.ONE_TO_ONE)


def pins_of(query: QueryObject, node: ir.Call, method: str, keywords: dict[str, Value]) -> tuple[Pin, ...]:
    """Returns the pins of a query after a call of `filter()`, `get()` or `exclude()`, those that it had before included."""
    if query.model is None or query.combined or (method == "exclude" and len(node.args) + len(keywords) > 1):
        # `exclude(state=OPEN, urgent=True)` leaves out the rows for which both hold
        return query.pins
    found = [pin for lookup, value in keywords.items() if (pin := _pin(query.model, lookup, value, excludes=method == "exclude"))]
    return (*query.pins, *found) if found else query.pins


def _pin(model: Model, lookup: str, value: Value, *, excludes: bool) -> Pin | None:
    parts = lookup.split(LOOKUP)
    kind = parts.pop() if len(parts) > 1 and parts[-1] in ("in", "exact", "isnull") else "exact"
    values = _literals(value, kind)
    if values is None:
        return None
    among = not excludes
    if kind == "isnull":
        among, values = bool(values[0]) is among, (None,)
    *path, name = parts
    for hop in path:
        relation = model.relations.get(hop)
        if relation is None or not relation.to_one or relation.target is None:
            return None
        model = relation.target
    relation = model.relations.get(name)
    if relation is not None:
        return Pin(tuple(path), name, (None,), among) if relation.kind in _OWN_KEY and values == (None,) else None
    column = model.columns.get(name)
    if column is None or not all(_is_kept(column, each) for each in values):
        return None
    return Pin(tuple(path), name, values, among)


def _literals(value: Value, kind: str) -> tuple[Literal, ...] | None:
    """Returns the values that a lookup compares with, None if not all are known."""
    if kind != "in":
        return (value.value,) if isinstance(value, Constant) else None
    if not isinstance(value, Sequence) or value.items is None:
        return None
    items = [item.value for item in value.items if isinstance(item, Constant)]
    if len(items) < len(value.items):
        return None
    return tuple(item for item in items if item is not None) or None  # Django leaves None out of a list


def _is_kept(column: Column, value: Literal) -> bool:
    """Whether a row has a value that a column is compared with as it is written, and not converted: `filter(number="3")` finds the number 3."""
    match value:
        case None:
            return True
        case bool():
            return column.type in columns.TRUTH_VALUES
        case str():
            return column.type in columns.TEXTS
        case int():
            return column.type in columns.INTEGERS
        case _:
            return False


def pinned(row: Row, name: str) -> Value | None:
    """Returns what is known of a column of a row, None if nothing is."""
    if name in row.assigned:
        return None
    among: tuple[Literal, ...] = ()
    never: set[Literal] = set()
    own = row.origin
    asked = () if own is None else tuple(pin for pin in own.query.pins if pin.path == own.path)
    for pin in (*asked, *row.known):
        if pin.name == name:
            if pin.among:
                among = pin.values
            else:
                never.update(pin.values)
    if len(among) == 1:
        return Constant(among[0])
    told = Unknown(deps_of(row), never=frozenset(map(Constant, never)), among=frozenset(map(Constant, among)))
    return told if among or never else None


def is_none(row: Row, name: str) -> bool:
    """Whether a relation to one leads nowhere for every row of the query that a row came from."""
    return pinned(row, name) == Constant(None)


def unpin(row: Row, name: str) -> None:
    """Forgets what was known of a column that the program assigns to rows of a query."""
    query = row.origin.query if row.origin is not None else None
    if query is not None and query.pins:
        relations = row.model.relations.values()  # `helper = …` changes `helper_id`, and the other way round
        keys = {name, *(r.attname for r in relations if r.name == name), *(r.name for r in relations if r.attname == name)}
        query.pins = tuple(pin for pin in query.pins if pin.name not in keys)


def unpin_all(row: Row) -> None:
    """Forgets what was known of the columns of rows of a query, one of which the program is about to change: `setattr(task, name, value)`."""
    if row.origin is not None:
        row.origin.query.pins = ()


def note_alteration(row: Row) -> None:
    """Notes that an attribute of a row is assigned, for its query and for that of the rows which it is read of: `for task in ward.tasks.all()`."""
    query, path = (row.origin.query, row.origin.path) if row.origin is not None else (None, ())
    while query is not None and path not in query.altered and len(path) <= _DEEPEST:
        query.altered.add(path)
        owner, relation = query.owner, query.relation
        if owner is None or relation is None:
            return
        query, path = owner.query, (*owner.path, relation.name, *path)


def compared(op: str, left: Value, right: Value) -> bool | None:
    """Returns what a comparison with constants gives, None if that is not known."""
    match op:
        case "==" | "is" | "!=" | "is not":
            asked: tuple[Value, ...] = (right,)
            if isinstance(left, Constant):
                left, asked = right, (left,)
        case "in" | "not in" if isinstance(right, Sequence) and right.items:
            asked = right.items
        case _:
            return None
    values = [item.value for item in asked if isinstance(item, Constant)]
    if len(values) < len(asked):
        return None
    answers = {_is_among(option, values) for option in options(left)}
    answer = answers.pop()
    return None if answers or answer is None else answer is (op in ("==", "is", "in"))


def _is_among(value: Value, values: list[Literal]) -> bool | None:
    match value:
        case Constant():
            return value.value in values
        case Unknown() if value.among:
            within = {each.value in values for each in value.among}
            return within.pop() if len(within) == 1 else None
        case Unknown():
            return False if {each.value for each in value.never}.issuperset(values) else None
        case _:
            return None
