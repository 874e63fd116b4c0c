"""Decorators: what they give the functions they decorate for parameters that no caller fills.

    def with_order(view):                                        @with_order
        @wraps(view)                                             def show(order): …        `order` is a row of Order
        def wrapper(key, *args, **kwargs):
            order = Order.query.get_or_404(key)                  def with_lines(method): … kwargs["query"] = select(Order)
            return view(order, *args, **kwargs)                  return method(*args, **kwargs)

A decorator of the project is run once, around a function that notes what it is called with. A decorated function is otherwise run
as it stands: what a wrapper does besides is done where the wrapper itself is run.
"""

from __future__ import annotations

from msgspec import Struct, field

from ormlint.ir import nodes as ir
from ormlint.library.views import CONTEXTS
from ormlint.link.names import ClassInfo, External, FunctionInfo, decorator_name
from ormlint.run.frame import Frame
from ormlint.run.machine import Machine
from ormlint.run.traversal import context_row
from ormlint.run.values import UNKNOWN, Closure, Constant, Native, Row, Unknown, Value


class PutIn(Struct, eq=False):
    """The arguments that a decorator calls a function with, as far as it makes them itself."""

    args: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)


NOTHING = PutIn()


def argument_put_in(m: Machine, function: FunctionInfo, name: str) -> Value | None:
    """Returns what the decorators of a function give it by this keyword, or None."""
    return next((put_in.keywords[name] for put_in in _all_put_in(m, function) if name in put_in.keywords), None)


def parameter_put_in(m: Machine, function: FunctionInfo, position: int, name: str) -> Value | None:
    """Returns what the decorators of a function give it for a parameter, or None: for a run of the function on its own."""
    for decorator in function.node.decorators:
        if position == 0 and function.owner is None and isinstance(decorator, ir.Call) and len(function.node.params) > 1:
            row = _context(m, function, decorator)
            if row is not None:
                return row
    for given in _all_put_in(m, function):
        found = given.keywords.get(name)
        if found is None and position < len(given.args) and not isinstance(given.args[position], (Unknown, Constant, External)):
            found = given.args[position]
        if found is not None:
            return found
    return None


def _context(m: Machine, function: FunctionInfo, decorator: ir.Call) -> Row | None:
    """Returns the row that `@view_config(route_name="book", context=Book)` says the first parameter is, or None."""
    if decorator_name(decorator) not in CONTEXTS:
        return None
    given = dict(decorator.keywords)
    named, route = given.get("context"), given.get("route_name")
    cls = m.program.resolve(named, function.module) if named is not None else None
    row = Row(cls.model, cls) if isinstance(cls, ClassInfo) and cls.model is not None else None
    found = context_row(m, route.value) if isinstance(route, ir.Const) and isinstance(route.value, str) else None
    return found if found is not None and (named is None or (row is not None and row.model is found.model)) else row


def _all_put_in(m: Machine, function: FunctionInfo) -> tuple[PutIn, ...]:
    known = m.decorated.get(id(function))
    if known is None:
        m.decorated[id(function)] = ()  # one that calls what it decorates
        found = (_put_in(m, function, decorator) for decorator in function.node.decorators)
        known = m.decorated[id(function)] = tuple(put_in for put_in in found if put_in is not NOTHING)
    return known


def _put_in(m: Machine, function: FunctionInfo, decorator: ir.Expr_) -> PutIn:
    made = m.program.resolve(decorator.func if isinstance(decorator, ir.Call) else decorator, function.module)
    if not isinstance(made, FunctionInfo) or made.module.is_library or made.owner is not None or not _passes_on(made.node.body):
        return NOTHING
    given = [*decorator.args, *(value for _, value in decorator.keywords)] if isinstance(decorator, ir.Call) else []
    meant = [m.program.resolve(arg, function.module) for arg in given if isinstance(arg, (ir.Name, ir.Attr))]
    identity = (id(made), *(id(symbol) for symbol in meant if isinstance(symbol, (ClassInfo, FunctionInfo))))
    known = m.put_in.get(identity)
    if known is None:
        m.put_in[identity] = NOTHING  # a decorator that calls what it decorates
        known = m.put_in[identity] = _observed(m, function, made, decorator)
    return known


def _passes_on(body: list[ir.Stmt], depth: int = 0) -> bool:
    """Whether a decorator's body defines a function that passes on arguments: `def wrapper(*args, **kwargs)`."""
    for statement in body:
        if isinstance(statement, ir.Function):
            if any(param.kind in ("*", "**") for param in statement.params) or (depth == 0 and _passes_on(statement.body, 1)):
                return True
        elif isinstance(statement, ir.If) and _passes_on([*statement.body, *statement.orelse], depth):
            return True
    return False


def _observed(m: Machine, function: FunctionInfo, made: FunctionInfo, decorator: ir.Expr_) -> PutIn:
    """Runs a decorator around a function that notes its arguments, and then what the decorator has made of it."""
    from ormlint.run.calls import call_closure, call_function, escape
    from ormlint.run.evaluate import evaluate

    calls: list[PutIn] = []

    def note(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        escape(m, f, node, [*args, *keywords.values()])  # there may be other functions that it is put into
        calls.append(PutIn(tuple(args), {name: value for name, value in keywords.items() if not isinstance(value, (Unknown, Constant, External))}))
        return UNKNOWN

    probe = Native("decorated", note)
    frame = Frame(function.module, f"{function.module.name}:<decorators>", muted=True, depth=1)
    if isinstance(decorator, ir.Call):
        factory = evaluate(m, frame, decorator)
        wrapped = call_closure(m, frame, decorator, factory, [probe], {}) if isinstance(factory, Closure) else UNKNOWN
    else:
        wrapped = call_function(m, frame, decorator, made, [probe], {})
    if isinstance(wrapped, Closure) and wrapped.function is not None:
        own = [UNKNOWN for param in wrapped.function.node.params if param.kind in ("", "/") and param.default is None]
        calls.clear()  # what it was called with when the decorator ran what it made
        call_closure(m, frame, decorator, wrapped, [*own], {})
    if not calls or any(len(call.args) != len(calls[0].args) for call in calls):
        return NOTHING
    return PutIn(calls[-1].args, {name: value for call in calls for name, value in call.keywords.items()})


__all__ = ["PutIn", "argument_put_in", "parameter_put_in"]
