"""ORM504: an index begins another one of the same table, which serves its look-ups as well."""

from collections.abc import Iterator

from ormlint.api import Column, Index, Label, Mark, Model, Orm, Project, QueryLog, RemoveDeclaration, Report, Severity, Table, rule
from ormlint.judge.describe import code, is_shown
from ormlint.judge.twin_indexes import are_made, may_be_the_same, may_have_more

Owner = Model | Table


@rule("ORM504", "redundant-index", severity=Severity.INFO)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every index that another one makes superfluous; one of fewer columns than the other only with --preview."""
    owners = [owner for owner in (*project.schema, *project.schema.tables.values()) if not (isinstance(owner, Model) and owner.abstract)]
    served = [(owner, index, _served_by(owner.indexes, number)) for owner in owners for number, index in enumerate(owner.indexes)]
    needed = {
        (index.site, index.columns) for _, index, other in served if other is None and index.kind == "index"
    }  # what a mixin lends to many tables
    for owner in owners:
        if isinstance(owner, Model) and owner.orm is Orm.DJANGO:
            yield from (
                _asked_twice(owner, column) for column in owner.columns.values() if _is_asked_twice(column) and is_shown(project, column.site)
            )
    for owner, index, other in served:
        if other is not None and (index.site, index.columns) not in needed and is_shown(project, index.site):
            yield _report(project, owner, index, other)


def _is_asked_twice(column: Column) -> bool:
    """Whether a field of Django asks for the index that it has anyway, which makes no second one: `ForeignKey(…, db_index=True)`."""
    return column.asks_for_index and column.plain and (_has_one(column) or column.unique or column.primary_key)


def _has_one(column: Column) -> bool:
    """Whether its class has `db_index=True` of its own accord, so that migrations do not mention it (`deconstruct()`, Django 4.2 to 6.1)."""
    return bool(column.references) or column.type == "SlugField"


def _asked_twice(model: Model, column: Column) -> Report:
    what = "a foreign key" if column.references else f"a `{column.type}`" if _has_one(column) else "the primary key" if column.primary_key else ""
    return Report(
        site=column.site,
        message=f"`db_index=True` asks for the index that {what or 'a unique field'} has anyway: {code(f'{model.name}.{column.name}')}",
        help="leave it out: there is one index either way",
        cause=(column.site, column.name),
        intent=RemoveDeclaration(
            column.site, ("db_index",), "" if _has_one(column) else "`makemigrations` writes it down, and the database stays as it is"
        ),
        preview=True,
    )


def _served_by(indexes: list[Index], number: int) -> Index | None:
    """Returns the index that serves every look-up of the one with this number, if that is one of its own right."""
    index = indexes[number]
    if index.kind != "index" or index.unique or index.covering or not _is_plain(index):
        return None
    for position, other in enumerate(indexes):
        if position == number or not _is_plain(other) or other.columns[: len(index.columns)] != index.columns:
            continue
        twin = other.columns == index.columns and other.kind == "index" and not other.unique
        if not twin or position < number:
            return other
    return None


def _is_plain(index: Index) -> bool:
    return not index.partial and index.kind != "migration" and "" not in index.columns


def _report(project: Project, owner: Owner, index: Index, other: Index) -> Report:
    columns = ", ".join(index.columns)
    what = {"primary key": "the primary key", "foreign key": "the index of the foreign key"}.get(other.kind, f"the {other.kind}")
    more = f" on `{', '.join(other.columns)}`" if other.columns != index.columns else ""
    both = are_made(owner, index, other)
    labels = (Label(other.site, Mark.DECLARATION, f"{what} serves its look-ups"), Label(index.site, Mark.DECLARATION, "the index"))
    return Report(
        site=index.site,
        message=f"the index on {code(f'{_declaring(owner, index).name}.{columns}')} repeats {what}{more}",
        help="remove it from the model, and drop the index in a migration"
        if both
        else "remove one of them from the model: the migrations make but one, which has to stay",
        cause=(index.site, index.columns),
        labels=tuple(label for label in labels if is_shown(project, label.site)) if other.site != index.site else labels[1:],
        intent=RemoveDeclaration(index.site, ("index", "db_index"), "drop the index in a migration, too")
        if both and (index.site != other.site or index.columns == other.columns)
        else None,
        preview=not both or other.columns != index.columns or may_be_the_same(owner, index, other) or may_have_more(owner, index),
    )


def _declaring(owner: Owner, index: Index) -> Owner:
    """Returns the class whose body asks for an index, which may be a mixin of many tables."""
    bases = owner.bases if isinstance(owner, Model) else ()
    return next((base for base in reversed(bases) if any(column.site == index.site for column in base.columns.values())), owner)
