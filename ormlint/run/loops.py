"""Loops: what they walk, how often they run, and which shapes are deliberate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk as nodes_of
from ormlint.library.functions import BATCH_VARIABLES, VIEWPOINTS, WAITS
from ormlint.link.names import External
from ormlint.run.frame import Frame
from ormlint.run.log import Bound, Loop, QueryObject, Shape
from ormlint.run.machine import Machine, text_of
from ormlint.run.searching import deciding, first_found
from ormlint.run.values import EMPTY, Constant, Instance, Mapping, Row, Sequence, Union, Unknown, Value, deps_of, element_of, join
from ormlint.text import Site

NO_BODY: list[ir.Stmt] = []
MAX_SMALL = 3  # a loop over that many constants is no loop


@dataclass(slots=True)
class Iterated:
    """Something a loop walks: how many elements, from which query, and what each of them is."""

    bound: Bound
    limit: int | None
    source: QueryObject | None
    element: Value
    batches: bool = False
    constant: bool = False
    picked: bool = False  # they are rows that some rounds of another loop have put together
    few: Value | None = None  # what the element may be instead, from a way that gives but a few

    def element_in(self, m: Machine, f: Frame, loop: Loop) -> Value:
        """Returns the element that a round of the loop gets."""
        element = reborn(self.element, tuple(f.loops), loop, shown=self.constant)
        return join(element, self.few) if self.few is not None else element


def reborn(value: Value, loops: tuple[Loop, ...], loop: Loop, depth: int = 0, *, shown: bool = False) -> Value:
    """Returns a value as it is met once per round of a loop: its rows are new in each round.

    The elements of a display are `shown`: a row in it is what it was before, met in the loops that gave it.
    """
    match value:
        case Row():
            births = (*(old for old in value.births if old not in loops), *loops) if shown else loops
            return replace(value, births=births, single=False, assigned=(), constant=True)
        case Unknown():
            return Unknown(value.deps | {loop.id})
        case Sequence() if depth < 3:
            items = tuple(reborn(i, loops, loop, depth + 1) for i in value.items) if value.items is not None else None
            element = value.element if items is not None else reborn(value.element, loops, loop, depth + 1)
            if items is None and isinstance(value.element, Row):
                element = value.element
            deps = value.deps | {loop.id}
            return Sequence(value.kind, element, items, value.bound, value.limit, value.source, deps, value.batches, picked=value.picked)
        case Mapping() if depth < 2:
            known = {name: reborn(v, loops, loop, depth + 1) for name, v in value.known.items()}
            element = reborn(value.element, loops, loop, depth + 1) if value.element is not None else Unknown(frozenset({loop.id}))
            return Mapping(known, value.key, element, value.source)
        case Instance():
            return Instance(value.cls, value.attributes, value.initialised, value.deps | {loop.id}, value.model)
        case Union():
            return Union(tuple(reborn(o, loops, loop, depth + 1) for o in value.options))
        case _:
            return value


def fill_entries(f: Frame, stmt: ir.Loop, source: Value) -> None:
    """Fills the entries that the rounds of a loop over pairs have stored: `for name, books in (("new", …), ("old", …)): context[name] = books`."""
    if not isinstance(source, Sequence) or not source.items or not isinstance(stmt.target, ir.Seq):
        return
    names = [target.id if isinstance(target, ir.Name) else "" for target in stmt.target.items]
    for inner in stmt.body:
        match inner:
            case ir.Assign(targets=[ir.Index(value=ir.Name(id=held), index=ir.Name(id=key))], value=ir.Name(id=given)):
                owner = f.env.get(held)
                if isinstance(owner, Mapping) and key in names and given in names:
                    _fill(owner, source.items, names.index(key), names.index(given))
            case _:
                pass


def _fill(owner: Mapping, pairs: tuple[Value, ...], key: int, given: int) -> None:
    for pair in pairs:
        parts = pair.items if isinstance(pair, Sequence) and pair.items is not None else ()
        name = parts[key] if len(parts) > max(key, given) else None
        if isinstance(name, Constant) and isinstance(name.value, str):
            owner.known[name.value] = parts[given]


def outliving(env: dict[str, Value], left: frozenset[int]) -> dict[str, Value]:
    """Returns variables as a way sees them that leaves these loops.

    `for b in books: if …: return show(b)` shows one book, and so does `show(b)` behind the loop.
    """
    return {name: _met_once(value, left) for name, value in env.items()} if left else env


def decided(before: dict[str, Value], after: dict[str, Value], test: ir.Expr_) -> dict[str, Value]:
    """Returns variables as they are behind a `while`: what its rounds have changed varies with what decides how many of them there are.

    # `while day < shop.closing: days += 1`
    """
    names = {node.id for node in nodes_of(test) if isinstance(node, ir.Name)}
    deps = frozenset().union(*(deps_of(after.get(name)) for name in names)) if names else EMPTY
    if not deps:
        return after
    changed = {name: value for name, value in after.items() if type(value) is Unknown and before.get(name) is not value}
    return {**after, **{name: Unknown(value.deps | deps, value.present) for name, value in changed.items()}}


def found_by(value: Value, left: frozenset[int]) -> Value:
    """Returns what a way that leaves these loops gives back: the row that a search has found is one row for whoever asked for it."""
    match value:
        case Row() if value.births and all(loop.id in left for loop in value.births):
            return replace(value, births=(), single=True)
        case Union():
            return Union(tuple(found_by(option, left) for option in value.options))
        case _:
            return value


def _met_once(value: Value, left: frozenset[int]) -> Value:
    if isinstance(value, Row) and any(loop.id in left for loop in value.births):
        return replace(value, births=tuple(loop for loop in value.births if loop.id not in left))
    if isinstance(value, Union):
        return Union(tuple(_met_once(option, left) for option in value.options))
    return value


def enter_loop(m: Machine, f: Frame, node: ir.Loop, iterated: Iterated) -> Loop | None:
    """Returns the loop that a statement makes in this frame, or None if it never runs."""
    if iterated.limit == 0:
        return None
    if node.ends and id(node.body) not in m.exits:
        m.exits[id(node.body)] = Exits(False, True, False, False, first_found(node.body))
    m.counters.loops.add(f.site(node.start, node.iter.end))
    if iterated.source is not None:
        m.counters.query_loops.add(f.site(node.start, node.iter.end))
    return make_loop(
        m,
        f,
        (node.start, node.kind == "comprehension"),
        Site(f.module.tree.path, node.start, node.iter.end),
        f.site(node.start, node.end),
        node.kind,
        iterated,
        text_of(node.target) if not isinstance(node.target, ir.Seq) else "",
        node.body,
    )


def make_loop(
    m: Machine,
    f: Frame,
    key: tuple[int, int],
    site: Site,
    body_site: Site,
    kind: str,
    iterated: Iterated,
    variable: str = "",
    body: list[ir.Stmt] | None = None,
) -> Loop:
    """Returns the loop at a place of this frame: the same one for every pass over it."""
    bound, limit = iterated.bound, iterated.limit
    if iterated.constant or (limit is not None and limit <= MAX_SMALL):
        bound = Bound.ONE if limit is not None and limit <= MAX_SMALL else min(bound, Bound.FEW)
    known = f.loop_ids.get(key)
    if known is not None and known.bound == bound and known.source is iterated.source and known.picks is iterated.picked:
        return known
    body = body if body is not None else NO_BODY
    if known is None:
        number = m.next_loop
        m.next_loop += 1
    else:
        number = known.id
    leaving = m.exits.get(id(body))
    if leaving is None:
        leaving = m.exits[id(body)] = exits_of(body)
    loop = Loop(
        number,
        site,
        body_site,
        kind,
        bound,
        limit,
        variable,
        iterated.source,
        first_only=leaving.at_once,
        searches=leaving.early,
        batches=iterated.batches or (_is_called_batch(variable) and iterated.source is None and not isinstance(iterated.element, Row)),
        polls=leaving.waits,
        picks=iterated.picked,
        groups=iterated.source is None and _is_group(iterated.element),
        yields=leaving.yields,
        decisive=tuple(Site(body_site.path, start, end) for start, end in leaving.decisive),
        confines=any(isinstance(stmt, ir.With) and any(_confines(m, f, item) for item, _ in stmt.items) for stmt in body),
    )
    f.loop_ids[key] = loop
    return loop


def _confines(m: Machine, f: Frame, item: ir.Expr_) -> bool:
    """Whether what a block enters has it see the rows of one tenant alone: `with scope(fair=fair):`."""
    if not isinstance(item, ir.Call):
        return False
    found = f.env.get(item.func.id) if isinstance(item.func, ir.Name) else None
    function = found if found is not None else m.program.resolve(item.func, f.module)
    return isinstance(function, External) and f"{function.path}(".startswith(VIEWPOINTS)


def _is_called_batch(variable: str) -> bool:
    words = variable.split("_")
    return words[0] in BATCH_VARIABLES or words[-1] in BATCH_VARIABLES


@dataclass(frozen=True, slots=True)
class Exits:
    """How a loop ends: whether it leaves in its first round, may leave early, waits, yields on a condition, and what decides if it has a find."""

    at_once: bool
    early: bool
    waits: bool
    yields: bool
    decisive: tuple[tuple[int, int], ...]


def exits_of(body: list[ir.Stmt]) -> Exits:
    """Returns how a loop with this body ends."""
    yields = any(_is_yield(inner) for stmt in body if isinstance(stmt, ir.If) for inner in _statements(stmt.body))
    early = leaves(body, ("break", "return"))
    return Exits(leaves_at_once(body), early, waits(body), yields, deciding(body) if early else ())


def _is_yield(stmt: ir.Stmt) -> bool:
    return isinstance(stmt, ir.Expr) and isinstance(stmt.value, ir.Yield)


def _is_group(element: Value) -> bool:
    pair = element.items if isinstance(element, Sequence) and element.kind == "tuple" else None
    return pair is not None and any(isinstance(item, Mapping) or (isinstance(item, Sequence) and item.kind != "tuple") for item in pair)


def leaves_at_once(body: list[ir.Stmt]) -> bool:
    """Whether a loop body always leaves in its first round."""
    last = body[-1] if body else None
    if isinstance(last, ir.Return) or (isinstance(last, ir.Jump) and last.kind == "break"):
        return not leaves(body, ("continue",))
    return False


def last_round(body: list[ir.Stmt]) -> int:
    """Returns the position in a loop body from which on it runs once, in the round that leaves the loop; its length if there is none.

    # `for b in books: if b.sold: continue; print(b.shop); return b` prints one shop
    """
    last = body[-1] if body else None
    if not isinstance(last, ir.Return) and not (isinstance(last, ir.Jump) and last.kind == "break"):
        return len(body)
    return next((number for number in range(len(body), 0, -1) if leaves(body[number - 1 : number], ("continue",))), 0)


def leaves(body: Iterable[ir.Stmt], how: tuple[str, ...]) -> bool:
    """Whether a loop body contains a break, a continue or a return of its own on some way."""
    for stmt in body:
        match stmt:
            case ir.Jump():
                if stmt.kind in how:
                    return True
            case ir.Return():
                if "return" in how:
                    return True
            case ir.If():
                if leaves(stmt.body, how) or leaves(stmt.orelse, how):
                    return True
            case ir.With():
                if leaves(stmt.body, how):
                    return True
            case ir.Try():
                if leaves((*stmt.body, *stmt.orelse, *stmt.final), how) or any(leaves(h.body, how) for h in stmt.handlers):
                    return True
            case ir.Loop() | ir.While():
                if "return" in how and leaves(stmt.body, ("return",)):
                    return True
            case _:
                pass
    return False


def waits(body: Iterable[ir.Stmt]) -> bool:
    """Whether a loop body waits between its rounds: a worker, a retry or a poll."""
    return any(_is_wait(stmt) for stmt in _statements(body))


def _is_wait(stmt: ir.Stmt) -> bool:
    value = stmt.value if isinstance(stmt, ir.Expr) else None
    if isinstance(value, ir.Await):
        value = value.value
    if isinstance(value, ir.Call):
        name = value.called
        return name in WAITS
    return False


def _statements(body: Iterable[ir.Stmt]) -> Iterator[ir.Stmt]:
    for stmt in body:
        yield stmt
        if isinstance(stmt, (ir.If, ir.While)):
            yield from _statements((*stmt.body, *stmt.orelse))
        elif isinstance(stmt, ir.With):
            yield from _statements(stmt.body)
        elif isinstance(stmt, ir.Try):
            yield from _statements((*stmt.body, *stmt.orelse, *stmt.final))


def walk(value: Value) -> Iterated:
    """Returns what walking a value that is not a query gives."""
    match value:
        case Sequence():
            limit = len(value.items) if value.items is not None else value.limit
            bound = Bound.FEW if value.items is not None else value.bound
            return Iterated(bound, limit, value.source, element_of(value), value.batches, value.items is not None, value.picked)
        case Mapping():
            few = value.element is None and bool(value.known)
            return Iterated(Bound.FEW if few else Bound.MANY, len(value.known) if few else None, None, value.key, constant=few)
        case Union():
            return either([walk(o) for o in value.options], join)
        case Unknown():
            return Iterated(Bound.MANY, None, None, value)
        case _:
            return Iterated(Bound.MANY, None, None, Unknown(EMPTY))


def either(parts: list[Iterated], meet: Callable[[Value, Value], Value]) -> Iterated:
    """Returns what walking one of several things gives; one of a few elements does not become many by the company of another.

    An empty one has no rounds: `orders = []`, and in one branch `orders = Order.objects.all()`.
    """
    parts = [p for p in parts if p.limit != 0] or parts
    many = [p for p in parts if p.limit is None or p.limit > MAX_SMALL] or parts
    element = many[0].element
    for part in many[1:]:
        element = meet(element, part.element)
    few: Value | None = None
    for part in parts:
        if part not in many:
            few = part.element if few is None else meet(few, part.element)
    source = next((p.source for p in many if p.source is not None), None)
    return Iterated(max(p.bound for p in many), None, source, element, all(p.batches for p in many), picked=any(p.picked for p in many), few=few)


__all__ = ["Iterated", "Shape", "decided", "enter_loop", "found_by", "leaves", "make_loop", "outliving", "reborn", "walk"]
