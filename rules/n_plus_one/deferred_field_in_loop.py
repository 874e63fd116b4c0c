"""ORM109: a column that the query left out is read from row after row."""

from collections.abc import Iterator

from ormlint.api import Event, Op, Orm, Project, QueryLog, QueryObject, Report, UseKind, rule
from ormlint.judge.describe import at_query, call_path, code, is_shown, labels, per_model, place
from ormlint.judge.eager import concerns
from ormlint.judge.repetition import heaviest, innermost, only_uses, repeaters


@rule("ORM109", "deferred-field-in-loop", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every column that the query or the mapping left out and that a loop reads."""
    for event in log.of(Op.LAZY_COLUMN):
        loops = repeaters(event)
        if not loops or event.row is None or not event.row.query.complete or event.around.error_path or not concerns(project, event):
            continue
        query = event.row.query
        if only_uses(query, UseKind.AGGREGATE, UseKind.LEN):
            continue  # ORM210: the database sums it up, and no row is loaded
        site = place(project, event, innermost(loops))
        if not is_shown(project, site):
            continue
        yield Report(
            site=site,
            message=f"reading the deferred column {code(event.column)} runs one query {per_model(event.model)}",
            help=_advice(project, query, event),
            cause=(query.site, event.row.path, _loaded_together(event)),
            labels=labels(project, event, innermost(loops), query, f"this reads {code(event.column)}"),
            notes=call_path(project, event),
            relations=("__".join((*event.row.path, event.column)),),
            severity=heaviest(project, [event]),
        )


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
