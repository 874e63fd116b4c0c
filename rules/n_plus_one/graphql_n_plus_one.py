"""ORM111: a field of a GraphQL type reads a relation of row after row of a list that does not load it."""

from collections.abc import Iterator
from dataclasses import replace

from ormlint.api import EagerLoad, Project, QueryLog, Report, rule
from ormlint.judge.sinks import Sink
from ormlint.judge.unloaded import collections, objects


@rule("ORM111", "graphql-n-plus-one", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every field of a type that reads a relation which the query of a list lacks."""
    for report in (*objects(project, log, Sink.GRAPHQL), *collections(project, log, Sink.GRAPHQL)):
        yield replace(report, help=_advice(report), intent=None)  # what the client asks for is not to be read from the program


def _advice(report: Report) -> str:
    intent = report.intent
    if not isinstance(intent, EagerLoad) or intent.query.methods:
        return report.help
    method = "select_related" if all(relation.to_one for relation in intent.path) else "prefetch_related"
    lookup = "__".join(relation.name for relation in intent.path)
    return f'give the list a resolver whose query has `.{method}("{lookup}")`, or use an optimizer'
