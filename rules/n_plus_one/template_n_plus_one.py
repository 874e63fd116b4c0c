"""ORM107: a template reads a relation of row after row of a query that does not load it."""

from collections.abc import Iterator

from ormlint.api import Project, QueryLog, Report, rule
from ormlint.judge.sinks import Sink
from ormlint.judge.unloaded import collections, objects


@rule("ORM107", "template-n-plus-one")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place where a template reads the first unloaded relation of a chain."""
    yield from objects(project, log, Sink.TEMPLATE)
    yield from collections(project, log, Sink.TEMPLATE)
