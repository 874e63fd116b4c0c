"""Pages: views whose decorator names the template that shows what they return.

    @view_config(route_name="books", renderer="shop:templates/books.html")        Pyramid
    @aiohttp_jinja2.template("books.html")                                        aiohttp; `@view` of Bottle, `@expose` of TurboGears
    def books(request):
        return {"books": request.db.query(Book).all()}

Any decorator that is given the name of a template of the project is taken for one of these, if what the function returns is a dict.
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.library.views import TEMPLATE_KEYWORDS
from ormlint.link.names import FunctionInfo
from ormlint.link.templates import template_names
from ormlint.run.frame import Frame, Summary
from ormlint.run.machine import Machine
from ormlint.run.parameters import names_template
from ormlint.run.templates import render_template
from ormlint.run.values import Constant, Mapping, Value, options


def show_page(m: Machine, function: FunctionInfo, summary: Summary) -> None:
    """Renders the template that a decorator of a view names with each dict that the view returns."""
    name = page_of(m, function)
    if name is None:
        return
    frame = Frame(function.module, f"{function.module.name}:{function.qualname}", function, function.owner, is_async=function.node.is_async)
    frame.begun = len(m.serial)
    for site, value in summary.returns:
        if any(isinstance(option, Mapping) for option in options(value)):
            render_template(m, frame, ir.Name(site.start, site.end, function.name), name, _contexts(value))


def _contexts(value: Value) -> Value:
    found = [option for option in options(value) if isinstance(option, Mapping)]
    return found[0] if len(found) == 1 else value


def page_of(m: Machine, function: FunctionInfo) -> Constant | None:
    """Returns the name of the project's template that the decorators of a view name, or those of its class, or None."""
    decorators = [*function.node.decorators, *(function.owner.node.decorators if function.owner is not None and function.node.decorators else ())]
    for decorator in decorators if m.templates else ():
        for text in _texts(decorator):
            name = next(template_names(text.rpartition(":")[2]))
            if names_template(Constant(name)) and m.templates.find(name, function.module.path) is not None:
                return Constant(name)
    return None


def _texts(decorator: ir.Expr_) -> Iterator[str]:
    if isinstance(decorator, ir.Call):
        given = (*decorator.args[:1], *(value for name, value in decorator.keywords if name in TEMPLATE_KEYWORDS))
        yield from (value.value for value in given if isinstance(value, ir.Const) and isinstance(value.value, str))


__all__ = ["page_of", "show_page"]
