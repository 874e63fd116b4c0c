"""Which attributes a loop reads of the rows it walks, where that is all that it does with them.

for book in books:
    print(book.title, book.pages)      title, pages
    shelve(book)                       unknown: the row is given away
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.run.frame import Frame
from ormlint.run.log import Loop, QueryObject, Shape, UseKind
from ormlint.run.machine import Machine


def note_loop(m: Machine, f: Frame, stmt: ir.Loop, loop: Loop) -> None:
    """Notes on the use that a loop makes of a query what it reads of the rows, and that it takes but the first of them, or lets go of each."""
    from ormlint.run.holding import holds
    from ormlint.run.sieves import sieve_of

    query = loop.source
    if query is None or stmt.kind == "template":
        return
    site = f.site(stmt.iter.start, stmt.iter.end)
    for use in query.uses:
        if use.kind is UseKind.ITERATE and use.site == site:
            known = m.walks.get(id(stmt))
            if known is None:
                known = m.walks[id(stmt)] = (holds(stmt), _columns(f, stmt), sieve_of(stmt))
            use.held = known[0]
            if query.shape is Shape.ROWS:
                if loop.first_only:
                    use.operator = "break"
                _, use.columns, use.sieve = known
                use.repeated = m.is_repeated(f, query)


def is_sifted(f: Frame, stmt: ir.Loop, source: QueryObject | None) -> bool:
    """Whether a loop over the rows of a query uses but some of them."""
    site = f.site(stmt.iter.start, stmt.iter.end)
    return source is not None and any(use.sieve for use in source.uses if use.kind is UseKind.ITERATE and use.site == site)


def columns_read(f: Frame, stmt: ir.Loop, source: QueryObject | None) -> frozenset[str] | None:
    """Returns what a loop over the rows of a query was found to read of each; None if it may be all."""
    site = f.site(stmt.iter.start, stmt.iter.end)
    return next((use.columns for use in source.uses if use.kind is UseKind.ITERATE and use.site == site), None) if source is not None else None


def _columns(f: Frame, loop: ir.Loop) -> frozenset[str] | None:
    if not isinstance(loop.target, ir.Name):
        return None
    name = loop.target.id
    found = _attributes((*loop.body, *loop.orelse), name)
    if found is not None and loop.kind == "for" and (f.function is None or _outlives(f.function.node.body, loop, name)):
        return None
    return found


def _attributes(body: tuple[ir.Stmt, ...], name: str) -> frozenset[str] | None:
    """Returns the attributes that are read of a variable; None if anything else is done with it."""
    found: set[str] = set()
    waiting: list[ir.Node] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ir.Attr) and isinstance(node.value, ir.Name) and node.value.id == name:
            found.add(node.name)
            continue
        if (isinstance(node, ir.Name) and node.id == name) or _binds(node, name):
            return None
        waiting += parts(node)
    return frozenset(found)


def _binds(node: ir.Node, name: str) -> bool:
    """Whether a node gives the variable another value, or writes to or deletes an attribute of it."""
    match node:
        case ir.Assign() | ir.Delete():
            return any(isinstance(target, ir.Attr) and isinstance(target.value, ir.Name) and target.value.id == name for target in node.targets)
        case ir.Walrus() | ir.Param() | ir.Function() | ir.Class() | ir.Handler():
            return node.name == name
        case ir.Call(func=ir.Name(id="locals" | "vars")):
            return True
        case _:
            return False


def _outlives(body: list[ir.Stmt], loop: ir.Loop, name: str) -> bool:
    """Whether a function names the variable of a loop outside of it and of other loops that set it anew."""
    waiting: list[ir.Node] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ir.Loop) and isinstance(node.target, ir.Name) and node.target.id == name:
            waiting.append(node.iter)
            continue
        if isinstance(node, ir.Name) and node.id == name:
            return True
        waiting += parts(node)
    return False


def parts(node: ir.Node) -> Iterator[ir.Node]:
    """Yields the nodes that a node is directly made of."""
    for field in node.__struct_fields__:
        value = getattr(node, field)
        if isinstance(value, ir.Node):
            yield value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, ir.Node):
                    yield item
                elif isinstance(item, tuple):
                    yield from (part for part in item if isinstance(part, ir.Node))
