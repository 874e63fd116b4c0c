"""Imports of Python 2: `import meta` in a module of a package means the module `meta` beside it, if there is one.

Whether a package is written for Python 2 is known from its files with a syntax that only Python 2 has; a file that has
`from __future__ import absolute_import` is understood as today.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from ormlint.ir import nodes as ir


def packages_of_python2(modules: Iterable[ir.Module]) -> frozenset[str]:
    """Returns the outermost packages in which a file has the syntax of Python 2."""
    return frozenset(module.name.partition(".")[0] for module in modules if module.is_older)


def beside(stmt: ir.Import, module: ir.Module, names: Container[str], bound: Container[str]) -> str:
    """Returns the dotted name of the module beside another one that an import without dots means, "" if there is none.

    `names` are those of all modules of the project, `bound` what the importing module binds.
    """
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    first = f"{package}.{stmt.module.partition('.')[0]}"
    if not package or first not in names or first == module.name or "absolute_import" in bound:
        return ""
    return f"{package}.{stmt.module}"
