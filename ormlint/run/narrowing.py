"""What the test of a branch tells about a variable."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.library import querysets
from ormlint.link.names import ClassInfo, External
from ormlint.link.schema import Orm
from ormlint.run.evaluate import evaluate
from ormlint.run.frame import Frame
from ormlint.run.log import QueryObject
from ormlint.run.machine import Machine, text_of
from ormlint.run.parts import Literal, Pin
from ormlint.run.values import (
    NONE,
    BoundMethod,
    Closure,
    Constant,
    Instance,
    Manager,
    Mapping,
    Method,
    Native,
    Row,
    Sequence,
    Union,
    Unknown,
    Value,
    options,
)

_LEAVE_ROWS = frozenset({External, Method, Native})
_CHANGE_COLUMNS = frozenset({"setattr", "refresh_from_db", "arefresh_from_db", "refresh", "expire"})
_LEAVE_COLUMNS = frozenset({*sys.stdlib_module_names, "django", "sqlalchemy", "sqlmodel", "flask", "jinja2", "rest_framework"})
_LOGGING = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "bind"})
_DEEPEST = 2  # `run([task])`, `Step({"task": task})`


def narrow(m: Machine, f: Frame, test: ir.Expr_, *, positive: bool) -> None:
    """Narrows the variables that a test speaks of, for the branch where it holds (or does not)."""
    match test:
        case ir.Not():
            narrow(m, f, test.value, positive=not positive)
        case ir.Bool(op="and") if positive:
            for part in test.values:
                narrow(m, f, part, positive=True)
        case ir.Bool(op="or") if not positive:
            for part in test.values:
                narrow(m, f, part, positive=False)
        case ir.Name():
            if positive:
                _drop_none(f, test.id)
        case ir.Walrus():
            if positive:
                _drop_none(f, test.name)
        case ir.Compare(op="is" | "is not" | "==" | "!=", left=ir.Name()) if isinstance(test.right, ir.Const) and test.right.value is None:
            assert isinstance(test.left, ir.Name)
            if (test.op in ("is", "==")) is positive:
                if isinstance(f.env.get(test.left.id), Unknown):
                    f.env[test.left.id] = NONE
            else:
                _drop_none(f, test.left.id)
        case ir.Call(func=ir.Name(id="isinstance")) if len(test.args) == 2 and isinstance(test.args[0], ir.Name):
            _is_instance(m, f, test.args[0].id, test.args[1], positive=positive)
        case _:
            pass


def tell_columns(m: Machine, f: Frame, test: ir.Expr_, *, positive: bool) -> None:
    """Notes what a test that held on every way here tells of the columns of rows: `assert task.state in OPEN`, `if task.state != NEW: return`."""
    match test:
        case ir.Not():
            tell_columns(m, f, test.value, positive=not positive)
        case ir.Bool() if (test.op == "and") is positive:
            for part in test.values:
                tell_columns(m, f, part, positive=positive)
        case ir.Compare(op="==" | "!=" | "in" | "not in", left=ir.Attr(value=ir.Name(id=name), name=column)):
            row = f.env.get(name)
            if isinstance(row, Row) and column in row.model.columns and not row.fresh:
                values = _named(m, f, test.right, several=test.op in ("in", "not in"))
                if values:
                    m.tells = True
                    f.env[name] = replace(row, known=(*row.known, Pin((), column, values, (test.op in ("==", "in")) is positive)))
        case _:
            pass


def _named(m: Machine, f: Frame, node: ir.Expr_, *, several: bool) -> tuple[Literal, ...]:
    """Returns the constants that an expression of literals and names of the module gives, none if it is another one."""
    if any(isinstance(part, ir.Call) or (isinstance(part, ir.Name) and _is_variable(f, part.id)) for part in walk(node)):
        return ()
    value = evaluate(m, f, node)
    items = (value,) if not several else value.items or () if isinstance(value, Sequence) else ()
    found = [item.value for item in items if isinstance(item, Constant)]
    return tuple(found) if len(found) == len(items) else ()


def _is_variable(f: Frame, name: str) -> bool:
    frame: Frame | None = f
    while frame is not None and name not in frame.env:
        frame = frame.outer
    return frame is not None


def forget_columns(f: Frame, func: Value, given: Iterable[Value]) -> None:
    """Forgets what tests have told of the columns of rows that a call was given, alone or in something else, and may have changed.

    What Python and the ORM have leaves them as they are, but for `setattr(task, name, value)` and what reads a row anew.
    """
    if type(func) in _LEAVE_ROWS and not (isinstance(func, (External, Method)) and func.name in _CHANGE_COLUMNS):
        if not isinstance(func, External) or func.package in _LEAVE_COLUMNS or func.name in _LOGGING:
            return
    told = [(name, held) for name, held in f.env.items() if type(held) is Row and held.known]
    if not told:
        return
    owners = (func.self,) if isinstance(func, BoundMethod) else (func.receiver,) if isinstance(func, Method) else ()
    reached = [(row.model, row.origin) for value in (*owners, *given) for row in _rows_in(value)]
    everything = isinstance(func, Closure)  # it sees the variables of the function
    for name, held in told:
        if everything or (held.model, held.origin) in reached:
            f.env[name] = replace(held, known=())


def _rows_in(value: Value, depth: int = 0) -> Iterator[Row]:
    match value:
        case Row():
            yield value
        case Union():
            held: Iterable[Value] = value.options
        case Sequence():
            held = value.items if value.items is not None else (value.element,)
        case Mapping():
            held = value.known.values()
        case Instance():
            held = value.attributes.values()
        case _:
            return
    if not isinstance(value, Row) and depth < _DEEPEST:
        for each in tuple(held):
            yield from _rows_in(each, depth + 1)


def looks_up(node: ir.Cond) -> bool:
    """Whether a test only tells if a dict has an entry which the expression then takes: `books[key].title if key in books else ""`."""
    test = node.test
    if not isinstance(test, ir.Compare) or test.op != "in":
        return False
    if not isinstance(test.right, (ir.Name, ir.Attr)):
        return False  # of other expressions the text is cut short
    taken = (part for part in walk(node.body) if isinstance(part, ir.Index))
    return any((text_of(part.value), text_of(part.index)) == (text_of(test.right), text_of(test.left)) for part in taken)


def is_queryset(value: Value) -> bool | None:
    """Returns whether a value is a QuerySet of Django, None if that is not known."""
    match value:
        case QueryObject():
            return value.orm is Orm.DJANGO and value.style in ("queryset", "related")
        case Sequence() | Mapping() | Row() | Constant() | Manager():
            return False
        case _:
            return None


def _drop_none(f: Frame, name: str) -> None:
    _keep(f, name, lambda option: option != NONE)


def _keep(f: Frame, name: str, fits: Callable[[Value], bool]) -> None:
    """Leaves of the values that a variable may have those that fit, unless there are none."""
    value = f.env.get(name)
    if isinstance(value, Union):
        kept: list[Value] = [option for option in options(value) if fits(option)]
        if kept and len(kept) < len(value.options):
            f.env[name] = kept[0] if len(kept) == 1 else Union(tuple(kept))


def _is_instance(m: Machine, f: Frame, name: str, node: ir.Expr_, *, positive: bool) -> None:
    symbol = m.program.resolve(node, f.module)
    if isinstance(symbol, External) and symbol.path in querysets.CLASSES:
        _keep(f, name, lambda option: is_queryset(option) is not (not positive))
    if not positive or not isinstance(symbol, ClassInfo) or symbol.model is None:
        return
    if isinstance(f.env.get(name), Unknown):
        f.env[name] = Row(symbol.model, symbol)
    _keep(f, name, lambda option: isinstance(option, Row) and option.cls is not None and symbol in option.cls.mro)
