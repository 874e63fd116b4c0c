"""Rows of SQLAlchemy that the identity map of the session may hold: read by their key, they cost no statement.

select(Bill).options(selectinload(Bill.owers))     bill.payer is a person too, and mostly one of those who owe
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.link.schema import Kind, Model, Orm
from ormlint.run.log import Event, LoadKind, LoadPlan


def may_be_held(event: Event) -> bool:
    """Whether the row that a many-to-one leads to may be among those that the query of its owner loads along for another relation."""
    relation = event.relation
    if event.orm is not Orm.SQLALCHEMY or event.row is None or relation is None or relation.kind is not Kind.FOREIGN_KEY:
        return False
    return any(model is relation.target for model in _loaded_along(event.row.query.plan, event.row.query.model))


def _loaded_along(plan: LoadPlan, model: Model | None) -> Iterator[Model]:
    """Yields the models of which a query loads rows for its relations."""
    for name, entry in plan.loaded.items():
        relation = model.relation(name) if model is not None else None
        target = relation.target if relation is not None else None
        if target is None or entry.kind not in (LoadKind.JOIN, LoadKind.SEPARATE):
            continue
        yield target
        yield from _loaded_along(entry.plan, target)
