"""Methods of lists, dicts and sets."""

from __future__ import annotations

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.run.frame import Frame
from ormlint.run.log import Bound, QueryObject, UseKind
from ormlint.run.loops import reborn
from ormlint.run.machine import Machine
from ormlint.run.merging import join_values
from ormlint.run.seeking import seeks
from ormlint.run.subscripts import entry
from ormlint.run.values import NONE, UNKNOWN, Constant, Mapping, Row, Sequence, Value, deps_of, element_of, entry_name, varying


def container_method(
    m: Machine, f: Frame, node: ir.Call, receiver: Sequence | Mapping, name: str, args: list[Value], keywords: dict[str, Value]
) -> Value:
    """Calls a method of a container; what is put into it stays there."""
    for value in (*args, *keywords.values()):
        m.use(f, value, UseKind.STORE, node)
    if isinstance(receiver, Mapping):
        return _mapping(m, f, node, receiver, name, args, keywords)
    return _sequence(m, f, node, receiver, name, args, keywords)


def _sequence(m: Machine, f: Frame, node: ir.Call, receiver: Sequence, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    if name in ("_tuple", "tuple") and receiver.kind == "tuple":
        return receiver  # a Row of SQLAlchemy
    if name in ("append", "add", "insert", "appendleft") and args:
        if f.loops and isinstance(args[-1], Row) and seeks(m, f, args[-1], node):
            args[-1] = replace(args[-1], sought=True)
        _grow(m, receiver, args[-1], Bound.FEW if _is_listed_of_few(f, node) else Bound.MANY)
        _note_collection(m, f, node, receiver, name)
        receiver.picked = receiver.picked or (bool(f.loops) and f.conditional > 0 and isinstance(args[-1], Row))
        # `for book in books: if book.is_odd(): odd.append(book)` keeps who knows how few
        if f.loops and f.loops[-1].source is not None and _is_variable(node) and not f.conditional:
            m.fed.setdefault(receiver, {})[f.loops[-1].source] = None
        return NONE
    if name in ("extend", "update", "extendleft") and args:
        from ormlint.run.expressions import iterate

        inner = iterate(m, f, args[0], node)
        _note_collection(m, f, node, receiver, name)
        _grow(m, receiver, inner.element, inner.bound)
        if inner.source is not None and inner.bound is Bound.MANY and _is_variable(node):
            m.fed.setdefault(receiver, {})[inner.source] = None
        return NONE
    if name in ("pop", "popleft"):
        if receiver.source is not None:
            m.use(f, receiver, UseKind.ITERATE, node)
        element = element_of(receiver)
        around = next((loop for loop in reversed(f.loops) if loop.kind == "while"), None)
        return reborn(element, tuple(f.loops), around) if around is not None and not args else element
    if name in ("copy", "union", "intersection", "difference", "symmetric_difference"):
        if receiver.source is not None:
            m.use(f, receiver, UseKind.ITERATE, node)
        element = element_of(receiver)
        for arg in args:
            if isinstance(arg, Sequence):
                element = join_values(m, element, element_of(arg)) if receiver.items != () else element_of(arg)
        return Sequence(receiver.kind, element, bound=receiver.bound, source=receiver.source, picked=receiver.picked)
    if name in ("sort", "reverse"):
        if receiver.source is not None:
            m.use(f, receiver, UseKind.ITERATE, node)
        if "key" in keywords:
            from ormlint.run.builtins import call_back

            call_back(m, f, node, keywords["key"], receiver)
        return NONE
    if receiver.source is not None:
        m.use(f, receiver, UseKind.OTHER, node)
    return varying((receiver, *args))


def _note_collection(m: Machine, f: Frame, node: ir.Call, receiver: Sequence, name: str) -> None:
    """Notes on a collection of a row of SQLAlchemy that something is put into it."""
    if receiver.source is not None and receiver.source.style == "list" and receiver.source.relation is not None:
        m.use(f, receiver.source, UseKind.METHOD, node, operator=name)


def _is_listed_of_few(f: Frame, node: ir.Call) -> bool:
    """Whether rounds over nothing but a few constants put something into a list of the function's own."""
    if not f.loops or any(loop.bound > Bound.FEW or loop.kind == "while" for loop in f.loops) or f.function is None:
        return False
    name = node.func.value.id if isinstance(node.func, ir.Attr) and isinstance(node.func.value, ir.Name) else ""
    return name in f.env and name not in {param.name for param in f.function.node.params}


def _is_variable(node: ir.Call) -> bool:
    """Whether a method is called on a variable: `rows.append(row)`, unlike `groups[key].append(row)`, which gets only some."""
    return isinstance(node.func, ir.Attr) and isinstance(node.func.value, ir.Name)


def _grow(m: Machine, receiver: Sequence, value: Value, bound: Bound) -> None:
    if receiver.items == () and bound is Bound.FEW:
        receiver.bound = bound
    receiver.element = value if receiver.items == () else join_values(m, element_of(receiver), value)
    receiver.items = None
    receiver.limit = None
    receiver.bound = max(bound, receiver.bound) if receiver.bound is not Bound.MANY or bound is Bound.MANY else Bound.MANY


def _put(m: Machine, f: Frame, mapping: Mapping, entries: dict[str, Value]) -> None:
    """Puts entries into a dict; in a branch it may keep those that it has."""
    for key, value in entries.items():
        old = mapping.known.get(key)
        mapping.known[key] = value if old is None or f.branch_depth == 0 else join_values(m, old, value)


def _mapping(m: Machine, f: Frame, node: ir.Call, receiver: Mapping, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    if receiver.source is not None:
        m.use(f, receiver.source, UseKind.ITERATE, node)
    element = receiver.element
    for value in receiver.known.values():
        element = value if element is None else join_values(m, element, value)
    if element is None:
        element = UNKNOWN
    few = receiver.element is None and bool(receiver.known)
    bound, limit = (Bound.FEW, len(receiver.known)) if few else (Bound.MANY, None)
    match name:
        case "items" if few and any(type(value) is QueryObject for value in receiver.known.values()):
            return Sequence("list", items=tuple(Sequence("tuple", items=(Constant(name), value)) for name, value in receiver.known.items()))
        case "items":
            return Sequence("list", Sequence("tuple", items=(receiver.key, element)), bound=bound, limit=limit)
        case "values":
            return Sequence("list", element, bound=bound, limit=limit)
        case "keys":
            return Sequence("list", receiver.key, bound=bound, limit=limit)
        case "get" | "pop" | "setdefault":
            key = args[0] if args else UNKNOWN
            if (known := entry_name(key)) is not None and known in receiver.known:
                return receiver.known[known]
            if (
                name == "setdefault"
                and len(args) > 1
                and isinstance(key, Constant)
                and isinstance(key.value, str)
                and receiver.element is None
                and not f.branch_depth
            ):
                receiver.known[key.value] = args[1]
                return args[1]
            if name == "setdefault" and len(args) > 1:
                receiver.key = key if receiver.element is None and not receiver.known else join_values(m, receiver.key, key)
                receiver.element = args[1] if receiver.element is None else join_values(m, receiver.element, args[1])
                element = receiver.element
            found = entry(f, element, key)
            if name == "get" and receiver.element is None and receiver.known and isinstance(key, Constant):
                return args[1] if len(args) > 1 else NONE  # a display without that key
            if name == "get" and len(args) > 1 and not isinstance(args[1], Constant):
                return join_values(m, found, args[1])
            return found
        case "update":
            for arg in args:
                if isinstance(arg, Mapping):
                    _put(m, f, receiver, arg.known)
                    if arg.element is not None:
                        receiver.element = arg.element if receiver.element is None else join_values(m, receiver.element, arg.element)
                else:
                    receiver.element = varying((arg, receiver.element))
            spread = keywords.pop("**", None)  # `context.update(**more)`
            if spread is not None:
                receiver.element = spread if receiver.element is None else join_values(m, receiver.element, spread)
            _put(m, f, receiver, keywords)
            return NONE
        case "copy":
            return Mapping(dict(receiver.known), receiver.key, receiver.element, receiver.source)
        case "append" | "add":
            return NONE
        case _:
            return varying((receiver, *args)) if deps_of(receiver) else UNKNOWN
