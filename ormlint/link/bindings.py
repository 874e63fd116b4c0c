"""Which names the statements of a module or class body bind."""

from __future__ import annotations

from collections.abc import Iterable

from ormlint.ir import nodes as ir
from ormlint.ir.walk import mentions, walk

_OWN_FOLDER = frozenset({"__path__", "__file__"})
_OWN_NAMES = frozenset({"globals", "locals", "vars", "exec"})


def bind_body(body: Iterable[ir.Stmt], into: dict[str, list[ir.Stmt]], stars: list[ir.Import] | None = None) -> None:
    """Records every name that the statements of a module or class body bind, without entering functions."""
    for stmt in body:
        match stmt:
            case ir.Import():
                if stmt.name == "*":
                    if stars is not None:
                        stars.append(stmt)
                else:
                    into.setdefault(stmt.bound, []).append(stmt)
            case ir.Function() | ir.Class():
                into.setdefault(stmt.name, []).append(stmt)
            case ir.Assign():
                for target in stmt.targets:
                    _bind_target(target, stmt, into)
            case ir.Loop():
                _bind_target(stmt.target, stmt, into)
                bind_body(stmt.body, into, stars)
                bind_body(stmt.orelse, into, stars)
            case ir.If() | ir.While():
                bind_body(stmt.body, into, stars)
                bind_body(stmt.orelse, into, stars)
            case ir.Try():
                # `try: import a / except ImportError: a = None`: the try block speaks last
                for handler in stmt.handlers:
                    bind_body(handler.body, into, stars)
                bind_body(stmt.body, into, stars)
                bind_body(stmt.orelse, into, stars)
                bind_body(stmt.final, into, stars)
            case ir.With():
                for _, target_ in stmt.items:
                    if target_ is not None:
                        _bind_target(target_, stmt, into)
                bind_body(stmt.body, into, stars)
            case _:
                pass


def takes_in_submodules(package: ir.Module) -> bool:
    """Whether the body of a package puts what its submodules define among its own names, by a function or a loop of its own.

    # `import_submodules(globals(), __name__, __path__)`
    """
    if not package.is_package or not mentions(package, _OWN_FOLDER) or not mentions(package, _OWN_NAMES):
        return False
    body = [stmt for stmt in package.body if not isinstance(stmt, (ir.Function, ir.Class))]
    names = {node.id for node in walk(body) if isinstance(node, ir.Name)}
    return not _OWN_FOLDER.isdisjoint(names) and not _OWN_NAMES.isdisjoint(names)


def _bind_target(target: ir.Expr_, stmt: ir.Stmt, into: dict[str, list[ir.Stmt]]) -> None:
    match target:
        case ir.Name():
            into.setdefault(target.id, []).append(stmt)
        case ir.Seq():
            for item in target.items:
                _bind_target(item, stmt, into)
        case ir.Star():
            _bind_target(target.value, stmt, into)
        case _:
            pass
