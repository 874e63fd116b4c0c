"""One session in several tasks at a time: an AsyncSession has one connection, on which one statement runs after the other.

await asyncio.gather(books(session), shops(session))                    the same session twice
await asyncio.gather(*[book(session, key) for key in keys])             once per key
await asyncio.gather(*[book(key) for key in keys])                      each may open its own
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.link.names import External, ModuleInfo
from ormlint.link.schema import Orm
from ormlint.run.blocking import STATEMENTS
from ormlint.run.frame import Frame
from ormlint.run.log import Event, Op
from ormlint.run.machine import Machine, text_of
from ormlint.run.values import Instance, Session, Value

STARTS = frozenset({"create_task", "ensure_future", "wait_for", "shield"})
LOCKS = ("lock", "sem", "limit")


def note_sharing(m: Machine, f: Frame, node: ir.Call) -> None:
    """Records that coroutines which run at the same time work with one session of the frame."""
    users: dict[str, int] = {}
    for call, many in _coroutines(f, node):
        name = _session_of(f, call)
        if name and _runs_statement(m, f, call):
            users[name] = users.get(name, 0) + (2 if many else 1)
    for name, number in users.items():
        if number > 1:
            m.event(f, Op.SHARE, node, orm=Orm.SQLALCHEMY, column=name)


def _coroutines(f: Frame, node: ir.Call) -> Iterator[tuple[ir.Call, bool]]:
    """Yields the calls that make what `gather()` is given, and whether there are many of one."""
    for arg in node.args:
        if isinstance(arg, ir.Call):
            yield _started(arg), False
        elif isinstance(arg, ir.Star):
            yield from _elements(f, arg.value)


def _elements(f: Frame, value: ir.Expr_) -> Iterator[tuple[ir.Call, bool]]:
    match value:
        case ir.Seq():
            yield from ((_started(item), False) for item in value.items if isinstance(item, ir.Call))
        case ir.Comp():
            for inner in walk(value.body.body):
                if isinstance(inner, ir.Emit) and isinstance(inner.value, ir.Call):
                    yield _started(inner.value), True
        case ir.Name() if f.function is not None:
            body = f.function.node.body
            for inner in walk(body):
                if (
                    isinstance(inner, ir.Assign)
                    and any(isinstance(t, ir.Name) and t.id == value.id for t in inner.targets)
                    and inner.value is not None
                ):
                    if isinstance(inner.value, (ir.Seq, ir.Comp)):
                        yield from _elements(f, inner.value)
                elif isinstance(inner, ir.Loop):
                    yield from ((call, True) for call in _appended(inner, value.id))
        case _:
            pass


def _appended(loop: ir.Loop, name: str) -> Iterator[ir.Call]:
    """Yields the calls whose coroutines a loop appends to a list."""
    for node in walk(loop.body):
        if isinstance(node, ir.Call) and text_of(node.func) == f"{name}.append" and len(node.args) == 1 and isinstance(node.args[0], ir.Call):
            yield _started(node.args[0])


def _started(call: ir.Call) -> ir.Call:
    """Returns the call behind `asyncio.create_task(call)`."""
    inner = call.args[0] if call.args else None
    return inner if isinstance(inner, ir.Call) and text_of(call.func).rpartition(".")[2] in STARTS else call


def _session_of(f: Frame, call: ir.Call) -> str:
    """Returns the name of the AsyncSession that a call is made on or is given, or nothing."""
    given = [*call.args, *(value for _, value in call.keywords)]
    if isinstance(call.func, ir.Attr):
        given.append(call.func.value)
    for expr in given:
        value = _value(f, expr)
        if isinstance(value, Session) and value.is_async and value.proven:
            return text_of(expr)
    return ""


def _value(f: Frame, expr: ir.Expr_) -> Value | None:
    match expr:
        case ir.Name():
            return f.env.get(expr.id)
        case ir.Attr():
            owner = _value(f, expr.value)
            return owner.attributes.get(expr.name) if isinstance(owner, Instance) else None
        case _:
            return None


def _runs_statement(m: Machine, f: Frame, call: ir.Call) -> bool:
    """Whether a call sends statements by an AsyncSession, and no lock makes it wait for its turn."""
    site = f.site(call.start, call.end)
    if any(event.site == site and _is_statement(event) for event in f.events):
        return True
    for called in f.calls:
        if called.site == site and any(_is_statement(flat.event) for flat in m.flatten(called.summary)):
            return not _takes_turns(m, called.summary.function)
    return False


def _is_statement(event: Event) -> bool:
    return event.orm is Orm.SQLALCHEMY and event.op in STATEMENTS


def _takes_turns(m: Machine, name: str) -> bool:
    function = next((fn for fn in m.program.functions if f"{fn.module.name}:{fn.qualname}" == name), None)
    if function is None:
        return False
    items = [item for node in walk(function.node.body) if isinstance(node, ir.With) for item, _ in node.items]
    return any(_is_lock(m, function.module, item) for item in items)


def _is_lock(m: Machine, module: ModuleInfo, item: ir.Expr_) -> bool:
    made = m.global_value(module, item.id) if isinstance(item, ir.Name) else None
    return any(word in (made.path if isinstance(made, External) else text_of(item)).lower() for word in LOCKS)
