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


def sought_by(f: Frame, node: ir.Expr_, value: Value) -> Match | None:
    """Returns the row that an expression is, or that and the attribute of it; None if it is none of the database, or has been given values since."""
    if type(node) is ir.Attr and type(node.value) is ir.Name:
        row, name = f.env.get(node.value.id), node.name
    else:
        row, name = value, ""
    if type(row) is not Row or row.origin is None or row.fresh or row.deleted or row.assigned:
        return None
    return Match(name, row.origin)
