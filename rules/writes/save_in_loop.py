"""ORM301: rows are saved one by one."""

from collections.abc import Iterator

from ormlint.api import Bound, Event, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.describe import at, call_path, code, labels, per, place
from ormlint.judge.repetition import innermost, obstacle, repeaters, weight


@rule("ORM301", "save-in-loop", orms=(Orm.DJANGO,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every `save()` of an existing row that a loop repeats."""
    for event in log.of(Op.SAVE):
        loops = repeaters(event)
        if not loops:
            continue
        loop = innermost(loops)
        hindrance = obstacle(event.model, "save")
        softened = hindrance or event.around.isolated
        yield Report(
            site=place(project, event, loop),
            message=f"{code(event.text or 'save()')} runs one UPDATE {per(loop)}",
            help=_advice(project, event, at(project, loop.site), hindered=bool(hindrance)),
            cause=(place(project, event, loop), loop.site, event.model or event.site),
            labels=labels(project, event, loop, event.row.query if event.row is not None else None, "this writes the row"),
            notes=(*hindrance, *call_path(project, event)),
            severity=Severity.INFO if softened else weight(project, event, loops),
        )


def _advice(project: Project, event: Event, where: str, *, hindered: bool) -> str:
    query = event.row.query if event.row is not None and not event.row.path else None
    plain = query is not None and query.bound >= Bound.PAGE and not (query.sliced or hindered or event.around.conditional)
    if query is not None and plain and event.constant and event.assigned:
        values = ", ".join(f"{name}=…" for name in event.assigned)
        return f"call `.update({values})` once on the query{at(project, query.site)} instead"
    model = event.model.name if event.model is not None else "…"
    fields = ", ".join(f'"{name}"' for name in event.assigned) or "…"
    return f"collect the rows and call `{model}.objects.bulk_update(rows, [{fields}])` after the loop{where}"
