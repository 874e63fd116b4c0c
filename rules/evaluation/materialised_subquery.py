"""ORM213: rows are fetched only to be sent back as the parameters of another query."""

from collections.abc import Iterator

from ormlint.api import Orm, Project, QueryLog, QueryObject, Report, SendSubquery, Severity, Shape, Use, rule
from ormlint.judge.describe import at_query, query_labels, row_of
from ormlint.judge.lists import sent_back


@rule("ORM213", "materialised-subquery", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every list of rows, or of a column, that is only a parameter of another query."""
    for query, given in sent_back(project, log).items():
        column = next(iter(given.columns)) if given.columns else query.flat_column
        if query.model is None or query.shape is Shape.UNKNOWN or (column and column not in query.model.concrete):
            continue
        if (query.shape is Shape.TUPLES and not column and query.orm is Orm.DJANGO) or query.generic or query.raw:
            continue
        yield Report(
            site=given.site,
            message=f"every {row_of(query)} is loaded to be sent back in {_lookup(given)}",
            help=_advice(project, query, given, column),
            cause=(query.site, given.site),
            labels=query_labels(project, query, [given], "the list becomes the parameters of this query"),
            intent=SendSubquery(query, given.site),
            severity=Severity.INFO if project.is_small(query.model) else Severity.WARNING,
        )


def _lookup(given: Use) -> str:
    return "`.in_(…)`" if given.operator == "in_" else f"`{given.operator}`"


def _advice(project: Project, query: QueryObject, given: Use, column: str) -> str:
    where = at_query(project, query)
    if query.orm is Orm.SQLALCHEMY:
        return f"select {f'`{column}`' if column else 'the column'} and give {_lookup(given)} the statement{where} itself"
    values = f'`.values("{column}")` of ' if column and not query.flat_column else ""
    return f"give {_lookup(given)} {values}the query{where} itself, which makes it a subquery"
