"""Modules that nobody can import, as they import a name which a module of their own package has no more.

from shop.models import Order, Basket      ImportError, since `Basket` was taken out of `shop/models.py`: this command has not run since
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ormlint.ir import nodes as ir
from ormlint.ir.walk import mentions
from ormlint.link.names import ModuleInfo, Program

_MAKES_NAMES = frozenset({"globals", "locals", "vars", "exec", "setattr", "modules", "__getattr__", "__path__"})


class Missing(NamedTuple):
    """A name that is imported from a module, by its path, which does not bind it."""

    path: str
    name: str


def missing_names(program: Program) -> dict[str, list[Missing]]:
    """Returns the names that the body of a module imports of another one of its package which binds none, by the path of the module.

    Neither imports in a branch count, nor those whose error may be caught.
    """
    found: dict[str, list[Missing]] = {}
    for path, module in program.modules.items():
        for stmt in module.tree.body:
            source = _source(program, module, stmt) if isinstance(stmt, ir.Import) and stmt.name not in ("", "*") else None
            if source is not None and isinstance(stmt, ir.Import) and _lacks(program, source, stmt.name):
                found.setdefault(path, []).append(Missing(source.path, stmt.name))
    return found


def fails_to_import(missing: list[Missing], text_of: Callable[[str], str]) -> bool:
    """Whether one of these names does not even stand in the text of the module that it is imported from."""
    return any(each.name not in text_of(each.path) for each in missing)


def _source(program: Program, module: ModuleInfo, stmt: ir.Import) -> ModuleInfo | None:
    base = program.absolute(stmt, module)
    named = program.by_name.get(base, ()) if base.partition(".")[0] == module.name.partition(".")[0] else ()
    return named[0] if len(named) == 1 and named[0] is not module else None


def _lacks(program: Program, module: ModuleInfo, name: str) -> bool:
    """Whether a module neither binds a name nor takes it over, nor has a submodule that is called so."""
    if name in module.bindings or module.stars or name.startswith("__"):
        return False
    return program.find_module(f"{module.name}.{name}", module) is None and not mentions(module.tree, _MAKES_NAMES)
