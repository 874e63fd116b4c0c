"""ORM305: rows are looked for and created one by one."""

from collections.abc import Iterator

from ormlint.api import Event, Kind, Loop, Op, Orm, Project, QueryLog, Report, UseKind, WriteTogether, rule
from ormlint.judge.bulk import Write, is_all_of_a_round, passed_over, stands_in, together, varies_with, walks_a_wide_query, writes_one_by_one
from ormlint.judge.describe import at, call_path, code, labels, per
from ormlint.judge.releases import BULK_UPDATE, UPDATE_CONFLICTS


@rule("ORM305", "get-or-create-in-loop", orms=(Orm.DJANGO,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every `get_or_create()` and `update_or_create()` that a loop repeats with arguments of its round."""
    for write in writes_one_by_one(project, log, log.of(Op.GET_OR_CREATE), lambda event, loop: passed_over(event.model, "save"), _is_plain):
        event, loop = write.event, write.loop
        if not varies_with(event, loop):
            continue
        updates = event.method == "update_or_create"
        if updates and project.lacks(BULK_UPDATE):
            continue
        yield Report(
            site=write.site,
            message=f"{code(event.text or event.method)} runs {'two statements' if updates else 'one query'} or more {per(loop)}",
            help=_advice(project, event, updates, at(project, loop.site)),
            cause=write.cause,
            labels=labels(project, event, loop, None, "this looks for one row and writes it"),
            notes=(*write.hindrance, *call_path(project, event)),
            severity=write.severity,
            preview=write.preview or event.model is None or not (walks_a_wide_query(project, event) and is_all_of_a_round(log, write)),
            counted_as=write.counted_as,
            intent=_intent(project, log, write, updates),
        )


def _intent(project: Project, log: QueryLog, write: Write, updates: bool) -> WriteTogether | None:
    """Returns the change that leaves it to the database to know the rows, which takes a unique constraint about the lookups."""
    event = write.event
    if event.method not in ("get_or_create", "update_or_create") or frozenset(event.assigned) not in _unique(event):
        return None
    return together(log, write, event.method) if not updates or not project.lacks(UPDATE_CONFLICTS) else None


def _is_plain(event: Event, loop: Loop) -> bool:
    """Whether nobody wants the row back: all of them can be written together."""
    return (
        bool(event.assigned)
        and stands_in(event, loop)
        and (loop.kind == "comprehension" or any(use.kind is UseKind.DISCARD for use in event.all_uses()))
    )


def _advice(project: Project, event: Event, updates: bool, where: str) -> str:
    model = event.model
    if model is None:
        return f"fetch the rows that exist with one query before the loop{where}, and create the others with one `bulk_create()`"
    fields = ", ".join(f'"{name}"' for name in event.assigned)
    unique = event.assigned and frozenset(event.assigned) in _unique(event)
    if updates and unique and not project.lacks(UPDATE_CONFLICTS):
        call = f"`{model.name}.objects.bulk_create(objects, update_conflicts=True, unique_fields=[{fields}], update_fields=[…])`"
        return f"collect the objects and call {call} after the loop{where}"
    if not updates and unique:
        return f"collect the objects and call `{model.name}.objects.bulk_create(objects, ignore_conflicts=True)` after the loop{where}"
    lookup = f"{event.assigned[0]}__in=…" if len(event.assigned) == 1 and "__" not in event.assigned[0] else "…"
    found = f"fetch the rows that exist with one `{model.name}.objects.filter({lookup})` before the loop{where}"
    return f"{found}, and {'write all of them with `bulk_create()` and `bulk_update()`' if updates else 'create the others with one `bulk_create()`'}"


def _unique(event: Event) -> list[frozenset[str]]:
    """Returns the groups of fields that one row has to itself, as keyword arguments name them."""
    model = event.model
    if model is None:
        return []
    columns = [frozenset({name}) for name, column in model.columns.items() if column.unique or column.primary_key]
    keys = [frozenset({relation.name}) for relation in model.relations.values() if relation.kind is Kind.ONE_TO_ONE and relation.attname]
    return [*model.unique_together, *columns, *keys]
