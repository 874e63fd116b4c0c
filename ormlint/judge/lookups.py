"""What a query asks for, and how the rows for all keys are asked for at once instead.

User.objects.get(email=email)             User.objects.filter(email__in=…)
session.get(User, key)                    select(User).where(User.id.in_(…))
Shift.objects.filter(start__lt=end)       none: no key to look a row up by
"""

from __future__ import annotations

from ormlint.judge.describe import before
from ormlint.judge.project import Project
from ormlint.library.querysets import NO_KEYS
from ormlint.link.schema import Orm
from ormlint.run.log import Event, Loop, Op

FIGURES = (Op.COUNT, Op.AGGREGATE)
_KEYS = ("pk", "id", "pk__exact", "id__exact")
_OPERATORS = NO_KEYS | {"iexact"}


def has_no_key(event: Event) -> bool:
    """Whether rows are asked for by nothing that they could be looked up by: `filter(start__lt=shift.end)`.

    # `filter(room=room, start__lt=shift.end).last()`: of all rows of the room it takes the one next to each shift
    """
    lookups = event.query.filters if event.query is not None else frozenset[str]()
    without = sum("__" in lookup and lookup.rsplit("__", 1)[-1] in NO_KEYS - {"isnull"} for lookup in lookups)
    isnull = sum(lookup.endswith("__isnull") for lookup in lookups)
    picks = event.op is Op.GET_ROW and event.method not in ("get", "aget")
    return bool(lookups) and (without + isnull == len(lookups) or (picks and without > 0))


def advice(project: Project, event: Event, loop: Loop, model: str) -> str:
    """Returns the imperative that replaces a query per round by one before the loop."""
    when = before(project, loop.site)
    kept = "set" if event.op is Op.EXISTS else "dict"
    if event.op in FIGURES:
        what = f" of `{model}`" if model else ""
        return f"compute the figures{what} for all keys {when} with one grouped query"
    if not model:
        return f"fetch the rows for all keys {when} with one query and look them up in a {kept}"
    return f"fetch the rows {when} with one `{_call(event, model)}` and look them up in a {kept}"


def _call(event: Event, model: str) -> str:
    """Returns the call that fetches the rows for all keys; it names the lookup if there is but one."""
    lookups = sorted(event.query.filters) if event.query is not None else []
    if event.orm is Orm.SQLALCHEMY and event.method == "get" and event.model is not None:
        keys = [column.name for column in event.model.columns.values() if column.primary_key]
        lookups = keys if len(keys) > 1 else [event.model.primary_key]
    lookup = lookups[0].removesuffix("__exact").removesuffix("__in") if len(lookups) == 1 and lookups[0].isidentifier() else ""
    if "__" in lookup and lookup.rsplit("__", 1)[-1] in _OPERATORS:
        lookup = ""  # `title__iexact` has no form for many values
    if event.orm is Orm.SQLALCHEMY:
        relation = event.model.relations.get(lookup) if event.model is not None else None
        if relation is not None:
            lookup = relation.attname  # a relationship has no `in_()`
        return f"select({model}).where({model}.{lookup}.in_(…))" if lookup else f"select({model}).where(…)"
    if event.op is Op.GET_ROW and lookups and all(name in _KEYS for name in lookups):
        return f"{model}.objects.in_bulk(…)"
    return f"{model}.objects.filter({lookup}__in=…)" if lookup else f"{model}.objects.filter(…)"
