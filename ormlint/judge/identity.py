"""Rows of SQLAlchemy that the identity map of the session may hold: read by their key, they cost no statement.

select(Bill).options(selectinload(Bill.owers))     bill.payer is a person too, and mostly one of those who owe
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.judge.eager import path_of, relations_along
from ormlint.link.schema import Kind, Model, Orm
from ormlint.run.log import Event, LoadKind, LoadPlan, QueryObject


def may_be_held(event: Event) -> bool:
    """Whether the row that a relation leads to may be in the session already.

    It is the same for all rows of the query, or may be among those that the query loads along for another relation.
    """
    relation = event.relation
    if event.orm is not Orm.SQLALCHEMY or event.row is None or relation is None:
        return False
    if _is_the_same(event.row.query, path_of(event)) or _leads_back(event.row.query, path_of(event)):
        return True
    if relation.kind is not Kind.FOREIGN_KEY:
        return False
    if relation.target is event.row.query.model and len(path_of(event)) > 1:
        return True
    return any(model is relation.target for model in _loaded_along(event.row.query.plan, event.row.query.model))


def _is_the_same(query: QueryObject, path: tuple[str, ...]) -> bool:
    """Whether a path leads to one row from all rows of a query: it asks for those of one author, `where(Book.author_id == key)`."""
    hops = relations_along(query.model, path)
    if not hops or not all(hop.to_one for hop in hops) or hops[0].kind is not Kind.FOREIGN_KEY:
        return False
    first = hops[0]
    named = {first.attname, first.name} - {""}
    # columns of one name: `(city_id, number)` of a tram and of its line
    keys = [index.columns for index in first.target.indexes if index.unique and len(index.columns) > 1] if first.target is not None else []
    return bool(named & query.filters) or any(query.filters.issuperset(key) for key in keys)


def _leads_back(query: QueryObject, path: tuple[str, ...]) -> bool:
    """Whether the last hop of a path is the way back of the one before: `author.books`, `book.author`."""
    hops = relations_along(query.model, path)[-2:]
    return len(hops) == 2 and hops[1].kind is Kind.FOREIGN_KEY and (hops[0].inverse is hops[1] or hops[1].inverse is hops[0])


def _loaded_along(plan: LoadPlan, model: Model | None) -> Iterator[Model]:
    """Yields the models of which a query loads rows for its relations."""
    for name, entry in plan.loaded.items():
        relation = model.relation(name) if model is not None else None
        target = relation.target if relation is not None else None
        if target is None or entry.kind not in (LoadKind.JOIN, LoadKind.SEPARATE):
            continue
        yield target
        yield from _loaded_along(entry.plan, target)
