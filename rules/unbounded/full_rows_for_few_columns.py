"""ORM404: whole rows are loaded, and only few of their columns are read."""

from collections.abc import Iterator

from ormlint.api import Model, Orm, Project, QueryLog, QueryObject, Report, Severity, Shape, Site, Use, UseKind, rule
from ormlint.judge.describe import at, joined, query_labels
from ormlint.judge.lists import concrete, lists_of_rows, searched, sent_back

WIDE = frozenset({"TextField", "JSONField", "BinaryField", "Text", "UnicodeText", "JSON", "JSONB", "LargeBinary", "HStore", "HStoreField"})
MOST_NAMED = 4  # columns of which a list of names is still shorter than the rows
ENOUGH = {1: 3, 2: 5}  # how many columns a model has for one or two of them to be few


@rule("ORM404", "full-rows-for-few-columns", severity=Severity.INFO, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query of whose rows only few columns are read, here and wherever else the same code builds it."""
    others = searched(project, log).keys() | sent_back(project, log).keys()
    reads = {query: _read(query, uses) for query, uses in lists_of_rows(project, log) if query not in others}
    made = _by_place(log)
    for query, columns in reads.items():
        if not columns or query.model is None or any(reads.get(other) != columns for other in made[query.site]):
            continue
        yield Report(
            site=query.site,
            message=f"whole `{query.model.name}` rows are loaded, and only {_names(columns)} {'is' if len(columns) == 1 else 'are'} read",
            help=_advice(project, query, columns),
            cause=(query.site,),
            labels=query_labels(project, query, [use for use in query.all_uses() if use.columns], "this reads the columns")[1:],
        )


def _read(query: QueryObject, uses: list[Use]) -> tuple[str, ...]:
    """Returns the columns that are read of each row; none if it may be more than a few, or all."""
    model = query.model
    if model is None or query.shape is not Shape.ROWS or query.parent is not None or query.generic or not query.complete:
        return ()
    if query.relation is not None and all(name in ("all", "get_queryset") for name in query.methods):
        return ()  # fetched in advance the collection costs nothing, with columns of its own it is a query per row
    if query.plan.only is not None or query.plan.deferred or query.combined or query.locked:
        return ()
    walked = any(use.kind is UseKind.ITERATE for use in uses)
    if not walked or any(use.columns is None and use.kind not in (UseKind.LEN, UseKind.TRUTH) for use in uses):
        return ()
    found = frozenset().union(*(use.columns for use in uses if use.columns))
    return tuple(sorted(found)) if found <= concrete(model) | query.plan.annotated and _are_few(model, found) else ()


def _are_few(model: Model, read: frozenset[str]) -> bool:
    """Whether the columns are few of all there are, or leave out some that can be large."""
    files = any(name in model.columns and model.columns[name].type.endswith(("FileField", "ImageField")) for name in read)
    if not read or files or len(read) > MOST_NAMED:
        return False
    total = len(model.columns) + (model.primary_key not in model.columns)
    if len(read) in ENOUGH:
        return total >= ENOUGH[len(read)]
    large = any(column.type in WIDE for name, column in model.columns.items() if name not in read)
    return large and total >= 2 * len(read)


def _by_place(log: QueryLog) -> dict[Site, list[QueryObject]]:
    """Returns the queries with whose rows something is done by the place of the expression that builds them, in whatever call."""
    found: dict[Site, list[QueryObject]] = {}
    for query in log.queries:
        if any(use.kind not in (UseKind.DERIVE, UseKind.METHOD) for use in query.all_uses()):
            found.setdefault(query.site, []).append(query)
    return found


def _names(columns: tuple[str, ...]) -> str:
    return joined(f"`{name}`" for name in columns)


def _advice(project: Project, query: QueryObject, columns: tuple[str, ...]) -> str:
    where = at(project, query.site)
    if query.orm is Orm.SQLALCHEMY:
        return f"select {_names(columns)} instead of the model in the query{where}"
    names = ", ".join(f'"{name}"' for name in columns)
    if len(columns) == 1:
        return f"add `.values_list({names}, flat=True)` to the query{where}"
    return f"add `.values_list({names})` or `.only({names})` to the query{where}"
