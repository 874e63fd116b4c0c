"""Compares the query log with what really ran: constant, growing with N, growing with N×M.

A case's tables have N rows each and every row has a child of its own, so a loop over the children of one row runs once
on average; a loop over a many-to-many runs N times, since every pair is linked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ormlint.link.schema import Kind, Orm
from ormlint.run.log import Bound, Event, Loop, Op, QueryLog
from ormlint.text import Site
from tests.cases.growth import SIZES, degree

SILENT = frozenset({Op.BEGIN, Op.FLUSH, Op.ROLLBACK})  # nothing is sent, or only what other operations left to do
DEFERRED = frozenset({Op.ADD, Op.DELETE})  # in SQLAlchemy: sent by the flush, together or one by one, as the database can
_ONE_CHILD = (Kind.REVERSE_FOREIGN_KEY, Kind.REVERSE_ONE_TO_ONE, Kind.GENERIC_RELATION)


def disagreements(log: QueryLog, cost: str, place: Callable[[Site], str]) -> Iterator[str]:
    """Yields how the growth of the logged events differs from a measured cost; nothing if it does not.

    Events that depend on a condition may or may not have happened, so they never count as missing.
    """
    real = degree(cost)
    events = [event for event in log.events if event.op not in SILENT]
    certain = [event for event in events if _is_certain(event)]
    steepest = max(events, key=growth, default=None)
    predicted = growth(steepest) if steepest else 0
    if real > predicted:
        yield f"really {cost} statements, but the log has nothing that grows like that"
    surest = max(certain, key=growth, default=None)
    if surest is not None and growth(surest) > real:
        yield f"really {cost} statements, but the log says `{surest.op.value}` at {place(surest.site)} grows faster"


def _is_certain(event: Event) -> bool:
    around = event.around
    deferred = event.orm is Orm.SQLALCHEMY and event.op in DEFERRED
    return not (deferred or around.conditional or around.error_path or around.guarded_by_cache)


def growth(event: Event) -> int:
    """Returns 0 for an event that runs a fixed number of times, 1 if it grows with N, 2 with N×M."""
    return min(2, sum(_grows(loop) for loop in event.loops))


def _grows(loop: Loop) -> bool:
    if loop.first_only or loop.batches or loop.bound is Bound.ONE:
        return False
    if loop.bound is Bound.FEW and (loop.limit or 0) < SIZES[-1]:
        return False
    source = loop.source
    return not (source is not None and source.relation is not None and source.relation.kind in _ONE_CHILD)
