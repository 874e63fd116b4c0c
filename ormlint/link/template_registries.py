"""Registries of the project's own that a Jinja environment takes its filters, globals and tests from:

entries = {}                                          class ShopExtension(Extension):
                                                          def __init__(self, environment):
def function(func):                                           environment.globals.update(registry.entries)
    entries[func.__name__] = func
    return func                                       @registry.function
                                                      def price(item): …
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.link.names import FunctionInfo, ModuleInfo, Program

TABLES = {"filters": "filter", "globals": "global", "tests": "test"}
"""The tables of a Jinja environment, and what an entry of each is."""

Registered = tuple[str, str, FunctionInfo]


def registered(program: Program) -> Iterator[Registered]:
    """Yields what the registries of a project hold: the kind of extension, its name and its function."""
    registrars = {id(function): kind for function, kind in _registrars(program)}
    if not registrars:
        return
    for function in program.functions:
        for decorator in function.node.decorators if not function.module.is_library else ():
            func, args = (decorator.func, decorator.args) if isinstance(decorator, ir.Call) else (decorator, [])
            kind = registrars.get(id(program.resolve(func, function.module))) if isinstance(func, (ir.Name, ir.Attr)) else None
            if kind is not None:
                yield kind, _name(args) or function.name, function
    for module in program.modules.values():
        for statement in module.tree.body:
            if isinstance(statement, ir.Expr) and isinstance(statement.value, ir.Call) and isinstance(statement.value.func, (ir.Name, ir.Attr)):
                kind = registrars.get(id(program.resolve(statement.value.func, module)))
                for arg in statement.value.args if kind is not None else ():
                    given = program.resolve(arg, module) if isinstance(arg, (ir.Name, ir.Attr)) else None
                    if kind is not None and isinstance(given, FunctionInfo):
                        yield kind, _name(statement.value.args) or given.name, given


def _name(args: list[ir.Expr_]) -> str:
    return next((arg.value for arg in args if isinstance(arg, ir.Const) and isinstance(arg.value, str)), "")


def _registrars(program: Program) -> Iterator[tuple[FunctionInfo, str]]:
    """Yields the functions that fill a registry, with the kind of what they register."""
    for module in program.modules.values():
        for kind, home, name in _registries(program, module) if not module.is_library else ():
            for function in home.functions.values():
                if any(isinstance(node, ir.Name) and node.id == name for node in walk(function.node.body)):
                    yield function, kind


def _registries(program: Program, module: ModuleInfo) -> Iterator[tuple[str, ModuleInfo, str]]:
    """Yields the kind of each registry that a module hands to an environment, the module that has it and its name there."""
    for statement in _statements(module):
        match statement:
            # `environment.globals.update(registry.entries)`
            case ir.Expr(value=ir.Call(func=ir.Attr(value=ir.Attr(name=table), name="update"), args=[(ir.Name() | ir.Attr()) as given])) if (
                table in TABLES
            ):
                home = program.resolve(given.value, module) if isinstance(given, ir.Attr) else module
                name = given.name if isinstance(given, ir.Attr) else given.id
                bound = module.bindings.get(name, [None])[-1] if home is module else None
                if isinstance(bound, ir.Import) and bound.name:
                    home, name = program.find_module(program.absolute(bound, module), module), bound.name
                if isinstance(home, ModuleInfo) and not home.is_library and name in home.bindings:
                    yield TABLES[table], home, name
            case _:
                pass


def _statements(module: ModuleInfo) -> Iterator[ir.Stmt]:
    """Yields the statements of a module, of its functions and of the methods of its classes."""
    for statement in module.tree.body:
        yield statement
        methods = [s for s in statement.body if isinstance(s, ir.Function)] if isinstance(statement, ir.Class) else []
        for function in [statement, *methods]:
            if isinstance(function, ir.Function):
                yield from function.body
