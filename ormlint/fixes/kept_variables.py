"""Whether a variable's queryset may keep the rows that a test loads: nobody sees that it does, and none is loaded in vain.

books = Book.objects.filter(shelf=shelf)
if books.exists():              a queryset that is tested itself keeps its rows, or that there are none:
    for book in books: …        what is written afterwards is seen by nobody who asks the same queryset again
refill(shelf)
return books
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.receivers import assigned, is_new_queryset
from ormlint.fixes.statement import Function, Statement
from ormlint.fixes.variables import bindings

CALLS = "what is called before the rows are loaded may change them"
_OBJECTS = "a property, an operator, the truth or the text of an object that is asked before the rows are loaded may change them"
_HELD = "the queryset is used elsewhere too, which would see the rows that the test has loaded"
_VAIN = "the rows are not loaded on every way behind the test"
_LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)
_DECIDING = (*_LEAVING, cst.Assert)
_HARMLESS = frozenset({"print", "len", "str", "int", "repr", "isinstance"})
_READING = _HARMLESS | {
    "list",
    "tuple",
    "set",
    "dict",
    "sorted",
    "max",
    "min",
    "sum",
    "any",
    "all",
}  # of a queryset: of a generator they run what it does
_LOGS = frozenset({"log", "logger", "logging", "LOG", "LOGGER", "_logger", "LOGGING"})
_NAMESPACES = frozenset({"locals", "vars", "eval", "exec"})
_RUNNING = (cst.Await, cst.Yield, cst.For, cst.CompFor, cst.With, cst.Del)  # what runs code of iterators, context managers and classes
_ASKING: tuple[type[cst.CSTNode], ...] = (
    *(cst.Attribute, cst.Subscript, cst.BinaryOperation, cst.Comparison, cst.UnaryOperation, cst.BooleanOperation, cst.AugAssign),
    *(cst.FormattedStringExpression, cst.If, cst.While, cst.IfExp, cst.Assert, cst.Call),
)
_PLAIN = frozenset({"int", "str", "bool", "float", "bytes"})
_BRANCHES = (cst.For, cst.While, cst.If, cst.IfExp, cst.BooleanOperation, cst.ExceptHandler, cst.Match, cst.CompFor)
_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Branches:
    """Where the text stands that is reached only if there are rows, and what is reached only if there are none."""

    some: tuple[Span, ...] = ()
    none: Span | None = None
    leaves: bool = False  # whether what is reached if there are none never gets to the rows


@dataclass(frozen=True, slots=True)
class Walk:
    """A test of a variable's queryset, and the place behind it that loads the rows; `negated` if the test asks for emptiness."""

    statement: Statement
    test: cst.BaseExpression
    negated: bool
    tested: cst.Name
    load: cst.BaseExpression

    @property
    def scope(self) -> Function | None:
        """The function that both stand in."""
        return self.statement.function(self.tested)


def risk_of_keeping(walk: Walk) -> str:
    """Returns why a program may do something else, or more, if the test loads the rows, "" if it cannot."""
    scope = walk.scope
    if not isinstance(scope, cst.FunctionDef):
        return _HELD
    branches = _branches(walk)
    if _is_in_vain(walk, scope, branches):
        return _VAIN
    skipped = branches.none if branches.leaves else None
    if _calls_between(walk, scope, walk.statement.span(walk.load)[0], skipped):
        return CALLS
    if asks_objects(walk, scope, skipped):
        return _OBJECTS
    return _HELD if _is_held(walk, scope, branches) else ""


# ------------------------------------------------------------------------------------------------------- the branches
def _branches(walk: Walk) -> _Branches:
    """Returns the branches of the statement or expression whose condition the test is or is part of."""
    statement, negated = walk.statement, walk.negated
    child: cst.CSTNode = walk.test
    for above in statement.ancestors(walk.test):
        match above:
            case cst.UnaryOperation(operator=cst.Not()):
                negated = not negated
            case cst.If(test=test, body=body, orelse=orelse) if test is child:
                return _branches_of_if(statement, above, (orelse, body) if negated else (body, orelse))
            case cst.IfExp(test=test, body=one, orelse=other) if test is child:
                one, other = (other, one) if negated else (one, other)
                return _Branches((statement.span(one),), statement.span(other))
            case cst.Assert() if not negated:
                return _Branches(tuple(_rest(statement, above)))
            case cst.BooleanOperation():
                pass
            case _:
                return _Branches()
        child = above
    return _Branches()


