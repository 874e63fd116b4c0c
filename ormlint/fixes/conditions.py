"""A condition in Python on one row that is asked of the database: `filter(pages=3)` → `book.pages == 3`."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.columns import is_simple
from ormlint.fixes.imports import Refusal
from ormlint.fixes.source import SourceFile
from ormlint.fixes.statement import Statement
from ormlint.link.schema import Model

_TEXTS = frozenset({"CharField", "EmailField", "SlugField", "TextField", "URLField"})
_FIGURES = frozenset({
    "AutoField", "BigAutoField", "BigIntegerField", "DecimalField", "FloatField", "IntegerField", "PositiveBigIntegerField", "PositiveIntegerField",
    "PositiveSmallIntegerField", "SmallAutoField", "SmallIntegerField",
})  # fmt: skip
_ORDERS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a model, and the variable that holds it in the new expression."""

    file: SourceFile
    statement: Statement
    model: Model
    name: str


def condition(row: Row, call: cst.Call, wanted: bool) -> str | Refusal:
    """Returns the condition of `filter(…)`, or with `wanted` False that of `exclude(…)`, on a row of a model."""
    parts = []
    for argument in call.args:
        part = _compared(row, argument, wanted or len(call.args) > 1)
        if isinstance(part, Refusal):
            return part
        parts.append(part)
    if not parts:
        return Refusal("it has no condition")
    joined = " and ".join(parts)
    return joined if wanted or len(parts) == 1 else f"not ({joined})"


def _compared(row: Row, argument: cst.Arg, wanted: bool) -> str | Refusal:
    """Returns a comparison of a column of the row with a constant or a name, or the opposite of it."""
    if argument.keyword is None or argument.star:
        return Refusal("a condition is not written as a keyword")
    name, _, lookup = argument.keyword.value.partition("__")
    model, value = row.model, argument.value
    column = model.columns.get(model.primary_key if name == "pk" else name)
    if name in model.relations or not is_simple(model, name) or (name == "pk" and model.primary_key in model.relations):
        return Refusal(f"`{argument.keyword.value}` is no plain column of the rows")
    read, code, kind = f"{row.name}.{name}", row.statement.code(value), column.type if column is not None else "AutoField"
    match value, lookup:
        case cst.Name(value="None"), "" | "exact":
            return f"{read} is {'' if wanted else 'not '}None"
        case cst.Name(value="True" | "False" as truth), "isnull":
            return f"{read} is {'' if (truth == 'True') is wanted else 'not '}None"
        case cst.Name(value="True" | "False"), "" | "exact" if kind == "BooleanField":
            return f"{read} is {'' if wanted else 'not '}{code}"
        case _, "" | "exact" if _fits(value, kind):
            return f"{read} {'==' if wanted else '!='} {code}"
        case cst.Integer(), _ if lookup in _ORDERS and kind in _FIGURES and (column is None or not column.nullable):
            comparison = f"{read} {_ORDERS[lookup]} {code}"
            return comparison if wanted else f"not {comparison}"
        case _:
            return Refusal(f"`{argument.keyword.value}` cannot be compared in Python with what is given there")


def _fits(value: cst.BaseExpression, kind: str) -> bool:
    """Whether a value may be equal to what a row has in a column of a type; of names nothing else is known."""
    match value:
        case cst.SimpleString(prefix=prefix):
            return kind in _TEXTS and "b" not in prefix.lower()
        case cst.Integer():
            return kind in _FIGURES
        case cst.Name(value=name):
            return name not in ("True", "False")
        case cst.Attribute(value=cst.Name()):
            return True
        case _:
            return False
