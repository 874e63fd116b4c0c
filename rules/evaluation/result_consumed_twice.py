"""ORM217: the rows of a result are taken a second time, when there are none left."""

from collections.abc import Iterator

from ormlint.api import KeepRows, Orm, Project, QueryLog, QueryObject, Report, Severity, rule
from ormlint.judge.describe import at_query, code, is_shown, query_labels


@rule("ORM217", "result-consumed-twice", severity=Severity.ERROR, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place that takes the rows of a result or an iterator which every way to it has taken before."""
    for query in log.queries:
        for use in query.uses:
            if not use.again or not is_shown(project, use.site):
                continue
            yield Report(
                site=use.site,
                message=f"{_what(query)} has no rows left here: all of them have been taken before",
                help=_advice(project, query),
                cause=(query.site, use.site),
                labels=query_labels(project, query, [use], "this gets none"),
                intent=KeepRows(query, use.site),
            )


def _what(query: QueryObject) -> str:
    return "the result" if query.orm is Orm.SQLALCHEMY else code("iterator()")


def _advice(project: Project, query: QueryObject) -> str:
    if query.orm is Orm.SQLALCHEMY:
        return f"keep the list that `.all()` gives of the result{at_query(project, query)}"
    return f"walk the queryset itself, or keep a list of its rows{at_query(project, query)}"
