"""Handfuls: how many rows the loops around a read walk, as far as the shape of their queries tells.

def show(request, key):                                    the lines of one order, however many orders there are
    order = Order.objects.get(pk=key)
    for line in order.lines.all(): line.product            a handful, mostly
for order in orders:
    for line in order.lines.all(): line.product            not so: the lines of all orders
paginate(order.lines.all())                                nor this: somebody expects many
"""

from __future__ import annotations

from collections.abc import Iterable

from ormlint.judge.listing import is_filtered
from ormlint.judge.project import Project
from ormlint.judge.repetition import repeaters
from ormlint.judge.wide import is_wide
from ormlint.run.log import Bound, Event, Loop


def is_of_one_row(event: Event) -> bool:
    """Whether what repeats an event is one loop alone, over the rows that one row has."""
    growing = [loop for loop in repeaters(event) if loop.bound >= Bound.PAGE]
    source = growing[0].source if len(growing) == 1 else None
    if source is None or source.relation is None or source.relation.to_one or source.bound is Bound.PAGE or source.sliced:
        return False
    return source.owner is None or source.owner.query.bound is Bound.ONE


def is_of_a_page(event: Event) -> bool:
    """Whether one of the loops that repeat an event walks a page of rows."""
    return any(loop.bound is Bound.PAGE for loop in repeaters(event))


def walk_a_table(project: Project, loops: Iterable[Loop]) -> bool:
    """Whether one of the loops walks all rows of a table, or a page of rows."""
    return any(_is_wide_or_page(project, loop) for loop in loops)


def _is_wide_or_page(project: Project, loop: Loop) -> bool:
    rows = loop.source
    if rows is None or loop.bound is Bound.PAGE:
        return loop.bound is Bound.PAGE
    return rows.paged is not None or (not is_filtered(rows) and is_wide(project, rows))
