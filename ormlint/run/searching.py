"""What decides whether a search goes on: the tests before its end, and what they are computed from.

for name in names:                  for order in orders:
    book = find(name)                   if not permits(order.shop):
    if book is not None:                    return None, 403
        return book                     send(order)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk

Span = tuple[int, int]
ADDING = frozenset({"add", "append", "update", "extend"})


def first_found(body: list[ir.Stmt]) -> tuple[Span, ...]:
    """Returns what `any()` and `next()` ask of the rows of a generator until one fits: its tests, what further clauses walk, and its element."""
    found = []
    for node in walk(body):
        match node:
            case ir.If():
                found.append(node.test)
            case ir.Loop():
                found.append(node.iter)
            case ir.Emit():
                found.append(node.value)
            case _:
                pass
    return tuple((part.start, part.end) for part in found)


def deciding(body: list[ir.Stmt]) -> tuple[Span, ...]:
    """Returns the expressions in a loop's body that decide if it has found what it looks for; none for a loop that only refuses something."""
    tests = list(_tests(body, (), ("break", "return")))
    if not tests:
        return ()
    found = {(test.start, test.end): test for test in tests}
    names = {name for test in tests for name in _names(test)}
    before = -1
    while before != len(found):
        before = len(found)
        for node in walk(body):
            if isinstance(node, ir.Assign) and node.value is not None:
                targets, value = node.targets, node.value
            elif isinstance(node, ir.Loop):
                targets, value = [node.target], node.iter
            elif isinstance(node, ir.Call) and isinstance(node.func, ir.Attr) and node.func.name in ADDING and len(node.args) == 1:
                targets, value = [node.func.value], node.args[0]
            else:
                continue
            if any(name in names for target in targets for name in _bound(target)):
                found[value.start, value.end] = value
                names |= set(_names(value))
    return tuple(found)


def _tests(body: Iterable[ir.Stmt], around: tuple[ir.Expr_, ...], how: tuple[str, ...]) -> Iterator[ir.Expr_]:
    """Yields the tests under which a loop ends with a find: a `break`, or a return of `True` or of a variable."""
    for stmt in body:
        match stmt:
            case ir.Jump() if stmt.kind in how:
                yield from around
            case ir.Return() if _is_find(stmt.value):
                yield from around
            case ir.If():
                yield from _tests((*stmt.body, *stmt.orelse), (*around, stmt.test), how)
            case ir.With():
                yield from _tests(stmt.body, around, how)
            case ir.Try():
                yield from _tests((*stmt.body, *stmt.orelse, *stmt.final), around, how)
            case ir.Loop() | ir.While():
                yield from _tests(stmt.body, around, ("return",))
            case _:
                pass


def _is_find(value: ir.Expr_ | None) -> bool:
    return isinstance(value, (ir.Name, ir.Attr)) or (isinstance(value, ir.Const) and value.value is True)


def _names(node: ir.Node) -> Iterator[str]:
    return (inner.id for inner in walk([node]) if isinstance(inner, ir.Name))


def _bound(target: ir.Expr_) -> Iterator[str]:
    if isinstance(target, ir.Name):
        yield target.id
    elif isinstance(target, ir.Seq):
        for item in target.items:
            yield from _bound(item)
