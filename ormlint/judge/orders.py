"""Orders of queries that leave no doubt which row comes first."""

from __future__ import annotations

from ormlint.link.schema import Model
from ormlint.run.log import QueryObject


def is_ordered(query: QueryObject, model: Model) -> bool:
    """Whether a query says which row comes first, whatever else is selected: its order ends with a key at the latest."""
    known = model.ordering if model.ordering_known else ()
    if sum(column.primary_key for column in model.columns.values()) > 1:
        return False
    names = [name.lstrip("-") for name in (query.ordering if query.ordering is not None else known)]
    unique = {column.name for column in model.columns.values() if column.unique and not column.nullable}
    return any(model.is_primary_key(name) or name in unique for name in names)
