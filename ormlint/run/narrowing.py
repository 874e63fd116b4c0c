"""What the test of a branch tells about a variable."""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo
from ormlint.run.frame import Frame
from ormlint.run.machine import Machine
from ormlint.run.values import NONE, Row, Union, Unknown, Value, options


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
        case ir.Call(func=ir.Name(id="isinstance")) if positive and len(test.args) == 2 and isinstance(test.args[0], ir.Name):
            _is_instance(m, f, test.args[0].id, test.args[1])
        case _:
            pass


def _drop_none(f: Frame, name: str) -> None:
    value = f.env.get(name)
    if isinstance(value, Union):
        kept: list[Value] = [o for o in options(value) if o != NONE]
        if kept and len(kept) < len(value.options):
            f.env[name] = kept[0] if len(kept) == 1 else Union(tuple(kept))


def _is_instance(m: Machine, f: Frame, name: str, node: ir.Expr_) -> None:
    value = f.env.get(name)
    symbol = m.program.resolve(node, f.module)
    if not isinstance(symbol, ClassInfo) or symbol.model is None:
        return
    if isinstance(value, Unknown):
        f.env[name] = Row(symbol.model, symbol)
    elif isinstance(value, Union):
        kept = [o for o in value.options if isinstance(o, Row) and o.cls is not None and symbol in o.cls.mro]
        if kept:
            f.env[name] = kept[0] if len(kept) == 1 else Union(tuple(kept))
