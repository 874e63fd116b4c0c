"""ORM312: a row is fetched again, and nothing reads it any more."""

from collections.abc import Iterator

from ormlint.api import Label, Mark, Op, Project, QueryLog, Report, Severity, UseKind, rule
from ormlint.judge.describe import code, is_shown


@rule("ORM312", "redundant-refresh", severity=Severity.INFO, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every refresh of a row behind which its function does nothing with it."""
    for event in {event.site: event for event in log.of(Op.REFRESH)}.values():
        if not is_shown(project, event.site) or not any(use.kind is UseKind.DISCARD for use in event.uses):
            continue
        yield Report(
            site=event.site,
            message=f"{code(event.text)} fetches a row that nothing reads any more",
            help="drop it",
            cause=(event.site,),
            labels=(Label(event.site, Mark.ACCESS, "the last use of the row"),),
        )
