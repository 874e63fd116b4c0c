"""Rows of the caller for which a function loads more: `order.load_all()`, `load_lines(order)`.

def load(library):                                   library = Library.objects.get(pk=1)
    prefetch_related_objects([library], "shelves")   load(library)              the caller's row has its shelves, too

Rows are values, so what the callee does to its own is done again to whatever the caller's expression names: a variable, the
attribute of an object, an entry of a dict, or the row behind a relation of one of these, which is loaded by then.
"""

from __future__ import annotations

from itertools import takewhile

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
    if function is None or function.node.is_generator:
        return {}
    found: dict[str, LoadPlan] = {}
    for name, row in given.items():
        now = frame.env.get(name) if type(row) is Row else None
        if type(now) is Row and type(row) is Row and now.plan is not row.plan and _is_same(row, now) and now.plan != row.plan:
            found[name] = now.plan
    return found if found and frame.left_at in (-1, _last(function.node.body).start) else {}


def _last(body: list[ir.Stmt]) -> ir.Stmt:
    """Returns the statement that a function ends with: one that returns anywhere else has ways that what it loads last is not on."""
    last = body[-1]
    while isinstance(last, ir.With) and last.body:
        last = last.body[-1]
    return last


def _is_same(given: Row, now: Row) -> bool:
    """Whether a parameter holds the row that was given, and not another one of its model."""
    return now.model is given.model and now.origin == given.origin


def deepen(f: Frame, node: ir.Node, function: FunctionInfo, given: list[Value], gains: dict[str, LoadPlan]) -> None:
    """Has the rows that a call gives to a function load what the function has loaded for them."""
    if not isinstance(node, ir.Call):
        return
    # `load(*pair, library)`: which parameter comes after a starred argument is not told by the place of what stands there
    shown = list(takewhile(lambda arg: not isinstance(arg, ir.Star), node.args))
    unpacks = len(shown) < len(node.args) or any(not name for name, _ in node.keywords)
    if unpacks and function.owner is not None:
        shown = []  # nor whether the first one is the object
    elif not unpacks and len(given) > len(node.args) + len(node.keywords) and isinstance(node.func, ir.Attr):
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
                held.attributes.update(_loaded(held.attributes, name, plan, always=not f.way))
            else:
                _load(f, owner, plans.load(plans.EMPTY, (name,), LoadKind.KNOWN, plan))
        case ir.Index(value=owner, index=ir.Const(value=str(key))):
            held = _held(f, owner)
            if isinstance(held, Mapping):
                held.known.update(_loaded(held.known, key, plan, always=not f.way))
        case _:
            pass


def _loaded(values: dict[str, Value], name: str, plan: LoadPlan, *, always: bool = True) -> dict[str, Value]:
    """Returns the row of a name with more loaded; variables are kept apart by branch, what objects hold is not."""
    row = values.get(name)
    if type(row) is not Row:
        return {}
    more = plans.merge(row.plan, plan)
    return {name: replace(row, plan=more if always else plans.join(row.plan, more))}


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
