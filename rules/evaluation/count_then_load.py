"""ORM205: rows are counted by a query of its own although they are loaded as well."""

from collections.abc import Iterator

from ormlint.api import CountRows, Label, Mark, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.again import counts_before_loads, loaded_by, tests_before_loads
from ormlint.judge.describe import at, code
from ormlint.judge.repetition import prefetched_by_some


@rule("ORM205", "count-then-load", severity=Severity.INFO, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every count of rows that are all loaded afterwards."""
    prefetched = prefetched_by_some(log)
    tests = tests_before_loads(project, log)
    for count, load in counts_before_loads(project, log).items():
        query = count.query
        if query is None or query.site in prefetched or count in tests:
            continue
        rows = "list" if load.orm is Orm.SQLALCHEMY else "queryset"
        yield Report(
            site=count.site,
            message=f"{code(f'{count.method}()')} runs one query more before the same {loaded_by(query)} are loaded",
            help=f"take `len()` of the {rows} whose rows are used{at(project, load.site)}, after they are loaded",
            cause=(count.site,),
            labels=(Label(count.site, Mark.QUERY, "this counts the rows"), Label(load.site, Mark.ACCESS, "this loads them")),
            intent=CountRows(query, count.site, load),
        )
