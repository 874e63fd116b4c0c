"""Rows that are all loaded although only some of them are used, as a comparison of their columns decides."""

from __future__ import annotations

from ormlint.judge.lists import lists_of_rows
from ormlint.judge.project import Project
from ormlint.link.schema import Model
from ormlint.run.log import Op, QueryLog, QueryObject, Shape, Use, UseKind

TEXTS = ("Char", "Text", "String", "Slug", "Email", "URL", "Unicode", "Enum", "UUID", "Uuid", "VARCHAR", "str")
NUMBERS = (
    "Integer", "BigInteger", "SmallInteger", "Positive", "BigAuto", "Auto", "Decimal", "Float", "Numeric", "Date", "Time", "Duration", "Interval",
    "INTEGER", "BIGINT", "DATE", "TIMESTAMP", "int", "float", "date", "time",
)  # fmt: skip
FLAGS = ("Boolean", "NullBoolean", "BOOLEAN", "bool")
ORDERS = frozenset({"<", "<=", ">", ">="})


def sifted_in_python(project: Project, log: QueryLog) -> dict[QueryObject, Use]:
    """Returns the queries of whose rows a single loop uses some, by what it compares their columns with, each with the loop's use."""
    found = {}
    deleted = {event.row.query for event in log.of(Op.DELETE) if event.row is not None}
    for query, uses in lists_of_rows(project, log):
        walks = [use for use in uses if not use.sifted and use.kind is not UseKind.METHOD]
        if len(walks) != 1 or query in deleted:  # rows that are deleted one by one need not be loaded at all
            continue
        if walks[0].kind is UseKind.ITERATE and walks[0].sieve and not walks[0].repeated and _is_comparable(query, walks[0]):
            found[query] = walks[0]
    return found


def _is_comparable(query: QueryObject, walk: Use) -> bool:
    """Whether the database can make the comparisons, in this query and for whoever else builds it here."""
    if query.shape is not Shape.ROWS or query.generic or not query.complete or query.combined:
        return False
    if query.relation is not None and all(name in ("all", "get_queryset") for name in query.methods):
        return False  # fetched in advance the collection costs nothing
    model = query.model
    return model is not None and all(_is_plain(model, column, operator) for column, operator in walk.sieve)


def _is_plain(model: Model, name: str, operator: str) -> bool:
    """Whether a column means the same to the database as to Python: the types of the ORM's own, and keys."""
    if name not in model.concrete:
        return False
    column = model.columns.get(name)
    if column is None:
        return operator not in ("", *ORDERS)
    if not operator:
        return column.type.startswith(FLAGS)
    known = column.type.startswith((*NUMBERS, *FLAGS)) or (column.type.startswith(TEXTS) and operator not in ORDERS)
    return known or column.type.endswith("Key")
