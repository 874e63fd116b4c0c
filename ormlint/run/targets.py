"""Assignment targets: names, attributes of rows and objects, entries of containers."""

from __future__ import annotations

from functools import reduce

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library.functions import REQUEST_STORES
from ormlint.link.names import External
from ormlint.run import plans
from ormlint.run.evaluate import evaluate
from ormlint.run.frame import Env, Frame
from ormlint.run.log import LoadKind, QueryObject, UseKind
from ormlint.run.machine import Machine
from ormlint.run.merging import join_values
from ormlint.run.pins import note_alteration, unpin
from ormlint.run.request_values import keep_on_request
from ormlint.run.stand_ins import put_item
from ormlint.run.values import (
    UNKNOWN,
    Constant,
    Instance,
    Mapping,
    Row,
    Sequence,
    Union,
    Value,
    deps_of,
    element_of,
    is_holder,
    join,
    join_sequences,
    may_differ,
    varying,
)


def assign(m: Machine, f: Frame, target: ir.Expr_, value: Value, node: ir.Node) -> None:
    """Binds a target to a value."""
    match target:
        case ir.Name():
            f.env[target.id] = value
            f.note_binding(target.id)
        case ir.Seq():
            _unpack(m, f, target, value, node)
        case ir.Star():
            assign(m, f, target.value, Sequence("list", value), node)
        case ir.Attr():
            if f.function is None or f.function.owner is None or not is_holder(f.function.owner):
                m.use(f, value, UseKind.STORE, node)
            note_attribute_write(m, f, target, value)
        case ir.Index():
            m.use(f, value, UseKind.STORE, node)
            f.note_binding("[]")
            _store_entry(m, f, target, value)
        case _:
            pass


def _unpack(m: Machine, f: Frame, target: ir.Seq, value: Value, node: ir.Node) -> None:
    count = len(target.items)
    if isinstance(value, Union):  # what is no sequence of that length would fail
        fitting = [o for o in value.options if isinstance(o, Sequence) and (o.items is None or len(o.items) == count)]
        value = reduce(join_sequences, fitting) if fitting else value
    if (
        isinstance(value, Sequence)
        and value.items is not None
        and len(value.items) == count
        and not any(isinstance(t, ir.Star) for t in target.items)
    ):
        for item, part in zip(target.items, value.items, strict=True):
            assign(m, f, item, part, node)
        return
    starred = [number for number, item in enumerate(target.items) if isinstance(item, ir.Star)]
    if isinstance(value, Sequence) and value.items is not None and len(starred) == 1 and len(value.items) >= count - 1:
        at, rest = starred[0], len(value.items) - count + 1
        # a list, whose length is as certain as that of a tuple
        parts = (*value.items[:at], Sequence("tuple", items=value.items[at : at + rest]), *value.items[at + rest :])
        for item, part in zip(target.items, parts, strict=True):
            assign(m, f, item.value if isinstance(item, ir.Star) else item, part, node)
        return
    if starred and isinstance(value, QueryObject):
        from ormlint.run.expressions import iterate

        walked = iterate(m, f, value, node)
        # what is left of the rows has another length than the query
        value = Sequence("list", walked.element, bound=walked.bound)
    part = element_of(value) if isinstance(value, Sequence) else varying((value,))
    for item in target.items:
        assign(m, f, item, part, node)


def note_attribute_write(m: Machine, f: Frame, target: ir.Expr_, value: Value, *, augmented: bool = False) -> None:
    """Records `obj.name = value`: on a row the relation is then known, an object keeps the value."""
    if not isinstance(target, ir.Attr):
        return
    f.note_binding(f".{target.name}")
    owner = evaluate(m, f, target.value)
    match owner:
        case Row():
            _write_row(m, f, target, owner, value, augmented=augmented)
            _note_filled(f, owner, target.name)
            note_alteration(owner)
        case Union():
            for option in owner.options:
                if isinstance(option, Row):
                    _note_filled(f, option, target.name)
                    note_alteration(option)
        case Instance():
            old = owner.attributes.get(target.name)
            certain = old is None or (f.branch_depth == 0 and not f.loops) or (f.forked is not None and _is_new(owner, f.forked))
            owner.attributes[target.name] = value if certain or old is None else join_values(m, old, value)
        case External() if owner.path in REQUEST_STORES:
            keep_on_request(m, target.name, value)
        case _:
            pass


def _note_filled(f: Frame, row: Row, name: str) -> None:
    """Notes that a loop assigns a relation to row after row: `for book in books: book.author = authors[book.author_id]`."""
    relation = row.model.relations.get(name)
    if row.births and row.origin is not None and relation is not None and relation.to_one:
        row.origin.query.filled[(*row.origin.path, name)] = f.function.qualname if f.function is not None else ""


def _is_new(owner: Instance, before: Env) -> bool:
    """Whether an object was made since a branch began, as far as variables tell: then no other way has it."""
    return not any(owner is held or (isinstance(held, Union) and owner in held.options) for held in before.values())


def _write_row(m: Machine, f: Frame, target: ir.Attr, row: Row, value: Value, *, augmented: bool) -> None:
    relation = row.model.relations.get(target.name)
    plan = row.plan
    if relation is not None and relation.to_one:
        below = value.plan if isinstance(value, Row) else plans.EMPTY
        plan = plans.load(replace(plan, loaded={n: e for n, e in plan.loaded.items() if n != target.name}), (target.name,), LoadKind.KNOWN, below)
    elif relation is None and plan.loaded:
        # `row.author_id = …` makes the row forget the author it had loaded
        stale = next((r.name for r in row.model.relations.values() if r.attname == target.name and r.name in plan.loaded), None)
        if stale is not None:
            plan = replace(plan, loaded={n: e for n, e in plan.loaded.items() if n != stale})
    unpin(row, target.name)
    assigned = tuple(dict.fromkeys((*row.assigned, target.name)))
    own = {loop.id for loop in row.births}
    same = isinstance(value, Constant) or (value is not UNKNOWN and not deps_of(value) & own and not may_differ(value))
    constant = row.constant and not augmented and same
    fresh = row.fresh or (row.model.is_primary_key(target.name) and isinstance(value, Constant) and value.value is None)
    changed = replace(row, plan=plan, assigned=assigned, constant=constant, fresh=fresh)
    if isinstance(target.value, ir.Name) and f.env.get(target.value.id) is row:
        f.env[target.value.id] = changed


def _change_column(f: Frame, column: ir.Expr_) -> None:
    """Notes that `row.data[key] = …` changes a column of a row."""
    if isinstance(column, ir.Attr) and isinstance(column.value, ir.Name):
        row = f.env.get(column.value.id)
        if isinstance(row, Row):
            note_alteration(row)
            f.env[column.value.id] = replace(row, assigned=tuple(dict.fromkeys((*row.assigned, column.name))), constant=False)


def _store_entry(m: Machine, f: Frame, target: ir.Index, value: Value) -> None:
    owner = evaluate(m, f, target.value)
    key = evaluate(m, f, target.index)
    _change_column(f, target.value)
    if isinstance(owner, Mapping):
        if isinstance(key, Constant) and isinstance(key.value, str):
            old = owner.known.get(key.value, owner.element)
            owner.known[key.value] = value if old is None or f.branch_depth == 0 else join(old, value)
        else:
            owner.element = value if owner.element is None else join(owner.element, value)
            owner.key = key if owner.key is UNKNOWN and owner.element is value else join(owner.key, key)
    elif isinstance(owner, Instance):
        put_item(m, f, target, owner, value)
    elif isinstance(owner, Sequence):
        owner.element = join(element_of(owner), value)
        owner.items = None
