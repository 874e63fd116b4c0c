"""ORM201: all rows of a query are fetched to learn how many there are."""

from collections.abc import Iterator

from ormlint.api import (
    Bound,
    Op,
    Orm,
    Project,
    QueryLog,
    QueryObject,
    ReplaceCountTest,
    ReplaceLen,
    Report,
    Severity,
    Shape,
    Site,
    Use,
    UseKind,
    rule,
)
from ormlint.judge.again import asks_for_some, loaded_only_to_test, read_off_rows, uses_of_length
from ormlint.judge.describe import at, at_query, code, is_of_another_function, is_shown, query_labels, row_of
from ormlint.judge.listing import gives_few, gives_one, tables_of_one_row
from ormlint.judge.repetition import asked_per_round, costs_nothing, is_deliberate, only_uses, prefetched_by_some
from ormlint.judge.taken import Taken


@rule("ORM201", "len-of-query")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query of which nothing but the length is used."""
    left_alone = asked_per_round(log) | prefetched_by_some(log) | read_off_rows(project, log) | loaded_only_to_test(project, log)
    single, taken, walked, around = tables_of_one_row(project, log), Taken(log), _walked(log), log.functions.around
    for query in log.queries:
        if query.site in left_alone or costs_nothing(query) or is_deliberate(query) or query.shape is Shape.UNKNOWN or gives_one(query):
            continue
        uses = only_uses(query, UseKind.LEN)
        if not uses or not is_shown(project, uses[0].site):
            continue
        test = _test(query, uses)
        maker = _maker_of_list(log, query, uses)
        few = query.bound <= Bound.FEW or project.is_small(query.model)
        yield Report(
            site=uses[0].site,
            message=f"`len()` loads every {row_of(query)} only to {'count them' if test is None else 'learn whether there is one'}",
            help=_advice(project, query, maker, test, elsewhere=is_of_another_function(log, query, uses[0].site)),
            cause=(uses[0].site,),
            labels=query_labels(project, query, uses, f"this needs only {'their number' if test is None else 'a yes or no'}"),
            intent=None if maker else test if test is not None else ReplaceLen(query, uses[0].site) if len(uses) == 1 else None,
            severity=Severity.INFO if few else Severity.WARNING,
            preview=gives_few(query)
            or query.model in single
            or taken.is_asked(query, uses[0].site)
            or walked.get((query.site, around(uses[0].site)), uses[0].site) > uses[0].site
            or query.bound <= Bound.FEW
            or query.sliced
            or (bool(maker) and not _is_for_one(log, query, uses[0], maker)),
        )


def _walked(log: QueryLog) -> dict[tuple[Site, str], Site]:
    """Returns where queries are built whose rows are walked, with the function that does: `if len(running()): for each in running(): …`."""
    return {(query.site, log.functions.around(use.site)): use.site for query in log.queries for use in query.uses if use.kind is UseKind.ITERATE}


def _maker_of_list(log: QueryLog, query: QueryObject, uses: list[Use]) -> str:
    """Returns the name of another function that makes a list of the rows, which has no `count()`; "" if none does."""
    if query.orm is not Orm.DJANGO or not any(use.listed for use in uses):
        return ""
    around, versions = log.functions.around, _versions(query)
    makers = {around(event.site) for event in log.of(Op.LOAD_ROWS) if event.query in versions} or {around(query.site)}
    return "" if around(uses[0].site) in makers else min(makers)


def _is_for_one(log: QueryLog, query: QueryObject, use: Use, maker: str) -> bool:
    """Whether nobody else calls the function that makes a list of the rows, and nothing else is done with that list."""
    around = log.functions.around
    lists = {event.query for event in log.of(Op.LOAD_ROWS) if around(event.site) == maker}
    same = (each for each in log.queries if each.site == query.site and not lists.isdisjoint(_versions(each)))
    others = {other.site for each in same for other in each.all_uses() if around(other.site) != maker}
    return others == {use.site} and log.functions.callers(maker) == {around(use.site)}


def _versions(query: QueryObject) -> set[QueryObject | None]:
    """Returns a query as it is here and in the functions that it was returned from."""
    versions: set[QueryObject | None] = {query}
    found = query.parent
    while isinstance(found, QueryObject):
        versions.add(found)
        found = found.parent
    return versions


def _test(query: QueryObject, uses: list[Use]) -> ReplaceCountTest | None:
    """Returns the replacement of a comparison that asks of the length only whether there are rows: `len(books) > 0`."""
    tests = uses_of_length(uses[0]) if len(uses) == 1 else []
    if len(tests) != 1 or query.orm is not Orm.DJANGO or not tests[0].site.encloses(uses[0].site):
        return None
    some = asks_for_some(tests[0])
    return None if some is None else ReplaceCountTest(query, uses[0].site, tests[0].site, negated=not some)


def _advice(project: Project, query: QueryObject, maker: str, test: ReplaceCountTest | None, *, elsewhere: bool) -> str:
    if maker:
        name = maker.rpartition(":")[2]
        method = "count" if test is None else "exists"
        return f"have {code(name)} return `.{method}()` of the query{at(project, query.site)} instead of a list"
    where = at_query(project, query)
    if elsewhere:
        return f"ask for their number here, with the conditions of the query{where}"
    if test is not None:
        return f"call `.exists()` on the query{where} instead"
    if query.orm is Orm.SQLALCHEMY and not query.has("query", "filter", "filter_by"):
        return f"select `func.count()` instead of the rows in the query{where}"
    return f"call `.count()` on the query{where} instead"
