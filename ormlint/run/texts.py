"""What showing a row as text asks of the database: the `__str__` of every model, run for the rows of its default manager.

Rows of SQLAlchemy are shown by their `__repr__` if they have no `__str__`, and come from a query that loads what the mapping says. What
the program is seen to show is judged where it does so. Of the other models nobody is known to show a row, so what it would cost is kept
apart from the log of what the program does. The loop over the rows has the name of the method for its variable.
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, FunctionInfo
from ormlint.link.schema import Model, Orm
from ormlint.problem import Problem
from ormlint.run.attributes import default_manager
from ormlint.run.calls import call_function, text_method
from ormlint.run.django import manager_query
from ormlint.run.frame import Frame
from ormlint.run.log import Event, QueryObject
from ormlint.run.loops import make_loop
from ormlint.run.machine import Counters, Machine
from ormlint.run.queries import iterate_query
from ormlint.run.roots import internal_error
from ormlint.run.sqlalchemy import statement


def run_texts(m: Machine) -> tuple[list[Event], list[Problem]]:
    """Returns the events of showing rows as texts, one row after the other, and failures inside ormlint."""
    kept, queries, counters = m.events, len(m.queries), m.counters
    m.events, m.counters = [], Counters(functions=counters.functions)
    problems: list[Problem] = []
    for cls, function in _shown(m):
        try:
            _show(m, cls, function)
        except Exception as failure:  # reported as an internal error with its place; the other models are still examined
            problems.append(internal_error(cls.module.path, 1, cls.qualname, failure))
    found, m.events, m.counters = m.events, kept, counters
    del m.queries[queries:]
    return found, problems


def _shown(m: Machine) -> Iterator[tuple[ClassInfo, FunctionInfo]]:
    for cls in m.program.all_classes():
        model = cls.model
        if model is None or model in m.shown or model.abstract:
            continue
        function = text_method(cls)
        if function is not None and cls.functions.get(function.name) is function:
            yield cls, function


def _show(m: Machine, cls: ClassInfo, function: FunctionInfo) -> None:
    assert cls.model is not None
    frame = Frame(cls.module, f"{cls.module.name}:<text>", owner=cls)
    start = function.node.start
    node = ir.Name(start, min(start + len(f"def {function.name}"), function.node.end), function.name)
    query = _rows(m, frame, node, cls, cls.model)
    rows = iterate_query(m, frame, query, node)
    site = frame.site(node.start, node.end)
    loop = make_loop(m, frame, (start, False), site, site, "text", rows, function.name)
    frame.loops.append(loop)
    call_function(m, frame, node, function, [rows.element_in(m, frame, loop)], {})


def _rows(m: Machine, frame: Frame, node: ir.Node, cls: ClassInfo, model: Model) -> QueryObject:
    """Returns all rows of a model, with what its default manager or its mapping loads."""
    if model.orm is Orm.SQLALCHEMY:
        return statement(m, frame, node, [cls], "query")
    return manager_query(m, frame, node, default_manager(m, cls, model))


__all__ = ["run_texts"]
