"""Evaluating an expression: the one function that every part of the machine calls, apart from what it does for each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ormlint.ir import nodes as ir
from ormlint.run.values import Value

if TYPE_CHECKING:
    from ormlint.run.frame import Frame
    from ormlint.run.machine import Machine

EXPRESSIONS: dict[type[ir.Node], Callable[..., Value]] = {}
"""What evaluates each kind of expression; `run/expressions.py` and `run/calls.py` fill it."""
IN_TEMPLATES: dict[type[ir.Node], Callable[..., Value]] = {}
"""What evaluates those that mean something else in a template; a run fills it from `run/template_expressions.py`."""


def evaluate(m: Machine, f: Frame, node: ir.Expr_) -> Value:
    """Returns the abstract value of an expression and records what evaluating it does."""
    return EXPRESSIONS[type(node)](m, f, node)
