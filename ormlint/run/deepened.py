"""Rows of the caller for which a function loads more: `order.load_all()`, `load_lines(order)`.

def load(library):                                   library = Library.objects.get(pk=1)
    prefetch_related_objects([library], "shelves")   load(library)              the caller's row has its shelves, too

Rows are values, so what the callee does to its own is done again to whatever the caller's expression names: a variable, the
attribute of an object, an entry of a dict, or the row behind a relation of one of these, which is loaded by then.
"""

from __future__ import annotations

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.link.names import FunctionInfo
from ormlint.run import plans
from ormlint.run.frame import Frame
from ormlint.run.log import LoadKind, LoadPlan
from ormlint.run.values import Instance, Mapping, Row, Value


def gained(frame: Frame, given: dict[str, Value]) -> dict[str, LoadPlan]:
    """Returns by parameter what the rows that a function was given load behind it, if it is more and every way through the function has it."""
    function = frame.function
    if function is None or any(site.start < function.node.body[-1].start for site, _ in frame.returns):
        return {}
    now = {name: frame.env.get(name) for name, value in given.items() if type(value) is Row}
    return {
        name: row.plan
        for name, row in now.items()
        if type(row) is Row and row.model is given[name].model and row.plan != given[name].plan  # type: ignore[union-attr]
    }


def deepen(f: Frame, node: ir.Node, function: FunctionInfo, given: list[Value], gains: dict[str, LoadPlan]) -> None:
    """Has the rows that a call gives to a function load what the function has loaded for them."""
    if not isinstance(node, ir.Call):
        return
    shown: list[ir.Expr_] = list(node.args)
    if len(given) > len(node.args) + len(node.keywords) and isinstance(node.func, ir.Attr):
        shown.insert(0, node.func.value)
    named = dict(zip((param.name for param in function.node.params), shown, strict=False))
    named.update(node.keywords)
    for name, plan in gains.items():
        if name in named:
            _load(f, named[name], plan)


def _load(f: Frame, shown: ir.Expr_, plan: LoadPlan) -> None:
    match shown:
        case ir.Name(id=name):
            f.env.update(_loaded(f.env, name, plan))
        case ir.Attr(value=owner, name=name):
            held = _held(f, owner)
            if isinstance(held, Instance):
                held.attributes.update(_loaded(held.attributes, name, plan))
            else:
                _load(f, owner, plans.load(plans.EMPTY, (name,), LoadKind.KNOWN, plan))
        case ir.Index(value=owner, index=ir.Const(value=str(key))):
            held = _held(f, owner)
            if isinstance(held, Mapping):
                held.known.update(_loaded(held.known, key, plan))
        case _:
            pass


def _loaded(values: dict[str, Value], name: str, plan: LoadPlan) -> dict[str, Value]:
    row = values.get(name)
    return {name: replace(row, plan=plans.merge(row.plan, plan))} if type(row) is Row else {}


def _held(f: Frame, shown: ir.Expr_) -> Value | None:
    """Returns what a variable, or an attribute of what it holds, is bound to."""
    match shown:
        case ir.Name(id=name):
            return f.env.get(name)
        case ir.Attr(value=owner, name=name):
            held = _held(f, owner)
            return held.attributes.get(name) if isinstance(held, Instance) else None
        case _:
            return None
