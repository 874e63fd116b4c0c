"""Classes that a program loads by their names, so that another app can put its own in their place.

UserTable = get_class("dashboard.tables", "UserTable")           the end of a module's name, and the name of a class in it
A, B = get_classes("dashboard.forms", ("A", "B"))
backend = import_string("shop.backends.Mail")                    the whole dotted path
Book = get_model("shop", "Book")                                 a model by the label of its app, or `load_model()` of swapper
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ormlint.ir import nodes as ir

if TYPE_CHECKING:
    from ormlint.link.names import ClassInfo, Program, Symbol

BY_LABEL = frozenset({"get_class", "get_classes"})
BY_PATH = frozenset({"import_string"})
BY_APP = frozenset({"get_model", "load_model"})
TESTS = frozenset({"tests", "test", "testing"})


def loaded(program: Program, loader: str, call: ir.Call, position: int = 0) -> Symbol | None:
    """Returns the class that a call of a function of this name loads, of several the one at a position; None if there is none."""
    match call.args:
        case [ir.Const(value=str() as path), *_] if loader in BY_PATH and "." in path:
            module_name, _, name = path.rpartition(".")
            module = program.find_module(module_name, None)
            return program.attribute(module, name) if module is not None else None
        case [ir.Const(value=str() as label), ir.Const(value=str() as name), *_] if loader == "get_class":
            return _labelled(program, label, name)
        case [ir.Const(value=str() as label), ir.Seq(items=items), *_] if loader == "get_classes" and position < len(items):
            item = items[position]
            return _labelled(program, label, item.value) if isinstance(item, ir.Const) and isinstance(item.value, str) else None
        case [ir.Const(value=str() as label), *rest] if loader in BY_APP:
            app, _, name = label.partition(".")
            match rest:
                case [ir.Const(value=str() as given), *_] if not name:
                    name = given
            return _model_of_app(program, app, name)
        case _:
            return None


def _model_of_app(program: Program, app: str, name: str) -> ClassInfo | None:
    """Returns the class of a name in the models of an app, if there is one only."""
    found = [
        module.classes[name]
        for module in program.modules.values()
        if name in module.classes and "models" in (parts := module.name.split(".")) and app in parts and TESTS.isdisjoint(parts)
    ]
    return found[0] if len(found) == 1 else None


def _labelled(program: Program, label: str, name: str) -> ClassInfo | None:
    """Returns the class in the module whose dotted name ends with a label; what tests put in its place comes last."""
    modules = [module for module in program.modules.values() if f".{module.name}".endswith(f".{label}") and name in module.classes]
    modules.sort(key=lambda module: (not TESTS.isdisjoint(module.path.split("/")), module.path))
    return modules[0].classes[name] if modules else None


__all__ = ["BY_APP", "BY_LABEL", "BY_PATH", "loaded"]
