"""ORM306: rows are linked one by one."""

from collections.abc import Iterator
from dataclasses import replace

from ormlint.api import Event, Kind, Loop, Op, Orm, Project, QueryLog, Report, WriteTogether, rule
from ormlint.judge.bulk import Write, is_all_of_a_round, stands_in, together, varies_with, writes_one_by_one
from ormlint.judge.describe import at, call_path, code, labels, per
from ormlint.judge.releases import BULK_UPDATE

_VERBS = {"add": "INSERT", "remove": "DELETE"}


@rule("ORM306", "m2m-add-in-loop", orms=(Orm.DJANGO,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every `add()` and `remove()` of a to-many relation that a loop repeats."""
    events = (event for event in log.of(Op.LINK) if event.method in _VERBS and event.relation is not None and not _saves_each(event))
    for write in writes_one_by_one(project, log, events, lambda event, loop: (), _is_plain):
        event, loop = write.event, write.loop
        if not varies_with(event, loop):
            continue
        yield Report(
            site=write.site,
            message=f"{code(_text(event))} runs one {_verb(event)} or more {per(loop)}",
            help=_advice(project, event, loop, at(project, loop.site)),
            cause=write.cause,
            labels=labels(project, event, loop, None, "this links one row" if event.method == "add" else "this unlinks one row"),
            notes=call_path(project, event),
            intent=together(log, write, event.method) or _of_several(project, log, write),
            severity=write.severity,
            preview=write.preview or event.method == "remove" or not is_all_of_a_round(log, write),
            counted_as=write.counted_as,
        )


def _text(event: Event) -> str:
    # `map(book.tags.add, tags)` names no call of it
    return event.text if event.method in event.text.rpartition(".")[2] else f"{_receiver(event)}.{event.method}()"


def _receiver(event: Event) -> str:
    name = event.relation.name if event.relation is not None else ""
    receiver, _, method = event.text.rpartition(".")
    return receiver if receiver and event.method in method else f"{event.model.name.lower()}.{name}" if event.model is not None else name


def _saves_each(event: Event) -> bool:
    """Whether it takes as many statements for all rows at once: `order.lines.add(line, bulk=False)` saves each."""
    return "bulk" in event.assigned and not _is_many_to_many(event)


def _is_many_to_many(event: Event) -> bool:
    return event.relation is not None and event.relation.kind is Kind.MANY_TO_MANY


def _is_plain(event: Event, loop: Loop) -> bool:
    """Whether the loop links other rows to one and the same row."""
    return stands_in(event, loop) and loop.id not in {around.id for around in event.row_loops}


def _of_several(project: Project, log: QueryLog, write: Write) -> WriteTogether | None:
    """Returns the change that makes the links themselves, where each round adds something to another row."""
    event, loop = write.event, write.loop
    several = event.method == "add" and _is_many_to_many(event) and loop.id in {around.id for around in event.row_loops} and stands_in(event, loop)
    return together(log, replace(write, plain=True), "link") if several and not project.lacks(BULK_UPDATE) else None


def _verb(event: Event) -> str:
    return _VERBS[event.method] if _is_many_to_many(event) else "UPDATE"


def _advice(project: Project, event: Event, loop: Loop, where: str) -> str:
    relation = event.relation
    assert relation is not None
    if loop.id not in {around.id for around in event.row_loops}:
        return f"collect the rows and call `{_receiver(event)}.{event.method}(*rows)` after the loop{where}"
    if not _is_many_to_many(event):
        write = "`update()`" if project.lacks(BULK_UPDATE) else "`update()` or `bulk_update()`"
        return f"set the foreign key of all rows with one {write} after the loop{where}"
    through = f"{relation.model.name}.{relation.name}.through.objects"
    if event.method == "remove":
        return f"collect the links and delete them with one `{through}.filter(…).delete()` after the loop{where}"
    if project.lacks(BULK_UPDATE):  # and, of the same release, `ignore_conflicts`
        return f"collect the links that do not exist and call `{through}.bulk_create(links)` after the loop{where}"
    return f"collect the links and call `{through}.bulk_create(links, ignore_conflicts=True)` after the loop{where}"
