"""ORM302: rows are inserted one by one."""

from collections.abc import Iterator

from ormlint.api import Event, Loop, Op, Orm, Project, QueryLog, Report, Severity, rule
from ormlint.judge.describe import at, call_path, code, labels, per, place
from ormlint.judge.repetition import innermost, obstacle, repeaters, weight


@rule("ORM302", "create-in-loop")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every INSERT of one row that a loop repeats."""
    for event in log.of(Op.CREATE, Op.INSERT):
        loops = repeaters(event)
        if not loops or _spans_tables(event):
            continue
        loop = innermost(loops)
        hindrance = (*obstacle(event.model, "save"), *_needed_at_once(log, event, loop))
        softened = hindrance or event.around.isolated
        yield Report(
            site=place(project, event, loop),
            message=f"{code(event.text or 'create()')} runs one INSERT {per(loop)}",
            help=_advice(event, at(project, loop.site)),
            cause=(place(project, event, loop), loop.site, event.model or event.site),
            labels=labels(project, event, loop, None, "this inserts one row"),
            notes=(*hindrance, *call_path(project, event)),
            severity=Severity.INFO if softened else weight(project, event, loops),
        )


def _spans_tables(event: Event) -> bool:
    """Whether the model's rows lie in several tables: Django's bulk_create() refuses multi-table inheritance."""
    model = event.model
    if model is None or model.orm is not Orm.DJANGO or model.proxy:
        return False
    return any(not base.abstract for base in model.bases)


def _needed_at_once(log: QueryLog, event: Event, loop: Loop) -> tuple[str, ...]:
    """Returns a note if the same round needs the key of the new row: to link it or to create rows that refer to it."""
    for other in log.of(Op.LINK, Op.CREATE, Op.INSERT):
        if other is event or loop not in other.loops or other.model is None or event.model is None:
            continue
        if other.op is Op.LINK and other.model is event.model:
            return ("its key is needed in the same round to link other rows",)
        if other.op is not Op.LINK and any(relation.attname and relation.target is event.model for relation in other.model.relations.values()):
            return (f"its key is needed in the same round to create `{other.model.name}`",)
    return ()


def _advice(event: Event, where: str) -> str:
    model = event.model.name if event.model is not None else "…"
    if event.orm is Orm.DJANGO:
        return f"collect the objects and call `{model}.objects.bulk_create(objects)` after the loop{where}"
    return f"collect the values and run `session.execute(insert({model}), values)` after the loop{where}"
