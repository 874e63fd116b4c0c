"""Whether a list serves where a queryset stands, and whether the loop around it may write anything.

for author in Author.objects.prefetch_related("books"):
    print(author.name, list(author.books.values_list("title", flat=True)))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.chain import chain_of
from ormlint.fixes.kept_variables import has_namespace, is_harmless
from ormlint.fixes.receivers import assigned
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import is_bound_nowhere, reads
from ormlint.fixes.walk import binds

_TAKING = frozenset({"list", "tuple", "set", "frozenset", "sorted", "min", "max", "any", "all", "sum", "len", "enumerate", "zip"})
_ANYHOW = frozenset({"set", "frozenset", "min", "max", "any", "all", "sorted", "len"})  # what does not ask for the order of a list
_ASKING = frozenset({"all", "values_list", "values", "filter", "exclude", "order_by", "count", "exists", "first", "last"})
_FILLING = frozenset({"append", "add", "extend", "update", "setdefault"})
_CONTAINERS = (cst.List, cst.Dict, cst.Set, cst.ListComp, cst.DictComp, cst.SetComp)
_RUNNING = (cst.Await, cst.Yield, cst.With, cst.Del, cst.FunctionDef, cst.ClassDef, cst.Lambda, cst.GeneratorExp)


@dataclass(frozen=True, slots=True)
class RowLoop:
    """The loop or comprehension that gives a variable one row after the other."""

    whole: cst.For | cst.BaseComp
    clause: cst.For | cst.CompFor

    @property
    def rows(self) -> cst.BaseExpression:
        """What it walks over."""
        return self.clause.iter


def loop_of(statement: Statement, node: cst.CSTNode, name: str) -> RowLoop | None:
    """Returns the loop of the same function that gives a variable its value, in whose rounds an expression stands."""
    for above in statement.ancestors(node):
        if isinstance(above, (cst.FunctionDef, cst.Lambda, cst.ClassDef, cst.GeneratorExp)):
            return None
        clauses: list[cst.For | cst.CompFor] = [above] if isinstance(above, cst.For) else []
        if isinstance(above, cst.BaseComp):
            clauses = list(_clauses(above.for_in))
        for clause in clauses:
            start, end = statement.outer(clause.iter)
            if isinstance(clause.target, cst.Name) and clause.target.value == name and not start <= statement.span(node)[0] < end:
                assert isinstance(above, (cst.For, cst.BaseComp))
                return RowLoop(above, clause) if clause.asynchronous is None else None
    return None


def _clauses(clause: cst.CompFor | None) -> Iterator[cst.For | cst.CompFor]:
    while clause is not None:
        yield clause
        clause = clause.inner_for_in


# ------------------------------------------------------------------------------------------------------ a list is enough
def is_list_enough(statement: Statement, node: cst.BaseExpression, text: str, assignable: bool = True) -> bool:
    """Whether an expression is only walked, tested or searched, so that a list serves as well as a queryset."""
    above = statement.parent(node)
    match above:
        case cst.For(iter=part) | cst.CompFor(iter=part):
            return part is node and above.asynchronous is None
        case cst.StarredElement():
            return True
        case cst.Arg(star="*"):
            return True
        case cst.Arg(star="", keyword=None):
            return _takes_any_list(statement, above, text)
        case cst.ComparisonTarget(operator=cst.In() | cst.NotIn()):
            return True
        case cst.If(test=part) | cst.While(test=part) | cst.IfExp(test=part) | cst.Assert(test=part):
            return part is node
        case cst.UnaryOperation(operator=cst.Not()):
            return True
        case cst.BooleanOperation():
            return is_list_enough(statement, above, text, assignable=False)
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]) if assignable:
            return _is_only_listed(statement, above, name, text)
        case _:
            return False


def _takes_any_list(statement: Statement, argument: cst.Arg, text: str) -> bool:
    call = statement.parent(argument)
    match call:
        case cst.Call(func=cst.Name(value=name)):
            return name in _TAKING and is_bound_nowhere(text, name)
        case cst.Call(func=cst.Attribute(value=cst.SimpleString(), attr=cst.Name(value="join"))):
            return True
        case cst.Call(func=cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value="extend" | "update")), args=[_]):
            return is_container(statement, call, name)
        case _:
            return False


def _is_only_listed(statement: Statement, assign: cst.Assign, name: str, text: str) -> bool:
    """Whether a variable of its own gets the value, and is only walked, tested or searched."""
    scope = statement.function(assign)
    if not isinstance(scope, cst.FunctionDef) or binds(scope, name) != 1 or has_namespace(statement, scope):
        return False
    around = [above for above in statement.ancestors(assign) if isinstance(above, (cst.For, cst.While))]
    span = statement.span(around[0]) if around else statement.span(scope)
    return all(
        statement.function(read) is scope and span[0] <= statement.span(read)[0] < span[1] and is_list_enough(statement, read, text, assignable=False)
        for read in reads(statement, scope, name)
    )


def is_asked_anyhow(statement: Statement, node: cst.BaseExpression, text: str) -> bool:
    """Whether nobody can see in which order the elements of a list come."""
    above = statement.parent(node)
    call = statement.parent(above) if isinstance(above, cst.Arg) else None
    match call:
        case cst.Call(func=cst.Name(value=name), args=[cst.Arg(star="")]):
            return name in _ANYHOW and is_bound_nowhere(text, name)
        case _:
            return isinstance(above, (cst.ComparisonTarget, cst.If, cst.While, cst.Assert, cst.UnaryOperation))


def is_container(statement: Statement, node: cst.CSTNode, name: str) -> bool:
    """Whether a variable of the function is a list, dict or set that the function has made."""
    scope = statement.function(node)
    if not isinstance(scope, cst.FunctionDef):
        return False
    values = list(assigned(statement, scope, name))
    return bool(values) and binds(scope, name) == len(values) and all(isinstance(value, _CONTAINERS) for value in values)


# ----------------------------------------------------------------------------------------------------- nothing is written
def is_quiet_loop(statement: Statement, loop: RowLoop, name: str, collections: Set[str], text: str) -> bool:
    """Whether a loop over rows surely writes nothing: besides printing, it only asks those collections of a row, and fills lists of its own."""
    if binds(loop.whole, name) != 1 or isinstance(loop.whole, cst.GeneratorExp):
        return False
    walked = statement.outer(loop.rows)

    def is_quiet(call: cst.Call) -> bool:
        if walked[0] <= statement.span(call)[0] < walked[1] or is_harmless(call) or _asks(statement, call, name, collections):
            return True
        match call.func:
            case cst.Name(value=function) if function in _TAKING and is_bound_nowhere(text, function):
                return all(argument.keyword is None and _is_at_hand(statement, argument.value, name, collections) for argument in call.args)
            case cst.Attribute(value=cst.SimpleString(), attr=cst.Name(value="join")):
                return all(_is_at_hand(statement, argument.value, name, collections) for argument in call.args)
            case cst.Attribute(value=cst.Name(value=filled), attr=cst.Name(value=method)):
                return method in _FILLING and is_container(statement, call, filled)
            case _:
                return False

    def is_quiet_target(target: cst.BaseExpression) -> bool:
        match target:
            case cst.Subscript(value=cst.Name(value=filled)):
                return is_container(statement, target, filled)
            case _:
                return isinstance(target, cst.Name)

    parts = [loop.whole.body] if isinstance(loop.whole, cst.For) else [loop.whole]
    for walked_over in (each for part in parts for each in _walked(statement, part) if each is not loop.rows):
        scope, values = statement.function(walked_over), [walked_over]
        if isinstance(walked_over, cst.Name) and isinstance(scope, cst.FunctionDef):
            values = list(assigned(statement, scope, walked_over.value))
            if len(values) != binds(scope, walked_over.value):
                return False
        if not values or not all(_is_at_hand(statement, value, name, collections) for value in values):
            return False  # a generator runs what it likes
    return not any(runs(statement, part, is_quiet, is_quiet_target) for part in parts)


def runs(
    statement: Statement, part: cst.CSTNode, is_quiet: Callable[[cst.Call], bool], is_quiet_target: Callable[[cst.BaseExpression], bool]
) -> bool:
    """Whether something in a part of a program may write: a call, what runs code of classes, or an assignment to more than a variable."""
    if any(not is_quiet(call) for call in statement.within(part, cst.Call)):
        return True
    if any(next(statement.within(part, kind), None) is not None for kind in (*_RUNNING, cst.AugAssign)):
        return True
    bound = [each.target for each in (*statement.within(part, cst.AssignTarget), *statement.within(part, cst.AnnAssign), *_walks(statement, part))]
    return any(not is_quiet_target(target) for target in bound)


def _walks(statement: Statement, part: cst.CSTNode) -> Iterator[cst.For | cst.CompFor]:
    yield from statement.within(part, cst.For)
    yield from statement.within(part, cst.CompFor)


def _walked(statement: Statement, part: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """Yields what is walked over in a part of a program: by a loop, by `*rows`, by `in`."""
    yield from (each.iter for each in _walks(statement, part))
    yield from (each.value for each in statement.within(part, cst.StarredElement))
    yield from (each.value for each in statement.within(part, cst.Arg) if each.star)
    yield from (each.comparator for each in statement.within(part, cst.ComparisonTarget) if isinstance(each.operator, (cst.In, cst.NotIn)))


def _asks(statement: Statement, call: cst.Call, name: str, collections: Set[str]) -> bool:
    """Whether a call only asks a collection of the row: `author.books.all()`."""
    if not isinstance(call.func, cst.Attribute):
        return False
    chain = chain_of(statement, call)
    match chain.root, chain.links[: chain.inner]:
        case cst.Name(value=root), (first, *rest) if root == name and first.is_attribute and first.name in collections:
            return bool(rest) and all(link.call is not None and link.name in _ASKING for link in rest)
        case _:
            return False


def _is_at_hand(statement: Statement, node: cst.BaseExpression, name: str, collections: Set[str]) -> bool:
    """Whether walking an expression runs no code of the program."""
    match node:
        case cst.Call():
            return _asks(statement, node, name, collections)
        case cst.ListComp() | cst.SetComp() | cst.DictComp() | cst.List() | cst.Dict() | cst.Set() | cst.Tuple() | cst.SimpleString() | cst.Integer():
            return True
        case _:
            return False
