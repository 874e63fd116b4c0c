"""Rows that outlive their session: nothing of them can be loaded any more.

with Session(engine) as session:
    order = session.get(Order, key)
order.number                          at hand
order.customer                        DetachedInstanceError, unless it was loaded with the order or read within the block

A commit expires the rows of its session. Those that nothing has read since are empty when the session is closed:

with Session(engine) as session:
    session.add(order)
    session.commit()
order.id                              DetachedInstanceError
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.link.schema import Orm
from ormlint.run.evaluate import evaluate
from ormlint.run.expiry import expires_on_commit
from ormlint.run.frame import Env, Frame
from ormlint.run.log import Obstacle, Op
from ormlint.run.machine import Machine
from ormlint.run.values import Row, Sequence, Session, Union, Value
from ormlint.text import Site

BEGINS = frozenset({"begin", "begin_nested", "no_autoflush"})


class Closing(NamedTuple):
    """A block at whose end a session is closed: the number of queries that had been made when it began, and where it opens the session."""

    start: int
    site: Site
    commits: bool


def closing(m: Machine, f: Frame, item: ir.Expr_, value: Value) -> Closing | None:
    """Returns what a block closes that enters a value, or None: `with Session(engine) as session`, `with make_session.begin() as session`."""
    if not isinstance(value, Session) or value.is_async or not value.made_in or not isinstance(item, ir.Call):
        return None
    commits = isinstance(item.func, ir.Attr) and item.func.name in BEGINS
    if commits and isinstance(item.func, ir.Attr) and isinstance(evaluate(m, f, item.func.value), Session):
        return None  # the transaction ends and not the session
    return Closing(len(m.serial), f.site(item.start, item.end), commits)


def close(m: Machine, f: Frame, block: Closing, before: Env) -> None:
    """Detaches the rows that a block has got from its session."""
    if sum(isinstance(value, Session) for value in f.env.values()) > 1:
        return
    if block.commits:
        expire(m, f)
    for name, value in list(f.env.items()):
        if before.get(name) is not value:
            f.env[name] = detached(m, value, block)


def detached(m: Machine, value: Value, block: Closing) -> Value:
    """Returns a value as it is when a block has closed its session."""
    match value:
        case Row() if _is_of(m, value, block):
            return replace(value, detached=block.site)
        case Sequence() if value.kind == "list" and value.items is None and isinstance(value.element, Row) and _is_of(m, value.element, block):
            found = replace(value, element=replace(value.element, detached=block.site))
            if value in m.fed:
                m.fed[found] = m.fed[value]
            return found
        case Sequence(kind="tuple") if value.items is not None:
            return replace(value, items=tuple(detached(m, item, block) for item in value.items))
        case Union():
            return Union(tuple(detached(m, option, block) for option in value.options))
        case _:
            return value


def _is_of(m: Machine, row: Row, block: Closing) -> bool:
    if row.model.orm is not Orm.SQLALCHEMY or row.detached is not None or row.deleted:
        return False
    if row.origin is None:
        return row.stale
    return not row.origin.query.asynchronous and m.serial.get(row.origin.query, -1) >= block.start


def expire(m: Machine, f: Frame) -> None:
    """Notes that a commit expires the rows of the session that the frame's block will close."""
    if f.closing is None or f.conditional or f.loops or not expires_on_commit(m):
        return
    for name, value in list(f.env.items()):
        if isinstance(value, Row) and value.single and (value.added or (value.origin is not None and _is_of(m, value, f.closing))):
            f.env[name] = replace(value, stale=True)
            f.stale = True


def freshen(f: Frame, *rows: Value) -> None:
    """Notes that rows have been read, or handed to a function that may read them: what a commit has expired is fetched anew."""
    for name, value in list(f.env.items()):
        if isinstance(value, Row) and value.stale and value.detached is None and any(value is row for row in rows):
            f.env[name] = replace(value, stale=False)


def attach(f: Frame, row: Row) -> Row:
    """Returns a row as it is when it is given to a session."""
    if row.detached is None and not row.stale:
        return row
    attached = replace(row, detached=None, stale=False)
    for name, value in list(f.env.items()):
        if value is row:
            f.env[name] = attached
    return attached


def read_detached(m: Machine, f: Frame, node: ir.Node, row: Row, name: str) -> None:
    """Records that a column is read of a row that a commit has expired and that has lost its session."""
    model = row.model
    if not (model.is_primary_key(name) or name in model.columns):
        return
    origin = row.origin
    query = origin.query if origin is not None else None
    facts = {"model": model, "orm": model.orm, "query": query, "row": origin, "column": name, "since": row.detached}
    m.event(f, Op.FAILED_LOAD, node, obstacle=Obstacle.DETACHED, **facts)


__all__ = ["Closing", "attach", "close", "closing", "detached", "expire", "freshen", "read_detached"]
