"""Attributes that are mapped when the body of their class has ended, for they need what comes after it.

Course.booked = column_property(select(…))        in the module of the class
@listens_for(mapper, "after_configured")
def configured():
    Course.booked = column_property(select(…))    in a function that the mapping calls
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, ModuleInfo, Program, decorator_name

Later: TypeAlias = "dict[ClassInfo, list[tuple[str, ir.Assign]]]"


def later_attributes(program: Program) -> Later:
    """Returns by class the names and the assignments of calls to its attributes that its own module makes."""
    found: Later = {}
    for module in program.modules.values():
        if module.is_library or not module.classes:
            continue
        for stmt, target in _assignments(module):
            owner = program.resolve(target.value, module)
            if isinstance(owner, ClassInfo) and owner.module is module:
                found.setdefault(owner, []).append((target.name, stmt))
    return found


def _assignments(module: ModuleInfo) -> Iterator[tuple[ir.Assign, ir.Attr]]:
    listeners = (
        stmt.body for stmt in module.tree.body if isinstance(stmt, ir.Function) and any(decorator_name(d) == "listens_for" for d in stmt.decorators)
    )
    for body in (module.tree.body, *listeners):
        for stmt in body:
            if isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Call) and len(stmt.targets) == 1 and not stmt.op:
                target = stmt.targets[0]
                if isinstance(target, ir.Attr) and isinstance(target.value, ir.Name):
                    yield stmt, target


__all__ = ["Later", "later_attributes"]
