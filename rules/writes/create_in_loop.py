"""ORM302: rows are inserted one by one."""

from collections.abc import Iterator

from ormlint.api import Event, Loop, Model, Op, Orm, Project, QueryLog, Relation, Report, UseKind, WriteTogether, rule
from ormlint.judge.bulk import Write, passed_over, together, writes_one_by_one
from ormlint.judge.describe import at, call_path, code, labels, per


@rule("ORM302", "create-in-loop")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every INSERT of one row that a loop repeats."""

    def hindrance(event: Event, loop: Loop) -> tuple[str, ...]:
        return (*passed_over(event.model, "save"), *_needed_at_once(log, event, loop))

    events = (event for event in log.of(Op.CREATE, Op.INSERT) if not _spans_tables(event))
    for write in writes_one_by_one(project, log, events, hindrance, _is_plain):
        event, loop = write.event, write.loop
        yield Report(
            site=write.site,
            message=f"{code(event.text or 'create()')} runs one INSERT {per(loop)}",
            help=_advice(project, event, at(project, loop.site)),
            cause=write.cause,
            labels=labels(project, event, loop, None, "this inserts one row"),
            notes=(*write.hindrance, *call_path(project, event)),
            intent=_intent(project, log, write),
            severity=write.severity,
            preview=write.preview or loop.source is None,  # a list of the caller's has mostly few items
            counted_as=write.counted_as,
        )


def _intent(project: Project, log: QueryLog, write: Write) -> WriteTogether | None:
    event = write.event
    if event.orm is Orm.DJANGO:
        return together(log, write, "create") if event.op is Op.CREATE else None
    old = project.target_sqlalchemy and project.target_sqlalchemy < (2,)  # it has no `insert(Model)` with many rows
    if old or event.op is not Op.INSERT or any(log.within(write.loop, Op.COMMIT, Op.ROLLBACK)):
        return None  # what is inserted behind the last commit may not be committed
    return together(log, write, "insert")


def _is_plain(event: Event, loop: Loop) -> bool:
    """Whether the new row is made in the round and nobody wants it back."""
    if event.op is Op.INSERT or event.method != "save":
        return loop.kind == "comprehension" or any(use.kind is UseKind.DISCARD for use in event.all_uses())
    # `row.pk = None; row.save()` writes one object again and again
    return loop.id in {around.id for around in event.row_loops}


def _spans_tables(event: Event) -> bool:
    """Whether the model's rows lie in several tables: Django's bulk_create() refuses multi-table inheritance."""
    model = event.model
    if model is None or model.orm is not Orm.DJANGO or model.proxy:
        return False
    return any(not base.abstract for base in model.bases)


def _needed_at_once(log: QueryLog, event: Event, loop: Loop) -> tuple[str, ...]:
    """Returns a note if the same round needs the key of the new row: to link it or to write rows that refer to it."""
    model = event.model
    if model is None:
        return ()
    for other in log.within(loop, Op.LINK, Op.CREATE, Op.INSERT, Op.GET_OR_CREATE, Op.BULK_WRITE, Op.SAVE):
        if other is event or other.model is None:
            continue
        if other.op is Op.LINK:
            if other.model is model or (other.relation is not None and other.relation.target is model):
                return ("its key is needed in the same round to link other rows",)
        elif any(_refers(other, relation, model) for relation in other.model.relations.values()):
            verb = "save" if other.op is Op.SAVE else "create"
            return (f"its key is needed in the same round to {verb} `{other.model.name}`",)
    return ()


def _refers(other: Event, relation: Relation, model: Model) -> bool:
    """Whether a written row gets the key of a model's row; of a row that is there already, only what was assigned counts."""
    if not relation.attname or relation.target is None or not (relation.target is model or relation.target in model.bases):
        return False
    return other.op is not Op.SAVE or relation.name in other.assigned


def _advice(project: Project, event: Event, where: str) -> str:
    model = event.model.name if event.model is not None else "…"
    if event.orm is Orm.DJANGO:
        return f"collect the objects and call `{model}.objects.bulk_create(objects)` after the loop{where}"
    if project.target_sqlalchemy and project.target_sqlalchemy < (2,):
        return f"collect the values and run `session.bulk_insert_mappings({model}, values)` after the loop{where}"
    return f"collect the values and run `session.execute(insert({model}), values)` after the loop{where}"