def _branches_of_if(statement: Statement, branch: cst.If, bodies: tuple[cst.CSTNode | None, cst.CSTNode | None]) -> _Branches:
    some, none = bodies
    block = none.body if isinstance(none, cst.Else) else none
    last = block.body[-1] if isinstance(block, cst.IndentedBlock) and block.body else None
    leaves = isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], _LEAVING)
    regions = [statement.span(some)] if some is not None else []
    if leaves:
        regions += _rest(statement, branch)
    return _Branches(tuple(regions), statement.span(none) if none is not None else None, leaves)


def _rest(statement: Statement, node: cst.CSTNode) -> Iterator[Span]:
    """Yields the part of a statement's block that comes after it."""
    above = statement.parent(node)
    if isinstance(above, cst.SimpleStatementLine):
        above = statement.parent(above)
    if isinstance(above, cst.IndentedBlock):
        yield statement.span(node)[1], statement.span(above)[1]


def _is_in(offset: int, span: Span | None) -> bool:
    return span is not None and span[0] <= offset < span[1]


# --------------------------------------------------------------------------------------------------- rows in vain
def _is_in_vain(walk: Walk, scope: Function, branches: _Branches) -> bool:
    """Whether the rows may be left unread though the test has found some."""
    statement = walk.statement
    start, end = statement.span(walk.test)[1], statement.span(walk.load)[0]
    child: cst.CSTNode = walk.test
    for above in statement.ancestors(walk.test):
        if isinstance(above, cst.BooleanOperation) and above.left is child:
            return True
        if not isinstance(above, (cst.BooleanOperation, cst.UnaryOperation)):
            break
        child = above
    if any(start <= statement.span(node)[0] < end and not _is_in(statement.span(node)[0], branches.none) for node in _deciding(walk, scope)):
        return True
    around = set(statement.ancestors(walk.test))
    child = walk.load
    for above in statement.ancestors(walk.load):
        if above in around:
            return False
        if not _is_always_reached(statement, above, child):
            return True
        child = above
    return False


def _deciding(walk: Walk, scope: Function) -> Iterator[cst.CSTNode]:
    """Yields what ends a function, or the round of a loop, before its end."""
    load_end = walk.statement.span(walk.load)[1]
    for kind in _DECIDING:
        # `return list(books)` reads the rows and then leaves
        yield from (node for node in walk.statement.within(scope, kind) if not _encloses(walk.statement.span(node), load_end))


def _encloses(span: Span, offset: int) -> bool:
    return span[0] < offset <= span[1]


def _is_always_reached(statement: Statement, above: cst.CSTNode, child: cst.CSTNode) -> bool:
    """Whether a part of a statement or expression is evaluated whenever the whole is, and at once."""
    match above:
        case cst.For(iter=part) | cst.If(test=part) | cst.While(test=part) | cst.IfExp(test=part) | cst.BooleanOperation(left=part):
            return part is child
        case cst.CompFor(iter=part):
            made = statement.parent(above)
            return (
                part is child and isinstance(made, _COMPREHENSIONS) and (not isinstance(made, cst.GeneratorExp) or _is_taken_at_once(statement, made))
            )
        case cst.ListComp() | cst.SetComp() | cst.DictComp() | cst.GeneratorExp():
            return isinstance(child, cst.CompFor)
        case cst.Try(body=part):
            return part is child
        case _:
            return not isinstance(above, _BRANCHES)


def _is_taken_at_once(statement: Statement, made: cst.GeneratorExp) -> bool:
    """Whether a generator is handed to a function that takes all it gives; from Python 3.14 on its rows are loaded no sooner."""
    argument = statement.parent(made)
    call = statement.parent(argument) if isinstance(argument, cst.Arg) else None
    return isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value in _READING


# ----------------------------------------------------------------------------------------------------- calls between
def _calls_between(walk: Walk, scope: Function, end: int, skipped: Span | None) -> bool:
    """Whether something that may change the rows runs between the test and an offset; a part of the text may be skipped."""
    statement = walk.statement
    start = statement.span(walk.test)[1]
    running = [node for kind in _RUNNING for node in statement.within(scope, kind)]
    calls = [call for call in statement.within(scope, cst.Call) if not is_harmless(call)]
    stores = [target for target in statement.within(scope, cst.AssignTarget) if isinstance(target.target, (cst.Attribute, cst.Subscript))]
    return any(
        start <= (at := statement.span(node)[0]) < end and not _is_in(at, skipped) and (isinstance(node, cst.With) or statement.span(node)[1] <= end)
        for node in (*running, *calls, *stores)
    )


