"""Which functions are run for very many different arguments, as all that can be said of them depends on what they are given."""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.library.views import VERBS
from ormlint.link.names import ClassInfo, FunctionInfo
from ormlint.run.log import QueryObject
from ormlint.run.parameters import names_template
from ormlint.run.values import Instance, Mapping, Row, Value

MAX_CONTEXTS = 40  # runs of one function with different arguments
MAX_OF_LONG = 16  # runs of a very long function, each of which takes as long as many others
MAX_GENERIC = 400  # runs of a short function for many classes or statements: `get_all(statement)` of a generic repository has one for each
SHORT = 800  # characters
LONG = 2400  # characters of a method of a queryset
VERY_LONG = 3000
VIEWS = ("View", "MethodView")  # classes whose methods answer requests


def most_contexts(function: FunctionInfo) -> int:
    """Returns how often a function is run with different arguments, unless it is generic."""
    return MAX_CONTEXTS if function.node.end - function.node.start < VERY_LONG else MAX_OF_LONG


def is_spent(function: FunctionInfo, env: dict[str, Value], runs: int) -> bool:
    """Whether a function has been run so often that it is not run with these further arguments."""
    return runs >= most_contexts(function) and (runs >= MAX_GENERIC or not is_generic(function, env))


def is_answered(function: FunctionInfo, row: Row) -> bool:
    """Whether the conditions of a row's query may say what a short method of it does: `book.is_sold()` of `Book.objects.filter(state=SOLD)`.

    It reads such a column, or calls another method that does.
    """
    pins = row.origin.query.pins if row.origin is not None else ()
    if not pins or row.cls is None or function.owner is None or _length(function) >= SHORT:
        return False
    names = {pin.name for pin in pins}
    own = _reads(function)
    if not names.isdisjoint(own):
        return True
    methods = (row.cls.method(name) for name in own)
    return any(method is not None and not names.isdisjoint(_reads(method)) for method in methods)


def _reads(function: FunctionInfo) -> frozenset[str]:
    if function.reads is None:
        first = function.node.params[0].name if function.node.params else ""
        attributes = (node for node in walk(function.node.body) if isinstance(node, ir.Attr))
        function.reads = frozenset(node.name for node in attributes if isinstance(node.value, ir.Name) and node.value.id == first)
    return function.reads


def is_generic(function: FunctionInfo, env: dict[str, Value]) -> bool:
    """Whether a function is a few lines around what it is given: a statement, the class below its own that it is called on, or its own query."""
    first = next(iter(env.values()), None)
    length = _length(function)
    if isinstance(first, Row) and is_answered(function, first):
        return True
    if isinstance(first, QueryObject) and function.owner is not None and length < LONG:
        return True  # `Book.objects.visible_to(user)`: all that follows hangs on what the method of a queryset gives
    if isinstance(first, ClassInfo) and first.model is not None and function.owner is not None and first is not function.owner:
        return length < LONG  # `Book.read_many(session, keys)`, which every model has from one base
    if isinstance(first, Instance) and length < LONG and any(_decides(value) for value in first.attributes.values()):
        return True  # `Search(session, Book).newest()`: an object around a model or its query, `Page("books.html", books=books).show()`
    if length < LONG and any(names_template(value) for value in env.values()):
        return True  # `show_page("books.html", books=books)`
    if length < LONG and any(isinstance(value, ClassInfo) and value.model is not None for value in env.values()):
        return True  # `find_or_404(session, Book, key)`
    cls = first.cls if isinstance(first, Instance) else first
    inherited = isinstance(cls, ClassInfo) and function.owner is not None and cls is not function.owner
    if inherited and length < LONG and any(isinstance(value, QueryObject) for value in env.values()):
        return True  # `filter_queryset(request, queryset, view)` of a filter that many views share
    if length >= SHORT:
        return (
            inherited and function.name in VERBS and isinstance(cls, ClassInfo) and cls.derives_from(*VIEWS)
        )  # `get()` of a project's own list view
    if inherited:
        return True
    return any(isinstance(value, QueryObject) and value.style == "select" for value in env.values())


def deciding(function: FunctionInfo) -> frozenset[str]:
    """Returns the parameters of a function that it compares with texts: `if direction == "incoming":`."""
    found: set[str] = set()
    for node in walk(function.node.body):
        match node:
            case ir.Compare(op="==" | "!=", left=ir.Name(id=name), right=ir.Const(value=str())):
                found.add(name)
            case ir.Compare(op="in" | "not in", left=ir.Name(id=name), right=ir.Seq(items=[ir.Const(value=str()), *_])):
                found.add(name)
            case _:
                pass
    return frozenset(found.intersection(param.name for param in function.node.params))


def _decides(value: Value) -> bool:
    """Whether all that an object does may hang on a value that it holds: a query, a model, a template, or a dict with one of them."""
    if isinstance(value, Mapping):
        return any(isinstance(held, QueryObject) or names_template(held) for held in value.known.values())
    return isinstance(value, QueryObject) or (isinstance(value, ClassInfo) and value.model is not None)


def _length(function: FunctionInfo) -> int:
    """Returns the length of a function's body without its docstring, in characters."""
    body = function.node.body
    return function.node.end - body[0].start if body else 0
