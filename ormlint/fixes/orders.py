"""What the order and the joins of a query do to the number of its rows, which `count()`, `exists()` and `values_list()` may drop.

Shelf.objects.order_by("books__title")     a shelf for each of its books, `len()` counts the books, `.count()` the shelves (measured on Django 5.2)
Log.objects.values("author").distinct()    `Meta.ordering` is compared as well, `.count()` drops it (measured on Django 5.2)
Log.objects.select_related("author")        a key that is not nullable is joined with INNER JOIN, which leaves out what refers to no row
"""

from __future__ import annotations

from collections.abc import Iterable

from ormlint.link.schema import Kind, Model, Orm, Relation
from ormlint.run.log import LoadKind, LoadPlan, QueryObject, Shape

_REASON = "the order may join a collection, and then gives rows several times that `count()` counts once"
_COMPARED = "`distinct()` and groups compare the columns of the order as well, which `count()` drops"
_LOST = "a key without a constraint may refer to no row, and a join leaves its row out"
_DEPTH = 4


def risk_of_another_number(query: QueryObject) -> str:
    """Returns why `count()` and `len()` of a query may differ for its order, "" if they cannot."""
    if query.orm is not Orm.DJANGO or query.model is None:
        return ""
    ordering = query.ordering if query.ordering is not None else query.model.ordering
    if any(_joins_many(query.model, name, _DEPTH) for name in ordering):
        return _REASON
    return _COMPARED if any(_compares_order(way) for way in query.every_way()) else ""


def _compares_order(query: QueryObject) -> bool:
    """Whether `distinct()` or groups tell rows apart by their order alone: whole rows differ anyhow, and `Meta.ordering` makes no groups."""
    if query.model is None or query.shape is Shape.ROWS or query.has("dates", "datetimes"):
        return False
    if query.distinct or query.has("distinct"):
        ordering = query.ordering if query.ordering is not None else query.model.ordering
        known = query.ordering is not None or query.model.ordering_known
        return not known or any(name.lstrip("-+") != query.flat_column for name in ordering)
    grouping = query.has("annotate", "alias")
    return grouping and any(name.lstrip("-+") not in query.plan.annotated for name in query.ordering or ())


def _joins_many(model: Model, name: str, depth: int) -> bool:
    """Whether rows come several times if they are sorted by a lookup; one that ends at a row is sorted by the order of its model."""
    if name == "?":
        return True  # an expression
    current = model
    for part in name.lstrip("-+").split("__"):
        relation = current.relation(part)
        if relation is None:
            return False
        if not relation.to_one or relation.target is None:
            return True
        current = relation.target
        if part == relation.attname:
            return False
    return depth > 0 and any(_joins_many(current, each, depth - 1) for each in current.ordering)


def risk_of_lost_rows(query: QueryObject) -> str:
    """Returns why a query may have fewer rows than the same one without its order and its joins, "" if it cannot."""
    return risk_of_lost_joins(query) or next((_LOST for way in query.every_way() if _orders_inner(way)), "")


def risk_of_lost_joins(query: QueryObject) -> str:
    """Returns why a query may have fewer rows than the same one without `select_related()`, "" if it cannot."""
    return next((_LOST for way in query.every_way() if way.model is not None and _joins_inner(way.model, way.plan, way.follows, _DEPTH)), "")


def risk_of_joining(path: Iterable[Relation]) -> str:
    """Returns why `select_related()` of a path may leave rows out, "" if it cannot: behind a key that may be null all is joined with LEFT JOIN."""
    for relation in path:
        if not _is_inner(relation):
            return ""
        if not relation.constrained:
            return _LOST
    return ""


def _is_inner(relation: Relation) -> bool:
    return relation.kind in (Kind.FOREIGN_KEY, Kind.ONE_TO_ONE, Kind.PARENT_LINK) and not relation.nullable


def _joins_inner(model: Model, plan: LoadPlan, follows: bool, depth: int) -> bool:
    for relation in (each for each in model.relations.values() if _is_inner(each)):
        entry = plan.loaded.get(relation.name)
        joined = follows if entry is None else entry.kind is LoadKind.JOIN
        if joined and not relation.constrained:
            return True
        below = entry.plan if entry is not None else LoadPlan()
        if joined and depth and relation.target is not None and _joins_inner(relation.target, below, follows, depth - 1):
            return True
    return False


def _orders_inner(query: QueryObject) -> bool:
    if query.orm is not Orm.DJANGO or query.model is None:
        return False
    ordering = query.ordering if query.ordering is not None else query.model.ordering
    return any(_leads_inner(query.model, name, _DEPTH) for name in ordering)


def _leads_inner(model: Model, name: str, depth: int) -> bool:
    """Whether to sort by a lookup joins a key that refers to no row perhaps."""
    current = model
    for part in name.lstrip("-+").split("__"):
        relation = current.relation(part)
        if relation is None or not _is_inner(relation):
            return False
        if not relation.constrained:
            return True
        if relation.target is None:
            return False
        current = relation.target
    return depth > 0 and any(_leads_inner(current, each, depth - 1) for each in current.ordering)
