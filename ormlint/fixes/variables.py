"""What a variable of a function is, where the text leaves no doubt: it is bound in one place only.

stmt = select(Author)                    `result` comes from `select(Author)`
result = session.scalars(stmt)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import libcst as cst

from ormlint.fixes import imports
from ormlint.fixes.chain import seen_through
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Function, Statement
from ormlint.text import Site

RUNNING = frozenset({"execute", "scalars", "exec", "stream", "stream_scalars"})  # methods of a session that give the result of a statement
_OF_RESULTS = frozenset({"scalars", "mappings", "tuples", "columns", "execution_options"})  # methods of a result that give one
_CHOICES = (cst.IfExp, cst.BooleanOperation, cst.Lambda, cst.BaseComp, cst.FunctionDef)
_TARGETS = (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.For, cst.CompFor)
_NAMES = (cst.FunctionDef, cst.ClassDef, cst.Param, cst.AsName, cst.NameItem, cst.Del, cst.ImportAlias, cst.MatchAs, cst.MatchStar, cst.MatchMapping)
_BINDING: tuple[type[cst.CSTNode], ...] = (*_TARGETS, *_NAMES)


def only_value(statement: Statement, function: Function | None, name: str) -> cst.BaseExpression | None:
    """Returns the expression that a function assigns to a variable of its own in one place, None if the variable is bound otherwise or again."""
    if function is None:
        return None
    bound = list(bindings(statement, function, name))
    if len(bound) != 1:
        return None
    match statement.parent(bound[0]):
        case cst.AssignTarget() as target:
            assign = statement.parent(target)
            return assign.value if isinstance(assign, cst.Assign) else None
        case cst.AnnAssign(value=value, target=target) | cst.NamedExpr(value=value, target=target) if target is bound[0]:
            return value
        case _:
            return None


@lru_cache(maxsize=256)
def is_bound_nowhere(text: str, name: str) -> bool:
    """Whether a name means Python's own function wherever it stands in a file of this text, if no `import *` brings another."""
    return imports.is_bound_nowhere(SourceFile("", text), name)


def bindings(statement: Statement, function: cst.CSTNode, name: str) -> Iterator[cst.CSTNode]:
    """Yields where a name is bound in a function or in one within it; what is assigned to an attribute of it counts, too."""
    for node in (node for kind in _BINDING for node in statement.within(function, kind)):
        match node:
            case cst.FunctionDef(name=own) | cst.ClassDef(name=own):
                targets: list[cst.CSTNode] = [own] if node is not function else []
            case cst.Param(name=own) | cst.AsName(name=own) | cst.MatchAs(name=cst.Name() as own) | cst.MatchStar(name=cst.Name() as own):
                targets = [own]
            case cst.NameItem(name=own) | cst.MatchMapping(rest=cst.Name() as own):
                targets = [own]
            case cst.Del(target=own):
                targets = [own]
            case cst.ImportAlias(asname=None, name=own):
                targets = [own]
            case _ if isinstance(node, _TARGETS):
                targets = [node.target]
            case _:
                continue
        yield from (found for target in targets for found in statement.within(target, cst.Name) if found.value == name)


def free_name(sources: Sources, statement: Statement, scope: Function, wanted: Iterable[str], node: cst.CSTNode) -> str | None:
    """Returns the first name that a function, and those around and in it, do not use; None if all are used.

    It is the same one whenever that is asked for an expression, and no other expression gets it.
    """
    *_, outermost = (scope, *(above for above in statement.ancestors(scope) if isinstance(above, cst.FunctionDef)))
    used = {name.value for name in statement.within(outermost, cst.Name)}
    for name in wanted:
        if name not in used and sources.given.setdefault((id(outermost), name), node) is node:
            return name
    return None


def reads(statement: Statement, function: Function, name: str) -> Iterator[cst.Name]:
    """Yields where a function reads a variable."""
    bound = [statement.span(node) for node in bindings(statement, function, name)]
    for found in statement.within(function, cst.Name):
        above = statement.parent(found)
        is_part = (isinstance(above, cst.Attribute) and above.attr is found) or (isinstance(above, cst.Arg) and above.keyword is found)
        if found.value == name and not is_part and statement.span(found) not in bound:
            yield found


def is_outer(statement: Statement, function: Function, name: str) -> bool:
    """Whether a function says that a variable is one of those around it."""
    kinds: tuple[type[cst.Global], type[cst.Nonlocal]] = (cst.Global, cst.Nonlocal)
    return any(each.name.value == name for kind in kinds for node in statement.within(function, kind) for each in node.names)


def is_used_later(statement: Statement, read: cst.Name) -> bool:
    """Whether a function may read a variable again behind a place that reads it: further down, or in the next round of a loop around that."""
    function = statement.function(read)
    if function is None or is_outer(statement, function, read.value):
        return True
    around = [above for above in statement.ancestors(read) if isinstance(above, (cst.For, cst.While)) and statement.parent(read) is not above]
    bound = list(bindings(statement, function, read.value))
    if any(not any(above in statement.ancestors(node) for node in bound) for above in around):
        return True
    return any(statement.span(other)[0] > statement.span(read)[0] for other in reads(statement, function, read.value))


def comes_from(statement: Statement, node: cst.BaseExpression, site: Site) -> bool:
    """Whether an expression is made from the statement that stands at a site of the same function, and can be made from no other."""
    seen: set[str] = set()
    while True:
        node = seen_through(node)
        start, end = statement.span(node)
        made = statement.expression(site.start, site.end)
        if made is not None and start <= site.start and site.end <= end:
            return all(_passes_on(statement, above) for above in _up_to(statement, made, node))
        match node:
            case cst.Name() as variable:
                node = _value_of(statement, variable, seen) or variable
                if node is variable:
                    return False
            case cst.Call(args=[first, *_]) if _runs(node):
                node = first.value
            case cst.Call(func=cst.Attribute(value=receiver)):
                node = receiver
            case _:
                return False


def gives_result(statement: Statement, node: cst.BaseExpression) -> bool:
    """Whether an expression gives the result of a session, or the rows of one: `session.scalars(stmt)`, or a variable that is given nothing else."""
    seen: set[str] = set()
    while True:
        node = seen_through(node)
        match node:
            case cst.Call(func=cst.Attribute(attr=cst.Name(value=method))) if method in RUNNING:
                return True
            case cst.Call(func=cst.Attribute(value=receiver, attr=cst.Name(value=method))) if method in _OF_RESULTS:
                node = receiver
            case cst.Name() as variable:
                node = _value_of(statement, variable, seen) or variable
                if node is variable:
                    return False
            case _:
                return False


def _value_of(statement: Statement, variable: cst.Name, seen: set[str]) -> cst.BaseExpression | None:
    """Returns the only value of a variable that has not been `seen` yet."""
    value = only_value(statement, statement.function(variable), variable.value) if variable.value not in seen else None
    seen.add(variable.value)
    return value


def _up_to(statement: Statement, node: cst.CSTNode, top: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for above in statement.ancestors(node) if node is not top else ():
        yield above
        if above is top:
            return


def _passes_on(statement: Statement, node: cst.CSTNode) -> bool:
    """Whether an expression around a statement gives its result and nothing else: `session.scalars(stmt).all()`, but not `ask(session, stmt)`."""
    if not isinstance(node, cst.Arg):
        return not isinstance(node, _CHOICES)
    call = statement.parent(node)
    return isinstance(call, cst.Call) and call.args[0] is node and (_runs(call) or seen_through(call) is not call)


def _runs(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in RUNNING
