"""Intrinsics: what the stub programs need and Python cannot say. They import these names from `ormlint.intrinsics`.

is_unset(x)             whether x is known to be None or empty; what is not known counts as set
rows_of(x)              x.all() for a manager, x itself for anything else
show(template, context) what a template shows of its context
"""

from __future__ import annotations

from collections.abc import Callable

from ormlint.ir import nodes as ir
from ormlint.run.frame import Frame
from ormlint.run.log import UseKind
from ormlint.run.machine import Machine
from ormlint.run.values import UNKNOWN, Constant, Manager, Mapping, Sequence, Value

Function = Callable[[Machine, Frame, ir.Call, list[Value], dict[str, Value]], Value]


def is_unset(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns whether a value is known to be None, zero or empty."""
    return Constant(bool(args) and isinstance(args[0], Constant) and not args[0].value)


def rows_of(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns the rows of a manager, or the value itself."""
    value = args[0] if args else UNKNOWN
    if isinstance(value, Manager):
        from ormlint.run.django import manager_method

        return manager_method(m, f, node, value, "all", [], {})
    return value


def show(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Renders a template; returns what it shows, its context."""
    from ormlint.run.templates import render_template

    context = args[1] if len(args) > 1 else UNKNOWN
    render_template(m, f, node, args[0] if args else UNKNOWN, context)
    return context


def as_text(position: int) -> Function:
    """Returns a function that gives back one of its arguments: the text is not known, but what it is made of."""

    def give(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        value = args[position] if len(args) > position else UNKNOWN
        m.use(f, value, UseKind.ARGUMENT, node)
        for entry in _entries(value):
            m.use(f, entry, UseKind.ARGUMENT, node)
        return value

    return give


def _entries(value: Value) -> tuple[Value, ...]:
    if isinstance(value, Mapping):
        return tuple(value.known.values())
    return value.items or () if isinstance(value, Sequence) else ()


FUNCTIONS: dict[str, Function] = {
    "ormlint.intrinsics.is_unset": is_unset,
    "ormlint.intrinsics.rows_of": rows_of,
    "ormlint.intrinsics.show": show,
    "json.dumps": as_text(0),
    "django.core.serializers.serialize": as_text(1),
}
