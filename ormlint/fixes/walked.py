"""The rows of a query that a loop of the same function walks: that they are surely these, and what names their attributes have.

authors = Author.objects.all()
for author in authors.order_by("name"):
    print(author.books.count())
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ormlint.fixes.chain import seen_through
from ormlint.fixes.imports import Refusal
from ormlint.fixes.receivers import assigned, may_be_given
from ormlint.fixes.statement import Statement
from ormlint.fixes.walk import binds
from ormlint.link.schema import Model
from ormlint.run.log import QueryObject

OTHER_ROWS = "other rows than those of the query may be walked"
_GROWING = frozenset({"append", "extend", "insert"})


def names_taken(query: QueryObject, model: Model) -> set[str]:
    """Returns the names of the attributes that the rows of a query have, and of the lookups through their relations."""
    found = {name for way in query.every_way() for name in way.plan.annotated}
    for each in (model, *model.bases):
        found |= {*each.attributes, *each.columns}
        for relation in each.relations.values():
            found |= {relation.name, relation.attname, relation.query_name}
    return found


def walks(statement: Statement, loop: cst.For | cst.CompFor, query: cst.BaseExpression, variable: str) -> bool:
    """Whether a loop walks the rows of a query, or of the variable that is made of it, in the function that makes it."""
    if not isinstance(loop.target, cst.Name):
        numbered = isinstance(loop.iter, cst.Call) and isinstance(loop.iter.func, cst.Name) and loop.iter.func.value == "enumerate"
        if not (numbered and isinstance(loop.target, cst.Tuple) and isinstance(loop.target.elements[-1].value, cst.Name)):
            return False
    return statement.function(loop) is statement.function(query) and is_made_of(loop.iter, query, variable)


def variable_of(statement: Statement, query: cst.BaseExpression) -> str | Refusal:
    """Returns the variable that a query is kept in, "" if it is none, a refusal if something else may be kept there or come in its place."""
    above, kept = statement.parent(query), ""
    while isinstance(above, (cst.Attribute, cst.Call, cst.Subscript, cst.Arg, cst.Await, cst.NamedExpr)):
        if isinstance(above, cst.Arg) and not _is_seen_through(statement, above):
            break
        if isinstance(above, cst.NamedExpr) and isinstance(above.target, cst.Name):
            kept = above.target.value
        above = statement.parent(above)
    match above:
        case cst.BooleanOperation() | cst.IfExp():
            return Refusal(OTHER_ROWS)
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]) | cst.AnnAssign(target=cst.Name(value=name)) if not kept:
            kept = name
        case cst.Assign() | cst.AnnAssign():
            return Refusal("the query is kept in several places")
    function = statement.function(query)
    if not kept or function is None:
        return ""
    return kept if _is_of_one_query(statement, function, query, kept) else Refusal(OTHER_ROWS)


def is_made_of(value: cst.BaseExpression, query: cst.BaseExpression, variable: str) -> bool:
    """Whether an expression is made of a query, or of the variable that has it, by methods and slices alone."""
    spine = list(_spine(value))
    return any(node is query for node in spine) or (bool(variable) and isinstance(spine[-1], cst.Name) and spine[-1].value == variable)


def _is_seen_through(statement: Statement, argument: cst.Arg) -> bool:
    """Whether a call gives the rows that it is given: `list(…)`, `sorted(…)`."""
    call = statement.parent(argument)
    return isinstance(call, cst.Call) and seen_through(call) is not call


def _is_of_one_query(statement: Statement, function: cst.CSTNode, query: cst.BaseExpression, name: str) -> bool:
    """Whether all that a function assigns to a variable is made of one query, and nothing is put into it."""
    values = list(assigned(statement, function, name))
    if binds(function, name) != len(values) or may_be_given(statement, query, statement.function(query)):
        return False
    if not all(is_made_of(value, query, name) for value in values):
        return False
    return not any(
        isinstance(call.func, cst.Attribute)
        and call.func.attr.value in _GROWING
        and isinstance(call.func.value, cst.Name)
        and call.func.value.value == name
        for call in statement.within(function, cst.Call)
    )


def _spine(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yields an expression and what it is made of by methods, slices and `list(…)`, down to the beginning."""
    while True:
        yield node
        inner = seen_through(node)
        match inner:
            case _ if inner is not node:
                node = inner
            case cst.NamedExpr(value=receiver):
                node = receiver
            case cst.Call(func=cst.Attribute(value=receiver)) | cst.Attribute(value=receiver) | cst.Subscript(value=receiver):
                node = receiver
            case _:
                return
