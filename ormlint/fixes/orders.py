"""Whether the order of a query joins collections: `count()` drops the order, and then counts what it gives several times only once.

Shelf.objects.order_by("books__title")     a shelf for each of its books, `len()` counts the books, `.count()` the shelves (measured on Django 5.2)
"""

from __future__ import annotations

from ormlint.link.schema import Model, Orm
from ormlint.run.log import QueryObject

_REASON = "the order may join a collection, and then gives rows several times that `count()` counts once"
_DEPTH = 4


def risk_of_another_number(query: QueryObject) -> str:
    """Returns why `count()` and `len()` of a query may differ for its order, "" if they cannot."""
    if query.orm is not Orm.DJANGO or query.model is None:
        return ""
    ordering = query.ordering if query.ordering is not None else query.model.ordering
    return _REASON if any(_joins_many(query.model, name, _DEPTH) for name in ordering) else ""


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
