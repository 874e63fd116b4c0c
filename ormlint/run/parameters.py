"""Parameters as symbols, so that a function need not be run again for every loop that calls it.

Inside a callee an argument varies with "parameter 2", not with the caller's loop 4711: deps are ids, those of parameters
negative. When the call is absorbed, and in what it returns, they are replaced by what the arguments really vary with.
"""

from __future__ import annotations

from msgspec.structs import replace

from ormlint.library.functions import TEMPLATE_ENDINGS
from ormlint.run.log import NOWHERE, Bound, Loop, QueryObject
from ormlint.run.values import EMPTY, EMPTY_PLAN, Constant, Instance, Mapping, Row, Sequence, Union, Unknown, Value, deps_of

MANY_RUNS = 8
TOO_MANY_RUNS = 14
MOST_DECIDED = 28  # runs after which no constant is told apart, though it decides a branch
_PARAMETERS = tuple(Unknown(frozenset({-(i + 1)})) for i in range(64))
_LOOPS = tuple(Loop(-(i + 1), NOWHERE, NOWHERE, "parameter", Bound.ONE) for i in range(64))

CARRIERS = frozenset({Sequence, Mapping, Instance})

Bindings = dict[int, frozenset[int]]


def symbolic(
    env: dict[str, Value], *, runs: int, rest: str = "", decisive: frozenset[str] = frozenset()
) -> tuple[dict[str, Value], Bindings, dict[int, Value]]:
    """Returns the arguments with symbols for what they vary with, what the symbols stand for, and the rows replaced.

    `runs` is how often the function was run with other arguments: after some, constants are no longer told apart, then
    rows no longer by where they came from; texts for the `decisive` parameters are all the same. `rest` is the parameter that
    takes all further keywords: `**lookups`.
    """
    bindings: Bindings = {}
    rows: dict[int, Value] = {}
    made: dict[str, Value] = {}
    for number, (name, value) in enumerate(env.items()):
        position = min(number, 63)
        kind = type(value)
        if kind is Unknown:
            bindings[-(position + 1)] = value.deps  # type: ignore[union-attr]
            made[name] = _PARAMETERS[position]
        elif isinstance(value, Constant) and runs > MANY_RUNS and _is_plain(value) and not (name in decisive and isinstance(value.value, str)):
            made[name] = _PARAMETERS[position]
        elif isinstance(value, Row) and (value.origin is None or runs > TOO_MANY_RUNS) and value.births:
            bindings[-(position + 1)] = deps_of(value)
            rows[-(position + 1)] = value
            made[name] = replace(value, births=(_LOOPS[position],), origin=None, plan=value.plan if value.origin is None else EMPTY_PLAN)
        elif isinstance(value, Sequence) and value.kind == "tuple" and value.items and all(type(i) is Unknown for i in value.items):
            bindings[-(position + 1)] = deps_of(value)
            made[name] = Sequence("tuple", items=tuple(_PARAMETERS[position] for _ in value.items))
        elif isinstance(value, Mapping) and name == rest:
            bindings[-(position + 1)] = deps_of(value)
            known = {key: _PARAMETERS[position] if type(item) is Unknown else item for key, item in value.known.items()}
            element = _PARAMETERS[position] if type(value.element) is Unknown else value.element
            made[name] = Mapping(known, value.key, element, value.source)
        else:
            made[name] = value
    return made, bindings, rows


def _is_plain(constant: Constant) -> bool:
    """Whether a function need not tell a constant from others: a text or number, but no template's name."""
    value = constant.value
    return isinstance(value, (str, int, float)) and not isinstance(value, bool) and not names_template(constant)


def names_template(value: Value) -> bool:
    """Whether a value is the name of a template, by its ending."""
    return isinstance(value, Constant) and isinstance(value.value, str) and value.value.endswith(TEMPLATE_ENDINGS)


def resolve_deps(deps: frozenset[int], bindings: Bindings) -> frozenset[int]:
    """Returns ids of loops with the symbols of a callee replaced."""
    if not deps:
        return deps
    found = EMPTY
    for number in deps:
        found |= bindings.get(number) or (frozenset({number}) if number > 0 else EMPTY)
    return found


def rebind(bindings: Bindings, first: dict[str, Value], now: dict[str, Value]) -> None:
    """Binds the loops of the call for which a function was run to those of another call that it cannot tell from it.

    Only containers and objects need it: `find({"name": name})` and `Finder(name).find()`, in which no symbol stands for what they hold.
    """
    for name, value in now.items():
        if type(value) in CARRIERS and first.get(name) is not value:
            varied = deps_of(value)
            for number in deps_of(first.get(name)) - varied if varied else EMPTY:
                bindings[number] = bindings.get(number, EMPTY) | varied


def returned(value: Value, bindings: Bindings, rows: dict[int, Value], depth: int = 0) -> Value:
    """Returns a callee's value as the caller sees it; query objects are left to whoever adopts them."""
    match value:
        case Unknown():
            return Unknown(resolve_deps(value.deps, bindings)) if value.deps else value
        case Row() if value.births and value.births[0].id < 0:
            return rows.get(value.births[0].id) or replace(value, births=())
        case Union():
            return Union(tuple(returned(o, bindings, rows, depth) for o in value.options))
        case Sequence() if depth < 3 and any(d < 0 for d in deps_of(value)):
            items = tuple(returned(i, bindings, rows, depth + 1) for i in value.items) if value.items is not None else None
            element = returned(value.element, bindings, rows, depth + 1)
            deps = resolve_deps(value.deps, bindings)
            return Sequence(value.kind, element, items, value.bound, value.limit, value.source, deps, value.batches, value.column, value.columns)
        case Mapping() if depth < 3 and any(d < 0 for d in deps_of(value)):
            known = {name: returned(v, bindings, rows, depth + 1) for name, v in value.known.items()}
            inner = returned(value.element, bindings, rows, depth + 1) if value.element is not None else None
            return Mapping(known, value.key, inner, value.source)
        case Instance() if any(d < 0 for d in value.deps):
            return Instance(value.cls, value.attributes, value.initialised, resolve_deps(value.deps, bindings), value.model)
        case _:
            return value


__all__ = ["Bindings", "QueryObject", "resolve_deps", "returned", "symbolic"]
