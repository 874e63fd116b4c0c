"""ORM116: a relation is loaded along with rows, and never read of them."""

from collections.abc import Iterator

from ormlint.api import DropLoad, Label, LoadKind, Mark, Op, Orm, Project, QueryLog, QueryObject, Report, Severity, Shape, Site, Use, UseKind, rule
from ormlint.judge.describe import code, is_shown, joined

LOADS = frozenset({"select_related", "prefetch_related", "joinedload", "selectinload", "subqueryload", "immediateload"})
IGNORE_LOADS = frozenset({"count", "acount", "exists", "aexists", "aggregate", "aaggregate", "update", "aupdate", "delete", "adelete"})
RESULTS = frozenset({"scalars", "execute", "exec"})
Loader = tuple[Site, str]


@rule("ORM116", "unused-eager-load", severity=Severity.INFO, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every loader whose relation nothing reads, of all queries that it stands in."""
    loading = {event.query for event in log.of(Op.LOAD_ROWS, Op.GET_ROW)}
    for (site, name), queries in _loaders(log).items():
        used = [query for query in queries if query in loading or any(use.kind is not UseKind.DERIVE for use in query.all_uses())]
        if used and is_shown(project, site) and all(_is_unread(query, name) for query in used):
            yield _report(project, site, name, used[0], tuple(queries))


def _is_unread(query: QueryObject, name: str) -> bool:
    """Whether nothing reads an attribute of the rows of a query: they are not given away, and all that is read of them is known."""
    model = query.model
    if model is None or query.generic or query.locked or query.combined or not query.complete:
        return False
    if query.shape is Shape.TUPLES and query.orm is Orm.DJANGO:
        return True  # `values()` has no rows to load anything along with
    uses = [use for use in query.all_uses() if use.kind is not UseKind.DERIVE and not _ignores_loads(use) and not _gives_result(query, use)]
    if any(use.columns is None for use in uses):
        return False
    found: frozenset[str] = frozenset().union(*(use.columns for use in uses if use.columns))
    lists = {entry.to_attr for entry in query.plan.loaded.values() if entry.to_attr}
    return bool(query.uses) and name not in found and found <= model.concrete | query.plan.annotated | model.relations.keys() | lists


def _ignores_loads(use: Use) -> bool:
    return use.kind in (UseKind.LEN, UseKind.TRUTH) or (use.kind is UseKind.METHOD and use.operator in IGNORE_LOADS)


def _loaders(log: QueryLog) -> dict[Loader, list[QueryObject]]:
    """Returns the queries by the calls that ask for a relation of their rows, and the attribute that it is read by."""
    found: dict[Loader, list[QueryObject]] = {}
    for query in log.queries:
        for name, entry in query.plan.loaded.items():
            if entry.method in LOADS and entry.kind in (LoadKind.JOIN, LoadKind.SEPARATE) and entry.certain:
                found.setdefault((entry.site, entry.to_attr or name), []).append(query)
    return found


def _gives_result(query: QueryObject, use: Use) -> bool:
    """Whether a statement is run for a result, which is an object of its own with uses of its own."""
    return query.style == "select" and use.kind is UseKind.METHOD and use.operator in RESULTS


def _report(project: Project, site: Site, name: str, query: QueryObject, queries: tuple[QueryObject, ...]) -> Report:
    walked = [Label(use.site, Mark.ACCESS, f"this reads {_names(use.columns)} of each row") for use in query.all_uses() if use.columns]
    method = query.plan.loaded[name].method if name in query.plan.loaded else "prefetch_related"
    return Report(
        site=site,
        message=f"`{method}` loads {code(name)}, which nothing reads",
        help=f"remove {code(name)} from what is loaded",
        cause=(site, name),
        labels=(Label(site, Mark.QUERY, "this loads it"), *(label for label in walked[:1] if is_shown(project, label.site))),
        relations=(name,),
        intent=DropLoad(site, name, queries),
    )


def _names(columns: frozenset[str]) -> str:
    return joined(code(name) for name in sorted(columns))
