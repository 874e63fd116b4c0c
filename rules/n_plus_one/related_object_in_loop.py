"""ORM101: a to-one relation is read from row after row of a query that does not load it."""

from collections.abc import Iterator

from ormlint.api import Project, QueryLog, Report, rule
from ormlint.judge.sinks import Sink
from ormlint.judge.unloaded import objects


@rule("ORM101", "related-object-in-loop")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place where a loop of the program reads the first unloaded relation of a chain."""
    yield from objects(project, log, Sink.CODE)
