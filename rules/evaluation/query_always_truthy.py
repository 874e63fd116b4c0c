"""ORM215: a query is tested for truth, and is always true."""

from collections.abc import Iterator

from ormlint.api import Orm, Project, QueryLog, QueryObject, ReplaceTruthTest, Report, Severity, UseKind, rule
from ormlint.judge.describe import at_query, query_labels

WHAT = {"query": "a `Query`", "select": "a statement"}
CURE = {
    "query": "ask the database, `session.query(query.exists()).scalar()`, or load the rows with `.all()`",
    "select": "execute it, and test the rows",
}


@rule("ORM215", "query-always-truthy", severity=Severity.ERROR, stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every truth test of a query that nothing else can stand in for."""
    for query in log.queries:
        if query.orm is not Orm.SQLALCHEMY or query.style not in WHAT:
            continue
        for use in query.uses:
            if use.kind is UseKind.TRUTH and use.certain:
                says = "cannot be tested for truth: it raises `TypeError`" if query.style == "select" else "is always true, with rows or without"
                yield Report(
                    site=use.site,
                    message=f"{WHAT[query.style]} {says}",
                    help=_cure(project, query),
                    cause=(use.site,),
                    labels=query_labels(project, query, [use], "this tests it"),
                    intent=ReplaceTruthTest(query, use.site) if query.style == "query" else None,
                )


def _cure(project: Project, query: QueryObject) -> str:
    return f"{CURE[query.style]}; it is built{at_query(project, query)}"
