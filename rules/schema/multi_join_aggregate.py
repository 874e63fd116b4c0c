"""ORM507: a query computes figures over several collections, whose rows multiply each other."""

from collections.abc import Iterator

from ormlint.api import AddKeyword, Aggregate, Label, Mark, Orm, Project, QueryLog, QueryObject, Report, Severity, rule
from ormlint.judge.describe import code, is_shown

_EXTREMES = frozenset({"Min", "Max"})
_REASON = "the figure becomes another one: rows are no longer counted several times"


@rule("ORM507", "multi-join-aggregate", severity=Severity.ERROR, orms=(Orm.DJANGO,), stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every aggregate of a query whose rows are multiplied by the collection of another one."""
    for query in log.queries:
        for aggregate in query.aggregates if len(query.aggregates) > 1 else ():
            other = next((other for other in query.aggregates if _multiplies(other, aggregate)), None)
            if other is not None and is_shown(project, aggregate.site):
                yield _report(project, query, aggregate, other)


def _multiplies(other: Aggregate, aggregate: Aggregate) -> bool:
    """Whether the join for one aggregate repeats the rows of another one, so that its figure is wrong."""
    depth = len(other.collection)
    if aggregate.function in _EXTREMES or aggregate.distinct or aggregate.collection[:depth] == other.collection:
        return False
    # beside each other, every row is repeated as often as all others: an average stays what it is
    inside = other.collection[: len(aggregate.collection)] == aggregate.collection
    return inside or aggregate.function in ("Count", "Sum")


def _report(project: Project, query: QueryObject, aggregate: Aggregate, other: Aggregate) -> Report:
    model = query.model.name if query.model is not None else "row"
    name, by = ("__".join(path.collection) for path in (aggregate, other))
    counts = aggregate.function == "Count"
    return Report(
        site=aggregate.site,
        message=f"{code(f'{aggregate.function}({aggregate.lookup!r})'.replace(chr(39), chr(34)))} takes each row once per row of {code(by)}",
        help="add `distinct=True`" if counts else f"compute it with a `Subquery` over {code(name)}: joined to {code(by)} its rows repeat",
        cause=(aggregate.site,),
        labels=(
            Label(aggregate.site, Mark.ACCESS, f"this joins {code(name)} to each `{model}`"),
            *([Label(other.site, Mark.QUERY, f"this joins {code(by)} as well")] if is_shown(project, other.site) else []),
        ),
        intent=AddKeyword(aggregate.site, "distinct", "True", _REASON) if counts else None,
    )
