"""ORM308: every round of a loop ends in a flush."""

from collections.abc import Iterator

from ormlint.api import READS, MoveAfterLoop, Op, Orm, Project, QueryLog, Report, rule
from ormlint.judge.describe import at, code, labels, per
from ormlint.judge.repetition import innermost, repeaters, weight

QUERIES = READS | {Op.LAZY_OBJECT, Op.LAZY_COLLECTION, Op.LAZY_COLUMN, Op.EXECUTE, Op.REFRESH, Op.RELOAD, Op.MERGE}


@rule("ORM308", "flush-in-loop", stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every flush at the end of a loop's body: nothing in the round can need what it sends."""
    for event in log.of(Op.FLUSH):
        loops = repeaters(event)
        # `if number % 1000 == 0: session.flush()` flushes a batch, `try: session.flush()` asks whether the row can be written
        if not loops or event.around.conditional or event.around.isolated or event.around.error_path:
            continue
        loop = innermost(loops)
        # `session.flush()` and then `row.id` asks for the key
        if loop.kind != "for" or not loop.body.encloses(event.site) or loop.body.end != event.site.end:
            continue
        if any(log.within(loop, *QUERIES)):
            continue  # which flushes by itself
        yield Report(
            site=event.site,
            message=f"{code(event.text or 'session.flush()')} sends the writes one by one, {per(loop)}",
            help=f"move the flush behind the loop{at(project, loop.site)}, or leave it to the commit: rows of a kind then share a statement",
            cause=(loop.site, event.site),
            labels=labels(project, event, loop, None, "this sends what the round has changed"),
            intent=MoveAfterLoop(event.site, loop, "flush"),
            severity=weight(project, event, loops),
        )