def asks_objects(walk: Walk, scope: Function, skipped: Span | None) -> bool:
    """Whether an object that may be of any class is asked something between the test and the load: an attribute, its truth, its text, a sum."""
    start, end = walk.statement.span(walk.test)[1], walk.statement.span(walk.load)[0]
    for whole, parts in _asking(walk.statement, scope):
        at, to = walk.statement.span(whole)
        if start <= to <= end and not _is_in(at, skipped) and not all(_is_known(walk, scope, part) for part in parts):
            return True
    return False


def _asking(statement: Statement, scope: Function) -> Iterator[tuple[cst.CSTNode, tuple[cst.BaseExpression, ...]]]:
    """Yields what asks objects something, and the expressions that give these objects."""
    for kind in _ASKING:
        for node in statement.within(scope, kind):
            match node:
                case cst.Attribute() | cst.Subscript():
                    above = statement.parent(node)
                    if not (isinstance(above, cst.Call) and above.func is node):
                        yield node, (node,)
                case cst.If(test=test) | cst.While(test=test) | cst.IfExp(test=test) | cst.Assert(test=test):
                    yield test, (test,)
                case cst.BooleanOperation(left=left):
                    yield left, (left,)
                case cst.BinaryOperation(left=left, right=right):
                    yield node, (left, right)
                case cst.Comparison(left=left, comparisons=compared):
                    if not all(isinstance(each.operator, (cst.Is, cst.IsNot)) for each in compared):
                        yield node, (left, *(each.comparator for each in compared))
                case cst.UnaryOperation(expression=value) | cst.FormattedStringExpression(expression=value):
                    yield node, (value,)
                case cst.AugAssign(target=target, value=value):
                    yield node, (target, value)
                case cst.Call(args=arguments):
                    yield node, tuple(argument.value for argument in arguments)


def _is_known(walk: Walk, scope: Function, node: cst.BaseExpression, seen: frozenset[str] = frozenset()) -> bool:
    """Whether an expression gives a number, a text or a truth value, or lists of such, which nobody has written a class for."""
    match node:
        case _ if node is walk.test or isinstance(node, (cst.BaseNumber, cst.SimpleString, cst.ConcatenatedString, cst.FormattedString)):
            return True
        case cst.Name(value="True" | "False" | "None"):
            return True
        case cst.Name(value=name):
            values = list(assigned(walk.statement, scope, name))
            bound = len(list(bindings(walk.statement, scope, name)))
            if bound == 1 and any(_is_plain_parameter(each, name) for each in walk.statement.within(scope.params, cst.Param)):
                return True
            if not bound:
                return name.isupper()
            return name not in seen and bool(values) and len(values) == bound and all(_is_known(walk, scope, each, seen | {name}) for each in values)
        case cst.Attribute(value=cst.Name(), attr=cst.Name(value=name)):
            return name.isupper()  # a constant of a module or a class
        case cst.Call(func=cst.Name(value="len" | "str" | "int" | "repr" | "isinstance")):
            return True
        case cst.Comparison(left=left, comparisons=compared):
            always = all(isinstance(each.operator, (cst.Is, cst.IsNot, cst.In, cst.NotIn)) for each in compared)
            return always or all(_is_known(walk, scope, each, seen) for each in (left, *(each.comparator for each in compared)))
        case cst.BinaryOperation(left=left, right=right) | cst.BooleanOperation(left=left, right=right):
            return _is_known(walk, scope, left, seen) and _is_known(walk, scope, right, seen)
        case cst.UnaryOperation(expression=value):
            return isinstance(node.operator, cst.Not) or _is_known(walk, scope, value, seen)
        case cst.IfExp(body=body, orelse=orelse):
            return _is_known(walk, scope, body, seen) and _is_known(walk, scope, orelse, seen)
        case cst.List(elements=elements) | cst.Tuple(elements=elements):
            return all(_is_known(walk, scope, each.value, seen) for each in elements)
        case _:
            return False


