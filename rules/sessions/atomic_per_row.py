"""ORM614: every round of a loop begins a transaction or a savepoint of its own."""

from collections.abc import Iterator

from ormlint.api import BlockAroundLoop, Event, Loop, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.describe import at, code, labels, per
from ormlint.judge.repetition import innermost, repeaters

WRITES = (Op.SAVE, Op.CREATE, Op.GET_OR_CREATE, Op.DELETE, Op.UPDATE_ROWS, Op.DELETE_ROWS, Op.BULK_WRITE, Op.LINK, Op.INSERT, Op.ADD)
READS_LOCKED = (Op.LOAD_ROWS, Op.GET_ROW)


@rule("ORM614", "atomic-per-row", severity=Severity.INFO, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every block in a loop's own body that begins a transaction, or sets a savepoint, and writes."""
    for event in log.of(Op.BEGIN):
        loops = repeaters(event)
        if not loops or event.around.isolated or event.around.error_path or event.around.external:
            continue
        loop = innermost(loops)
        if loop.kind != "for" or loop.searches or not loop.body.encloses(event.site) or not _only_writes(log, loop):
            continue
        yield Report(
            site=event.site,
            message=f"{code(event.text)} {_begins(event)} {per(loop)}",
            help=f"put the loop{at(project, loop.site)} into one block, if the rows need not be kept one by one",
            cause=(loop.site, event.site),
            labels=labels(project, event, loop, None, "this begins anew in every round"),
            intent=BlockAroundLoop(event.site, loop, event.around.transaction and event.orm is Orm.DJANGO),
        )


def _only_writes(log: QueryLog, loop: Loop) -> bool:
    """Whether the rounds write, and lock no row and do nothing outside the database for which they would have to end."""
    if any(event.query is not None and event.query.locked for event in log.within(loop, *READS_LOCKED)):
        return False
    written = list(log.within(loop, *WRITES))
    return bool(written) and not any(event.around.external or event.around.isolated for event in written)


def _begins(event: Event) -> str:
    nested = event.around.transaction or "nested" in event.text
    if nested:
        return "sets and releases one savepoint" + (", two statements" if event.orm is Orm.DJANGO else "")
    return "begins and ends one transaction"
