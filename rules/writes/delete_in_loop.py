"""ORM303: rows are deleted one by one."""

from collections.abc import Iterator

from ormlint.api import Event, Kind, Loop, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.describe import at, call_path, code, joined, labels, per, place
from ormlint.judge.eager import is_loaded
from ormlint.judge.repetition import innermost, obstacle, repeaters, weight

_ON_OTHER_SIDE = (Kind.REVERSE_FOREIGN_KEY, Kind.REVERSE_ONE_TO_ONE, Kind.MANY_TO_MANY)


@rule("ORM303", "delete-in-loop")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every deletion of one row that a loop repeats."""
    for event in log.of(Op.DELETE):
        loops = repeaters(event)
        # the unit of work sends the DELETEs together; what it loads before, it loads row by row
        loaded_first = _loaded_first(event)
        if not loops or (event.orm is Orm.SQLALCHEMY and not loaded_first):
            continue
        loop = innermost(loops)
        hindrance = obstacle(event.model, "delete")
        softened = hindrance or event.around.isolated
        yield Report(
            site=place(project, event, loop),
            message=_message(event, loop, loaded_first),
            help=_advice(project, event, loop, hindered=bool(hindrance)),
            cause=(place(project, event, loop), loop.site, event.model or event.site),
            labels=labels(project, event, loop, event.row.query if event.row is not None else None, "this deletes the row"),
            notes=(*hindrance, *call_path(project, event)),
            severity=Severity.INFO if softened else weight(project, event, loops),
        )


def _loaded_first(event: Event) -> list[str]:
    """Returns the relations that SQLAlchemy loads before it deletes a row, to cascade or to clear the keys."""
    if event.orm is not Orm.SQLALCHEMY or event.model is None:
        return []
    found = [relation for relation in event.model.relations.values() if relation.kind in _ON_OTHER_SIDE and relation.lazy != "write_only"]
    if event.row is None:
        return [relation.name for relation in found]
    return [relation.name for relation in found if event.row is None or not is_loaded(event.row.query.plan, (*event.row.path, relation.name))]


def _message(event: Event, loop: Loop, loaded_first: list[str]) -> str:
    text = code(event.text or "delete()")
    if not loaded_first:
        return f"{text} runs one DELETE {per(loop)}"
    names = joined(code(name) for name in loaded_first) if len(loaded_first) < 3 else f"{len(loaded_first)} relations"
    return f"{text} loads {names} {per(loop)}"


def _advice(project: Project, event: Event, loop: Loop, *, hindered: bool) -> str:
    model = event.model.name if event.model is not None else "…"
    if event.orm is Orm.SQLALCHEMY:
        return f"collect the keys and run one `session.execute(delete({model}).where(…))` after the loop{at(project, loop.site)}"
    query = event.row.query if event.row is not None and not event.row.path else None
    plain = query is not None and not (query.sliced or query.combined or query.distinct or hindered or event.around.conditional)
    if query is not None and plain and loop.source is query:
        return f"call `.delete()` once on the query{at(project, query.site)} instead"
    return f"collect the keys and call `{model}.objects.filter(pk__in=keys).delete()` after the loop{at(project, loop.site)}"
