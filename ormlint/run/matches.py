"""Which lookups of a query ask for what belongs to a row: `filter(book=book)`, `filter(book_id=self.pk)`."""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.run.frame import Frame
from ormlint.run.log import Match
from ormlint.run.values import Row, Value


def matches_of(f: Frame, node: ir.Call, keywords: dict[str, Value]) -> tuple[Match, ...]:
    """Returns the lookups of a call that are given a row of a known query, or the primary key of one that a variable holds."""
    found = [Match(name, value.origin) for name, value in keywords.items() if type(value) is Row and value.origin is not None]
    for name, expression in node.keywords:
        if type(expression) is ir.Attr and type(expression.value) is ir.Name:
            row = f.env.get(expression.value.id)
            if type(row) is Row and row.origin is not None and name and row.model.is_primary_key(expression.name):
                found.append(Match(name, row.origin))
    return tuple(found)
