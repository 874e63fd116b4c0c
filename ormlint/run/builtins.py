"""Python's built-in functions, as far as they evaluate queries or pass rows on."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library import querysets
from ormlint.link.names import ClassInfo, External
from ormlint.run.attributes import attribute
from ormlint.run.expressions import callback_loop, iterate, to_text, truth_of
from ormlint.run.frame import Frame
from ormlint.run.log import Bound, Event, Length, Loop, Op, QueryObject, UseKind
from ormlint.run.loops import Iterated, reborn
from ormlint.run.machine import Machine
from ormlint.run.managers import misuse_manager
from ormlint.run.merging import join_values
from ormlint.run.narrowing import is_queryset
from ormlint.run.pins import note_alteration, unpin_all
from ormlint.run.queries import evaluate_query
from ormlint.run.targets import note_attribute_write
from ormlint.run.values import (
    NONE,
    UNKNOWN,
    Constant,
    Instance,
    Manager,
    Mapping,
    Native,
    Row,
    Scalar,
    Sequence,
    Union,
    Unknown,
    Value,
    deps_of,
    element_of,
    only_queries,
    options,
    varying,
)

SCALARS = frozenset({"str", "bytes", "int", "float", "bool"})
TYPES = {f"builtins.{name}": name for name in (*SCALARS, "list", "tuple", "set", "dict")}
TYPES |= {"builtins.basestring": "str", "builtins.unicode": "str", "builtins.long": "int"}  # of Python 2
WITHOUT_LENGTH = frozenset({"query", "select", "result"})  # of SQLAlchemy; a list of their rows has one
Builtin = Callable[[Machine, Frame, ir.Call, list[Value], dict[str, Value]], Value]


def _container(kind: str) -> Builtin:
    def make(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        if not args:
            return Sequence(kind, items=())
        value = args[0]
        if isinstance(value, QueryObject) and value.style != "select":
            evaluate_query(m, f, value, node, UseKind.DERIVE, operator=kind)
            inner = iterate_quietly(m, value)
            return Sequence(kind, inner.element, bound=inner.bound, limit=inner.limit, source=value)
        if isinstance(value, Sequence):
            copy = replace(value, kind=kind)
            if value in m.fed:
                m.fed[copy] = m.fed[value]
            return copy
        walked = iterate(m, f, value, node)
        return Sequence(kind, walked.element, bound=walked.bound, limit=walked.limit, source=walked.source, batches=walked.batches)

    return make


def iterate_quietly(m: Machine, query: QueryObject) -> Iterated:
    """Returns what a query's rows are, without another evaluation."""
    from ormlint.run.queries import element_of_query

    return Iterated(query.bound, query.limit, query, element_of_query(m, query))


