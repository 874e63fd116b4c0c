"""Rows that are one object for many others: what is loaded of them is loaded once, whoever leads to them.

select(Bill).options(selectinload(Bill.owers))     SQLAlchemy: bill.payer is a person too, and the session holds those who owe
Bill.objects.prefetch_related("shop")              Django: the bills of one shop have one object for it
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ormlint.judge.eager import path_of, relations_along
from ormlint.judge.homes import ways_of
from ormlint.judge.listing import NAMES, is_called, is_filtered
from ormlint.link.schema import Kind, Model, Orm, Relation
from ormlint.run.log import Bound, Event, LoadKind, LoadPlan, QueryObject, Shape

_PEOPLE = frozenset({"user", "person", "account", "member", "author", "employee", "contact", "profile", "owner", "creator"})
_EAGER = frozenset({"joined", "selectin", "subquery", "immediate"})


def may_be_held(event: Event) -> bool:
    """Whether the row that a relation leads to may be in the session already.

    It is the same for all rows of the query, or may be among those that the query loads along for another relation.
    """
    relation = event.relation
    if event.orm is not Orm.SQLALCHEMY or event.row is None or relation is None:
        return False
    if _is_the_same(event.row.query, path_of(event)) or _leads_back(event.row.query, path_of(event)):
        return True
    if _is_that_of_owner(event.row.query, path_of(event)):
        return True
    if relation.kind is not Kind.FOREIGN_KEY:
        return False
    if _are_all_of_their_table(event.row.query, relation):
        return True
    passed = _passed(event.row.query, path_of(event)[:-1])
    if len(path_of(event)) > 1 and any(relation.target is model for model in passed):
        return True
    along = (*loaded_along(event.row.query.plan, event.row.query.model), *(model for owner in passed for model in mapped_along(owner, relation)))
    return any(model is relation.target for model in along)


def shared_along(event: Event) -> Model | None:
    """Returns the model of the rows that lead to a relation and of which Django makes one object for all that refer to it; None if there is none.

    # `prefetch_related("shop")` gives all bills of a shop the same `bill.shop`, `select_related("shop")` each its own (measured with Django 5.2)
    """
    if event.orm is not Orm.DJANGO or event.row is None:
        return None
    plan, found = event.row.query.plan, None
    for hop in relations_along(event.row.query.model, path_of(event)[:-1]):
        entry = plan.loaded.get(hop.name)
        if entry is None:
            break
        if hop.kind is Kind.FOREIGN_KEY and entry.kind is LoadKind.SEPARATE:
            found = hop.target
        plan = entry.plan
    return found


def is_said_to_be_lazy(event: Event) -> bool:
    """Whether the query says that a relation is not loaded which the mapping would load, for it is read in some rounds: `lazyload(Order.shop)`."""
    relation = event.relation
    if event.orm is not Orm.SQLALCHEMY or relation is None or not event.around.conditional:
        return False
    # a tree that is joined ends at the first step
    return relation.lazy in _EAGER and len(path_of(event)) == 1 and relation.target is not relation.model


def _are_all_of_their_table(query: QueryObject, relation: Relation) -> bool:
    """Whether a query gives all rows of the table that a relation leads to: `for shelf in session.query(Shelf): shelf.parent`."""
    if relation.target is not query.model or query.bound is not Bound.MANY or query.shape is not Shape.ROWS:
        return False
    whole = not (is_filtered(query) or query.sliced or query.batched or query.combined or query.distinct or query.joins)
    return whole and query.complete and query.relation is None and not query.ways


def _is_that_of_owner(query: QueryObject, path: tuple[str, ...]) -> bool:
    """Whether the rows belong to one that leads to the same row, as a rule: the lines of an order, whose shop is that of the order.

    People differ: who wrote a comment is not who wrote the post.
    """
    hops = relations_along(query.model, path)
    if not hops or hops[-1].kind is not Kind.FOREIGN_KEY or _leads_to_people(hops[-1]):
        return False
    last = hops[-1]
    if len(hops) > 1:
        owners: list[Model | None] = [hops[-2].model]
    elif query.relation is not None:
        owners = [query.relation.model]
    else:
        asked = frozenset().union(query.filters, *(way.filters for way in ways_of(query)))
        owners = [hop.target for hop in last.model.relations.values() if hop.to_one and hop is not last and {hop.attname, hop.name} & (asked - {""})]
    twins = (owner.relation(last.name) for owner in owners if owner is not None)
    return any(twin is not None and twin.to_one and twin.target is last.target for twin in twins)


def _leads_to_people(relation: Relation) -> bool:
    return relation.name in _PEOPLE or (relation.target is not None and is_called(relation.target, _PEOPLE))


def _is_the_same(query: QueryObject, path: tuple[str, ...]) -> bool:
    """Whether a path leads to one row from all rows of a query: it asks for those of one author, `where(Book.author_id == key)`."""
    hops = relations_along(query.model, path)
    if not hops or not all(hop.to_one for hop in hops) or hops[0].kind is not Kind.FOREIGN_KEY:
        return False
    first = hops[0]
    named = {first.attname, first.name, f"{first.name}_id"} - {""}
    if first.target is not None:
        # `.join(Author).where(Author.id == key)`, or by another column that tells one from all others
        named |= {
            f"{first.target.name}.{name}" for name in (first.target.primary_key, *filter(partial(_tells_apart, first.target), first.target.columns))
        }
    # columns of one name: `(city_id, number)` of a tram and of its line
    keys = [index.columns for index in first.target.indexes if index.unique and len(index.columns) > 1] if first.target is not None else []
    # rows of several owners are mostly asked for by the keys of owners that are at hand: `where(Book.author_id.in_(keys))`
    several = {f"{name}__in" for name in named}
    asked = [query.filters, *(way.filters for way in ways_of(query))]
    return any((named | several) & filters or any(filters.issuperset(key) for key in keys) or _are_of_one_group(first, filters) for filters in asked)


def _are_of_one_group(relation: Relation, filters: frozenset[str]) -> bool:
    """Whether rows differ in one column of a key of three or more, and what they lead to belongs to what the others name.

    # `(plan, day, part, copy)` tells steps apart: those of one part, on one day of a plan, are mostly of one version of that plan, of which
    # `(plan, number)` is the key; not so the one who works on each
    """
    rests = [key - filters for key in relation.model.keys if len(key) > 2]
    one_left = any(len(rest) == 1 and relation.attname not in rest for rest in rests)
    return one_left and relation.target is not None and any(len(key) > 1 and not key.isdisjoint(filters) for key in relation.target.keys)


def _tells_apart(model: Model, name: str) -> bool:
    column = model.columns[name]
    return column.unique or (not column.references and name.rpartition("_")[2].lower() in NAMES | {"id"})


def _leads_back(query: QueryObject, path: tuple[str, ...]) -> bool:
    """Whether the last hop of a path is the way back of the one before: `author.books`, `book.author`."""
    hops = relations_along(query.model, path)[-2:]
    return len(hops) == 2 and hops[1].kind is Kind.FOREIGN_KEY and (hops[0].inverse is hops[1] or hops[1].inverse is hops[0])


def _passed(query: QueryObject, path: tuple[str, ...]) -> list[Model]:
    """Returns the models that a path from the rows of a query leads through, that of the rows first."""
    models = (query.model, *(hop.target for hop in relations_along(query.model, path)))
    return [model for model in models if model is not None]


def mapped_along(model: Model, besides: Relation | None = None, seen: frozenset[Model] = frozenset()) -> Iterator[Model]:
    """Yields the models of which the mapping of a model loads rows with every row, by other relations than one: `lazy="joined"`."""
    for relation in model.relations.values():
        target = relation.target
        if target is not None and relation.lazy in _EAGER and relation is not besides and target not in seen:
            yield target
            yield from mapped_along(target, besides, seen | {model, target})


def loaded_along(plan: LoadPlan, model: Model | None) -> Iterator[Model]:
    """Yields the models of which a query loads rows for its relations."""
    for name, entry in plan.loaded.items():
        relation = model.relation(name) if model is not None else None
        target = relation.target if relation is not None else None
        if target is None or entry.kind not in (LoadKind.JOIN, LoadKind.SEPARATE):
            continue
        yield target
        yield from loaded_along(entry.plan, target)
