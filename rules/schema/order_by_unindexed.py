"""ORM503: the first rows of a table are asked for in the order of a column that no index begins with."""

from collections.abc import Iterator

from ormlint.api import READS, AddIndex, Column, Event, Label, Mark, Model, Op, Orm, Project, QueryLog, QueryObject, Report, Severity, Site, rule
from ormlint.judge.describe import code, is_shown
from ormlint.judge.eager import concerns

FIRST = frozenset({"first", "last", "afirst", "alast", "[]"})
MOST_LABELS = 3
Sorted = tuple[QueryObject, Site]


@rule("ORM503", "order-by-unindexed", severity=Severity.INFO, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every column that decides which rows of a table come first, of all or of those that a flag chooses."""
    pages = {endpoint.query for endpoint in project.endpoints if endpoint.paginated}
    admin = {query.site for shown in project.admin_lists for query in (shown.own, shown.shown)}
    found: dict[tuple[Model, str], list[QueryObject]] = {}
    for event in log.of(*(READS - {Op.COUNT, Op.EXISTS, Op.AGGREGATE})):
        query = event.query
        if query is None or query.site in admin or not (_takes_first(event, query) or query in pages) or not concerns(project, event):
            continue
        column = _sorts_by(project, query)
        if column is not None and query.model is not None:
            found.setdefault((query.model, column.name), []).append(query)
    for (model, name), queries in found.items():
        column = model.columns[name]
        if is_shown(project, column.site):
            yield _report(project, model, column, queries)


def _takes_first(event: Event, query: QueryObject) -> bool:
    """Whether a statement asks for a page or for the first row, so that an index spares the database sorting all."""
    return query.sliced or event.method in FIRST


def _sorts_by(project: Project, query: QueryObject) -> Column | None:
    """Returns the column that a query sorts the rows of a table by; None if an index serves it, or another one finds the rows first."""
    model = query.model
    if model is None or not model.indexes_known or project.is_small(model) or query.generic or query.raw or query.combined or query.cached:
        return None
    if query.relation is not None or query.joins or query.distinct or query.aggregates or query.has("group_by", "distinct", "join", "outerjoin"):
        return None
    ordering = query.ordering if query.ordering is not None else model.ordering
    column = model.columns.get(ordering[0].lstrip("-")) if ordering else None
    # rows come with time; by names and positions mostly those of small tables are sorted
    if column is None or not any(word in column.type.lower() for word in ("date", "time")) or column.name in query.plan.annotated:
        return None
    keys = {relation.name: relation.attname for relation in model.relations.values()}
    names = {keys.get(name) or name for name in (lookup.partition("__")[0] for lookup in query.filters)}
    if not names <= model.columns.keys():
        return None
    served = any(index.columns and (index.columns[0] in names or index.columns[0] == column.name) for index in model.indexes)
    return None if served or any(column.name in index.columns for index in model.indexes) else column


def _report(project: Project, model: Model, column: Column, queries: list[QueryObject]) -> Report:
    default = model.ordering_site if model.ordering and model.ordering[0].lstrip("-") == column.name else None
    places = [query.site for query in queries if is_shown(project, query.site)]
    how = "an index in `Meta.indexes`" if model.orm is Orm.DJANGO else "`index=True`"
    sorts = [Label(default, Mark.DECLARATION, "all queries are sorted by it unless they say otherwise")] if default is not None else []
    asks = (Label(site, Mark.QUERY, "this asks for the first rows") for site in list(dict.fromkeys(places))[:MOST_LABELS])
    return Report(
        site=column.site,
        message=f"rows are sorted by {code(f'{model.name}.{column.name}')}, and no index begins with it",
        help=f"add {how} and create it in a migration: a page or the first row is then read in order, and not found by sorting all rows",
        cause=(column.site,),
        labels=(Label(column.site, Mark.DECLARATION, "the column"), *sorts, *asks),
        intent=AddIndex(model, column, "create the index in a migration, too"),
    )
