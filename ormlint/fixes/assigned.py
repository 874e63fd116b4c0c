"""`books.select_related("author")` → `books = books.select_related("author")`."""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import chain_of
from ormlint.fixes.imports import Refusal
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import bindings, is_used_later
from ormlint.judge.finding import Applicability, AssignQuery, Fix
from ormlint.text import Edit

_LOADS = "what was asked for and lost is loaded from now on"


def assign_query(sources: Sources, intent: AssignQuery) -> Fix | None:
    """Returns the fix, a display-only one if nobody would have the query all the same, None if no expression stands there by itself."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    node = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or node is None or not isinstance(statement.parent(node), cst.Expr):
        return None
    made = _assigned(file, statement, node)
    description = "keep the query that it returns"
    if isinstance(made, Refusal):
        return Fix(Applicability.DISPLAY, description, (), made.reason)
    return Fix(Applicability.UNSAFE, description, (made,), _LOADS)


def _assigned(file: SourceFile, statement: Statement, node: cst.BaseExpression) -> Edit | Refusal:
    chain = chain_of(statement, node)
    query, function = chain.root, statement.function(node)
    if not isinstance(query, cst.Name) or any(link.call is None for link in chain.links):
        return Refusal("the query is in no variable")
    if not isinstance(function, cst.FunctionDef):
        return Refusal("the variable is not one of a function")
    # a variable of the function around it would become one of this function, which has no value yet
    bound = list(bindings(statement, function, query.value))
    if not bound or any(isinstance(statement.parent(name), cst.NameItem) or statement.function(name) is not function for name in bound):
        return Refusal("the variable is one of another function")
    if not is_used_later(statement, query):
        return Refusal("the query is not used any more: remove the call")
    return file.insert(statement.outer(node)[0], f"{query.value} = ")
