"""Functions that a module hangs on a class from outside, on one of Django's mostly.

    User.add_to_class("role", user_role)
    User.role = user_role
    User.add_to_class("role", property(user_role))

Only statements of a module itself and functions of the project count; what a function does to a class when it is called does not.
"""

from __future__ import annotations

from dataclasses import replace

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, FunctionInfo, ModuleInfo, Program


def attach_functions(program: Program) -> None:
    """Makes methods and properties of the functions that modules of the project put on classes."""
    for module in program.modules.values():
        for stmt in module.tree.body:
            match stmt:
                case ir.Expr(value=ir.Call(func=ir.Attr(name="add_to_class") as func, args=[ir.Const(value=str(name)), value])):
                    _attach(program, module, func.value, name, value)
                case ir.Assign(targets=[ir.Attr() as target], value=ir.Name() | ir.Call() as value, op=""):
                    _attach(program, module, target.value, target.name, value)
                case _:
                    pass


def _attach(program: Program, module: ModuleInfo, owner: ir.Expr_, name: str, value: ir.Expr_) -> None:
    kind = "method"
    if isinstance(value, ir.Call):
        if not isinstance(value.func, ir.Name) or value.func.id != "property" or not value.args:
            return
        kind, value = "property", value.args[0]
    if not isinstance(value, (ir.Name, ir.Attr)) or not isinstance(owner, (ir.Name, ir.Attr)):
        return
    function = program.resolve(value, module)
    cls = program.resolve(owner, module)
    if isinstance(function, FunctionInfo) and function.owner is None and isinstance(cls, ClassInfo) and not function.module.is_library:
        cls.functions[name] = replace(function, owner=cls, kind=kind)
        cls.bindings[name] = [function.node]


__all__ = ["attach_functions"]
