"""ORM206: the same query runs twice, with nothing written in between."""

from collections.abc import Iterator

from ormlint.api import Event, KeepAnswer, Label, Mark, Op, Project, QueryLog, Report, Severity, rule
from ormlint.judge.again import LOADS, answered_before, loaded_by
from ormlint.judge.describe import at

_KEPT = {Op.COUNT: "number", Op.EXISTS: "answer", Op.AGGREGATE: "result", Op.GET_ROW: "row"}
_FROM_ROWS = {Op.COUNT: "`len(rows)`", Op.EXISTS: "`bool(rows)`", Op.GET_ROW: "the rows"}


@rule("ORM206", "repeated-evaluation")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every statement whose answer the program has had already."""
    for event, other in answered_before(project, log).items():
        yield Report(
            site=event.site,
            message=f"this query for {loaded_by(event.query)} has run before, and nothing was written in between",
            help=_advice(project, event, other),
            cause=(event.site,),
            labels=(Label(other.site, Mark.QUERY, "this runs it first"), Label(event.site, Mark.ACCESS, "this runs it again")),
            intent=KeepAnswer(other, event),
            severity=Severity.INFO if event.query is not None and project.is_small(event.query.model) else Severity.WARNING,
            preview=_is_of_a_class(log, event) is not _is_of_a_class(log, other),
        )


def _is_of_a_class(log: QueryLog, event: Event) -> bool:
    """Whether the query is what a class body gives, `queryset = Book.objects.all()`, which a framework may have narrowed for an object."""
    return event.query is not None and not event.query.relation and not log.functions.around(event.query.site)


def _advice(project: Project, event: Event, other: Event) -> str:
    where = at(project, other.site)
    if event.op in LOADS:
        return f"keep the rows of the query{where} in a variable and use them here too"
    if other.op in LOADS:
        return f"use {_FROM_ROWS[event.op]} that the query{where} has loaded"
    return f"keep the {_KEPT[event.op]} that the query{where} gives in a variable and use it here too"
