"""Association proxies of SQLAlchemy: attributes that read another one behind a relation.

class Order(Base):
    buyer_name = association_proxy("buyer", "name")      order.buyer_name reads order.buyer
    products = association_proxy("lines", "product")     order.products loads order.lines
"""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo
from ormlint.run.frame import Frame
from ormlint.run.machine import Machine
from ormlint.run.values import UNKNOWN, Row, Sequence, Value


def proxied(m: Machine, f: Frame, node: ir.Node, row: Row, cls: ClassInfo, name: str) -> Value | None:
    """Returns what an attribute of a row is if it is an association proxy, or None.

    What lies behind each row of a collection is read when the collection is walked, and of unknown provenance here.
    """
    from ormlint.run.attributes import attribute

    way = _way(cls, name)
    if way is None or way[0] not in row.model.relations:
        return None
    first, second = way
    value = attribute(m, f, node, row, first)
    if isinstance(value, Row):
        begun = len(f.events)
        found = attribute(m, f, node, value, second)
        for event in f.events[begun:]:
            event.through = first
        return found
    if not isinstance(value, Sequence):
        return UNKNOWN
    target = row.model.relations[first].target
    relation = target.relations.get(second) if target is not None else None
    if relation is None or relation.target is None or not relation.to_one:
        return Sequence("list", bound=value.bound, source=value.source)
    return Sequence("list", Row(relation.target, m.class_of(relation.target)), bound=value.bound, source=value.source)


def _way(cls: ClassInfo, name: str) -> tuple[str, str] | None:
    """Returns the relation and the attribute that a proxy names."""
    found = cls.find(name)
    stmt = found[1][-1] if found is not None else None
    call = stmt.value if isinstance(stmt, ir.Assign) else None
    if not isinstance(call, ir.Call) or len(call.args) < 2:
        return None
    if call.called != "association_proxy":
        return None
    texts = [arg.value for arg in call.args[:2] if isinstance(arg, ir.Const) and isinstance(arg.value, str)]
    return (texts[0], texts[1]) if len(texts) == 2 else None


__all__ = ["proxied"]
