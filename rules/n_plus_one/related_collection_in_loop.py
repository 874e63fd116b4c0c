"""ORM102: a to-many relation is evaluated for row after row of a query that does not load it."""

from collections.abc import Iterator

from ormlint.api import Project, QueryLog, Report, rule
from ormlint.judge.sinks import Sink
from ormlint.judge.unloaded import collections


@rule("ORM102", "related-collection-in-loop")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place where a loop of the program evaluates the first unloaded collection of a chain."""
    yield from collections(project, log, Sink.CODE)
