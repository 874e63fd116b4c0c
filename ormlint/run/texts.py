"""What showing a row as text asks of the database: the `__str__` of every model, run for the rows of its default manager.

What the program is seen to show is judged where it does so. Of the other models nobody is known to show a row, so what it would
cost is kept apart from the log of what the program does.
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, FunctionInfo
from ormlint.link.schema import Orm
from ormlint.problem import Problem
from ormlint.run.attributes import default_manager
from ormlint.run.calls import call_function
from ormlint.run.django import manager_query
from ormlint.run.frame import Frame
from ormlint.run.log import Event
from ormlint.run.loops import make_loop
from ormlint.run.machine import Counters, Machine
from ormlint.run.queries import iterate_query
from ormlint.run.roots import internal_error

METHOD = "__str__"


def run_texts(m: Machine) -> tuple[list[Event], list[Problem]]:
    """Returns the events of showing rows as texts, one row after the other, and failures inside ormlint."""
    kept, queries, counters = m.events, len(m.queries), m.counters
    m.events, m.counters = [], Counters(functions=counters.functions)
    problems: list[Problem] = []
    for cls, function in _shown(m):
        try:
            _show(m, cls, function)
        except Exception as failure:  # reported as an internal error with its place; the other models are still examined
            m.stack.clear()
            problems.append(internal_error(cls.module.path, 1, cls.qualname, failure))
    found, m.events, m.counters = m.events, kept, counters
    del m.queries[queries:]
    return found, problems


def _shown(m: Machine) -> Iterator[tuple[ClassInfo, FunctionInfo]]:
    for cls in m.program.all_classes():
        model = cls.model
        function = cls.functions.get(METHOD)
        if model is not None and model not in m.shown and model.orm is Orm.DJANGO and not model.abstract and function is not None:
            yield cls, function


def _show(m: Machine, cls: ClassInfo, function: FunctionInfo) -> None:
    assert cls.model is not None
    frame = Frame(cls.module, f"{cls.module.name}:<text>", owner=cls)
    start = function.node.start
    node = ir.Name(start, min(start + len(f"def {METHOD}"), function.node.end), METHOD)
    query = manager_query(m, frame, node, default_manager(m, cls, cls.model))
    rows = iterate_query(m, frame, query, node)
    site = frame.site(node.start, node.end)
    loop = make_loop(m, frame, (start, False), site, site, "text", rows)
    frame.loops.append(loop)
    call_function(m, frame, node, function, [rows.element_in(m, frame, loop)], {})


__all__ = ["run_texts"]
