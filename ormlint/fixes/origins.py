"""Where the query is made that an expression gives, followed through variables, lambdas and functions, as long as nothing else can come from there.

stmt = select(Ship)                  def wanted():                      wanted = lambda: select(Ship)
session.scalars(stmt)                    return select(Ship)            session.scalars(wanted())
                                     session.scalars(wanted())

What is added where the query is used, `stmt.limit(1)`, is then added to that query, and to it only there, whoever else makes use of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.chain import chain_of, last_name
from ormlint.fixes.imports import is_defined_once, is_imported
from ormlint.fixes.kept_variables import has_namespace
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Function, Statement
from ormlint.fixes.variables import RUNNING, bindings, is_outer, is_used_later, only_value, reads
from ormlint.fixes.walk import inside
from ormlint.run.log import QueryObject
from ormlint.text import Site

_DEPTH = 8  # variables and functions that an expression is followed through


@dataclass(frozen=True, slots=True)
class Made:
    """The expression that makes a query, in its file, and what is called from there on, in no certain order: methods, `list()`.

    `here` tells whether it stands in the expression that was asked for.
    """

    file: SourceFile
    statement: Statement
    node: cst.BaseExpression
    methods: frozenset[str]
    here: bool = True

    @property
    def entities(self) -> tuple[cst.BaseExpression, ...]:
        """What it selects: the arguments of `select(Ship)` or `session.query(Ship)`, none if it is made otherwise."""
        chain = chain_of(self.statement, self.node)
        call = next((link.call for link in chain.links if link.name == "query" and link.call is not None), None)
        if call is None and isinstance(chain.root, cst.Call) and last_name(chain.root.func) == "select":
            call = chain.root
        return tuple(argument.value for argument in call.args) if call is not None and not any(each.star for each in call.args) else ()


def origin(sources: Sources, file: SourceFile, statement: Statement, node: cst.BaseExpression, query: QueryObject) -> Made | None:
    """Returns where the query of an expression is made, None if something else may come from there on some ways."""
    if query.ways:
        return None
    return _origin(sources, file, statement, node, (query.site, *query.trail), _DEPTH)


def _origin(sources: Sources, file: SourceFile, statement: Statement, node: cst.BaseExpression, places: Sequence[Site], depth: int) -> Made | None:
    spine = list(_spine(node))
    methods = frozenset(last_name(each.func) for each in spine if isinstance(each, cst.Call))
    made = statement.expression(places[0].start, places[0].end) if places[0].path == file.path else None
    if made is not None and made in spine:
        return Made(file, statement, made, methods)
    found = _behind(sources, file, statement, spine, places, depth - 1) if depth else None
    return Made(found.file, found.statement, found.node, found.methods | methods, here=False) if found is not None else None


def _spine(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yields an expression and what it is made of by methods, slices and sessions, down to the beginning."""
    while True:
        yield node
        match node:
            case cst.Await(expression=inner) | cst.NamedExpr(value=inner):
                node = inner
            case cst.Call(func=cst.Attribute(attr=cst.Name(value=method)), args=[cst.Arg(value=inner, star="", keyword=None), *_]) if (
                method in RUNNING
            ):
                node = inner
            case cst.Call(func=cst.Name(value="list" | "tuple"), args=[cst.Arg(value=inner, star="", keyword=None)]):
                node = inner
            case cst.Call(func=cst.Attribute(value=inner)) | cst.Subscript(value=inner):
                node = inner
            case _:
                return


def _behind(
    sources: Sources, file: SourceFile, statement: Statement, spine: Sequence[cst.BaseExpression], places: Sequence[Site], depth: int
) -> Made | None:
    """Returns where the query is made that a variable has, or a function returns."""
    match spine[-1], spine[-2:-1]:
        case cst.Call(func=cst.Name(value=name) as called), _:
            value = _value(statement, called)
            if isinstance(value, cst.Lambda):
                return _origin(sources, file, statement, value.body, places, depth)
            if value is not None or not _is_function(file, statement, called):
                return None
            return _of_function(sources, name, places, depth)
        case cst.Name() as module, [cst.Call(func=cst.Attribute(attr=cst.Name(value=name)))] if _is_module(file, statement, module):
            return _of_function(sources, name, places, depth)
        case cst.Name() as variable, _:
            value = _value(statement, variable)
            return _origin(sources, file, statement, value, places, depth) if value is not None else None
        case _:
            return None


def _of_function(sources: Sources, name: str, places: Sequence[Site], depth: int) -> Made | None:
    """Returns where the query is made that all returns of a function give; it is the last function of that name which has passed the query on."""
    for number, place in reversed(list(enumerate(places))):
        file, statement = sources.file(place), sources.statement(place)
        node = statement.expression(place.start, place.end) if statement is not None else None
        function = statement.function(node) if statement is not None and node is not None else None
        if file is None or statement is None or not isinstance(function, cst.FunctionDef) or function.name.value != name:
            continue
        own = list(inside(function.body))
        if function.decorators or not _ends_in_return(function) or any(isinstance(each, cst.Yield) for each in own):
            return None
        values = [each.value for each in own if isinstance(each, cst.Return)]
        found = [_origin(sources, file, statement, value, places[: number + 1], depth) if value is not None else None for value in values]
        return found[0] if all(each is not None and found[0] is not None and each.node is found[0].node for each in found) else None
    return None


