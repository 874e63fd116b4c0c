"""Imports of Python 2: `import meta` in a module of a package means the module `meta` beside it, if there is one.

Whether a file is read by Python 2 is known from a syntax that only Python 2 has. What both understand goes by the files of its
outermost package that tell: by those of Python 2, unless as many have the syntax of Python 3 or `from __future__ import
absolute_import`, which is how a file says that its imports are understood as today.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk


def modules_of_python2(modules: Iterable[ir.Module]) -> frozenset[str]:
    """Returns the names of the modules whose imports are first looked for beside them."""
    packages: dict[str, list[ir.Module]] = {}
    for module in modules:
        if module.language == "python":
            packages.setdefault(module.name.partition(".")[0], []).append(module)
    return frozenset(module.name for members in packages.values() if any(m.is_older for m in members) for module in _of_python2(members))


def _of_python2(members: list[ir.Module]) -> list[ir.Module]:
    older = [module for module in members if module.is_older]
    today = {id(module) for module in members if not module.is_older and (_imports_absolutely(module) or _is_of_python3(module))}
    return older if len(today) >= len(older) else [module for module in members if id(module) not in today]


def _imports_absolutely(module: ir.Module) -> bool:
    return any(isinstance(stmt, ir.Import) and stmt.module == "__future__" and stmt.name == "absolute_import" for stmt in module.body)


def _is_of_python3(module: ir.Module) -> bool:
    for node in walk(module.body):
        match node:
            case ir.Function(is_async=True) | ir.Await() | ir.Walrus() | ir.Text() | ir.Yield(delegate=True):
                return True
            case ir.Function():
                if node.returns is not None or any(param.annotation is not None or param.kind in ("k", "/") for param in node.params):
                    return True
            case ir.Assign() if node.annotation is not None:
                return True
            case _:
                pass
    return False


def beside(stmt: ir.Import, module: ir.Module, names: Container[str], bound: Container[str]) -> str:
    """Returns the dotted name of the module beside another one that an import without dots means, "" if there is none.

    `names` are those of all modules of the project, `bound` what the importing module binds.
    """
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    first = f"{package}.{stmt.module.partition('.')[0]}"
    if not package or first not in names or first == module.name or "absolute_import" in bound:
        return ""
    return f"{package}.{stmt.module}"
