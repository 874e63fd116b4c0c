"""Aggregates that a query computes per row, and the collections that they make it join.

Author.objects.annotate(books=Count("books"), prizes=Count("prizes"))      books × prizes rows for each author
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.link.names import External
from ormlint.link.schema import Model
from ormlint.run.frame import Frame
from ormlint.run.machine import Machine
from ormlint.run.parts import Aggregate

FUNCTIONS = frozenset({"Count", "Sum", "Avg", "Min", "Max", "StdDev", "Variance"})


def aggregates_of(m: Machine, f: Frame, node: ir.Call, model: Model | None) -> Iterator[Aggregate]:
    """Yields the aggregates over collections among the arguments of `annotate()`; one whose lookup is no constant is left out."""
    for expression in _arguments(node):
        function, lookup = _aggregate(m, f, expression) or ("", "")
        collection = _collection(model, lookup)
        if isinstance(expression, ir.Call) and function and collection:
            distinct = any(name in ("distinct", "") for name, _ in expression.keywords)
            yield Aggregate(function, lookup, collection, distinct, f.site(expression.start, expression.end))


def figures_of(m: Machine, f: Frame, node: ir.Call) -> tuple[str, ...]:
    """Returns what `aggregate(Sum("price"), last=Max("day"))` asks for, `("Sum", "price", "Max", "day")`; nothing if it is not all known."""
    found: list[str] = []
    for expression in _arguments(node):
        known = _aggregate(m, f, expression)
        if known is None or (isinstance(expression, ir.Call) and (len(expression.args) > 1 or expression.keywords)):
            return ()
        found += known
    return tuple(found)


def _arguments(node: ir.Call) -> Iterator[ir.Expr_]:
    yield from node.args
    yield from (value for _, value in node.keywords)


def _aggregate(m: Machine, f: Frame, expression: ir.Expr_) -> tuple[str, str] | None:
    """Returns the function and the lookup of `Sum("price")`, None if it is no aggregate or its lookup no constant."""
    if not isinstance(expression, ir.Call) or not expression.args or not isinstance(expression.args[0], ir.Const):
        return None
    lookup = expression.args[0].value
    function = m.program.resolve(expression.func, f.module)
    if not isinstance(lookup, str) or not isinstance(function, External) or function.name not in FUNCTIONS:
        return None
    return (function.name, lookup) if function.path.startswith("django.") else None


def _collection(model: Model | None, lookup: str) -> tuple[str, ...]:
    """Returns the path of the innermost collection that a lookup joins: `("books",)` for "books__author__name"."""
    names: list[str] = []
    found: tuple[str, ...] = ()
    for part in lookup.split("__"):
        relation = model.relation(part) if model is not None else None
        if relation is None:
            break
        names.append(relation.name)
        if not relation.to_one:
            found = tuple(names)
        model = relation.target
    return found
