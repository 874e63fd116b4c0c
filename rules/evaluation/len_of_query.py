"""ORM201: all rows of a query are fetched to learn how many there are."""

from collections.abc import Iterator

from ormlint.api import Bound, Orm, Project, QueryLog, QueryObject, ReplaceLen, Report, Severity, Shape, UseKind, rule
from ormlint.judge.again import read_off_rows
from ormlint.judge.describe import at_query, is_shown, query_labels, row_of
from ormlint.judge.repetition import asked_per_round, costs_nothing, is_deliberate, only_uses, prefetched_by_some


@rule("ORM201", "len-of-query")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query of which nothing but the length is used."""
    left_alone = asked_per_round(log) | prefetched_by_some(log) | read_off_rows(project, log)
    for query in log.queries:
        if query.site in left_alone or costs_nothing(query) or is_deliberate(query) or query.shape is Shape.UNKNOWN:
            continue
        uses = only_uses(query, UseKind.LEN)
        if not uses or not is_shown(project, uses[0].site):
            continue
        few = query.bound <= Bound.FEW or project.is_small(query.model)
        yield Report(
            site=uses[0].site,
            message=f"`len()` loads every {row_of(query)} only to count them",
            help=_advice(project, query),
            cause=(query.site, uses[0].site),
            labels=query_labels(project, query, uses, "this needs only their number"),
            intent=ReplaceLen(query, uses[0].site) if len(uses) == 1 else None,
            severity=Severity.INFO if few else Severity.WARNING,
        )


def _advice(project: Project, query: QueryObject) -> str:
    where = at_query(project, query)
    if query.orm is Orm.SQLALCHEMY and not query.has("query", "filter", "filter_by"):
        return f"select `func.count()` instead of the rows in the query{where}"
    return f"call `.count()` on the query{where} instead"
