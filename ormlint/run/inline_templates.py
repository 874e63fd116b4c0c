"""Templates that are written as texts in Python files: `TemplateColumn("{{ record.author }}")`, or the name of a constant.

Their nodes stand at the places of the Python file: the text is read with as many blanks before it as there are characters before it
in the file.
"""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.link.names import ModuleInfo
from ormlint.link.templates import TemplateInfo, describe
from ormlint.read.django_template import lower_django
from ormlint.read.errors import ReadError
from ormlint.run.machine import Machine

QUOTES = {2: 1, 3: 2, 6: 3, 7: 4, 8: 5}
"""Characters around a text without escapes, both sides, and those of them before it: `"…"`, `r"…"`, triple quotes, with one prefix or two."""
MOST_IMPORTS = 4
MARKS = ("{{", "{%")


def inline_template(m: Machine, module: ModuleInfo, expr: ir.Expr_ | None) -> TemplateInfo | None:
    """Returns the Django template that an expression of a module spells out or names, or None."""
    found = _written(m, module, expr)
    if found is None:
        return None
    owner, const = found
    code = const.value
    assert isinstance(code, str)
    before = QUOTES.get(const.end - const.start - len(code))
    if before is None or not any(mark in code for mark in MARKS):
        return None  # there are escapes, and places cannot be told
    key = (owner.path, const.start)
    known = m.inline_templates.get(key)
    if known is None:
        try:
            known = describe(lower_django(owner.path, " " * (const.start + before) + code))
        except ReadError:
            return None
        m.inline_templates[key] = known
    return known


def _written(m: Machine, module: ModuleInfo, expr: ir.Expr_ | None, imports: int = 0) -> tuple[ModuleInfo, ir.Const] | None:
    """Returns the text that an expression is, and the module in which it stands."""
    match expr:
        case ir.Const(value=str()):
            return module, expr
        case ir.Name(id=name) if name in module.bindings and imports < MOST_IMPORTS:
            stmt = module.bindings[name][-1]
            if isinstance(stmt, ir.Assign):
                return _written(m, module, stmt.value, imports + 1)
            if isinstance(stmt, ir.Import) and stmt.name:
                source = m.program.find_module(m.program.absolute(stmt, module), module)
                if source is not None and source is not module:
                    return _written(m, source, ir.Name(expr.start, expr.end, stmt.name), imports + 1)
        case ir.Name(id=name) if imports < MOST_IMPORTS:
            for star in module.stars:
                source = m.program.find_module(m.program.absolute(star, module), module) if isinstance(star, ir.Import) else None
                if source is not None and source is not module and name in source.bindings:
                    return _written(m, source, expr, imports + 1)
        case _:
            pass
    return None


__all__ = ["inline_template"]
