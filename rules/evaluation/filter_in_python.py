"""ORM211: all rows of a query are fetched, and a comparison in Python decides which are used."""

from collections.abc import Iterator

from ormlint.api import FilterInDatabase, Orm, Project, QueryLog, QueryObject, Report, Severity, Use, rule
from ormlint.judge.describe import at_query, joined, query_labels, row_of
from ormlint.judge.listing import is_unlimited, limit_in_practice
from ormlint.judge.sieves import sifted_in_python

EQUALITIES = frozenset({"", "==", "is", "in"})


@rule("ORM211", "filter-in-python", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query of whose rows a loop uses those whose columns compare."""
    for query, walk in sifted_in_python(project, log).items():
        columns = joined(f"`{column}`" for column in sorted({column for column, _ in walk.sieve}))
        yield Report(
            site=query.site,
            message=f"every {row_of(query)} is loaded, and {columns} decide{'s' * (len(walk.sieve) == 1)} in Python which are used",
            help=_advice(project, query, columns),
            cause=(query.site, walk.site),
            labels=query_labels(project, query, [walk], "this uses some of the rows")[1:],
            intent=FilterInDatabase(query, walk.site),
            severity=Severity.WARNING if _leaves_few(project, query, walk) else Severity.INFO,
        )


def _leaves_few(project: Project, query: QueryObject, walk: Use) -> bool:
    """Whether the rows have no end, and those that are used are equal in something."""
    if project.is_small(query.model) or not is_unlimited(query) or limit_in_practice(query):
        return False
    return any(operator in EQUALITIES for _, operator in walk.sieve)


def _advice(project: Project, query: QueryObject, columns: str) -> str:
    method = "where" if query.orm is Orm.SQLALCHEMY and query.style != "query" else "filter"
    if query.parent is not None:
        return f"compare {columns} in `.{method}(…)` on what the call gives"
    return f"compare {columns} in `.{method}(…)` on the query{at_query(project, query)}"
