"""ORM115: rows are read again one by one."""

from collections.abc import Iterator

from ormlint.api import Event, Loop, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.bulk import calls_to_write
from ormlint.judge.describe import at, at_query, call_path, code, labels, per, place
from ormlint.judge.repetition import innermost, repeaters, weight


@rule("ORM115", "refresh-in-loop", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place where a loop refreshes a row of its own in each round."""
    for event in log.of(Op.REFRESH):
        mine = {loop.id for loop in event.row_loops}
        loops = tuple(loop for loop in repeaters(event) if loop.id in mine or loop.id in event.depends)
        # `with atomic(): row = lock(row); row.refresh_from_db()` and what waits for another process look at the present on purpose
        if not loops or event.around.error_path or event.around.conditional or (event.row is not None and event.row.query.locked):
            continue
        loop = innermost(loops)
        yield Report(
            site=place(project, event, loop),
            message=f"{code(event.text)} runs one query {per(loop)}",
            help=_advice(project, event, loop),
            cause=(place(project, event, loop), loop.site),
            labels=labels(project, event, loop, event.row.query if event.row is not None else None, "this reads the row again"),
            notes=call_path(project, event),
            severity=Severity.INFO if calls_to_write(project, event, loop) else weight(project, event, loops),
        )


def _advice(project: Project, event: Event, loop: Loop) -> str:
    query = event.row.query if event.row is not None and not event.row.path else None
    if event.assigned and "*" not in event.assigned and query is not None:
        options = ", ".join(f"selectinload({query.model.name if query.model is not None else '…'}.{name})" for name in event.assigned)
        return f"load it with the rows: add `.options({options})` to the query{at_query(project, query)}"
    if event.orm is Orm.DJANGO:
        return f"fetch the rows anew with one query for all keys, as `in_bulk()` does, in place of the loop's refreshes{at(project, loop.site)}"
    return f"fetch the rows anew with one `select(…).where(….in_(keys))` and `populate_existing`, behind the loop{at(project, loop.site)}"
