"""ORM612: an engine writes every statement to the log."""

from collections.abc import Iterator

from ormlint.api import Label, Mark, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.describe import code, is_shown


@rule("ORM612", "query-logging-in-prod", severity=Severity.INFO, stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every engine that is made with `echo=True`."""
    for event in {event.site: event for event in log.of(Op.ENGINE)}.values():
        echo = dict(event.settings).get("echo")
        if not (echo is True or echo == "debug") or not is_shown(project, event.site):
            continue
        yield Report(
            site=event.site,
            message=f"{code(event.text)} with `echo={echo!r}` writes every statement to the log",
            help='take it from the settings, or set the level of the logger "sqlalchemy.engine" where it is wanted',
            cause=(event.site,),
            labels=(Label(event.site, Mark.DECLARATION, "each statement is formatted and written, with its parameters"),),
        )
