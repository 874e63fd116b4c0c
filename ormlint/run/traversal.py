"""Where the context of a view of Pyramid comes from: the factory of its route, of which the traversal takes one item.

    config.add_route("clock", "/clocks/{key}", factory="shop.models:ClockFactory", traverse="/{key}")

    class ClockFactory:                              @view_config(route_name="clock", context=Clock)
        def __getitem__(self, key):                  def clock(clock, request):
            return query(Clock).filter(…).one()          …

Without `traverse` the context is what the factory gives. Ways of several steps are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ormlint.ir import nodes as ir
from ormlint.ir.walk import mentions, walk
from ormlint.link.names import ClassInfo, FunctionInfo, ModuleInfo, Symbol
from ormlint.run.machine import Machine
from ormlint.run.values import Row, options


class Root(Struct, frozen=True, eq=False):
    """The factory of a route, and the way from what it makes to the context."""

    factory: Symbol | None
    way: str = ""


def context_row(m: Machine, route: str) -> Row | None:
    """Returns the row that is the context of the views of a route, None if nobody knows or it is no row."""
    from ormlint.run.roots import run_root

    if m.traversal_roots is None:
        m.traversal_roots = dict(_roots(m))
    root = m.traversal_roots.get(route)
    function = _giver(root) if root is not None else None
    if function is None or function.module.is_library:
        return None
    summary = run_root(m, function)
    rows = [option for option in options(summary.returned) if isinstance(option, Row)] if summary is not None else []
    return rows[0] if len(rows) == 1 and rows[0].origin is not None else None


def _giver(root: Root) -> FunctionInfo | None:
    """Returns the function that gives the context."""
    if root.way:
        return root.factory.method("__getitem__") if isinstance(root.factory, ClassInfo) and root.way.strip("/").count("/") == 0 else None
    return root.factory if isinstance(root.factory, FunctionInfo) else None


def _roots(m: Machine) -> Iterator[tuple[str, Root]]:
    for module in m.program.modules.values():
        if module.is_library or not mentions(module.tree, ("add_route",)):
            continue
        for node in walk(module.tree.body):
            if isinstance(node, ir.Call) and node.called == "add_route" and node.args:
                name, given = node.args[0], dict(node.keywords)
                if "factory" in given and isinstance(name, ir.Const) and isinstance(name.value, str):
                    way = given.get("traverse")
                    yield (
                        name.value,
                        Root(_meant(m, given["factory"], module), str(way.value) if isinstance(way, ir.Const) else "/*/*" if way else ""),
                    )


def _meant(m: Machine, factory: ir.Expr_, module: ModuleInfo) -> Symbol | None:
    """Returns what is given as a factory: itself, or its dotted name."""
    if not isinstance(factory, ir.Const):
        return m.program.resolve(factory, module)
    dotted = str(factory.value).replace(":", ".")
    place, _, name = dotted.rpartition(".")
    found = m.program.find_module(place, module)
    return m.program.attribute(found, name) if found is not None else None


__all__ = ["context_row"]
