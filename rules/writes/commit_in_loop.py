"""ORM307: every round of a loop ends a transaction."""

from collections.abc import Iterator

from ormlint.api import Event, Loop, MoveAfterLoop, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.describe import at, call_path, calls_between, code, labels, per, place
from ormlint.judge.repetition import innermost, repeaters, weight

NEAR = 1  # calls between the loop and the commit up to which it is shown by default: further away it ends a unit of work of its own


@rule("ORM307", "commit-in-loop", orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every commit that a loop repeats in each round."""
    for event in log.of(Op.COMMIT):
        loops = repeaters(event)
        # `if number % 1000 == 0: session.commit()` commits a batch
        if not loops or event.orm is not Orm.SQLALCHEMY or event.around.conditional or event.around.error_path:
            continue
        loop = innermost(loops)
        notes = _reasons(event)
        yield Report(
            site=place(project, event, loop),
            message=f"{code(event.text or 'session.commit()')} ends one transaction {per(loop)}",
            help=f"move the commit behind the loop{at(project, loop.site)}",
            cause=(loop.site,),
            labels=labels(project, event, loop, None, "this commits and expires every loaded row"),
            notes=(*notes, *call_path(project, event)),
            intent=_intent(event, loop),
            severity=Severity.INFO if notes else weight(project, event, loops),
            preview=bool(notes) or len(calls_between(project, event, loop)) > NEAR,
        )


def _reasons(event: Event) -> tuple[str, ...]:
    """Returns what speaks for a commit per round."""
    if event.around.isolated:
        return ("one commit for all would also lose the rows that went well before an error",)
    return ("each round also does something outside the database, which a rollback does not undo",) if event.around.external else ()


def _intent(event: Event, loop: Loop) -> MoveAfterLoop | None:
    """Returns the move if the commit stands in the loop's own body and not in a function called there."""
    direct = loop.kind in ("for", "while") and loop.body.encloses(event.site) and not event.around.isolated
    return MoveAfterLoop(event.site, loop) if direct else None
