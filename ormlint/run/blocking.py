"""Statements for which an async function waits without awaiting them: the event loop stands still, and Django refuses to run them.

books = list(Book.objects.all())                  waits
books = [book async for book in Book.objects.all()]
books = await sync_to_async(load_books)()         runs in another thread
books = load_books()                              waits, if what it calls does
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ormlint.ir import nodes as ir
from ormlint.ir.walk import mentions
from ormlint.library.functions import ELSEWHERE
from ormlint.link.names import FunctionInfo, decorator_name
from ormlint.link.schema import Orm
from ormlint.run.caching import returns_own
from ormlint.run.frame import Frame, Summary
from ormlint.run.log import READS, Circumstances, Event, Op
from ormlint.run.machine import Machine
from ormlint.run.values import UNKNOWN, Native, Value
from ormlint.run.ways import through
from ormlint.text import Site

STATEMENTS = READS | {
    Op.SAVE, Op.CREATE, Op.GET_OR_CREATE, Op.DELETE, Op.UPDATE_ROWS, Op.DELETE_ROWS,
    Op.BULK_WRITE, Op.LINK, Op.INSERT, Op.MERGE, Op.FLUSH, Op.COMMIT, Op.REFRESH, Op.EXECUTE,
}  # fmt: skip
ALLOWED = ("DJANGO_ALLOW_ASYNC_UNSAFE",)
LAZY = (Op.LAZY_OBJECT, Op.LAZY_COLLECTION, Op.LAZY_COLUMN)


def elsewhere(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what `sync_to_async(function)` gives: whoever calls it does not wait for what the function does."""
    from ormlint.run.calls import call

    if not args:
        return UNKNOWN
    function = args[0]

    def run(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        f.awaiting += 1
        found = call(m, f, node, function, args, keywords)
        f.awaiting -= 1
        return found

    return Native("sync_to_async", run)


def runs_elsewhere(function: FunctionInfo) -> bool:
    """Whether a decorator makes a coroutine of a function that runs in another thread."""
    return any(decorator_name(decorator) in ELSEWHERE for decorator in function.node.decorators)


def blocking(m: Machine) -> Iterator[Event]:
    """Returns an event for every place where an async function waits for a statement; of those that one call leads to, the first."""
    seen: dict[tuple[object, ...], Event] = {}
    waits = Waits(m)
    for summary in list(m.memo.values()):
        for event in _waits(summary, waits) if summary.is_async else ():
            seen.setdefault((event.calls[0] if event.calls else event.site, event.function), event)
    if any(event.orm is Orm.DJANGO for event in seen.values()) and any(mentions(module.tree, ALLOWED) for module in m.program.modules.values()):
        return (event for event in seen.values() if event.orm is not Orm.DJANGO)
    return iter(seen.values())


def _waits(summary: Summary, waits: Waits) -> Iterator[Event]:
    for event in summary.events:
        if event.around.asynchronous and not event.around.error_path and (_is_waited_for(event) or _is_loaded_late(event)):
            yield _blocked(summary, event, event.around)
    for called in summary.calls:
        if called.awaited or called.summary.is_async or not called.around.asynchronous or called.around.error_path:
            continue
        found = waits.first(called.summary)
        if found is not None:
            blocked = _blocked(summary, found.event, called.around)
            blocked.calls, blocked.callees = through(called.site, called.name, found.calls, found.names)
            yield blocked


class Sure(NamedTuple):
    """An event that a function comes to whatever it is given, and the calls that lead to it."""

    event: Event
    calls: tuple[Site, ...]
    names: tuple[str, ...]


def certain(summary: Summary, seen: set[int] | None = None) -> Iterator[Sure]:
    """Yields the events of a call, and of the calls it makes, that stand under no condition: what is made once and kept does."""
    seen = set() if seen is None else seen
    seen.add(id(summary))
    for event in summary.events:
        if is_unconditional(event.around):
            yield Sure(event, (), ())
    for called in summary.calls:
        if is_unconditional(called.around) and not called.awaited and id(called.summary) not in seen:
            for sure in certain(called.summary, seen):
                yield Sure(sure.event, *through(called.site, called.name, sure.calls, sure.names))


def is_unconditional(around: Circumstances) -> bool:
    """Whether a function comes to an event or a call whatever it is given."""
    return not (around.conditional or around.guarded_by_cache or around.error_path)


class Waits:
    """The first statement for which each function that was run waits for certain."""

    def __init__(self, m: Machine) -> None:
        self._functions = {f"{f.module.name}:{f.qualname}": f for f in m.program.functions}
        self._known: dict[int, Sure | None] = {}

    def first(self, summary: Summary) -> Sure | None:
        """Returns the statement and the calls that lead to it; None if there is none, or what it gives is kept on an object."""
        if id(summary) not in self._known:
            self._known[id(summary)] = None  # cuts recursion
            function = self._functions.get(summary.function)
            if function is None or not returns_own(function.node.body):
                self._known[id(summary)] = self._find(summary)
        return self._known[id(summary)]

    def _find(self, summary: Summary) -> Sure | None:
        for event in summary.events:
            if is_unconditional(event.around) and not event.around.asynchronous and _is_waited_for(event):
                return Sure(event, (), ())
        for called in summary.calls:
            inner = None
            if is_unconditional(called.around) and not called.awaited and not called.summary.is_async:
                inner = self.first(called.summary)
            if inner is not None:
                return Sure(inner.event, *through(called.site, called.name, inner.calls, inner.names))
        return None


def _is_waited_for(event: Event) -> bool:
    return event.waits and event.op in STATEMENTS


def _is_loaded_late(event: Event) -> bool:
    """Whether what a row of Django lacks is loaded for certain: the key of a relation that is nullable may be None."""
    if not event.waits or event.op not in LAZY or event.orm is not Orm.DJANGO or event.row is None:
        return False
    return event.row.query.complete and event.certain and not (event.op is Op.LAZY_OBJECT and event.relation is not None and event.relation.nullable)


def _blocked(summary: Summary, event: Event, around: Circumstances) -> Event:
    found = Event(op=Op.BLOCK, site=event.site, model=event.model, orm=event.orm, query=event.query, text=event.text, method=event.method)
    found.function, found.relation = summary.function, event.relation
    found.around = around
    return found
