"""ORM502: rows are looked up by a column that no index begins with."""

from collections.abc import Iterator

from ormlint.api import READS, AddIndex, Column, Event, Label, Mark, Model, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.describe import code, is_shown
from ormlint.judge.eager import concerns

EQUAL = frozenset({"", "exact", "in", "iexact"})
# fmt: off
FEW_VALUES = frozenset({
    "status", "state", "type", "kind", "role", "level", "category", "language", "locale", "mode", "method", "priority", "version", "position",
    "extension", "format", "gender", "currency", "country", "severity", "visibility", "scope", "action", "provider", "backend", "color", "year",
    "month", "day", "unit", "source", "phase", "stage", "group", "section",
})
# fmt: on
CHOOSES_LITTLE = ("boolean", "enum", "bool", "text", "json", "blob", "binary", "array", "hstore", "file", "image", "choice")
MOST_LABELS = 3


@rule("ORM502", "filter-on-unindexed-column", severity=Severity.INFO, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every column by which alone queries look for rows, and that no index begins with."""
    found: dict[tuple[Model, str], list[Event]] = {}
    for event in log.of(*READS, Op.UPDATE_ROWS, Op.DELETE_ROWS):
        model = event.query.model if event.query is not None else None
        if model is None or not model.indexes_known or model.abstract or project.is_small(model) or not concerns(project, event):
            continue
        for name in _looked_up(event, model):
            found.setdefault((model, name), []).append(event)
    for (model, name), events in found.items():
        column = model.columns[name]
        if is_shown(project, column.site):
            yield _report(project, model, column, events)


def _looked_up(event: Event, model: Model) -> tuple[str, ...]:
    """Returns the columns that a query asks for equality with; none if another condition of it narrows the rows, or may do so."""
    query = event.query
    if query is None or query.relation is not None or query.raw or query.combined or query.joins or query.generic or query.cached:
        return ()
    asked = {lookup.partition("__")[::2] for lookup in query.filters if not lookup.endswith("__not")}
    keys = {relation.name: relation.attname for relation in model.relations.values()}
    names = {keys.get(name) or name for name, _ in asked}
    if not names or not names <= model.columns.keys() or any(index.columns[:1] and index.columns[0] in names for index in model.indexes):
        return ()
    equal = tuple(sorted(keys.get(name) or name for name, operator in asked if operator in EQUAL))
    return equal if len(equal) == 1 and _chooses(model.columns[equal[0]]) else ()


def _chooses(column: Column) -> bool:
    """Whether a value of a column stands for few rows, as far as its type and name tell."""
    if column.primary_key or column.unique or column.indexed or column.references:
        return False
    return column.name.rpartition("_")[2] not in FEW_VALUES and not any(word in column.type.lower() for word in CHOOSES_LITTLE)


def _report(project: Project, model: Model, column: Column, events: list[Event]) -> Report:
    places = list(dict.fromkeys(event.query.site for event in events if event.query is not None and is_shown(project, event.query.site)))
    how = "`db_index=True` or an index in `Meta.indexes`" if model.orm is Orm.DJANGO else "`index=True`"
    return Report(
        site=column.site,
        message=f"rows are looked up by {code(f'{model.name}.{column.name}')}, and no index begins with it",
        help=f"add {how}, and create it in a migration; if a value stands for one row, make it unique",
        cause=(column.site,),
        labels=(
            Label(column.site, Mark.DECLARATION, "the column"),
            *(Label(site, Mark.QUERY, "this looks rows up by it") for site in places[:MOST_LABELS]),
        ),
        intent=AddIndex(model, column, "create the index in a migration, too"),
    )
