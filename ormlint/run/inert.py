"""Which statements of a template need not be run: those that name nothing of which anything is known.

The base of a site's pages is run once for each page, and most of it is the same navigation every time.
"""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.link.names import External
from ormlint.link.templates import TemplateInfo
from ormlint.run.frame import Frame
from ormlint.run.machine import Machine
from ormlint.run.values import UNKNOWN, Constant, Union, Unknown, Value

NOTHING = frozenset({Unknown, Constant, External})
"""Kinds of values that a template does nothing to, whether it reads, tests, calls or walks them."""
COMPOUND = frozenset({ir.If, ir.Loop, ir.With})
"""Statements that are worth a look before they are run."""
_RENDERING = frozenset({"block", "include", "import", "extends", "super", "regroup"})


def is_inert(m: Machine, f: Frame, statement: ir.Stmt) -> bool:
    """Whether a statement of a template has been run before and has nothing to do with the variables there are."""
    names = m.template_statements.get(id(statement))
    if names is None:
        assert isinstance(f.module, TemplateInfo)
        m.template_statements[id(statement)] = _names(m, f.module, statement)
        return False
    env = f.env
    return bool(names) and all(_is_nothing(env.get(name, UNKNOWN)) for name in names)


def _is_nothing(value: Value) -> bool:
    return type(value) in NOTHING or (isinstance(value, Union) and all(type(option) in NOTHING for option in value.options))


def _names(m: Machine, template: TemplateInfo, statement: ir.Stmt) -> frozenset[str]:
    """Returns the variables that a statement reads; none if it renders other text, runs the project's code or sets a variable."""
    from ormlint.run.templates import extensions

    names = {"forloop"}
    own = extensions(m)
    for node in walk([statement]):
        if isinstance(node, (ir.Assign, ir.Function, ir.Walrus)):
            return frozenset()
        if isinstance(node, ir.Call) and isinstance(node.func, ir.Name):
            kind, _, tail = node.func.id.partition(":")
            if kind in _RENDERING or (tail and own.find(kind, tail, template.path) is not None):
                return frozenset()
        elif isinstance(node, ir.Name) and not template.is_django and own.find("global", node.id, template.path) is not None:
            return frozenset()
        elif isinstance(node, ir.Name):
            names.add(node.id)
    return frozenset(names)
