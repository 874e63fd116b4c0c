"""Names, attributes and calls as templates understand them.

Django    {{ a.b.0 }}    every step looks up a key, then an attribute, then an index, and calls what can be called
Jinja     {{ a.b() }}    as in Python, but `a.b` may also be a key
"""

from __future__ import annotations

from collections.abc import Callable

from ormlint.ir import nodes as ir
from ormlint.library import querysets
from ormlint.link.names import ClassInfo, External, FunctionInfo
from ormlint.link.template_tags import Extension
from ormlint.link.templates import TemplateInfo
from ormlint.run import calls, expressions, templates
from ormlint.run.attributes import attribute
from ormlint.run.evaluate import evaluate
from ormlint.run.frame import Frame
from ormlint.run.log import Bound, QueryObject, Shape, UseKind
from ormlint.run.machine import Machine
from ormlint.run.merging import join_values
from ormlint.run.queries import DJANGO_STYLES, evaluate_query, refined
from ormlint.run.request_values import is_kept, request_value
from ormlint.run.template_filters import FILTERS, GROUP, regroup
from ormlint.run.values import (
    UNKNOWN,
    BoundMethod,
    Closure,
    Constant,
    Instance,
    Manager,
    Mapping,
    Method,
    Native,
    Row,
    Scalar,
    Sequence,
    Union,
    Unknown,
    Value,
    options,
    varying,
)

LOOPS = frozenset({"forloop", "loop"})
JINJA_BUILTINS = {"range": "range", "dict": "dict", "namespace": "dict"}
DICT_METHODS = frozenset({"items", "keys", "values"})
JINJA_DICT_METHODS = DICT_METHODS | {"get", "copy", "pop", "setdefault", "update"}
CHANGING = frozenset({"save", "delete", "asave", "adelete"})  # marked with `alters_data`, which templates do not call


def name_in_template(m: Machine, f: Frame, node: ir.Name) -> Value:
    """Returns the value of a variable; one that nobody set is unknown."""
    template = f.module
    assert isinstance(template, TemplateInfo)
    frame: Frame | None = f
    while frame is not None:
        found = frame.env.get(node.id)
        if found is not None:
            return called(m, f, node, found) if template.is_django else found
        frame = frame.outer
    if node.id in LOOPS and f.loops:
        return Unknown(frozenset({f.loops[-1].id}))
    if not template.is_django:
        own = templates.extension(m, f, "global", node.id)
        if own is not None:
            return own.function if not own.template and not own.takes_context else _global(own)
        if node.id in JINJA_BUILTINS:
            return External(f"builtins.{JINJA_BUILTINS[node.id]}")
    return UNKNOWN


