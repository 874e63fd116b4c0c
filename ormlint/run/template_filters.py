"""The filters of Django and Jinja, as far as they evaluate queries, read attributes or pass rows on.

A filter that is not listed makes text of its value. Source: django.template.defaultfilters and jinja2.filters.
"""

from __future__ import annotations

from collections.abc import Callable

from ormlint.ir import nodes as ir
from ormlint.link.templates import TemplateInfo
from ormlint.run.builtins import BUILTINS, call_back
from ormlint.run.containers import container_method
from ormlint.run.expressions import iterate, to_text, truth_of
from ormlint.run.frame import Frame
from ormlint.run.log import QueryObject, UseKind
from ormlint.run.loops import Iterated
from ormlint.run.machine import Machine
from ormlint.run.merging import join_values
from ormlint.run.subscripts import subscript
from ormlint.run.values import UNKNOWN, Constant, Mapping, Native, Sequence, Value, element_of, varying

Filter = Callable[[Machine, Frame, ir.Call, list[Value], dict[str, Value]], Value]
GROUP = "group"  # the kind of the pair that groupby and regroup make: the key and its rows


def _is_django(f: Frame) -> bool:
    return isinstance(f.module, TemplateInfo) and f.module.is_django


def read_path(m: Machine, f: Frame, node: ir.Call, value: Value, path: str) -> Value:
    """Returns what a dotted path leads to from a value: `dictsort:"author.name"`, `map(attribute="author.name")`."""
    from ormlint.run.template_expressions import DICT_METHODS, called, member

    for name in path.split("."):
        value = member(m, f, node, value, name, DICT_METHODS)
        if _is_django(f):
            value = called(m, f, node, value)
    return value


