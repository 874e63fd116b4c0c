"""What the test of a branch tells about a variable."""

from __future__ import annotations

from collections.abc import Callable

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.library import querysets
from ormlint.link.names import ClassInfo, External
from ormlint.link.schema import Orm
from ormlint.run.frame import Frame
from ormlint.run.log import QueryObject
from ormlint.run.machine import Machine, text_of
from ormlint.run.values import NONE, Constant, Manager, Mapping, Row, Sequence, Union, Unknown, Value, options


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
