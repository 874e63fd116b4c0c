"""Collections that a query of SQLAlchemy joins to its rows: what multiplies them, and what needs them made unique."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ormlint.judge.eager import relations_along
from ormlint.judge.finding import ReplaceLoader
from ormlint.judge.orders import is_ordered
from ormlint.link.schema import Kind, Model, Relation
from ormlint.run.log import Loaded, LoadKind, LoadPlan, QueryObject

MAPPING = "lazy="
_CUT = "the row has the first of its collection only"
_INNER = "a join with `innerjoin=True` leaves out rows, the limit is for the rows before it"
_TIED = "no order that ends with a key says which row comes first, and with a limit the database may send another one"
_NOTED = "the model does more than to give a row attributes where it is made, `__init__()`, `from_db()` or a signal, which would not happen"
_UNORDERED = "the limit chooses the row before the collection is joined, whose order may bring another row first so far"


@dataclass(frozen=True, slots=True)
class JoinedCollection:
    """A to-many relation at the end of a path of joins from a query's rows; `steps` are the loads of that path, outermost first."""

    path: tuple[str, ...]
    relation: Relation
    steps: tuple[Loaded, ...]

    @property
    def loaded(self) -> Loaded:
        """What asks for the collection."""
        return self.steps[-1]

    @property
    def by_mapping(self) -> bool:
        """Whether the mapping asks for it, and no option."""
        return self.loaded.method.startswith(MAPPING)

    @property
    def name(self) -> str:
        """The attribute with its model: "Book.authors"."""
        return f"{self.relation.model.name}.{self.relation.name}"

    def is_beside(self, other: JoinedCollection) -> bool:
        """Whether the rows of both multiply: neither stands on the way to the other."""
        shorter = min(len(self.path), len(other.path))
        return self.path[:shorter] != other.path[:shorter]


def joined_collections(query: QueryObject) -> list[JoinedCollection]:
    """Returns the collections that every way to a query joins to its rows."""
    return list(_joined(query.plan, query.model, (), ()))


def joined_by_statement(query: QueryObject) -> Iterator[list[JoinedCollection]]:
    """Yields the collections that each statement joins: the query's own, and those of the loads that run one of their own."""
    yield from _statements(query.plan, query.model, (), ())


def _statements(plan: LoadPlan, model: Model | None, path: tuple[str, ...], steps: tuple[Loaded, ...]) -> Iterator[list[JoinedCollection]]:
    found = list(_joined(plan, model, path, steps))
    if len(found) > 1:
        yield found
    yield from _separate(plan, model, path, steps)


def _separate(plan: LoadPlan, model: Model | None, path: tuple[str, ...], steps: tuple[Loaded, ...]) -> Iterator[list[JoinedCollection]]:
    for name, entry in plan.loaded.items():
        relation = model.relations.get(name) if model is not None else None
        if relation is None or not entry.certain:
            continue
        below = _separate if entry.kind is LoadKind.JOIN else _statements
        yield from below(entry.plan, relation.target, (*path, name), (*steps, entry))


def _joined(plan: LoadPlan, model: Model | None, path: tuple[str, ...], steps: tuple[Loaded, ...]) -> Iterator[JoinedCollection]:
    for name, entry in plan.loaded.items():
        relation = model.relations.get(name) if model is not None else None
        if relation is None or entry.kind is not LoadKind.JOIN or not entry.certain:
            continue
        if not relation.to_one:
            yield JoinedCollection((*path, name), relation, (*steps, entry))
        yield from _joined(entry.plan, relation.target, (*path, name), (*steps, entry))


def separated(query: QueryObject, collection: JoinedCollection, step: int, joined: list[JoinedCollection]) -> ReplaceLoader:
    """Returns the change that loads a collection by a statement of its own, from one step of its path on; `joined` are all that the query joins."""
    hops = relations_along(query.model, collection.path)
    relations = tuple(each.relation for each in joined)
    return ReplaceLoader((collection.steps[step].site,), "selectinload", "", query, relations, hops[step] if hops else None)


def risk_of_limiting(query: QueryObject) -> str:
    """Returns why a limit of one row may change that row or its collections, "" if it cannot.

    SQLAlchemy puts the limit of a query that joins collections by `joinedload()` into a subquery, and joins what is loaded along to that.
    """
    joined = joined_collections(query)
    if any(each.loaded.method == "contains_eager" for each in joined):
        return _CUT  # the limit is for the rows of the program's own join
    if joined and _leaves_rows_out(query.plan, query.model):
        return _INNER
    if query.model is None or not is_ordered(query, query.model):
        return _UNORDERED if joined else _TIED
    return risk_of_unmade_rows(query)


def risk_of_unmade_rows(query: QueryObject) -> str:
    """Returns what in a model or its signals would see that fewer rows are made of what the database sends, "" if nothing would."""
    models = [way.model for way in query.every_way()]
    return _NOTED if any(model is not None and model.notes_rows for model in models) else ""


def _leaves_rows_out(plan: LoadPlan, model: Model | None) -> bool:
    for name, entry in plan.loaded.items():
        relation = model.relations.get(name) if model is not None else None
        if entry.kind is LoadKind.JOIN and (entry.inner or relation is None or relation.inner or _leaves_rows_out(entry.plan, relation.target)):
            return True
    return False


def holds_one(relation: Relation) -> bool:
    """Whether a collection has a row at most, because the key on its other side is the whole primary key or unique."""
    other = relation.inverse
    if other is None or relation.target is None or other.kind is not Kind.FOREIGN_KEY:
        return False
    column = relation.target.columns.get(other.attname)
    if column is None:
        return False
    keys = [index.columns for index in relation.target.indexes if index.unique and not index.partial]
    return column.unique or (column.name,) in keys
