"""Metaclasses: whose attributes a class has beside its own.

class Meta(DeclarativeMeta): …
class Base(DeclarativeBase, metaclass=Meta)      @as_declarative(metaclass=Meta)      Base = declarative_base(metaclass=Meta)
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, FunctionInfo, ModuleInfo, Program


def metaclasses(program: Program, cls: ClassInfo) -> Iterator[ClassInfo]:
    """Yields the metaclasses of the project that a class or its ancestors are given, the nearest first."""
    for ancestor in cls.mro:
        for value, module in _given(program, ancestor):
            found = program.resolve(value, module)
            if isinstance(found, ClassInfo):
                yield found


def metaclass_method(program: Program, cls: ClassInfo, name: str) -> FunctionInfo | None:
    """Returns the method or property that a class has from its metaclass, or None."""
    return next((found for meta in metaclasses(program, cls) if (found := meta.method(name)) is not None), None)


def _given(program: Program, cls: ClassInfo) -> Iterator[tuple[ir.Expr_, ModuleInfo]]:
    yield from ((value, cls.module) for name, value in cls.node.keywords if name == "metaclass")
    calls = [(decorator, cls.module) for decorator in cls.node.decorators if isinstance(decorator, ir.Call)]
    calls += [made for base in cls.node.bases if isinstance(base, ir.Name) and (made := program.call_behind(base.id, cls.module)) is not None]
    for call, module in calls:
        yield from ((value, module) for name, value in call.keywords if name == "metaclass")
