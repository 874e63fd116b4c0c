"""ORM119: a collection is counted, tested or added up by a query for each row, where one could do it for all."""

from collections.abc import Iterator

from ormlint.api import Project, QueryLog, Report, rule
from ormlint.judge.unloaded import figures


@rule("ORM119", "per-row-aggregate")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place where a loop asks for a figure of the collection of each row."""
    yield from figures(project, log)
