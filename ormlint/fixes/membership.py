"""`book in books` → `books.contains(book)`, and `title in books.values_list("title", flat=True)` → `books.filter(title=title).exists()`."""

from __future__ import annotations

import re

import libcst as cst

from ormlint.fixes.chain import chain_of, is_postfix
from ormlint.fixes.orders import risk_of_lost_rows
from ormlint.fixes.read_rows import is_read_row
from ormlint.fixes.receivers import is_stream, risk_of_another_value
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.walked import gives_queryset
from ormlint.judge.finding import Applicability, Fix, ReplaceMembershipTest
from ormlint.link.schema import Model
from ormlint.run.log import Match, QueryObject, Shape, UseKind

_DESCRIPTION = "ask the database whether it is one of them"
_ROW = "`contains()` raises an error for what is no row that was saved, where `in` is false"
_VALUE = "the database compares: types, case and accents may count otherwise than in Python"
# Columns whose values are the same in the database and in Python if they are equal in one of them: no texts.
_EXACT = re.compile(r"(?:(?:Big|Small)?Auto|(?:Positive)?(?:Big|Small)?Integer|UUID)Field")
_SMALL = 2**31  # above, a database may refuse a number
_CHOOSING = frozenset({"objects", "all", "filter", "exclude", "order_by", "reverse", "select_related", "prefetch_related", "values_list"})
_GROUPING = ("values", "annotate", "alias", "aggregate", "raw")
_PLAIN = (cst.Name, cst.Call, cst.Attribute)


def replace_membership_test(sources: Sources, intent: ReplaceMembershipTest) -> Fix | None:
    """Returns the fix, a display-only one if it cannot be written, None if the place is not understood."""
    file, statement, query = sources.file(intent.site), sources.statement(intent.site), intent.query
    node = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or not isinstance(node, cst.Comparison) or len(node.comparisons) != 1:
        return None
    sought, rows, operator = node.left, node.comparisons[0].comparator, node.comparisons[0].operator
    if not isinstance(operator, (cst.In, cst.NotIn)):
        return None
    obstacle = _obstacle(sources, statement, node, rows, query)
    (start, end), (first, last) = statement.span(node), statement.outer(rows)
    from_, to = statement.span(sought) if isinstance(sought, _PLAIN) else statement.outer(sought)
    value = file.text[from_:to]
    if "#" in file.text[start:first]:
        obstacle = obstacle or "a comment stands in the expression"
    if query.shape is Shape.ROWS:
        code, cut, reason = f".contains({value})", last, _ROW
    else:
        column = _column(statement, rows, query)
        dot = next((link.dot for link in chain_of(statement, rows).links if link.node is rows), None) if column else None
        column = column or _column_elsewhere(sources, statement, rows, query)
        if not column:
            return Fix(Applicability.DISPLAY, _DESCRIPTION, (), obstacle or "which column is searched is not written there")
        end = statement.span(rows)[1]  # its own parentheses stay
        code, cut, reason = f".filter({column}={value}).exists()", statement.span(dot)[0] if dot is not None else end, _VALUE
    if obstacle or "#" in file.text[cut:end]:
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), obstacle or "a comment stands in the expression")
    before = file.text[start - 1 : start]
    glued = " " if before.isalnum() or before == "_" else ""
    if not _risk_of_query(query) and _is_sure(file, statement, node, sought, query, intent.sought):
        reason = ""
    edits = (file.edit(start, first, f"{glued}not " if isinstance(operator, cst.NotIn) else glued), file.edit(cut, end, code))
    return Fix(Applicability.UNSAFE if reason else Applicability.SAFE, f"ask the database with `{code}`", edits, reason)


def _obstacle(sources: Sources, statement: Statement, node: cst.Comparison, rows: cst.BaseExpression, query: QueryObject) -> str:
    """Returns why the query cannot be asked where its rows are searched, "" if it can."""
    function = statement.function(node)
    if query.raw or query.locked or query.sliced or query.combined or query.cached or is_stream(query):
        return "the query takes no further condition"
    lists = any(use.kind is UseKind.ITERATE or (use.kind is UseKind.DERIVE and use.operator in ("list", "tuple", "set")) for use in query.all_uses())
    if lists or not isinstance(rows, _PLAIN) or not is_postfix(rows) or query.style == "list":
        return "a list is searched, not a query"
    if isinstance(rows, cst.Call) and not isinstance(rows.func, (cst.Attribute, cst.Name)):
        return "what is searched is not understood"
    if isinstance(function, cst.FunctionDef) and function.asynchronous is not None:
        return "the function is asynchronous"
    if next(statement.within(node, cst.NamedExpr), None) is not None:
        return "the expression binds a name, which would have its value later"
    if any(use.either for use in query.all_uses()):
        return "something else than the query may stand there"
    return risk_of_another_value(sources, statement, rows, query)


