"""Managers that are used as if they were the rows behind them: `if author.books:`."""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.run.frame import Frame
from ormlint.run.log import QueryObject, Use, UseKind
from ormlint.run.machine import Machine
from ormlint.run.values import Manager

PROTOCOLS = {
    UseKind.TRUTH: ("__bool__", "__len__"),
    UseKind.LEN: ("__len__",),
    UseKind.ITERATE: ("__iter__", "__getitem__"),
    UseKind.CONTAINS: ("__contains__", "__iter__", "__getitem__"),
    UseKind.INDEX: ("__getitem__",),
}


def misuse_manager(m: Machine, f: Frame, manager: Manager, node: ir.Node, test: ir.Node, kind: UseKind, *, negated: bool = False) -> None:
    """Notes that a manager itself is tested, counted or walked by `test`; `node` is the expression that gives the manager.

    A manager that was read elsewhere is left out, for another caller may give something else: None, a list.
    """
    if f.module.is_library or not _is_read_by(manager, node):
        return
    from ormlint.run.attributes import custom_method

    if any(custom_method(m, manager, name) is not None for name in PROTOCOLS[kind]):
        return
    query = QueryObject(model=manager.model, orm=manager.model.orm, site=f.site(node.start, node.end), style="manager", relation=manager.relation)
    m.new_query(f, query)
    query.uses.append(Use(kind, f.site(test.start, test.end), negated=negated))


def _is_read_by(manager: Manager, node: ir.Node) -> bool:
    if not isinstance(node, ir.Attr):
        return False
    return manager.row is None or (manager.site is not None and (manager.site.start, manager.site.end) == (node.start, node.end))
