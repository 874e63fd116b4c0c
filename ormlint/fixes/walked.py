"""The rows of a query that a loop of the same function walks: that they are surely these, and what names their attributes have.

authors = Author.objects.all()
for author in authors.order_by("name"):
    print(author.books.count())
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ormlint.fixes.chain import last_name, seen_through
from ormlint.fixes.imports import Refusal
from ormlint.fixes.receivers import assigned, is_surely_queryset, may_be_given
from ormlint.fixes.source import Sources
from ormlint.fixes.statement import Function, Statement
from ormlint.fixes.variables import only_value
from ormlint.fixes.walk import binds, inside
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
    scope, maker = statement.function(loop), statement.function(query)
    if isinstance(maker, cst.Lambda) and scope is not maker:
        return _calls(statement, scope, loop.iter, maker) and is_made_of(maker.body, query, "")
    return scope is maker and is_made_of(loop.iter, query, variable)


def _calls(statement: Statement, scope: Function | None, rows: cst.BaseExpression, maker: cst.Lambda) -> bool:
    """Whether rows are those that a lambda gives, which is called by the name of the only variable of the function that has it."""
    *_, root = _spine(rows)
    return isinstance(root, cst.Call) and isinstance(root.func, cst.Name) and only_value(statement, scope, root.func.value) is maker


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


def gives_queryset(sources: Sources, statement: Statement, node: cst.BaseExpression, query: QueryObject) -> bool:
    """Whether an expression gives a queryset, a new one, on every way: one is made there, or by what its function calls and what gives nothing else.

    # `def recent(): return Book.objects.filter(…)`, `recent = lambda: Book.objects.filter(…)`, asked as `recent()`
    """
    if isinstance(node, cst.Name):
        value = only_value(statement, statement.function(node), node.value)
        called = isinstance(value, cst.Call) and _is_call_of_function(value)
        return is_surely_queryset(statement, node) or (called and value is not None and gives_queryset(sources, statement, value, query))
    if is_surely_queryset(statement, node) or not (isinstance(node, cst.Call) and _is_call_of_function(node)):
        return is_surely_queryset(statement, node)
    own = sources.statement(query.site)
    made = own.expression(query.site.start, query.site.end) if own is not None else None
    if own is None or made is None:
        return False
    function, name = own.function(made), last_name(node.func)
    if isinstance(function, cst.Lambda):
        value = only_value(own, own.function(function), name) if own is statement else None
        return (
            value is function and isinstance(node.func, cst.Name) and is_surely_queryset(own, function.body) and is_made_of(function.body, made, "")
        )
    if not isinstance(function, cst.FunctionDef) or function.name.value != name or function.decorators or own.function(function) is not None:
        return False
    return not any(isinstance(above, cst.ClassDef) for above in own.ancestors(function)) and returns_only(own, function, made)


def _is_call_of_function(node: cst.Call) -> bool:
    """Whether it is a call of a function by its name, or by that of the module that it stands in: `recent()`, `queries.recent()`."""
    return isinstance(node.func, cst.Name) or (isinstance(node.func, cst.Attribute) and isinstance(node.func.value, cst.Name))


def returns_only(statement: Statement, function: cst.FunctionDef, query: cst.BaseExpression) -> bool:
    """Whether all that a function returns is made of a query."""
    variable = variable_of(statement, query)
    if isinstance(variable, Refusal):
        return False
    returned = [node for node in inside(function.body) if isinstance(node, cst.Return)]
    return bool(returned) and all(node.value is not None and is_made_of(node.value, query, variable) for node in returned)


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
