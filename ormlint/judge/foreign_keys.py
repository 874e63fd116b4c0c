"""By which foreign keys a program looks rows up: with queries that filter by them, and relations that it loads or joins.

select(Book).where(Book.author_id == key)      author.books      select(Author).options(selectinload(Author.books))
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.judge.project import Project
from ormlint.link.schema import Model, Orm, Relation, Table
from ormlint.run.log import Event, LoadKind, LoadPlan, Op, QueryLog
from ormlint.text import Site

Owner = Model | Table
_COMMANDS = frozenset({"commands", "cli"})
Filters = dict[tuple[Owner, str], Site]


def loaded_relations(project: Project, log: QueryLog) -> set[Relation]:
    """Returns the relations that the program loads, lazily or along with other rows, or joins."""
    found = set()
    for event in log.events:
        if event.orm is not Orm.SQLALCHEMY or not _is_of_use(project, event):
            continue
        if event.op in (Op.LAZY_COLLECTION, Op.LAZY_OBJECT) and event.relation is not None:
            found.add(event.relation)
        if event.query is not None:
            found.update(join.relation for join in event.query.joins)
            found.update(_planned(event.query.plan, event.query.model))
            found.update([event.query.relation] if event.query.relation is not None else [])
    return found


def _is_of_use(project: Project, event: Event) -> bool:
    """Whether an event comes about in what the program is for, and not in a test or a command of its operators alone."""
    return project.is_concerned((event.site, *event.calls)) and _COMMANDS.isdisjoint(event.site.path.split("/"))


def _planned(plan: LoadPlan, model: Model | None) -> Iterator[Relation]:
    for name, entry in plan.loaded.items():
        relation = model.relation(name) if model is not None else None
        if relation is not None and entry.kind in (LoadKind.JOIN, LoadKind.SEPARATE):
            yield relation
            yield from _planned(entry.plan, relation.target)


def filters_by_key(project: Project, log: QueryLog) -> Filters:
    """Returns where queries ask for equality with a column, by model and column."""
    found: Filters = {}
    named: dict[str, list[Model]] = {}
    for model in project.schema:
        named.setdefault(model.name, []).append(model)
    for event in log.events:
        query = event.query
        if query is None or query.model is None or not _is_of_use(project, event) or not project.is_concerned((query.site,)):
            continue
        asked = {name.removesuffix("__in") for name in query.filters}
        names = asked | {relation.attname for name in asked if (relation := query.model.relation(name)) is not None}
        if not _is_served(query.model, names):
            for name in names:
                found.setdefault((query.model, name), query.site)
        for other, columns in _of_others(asked).items():
            for model in named.get(other, ()):
                joined = {column.name for column in model.columns.values() if column.references == query.model.table}
                if not _is_served(model, columns | joined):
                    found.update({(model, column): query.site for column in columns if (model, column) not in found})
    return found


def _of_others(asked: set[str]) -> dict[str, set[str]]:
    """Returns the columns of models that a query joins, by the names of these: "Loan.book_id"."""
    found: dict[str, set[str]] = {}
    for name in asked:
        other, _, column = name.partition(".")
        if column:
            found.setdefault(other, set()).add(column)
    return found


def _is_served(model: Model, names: set[str]) -> bool:
    """Whether an index of another column that is asked for narrows the rows already: `unique(user, shop)` serves `user=…, shop=…`."""
    key = [name for name, column in model.columns.items() if column.primary_key]
    return (bool(key) and key[0] in names) or any(index.columns and index.columns[0] in names and not index.partial for index in model.indexes)
