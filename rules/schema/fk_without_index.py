"""ORM501: a foreign key has no index, and rows are looked up by it."""

from collections.abc import Iterator

from ormlint.api import AddKeyword, Column, Kind, Label, Mark, Model, Orm, Project, QueryLog, Relation, Report, Severity, Site, Table, rule
from ormlint.judge.describe import code, is_shown
from ormlint.judge.listing import lists_kinds

LOOKED_UP_ON_DELETE = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})
Owner = Model | Table
Filters = dict[tuple[Owner, str], Site]


@rule("ORM501", "fk-without-index")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every foreign key that no index begins with, if something in sight looks rows up by it."""
    if project.indexes_foreign_keys:
        return
    filters = _filters(log)
    for owner in (*project.schema, *project.schema.tables.values()):
        if not owner.indexes_known or (isinstance(owner, Model) and owner.abstract):
            continue
        for column in owner.columns.values():
            if not column.references or any(index.columns[:1] == (column.name,) for index in owner.indexes):
                continue
            cascade = _cascade(owner, column)
            uses = (*_loads(project, owner, column), *_filtered(filters, owner, column))
            if is_shown(project, column.site) and (cascade or uses):
                of_kind = any(lists_kinds(model) for model in project.schema if model.table == column.references)
                yield _report(owner, column, cascade, uses, of_kind=of_kind)


def _report(owner: Owner, column: Column, cascade: tuple[str, ...], uses: tuple[Label, ...], *, of_kind: bool) -> Report:
    """Returns the report of a key; who once changed a row is hardly asked for, and the rows of a table of kinds are hardly deleted."""
    django = isinstance(owner, Model) and owner.orm is Orm.DJANGO
    what = "remove `db_index=False` from the field" if django else "add `index=True` to the column"
    return Report(
        site=column.site,
        message=f"no index begins with {code(f'{owner.name}.{column.name}')}: each look-up by it reads the whole table",
        help=f"{what}, and create the index in a migration",
        cause=(column.site,),
        labels=(*uses, Label(column.site, Mark.DECLARATION, "the foreign key")),
        notes=cascade,
        intent=None if django else AddKeyword(column.site, "index", "True", "create the index in a migration, too"),
        severity=Severity.INFO if django else Severity.WARNING,
        preview=django or not cascade or (not uses and (column.on_delete.upper() != "CASCADE" or of_kind)),
    )


def _cascade(owner: Owner, column: Column) -> tuple[str, ...]:
    """Returns a note if the database itself looks rows up when one of the other table is deleted."""
    if column.on_delete.upper() not in LOOKED_UP_ON_DELETE:
        return ()
    other = f"of {code(column.references)}" if column.references != "?" else "that it refers to"
    return (f"deleting a row {other} looks up its rows, as `ondelete={column.on_delete!r}` says",)


def _loads(project: Project, owner: Owner, column: Column) -> Iterator[Label]:
    """Yields a label for each relation that is loaded by a look-up of the foreign key."""
    for model in project.schema:
        if model.abstract or model.table != column.references:
            continue
        for relation in model.relations.values():
            if relation.model is model and _is_loaded_by(relation, owner, column) and is_shown(project, relation.site):
                yield Label(relation.site, Mark.ACCESS, f"{code(f'{model.name}.{relation.name}')} is loaded by it")


def _is_loaded_by(relation: Relation, owner: Owner, column: Column) -> bool:
    if isinstance(owner, Table):
        return relation.kind is Kind.MANY_TO_MANY and relation.secondary in (owner.name, owner.variable)
    if relation.kind not in (Kind.REVERSE_FOREIGN_KEY, Kind.REVERSE_ONE_TO_ONE) or relation.target is not owner:
        return False
    if relation.inverse is not None:
        return relation.inverse.attname == column.name
    return [other.name for other in owner.columns.values() if other.references == column.references] == [column.name]


def _filters(log: QueryLog) -> Filters:
    """Returns where queries ask for equality with a column, by model and column."""
    found: Filters = {}
    for event in log.events:
        query = event.query
        if query is None or query.model is None:
            continue
        names = {name.removesuffix("__in") for name in query.filters}
        if not _is_served(query.model, names):
            for name in names:
                found.setdefault((query.model, name), query.site)
    return found


def _is_served(model: Model, names: set[str]) -> bool:
    """Whether an index of another column that is asked for narrows the rows already: `unique(user, shop)` serves `user=…, shop=…`."""
    return any(index.columns and index.columns[0] in names and not index.partial for index in model.indexes)


def _filtered(filters: Filters, owner: Owner, column: Column) -> Iterator[Label]:
    site = filters.get((owner, column.name))
    if site is not None:
        yield Label(site, Mark.QUERY, "this query looks rows up by it")
