"""ORM208: all rows of a query are fetched, and one of them is used."""

from collections.abc import Iterator

from ormlint.api import AppendMethod, Orm, Project, QueryLog, QueryObject, Report, Severity, Shape, TakeFirst, Use, UseKind, rule
from ormlint.judge.collections import risk_of_limiting
from ormlint.judge.describe import at_query, query_labels, row_of
from ormlint.judge.lists import lists_of_rows

WALKS = frozenset({"next", "break"})


@rule("ORM208", "fetch-all-for-one", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query of whose rows only the first is used."""
    for query, uses in lists_of_rows(project, log):
        taken = _takes_first(uses)
        if taken is None or (query.orm is Orm.SQLALCHEMY and (query.relation is not None or query.shape is not Shape.ROWS)):
            continue
        may_be_one = bool(query.filters) and not query.has("order_by")
        yield Report(
            site=taken.site,
            message=f"every {row_of(query)} is loaded to use one of them",
            help=_advice(project, query),
            cause=(query.site, taken.site),
            labels=query_labels(project, query, [taken], "only the first row is used"),
            intent=_limit(query, uses),
            severity=Severity.INFO if may_be_one or project.is_small(query.model) else Severity.WARNING,
        )


def _takes_first(uses: list[Use]) -> Use | None:
    """Returns the use that takes the first row, if nothing else is done with the rows but to ask whether there are some."""
    firsts = [use for use in uses if _is_first(use)]
    if not firsts or len([use for use in firsts if use.operator == "next"]) > 1 or any(use.repeated for use in firsts):
        return None
    walked = any(use.operator in WALKS for use in firsts)
    for use in uses:
        begins = walked and use.kind is UseKind.ITERATE and use.operator == "iter"
        if not _is_first(use) and not begins and use.kind is not UseKind.TRUTH:
            return None
    return firsts[0]


def _is_first(use: Use) -> bool:
    if use.kind is UseKind.INDEX:
        return use.constant == 0 and type(use.constant) is int
    return use.kind is UseKind.ITERATE and use.operator in WALKS


def _limit(query: QueryObject, uses: list[Use]) -> AppendMethod | TakeFirst | None:
    """Returns the limit that leaves the one row: in the query, where nothing else can be done with it, else where the row is taken."""
    if query.combined or query.ways:
        return None
    risk = risk_of_limiting(query)
    if query.parent is None and not query.steps and any(use.site.encloses(query.site) for use in uses):
        return AppendMethod(query.site, "[:1]" if query.orm is Orm.DJANGO else ".limit(1)", risk)
    taken = [use for use in uses if _is_first(use)]
    return TakeFirst(taken[0].site, query, kept=len(taken) > 1 or any(use.kind is UseKind.TRUTH for use in uses), reason=risk)


def _advice(project: Project, query: QueryObject) -> str:
    where = at_query(project, query)
    if query.orm is Orm.DJANGO:
        return f"take one row from the database, with `[:1]` or `.first()` on the query{where}"
    return f"add `.limit(1)` to the query{where}, or take `.first()` of it"
