"""ORM403: a command or a task holds all rows of a query in memory, and looks at one at a time."""

from collections.abc import Iterator

from ormlint.api import Loop, Op, Orm, Project, QueryLog, QueryObject, Report, Severity, Shape, Use, UseKind, WalkParts, rule
from ormlint.judge.describe import at_query, query_labels, row_of
from ormlint.judge.few_columns import few_columns
from ormlint.judge.listing import asks_for_a_value, is_unlimited, limit_in_practice, lists_kinds, refers_to_others
from ormlint.judge.lists import lists_of_rows, width
from ormlint.judge.releases import CHUNK_SIZES, ITERATOR_PREFETCHES
from ormlint.judge.sieves import sifted_in_python

LARGE = 10_000  # a limit that is one only in name
FEWEST = 5  # columns of rows that take some room
CHANGES = (Op.SAVE, Op.CREATE, Op.GET_OR_CREATE, Op.UPDATE_ROWS, Op.BULK_WRITE, Op.INSERT)
ENDS = (Op.COMMIT, Op.ROLLBACK)
FETCHES_PARTS = ("postgresql", "postgis", "oracle", "psqlextra", "cockroach")  # in names of engines that a change of rows does not disturb


@rule("ORM403", "large-iteration-without-iterator", severity=Severity.INFO, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query whose rows are walked once, in the background, and let go one by one."""
    walked = _walked(project, log)
    loops = _loops(log, walked)
    for query, walk in walked.items():
        if any(_stands_in_the_way(project, log, query, loop) for loop in loops.get(query, ())):
            continue
        yield Report(
            site=query.site,
            message=f"every {row_of(query)} is held in memory for a loop that looks at one at a time",
            help=_advice(project, query),
            cause=(query.site,),
            labels=query_labels(project, query, [walk], "the loop")[1:],
            intent=WalkParts(query, walk.site, _chunk(project, query), prefetches=not project.lacks(ITERATOR_PREFETCHES)),
        )


def _walked(project: Project, log: QueryLog) -> dict[QueryObject, Use]:
    """Returns the queries that give no end of rows to one loop of a command or task, which keeps none of them, with the loop's use."""
    cured = few_columns(project, log).keys() | sifted_in_python(project, log).keys()
    run_by = {event.query: event.function for event in log.of(Op.LOAD_ROWS)}
    found = {}
    for query, uses in lists_of_rows(project, log, at_least=LARGE):
        walks = [use for use in uses if use.kind is not UseKind.METHOD]
        if len(walks) != 1 or walks[0].kind is not UseKind.ITERATE or walks[0].held or query in cured:
            continue
        if run_by.get(query) in project.background and _is_large(project, query):
            found[query] = walks[0]
    return found


def _is_large(project: Project, query: QueryObject) -> bool:
    """Whether the rows may be very many: by a limit that foresees it, or whole rows that belong to rows of other tables."""
    model = query.model
    if model is None or project.is_small(model) or query.batched or query.generic:
        return False
    if query.limit is not None:
        return True
    if query.shape is not Shape.ROWS or query.plan.only is not None or width(model) < FEWEST or lists_kinds(model):
        return False
    return refers_to_others(model) and is_unlimited(query) and not limit_in_practice(query) and not asks_for_a_value(query)


def _loops(log: QueryLog, walked: dict[QueryObject, Use]) -> dict[QueryObject, set[Loop]]:
    """Returns the loops over the rows of these queries in which something is asked of the database."""
    found: dict[QueryObject, set[Loop]] = {}
    for event in log.events:
        for loop in event.loops:
            if loop.source in walked:
                found.setdefault(loop.source, set()).add(loop)
    return found


def _stands_in_the_way(project: Project, log: QueryLog, query: QueryObject, loop: Loop) -> bool:
    """Whether the rows cannot be fetched in parts because of what the loop does, or need not be fetched at all."""
    deletes = any(not event.around.conditional for event in log.within(loop, Op.DELETE))
    if deletes or (query.orm is Orm.SQLALCHEMY and any(log.within(loop, *ENDS))):
        return True
    return not _fetches_parts(project) and any(event.model in (None, query.model) for event in log.within(loop, *CHANGES))


def _fetches_parts(project: Project) -> bool:
    """Whether the project names a database on which rows can be changed while they are walked."""
    databases = project.settings.get("DATABASES")
    default = databases.get("default") if isinstance(databases, dict) else None
    engine = default.get("ENGINE") if isinstance(default, dict) else None
    return isinstance(engine, str) and any(name in engine for name in FETCHES_PARTS)


def _chunk(project: Project, query: QueryObject) -> str:
    """Returns how many rows a part has, as the argument of the method that asks for it."""
    if query.orm is Orm.DJANGO:
        return "" if project.lacks(CHUNK_SIZES) else "chunk_size=2000"
    return "1000"


def _advice(project: Project, query: QueryObject) -> str:
    where, chunk = at_query(project, query), _chunk(project, query)
    if query.orm is Orm.DJANGO:
        return f"walk `.iterator({chunk})` of the query{where}"
    batches = f".yield_per({chunk})" if query.style == "query" else f".execution_options(yield_per={chunk})"
    return f"add `{batches}` to the query{where}"
