"""What `__init__` makes of a new object: it is run once for all constructions that it cannot tell apart.

Report(session, Book)          the attributes that the first run set are copied, with what this call gave in place of what that one gave
Report(session, Author)        another class, another run
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.link.names import FunctionInfo
from ormlint.run.calls import adopt, bind
from ormlint.run.frame import Frame
from ormlint.run.log import QueryObject
from ormlint.run.machine import Machine
from ormlint.run.parameters import rebind, returned, symbolic
from ormlint.run.values import BoundMethod, Instance, Mapping, Sequence, Value, key_of

MAX_DEPTH = 3  # containers and objects within each other of which every new object gets its own


class Made(Struct, frozen=True):
    """What the first run of an `__init__` was given, by parameter, and the attributes that it set."""

    given: dict[str, Value]
    attributes: dict[str, Value]


def initialise_new(
    m: Machine, f: Frame, node: ir.Node, function: FunctionInfo, instance: Instance, args: list[Value], keywords: dict[str, Value]
) -> None:
    """Gives a new object the attributes that `__init__` sets with these arguments."""
    env, bindings, _ = symbolic(bind(m, function, [instance, *args], keywords), runs=0)
    keys = tuple([key_of(value) for value in env.values()])
    shared = not any(cls.module.is_library for cls in instance.cls.mro)
    m.keep.append(f)
    key = ("new", *keys) if shared else ("new", node.start, id(f), *keys)
    summary = m.run_function(function, env, key, depth=f.depth + 1, caller=f, node=node)
    if summary is not None:
        if shared:
            _share(m, f, node, function, keys, env, instance)
        if f.loops and summary.given is not env:
            rebind(bindings, summary.given, env)
        m.absorb(f, node, function.qualname, summary, bindings)
    for name, value in instance.attributes.items():
        instance.attributes[name] = returned(value, bindings, {})


def _share(m: Machine, f: Frame, node: ir.Node, function: FunctionInfo, keys: tuple[object, ...], env: dict[str, Value], instance: Instance) -> None:
    """Keeps the attributes of the first object that is made with such arguments, and gives them to each further one."""
    made = m.made_objects.get((id(function), keys))
    if made is None:
        swaps = {id(value): value for value in env.values()}
        kept = {name: _own(value, swaps, 0) for name, value in instance.attributes.items()}
        made = m.made_objects[id(function), keys] = Made(env, kept)
    else:
        swaps = {id(value): env[name] for name, value in made.given.items()}
        instance.attributes.update((name, _own(value, swaps, 0)) for name, value in made.attributes.items())
    given = tuple(env.values())
    for name, value in instance.attributes.items():
        if isinstance(value, QueryObject) or (isinstance(value, Sequence) and value.source is not None):
            instance.attributes[name] = adopt(m, f, node, value, given, {})


def _own(value: Value, swaps: dict[int, Value], depth: int) -> Value:
    """Returns a value with a life of its own: what was given to the first run is what was given to this one, containers and objects are new."""
    swapped = swaps.get(id(value))
    if swapped is not None:
        return swapped
    if depth == MAX_DEPTH:
        return value
    match value:
        case Mapping():
            known = {name: _own(item, swaps, depth + 1) for name, item in value.known.items()}
            return Mapping(known, value.key, value.element, value.source)
        case Sequence():
            return replace(value, items=tuple(_own(item, swaps, depth + 1) for item in value.items) if value.items is not None else None)
        case Instance():
            attributes = {name: _own(item, swaps, depth + 1) for name, item in value.attributes.items()}
            return Instance(value.cls, attributes, value.initialised, value.deps, value.model)
        case BoundMethod():
            return replace(value, self=_own(value.self, swaps, depth + 1))
        case _:
            return value
