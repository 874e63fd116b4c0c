"""By which columns a loop decides which of the rows it walks it uses, where it does nothing with the others.

[book for book in books if book.lost]                       lost
for book in books:
    if book.pages < 100 or book.shop_id != shop.pk:         pages, shop_id
        continue
    …
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.run.columns import parts

PLAIN = frozenset({"now", "today", "utcnow", "localdate", "localtime", "date", "datetime", "timedelta", "UUID", "int", "str"})
"""Functions whose value may be computed once for all rows."""
OPERATORS = frozenset({"==", "!=", "<", "<=", ">", ">=", "is", "is not", "in", "not in"})
Test = tuple[str, str]  # a column and the operator that compares it, "" for the column itself


def sieve_of(loop: ir.Loop) -> frozenset[Test]:
    """Returns the tests of columns that a loop begins with; none if it does anything else with the rows that do not pass."""
    if not isinstance(loop.target, ir.Name) or loop.orelse:
        return frozenset()
    found: set[Test] = set()
    for test in _conditions(loop.body):
        tests = _tests(test, loop.target.id, loop)
        if tests is None:
            return frozenset()
        found |= tests
    return frozenset(found)


def _conditions(body: list[ir.Stmt]) -> Iterator[ir.Expr_]:
    """Yields the conditions that a row has to pass before anything is done with it: nested `if`, and `if …: continue`."""
    for stmt in body:
        if not isinstance(stmt, ir.If) or stmt.orelse:
            return
        if len(stmt.body) == 1 and isinstance(stmt.body[0], ir.Jump) and stmt.body[0].kind == "continue":
            yield stmt.test
            continue
        if len(body) == 1:
            yield stmt.test
            yield from _conditions(stmt.body)
        return


def _tests(test: ir.Expr_, name: str, loop: ir.Loop) -> set[Test] | None:
    """Returns the tests of columns that a condition is made of; None if there is anything else in it."""
    match test:
        case ir.Bool():
            found: set[Test] = set()
            for value in test.values:
                inner = _tests(value, name, loop)
                if inner is None:
                    return None
                found |= inner
            return found
        case ir.Not():
            return _tests(test.value, name, loop)
        case ir.Attr():
            return {(test.name, "")} if _is_row(test.value, name) else None
        case ir.Compare() if test.op in OPERATORS:
            for column, other in ((test.left, test.right), (test.right, test.left)):
                if isinstance(column, ir.Attr) and _is_row(column.value, name) and _is_given(other, name, loop):
                    return {(column.name, test.op)} if column is test.left or "in" not in test.op else None
            return None
        case _:
            return None


def _is_row(node: ir.Node, name: str) -> bool:
    return isinstance(node, ir.Name) and node.id == name


def _is_given(value: ir.Expr_, name: str, loop: ir.Loop) -> bool:
    """Whether a value is the same for every row: the loop neither makes it of the row nor changes it on the way."""
    changed = set(_changed(loop.body))
    waiting: list[ir.Node] = [value]
    while waiting:
        node = waiting.pop()
        match node:
            case ir.Name():
                if node.id == name or node.id in changed:
                    return False
            case ir.Const() | ir.Attr() | ir.Seq() | ir.Binary() | ir.Index():
                pass
            case ir.Call():
                called = node.called
                if called not in PLAIN:
                    return False
            case _:
                return False
        waiting += parts(node)
    return True


def _changed(body: list[ir.Stmt]) -> Iterator[str]:
    """Yields the names that statements assign, and those of which they call a method, which may change what they mean."""
    waiting: list[ir.Node] = [*body]
    while waiting:
        node = waiting.pop()
        match node:
            case ir.Assign() | ir.Delete():
                yield from (_base(target) for target in node.targets)
            case ir.Loop():
                yield _base(node.target)
            case ir.Walrus():
                yield node.name
            case ir.Call(func=ir.Attr(value=receiver)):
                yield _base(receiver)
            case _:
                pass
        waiting += parts(node)


def _base(node: ir.Node) -> str:
    while isinstance(node, (ir.Attr, ir.Index)):
        node = node.value
    return node.id if isinstance(node, ir.Name) else ""
