"""ORM307: every round of a loop ends a transaction."""

from collections.abc import Iterator

from ormlint.api import Event, Loop, MoveAfterLoop, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.describe import at, call_path, code, labels, per, place
from ormlint.judge.repetition import innermost, repeaters, weight


@rule("ORM307", "commit-in-loop", orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every commit that a loop repeats in each round."""
    for event in log.of(Op.COMMIT):
        loops = repeaters(event)
        # `if number % 1000 == 0: session.commit()` commits a batch
        if not loops or event.orm is not Orm.SQLALCHEMY or event.around.conditional or event.around.error_path:
            continue
        loop = innermost(loops)
        yield Report(
            site=place(project, event, loop),
            message=f"{code(event.text or 'session.commit()')} ends one transaction {per(loop)}",
            help=f"move the commit behind the loop{at(project, loop.site)}",
            cause=(loop.site,),
            labels=labels(project, event, loop, None, "this commits and expires every loaded row"),
            notes=(*_isolation(event), *call_path(project, event)),
            intent=_intent(event, loop),
            severity=Severity.INFO if event.around.isolated else weight(project, event, loops),
        )


def _isolation(event: Event) -> tuple[str, ...]:
    return ("one commit for all would also lose the rows that went well before an error",) if event.around.isolated else ()


def _intent(event: Event, loop: Loop) -> MoveAfterLoop | None:
    """Returns the move if the commit stands in the loop's own body and not in a function called there."""
    direct = loop.kind in ("for", "while") and loop.body.encloses(event.site) and not event.around.isolated
    return MoveAfterLoop(event.site, loop) if direct else None
