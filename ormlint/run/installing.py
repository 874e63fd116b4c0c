"""Installing: which functions run when tables are migrated or the program is checked, and not while it serves anybody.

post_migrate.connect(add_groups, sender=self)        `add_groups`
@receiver(post_migrate) def add_kinds(…)             `add_kinds`
@checks.register() def check_keys(app_configs, …)    `check_keys`, which `manage.py` runs when it starts
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.link.names import External, FunctionInfo, ModuleInfo, Program, Symbol

_SIGNALS = ("pre_migrate", "post_migrate")
_CHECKS = "django.core.checks."


def installing_functions(program: Program, functions: Iterable[FunctionInfo]) -> frozenset[str]:
    """Returns the qualified names of the functions of a program that migrations or system checks start."""
    found: list[FunctionInfo] = []
    for function in functions:
        if any(_installs(program, node, function.module) for node in function.node.decorators):
            found.append(function)
        if function.name == "ready" or function.name == "connect_signals":
            found += _connected(program, function.module, function.node.body)
    for module in program.modules.values():
        if not module.is_library and any(name in module.bindings for name in _SIGNALS):
            found += _connected(program, module, [stmt for stmt in module.tree.body if isinstance(stmt, ir.Expr)])
    return frozenset(f"{function.module.name}:{function.qualname}" for function in found)


def _installs(program: Program, node: ir.Expr_, module: ModuleInfo) -> bool:
    """Whether a decorator has migrations or checks start a function: `@receiver(post_migrate)`, `@register(Tags.models)`."""
    called = program.resolve(node.func if isinstance(node, ir.Call) else node, module)
    if not isinstance(called, External):
        return False
    if called.path.startswith(_CHECKS) and called.name == "register":
        return True
    signals = node.args[:1] if isinstance(node, ir.Call) and called.name == "receiver" else []
    return bool(signals) and all(_is_signal(program.resolve(signal, module)) for signal in _each(signals[0]))


def _each(node: ir.Expr_) -> list[ir.Expr_]:
    return node.items if isinstance(node, ir.Seq) else [node]


def _is_signal(symbol: Symbol | None) -> bool:
    return isinstance(symbol, External) and symbol.name in _SIGNALS


def _connected(program: Program, module: ModuleInfo, body: list[ir.Stmt]) -> Iterator[FunctionInfo]:
    """Yields the functions that statements connect to the signals of migrations."""
    imported = {node.bound: node for node in walk(body) if isinstance(node, ir.Import)}

    def meaning(node: ir.Expr_) -> Symbol | None:
        stmt = imported.get(node.id) if isinstance(node, ir.Name) else None
        return program.import_target(stmt, module) if stmt is not None else program.resolve(node, module)

    for node in walk(body):
        match node:
            case ir.Call(func=ir.Attr(name="connect", value=signal)):
                given = [*node.args[:1], *(value for name, value in node.keywords if name == "receiver")]
                receiver = meaning(given[0]) if given and _is_signal(meaning(signal)) else None
                if isinstance(receiver, FunctionInfo):
                    yield receiver
            case _:
                pass