def _global(own: Extension) -> Native:
    """Returns what a global is that renders a template or takes the context."""

    def run(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        return templates.use_extension(m, f, node, own, args, keywords)

    return Native(own.name, run)


def attribute_in_template(m: Machine, f: Frame, node: ir.Attr, value: Value) -> Value:
    """Returns what `value.name` is in a template."""
    assert isinstance(f.module, TemplateInfo)
    if not f.module.is_django:
        if type(value) is Unknown and isinstance(node.value, ir.Name) and node.value.id == "g" and is_kept(m, node.name):
            return request_value(m, node.name) or UNKNOWN  # Flask gives its pages `g`
        return member(m, f, node, value, node.name, JINJA_DICT_METHODS)
    if isinstance(node.value, ir.Name) and (node.value.id, node.name) == ("block", "super"):
        templates.render_inherited_block(m, f)
        return UNKNOWN
    return called(m, f, node, member(m, f, node, value, node.name, DICT_METHODS))


def member(m: Machine, f: Frame, node: ir.Node, value: Value, name: str, methods: frozenset[str]) -> Value:
    """Returns an entry or an attribute of a value; `methods` are the methods of a dict that templates use."""
    match value:
        case Union():
            return either(m, value, lambda option: member(m, f, node, option, name, methods))
        case Mapping():
            if name in value.known:
                return value.known[name]
            if name in methods:
                return Method(value, name)
            return value.element if value.element is not None else UNKNOWN
        case Sequence(kind=kind) if kind == GROUP and value.items is not None:
            return value.items[0] if name == "grouper" else value.items[1] if name == "list" else UNKNOWN
        case Sequence() | Scalar() | Constant():
            return varying((value,))
        case _:
            return attribute(m, f, node, value, name)


def either(m: Machine, value: Union, give: Callable[[Value], Value]) -> Value:
    """Returns what a function gives for any of the alternatives of a value."""
    found = give(value.options[0])
    for option in value.options[1:]:
        found = join_values(m, found, give(option))
    return found


def index_in_template(m: Machine, f: Frame, node: ir.Index, value: Value) -> Value:
    """Returns what `value.0` is in a Django template, or `value[index]` in a Jinja template, which may be an attribute."""
    from ormlint.run.subscripts import subscript

    assert isinstance(f.module, TemplateInfo)
    if f.module.is_django:
        return called(m, f, node, subscript(m, f, node, value))
    if isinstance(node.index, ir.Const) and isinstance(node.index.value, str) and isinstance(value, (Row, Instance)):
        return attribute(m, f, node, value, node.index.value)
    return subscript(m, f, node, value)


# ----------------------------------------------------------------------------------------- what Django calls by itself
def called(m: Machine, f: Frame, node: ir.Expr_, value: Value) -> Value:
    """Returns what Django puts in the place of a value that can be called: the result of calling it without arguments."""
    match value:
        case BoundMethod():
            if value.function.name in CHANGING or any(templates.required(value.function, bound=True)):
                return UNKNOWN
            return calls.call_function(m, f, node, value.function, [value.self], {})
        case FunctionInfo():
            return UNKNOWN if any(templates.required(value, bound=False)) else calls.call_function(m, f, node, value, [], {})
        case Closure(function=function) if function is not None:
            return UNKNOWN if any(templates.required(function, bound=False)) else calls.call_closure(m, f, node, value, [], {})
        case Method():
            return called_method(m, f, node, value)
        case Union():
            return either(m, value, lambda option: called(m, f, node, option))
        case _:
            return value


def called_method(m: Machine, f: Frame, node: ir.Expr_, method: Method) -> Value:
    """Returns what a method of the library's tables gives, unless it changes data."""
    from ormlint.run.calls import call_table

    call = ir.Call(node.start, node.end, node, [], [])
    match method.receiver:
        case QueryObject() | Manager():
            if querysets.canonical(method.name) in querysets.WRITES:
                return UNKNOWN
            return call_table(m, f, call, method, [], {})
        case Mapping():
            return call_table(m, f, call, method, [], {})
        case _:
            return varying((method.receiver,))


# -------------------------------------------------------------------------------------------------------------- calls
def call_in_template(m: Machine, f: Frame, node: ir.Call) -> Value:
    """Returns what a call gives: of a tag or filter, or in Jinja of anything else."""
    name = node.func.id if isinstance(node.func, ir.Name) else ""
    if name == "super":
        templates.render_inherited_block(m, f)
        return UNKNOWN
    kind, _, tail = name.partition(":")
    if not tail and name not in TAGS:
        return calls.evaluate_call(m, f, node)
    args = [evaluate(m, f, arg.value if isinstance(arg, ir.Star) else arg) for arg in node.args]
    keywords = {keyword: evaluate(m, f, value) for keyword, value in node.keywords}
    if not tail:
        return TAGS[name](m, f, node, args, keywords)
    if kind == "tag":
        return templates.tag(m, f, node, tail, args, keywords)
    if kind == "filter":
        return filtered(m, f, node, tail, args, keywords)
    return tested(m, f, node, tail, args, keywords)


def filtered(m: Machine, f: Frame, node: ir.Call, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what a filter gives: one that the project wrote, one of the library, or one that is not known."""
    own = templates.extension(m, f, "filter", name)
    if own is not None:
        return templates.use_extension(m, f, node, own, args, keywords)
    known = FILTERS.get(name)
    if known is not None:
        return known(m, f, node, args, keywords)
    for value in (*args, *keywords.values()):
        m.use(f, value, UseKind.OTHER, node)
        expressions.to_text(m, f, value, node)
    return varying((*args, *keywords.values()))


def tested(m: Machine, f: Frame, node: ir.Call, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what `value is name` gives in Jinja."""
    own = templates.extension(m, f, "test", name)
    if own is not None:
        return calls.call_function(m, f, node, own.function, args, keywords)
    if name == "defined" and args and isinstance(node.args[0], ir.Name) and node.args[0].id in templates.in_sight(f):
        return Constant(True)
    if name == "none" and args and isinstance(args[0], (Row, QueryObject, Sequence, Mapping, Instance, ClassInfo)):
        return Constant(False)
    for value in args[1:]:
        m.use(f, value, UseKind.OTHER, node)
    return varying(args)


def output(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Shows a value: `__str__` of a row, the first rows of a QuerySet."""
    for value in options(args[0]) if args else ():
        if isinstance(value, QueryObject):
            show_rows(m, f, node.args[0], value)
        else:
            m.use(f, value, UseKind.OTHER, node)
            expressions.to_text(m, f, value, node.args[0])
    return UNKNOWN


def show_rows(m: Machine, f: Frame, node: ir.Expr_, query: QueryObject) -> None:
    """Runs what `{{ books }}` runs: a query for the first 21 rows, unless they are at hand."""
    if query.style not in DJANGO_STYLES or query.shape is not Shape.ROWS or query.cached or query in f.evaluated:
        m.use(f, query, UseKind.OTHER, node)
        return
    first = refined(m, f, node, query, "[:]", sliced=True, bound=Bound.FEW, limit=21)
    evaluate_query(m, f, first, node, UseKind.ITERATE)


def block(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Renders a block where it stands."""
    if args and isinstance(args[0], Constant):
        templates.render_block(m, f, str(args[0].value))
    return UNKNOWN


def extends(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Does nothing: which base a template has is settled before its body is run."""
    return UNKNOWN


def grouped(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns the groups of `{% regroup rows by key as groups %}`."""
    return regroup(m, f, node, args[0], args[1]) if len(args) == 2 else UNKNOWN


TAGS = {
    "__output__": output,
    "include": templates.include,
    "import": templates.imported,
    "extends": extends,
    "block": block,
    "regroup": grouped,
}

MEANINGS: dict[type[ir.Node], Callable[..., Value]] = {
    ir.Name: name_in_template,
    ir.Attr: attribute_in_template,
    ir.Index: index_in_template,
    ir.Call: call_in_template,
}
"""What evaluates the expressions that mean something else in a template."""
