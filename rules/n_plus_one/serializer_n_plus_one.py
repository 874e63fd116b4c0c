"""ORM106: a serializer reads a relation of row after row of a query that does not load it."""

from collections.abc import Iterator

from ormlint.api import Project, QueryLog, Report, rule
from ormlint.judge.sinks import Sink
from ormlint.judge.unloaded import collections, objects


@rule("ORM106", "serializer-n-plus-one")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query that lacks a relation which the fields of a serializer read."""
    yield from objects(project, log, Sink.SERIALIZER)
    yield from collections(project, log, Sink.SERIALIZER)
