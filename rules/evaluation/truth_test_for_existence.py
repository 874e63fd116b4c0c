"""ORM203: all rows of a query are fetched by a truth test and never used."""

from collections.abc import Iterator

from ormlint.api import Bound, Orm, Project, QueryLog, QueryObject, ReplaceTruthTest, Report, Severity, Shape, Site, UseKind, rule
from ormlint.judge.again import LOADS, answered_before, loaded_only_to_test, read_off_rows
from ormlint.judge.describe import at_query, is_of_another_function, is_shown, query_labels, row_of
from ormlint.judge.listing import gives_one, tables_of_one_row
from ormlint.judge.repetition import asked_per_round, costs_nothing, is_deliberate, only_uses, prefetched_by_some
from ormlint.judge.taken import Taken
from ormlint.judge.wide import is_wide


@rule("ORM203", "truth-test-for-existence")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query of which nothing but the truth value is used."""
    left_alone = asked_per_round(log) | prefetched_by_some(log) | read_off_rows(project, log) | loaded_only_to_test(project, log)
    # `{% if book.reviews.all %}{% for review in book.reviews.all %}`: that the rows are loaded twice is the waste
    left_alone |= {other.query.site for event, other in answered_before(project, log).items() if event.op in LOADS and other.query is not None}
    single, taken = tables_of_one_row(project, log), Taken(log)
    for query in log.queries:
        if query.site in left_alone or not _loads_rows_when_tested(query) or costs_nothing(query) or is_deliberate(query):
            continue
        if query.bound is Bound.ONE or gives_one(query):
            continue
        uses = only_uses(query, UseKind.TRUTH)
        if not uses or not is_shown(project, uses[0].site) or _is_asked_again(log, query):
            continue
        few = query.bound is Bound.FEW or project.is_small(query.model)
        yield Report(
            site=uses[0].site,
            message=f"this truth test loads every {row_of(query)} to learn whether there is one",
            help=_advice(project, log, query, uses[0].site),
            cause=(uses[0].site,),
            labels=query_labels(project, query, uses, "this needs only a yes or no"),
            intent=ReplaceTruthTest(query, uses[0].site) if len(uses) == 1 and query.orm is Orm.DJANGO else None,
            severity=Severity.INFO if few else Severity.WARNING,
            preview=len({use.site for use in uses}) > 1
            or not is_wide(project, query)
            or taken.is_asked(query, uses[0].site)
            or _is_handed_on(project, log, query, uses[0].site)
            or query.model in single
            or _is_made_again(log, query, uses[0].site),
        )


def _is_handed_on(project: Project, log: QueryLog, query: QueryObject, test: Site) -> bool:
    """Whether the test stands in a function that is given the rows, and others may give something else: `if not books: books = all_books()`."""
    builder = log.functions.around(query.site)
    return bool(builder) and test.path not in project.templates and log.functions.around(test) not in log.functions.lead_to(builder, _FAR)


def _is_asked_again(log: QueryLog, query: QueryObject) -> bool:
    """Whether rows are tested where a test of the same rows has just failed: `if books and mine: … elif books: …`."""
    load = next((event for event in log.of(*LOADS) if event.query is query), None)
    failed = [test for test, held in (load.way if load is not None else ()) if not held]
    return load is not None and any(test.encloses(other.site) for other in load.earlier for test in failed)


def _is_made_again(log: QueryLog, query: QueryObject, test: Site) -> bool:
    """Whether the same expression gives the rows that are walked if the test holds: `{% if book.notes %}{% for note in book.notes %}`."""
    same = [event for event in log.of(*LOADS) if event.query is not None and event.query is not query and event.query.site == query.site]
    made = (event for event in same if event.query is not None and event.query.methods == query.methods)
    return any(held and condition.encloses(test) for event in made for condition, held in event.way)


_FAR = 3  # calls between a test and the function that builds the query
_LISTS = frozenset({"all", "fetchall", "list", "tuple"})


def _loads_rows_when_tested(query: QueryObject) -> bool:
    """Whether a truth test fetches rows: of a queryset and of a list it does, managers, `Query` and results are always true."""
    if query.shape is Shape.UNKNOWN:
        return False
    if query.style == "list" or any(use.kind is UseKind.DERIVE and use.operator in _LISTS for use in query.all_uses()):
        return True
    return query.orm is Orm.DJANGO and (query.style == "queryset" or (query.style == "related" and bool(query.methods)))


def _advice(project: Project, log: QueryLog, query: QueryObject, test: Site) -> str:
    where = at_query(project, query)
    if query.orm is Orm.DJANGO:
        return f"call `.exists()` on the query{where} instead"
    if is_of_another_function(log, query, test):
        return f"ask the database with `exists()` here, with the conditions of the query{where}"
    return f"ask the database with `exists()` instead of loading the query{where}"