def _ends_in_return(function: cst.FunctionDef) -> bool:
    last = function.body.body[-1]
    return isinstance(last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last, cst.Return)


# ---------------------------------------------------------------------------------------------------------- the names
def _value(statement: Statement, name: cst.Name) -> cst.BaseExpression | None:
    """Returns the only value that a variable is given, in the function around it or one around that."""
    function = statement.function(name)
    while function is not None:
        if next(bindings(statement, function, name.value), None) is not None:
            return only_value(statement, function, name.value)
        function = statement.function(function)
    return None


def _is_module(file: SourceFile, statement: Statement, name: cst.Name) -> bool:
    return not _bound_around(statement, name) and is_imported(file, statement.span(name)[0], name.value)


def _is_function(file: SourceFile, statement: Statement, name: cst.Name) -> bool:
    """Whether a name is surely that of one function: it is imported, or defined once where it is seen."""
    bound = _bound_around(statement, name)
    if bound:
        return len(bound) == 1 and isinstance(statement.parent(bound[0]), cst.FunctionDef)
    own = [node for top in file.body for node in top.nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name.value]
    return (bool(own) and is_defined_once(file, name.value)) or (not own and is_imported(file, statement.span(name)[0], name.value))


def _bound_around(statement: Statement, name: cst.Name) -> list[cst.CSTNode]:
    """Returns where the innermost function around a name that binds it does so."""
    function = statement.function(name)
    while function is not None:
        bound = list(bindings(statement, function, name.value))
        if bound:
            return bound
        function = statement.function(function)
    return []


def session_of(statement: Statement, asked: cst.BaseExpression, made: Made) -> str | None:
    """Returns the variable that has the session of a query where it is used; None if it has none there, or may have another one by then.

    # `def wanted(session): return session.query(Ship)`, `wanted(opened)`: it is `opened`
    """
    receiver = next((link.receiver for link in chain_of(made.statement, made.node).links if link.name == "query" and link.call is not None), None)
    maker, function = made.statement.function(made.node), statement.function(asked)
    if not isinstance(receiver, cst.Name) or maker is None or function is None:
        return None
    name: str | None = receiver.value
    bound = list(bindings(made.statement, maker, receiver.value))
    if maker is not function and bound:
        name = _given(asked, maker, receiver.value) if len(bound) == 1 else None
    elif maker is not function and (made.statement is not statement or function not in made.statement.ancestors(maker)):
        return None
    return name if name is not None and len(list(bindings(statement, function, name))) <= 1 else None


def _given(asked: cst.BaseExpression, maker: Function, name: str) -> str | None:
    """Returns the variable that a function is given for a parameter."""
    call = [each for each in _spine(asked) if isinstance(each, cst.Call)][-1:]
    names = [each.name.value for each in maker.params.params]
    if not call or name not in names or any(each.star for each in call[0].args):
        return None
    if isinstance(maker, cst.FunctionDef) and last_name(call[0].func) != maker.name.value:
        return None
    for number, argument in enumerate(call[0].args):
        if (argument.keyword.value == name) if argument.keyword is not None else number == names.index(name):
            return argument.value.value if isinstance(argument.value, cst.Name) else None
    return None


# ------------------------------------------------------------------------------------------------------- lists for one use
def is_for_nothing(statement: Statement, kept: cst.BaseExpression) -> bool:
    """Whether nothing reads the variable of a `:=`."""
    function = statement.function(kept)
    match kept:
        case cst.NamedExpr(target=cst.Name(value=name)) if function is not None:
            unread = not list(reads(statement, function, name)) and not is_outer(statement, function, name)
            return unread and not has_namespace(statement, function)
        case _:
            return False


def list_for_alone(statement: Statement, rows: cst.BaseExpression, made: Made, annotations: Set[str]) -> cst.BaseExpression | None:
    """Returns the `….all()` of a list in a variable, or in the lambda of one, that is read there alone; None if it may be one for others too.

    `annotations` are those of a variable that may stay if it holds something else.
    """
    match rows:
        case (cst.Name() as variable) | cst.Call(func=cst.Name() as variable, args=[]):
            pass
        case _:
            return None
    function = statement.function(rows)
    value = only_value(statement, function, variable.value)
    if function is None or value is None or len(list(reads(statement, function, variable.value))) != 1:
        return None
    if (variable is rows and is_used_later(statement, variable)) or has_namespace(statement, function):
        return None
    assign = statement.parent(value)
    if not isinstance(assign, cst.Assign) and not (isinstance(assign, cst.AnnAssign) and last_name(assign.annotation.annotation) in annotations):
        return None
    if variable is not rows:
        value = value.body if isinstance(value, cst.Lambda) else None
    match value:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="all")), args=[]) if made.statement is statement and "all" in made.methods:
            return value
        case _:
            return None
