"""ORM412: pages are cut from a query that says nothing of the order of its rows."""

from collections.abc import Iterator

from ormlint.api import Op, OrderRows, Orm, Project, QueryLog, QueryObject, Report, Site, UseKind, rule
from ormlint.judge.describe import at_query, is_shown, query_labels, row_of
from ormlint.judge.listing import gives_groups
from ormlint.judge.lists import LISTS

ORDERS = ("order_by", "latest", "earliest", "reverse", "dates", "datetimes", "extra", "from_statement", "none")


@rule("ORM412", "unordered-pagination")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query without an order from which a page is cut at an offset."""
    loaded = {event.query for event in log.of(Op.LOAD_ROWS, Op.LAZY_COLLECTION)}
    cut: dict[Site, list[QueryObject]] = {}
    for query in log.queries:
        if query.paged is not None and _is_unordered(query) and (query in loaded or _is_complete(query)):
            where = query.paged if is_shown(project, query.paged) and not query.paged.encloses(query.site) else query.site
            if is_shown(project, where):
                cut.setdefault(where, []).append(query)
    for where, queries in cut.items():
        query = queries[0]
        shared = len({each.site for each in queries}) > 1  # who gives it the others may have them ordered in a way that is not seen
        yield Report(
            site=where,
            message=f"pages of {row_of(query)}s are cut from a query without an order",
            help=_advice(project, query),
            cause=(where.path, where.start),
            intent=None if shared else _intent(query),
            labels=query_labels(project, query, [], "") if where is not query.site else (),
            preview=shared,
        )


def _intent(query: QueryObject) -> OrderRows | None:
    """Returns the order that changes least, None where it may have to be given in another place than the query's first expression."""
    key = query.model.primary_key if query.model is not None else ""
    if not key or query.ways or query.parent is not None or query.aggregates:
        return None
    return OrderRows(query, "pk" if query.orm is Orm.DJANGO else key)


def _is_complete(query: QueryObject) -> bool:
    """Whether nothing is added to a query any more: a queryset that is handed over with its page, the result of a statement."""
    if query.orm is Orm.SQLALCHEMY:
        return query.cached or query.style == "result"
    return all(use.kind is not UseKind.DERIVE or use.operator in LISTS for use in query.uses)


def _is_unordered(query: QueryObject) -> bool:
    model = query.model
    if model is None or model.ordering or not model.ordering_known or query.has(*ORDERS) or query.ordering is not None:
        return False
    return query.complete and not (query.raw or query.combined or query.generic or gives_groups(query))


def _advice(project: Project, query: QueryObject) -> str:
    model = query.model
    key = model.primary_key if model is not None else ""
    where = at_query(project, query)
    if query.orm is Orm.SQLALCHEMY:
        name = model.name if model is not None else ""
        return (
            f"add `.order_by({name}.{key})` before the limit of the query{where}"
            if key
            else f"add `.order_by(…)` before the limit of the query{where}"
        )
    return f'add `.order_by("pk")` to the query{where}, or set `ordering` in the model\'s `Meta`'
