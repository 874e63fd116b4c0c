"""Whether anything reads a row behind a place of its function.

book = Book(title=title)
session.add(book)
session.commit()
session.refresh(book)        nothing reads `book` from here on
return {"done": True}
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.run.frame import Frame

TAKE = frozenset({"add", "delete", "flush", "expunge", "refresh", "expire"})
"""Methods of a session that are given a row and hand it to nobody."""


def is_unread(f: Frame, row: ir.Expr_, at: ir.Node) -> bool:
    """Whether the row that a variable holds is this function's own, and nothing mentions it behind a node of the function."""
    if not isinstance(row, ir.Name) or f.function is None or f.outer is not None or f.loops or f.closures:
        return False
    function = f.function.node
    if function.is_generator or any(param.name == row.id for param in function.params):
        return False
    mentions = [node for node in walk(function.body) if isinstance(node, ir.Name) and node.id == row.id]
    if any(node.start >= at.end for node in mentions):
        return False
    harmless = set(_harmless(function.body))
    return all(id(node) in harmless for node in mentions)


def _harmless(body: list[ir.Stmt]) -> Iterator[int]:
    """Yields the ids of the nodes that assign a variable, read an attribute of it, test it or give it to a session."""
    for node in walk(body):
        match node:
            case ir.Assign() if len(node.targets) == 1:
                yield from (id(target) for target in node.targets)
            case ir.Attr():
                yield id(node.value)
            case ir.Call(func=ir.Attr(name=name)) if name in TAKE:
                yield from (id(arg) for arg in node.args)
            case ir.Compare():
                yield id(node.left)
            case ir.Not():
                yield id(node.value)
            case ir.If():
                yield id(node.test)
            case _:
                pass