def _is_plain_parameter(parameter: cst.Param, name: str) -> bool:
    match parameter:
        case cst.Param(name=cst.Name(value=own), annotation=cst.Annotation(annotation=cst.Name(value=kind))):
            return own == name and kind in _PLAIN
        case _:
            return False


def is_harmless(call: cst.Call) -> bool:
    """Whether a call surely changes no rows."""
    match call.func:
        case cst.Name(value=name):
            return name in _HARMLESS
        case cst.Attribute(value=cst.Name(value=name)):
            return name in _LOGS
        case _:
            return False


# -------------------------------------------------------------------------------------------------- who else has it
def _is_held(walk: Walk, scope: cst.FunctionDef, branches: _Branches) -> bool:
    """Whether somebody else may have the queryset, or asks it again where there were no rows."""
    statement, name = walk.statement, walk.tested.value
    values = list(assigned(statement, scope, name))
    if not values or not all(is_new_queryset(value) for value in values) or has_namespace(statement, scope):
        return True
    if any(parameter.name.value == name for parameter in statement.within(scope.params, cst.Param)):
        return True
    loop = next((above for above in statement.ancestors(walk.test) if isinstance(above, (cst.For, cst.While))), None)
    made = statement.span(values[0])[0] if loop is not None else 0
    others = (other for other in statement.within(scope, cst.Name) if other.value == name and other not in (walk.tested, walk.load))
    return any(_holds(walk, scope, branches, other, made) for other in others if not is_part(statement, other))


def _holds(walk: Walk, scope: cst.FunctionDef, branches: _Branches, other: cst.Name, made: int) -> bool:
    """Whether a use of the variable hands its queryset on, changes what is loaded, or may see that rows were kept."""
    statement = walk.statement
    at = statement.span(other)[0]
    if statement.function(other) is not scope:
        return True
    stored = _is_target(statement.parent(other), other)
    if at < statement.span(walk.test)[0]:
        return not stored and (at < made or not _is_read(statement, other))
    if any(_is_in(at, region) for region in branches.some):
        return at < statement.span(walk.load)[0] and stored
    if stored:
        return at < statement.span(walk.load)[0]
    return not _is_read(statement, other) or _calls_between(walk, scope, at, next(iter(branches.some), None))


def has_namespace(statement: Statement, scope: cst.CSTNode) -> bool:
    """Whether a function hands on all of its variables: `render(request, "books.html", locals())`."""
    return any(isinstance(call.func, cst.Name) and call.func.value in _NAMESPACES for call in statement.within(scope, cst.Call))


def _is_target(above: cst.CSTNode | None, name: cst.Name) -> bool:
    match above:
        case cst.AssignTarget():
            return True
        case cst.AnnAssign(target=target) | cst.NamedExpr(target=target):
            return target is name
        case _:
            return False


def _is_read(statement: Statement, name: cst.Name) -> bool:
    """Whether the variable is only asked something, or made another queryset from."""
    above = statement.parent(name)
    match above:
        case cst.Attribute() | cst.Subscript() | cst.FormattedStringExpression():
            return True
        case cst.For(iter=part) | cst.CompFor(iter=part) | cst.If(test=part):
            return part is name
        case cst.UnaryOperation(operator=cst.Not()):
            return True
        case cst.Arg():
            call = statement.parent(above)
            return isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value in _READING
        case _:
            return False


def is_made_anew(statement: Statement, asked: cst.Name) -> bool:
    """Whether the loops around a variable make its queryset in the round that asks it: one that keeps its rows is asked once only."""
    loops = [above for above in statement.ancestors(asked) if isinstance(above, (cst.For, cst.While, cst.CompFor))]
    if not loops:
        return True
    values = list(assigned(statement, statement.function(asked) or statement.module, asked.value))
    if len(values) != 1:
        return False
    line = next((above for above in statement.ancestors(values[0]) if isinstance(above, cst.SimpleStatementLine)), None)
    block = statement.parent(line) if line is not None else None
    around = list(statement.ancestors(asked))
    inner = around[: next(number for number, above in enumerate(around) if above is loops[0])]
    return any(above is block for above in inner)


def is_part(statement: Statement, name: cst.Name) -> bool:
    """Whether a name is that of an attribute or of an argument, and no variable."""
    match statement.parent(name):
        case cst.Attribute(attr=part) | cst.Arg(keyword=part):
            return part is name
        case _:
            return False
