"""Tests of a row in Python, as they are asked of the database: `book.pages > 3` → `pages__gt=3` or `Book.pages > 3`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.imports import Refusal
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import only_value
from ormlint.link.schema import Model

_OPERATORS: dict[type[cst.BaseCompOp], str] = {
    cst.Equal: "==",
    cst.NotEqual: "!=",
    cst.LessThan: "<",
    cst.LessThanEqual: "<=",
    cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=",
    cst.In: "in",
    cst.NotIn: "not in",
    cst.Is: "is",
    cst.IsNot: "is not",
}
_OPPOSITE = {"==": "!=", "<": ">=", ">": "<=", "in": "not in", "is": "is not", "": "not"}
_OPPOSITE |= {other: one for one, other in _OPPOSITE.items()}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_LOOKUPS = {"==": "", "!=": "", "<": "__lt", "<=": "__lte", ">": "__gt", ">=": "__gte", "in": "__in", "not in": "__in"}
_CONSTANTS = ("None", "True", "False")
_MAKING = frozenset({"list", "set", "tuple", "frozenset", "sorted"})


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison of a column with a value, whose text is `code`; without one, `operator` tells whether the column is true: "" or "not"."""

    column: str
    operator: str
    code: str
    value: cst.CSTNode


def tests_of(statement: Statement, condition: cst.BaseExpression, row: str, wanted: bool) -> list[Test] | Refusal:
    """Returns the tests that a row must pass for a condition to be `wanted`."""
    match condition:
        case cst.UnaryOperation(operator=cst.Not(), expression=inner):
            return tests_of(statement, inner, row, not wanted)
        case cst.BooleanOperation(left=left, operator=joined, right=right):
            if isinstance(joined, cst.And) is not wanted:
                return Refusal("the condition has alternatives")
            one, other = (tests_of(statement, part, row, wanted) for part in (left, right))
            return (
                [*one, *other]
                if isinstance(one, list) and isinstance(other, list)
                else next(each for each in (one, other) if isinstance(each, Refusal))
            )
        case cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value=column)) if name == row:
            return [Test(column, "" if wanted else "not", "", condition)]
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=right)]):
            found = _compared(statement, left, _OPERATORS[type(operator)], right, row)
        case _:
            return Refusal("the condition is no comparison of a column")
    if isinstance(found, Refusal):
        return found
    return [found if wanted else Test(found.column, _OPPOSITE[found.operator], found.code, found.value)]


def _compared(statement: Statement, left: cst.BaseExpression, operator: str, right: cst.BaseExpression, row: str) -> Test | Refusal:
    for column, value, sign in ((left, right, operator), (right, left, _MIRRORED.get(operator, ""))):
        match column:
            case cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value=attribute)) if name == row and sign:
                code = statement.whole_code(value)
                if sign in ("==", "!=") and code in _CONSTANTS:
                    sign = "is" if sign == "==" else "is not"
                if sign in ("is", "is not") and code not in _CONSTANTS:
                    return Refusal("what is compared is an object, not a value")
                if sign in ("in", "not in") and not _is_list(statement, value):
                    return Refusal(f"it is not known what `{code}` holds")
                return Test(attribute, sign, code, value)
            case _:
                continue
    return Refusal("the condition is no comparison of a column")


def _is_list(statement: Statement, value: cst.BaseExpression) -> bool:
    """Whether a value is a list of values, none of them None: what `in` means of a text is another thing."""
    match value:
        case cst.Name(value=name):
            made = only_value(statement, statement.function(value), name)
            return made is not None and not isinstance(made, cst.Name) and _is_list(statement, made)
        case cst.List(elements=elements) | cst.Tuple(elements=elements) | cst.Set(elements=elements):
            return not any(isinstance(each, cst.StarredElement) or statement.code(each.value) == "None" for each in elements)
        case cst.ListComp() | cst.SetComp():
            return True
        case cst.Call(func=cst.Name(value=name)):
            return name in _MAKING
        case _:
            return False


def _is_nullable(model: Model, name: str) -> bool:
    column = model.columns.get(model.primary_key if name == "pk" else name)
    if column is not None:
        return column.nullable and not model.is_primary_key(name)
    return any(relation.nullable for relation in model.relations.values() if relation.attname == name)


def lookups(tests: Sequence[Test], model: Model) -> list[str] | Refusal:
    """Returns the links `.filter(…)` and `.exclude(…)` that ask for the rows that pass."""
    wanted: list[dict[str, str]] = [{}]
    left_out: list[str] = []
    for test in tests:
        match test.operator:
            case "" | "not":
                if test.operator and _is_nullable(model, test.column):
                    left_out.append(f".exclude({test.column}=True)")
                    continue
                name, code = test.column, "False" if test.operator else "True"
            case "is" | "is not" if test.code == "None":
                name, code = f"{test.column}__isnull", "False" if test.operator == "is not" else "True"
            case "is not" | "!=" | "not in":
                left_out.append(f".exclude({test.column}{_LOOKUPS.get(test.operator, '')}={test.code})")
                continue
            case _:
                name, code = f"{test.column}{_LOOKUPS.get(test.operator, '')}", test.code
        if name in wanted[-1]:
            wanted.append({})
        wanted[-1][name] = code
    asked = [f".filter({', '.join(f'{name}={code}' for name, code in each.items())})" for each in wanted if each]
    return [*asked, *left_out]


def clauses(tests: Sequence[Test], model: Model, entity: str) -> list[str] | Refusal:
    """Returns the conditions on the columns of a class, `entity`, that the rows have to meet."""
    found = []
    for test in tests:
        column, nullable = f"{entity}.{test.column}", _is_nullable(model, test.column)
        match test.operator:
            case "not" | "not in" if nullable:
                return Refusal(f"`{test.column}` may be NULL, which is neither in a list nor out of it")
            case "":
                found.append(column)
            case "not":
                found.append(f"~{column}")
            case "is" | "is not":
                found.append(f"{column}.{'is_' if test.operator == 'is' else 'is_not'}({test.code})")
            case "in" | "not in":
                found.append(f"{'~' if test.operator == 'not in' else ''}{column}.in_({test.code})")
            case "!=" if nullable:
                found.append(f"{column}.is_distinct_from({test.code})")
            case _:
                found.append(f"{column} {test.operator} {test.code}")
    return found
