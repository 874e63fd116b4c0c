"""Traits of traitlets: attributes that a class declares, and that its objects have from methods or from a default.

class Shop(HasTraits):
    cellar = Instance(Cellar)           an object of that class, or what the method for its default returns
    @default("cellar")
    def _cellar(self): return Cellar(self.session)
    session = Any()                     whatever a method puts there
Source of the facts: traitlets.HasTraits, traitlets.default; before traitlets 4 a default was the method `_cellar_default`.
"""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, External, FunctionInfo, decorator_name
from ormlint.run.frame import Frame
from ormlint.run.machine import Machine
from ormlint.run.values import Instance, Unknown, Value

PACKAGE = "traitlets"


def is_trait(value: Value) -> bool:
    """Whether an attribute of a class is a trait."""
    return isinstance(value, External) and value.package == PACKAGE


def trait_value(m: Machine, f: Frame, node: ir.Node, value: Instance, name: str) -> Value | None:
    """Returns what an object has for a trait that no method has put there, or None if the class does not tell."""
    from ormlint.run.calls import call_function

    key = (id(value.cls), name)
    if key in m.keeping.defaults:
        return m.keeping.defaults[key]
    default = _default(value.cls, name)
    if default is not None:
        made = call_function(m, f, node, default, [value], {})
        if not isinstance(made, Unknown):
            m.keeping.defaults[key] = made
            return made
    held = _class_of_trait(m, value.cls, name)
    return Instance(held) if held is not None and held.model is None else None


def _default(cls: ClassInfo, name: str) -> FunctionInfo | None:
    """Returns the method that makes the default of a trait: `@default("name")`, `def _name_default(self)`."""
    for ancestor in cls.mro:
        for function in ancestor.functions.values():
            if function.name == f"_{name}_default" or any(_names(decorator, name) for decorator in function.node.decorators):
                return function
    return None


def _names(decorator: ir.Expr_, name: str) -> bool:
    if not isinstance(decorator, ir.Call) or decorator_name(decorator) != "default":
        return False
    return any(isinstance(arg, ir.Const) and arg.value == name for arg in decorator.args)


def _class_of_trait(m: Machine, cls: ClassInfo, name: str) -> ClassInfo | None:
    """Returns the class of the program that `name = Instance(Class)` or `name = Instance("shop.cellar.Cellar")` tells."""
    found = cls.find(name)
    stmt = found[1][-1] if found is not None else None
    call = stmt.value if isinstance(stmt, ir.Assign) else None
    while isinstance(call, ir.Call) and isinstance(call.func, ir.Attr) and call.func.name == "tag":
        call = call.func.value
    if found is None or not isinstance(call, ir.Call) or call.called != "Instance" or not call.args:
        return None
    match call.args[0]:
        case ir.Const(value=str(path)):
            module, _, last = path.rpartition(".")
            home = m.program.find_module(module, found[0].module) if module else found[0].module
            symbol = m.program.lookup(last, home) if home is not None else None
        case target:
            symbol = m.program.resolve(target, found[0].module, found[0])
    return symbol if isinstance(symbol, ClassInfo) else None


__all__ = ["is_trait", "trait_value"]
