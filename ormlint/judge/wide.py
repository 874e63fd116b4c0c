"""Wide queries: those that ask for all rows of a table, or for those of a flag, a state or a span, of which there are many.

Book.objects.all(), filter(sold=sold), filter(title=""), filter(day__lt=today), exclude(sold=True)      wide
shop.books.all(), filter(shop=shop), filter(shop_id=key), filter(title=title), filter(**asked)          the rows of one, mostly few
"""

from __future__ import annotations

from ormlint.judge.eager import relations_along
from ormlint.judge.listing import gives_few, lists_kinds, names_its_rows
from ormlint.judge.project import Project
from ormlint.link.schema import Column, Model, Orm
from ormlint.run.log import Bound, QueryObject, Shape

_STATES = frozenset({
    "status", "state", "type", "kind", "level", "priority", "category", "mode", "stage", "phase", "active", "enabled", "deleted", "public", "visible",
})  # fmt: skip
"""Last words in the names of columns of which each value is that of many rows."""
_FEW_VALUES = ("Bool", "NullBool", "Enum", "bool", "BOOL")
_ONE = frozenset({"", "exact", "iexact"})
_LISTS = frozenset({"in"})


def is_wide(project: Project, query: QueryObject) -> bool:
    """Whether the rows of a query are many by what it asks for, and not those of one row, of one name or of a table of kinds."""
    model = query.model
    if model is None or query.shape is Shape.UNKNOWN or query.bound < Bound.PAGE or query.sliced or query.relation is not None:
        return False
    if project.is_small(model) or lists_kinds(model) or gives_few(query) or names_its_rows(query):
        return False
    if query.orm is Orm.DJANGO and query.has("filter") and not query.filters:
        return False  # `filter(Q(title=title))`, `filter(*conditions)`
    return not any(_asks_for_one_value(model, lookup) for lookup in query.filters - query.stated if not lookup.startswith("?"))


def _asks_for_one_value(model: Model, lookup: str) -> bool:
    """Whether a condition fits few rows: a row of another table, one value of a column that has many."""
    if lookup in ("*", "**") or "." in lookup:  # any condition; a column of a model that is joined
        return True
    *path, last = lookup.split("__")
    column, hops = _column(model, [*path, last]), relations_along(model, (*path, last))
    if column is not None:
        return not _has_few_values(column)
    if hops:
        return True  # `filter(shop=shop)`
    operator = last if path else ""
    if operator not in _ONE | _LISTS:
        return False  # `day__lt`, `author__isnull`, `state__not`
    before = _column(model, path)
    return before is None or not _has_few_values(before)


def _column(model: Model, names: list[str]) -> Column | None:
    """Returns the column that the parts of a lookup lead to, None if they end elsewhere."""
    if not names:
        return None
    *path, last = names
    hops = relations_along(model, tuple(path))
    owner = hops[-1].target if hops else model if not path else None
    return owner.columns.get(last) if owner is not None else None


def _has_few_values(column: Column) -> bool:
    if column.references or column.primary_key or column.unique:
        return False
    words = column.name.lower().split("_")
    return column.type.startswith(_FEW_VALUES) or words[-1] in _STATES or words[0] in ("is", "has")
