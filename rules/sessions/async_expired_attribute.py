"""ORM603: an attribute is read that a commit has expired, from a row of an AsyncSession."""

from collections.abc import Iterator

from ormlint.api import Label, Mark, Obstacle, Op, Project, QueryLog, RefreshRow, Report, Severity, rule
from ormlint.judge.describe import call_path, code, is_shown


@rule("ORM603", "async-expired-attribute", severity=Severity.ERROR, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place that reads a row first after the commit."""
    for event in log.of(Op.FAILED_LOAD):
        if event.obstacle is not Obstacle.EXPIRED or event.since is None or not is_shown(project, event.since):
            continue
        yield Report(
            site=event.site,
            message=f"the commit has expired {code(event.text)}: reading it raises `MissingGreenlet`",
            help=f"`await session.refresh(…)` behind the commit at {project.at(event.since)}, or make sessions with `expire_on_commit=False`",
            cause=(event.since, event.site),
            labels=tuple(
                label
                for label in (Label(event.since, Mark.CALL, "this expires the row"), Label(event.site, Mark.ACCESS, "this reads it"))
                if is_shown(project, label.site)
            ),
            notes=call_path(project, event),
            # a refresh loads columns; a relation is left to whoever knows how to load it
            intent=RefreshRow(event.since, event.site, event.factory) if event.model is None or event.column not in event.model.relations else None,
        )