def _len(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    either = bool(args) and not only_queries(args[0])
    for value in options(args[0]) if args else ():
        if isinstance(value, QueryObject) and value.style in WITHOUT_LENGTH:
            m.use(f, value, UseKind.OTHER, node)  # raises `TypeError`, before a statement
        elif isinstance(value, QueryObject):
            evaluate_query(m, f, value, node, UseKind.LEN, either=either)
        elif isinstance(value, Sequence) and value.source is not None:
            if value.kind == "set":
                m.use(f, value, UseKind.ITERATE, node)
            else:
                m.use_rows(f, value, UseKind.LEN, node, either=either)
    if args and isinstance(args[0], Manager) and isinstance(node.args[0], ir.Attr):
        misuse_manager(m, f, args[0], node.args[0], node, UseKind.LEN)
    if args and isinstance(args[0], Sequence) and args[0].kind == "tuple" and args[0].items is not None and args[0].source is None:
        return Constant(len(args[0].items))
    rows = args[0] if args else None
    if isinstance(rows, Sequence) and rows.kind != "set":
        rows = rows.source
    return _length(f, rows, node, varying(args)) if isinstance(rows, QueryObject) else varying(args)


def _length(f: Frame, query: QueryObject, node: ir.Call, number: Unknown) -> Value:
    """Returns the length of a query's rows as a number whose uses are recorded where its length is noted."""
    site = f.site(node.start, node.end)
    use = next((use for use in query.uses if use.kind is UseKind.LEN and use.site == site), None)
    if use is None:
        return number
    if use.length is None:
        use.length = Length(depends=number.deps)
    return Scalar(use.length)


def _walk(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Models reversed(), iter(), sorted() without a key and the like."""
    if not args:
        return UNKNOWN
    inner = iterate(m, f, args[0], node, operator=called(node))
    if "key" in keywords:
        call_back(m, f, node, keywords["key"], args[0], inner)
    return Sequence("list", inner.element, bound=inner.bound, limit=inner.limit, source=inner.source, batches=inner.batches)


def called(node: ir.Call) -> str:
    """Returns the name of the function that a call names, "" if it is none."""
    return node.func.id if isinstance(node.func, ir.Name) else ""


def call_back(
    m: Machine, f: Frame, node: ir.Call, function: Value, over: Value, inner: Iterated | None = None, before: tuple[Value, ...] = ()
) -> Value:
    """Calls a function once per element of something, in a loop of its own, with other arguments before it; returns what it gives."""
    from ormlint.run.calls import call
    from ormlint.run.loops import walk

    iterated = inner if inner is not None else walk(over)
    loop = callback_loop(m, f, node, iterated)
    assert isinstance(loop, Loop)
    f.loops.append(loop)
    element = iterated.element_in(m, f, loop)
    result = call(m, f, node, function, [*before, element], {})
    f.loops.pop()
    return result


def _enumerate(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    inner = iterate(m, f, args[0], node) if args else Iterated(Bound.MANY, None, None, UNKNOWN)
    pair = Sequence("tuple", items=(UNKNOWN, inner.element))
    return Sequence("list", pair, bound=inner.bound, limit=inner.limit, source=inner.source, batches=inner.batches)


def _zip(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    parts = [iterate(m, f, arg, node) for arg in args]
    if not parts:
        return Sequence("list", items=())
    limits = [p.limit for p in parts if p.limit is not None]
    source = next((p.source for p in parts if p.source is not None), None)
    return Sequence(
        "list",
        Sequence("tuple", items=tuple(p.element for p in parts)),
        bound=min(p.bound for p in parts),
        limit=min(limits, default=None),
        source=source,
    )


def _map(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    if len(args) < 2:
        return UNKNOWN
    inner = iterate(m, f, args[1], node)
    result = call_back(m, f, node, args[0], args[1], inner)
    return Sequence("generator", result, bound=inner.bound, limit=inner.limit, source=None)


def _filter(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    if len(args) < 2:
        return UNKNOWN
    inner = iterate(m, f, args[1], node)
    if args[0] != Constant(None):
        call_back(m, f, node, args[0], args[1], inner)
    return Sequence("generator", inner.element, bound=inner.bound, limit=inner.limit, source=inner.source)


def _figure(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Models sum(), min(), max(): one figure of all elements."""
    assert isinstance(node.func, (ir.Name, ir.Attr))
    name = node.func.id if isinstance(node.func, ir.Name) else node.func.name
    if len(args) == 1 or (name == "sum" and args):
        value = args[0]
        if "key" not in keywords and isinstance(value, QueryObject) and value.flat_column:
            iterate(m, f, value, node)
            aggregated(m, f, node, value, name, value.flat_column)
        elif (
            "key" not in keywords
            and isinstance(value, Sequence)
            and value.source is not None
            and value.kind in ("generator", "list", "set")
            and value.column
        ):
            aggregated(m, f, node, value.source, name, value.column)
        elif "key" in keywords:
            inner = iterate(m, f, value, node)
            call_back(m, f, node, keywords["key"], value, inner)
            return inner.element
        else:
            inner = iterate(m, f, value, node)
            return inner.element if name != "sum" else varying(args)
    return varying(args)


def aggregated(m: Machine, f: Frame, node: ir.Node, source: QueryObject, name: str, column: str) -> None:
    """Notes that the rows of a query only went into a figure: the loop that read them is part of it."""
    site = f.site(node.start, node.end)
    source.uses = [u for u in source.uses if not (u.kind in (UseKind.ITERATE, UseKind.ARGUMENT) and site.encloses(u.site))]
    m.use(f, source, UseKind.AGGREGATE, node, operator=name, constant=column)
    for event in _load_events(f, source):
        event.use, event.method, event.column = UseKind.AGGREGATE, name, column


def _load_events(f: Frame, source: QueryObject) -> list[Event]:
    return [e for e in f.events if e.query is source and e.op in (Op.LOAD_ROWS, Op.LAZY_COLLECTION)]


def attribute_getter(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Models operator.attrgetter("a.b"): a function that reads attributes one after the other."""
    paths = [a.value for a in args if isinstance(a, Constant) and isinstance(a.value, str)]

    def get(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        found: Value = UNKNOWN
        for path in paths:
            found = args[0] if args else UNKNOWN
            for name in path.split("."):
                found = attribute(m, f, node, found, name)
        return found

    return Native("attrgetter", get)


def _test(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    if args:
        known = truth_of(m, f, args[0], node.args[0] if isinstance(args[0], Manager) and node.args else node)
        if known is not None:
            return Constant(known)
    return UNKNOWN


def _any(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    if args:
        inner = iterate(m, f, args[0], node)
        truth_of(m, f, inner.element, node)
    return varying(args)


def _next(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    if not args:
        return UNKNOWN
    value = args[0]
    if isinstance(value, Sequence):
        if value.source is not None:
            m.use(f, value, UseKind.ITERATE, node, operator="next", repeated=m.is_repeated(f, value.source))
        drained = next((loop for loop in reversed(f.loops) if _drains(loop, value)), None)
        return reborn(element_of(value), tuple(f.loops), drained) if drained is not None else element_of(value)
    return iterate(m, f, value, node, operator="next").element


def _drains(loop: Loop, value: Sequence) -> bool:
    """Whether a loop takes one element after the other: `while True: row = next(rows)`."""
    return loop.kind == "while" and loop.bound is not Bound.ONE and loop.source is value.source


def _range(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    limit = None
    if args and all(isinstance(a, Constant) and isinstance(a.value, int) for a in args):
        limit = len(range(*(a.value for a in args)))  # type: ignore[union-attr,arg-type]
    bound = Bound.FEW if limit is not None and limit <= 20 else Bound.MANY
    return Sequence("range", UNKNOWN, bound=bound, limit=limit, batches=len(args) == 3)


def _dict(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    mapping = Mapping({k: v for k, v in keywords.items() if k != "**"})
    if args:
        if isinstance(args[0], Mapping):
            mapping.known = {**args[0].known, **mapping.known}
            mapping.key, mapping.element = args[0].key, args[0].element
        else:
            pair = iterate(m, f, args[0], node).element
            if isinstance(pair, Sequence) and pair.items is not None and len(pair.items) == 2:
                mapping.key, mapping.element = pair.items
            else:
                mapping.element = varying((pair,))
    return mapping


def _getattr(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    names = [o.value for o in options(args[1]) if isinstance(o, Constant) and isinstance(o.value, str)] if len(args) >= 2 else []
    if not names or len(names) < len(options(args[1])):
        return varying(args)
    if len(names) == 1:
        return attribute(m, f, node, args[0], names[0])
    f.conditional += 1  # `for name in ("author", "shop"): getattr(book, name)` reads another one per round
    found = attribute(m, f, node, args[0], names[0])
    for name in names[1:]:
        found = join_values(m, found, attribute(m, f, node, args[0], name))
    f.conditional -= 1
    return found


def _setattr(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Assigns an attribute that is named by a constant; of a row it may be any column otherwise."""
    if len(args) != 3 or len(node.args) != 3:
        return NONE
    owner, name, value = args
    if isinstance(name, Constant) and isinstance(name.value, str):
        m.use(f, value, UseKind.STORE, node)
        note_attribute_write(m, f, ir.Attr(node.start, node.end, node.args[0], name.value), value)
        return NONE
    for option in options(owner):
        if isinstance(option, Row):
            unpin_all(option)
            note_alteration(option)
    m.use(f, value, UseKind.ARGUMENT, node)
    return NONE


def _hasattr(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Reads the attribute of a row: `hasattr(author, "profile")` runs the query of `author.profile`. Of an object its class knows."""
    if len(args) == 2 and isinstance(args[0], Row) and isinstance(args[1], Constant) and isinstance(args[1].value, str):
        relation = args[0].model.relations.get(args[1].value)
        named = args[0].plan.loaded.get(f"to_attr:{args[1].value}")
        if args[1].value == "__dict__" or (named is not None and named.certain):
            return Constant(True)
        if relation is not None and relation.to_one:
            attribute(m, f, node, args[0], args[1].value)
    if len(args) == 2 and isinstance(args[0], Instance) and isinstance(args[1], Constant) and isinstance(args[1].value, str):
        from ormlint.run.objects import has_attribute

        has = has_attribute(m, args[0], args[1].value)
        return UNKNOWN if has is None else Constant(has)
    return UNKNOWN


def _str(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    for value in args:
        m.use(f, value, UseKind.OTHER, node)
        to_text(m, f, value, node)
    return varying(args)


def _print(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    for value in args:
        m.use(f, value, UseKind.ARGUMENT, node)
        to_text(m, f, value, node)
    return Constant(None)


def _type(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    value = args[0] if len(args) == 1 else UNKNOWN
    if isinstance(value, (Row, Instance)) and value.cls is not None:
        return value.cls
    return UNKNOWN


def _isinstance(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Decides isinstance() of a row or object of a known class, unless it may be of a subclass, and of what may be a QuerySet."""
    value, wanted = (args[0], args[1]) if len(args) == 2 else (UNKNOWN, UNKNOWN)
    if isinstance(wanted, External) and wanted.path in querysets.CLASSES:
        answers = {is_queryset(option) for option in options(value)}
        return Constant(answers.pop()) if len(answers) == 1 and None not in answers else UNKNOWN
    if isinstance(value, Union):
        found = [_isinstance(m, f, node, [option, wanted], keywords) for option in value.options]
        return found[0] if all(answer == found[0] for answer in found) else UNKNOWN
    cls = value.cls if isinstance(value, (Row, Instance)) else None
    classes = wanted.items if isinstance(wanted, Sequence) else (wanted,)
    paths = {c.path if isinstance(c, External) else "" for c in classes or ()}
    plain = _is_plain(value, paths) if paths else None
    if plain is not None:
        return Constant(plain)
    if classes is None or not all(isinstance(c, ClassInfo) for c in classes):
        return UNKNOWN
    if cls is None:
        return Constant(False) if value == NONE else UNKNOWN
    if any(c in cls.mro for c in classes):
        return Constant(True)
    return UNKNOWN if any(isinstance(c, ClassInfo) and cls in c.mro for c in classes) else Constant(False)


def _is_plain(value: Value, paths: set[str]) -> bool | None:
    """Whether a text, a number, a list or a row is of one of these types of Python, None if they are others or that is not known."""
    wanted = {TYPES.get(path, "") for path in paths}
    if "" in wanted:
        return None
    if isinstance(value, Constant):
        return any(cls.__name__ in wanted for cls in type(value.value).__mro__)
    # what is called a list may be any other collection
    return False if isinstance(value, Row) or (isinstance(value, Sequence) and wanted <= SCALARS) else None


def _same(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    return args[0] if args else UNKNOWN


def _nothing(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    return UNKNOWN


def _number(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    for value in args:
        m.use(f, value, UseKind.OTHER, node)
    return varying(args)


def _reveal(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    from ormlint.run.describe import describe

    entry = (f.site(node.start, node.end), describe(args[0]) if args else "nothing")
    if entry not in m.revealed:
        m.revealed.append(entry)
    return args[0] if args else UNKNOWN


def chained(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Models itertools.chain(): the elements of all arguments."""
    from ormlint.run.merging import join_values

    parts = [part for part in (iterate(m, f, arg, node) for arg in args) if part.limit != 0]
    if not parts:
        return Sequence("list", items=())
    element = parts[0].element
    for part in parts[1:]:
        element = join_values(m, element, part.element)
    source = parts[0].source if len(parts) == 1 else None
    return Sequence("generator", element, bound=max(p.bound for p in parts), source=source)


def flattened(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Models itertools.chain.from_iterable()."""
    if not args:
        return UNKNOWN
    outer = iterate(m, f, args[0], node)
    return chained(m, f, node, [outer.element], {})


def reduced(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Models functools.reduce(): a function gets what there is so far and an element, once per element."""
    for value in args[2:]:
        m.use(f, value, UseKind.ARGUMENT, node)
    if len(args) > 1:
        call_back(m, f, node, args[0], args[1], iterate(m, f, args[1], node), before=(UNKNOWN,))
    return varying(args)


def batched(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Models itertools.batched() and its like: lists of elements, one query per list being the point."""
    if not args:
        return UNKNOWN
    inner = iterate(m, f, args[0], node)
    return Sequence("generator", Sequence("list", inner.element, bound=Bound.PAGE), bound=Bound.MANY, batches=True)


BUILTINS: dict[str, Builtin] = {
    "list": _container("list"),
    "tuple": _container("tuple"),
    "set": _container("set"),
    "frozenset": _container("set"),
    "len": _len,
    "reversed": _walk,
    "iter": _walk,
    "aiter": _walk,
    "sorted": _walk,
    "enumerate": _enumerate,
    "zip": _zip,
    "map": _map,
    "filter": _filter,
    "sum": _figure,
    "min": _figure,
    "max": _figure,
    "bool": _test,
    "any": _any,
    "all": _any,
    "next": _next,
    "anext": _next,
    "range": _range,
    "dict": _dict,
    "getattr": _getattr,
    "setattr": _setattr,
    "hasattr": _hasattr,
    "str": _str,
    "repr": _str,
    "format": _str,
    "print": _print,
    "type": _type,
    "isinstance": _isinstance,
    "staticmethod": _same,  # `render = staticmethod(flask.render_template)` in a class body
    "issubclass": _nothing,
    "callable": _nothing,
    "id": _nothing,
    "int": _number,
    "float": _number,
    "round": _number,
    "abs": _number,
    "reveal_type": _reveal,
}

__all__ = ["BUILTINS", "Union", "Unknown", "batched", "call_back", "chained", "deps_of", "flattened", "reduced"]
