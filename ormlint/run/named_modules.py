"""Modules, and what stands in them, that a program takes by their names.

import_module("shop.db.api")                                        importlib, oslo.utils
import_string("shop.backends.Mail")                                 Django, Werkzeug, Celery
DBAPI.from_config(conf, backend_mapping={"sqlalchemy": "shop.db.api"})   oslo.db: what `get_backend()` of the module gives, or the module
"""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.link.names import External, FunctionInfo, ModuleInfo
from ormlint.run.frame import Frame
from ormlint.run.machine import Machine
from ormlint.run.values import UNKNOWN, Constant, Instance, Mapping, Value, varying


def import_module(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns the project's module of a name that is known, what is outside the project as such."""
    match args:
        case [Constant(value=str() as name)]:
            return m.program.find_module(name, f.module) or External(name)
        case _:
            return varying(args)


def import_string(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what stands in a module of the project under the last part of a dotted path that is known, what is outside the project as such."""
    match args:
        case [Constant(value=str() as path), *_] if "." in path:
            name, _, last = path.replace(":", ".").rpartition(".")
            module = m.program.find_module(name, f.module)
            return m.global_value(module, last) if module is not None else External(path)
        case _:
            return varying(args)


def backend(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns the one module, or the object of it, that stands behind an API of oslo.db."""
    from ormlint.run.calls import call_function

    mapping = keywords.get("backend_mapping", UNKNOWN)
    names = [value.value for value in mapping.known.values() if isinstance(value, Constant)] if isinstance(mapping, Mapping) else []
    modules = [m.program.find_module(name, f.module) for name in names if isinstance(name, str)]
    match modules:
        case [ModuleInfo() as module]:
            maker = module.functions.get("get_backend")
            made = call_function(m, f, node, maker, [], {}) if isinstance(maker, FunctionInfo) else UNKNOWN
            return made if isinstance(made, Instance) else module
        case _:
            return UNKNOWN
