"""Rows that a commit expires: the next read of an attribute fetches the row again, which an AsyncSession cannot do.

    await session.commit()
    return order.id              MissingGreenlet

Only what is certain is followed: every session of the project is made without `expire_on_commit`, and the row is read before
anything else is awaited, as anything that is awaited may fetch it again. Other sessions fetch an expired row again when it is
read: of these, lists are followed.

    session.commit()
    for order in orders:
        print(order.number)      one query per order
"""

from __future__ import annotations

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.ir.walk import mentions, walk
from ormlint.library.sqlalchemy_api import SESSION_TYPES
from ormlint.link.schema import Orm
from ormlint.run.frame import Frame
from ormlint.run.log import READS, Obstacle, Op
from ormlint.run.machine import Machine
from ormlint.run.values import Row, Sequence, Session
from ormlint.text import Site

OPTION = "expire_on_commit"
FACTORIES = SESSION_TYPES | {"sessionmaker", "async_sessionmaker"}


def add(f: Frame, row: Row) -> None:
    """Notes that a new row is added to a session: a commit expires it as well."""
    if row.fresh and not row.added:
        _replace(f, row, replace(row, added=True))


def forget(f: Frame, row: Row) -> None:
    """Notes that a row is deleted: a commit detaches it and leaves it as it is."""
    if row.added or row.origin is not None:
        _replace(f, row, replace(row, added=False, deleted=True))


def commit(m: Machine, f: Frame, node: ir.Node) -> None:
    """Marks the rows of the frame's asynchronous session as expired."""
    sessions = [value for value in f.env.values() if isinstance(value, Session)]
    if len(sessions) > 1 or f.conditional or m.greenlets or not expires_on_commit(m):
        return
    f.expirations += 1
    site = f.site(node.start, node.end)
    for value in list(f.env.values()):
        if isinstance(value, Row) and not value.deleted and (value.added or (value.origin is not None and value.origin.query.asynchronous)):
            _replace(f, value, replace(value, expired=site, added=True, assigned=()))


def commit_lists(m: Machine, f: Frame, node: ir.Node) -> None:
    """Marks the lists of rows that the frame has of its session as expired: who reads of them now fetches row after row."""
    sessions = [value for value in f.env.values() if isinstance(value, Session)]
    if len(sessions) > 1 or f.conditional or f.loops or not expires_on_commit(m):
        return
    site = f.site(node.start, node.end)
    for name, value in list(f.env.items()):
        if not isinstance(value, Sequence) or value.kind != "list" or value.items is not None or value.source is None:
            continue
        row = value.element
        if isinstance(row, Row) and row.origin is not None and row.model.orm is Orm.SQLALCHEMY and not row.origin.query.asynchronous:
            f.env[name] = expired = replace(value, element=replace(row, expired=site))
            m.expired_at[site] = len(m.events)
            if value in m.fed:
                m.fed[expired] = m.fed[value]


def _reload(m: Machine, f: Frame, node: ir.Node, row: Row, name: str) -> None:
    """Records that an expired row of a session that is not asynchronous is fetched again, unless a query has done so."""
    start = m.expired_at.get(row.expired, 0) if row.expired is not None else 0
    if not any(event.op in READS and event.model is row.model for event in m.events[start:]):
        origin = row.origin
        m.event(
            f,
            Op.RELOAD,
            node,
            model=row.model,
            orm=Orm.SQLALCHEMY,
            query=origin.query if origin is not None else None,
            row=origin,
            column=name,
            since=row.expired,
        )
    _replace(f, row, replace(row, expired=None))


def revive(f: Frame) -> None:
    """Forgets which rows are expired: something was awaited that may have fetched them again."""
    for value in list(f.env.values()):
        if isinstance(value, Row) and value.expired is not None:
            _replace(f, value, replace(value, expired=None))


def read_expired(m: Machine, f: Frame, node: ir.Node, row: Row, name: str) -> bool:
    """Records that a mapped attribute of an expired row is read; returns whether it is one."""
    model = row.model
    if m.greenlets or row.awaited or name in row.assigned or not (model.is_primary_key(name) or name in model.columns or name in model.relations):
        return False
    if row.origin is not None and not row.origin.query.asynchronous:
        _reload(m, f, node, row, name)
        return False
    m.event(
        f,
        Op.FAILED_LOAD,
        node,
        model=model,
        orm=model.orm,
        query=row.origin.query if row.origin is not None else None,
        row=row.origin,
        column=name,
        obstacle=Obstacle.EXPIRED,
        since=row.expired,
        factory=_known(m)[1],
    )
    _replace(f, row, replace(row, expired=None))
    return True


def _replace(f: Frame, old: Row, new: Row) -> None:
    for name, value in list(f.env.items()):
        if value is old:
            f.env[name] = new


def expires_on_commit(m: Machine) -> bool:
    """Whether the project makes sessions, and none of them with an option of its own."""
    return _known(m)[0]


def _known(m: Machine) -> tuple[bool, Site | None]:
    """Returns whether sessions expire their rows, and the call that makes the asynchronous ones if there is but one."""
    if m.expires_on_commit is None:
        modules = [module for module in m.program.modules.values() if mentions(module.tree, {OPTION, *FACTORIES})]
        bodies = [module.tree.body for module in modules]
        made = any(isinstance(node, ir.Call) and node.called in FACTORIES for node in walk(bodies))
        calls = ((module, node) for module in modules if not module.is_library for node in walk(module.tree.body))
        found = [module.site(node) for module, node in calls if isinstance(node, ir.Call) and _makes_asynchronous_ones(node)]
        m.expires_on_commit = made and not _sets_option(bodies), found[0] if len(found) == 1 else None
    return m.expires_on_commit


def _makes_asynchronous_ones(call: ir.Call) -> bool:
    """Whether a call makes asynchronous sessions, or a factory of them: `sessionmaker(engine, class_=AsyncSession)`."""
    if call.called == "sessionmaker":
        return any(name == "class_" and isinstance(value, ir.Name) and value.id == "AsyncSession" for name, value in call.keywords)
    return call.called in ("AsyncSession", "async_sessionmaker")


def _sets_option(bodies: list[list[ir.Stmt]]) -> bool:
    """Whether the option is set anywhere, as a keyword, in a dict or by a function's default; then it decides, and not the default."""
    for node in walk(bodies):
        match node:
            case ir.Call() if any(name == OPTION for name, _ in node.keywords) or (node.called in FACTORIES and any(not n for n, _ in node.keywords)):
                return True
            case ir.Const(value="expire_on_commit") | ir.Param(name="expire_on_commit"):
                return True
            case _:
                pass
    return False


__all__ = ["Site", "add", "commit", "commit_lists", "forget", "read_expired", "revive"]
