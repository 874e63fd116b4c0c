"""ORM604: coroutines that run at the same time send their statements by one AsyncSession."""

from collections.abc import Iterator

from ormlint.api import Label, Mark, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.describe import code, is_shown


@rule("ORM604", "shared-session-concurrency", severity=Severity.ERROR, stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place that starts such coroutines."""
    for event in {(event.site, event.column): event for event in log.of(Op.SHARE)}.values():
        if not is_shown(project, event.site):
            continue
        yield Report(
            site=event.site,
            message=f"several statements of {code(event.column)}, one `AsyncSession`, run at the same time here",
            help="await them one after the other, or give each a session of its own",
            cause=(event.site,),
            labels=(Label(event.site, Mark.ACCESS, "what is started here shares one session and its connection"),),
        )
