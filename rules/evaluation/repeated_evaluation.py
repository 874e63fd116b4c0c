"""ORM206: the same query runs twice, with nothing written in between."""

from collections.abc import Iterator

from ormlint.api import READS, Event, Label, Mark, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.again import LOADS, is_first_of, loaded_by, repeated_statements, tests_before_loads
from ormlint.judge.describe import at
from ormlint.judge.repetition import prefetched_by_some

_KEPT = {Op.COUNT: "number", Op.EXISTS: "answer", Op.AGGREGATE: "result", Op.GET_ROW: "row"}
_FROM_ROWS = {Op.COUNT: "`len(rows)`", Op.EXISTS: "`bool(rows)`", Op.GET_ROW: "the rows"}
_FIRST = frozenset({"first", "afirst", "[]"})


@rule("ORM206", "repeated-evaluation")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every statement whose answer the program has had already."""
    prefetched = prefetched_by_some(log)
    told = set(tests_before_loads(project, log))  # they are not needed at all
    for event, other in repeated_statements(project, log, *READS, Op.LAZY_COLLECTION):
        query = event.query
        if event in told or query is None or query.site in prefetched or not _is_answered(event, other):
            continue
        told.add(event)
        yield Report(
            site=event.site,
            message=f"this query for {loaded_by(query)} has run before, and nothing was written in between",
            help=_advice(project, event, other),
            cause=(event.site,),
            labels=(Label(other.site, Mark.QUERY, "this runs it first"), Label(event.site, Mark.ACCESS, "this runs it again")),
            severity=Severity.INFO if project.is_small(query.model) else Severity.WARNING,
        )


def _is_answered(event: Event, other: Event) -> bool:
    """Whether what a statement asks is known from an earlier one about the same rows."""
    if event.method == "get" and event.orm is Orm.SQLALCHEMY:
        return False  # the identity map has the row
    if event.op is other.op or (event.op in LOADS and other.op in LOADS):
        return event.recipe is not None and other.recipe is not None and event.recipe.key == other.recipe.key
    if other.op not in LOADS or event.op not in _FROM_ROWS:
        return False
    return event.op is not Op.GET_ROW or (event.method in _FIRST and is_first_of(event, other))


def _advice(project: Project, event: Event, other: Event) -> str:
    where = at(project, other.site)
    if event.op in LOADS:
        return f"keep the rows of the query{where} in a variable and use them here too"
    if other.op in LOADS:
        return f"use {_FROM_ROWS[event.op]} that the query{where} has loaded"
    return f"keep the {_KEPT[event.op]} that the query{where} gives in a variable and use it here too"
