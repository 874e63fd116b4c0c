"""Rows that a loop looks for: it takes those along whose value is the one it wants, of all that the query gave.

for loan in session.scalars(select(Loan)):
    days = (loan.due - today).days
    if days in reminders:                those of two days, say
        due.append(loan)
for loan in due: print(loan.reader)      few of the loans, whose readers a load with the query would fetch for all

Which share of the rows passes a flag, a state that the program states, a limit or a function is not known, and mostly it is a large one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.run.frame import Frame
from ormlint.run.machine import Machine
from ormlint.run.values import Row, deps_of

Test = tuple[ir.Expr_, bool]
_TRUE, _FALSE = frozenset({"==", "in"}), frozenset({"!=", "not in"})


def seeks(m: Machine, f: Frame, row: Row, node: ir.Node) -> bool:
    """Whether a place in a loop of the function is reached for those rows alone that have a value which is looked for."""
    body = f.function.node.body if f.function is not None else []
    loop, tests = _way_to(body, node, None, []) or (None, [])
    if loop is None or not tests:
        return False
    own = _made_of(loop)
    return any(_is_search(_Search(f, own, _is_made_here(m, f, row)), test, held=held) for test, held in tests)


def picks_sought(m: Machine, f: Frame, row: Row, loop: ir.Loop) -> bool:
    """Whether a comprehension gives those rows alone that have a value which is looked for."""
    tests: list[ir.Expr_] = []
    stmt: ir.Stmt = loop
    while isinstance(stmt, (ir.Loop, ir.If)) and stmt.body:
        if isinstance(stmt, ir.Loop):
            loop, tests = stmt, []
        else:
            tests.append(stmt.test)
        stmt = stmt.body[-1]
    own = _made_of(loop)
    return any(_is_search(_Search(f, own, _is_made_here(m, f, row)), test, held=True) for test in tests)


def _way_to(body: list[ir.Stmt], node: ir.Node, loop: ir.Loop | None, tests: list[Test]) -> tuple[ir.Loop | None, list[Test]] | None:
    """Returns the innermost loop around a place, and the tests in it that the way to the place passes, and whether they hold there."""
    passed = [*tests]
    for stmt in body:
        if not stmt.start <= node.start < stmt.end:
            if isinstance(stmt, ir.If) and _goes_on(stmt):
                passed.append((stmt.test, False))
            continue
        match stmt:
            case ir.Loop():
                return _way_to(stmt.body, node, stmt, []) or (stmt, [])
            case ir.If():
                held = _way_to(stmt.body, node, loop, [*passed, (stmt.test, True)])
                return held or _way_to(stmt.orelse, node, loop, [*passed, (stmt.test, False)])
            case ir.With():
                return _way_to(stmt.body, node, loop, passed)
            case ir.Try():
                return _way_to([*stmt.body, *stmt.orelse, *stmt.final], node, loop, passed)
            case _:
                return loop, passed
    return None


def _goes_on(stmt: ir.If) -> bool:
    """Whether a branch leaves the round and does nothing else: `if loan.day != day: continue`."""
    return len(stmt.body) == 1 and not stmt.orelse and isinstance(stmt.body[0], ir.Jump) and stmt.body[0].kind == "continue"


def _made_of(loop: ir.Loop) -> frozenset[str]:
    """Returns the variables of a loop that hold its row or what is made of it."""
    own = set(_names(loop.target))
    for stmt in loop.body:
        if isinstance(stmt, ir.Assign) and stmt.value is not None and not own.isdisjoint(_names(stmt.value)):
            own.update(name for target in stmt.targets if isinstance(target, ir.Name) for name in _names(target))
    return frozenset(own)


class _Search(NamedTuple):
    """A loop that may look for rows: its variables that are made of its row, and whether each run of the function asks for the rows anew."""

    frame: Frame
    own: frozenset[str]
    anew: bool


def _is_made_here(m: Machine, f: Frame, row: Row) -> bool:
    """Whether a row is of a query that the function makes, and not of one that it is given."""
    return row.origin is not None and m.serial.get(row.origin.query, 0) >= f.begun


def _is_search(search: _Search, test: ir.Expr_, *, held: bool) -> bool:
    match test:
        case ir.Not():
            return _is_search(search, test.value, held=not held)
        case ir.Bool():
            parts = [_is_search(search, value, held=held) for value in test.values]
            return any(parts) if (test.op == "and") is held else all(parts)
        case ir.Compare() if test.op in (_TRUE if held else _FALSE):
            if not search.own.isdisjoint(_names(test.left)):
                return _is_wanted(search, test.right)
            return "in" not in test.op and not search.own.isdisjoint(_names(test.right)) and _is_wanted(search, test.left)
        case _:
            return False


def _is_wanted(search: _Search, value: ir.Expr_) -> bool:
    """Whether a value is one to look for: neither stated, nor another one in each round of a loop around.

    # `books = list(…)`, and `for shop in shops: own = [book for book in books if book.shop_id == shop.id]` in the end looks at all of them
    """
    names = {name for name in _names(value) if not name[:1].isupper()}
    varied = frozenset().union(*(deps_of(search.frame.env.get(name)) for name in names))
    return bool(names) and names.isdisjoint(search.own) and (not varied or (search.anew and all(number < 0 for number in varied)))


def _names(value: ir.Expr_) -> Iterator[str]:
    return (node.id for node in walk(value) if isinstance(node, ir.Name))
