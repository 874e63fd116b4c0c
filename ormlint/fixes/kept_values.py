"""A query that is sent again for the answer that it gave before: the answer is kept in a variable.

print(Book.objects.count())            book_count = Book.objects.count()
print(Book.objects.count())            print(book_count)
                                       print(book_count)

for shelf in shelves:                  book_count = Book.objects.count()
    print(Book.objects.count())        for shelf in shelves:
                                           print(book_count)

A queryset of Django keeps its rows and is bound itself; a query or result of SQLAlchemy keeps none and is bound as a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from ormlint.fixes.counts import breaks_line
from ormlint.fixes.imports import Refusal, is_builtin
from ormlint.fixes.kept_variables import has_namespace, is_harmless
from ormlint.fixes.moved_lines import moved_before, moved_of
from ormlint.fixes.rounds import is_always_reached
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import bindings, free_name
from ormlint.judge.finding import Applicability, AskBefore, Fix, KeepAnswer
from ormlint.library.querysets import ONE_ROW
from ormlint.link.schema import Orm
from ormlint.run.log import Event, Op
from ormlint.text import Edit

_KEPT = "keep the answer in a variable, and use it again"
_HOISTED = "run the query once before the loop"
_STALE = "what others write in between is not seen, and what was fetched anew is one object"
_EAGER = "the query runs even if the loop has no rounds, before what the loop walks is made, and its rows are the same objects in every round"
_ONCE = "the rows are loaded in the first round, and are the same objects in every round"
_BOUND = "the loop binds a name that the query is made of"
_LOADS = (Op.LOAD_ROWS, Op.LAZY_COLLECTION)
_READERS = frozenset(
    {"list", "tuple", "set", "frozenset", "dict", "sorted", "len", "bool", "sum", "min", "max", "any", "all", "enumerate", "reversed"}
)
_COPIES = frozenset({"list", "tuple", "set", "dict", "sorted", "enumerate", "reversed"})
_READERS = _COPIES | {"len", "bool", "sum", "min", "max", "any", "all"}
_RESULTS = frozenset({"scalars", "execute", "unique", "mappings"})  # what `all()` may follow
_LISTS = frozenset({"all", "fetchall"})
_VALUES = ONE_ROW | frozenset(
    ("count", "exists", "contains", "aggregate", "one", "one_or_none", "scalar", "scalar_one", "scalar_one_or_none", "get_one", "fetchone")
)
_STREAMS = ("iterator", "aiterator", "yield_per", "stream", "stream_scalars", "raw")


@dataclass(frozen=True, slots=True)
class _Answer:
    """The expression that asks a query, and the code whose value is kept of it; `is_new` if that is more than the expression."""

    file: SourceFile
    statement: Statement
    scope: cst.FunctionDef
    node: cst.BaseExpression
    code: str
    is_new: bool


def keep_answer(sources: Sources, intent: KeepAnswer) -> Fix | None:
    """Returns the fix, a display-only one if it cannot be written, None if the places are not found."""
    first, again = _answer(sources, intent.first), _answer(sources, intent.again)
    if first is None or again is None:
        return None
    made = _kept(sources, intent, first, again)
    return Fix(Applicability.DISPLAY, _KEPT, (), made.reason) if isinstance(made, Refusal) else made


def ask_before(sources: Sources, intent: AskBefore) -> Fix | None:
    """Returns the fix, a display-only one if the query cannot be moved, None if the place is not found."""
    answer = _answer(sources, intent.event)
    if answer is None:
        return None
    made = answer if isinstance(answer, Refusal) else _hoisted(sources, intent, answer)
    return Fix(Applicability.DISPLAY, _HOISTED, (), made.reason) if isinstance(made, Refusal) else made


# ------------------------------------------------------------------------------------------------------ what is kept
def _answer(sources: Sources, event: Event) -> _Answer | Refusal | None:
    file, statement = sources.file(event.site), sources.statement(event.site)
    node = statement.expression(event.site.start, event.site.end) if statement is not None else None
    if file is None or statement is None or node is None or event.query is None:
        return None
    if event.op in _LOADS:
        node = _taken(statement, _rows_of(node))
    else:
        node = _value_of(statement, node, event)
        if node is None:
            return Refusal("it is not clear which part of the expression gives the answer")
    scope = statement.function(node)
    if not isinstance(scope, cst.FunctionDef):
        return Refusal("it stands in no function, or in a lambda")
    if scope.asynchronous is not None:
        return Refusal("the function is asynchronous")
    if event.query.has(*_STREAMS) or event.query.raw or event.query.locked:
        return Refusal("the query keeps no rows, or locks them")
    start, end = statement.outer(node)
    written = code = file.text[start:end]
    if event.op in _LOADS:
        code = code if event.orm is Orm.DJANGO else _listed(node, code, event.query.style == "query")
        if not (_is_walked(statement, node) or (event.orm is Orm.SQLALCHEMY and code == written)):
            return Refusal("more is done with the rows than to walk them")
    if not code:
        return Refusal("it is not clear what gives the rows as a list")
    return _Answer(file, statement, scope, node, f"({code})" if breaks_line(code) else code, is_new=code != written)


def _rows_of(node: cst.BaseExpression) -> cst.BaseExpression:
    """Returns the query that `list(…)`, `len(…)` and the like load the rows of."""
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in _READERS and node.args and not node.args[0].star:
        node = node.args[0].value
    return node


def _taken(statement: Statement, node: cst.BaseExpression) -> cst.BaseExpression:
    """Returns a result of SQLAlchemy with the methods behind it that give its rows: `session.scalars(statement).unique().all()`."""
    while True:
        above = statement.parent(node)
        call = statement.parent(above) if isinstance(above, cst.Attribute) and above.attr.value in _RESULTS | _LISTS else None
        if not isinstance(call, cst.Call) or call.func is not above or call.args:
            return node
        node = call


def _value_of(statement: Statement, node: cst.BaseExpression, event: Event) -> cst.BaseExpression | None:
    """Returns the expression around a query that gives its answer: `books[0]`, `session.scalars(statement).first()`; None if there is none."""
    above = statement.parent(node)
    match above:
        case cst.Subscript(value=rows, slice=[cst.SubscriptElement(slice=cst.Index())]) if rows is node:
            return above
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and event.orm is Orm.DJANGO:
        return node  # get_object_or_404(Book, pk=pk)
    while not (isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in _VALUES):
        call = statement.parent(above) if isinstance(above, cst.Attribute) and above.value is node else None
        if not isinstance(call, cst.Call) or call.func is not above:
            return None
        node, above = call, statement.parent(call)
    return node


def _is_walked(statement: Statement, node: cst.BaseExpression) -> bool:
    """Whether the rows are only taken from a query, as they could be from a list."""
    above = statement.parent(node)
    match above:
        case cst.For(iter=part) | cst.CompFor(iter=part) | cst.If(test=part):
            return part is node
        case cst.UnaryOperation(operator=cst.Not()) | cst.ComparisonTarget(operator=cst.In() | cst.NotIn()):
            return True
        case cst.Arg(star="", keyword=None):
            call = statement.parent(above)
            return isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value in _READERS
        case _:
            return False


def _is_of_rows(statement: Statement, node: cst.BaseExpression) -> bool:
    """Whether the rows are used one by one, where they are taken from a query."""
    above = statement.parent(node)
    call = statement.parent(above) if isinstance(above, cst.Arg) else None
    return call is None or (isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value in _COPIES)


def _listed(node: cst.BaseExpression, code: str, is_query: bool) -> str:
    """Returns the code that gives the rows of SQLAlchemy as a list, "" if it is not clear."""
    match node:
        case cst.Name() if is_query:
            return f"{code}.all()"
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=method))) if method in _LISTS:
            return code
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=method))) if is_query or method in _RESULTS:
            return f"{code}.all()"
        case _:
            return ""


# -------------------------------------------------------------------------------------------------------- asked twice
def _kept(sources: Sources, intent: KeepAnswer, first: _Answer | Refusal, again: _Answer | Refusal) -> Fix | Refusal:
    if isinstance(first, Refusal):
        return first
    if isinstance(again, Refusal):
        return again
    statement, file = first.statement, first.file
    if again.statement is not statement or again.scope is not first.scope:
        return Refusal("another function asks first")
    if has_namespace(statement, first.scope):
        return Refusal("the function hands on all of its variables")
    begun = _begun_with(first)
    if isinstance(begun, Refusal):
        return begun
    block = statement.parent(begun)
    if not any(above is block for above in statement.ancestors(again.node)) or statement.span(again.node)[0] < statement.span(first.node)[1]:
        return Refusal("the first answer is given in another block")
    start, end = statement.outer(again.node)
    if "#" in file.text[start:end]:
        return Refusal("a comment stands in the query")
    if intent.again.op not in _LOADS and intent.first.op in _LOADS and not _is_of_rows(statement, first.node):
        return Refusal("the rows are loaded for a figure, which the database gives without them")
    used = _used(file, intent)
    if isinstance(used, Refusal):
        return used
    name, edits = _variable(sources, intent.first, first, begun)
    if not name:
        return Refusal("no name for the answer is free")
    return Fix(Applicability.UNSAFE, f"keep the answer in `{name}`", (*edits, file.edit(start, end, used.format(name))), _STALE)


def _used(file: SourceFile, intent: KeepAnswer) -> str | Refusal:
    """Returns what stands for the second query, with `{}` for the variable."""
    wanted, given = intent.again.op, intent.first.op
    if wanted is given or (wanted in _LOADS and given in _LOADS):
        return "{}"
    function = {Op.COUNT: "len", Op.EXISTS: "bool"}.get(wanted)
    if function is None or given not in _LOADS:
        return Refusal("the row would have to be picked from those that are loaded")
    return f"{function}({{}})" if is_builtin(file, function) else Refusal(f"`{function}` means something else in this file")


def _variable(sources: Sources, event: Event, first: _Answer, begun: cst.BaseStatement) -> tuple[str, tuple[Edit, ...]]:
    """Returns the variable that has the first answer, with the edits that give it one; "" if no name is free."""
    statement = first.statement
    own = "" if first.is_new else _own_variable(first)
    bound = list(bindings(statement, first.scope, own)) if own else []
    if len(bound) == 1 and not isinstance(statement.parent(bound[0]), cst.NameItem):  # what is `global` may be given another value by a call
        return own, ()
    name = _name(sources, first, event)
    return name, _bound(first, begun, name) if name else ()


def _own_variable(first: _Answer) -> str:
    """Returns the variable that the first answer is assigned to, or whose queryset keeps it; "" if there is none."""
    if isinstance(first.node, cst.Name):
        return first.node.value
    match first.statement.parent(first.node):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
            return name
        case cst.AnnAssign(target=cst.Name(value=name)):
            return name
        case _:
            return ""


def _bound(answer: _Answer, before: cst.BaseStatement, name: str) -> tuple[Edit, ...]:
    """Returns the edits that assign an answer before a statement, and put the variable in its place."""
    start = answer.statement.span(before)[0]
    indentation = answer.file.indentation(start) or ""
    line = answer.file.insert(start, f"{name} = {answer.code}{answer.file.newline}{indentation}")
    return line, answer.file.edit(*answer.statement.outer(answer.node), name)


def _begun_with(answer: _Answer) -> cst.BaseStatement | Refusal:
    """Returns the statement that begins with asking a query, so that it may be asked right before."""
    statement, node = answer.statement, answer.node
    below: cst.CSTNode = node
    for above in statement.ancestors(node):
        if isinstance(above, (cst.SimpleStatementLine, cst.If, cst.For)) and isinstance(statement.parent(above), cst.IndentedBlock):
            return _begins(answer, above, below)
        if isinstance(above, (cst.BaseCompoundStatement, cst.SimpleStatementSuite)):
            return Refusal("the query stands where nothing can be put before it")
        below = above
    return Refusal("the query stands in no function")


def _begins(answer: _Answer, begun: cst.SimpleStatementLine | cst.If | cst.For, below: cst.CSTNode) -> cst.BaseStatement | Refusal:
    statement, node = answer.statement, answer.node
    match begun:
        case cst.SimpleStatementLine(body=[first, *_]):
            part: cst.CSTNode = first
        case cst.If(test=test):
            part = test
        case cst.For(iter=rows, asynchronous=None):
            part = rows
        case _:
            return Refusal("the loop is asynchronous")
    start = statement.span(begun)[0]
    if below is not part or answer.file.indentation(start) is None:
        return Refusal("the query stands where nothing can be put before it")
    if isinstance(_owner(statement, begun), cst.ClassDef):
        return Refusal("it would be an attribute of a class")
    if not is_always_reached(statement, node, begun):
        return Refusal("the query is sent only on some ways")
    if isinstance(part, (cst.Assert, cst.Del)) or any(_runs_before(statement, part, statement.span(node))):
        return Refusal("something runs before the query in its statement")
    return begun


def _runs_before(statement: Statement, part: cst.CSTNode, span: tuple[int, int]) -> Iterator[bool]:
    """Yields True for what a part of a statement does before an expression in it is evaluated."""
    for call in statement.within(part, cst.Call):
        yield statement.span(call)[1] <= span[0] and not is_harmless(call)
    for kind in (cst.NamedExpr, cst.Await, cst.Yield):
        for node in statement.within(part, kind):
            yield statement.span(node)[0] <= span[0]


def _owner(statement: Statement, node: cst.CSTNode) -> cst.CSTNode | None:
    return next((above for above in statement.ancestors(node) if isinstance(above, (cst.FunctionDef, cst.ClassDef, cst.Lambda))), None)


def _name(sources: Sources, answer: _Answer, event: Event) -> str:
    """Returns a new variable for an answer, the same for all that use it; "" if no name is free."""
    model = event.model or (event.query.model if event.query is not None else None)
    word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model.name).lower() if model is not None else "kept"
    what = {Op.COUNT: "count", Op.EXISTS: "exists", Op.AGGREGATE: "figures", Op.GET_ROW: "row"}.get(event.op, "rows")
    wanted = [f"{word}_{what}", *(f"{word}_{what}_{number}" for number in range(2, 10))]
    return free_name(sources, answer.statement, answer.scope, wanted, answer.node) or ""


# ------------------------------------------------------------------------------------------------- asked in every round
def _hoisted(sources: Sources, intent: AskBefore, answer: _Answer) -> Fix | Refusal:
    statement = answer.statement
    refusal = Refusal("it belongs to another loop, or stands in a function that the loop calls")
    walked = list(_loops_around(answer, intent))
    for loop in reversed(walked):
        lines = _lines_of(answer, intent, loop)
        obstacle = _obstacle(answer, loop, walked) if lines is not None else _BOUND
        if obstacle or lines is None:
            refusal = Refusal(obstacle)
            continue
        if has_namespace(statement, answer.scope):
            return Refusal("the function hands on all of its variables")
        if lines and isinstance(answer.node, cst.Name) and not answer.is_new:  # a queryset keeps its rows
            return Fix(Applicability.UNSAFE, f"make `{answer.node.value}` before the loop", tuple(lines), _ONCE)
        name = _name(sources, answer, intent.event)
        if not name:
            return Refusal("no name for the answer is free")
        bound, read = _bound(answer, loop, name)
        if lines:  # one insertion: what the query is made of, then the query
            made = [edit for edit in lines if edit.start == edit.end]
            bound = replace(bound, content="".join(edit.content for edit in made) + bound.content)
        rest = [edit for edit in lines if edit.start < edit.end]
        return Fix(Applicability.UNSAFE, f"ask for `{name}` before the loop", (bound, *rest, read), _EAGER)
    return refusal


def _lines_of(answer: _Answer, intent: AskBefore, loop: cst.For) -> list[Edit] | None:
    """Returns the edits that move before a loop what the query is made of in its body; None if that cannot be moved."""
    statement, query = answer.statement, intent.event.query
    read = {name.value for name in statement.within(answer.node, cst.Name)}
    names = sorted(name for name in read if next(bindings(statement, loop, name), None) is not None)
    if not names or query is None:
        return []
    sites = (query.site, *query.steps)
    moved = moved_of(statement, answer.scope, loop, names[0], sites, statement.span(answer.node)[0]) if len(names) == 1 else None
    return moved_before(answer.file, statement, loop, moved) if moved is not None else None


def _loops_around(answer: _Answer, intent: AskBefore) -> Iterator[cst.For]:
    """Yields the loops of the intent around an expression, from the inside out, up to the first that is not one of them."""
    statement = answer.statement
    ends = {loop.site.end for loop in intent.loops if loop.site.path == answer.file.path and loop.kind == "for"}
    below: cst.CSTNode = answer.node
    for above in statement.ancestors(answer.node):
        if above is answer.scope or (isinstance(above, (cst.While, cst.BaseComp)) and not _is_first_rows(statement, above, answer.node)):
            return
        if isinstance(above, cst.For) and below is above.body:
            if not ends & {statement.span(above.iter)[1], statement.outer(above.iter)[1]}:
                return
            yield above
        below = above


def _is_first_rows(statement: Statement, above: cst.CSTNode, node: cst.BaseExpression) -> bool:
    """Whether an expression is part of what a comprehension walks first, which is evaluated once."""
    if not isinstance(above, cst.BaseComp):
        return False
    (start, end), (first, last) = statement.outer(above.for_in.iter), statement.span(node)
    return start <= first and last <= end


def _obstacle(answer: _Answer, loop: cst.For, walked: list[cst.For]) -> str:
    """Returns why a query cannot be sent before a loop, "" if it can."""
    statement, node = answer.statement, answer.node
    if loop.asynchronous is not None:
        return "the loop is asynchronous"
    if answer.file.indentation(statement.span(loop)[0]) is None or not isinstance(statement.parent(loop), cst.IndentedBlock):
        return "the loop shares its line"
    if isinstance(_owner(statement, loop), cst.ClassDef):
        return "it would be an attribute of a class"
    for above in statement.ancestors(node):
        if above is loop:
            break
        if isinstance(above, (cst.Try, cst.TryStar, cst.With)):
            return "a block in the loop decides what the query does, or what becomes of its errors"
    return "" if is_always_reached(statement, node, loop, inner=walked) else "only some rounds ask the query"