def _column(statement: Statement, rows: cst.BaseExpression, query: QueryObject) -> str:
    """Returns the column of `….values_list("column", flat=True)`, "" for any other expression."""
    if query.has(*_GROUPING) or not isinstance(rows, cst.Call):
        return ""
    match rows:
        case cst.Call(
            func=cst.Attribute(attr=cst.Name(value="values_list")),
            args=[
                cst.Arg(value=cst.SimpleString() as name, star="", keyword=None),
                cst.Arg(value=cst.Name(value="True"), keyword=cst.Name(value="flat")),
            ],
        ):
            column = str(name.evaluated_value)
            return column if column == query.flat_column and _is_own(query.model, column) else ""
        case _:
            return ""


def _column_elsewhere(sources: Sources, statement: Statement, rows: cst.BaseExpression, query: QueryObject) -> str:
    """Returns the only column of the rows of a query that is made elsewhere, "" if an expression may be anything else than that query."""
    column = query.flat_column
    if query.has(*_GROUPING) or query.ways or not query.complete or not _is_own(query.model, column) or isinstance(rows, cst.Attribute):
        return ""
    return column if gives_queryset(sources, statement, rows, query) else ""


def _is_own(model: Model | None, column: str) -> bool:
    """Whether a row has one value of it: what is behind a collection would be joined once more for the condition."""
    if model is None:
        return False
    relation = model.relation(column)
    return column in model.concrete or (relation is not None and relation.to_one and bool(relation.attname))


# ------------------------------------------------------------------------------------------------------------ what is safe
def _is_sure(
    file: SourceFile, statement: Statement, node: cst.Comparison, sought: cst.BaseExpression, query: QueryObject, match: Match | None
) -> bool:
    """Whether the database finds the very row, or value, that Python would: one that this function has read from there, and kept."""
    model = query.model
    if model is None or not _is_exact(model, "pk"):
        return False
    if query.shape is not Shape.ROWS and isinstance(sought, cst.Integer) and sought.evaluated_value < _SMALL:
        return _key_of(model, query.flat_column) is model
    name = sought.value if isinstance(sought, cst.Attribute) else sought
    row = match.row.query.model if match is not None else None
    if (
        match is None
        or row is None
        or not isinstance(name, cst.Name)
        or not is_read_row(file, statement, node, name.value, match.row, query.function)
    ):
        return False
    if query.shape is Shape.ROWS:
        return not match.lookup and row is model
    key = _key_of(row, match.lookup) if match.lookup else None
    return key is not None and key is _key_of(model, query.flat_column)


def _risk_of_query(query: QueryObject) -> bool:
    """Whether something sees that the rows are not loaded, or a condition more changes which rows there are."""
    model = query.model
    if model is None or not model.plain_rows or model.polymorphic or model.unread_base or not model.attributes.isdisjoint({"__eq__", "__hash__"}):
        return True
    if query.ways or not query.complete or query.distinct or not set(query.methods) <= _CHOOSING or query.filters & {"*"}:
        return True
    return bool(risk_of_lost_rows(query))


def _key_of(model: Model, name: str) -> Model | None:
    """Returns the model whose primary key a column has the values of: that of its own rows, or the one that a foreign key refers to."""
    if model.is_primary_key(name):
        return model if _is_exact(model, "pk") else None
    relation = next((each for each in model.relations.values() if each.attname and name in (each.name, each.attname)), None)
    if relation is None or relation.target is None or relation.to_field or not _is_exact(relation.target, "pk"):
        return None
    return relation.target


def _is_exact(model: Model, name: str) -> bool:
    if sum(column.primary_key for column in model.columns.values()) > 1 or any(base.columns and not base.abstract for base in model.bases):
        return False  # a row of a subclass has the key of another row
    column = model.columns.get(model.primary_key)
    return column is None or (column.plain and _EXACT.fullmatch(column.type) is not None)
