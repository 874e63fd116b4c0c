"""ORM605: what is not loaded is read from a row whose session is closed."""

from collections.abc import Iterator

from ormlint.api import Event, Label, Mark, Obstacle, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.describe import call_path, code, is_shown
from ormlint.judge.eager import advice_for, intent_for, unloadable_chains


@rule("ORM605", "detached-lazy-load", severity=Severity.ERROR, stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place that reads the first unloaded relation of a chain, or an attribute that a commit has expired."""
    events = [event for event in log.of(Op.FAILED_LOAD) if event.obstacle is Obstacle.DETACHED]
    for chain in unloadable_chains(project, log, (event for event in events if event.relation is not None)):
        for event in {event.site: event for event in reversed(chain.events)}.values():
            yield Report(
                site=event.site,
                message=f"{code(event.text or chain.lookup)} is not loaded, and the session is closed: `DetachedInstanceError`",
                help=advice_for(project, chain),
                cause=chain.cause,
                labels=_labels(project, event, f"this reads {code(chain.lookup)}"),
                notes=call_path(project, event),
                relations=chain.relations,
                intent=intent_for(chain),
            )
    expired: dict[tuple[object, ...], Event] = {}
    for event in events:
        if event.relation is None:
            expired.setdefault((event.since, event.model), event)
    for event in expired.values():
        yield Report(
            site=event.site,
            message=f"a commit has expired {code(event.text)}, and the session is closed: `DetachedInstanceError`",
            help="read it, or `session.refresh(…)` it, before the session is closed, or make sessions with `expire_on_commit=False`",
            cause=(event.since, event.site),
            labels=_labels(project, event, "this reads the row"),
            notes=call_path(project, event),
        )


def _labels(project: Project, event: Event, text: str) -> tuple[Label, ...]:
    found = [Label(event.since, Mark.QUERY, "this session is closed at the end of its block")] if event.since is not None else []
    found.append(Label(event.site, Mark.ACCESS, text))
    return tuple(label for label in found if is_shown(project, label.site))
