"""ORM501: a foreign key has no index, and rows are looked up by it."""

from collections.abc import Iterator

from ormlint.api import AddKeyword, Column, Kind, Label, Mark, Model, Orm, Project, QueryLog, Relation, Report, Severity, Table, rule
from ormlint.judge.describe import code, is_shown
from ormlint.judge.foreign_keys import Filters, Owner, filters_by_key, loaded_relations
from ormlint.judge.listing import lists_kinds

LOOKED_UP_ON_DELETE = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


@rule("ORM501", "fk-without-index")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every foreign key that no index begins with, if something in sight looks rows up by it."""
    if project.indexes_foreign_keys:
        return
    filters, loaded = filters_by_key(project, log), loaded_relations(project, log)
    for owner in (*project.schema, *project.schema.tables.values()):
        if not owner.indexes_known or (isinstance(owner, Model) and owner.abstract):
            continue
        for column in owner.columns.values():
            if not column.references or any(index.columns[:1] == (column.name,) for index in owner.indexes):
                continue
            cascade = _cascade(owner, column)
            loads = _loads(project, owner, column)
            uses = (*(label for _, label in loads), *_filtered(filters, owner, column))
            if is_shown(project, column.site) and (cascade or uses):
                seen = len(uses) > len(loads) or any(relation in loaded for relation, _ in loads)
                seen = seen and not (isinstance(owner, Model) and lists_kinds(owner))
                seen = seen and not any(lists_kinds(model) for model in project.schema if model.table == column.references)
                yield _report(owner, column, cascade, uses, seen=seen)


def _report(owner: Owner, column: Column, cascade: tuple[str, ...], uses: tuple[Label, ...], *, seen: bool) -> Report:
    """Returns the report of a key; `seen` tells whether the program runs a query that looks rows up by it, and is not only able to."""
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
        preview=django or not cascade or not seen,
    )


def _cascade(owner: Owner, column: Column) -> tuple[str, ...]:
    """Returns a note if the database itself looks rows up when one of the other table is deleted."""
    if column.on_delete.upper() not in LOOKED_UP_ON_DELETE:
        return ()
    other = f"of {code(column.references)}" if column.references != "?" else "that it refers to"
    return (f"deleting a row {other} looks up its rows, as `ondelete={column.on_delete!r}` says",)


def _loads(project: Project, owner: Owner, column: Column) -> list[tuple[Relation, Label]]:
    """Returns the relations that are loaded by a look-up of the foreign key, each with a label."""
    referred = (model for model in project.schema if not model.abstract and model.table == column.references)
    own = (relation for model in referred for relation in model.relations.values() if relation.model is model)
    loading = (relation for relation in own if _is_loaded_by(relation, owner, column) and is_shown(project, relation.site))
    return [(each, Label(each.site, Mark.ACCESS, f"{code(f'{each.model.name}.{each.name}')} is loaded by it")) for each in loading]


def _is_loaded_by(relation: Relation, owner: Owner, column: Column) -> bool:
    if isinstance(owner, Table):
        return relation.kind is Kind.MANY_TO_MANY and relation.secondary in (owner.name, owner.variable)
    if relation.kind not in (Kind.REVERSE_FOREIGN_KEY, Kind.REVERSE_ONE_TO_ONE) or relation.target is not owner:
        return False
    if relation.inverse is not None:
        return relation.inverse.attname == column.name
    return [other.name for other in owner.columns.values() if other.references == column.references] == [column.name]


def _filtered(filters: Filters, owner: Owner, column: Column) -> Iterator[Label]:
    site = filters.get((owner, column.name))
    if site is not None:
        yield Label(site, Mark.QUERY, "this query looks rows up by it")
