"""Engines: where the program makes one, and whether each request does.

def get_session():                          a dependency: one engine per request
    engine = create_engine(URL)
    with Session(engine) as session:
        yield session
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import mentions, walk
from ormlint.library.functions import INJECTORS
from ormlint.link.names import External, FunctionInfo
from ormlint.link.schema import Orm
from ormlint.run.blocking import certain
from ormlint.run.frame import Called, Frame, Summary
from ormlint.run.log import Event, Op
from ormlint.run.machine import Machine, text_of
from ormlint.run.parameters import resolve_deps
from ormlint.run.values import Constant, Value, deps_of, varying
from ormlint.run.ways import through


def maker(path: str) -> Callable[[Machine, Frame, ir.Call, list[Value], dict[str, Value]], Value]:
    """Returns what runs a call of `create_engine` or `create_async_engine`."""
    engine = External(f"{path}()")

    def make(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        values = (*args, *keywords.values())
        depends = frozenset().union(*(deps_of(value) for value in values)) if values else frozenset()
        settings = tuple((name, _shown(value)) for name, value in keywords.items())
        m.event(f, Op.ENGINE, node, orm=Orm.SQLALCHEMY, depends=depends, settings=settings)
        return varying(values) if depends else engine

    return make


def _shown(value: Value) -> object:
    """Returns a constant, the name of something else that has one, or `...`."""
    if isinstance(value, Constant):
        return value.value
    return value.name if isinstance(value, External) else ...


def note_repetitions(m: Machine, served: Iterable[str]) -> None:
    """Marks the engines that these views, or what the framework calls for each request, make each time; adds those that calls in loops make."""
    if not any(event.op is Op.ENGINE for event in m.events):
        return
    names = {*served, *_dependencies(m)}
    m.events[:] = [event for event in m.events if event.op is not Op.ENGINE or event.parent is None]
    summaries = list(m.memo.values())
    making = _making(summaries)
    for summary in summaries:
        if id(summary) not in making:
            continue
        if summary.function in names:
            for sure in certain(summary):
                if sure.event.op is Op.ENGINE:
                    sure.event.requests = summary.function
        for called in summary.calls:
            if called.loops and id(called.summary) in making and not (called.around.conditional or called.around.guarded_by_cache):
                m.events += _in_loop(called)


def _making(summaries: list[Summary]) -> set[int]:
    """Returns the ids of the summaries of functions that make an engine, or call one that does."""
    callers: dict[int, list[Summary]] = {}
    for summary in summaries:
        for called in summary.calls:
            callers.setdefault(id(called.summary), []).append(summary)
    waiting = [summary for summary in summaries if any(event.op is Op.ENGINE for event in summary.events)]
    found: set[int] = set()
    while waiting:
        summary = waiting.pop()
        if id(summary) not in found:
            found.add(id(summary))
            waiting += callers.get(id(summary), ())
    return found


def _in_loop(called: Called) -> Iterator[Event]:
    """Yields a copy of each engine that a call in a loop makes."""
    for sure in certain(called.summary):
        if sure.event.op is Op.ENGINE:
            event = sure.event
            copy = Event(op=event.op, site=event.site, orm=event.orm, text=event.text, settings=event.settings, function=event.function)
            copy.parent, copy.loops = event, called.loops
            copy.depends = resolve_deps(event.depends, called.bindings)
            copy.calls, copy.callees = through(called.site, called.name, sure.calls, sure.names)
            yield copy


def _dependencies(m: Machine) -> Iterator[str]:
    """Yields the qualified names of the functions that a framework calls to fill in parameters: `Depends(get_session)`."""
    for module in m.program.modules.values():
        if not mentions(module.tree, INJECTORS):
            continue
        for node in walk(module.tree.body):
            if (
                isinstance(node, ir.Call)
                and node.args
                and isinstance(node.func, (ir.Name, ir.Attr))
                and text_of(node.func).rpartition(".")[2] in INJECTORS
            ):
                found = m.program.resolve(node.args[0], module)
                if isinstance(found, FunctionInfo):
                    yield f"{found.module.name}:{found.qualname}"
