"""ORM304: rows are updated by a statement for each."""

from collections.abc import Iterator

from ormlint.api import Bound, Event, Loop, Op, Orm, Project, QueryLog, Report, UseKind, rule
from ormlint.judge.bulk import created_in_round, stands_in, varies_with, writes_one_by_one
from ormlint.judge.describe import at, call_path, code, labels, per
from ormlint.judge.listing import lists_kinds, refers_to_others
from ormlint.judge.releases import BULK_UPDATE, CASES

_FILTERS = frozenset({"filter", "exclude", "where", "filter_by"})


@rule("ORM304", "update-query-in-loop", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every `update()` of a query that a loop repeats, each time for other rows."""
    events = (event for event in log.of(Op.UPDATE_ROWS) if not _takes_many_keys(event))
    for write in writes_one_by_one(project, log, events, lambda event, loop: _hindrance(log, event, loop), _is_plain):
        event, loop = write.event, write.loop
        if not varies_with(event, loop):
            continue
        advice = _advice(project, event, at(project, loop.site))
        if not advice:
            continue
        yield Report(
            site=write.site,
            message=f"{_subject(event)} runs one UPDATE {per(loop)}",
            help=advice,
            cause=write.cause,
            labels=labels(project, event, loop, None, "this updates the rows of one round"),
            notes=(*write.hindrance, *call_path(project, event)),
            severity=write.severity,
            preview=write.preview or (event.orm is Orm.SQLALCHEMY and (event.around.conditional or _is_of_few(event))),
            counted_as=write.counted_as,
        )


def _hindrance(log: QueryLog, event: Event, loop: Loop) -> tuple[str, ...]:
    """Returns notes on what else a round does: makes the row, or deletes rows, which may have to wait for the update."""
    if any(log.within(loop, Op.DELETE, Op.DELETE_ROWS)):
        return (*created_in_round(log, event.model, loop), "the same round deletes rows, which the update may have to come before")
    return created_in_round(log, event.model, loop)


def _is_of_few(event: Event) -> bool:
    return event.model is not None and lists_kinds(event.model) and not refers_to_others(event.model)


def _subject(event: Event) -> str:
    # `session.execute(statement)` says nothing of what is updated
    if event.method == "update" or event.model is None:
        return code(event.text or "update()")
    return f"updating `{event.model.name}`"


def _lookups(event: Event) -> frozenset[str]:
    return event.query.filters if event.query is not None else frozenset()


def _takes_many_keys(event: Event) -> bool:
    """Whether each statement is for a group of rows already: `filter(pk__in=keys)`."""
    return any(lookup.endswith(("__in", "__range")) for lookup in _lookups(event))


def _is_plain(event: Event, loop: Loop) -> bool:
    """Whether one statement does it: rows that are found by one key, and nobody asks how many were changed."""
    if event.query is None or not stands_in(event, loop) or not any(use.kind is UseKind.DISCARD for use in event.all_uses()):
        return False
    lookups = _lookups(event)
    if event.query.relation is not None:
        return event.constant and not lookups
    filters = sum(method in _FILTERS for method in event.query.methods)
    return filters == len(lookups) == 1 and "__" not in min(lookups) and (event.constant or event.query.bound is Bound.ONE)


def _advice(project: Project, event: Event, where: str) -> str:
    """Returns what to do instead, "" if the project's Django has nothing for it."""
    model = event.model.name if event.model is not None else "…"
    lookups = _lookups(event)
    key = min(lookups) if len(lookups) == 1 and min(lookups).isidentifier() and "__" not in min(lookups) else ""
    if event.orm is Orm.SQLALCHEMY:
        if event.constant and key:
            return f"collect the keys and run one `update({model}).where({model}.{key}.in_(keys))` after the loop{where}"
        if project.target_sqlalchemy and project.target_sqlalchemy < (2,):
            return f"collect the values and run `session.bulk_update_mappings({model}, values)` after the loop{where}"
        return f"collect the values with their primary keys and run `session.execute(update({model}), values)` after the loop{where}"
    values = ", ".join(f"{name}=…" for name in event.assigned) or "…"
    if event.constant:
        relation = event.query.relation if event.query is not None else None
        if relation is not None and relation.inverse is not None and not lookups:
            key = relation.inverse.name
        return f"collect the keys and call `{model}.objects.filter({f'{key}__in=keys' if key else '…'}).update({values})` after the loop{where}"
    if event.query is None or event.query.bound is not Bound.ONE or len(lookups) > 1:
        if project.lacks(CASES):
            return ""
        cases = ", ".join(f"{name}=Case(When(…), …)" for name in event.assigned) or "…=Case(When(…), …)"
        return f"collect the values and call `{model}.objects.filter(…).update({cases})` after the loop{where}"
    if project.lacks(BULK_UPDATE):
        return ""
    fields = ", ".join(f'"{name}"' for name in event.assigned) or "…"
    return f"collect the rows and call `{model}.objects.bulk_update(rows, [{fields}])` after the loop{where}"
