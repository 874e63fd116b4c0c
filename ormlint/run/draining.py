"""Loops by hand: `while` loops that take one element of something in each round.

while rows:                    while True:                      while (row := next(rows, None)) is not None:
    row = rows.pop()               row = next(rows, None)           …
    …                              if row is None: break
                                   …
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk as nodes_in
from ormlint.run.frame import Frame
from ormlint.run.log import Loop
from ormlint.run.loops import exits_of, leaves, make_loop, walk
from ormlint.run.machine import Machine, text_of
from ormlint.run.values import Sequence


def draining(m: Machine, f: Frame, stmt: ir.While) -> Loop | None:
    """Returns the loop over what a `while` drains, or None: other while loops are not known to follow the data."""
    name = _popped(stmt) or _taken(stmt)
    value = f.env.get(name)
    if not isinstance(value, Sequence) or value.items is not None:
        return None
    # to leave it when nothing is left is how such a loop ends, and not an early exit
    m.exits[id(stmt.body)] = exits_of([s for s in stmt.body if not _ends(s, name)])
    site = f.site(stmt.start, stmt.test.end)
    return make_loop(m, f, (stmt.start, False), site, f.site(stmt.start, stmt.end), "while", walk(value), "", stmt.body)


def _popped(stmt: ir.While) -> str:
    """Returns the variable of `while rows: row = rows.pop()`, "" if the loop is not like that."""
    if not isinstance(stmt.test, ir.Name):
        return ""
    popped = any(
        isinstance(s, ir.Assign)
        and isinstance(s.value, ir.Call)
        and isinstance(s.value.func, ir.Attr)
        and s.value.func.name in ("pop", "popleft")
        and text_of(s.value.func.value) == stmt.test.id
        for s in stmt.body
    )
    return stmt.test.id if popped else ""


def _taken(stmt: ir.While) -> str:
    """Returns the variable whose next element every round takes, "" if there is none."""
    if not isinstance(stmt.test, ir.Const):
        return next((name for node in nodes_in(stmt.test) if isinstance(node, ir.Walrus) and (name := _next_of(node.value))), "")
    if not stmt.test.value or not leaves(stmt.body, ("break", "return")):
        return ""
    return next((name for s in _at_once(stmt.body) if isinstance(s, ir.Assign) and s.value is not None and (name := _next_of(s.value))), "")


def _at_once(body: list[ir.Stmt]) -> Iterator[ir.Stmt]:
    for stmt in body:
        yield stmt
        if isinstance(stmt, ir.Try):
            yield from stmt.body


def _next_of(value: ir.Expr_) -> str:
    """Returns the variable of `next(rows)`, "" if it is something else."""
    match value:
        case ir.Call(func=ir.Name(id="next"), args=[ir.Name(id=name), *_]):
            return name
        case _:
            return ""


def _ends(stmt: ir.Stmt, name: str) -> bool:
    """Whether a statement leaves the loop because nothing is left: `if row is None: break`, `except StopIteration: break`."""
    match stmt:
        case ir.If(body=[ir.Jump(kind="break") | ir.Return()], orelse=[]):
            return _is_of_nothing(stmt.test)
        case ir.Try(body=[ir.Assign(value=ir.Call() as call)]):
            return _next_of(call) == name
        case _:
            return False


def _is_of_nothing(test: ir.Expr_) -> bool:
    match test:
        case ir.Not(value=ir.Name()) | ir.Compare(op="is" | "==", left=ir.Name(), right=ir.Const(value=None)):
            return True
        case _:
            return False
