"""Whether the rows that a loop walks, or something made of each, are held longer than their round.

for book in books:
    ship(book)                  let go
    done += 1                   let go
    if book.lost: lost.append(book)      held
    titles.append(book.title)            held: one for every row
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.run.columns import parts

TAKES = frozenset({"append", "appendleft", "add", "add_all", "insert", "extend", "update", "setdefault", "push", "put", "put_nowait"})
"""Methods of containers, queues and sessions that keep what they are given."""


def holds(loop: ir.Loop) -> bool:
    """Whether a loop keeps rows, changes them, gives them back, or keeps something else for every one of them."""
    if loop.kind != "for" or not isinstance(loop.target, ir.Name):
        return True
    name = loop.target.id
    waiting: list[ir.Node] = [*loop.body, *loop.orelse]
    while waiting:
        node = waiting.pop()
        if _takes(node, name):
            return True
        waiting += parts(node)
    return any(_grows(stmt) for stmt in _in_every_round(loop.body))


def _takes(node: ir.Node, name: str) -> bool:
    """Whether a node keeps the row, or hands it to whoever walks what it gives."""
    match node:
        case ir.Assign():
            changed = any(isinstance(target, (ir.Attr, ir.Index)) and _is(target.value, name) for target in node.targets)
            return changed or (node.value is not None and _shows(node.value, name))
        case ir.Walrus() | ir.Emit() | ir.Yield() | ir.Return():
            return node.value is not None and _shows(node.value, name)
        case ir.Call(func=ir.Attr(name=method)) if method in TAKES:
            return any(_shows(value, name) for value in (*node.args, *(value for _, value in node.keywords)))
        case ir.Lambda() | ir.Function():
            return _names(node, name)  # whoever has the function has the row
        case _:
            return False


def _is(node: ir.Node, name: str) -> bool:
    return isinstance(node, ir.Name) and node.id == name


def _shows(value: ir.Node, name: str) -> bool:
    """Whether a value is the row or a display with the row in it."""
    match value:
        case ir.Name():
            return value.id == name
        case ir.Seq():
            return any(_shows(item, name) for item in value.items)
        case ir.Map():
            return any(_shows(item, name) for item in (*value.keys, *value.values) if item is not None)
        case ir.Cond():
            return _shows(value.body, name) or _shows(value.orelse, name)
        case ir.Bool():
            return any(_shows(item, name) for item in value.values)
        case ir.Star():
            return _shows(value.value, name)
        case _:
            return False


def _names(node: ir.Node, name: str) -> bool:
    waiting: list[ir.Node] = [node]
    while waiting:
        node = waiting.pop()
        if _is(node, name):
            return True
        waiting += parts(node)
    return False


def _in_every_round(body: list[ir.Stmt]) -> Iterator[ir.Stmt]:
    """Yields the statements of a loop's body that stand under no condition."""
    for stmt in body:
        yield stmt
        match stmt:
            case ir.Loop():
                yield from _in_every_round(stmt.body)
            case ir.With():
                yield from _in_every_round(stmt.body)
            case ir.Try():
                yield from _in_every_round([*stmt.body, *stmt.orelse, *stmt.final])
            case ir.If() if stmt.orelse:
                yield from _in_every_round([*stmt.body, *stmt.orelse])
            case _:
                pass


def _grows(stmt: ir.Stmt) -> bool:
    """Whether a statement puts something into a container: `titles.append(…)`, `by_title[title] = …`."""
    match stmt:
        case ir.Expr(value=ir.Call(func=ir.Attr(name=method))):
            return method in TAKES
        case ir.Assign(op=""):
            return any(isinstance(target, ir.Index) for target in stmt.targets)
        case ir.Assign(op="+"):
            return isinstance(stmt.value, (ir.Seq, ir.Comp))
        case _:
            return False