def _by_path(path: Value | None) -> Native | None:
    """Returns the function that reads a path, or None if the path is not a constant."""
    if not isinstance(path, Constant) or not isinstance(path.value, str):
        return None
    text = path.value

    def read(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        return read_path(m, f, node, args[0], text)

    return Native("attribute", read)


def _each(m: Machine, f: Frame, node: ir.Call, value: Value, path: Value | None) -> tuple[Iterated, Value]:
    """Walks a value and reads a path of every element, if one is given; returns the walk and what was read."""
    walked = iterate(m, f, value, node)
    read = _by_path(path)
    return walked, call_back(m, f, node, read, value, walked) if read is not None else walked.element


def _listed(walked: Iterated, element: Value) -> Sequence:
    return Sequence("list", element, bound=walked.bound, limit=walked.limit, source=walked.source)


def _builtin(name: str) -> Filter:
    def run(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        return BUILTINS[name](m, f, node, args[:1], {})

    return run


def _pluralize(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    # `{{ books|pluralize }}` takes the length of what is no number
    if isinstance(args[0], (QueryObject, Sequence)):
        BUILTINS["len"](m, f, node, args[:1], {})
    else:
        m.use(f, args[0], UseKind.OTHER, node)
    return UNKNOWN


def _first(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    if _is_django(f):
        return subscript(m, f, ir.Index(node.start, node.end, node.args[0], ir.Const(node.start, node.start, 0)), args[0])
    return BUILTINS["next"](m, f, node, args[:1], {})


def _last(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    # `books|last` fails for a QuerySet, which cannot be indexed from its end
    if isinstance(args[0], Sequence):
        m.use(f, args[0], UseKind.INDEX, node)
        return args[0].items[-1] if args[0].items else element_of(args[0])
    m.use(f, args[0], UseKind.OTHER, node)
    return varying(args)


def _slice(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    if not _is_django(f):
        walked = iterate(m, f, args[0], node)
        return Sequence("list", _listed(walked, walked.element), bound=walked.bound)
    text = args[1].value if len(args) > 1 and isinstance(args[1], Constant) else None
    bounds = str(text).split(":") if isinstance(text, (str, int)) else []
    if not bounds or any(part and not part.lstrip("-").isdigit() for part in bounds):
        m.use(f, args[0], UseKind.OTHER, node)
        return varying(args)
    parts: list[ir.Expr_ | None] = [ir.Const(node.start, node.start, int(part)) if part else None for part in bounds]
    if len(parts) == 1:
        parts = [None, parts[0]]
    cut = ir.Slice(node.start, node.end, parts[0], parts[1], parts[2] if len(parts) > 2 else None)
    return subscript(m, f, ir.Index(node.start, node.end, node.args[0], cut), args[0])


def _sort(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Models Django's `dictsort:"path"` and Jinja's `sort(attribute="path")`, `unique(attribute="path")`."""
    path = args[1] if _is_django(f) and len(args) > 1 else keywords.get("attribute")
    walked, _ = _each(m, f, node, args[0], path)
    return _listed(walked, walked.element)


def _dictsort(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    if not _is_django(f):
        return _items(m, f, node, args, keywords)
    return _sort(m, f, node, args, keywords)


def _join(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    walked = iterate(m, f, args[0], node)
    read = _by_path(keywords.get("attribute"))

    def show(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        value = read.call(m, f, node, args, keywords) if read is not None else args[0]
        to_text(m, f, value, node)
        return value

    call_back(m, f, node, Native("join", show), args[0], walked)
    return varying(args)


def _map(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    walked, element = _each(m, f, node, args[0], keywords.get("attribute"))
    if "attribute" not in keywords:
        element = varying((element,))
    return Sequence("generator", element, bound=walked.bound, limit=walked.limit)


def _select(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    walked, _ = _each(m, f, node, args[0], args[1] if len(args) > 1 else None)
    return _listed(walked, walked.element)


def _select_elements(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    walked = iterate(m, f, args[0], node)
    return _listed(walked, walked.element)


def _figure(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Models `sum(attribute=…)`, `min(attribute=…)`, `max(attribute=…)` of Jinja."""
    assert isinstance(node.func, ir.Name)
    walked, _ = _each(m, f, node, args[0], keywords.get("attribute"))
    return varying((walked.element,)) if node.func.id == "filter:sum" else walked.element


def _group(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    return regroup(m, f, node, args[0], args[1] if len(args) > 1 else keywords.get("attribute"))


def regroup(m: Machine, f: Frame, node: ir.Call, rows: Value, path: Value | None) -> Value:
    """Returns the groups of rows by a path: pairs of the key and the rows, which are also called grouper and list."""
    walked, key = _each(m, f, node, rows, path)
    return Sequence("list", Sequence(GROUP, items=(key, _listed(walked, walked.element))), bound=walked.bound)


def _walk(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    walked = iterate(m, f, args[0], node)
    return _listed(walked, walked.element)


def _random(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    return iterate(m, f, args[0], node).element


def _default(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    known = truth_of(m, f, args[0], node) if _is_django(f) or len(args) > 2 or "boolean" in keywords else None
    if known is True or len(args) < 2:
        return args[0]
    if args[0] == Constant(None) or (known is False):
        return args[1]
    # a variable that nobody set has the default
    return args[0] if isinstance(args[1], Constant) else join_values(m, args[0], args[1])


def _default_if_none(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    return args[0] if len(args) < 2 or isinstance(args[1], Constant) else join_values(m, args[0], args[1])


def _yesno(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    truth_of(m, f, args[0], node)
    return UNKNOWN


def _attribute(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    if len(args) > 1 and isinstance(args[1], Constant) and isinstance(args[1].value, str):
        return read_path(m, f, node, args[0], args[1].value)
    return varying(args)


def _items(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    if isinstance(args[0], Mapping):
        return container_method(m, f, node, args[0], "items", [], {})
    return varying(args)


def _add(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    for value in args:
        m.use(f, value, UseKind.OTHER, node)
    return varying(args)


FILTERS: dict[str, Filter] = {
    "length": _builtin("len"), "count": _builtin("len"), "pluralize": _pluralize, "first": _first, "last": _last, "slice": _slice, "batch": _slice,
    "dictsort": _dictsort, "dictsortreversed": _dictsort, "sort": _sort, "unique": _sort, "join": _join, "map": _map, "selectattr": _select,
    "rejectattr": _select, "select": _select_elements, "reject": _select_elements, "sum": _figure, "min": _figure, "max": _figure, "groupby": _group,
    "list": _builtin("list"), "reverse": _walk, "random": _random, "unordered_list": _walk, "json_script": _walk, "tojson": _walk,
    "default": _default, "d": _default, "default_if_none": _default_if_none, "yesno": _yesno, "attr": _attribute, "items": _items, "add": _add,
}  # fmt: skip
