"""ORM301: rows are saved one by one."""

from collections.abc import Iterator

from ormlint.api import Bound, Event, Loop, Op, Orm, Project, QueryLog, Report, rule
from ormlint.judge.bulk import (
    created_in_round,
    fetches_its_row,
    is_all_of_a_round,
    passed_over,
    together,
    walks_a_wide_query,
    walks_its_rows,
    writes_one_by_one,
)
from ormlint.judge.describe import at, at_query, call_path, code, labels, per
from ormlint.judge.releases import BULK_UPDATE


@rule("ORM301", "save-in-loop", orms=(Orm.DJANGO,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every `save()` of an existing row that a loop repeats."""

    def hindrance(event: Event, loop: Loop) -> tuple[str, ...]:
        return (*passed_over(event.model, "save"), *(created_in_round(log, event.model, loop) if event.row is None else ()))

    for write in writes_one_by_one(project, log, log.of(Op.SAVE), hindrance, _is_plain):
        event, loop = write.event, write.loop
        at_once = _is_one_update(event, hindered=bool(write.hindrance))
        if project.lacks(BULK_UPDATE) and not at_once:
            continue
        yield Report(
            site=write.site,
            message=f"{code(event.text or 'save()')} runs one UPDATE {per(loop)}",
            help=_advice(project, event, at(project, loop.site), hindered=bool(write.hindrance)),
            cause=write.cause,
            labels=labels(project, event, loop, event.row.query if event.row is not None else None, "this writes the row"),
            notes=(*write.hindrance, *call_path(project, event)),
            intent=together(log, write, "update", plain=at_once),
            severity=write.severity,
            preview=write.preview or not (walks_its_rows(event, loop) and walks_a_wide_query(project, event) and is_all_of_a_round(log, write)),
            counted_as=write.counted_as,
        )


def _is_plain(event: Event, loop: Loop) -> bool:
    """Whether the loop shows which rows and which fields one `bulk_update()` or `update()` has to write."""
    if event.row is None or not event.assigned:
        return False
    if walks_its_rows(event, loop):
        # rows that are fetched piece by piece are too many to be kept
        return not event.row.query.has("iterator", "aiterator") or event.constant
    return fetches_its_row(event, loop)


def _is_one_update(event: Event, *, hindered: bool) -> bool:
    """Whether all rows of a query get the same constants."""
    query = event.row.query if event.row is not None and not event.row.path else None
    if query is None or query.bound < Bound.PAGE or query.sliced or hindered or event.around.conditional:
        return False
    return event.constant and bool(event.assigned)


def _advice(project: Project, event: Event, where: str, *, hindered: bool) -> str:
    query = event.row.query if event.row is not None else None
    if query is not None and _is_one_update(event, hindered=hindered):
        values = ", ".join(f"{name}=…" for name in event.assigned)
        return f"call `.update({values})` once on the query{at_query(project, query)} instead"
    model = event.model.name if event.model is not None else "…"
    fields = ", ".join(f'"{name}"' for name in event.assigned) or "…"
    return f"collect the rows and call `{model}.objects.bulk_update(rows, [{fields}])` after the loop{where}"
