"""ORM601: an async function runs a statement that nobody awaits: Django refuses it, elsewhere the event loop stands still."""

from collections.abc import Iterator
from dataclasses import replace

from ormlint.api import AwaitStatement, Event, Label, Mark, Op, Orm, Project, QueryLog, Report, RunInThread, Severity, Site, rule
from ormlint.judge.describe import call_path, code, is_shown

TWINS = frozenset({
    "get", "first", "last", "latest", "earliest", "count", "exists", "contains", "aggregate", "create", "get_or_create", "update_or_create",
    "bulk_create", "bulk_update", "update", "delete", "in_bulk", "add", "remove", "set", "clear", "save", "refresh_from_db",
})  # fmt: skip

TWINNED = (4, 2)  # from here on rows and their collections have asynchronous methods, as querysets have


@rule("ORM601", "sync-orm-in-async", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for the first such statement of every async function."""
    functions: dict[tuple[str, Orm], dict[tuple[str, int], Event]] = {}
    for event in log.of(Op.BLOCK):
        place = _place(event)
        if is_shown(project, place):
            functions.setdefault((event.function, event.orm), {}).setdefault((place.path, place.start), event)
    for found in functions.values():
        events = [found[key] for key in sorted(found)]
        first = events[0]
        yield Report(
            site=_place(first),
            message=_message(first),
            help=_advice(first),
            cause=(_place(first),),
            labels=_labels(project, first),
            notes=(*call_path(project, first), *_others(project, events)),
            intent=_intent(project, events),
            severity=Severity.ERROR if first.orm is Orm.DJANGO else Severity.WARNING,
        )


def _place(event: Event) -> Site:
    return event.calls[0] if event.calls else event.site


def _message(event: Event) -> str:
    what = f"{code(event.callees[0])} runs {code(event.text)}, which" if event.calls else code(event.text)
    if event.orm is Orm.DJANGO:
        return f"{what} raises `SynchronousOnlyOperation` in an async function"
    return f"{what} has the event loop wait for the database"


def _advice(event: Event) -> str:
    if event.orm is not Orm.DJANGO:
        return "use an `AsyncSession`, or run it in a thread: in a `def` endpoint or by `asyncio.to_thread(…)`"
    if event.calls:
        return f"await it: `await sync_to_async({event.callees[0].rpartition('.')[2]})(…)`"
    if event.method in TWINS:
        return f"await its asynchronous twin: `await ….a{event.method}(…)`"
    if _gives_rows(event):
        return "walk the rows by `async for`, or call it by `sync_to_async`"
    return "load it with the query, or call what reads it by `sync_to_async`"


def _intent(project: Project, events: list[Event]) -> AwaitStatement | RunInThread | None:
    if events[0].orm is not Orm.DJANGO:
        return RunInThread(_place(events[0])) if events[0].function in project.threadable else None
    first, *rest = (_awaited(project, event) for event in events)
    return replace(first, rest=tuple(rest)) if first is not None else None


def _awaited(project: Project, event: Event) -> AwaitStatement | None:
    """Returns what has a twin of Django 4.2 to be awaited: not what a model does in a method of its own."""
    if event.calls or project.lacks(TWINNED):
        return None
    if event.method in TWINS:
        own = event.model is not None and event.method in event.model.overrides
        return AwaitStatement(event.site, event.method, event.query) if not own else None
    walked = _gives_rows(event) and not event.method and event.query is not None and not event.query.has("iterator")
    return AwaitStatement(event.site, "", event.query) if walked else None


def _gives_rows(event: Event) -> bool:
    """Whether it is the rows of a query that are fetched, or those of a collection: `book.tags.all()`."""
    return event.query is not None and (event.relation is None or not event.relation.to_one)


def _labels(project: Project, event: Event) -> tuple[Label, ...]:
    found = [Label(site, Mark.CALL, f"{code(callee)} is called here") for site, callee in zip(event.calls, event.callees, strict=True)]
    found.append(Label(event.site, Mark.ACCESS, "this waits for the database"))
    return tuple(label for label in found if is_shown(project, label.site))


def _others(project: Project, events: list[Event]) -> tuple[str, ...]:
    if len(events) == 1:
        return ()
    more = ", ".join(project.at(_place(event)) for event in events[1:4])
    rest = f" and {len(events) - 4} more" if len(events) > 4 else ""
    return (f"the function also waits at {more}{rest}",)
