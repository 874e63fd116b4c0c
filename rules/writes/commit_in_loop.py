"""ORM307: every round of a loop ends a transaction."""

from collections.abc import Iterator

from ormlint.api import Event, Loop, MoveAfterLoop, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.bulk import calls_to_write
from ormlint.judge.describe import at, call_path, calls_between, code, labels, per, place
from ormlint.judge.repetition import innermost, repeaters, weight


@rule("ORM307", "commit-in-loop", stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every commit that a loop repeats in each round."""
    for event in log.of(Op.COMMIT):
        loops = repeaters(event)
        # `if number % 1000 == 0: session.commit()` commits a batch
        if not loops or event.orm is not Orm.SQLALCHEMY or event.around.conditional or event.around.error_path:
            continue
        loop = innermost(loops)
        notes = _reasons(event)
        # the row's own `save()` is no call; any other function that commits ends a unit of work of its own
        far = calls_to_write(project, event, loop) > 0
        yield Report(
            site=place(project, event, loop),
            message=f"{code(event.text or 'session.commit()')} ends one transaction {per(loop)}",
            help=_advice(project, event, loop),
            cause=(loop.site,),
            labels=labels(project, event, loop, None, "this commits and expires every loaded row"),
            notes=(*notes, *call_path(project, event)),
            intent=_intent(event, loop),
            severity=Severity.INFO if notes or far else weight(project, event, loops),
            preview=bool(notes) or far,
        )


def _advice(project: Project, event: Event, loop: Loop) -> str:
    way = calls_between(project, event, loop)
    if way:
        return f"write the rows without {code(way[-1][1])}, which commits, and commit once behind the loop{at(project, loop.site)}"
    return f"move the commit behind the loop{at(project, loop.site)}"


def _reasons(event: Event) -> tuple[str, ...]:
    """Returns what speaks for a commit per round."""
    if event.around.isolated:
        return ("one commit for all would also lose the rows that went well before an error",)
    return ("each round also does something outside the database, which a rollback does not undo",) if event.around.external else ()


def _intent(event: Event, loop: Loop) -> MoveAfterLoop | None:
    """Returns the move if the commit stands in the loop's own body and not in a function called there."""
    direct = loop.kind in ("for", "while") and loop.body.encloses(event.site) and not event.around.isolated
    return MoveAfterLoop(event.site, loop) if direct else None
