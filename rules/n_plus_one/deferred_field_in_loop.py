"""ORM109: a column that the query left out is read from row after row."""

from collections.abc import Iterator

from ormlint.api import Event, LoadColumn, Op, Orm, Project, QueryLog, QueryObject, Report, Site, UseKind, rule
from ormlint.judge.describe import at_query, call_path, code, is_shown, labels, per_model, place
from ormlint.judge.eager import concerns, relations_along
from ormlint.judge.repetition import heaviest, innermost, only_uses, repeaters


@rule("ORM109", "deferred-field-in-loop", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every column that the query or the mapping left out and that a loop reads."""
    doubtful = _doubtful(log)
    for event in log.of(Op.LAZY_COLUMN):
        loops = repeaters(event)
        if not loops or event.row is None or not event.row.query.complete or event.around.error_path or not concerns(project, event):
            continue
        query = event.row.query
        if (event.site, event.column) in doubtful:
            continue
        if only_uses(query, UseKind.AGGREGATE, UseKind.LEN):
            continue  # ORM210: the database sums it up, and no row is loaded
        site = place(project, event, innermost(loops))
        if not is_shown(project, site):
            continue
        yield Report(
            site=site,
            message=f"reading the deferred column {code(event.column)} runs one query {_per(query, event)}",
            help=_advice(project, query, event),
            cause=(query.site, event.row.path, _loaded_together(event)),
            labels=labels(project, event, innermost(loops), query, f"this reads {code(event.column)}"),
            notes=call_path(project, event),
            relations=("__".join((*event.row.path, event.column)),),
            intent=LoadColumn(query, event.row.path, event.column, event.site) if event.orm is Orm.DJANGO else None,
            severity=heaviest(project, [event]),
        )


def _doubtful(log: QueryLog) -> set[tuple[Site, str]]:
    """Returns the places that read a column of rows which the same expression of a query loads for others: which of them come there is open.

    # def load(self): return session.scalars(select(Course).options(*self.options))
    """
    made: dict[Site, list[QueryObject]] = {}
    for query in log.queries:
        made.setdefault(query.site, []).append(query)
    found = set()
    for event in log.of(Op.LAZY_COLUMN):
        if event.row is not None and any(_loads(query, event.row.path, event.column) for query in made.get(event.row.query.site, ())):
            found.add((event.site, event.column))
    return found


def _loads(query: QueryObject, path: tuple[str, ...], column: str) -> bool:
    """Whether a query that is given options loads a column of the rows at the end of a path."""
    plan = query.plan
    for name in path:
        entry = plan.loaded.get(name)
        if entry is None:
            return False
        plan = entry.plan
    return query.has("options") and column not in plan.deferred and (plan.only is None or column in plan.only)


def _per(query: QueryObject, event: Event) -> str:
    """Returns the number of queries; the identity map of SQLAlchemy has one row for all that lead to it."""
    hops = relations_along(query.model, event.row.path) if event.row is not None else ()
    shared = event.orm is Orm.SQLALCHEMY and event.model is not None and hops and hops[-1].to_one
    return f"per distinct `{event.model.name}`" if shared and event.model is not None else per_model(event.model)


def _loaded_together(event: Event) -> str:
    """Returns the group of a deferred column, all of which one statement loads, or the column itself."""
    column = event.model.columns.get(event.column) if event.model is not None else None
    return column.deferred_group or column.name if column is not None else event.column


def _advice(project: Project, query: QueryObject, event: Event) -> str:
    where = at_query(project, query)
    name = "__".join((*(event.row.path if event.row is not None else ()), event.column))
    if event.orm is Orm.SQLALCHEMY and event.model is not None and event.column in event.model.deferred:
        return f"add {code(f'.options(undefer({event.model.name}.{event.column}))')} to the query{where}"
    if event.orm is Orm.SQLALCHEMY:
        return f"load {code(name)} with the query{where}: add it to `load_only()`, or take it out of `defer()`"
    method = "defer" if event.column in query.plan.deferred else "only"
    return f"take {code(name)} out of `.defer()` in the query{where}" if method == "defer" else f"add {code(name)} to `.only()` in the query{where}"
