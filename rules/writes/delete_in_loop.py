"""ORM303: rows are deleted one by one."""

from collections.abc import Iterator

from ormlint.api import EagerLoad, Event, Loop, Op, Orm, Project, QueryLog, Report, WriteTogether, rule
from ormlint.judge.bulk import Write, is_all_of_a_round, passed_over, together, walks_a_wide_query, walks_its_rows, writes_one_by_one
from ormlint.judge.cascades import are_deleted_before, asks_anew, loaded_first
from ormlint.judge.describe import at, at_query, call_path, calls_between, code, joined, labels, per
from ormlint.judge.listing import asks_for_a_pair, is_found_by_name
from ormlint.judge.rounds import Rounds, rounds_of

_WORK = (Op.CREATE, Op.GET_OR_CREATE, Op.BULK_WRITE, Op.SAVE, Op.UPDATE_ROWS, Op.LINK)
_BEFORE = "what belongs to all the rows is loaded before the first is deleted: rows that come to them meanwhile are not looked for"


@rule("ORM303", "delete-in-loop")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every deletion of one row that a loop repeats."""
    # the unit of work sends the DELETEs together; what it loads before, it loads row by row
    events = (event for event in log.of(Op.DELETE) if event.orm is not Orm.SQLALCHEMY or loaded_first(event))
    rounds = rounds_of(log)
    for write in writes_one_by_one(project, log, events, lambda event, loop: passed_over(event.model, "delete"), _is_plain):
        event, loop = write.event, write.loop
        yield Report(
            site=write.site,
            message=_message(event, loop, loaded_first(event)),
            help=_advice(project, log, event, loop, hindered=bool(write.hindrance)),
            cause=write.cause,
            labels=labels(project, event, loop, event.row.query if event.row is not None else None, "this deletes the row"),
            notes=(*write.hindrance, *call_path(project, event)),
            intent=_intent(log, write),
            severity=write.severity,
            preview=write.preview
            or not (walks_a_wide_query(project, event) and is_all_of_a_round(log, write))
            or (event.orm is Orm.SQLALCHEMY and _saves_little(rounds, loop))
            or (event.orm is Orm.DJANGO and _ends_a_work(project, log, loop))
            or (loop.source is not None and asks_for_a_pair(loop.source)),
            counted_as=write.counted_as,
        )


def _ends_a_work(project: Project, log: QueryLog, loop: Loop) -> bool:
    """Whether a round does something with the row elsewhere that writes, and then removes it: `pack(toy)`, `toy.delete()`."""
    return any(calls_between(project, other, loop) for other in log.within(loop, *_WORK))


def _saves_little(rounds: Rounds, loop: Loop) -> bool:
    """Whether what is loaded along would be lost, as a commit expires it, or is for a row or two."""
    return rounds.commits(loop) or (loop.source is not None and is_found_by_name(loop.source))


def _is_plain(event: Event, loop: Loop) -> bool:
    """Whether the loop deletes just the rows of a query."""
    return walks_its_rows(event, loop) and not event.around.conditional


def _message(event: Event, loop: Loop, first: list[str]) -> str:
    text = code(event.text or "delete()")
    if not first:
        return f"{text} runs one DELETE {per(loop)}"
    names = joined(code(name) for name in first) if len(first) < 3 else f"{len(first)} relations"
    return f"{text} loads {names} {per(loop)}"


def _intent(log: QueryLog, write: Write) -> WriteTogether | EagerLoad | None:
    """Returns the change that deletes the rows together; of SQLAlchemy, the one that loads along what is loaded for each of them."""
    event = write.event
    if event.orm is Orm.DJANGO:
        return together(log, write, "delete", plain=_is_one_delete(event, write.loop, hindered=bool(write.hindrance)))
    names, query = loaded_first(event), event.row.query if event.row is not None else None
    if (
        not names
        or event.model is None
        or query is None
        or asks_anew(event, names)
        or are_deleted_before(log, event, write.loop, names)
        or not walks_its_rows(event, write.loop)
    ):
        return None
    if write.hindrance or query.combined or query.generic or query.ways or query.style == "list" or query.model is not event.model or event.calls:
        return None
    return EagerLoad(query, (event.model.relations[names[0]],), query.site, _BEFORE)


def _is_one_delete(event: Event, loop: Loop, *, hindered: bool) -> bool:
    """Whether the loop deletes all rows of a query that has a `delete()`."""
    query = event.row.query if event.row is not None and not event.row.path else None
    if query is None or query.sliced or query.combined or query.distinct or hindered or event.around.conditional:
        return False
    return loop.source is query


def _advice(project: Project, log: QueryLog, event: Event, loop: Loop, *, hindered: bool) -> str:
    model = event.model.name if event.model is not None else "…"
    first = loaded_first(event)
    asked_anew = asks_anew(event, first) or are_deleted_before(log, event, loop, first)
    if first and event.row is not None and not event.row.path and not asked_anew:
        options = ", ".join(f"selectinload({model}.{name})" for name in first)
        return f"load them along with the rows: add `.options({options})` to the query{at(project, event.row.query.site)}"
    if first:
        names = joined(code(name) for name in first)
        return (
            f"delete the rows of {names} and then those of `{model}` by their keys, with one statement each, after the loop{at(project, loop.site)}"
        )
    if event.orm is Orm.SQLALCHEMY:
        return f"collect the keys and run one `session.execute(delete({model}).where(…))` after the loop{at(project, loop.site)}"
    query = event.row.query if event.row is not None else None
    if query is not None and _is_one_delete(event, loop, hindered=hindered):
        return f"call `.delete()` once on the query{at_query(project, query)} instead"
    return f"collect the keys and call `{model}.objects.filter(pk__in=keys).delete()` after the loop{at(project, loop.site)}"
