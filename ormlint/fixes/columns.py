"""A list of one column of the rows of a query, which are loaded whole.

[book.id for book in Book.objects.all()]                list(Book.objects.values_list("id", flat=True))
[book.id for book in session.scalars(select(Book))]     session.scalars(select(Book.id)).all()
[book.id for book in session.scalars(wanted())]         session.scalars(wanted().with_only_columns(Book.id)).all()
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import chain_of, insert_links, quote_for
from ormlint.fixes.imports import Refusal, is_builtin, is_class, spell_model
from ormlint.fixes.orders import risk_of_lost_joins
from ormlint.fixes.origins import origin
from ormlint.fixes.receivers import risk_of_another_query
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import is_used_later, only_value, reads
from ormlint.fixes.walked import gives_queryset
from ormlint.judge.finding import Applicability, Fix, ReadColumn
from ormlint.judge.orders import is_ordered
from ormlint.link.schema import Model, Orm, Schema
from ormlint.run.log import QueryObject
from ormlint.text import Edit

_UNORDERED = "nothing says which row comes first, and the database may give the values alone in another order"
# Methods after which the values of a column are those that the rows have, one for each of them.
PLAIN = frozenset({
    "objects", "all", "filter", "exclude", "order_by", "reverse", "select_related", "prefetch_related", "[:]",
    "select", "where", "filter_by", "limit", "offset", "scalars",
})  # fmt: skip
# Fields of Django whose value is what the database sends, with no descriptor in between.
_SIMPLE = frozenset({
    "AutoField", "BigAutoField", "BigIntegerField", "BooleanField", "CharField", "DateField", "DateTimeField", "DecimalField", "DurationField",
    "EmailField", "FloatField", "ForeignKey", "GenericIPAddressField", "IntegerField", "OneToOneField", "PositiveBigIntegerField",
    "PositiveIntegerField", "PositiveSmallIntegerField", "SlugField", "SmallAutoField", "SmallIntegerField", "TextField", "TimeField", "URLField",
    "UUIDField",
})  # fmt: skip
_ANYHOW = frozenset({"set", "frozenset", "min", "max", "any", "all"})  # what does not ask for the order of a list


def read_column(sources: Sources, intent: ReadColumn, schema: Schema) -> Fix | None:
    """Returns the fix, a display-only one if a name is missing, None if the place is no plain list of a column, or its values may be others."""
    file, statement, query = sources.file(intent.site), sources.statement(intent.site), intent.query
    rows = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or rows is None:
        return None
    whole = _list_of(statement, rows, intent.column)
    model = query.model
    if whole is None or model is None or not set(query.methods) <= PLAIN or query.ways or not query.plain:
        return None
    description = f"load `{intent.column}` alone"
    if query.orm is Orm.DJANGO:
        here = (intent.site.encloses(query.site) and not query.steps) or _is_asked_for_here(sources, statement, rows, query)
        edits = _values_list(file, statement, whole, rows, intent) if here else None
    else:
        selected = _selected(sources, file, statement, whole, rows, intent, schema)
        if isinstance(selected, Refusal):
            return Fix(Applicability.DISPLAY, description, (), selected.reason)
        edits = selected
    if edits is None:
        return None
    risk = risk_of_lost_joins(query) or ("" if is_ordered(query, model) or _is_asked_anyhow(file, statement, whole) else _UNORDERED)
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, description, tuple(edits), risk)


def _is_asked_for_here(sources: Sources, statement: Statement, rows: cst.BaseExpression, query: QueryObject) -> bool:
    """Whether the rows of a query that is made elsewhere are loaded for the list alone, which may ask it for something else."""
    if query.orm is not Orm.DJANGO or risk_of_another_query(sources, statement, rows, query):
        return False
    if isinstance(rows, cst.Name) and (is_used_later(statement, rows) or not isinstance(statement.function(rows), cst.FunctionDef)):
        return False
    return gives_queryset(sources, statement, rows, query)


def _list_of(statement: Statement, rows: cst.BaseExpression, column: str) -> cst.ListComp | None:
    """Returns the comprehension `[row.column for row in rows]`."""
    clause = statement.parent(rows)
    match statement.parent(clause) if clause is not None else None:
        case (
            cst.ListComp(
                elt=cst.Attribute(value=cst.Name(value=row), attr=cst.Name(value=read)),
                for_in=cst.CompFor(target=cst.Name(value=target), iter=iterated, ifs=[], inner_for_in=None, asynchronous=None),
            ) as whole
        ) if row == target and read == column and iterated is rows:
            return whole
        case _:
            return None


def _is_asked_anyhow(file: SourceFile, statement: Statement, whole: cst.ListComp) -> bool:
    argument = statement.parent(whole)
    call = statement.parent(argument) if argument is not None else None
    match call:
        case cst.Call(func=cst.Name(value=name), args=[cst.Arg(star="", keyword=None)]):
            return name in _ANYHOW and is_builtin(file, name)
        case _:
            return False


def _values_list(file: SourceFile, statement: Statement, whole: cst.ListComp, rows: cst.BaseExpression, intent: ReadColumn) -> list[Edit] | None:
    """Returns the edits for a queryset, None if its rows may have other values than the database sends."""
    model = intent.query.model
    if model is None or not model.plain_rows or model.polymorphic or not is_simple(model, intent.column):
        return None
    if not isinstance(rows, (cst.Call, cst.Subscript, cst.Name)) or not is_builtin(file, "list"):
        return None
    chain = chain_of(statement, rows)
    if chain.inner != len(chain.links) or chain.receiver(len(chain.links)) is not rows:
        return None
    quote = quote_for(file, statement, chain)
    last = chain.links[-1] if chain.links else None
    if last is not None and last.name == "all" and last.call is not None and not last.call.args and last.dot is not None:
        name = last.call.func
        start, end = (statement.span(name.attr)[0] if isinstance(name, cst.Attribute) else 0), statement.span(last.node)[1]
        inserted = [file.edit(start, end, f"values_list({quote}{intent.column}{quote}, flat=True)")]
    else:
        inserted = insert_links(file, statement, chain, chain.inner, [f".values_list({quote}{intent.column}{quote}, flat=True)"])
    opening, closing = ("", "") if _is_asked_anyhow(file, statement, whole) else ("list(", ")")
    return left_of(file, statement, whole, rows, inserted, opening, closing)


def is_simple(model: Model, name: str) -> bool:
    """Whether an attribute of a row is the value of a column that the database sends, with no descriptor in between."""
    column = model.columns.get(model.primary_key if name == "pk" else name)
    return (column.plain and column.type in _SIMPLE) if column is not None else model.is_primary_key(name)


def _selected(
    sources: Sources, file: SourceFile, statement: Statement, whole: cst.ListComp, rows: cst.BaseExpression, intent: ReadColumn, schema: Schema
) -> list[Edit] | Refusal | None:
    """Returns the edits for a select of one entity, None if it reads anything but the key: a row that the session holds may have another value."""
    model = intent.query.model
    if model is None or not model.is_primary_key(intent.column):
        return None
    call = rows
    if isinstance(rows, cst.Call) and isinstance(rows.func, cst.Attribute) and rows.func.attr.value == "all" and not rows.args:
        call = rows.func.value
    match call:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="scalars")), args=[cst.Arg(value=selected, star="")]):
            pass
        case _:
            return None
    inserted = column_of(sources, file, statement, selected, intent.query, intent.column, schema)
    if inserted is None or isinstance(inserted, Refusal):
        return inserted
    if call is rows:
        taken = chain_of(statement, call)
        inserted = [*inserted, *insert_links(file, statement, taken, taken.inner, [".all()"])]
    return left_of(file, statement, whole, rows, inserted, "", "")


def column_of(
    sources: Sources, file: SourceFile, statement: Statement, asked: cst.BaseExpression, query: QueryObject, column: str, schema: Schema
) -> list[Edit] | Refusal | None:
    """Returns the edits that have a query of rows ask for one column, where it is used; None if it may be another one, or asks for more.

    One that is made for that use alone is changed where it is made.
    """
    made = origin(sources, file, statement, asked, query)
    if made is None or query.model is None or len(made.entities) != 1:
        return None
    entity = made.entities[0]
    if not isinstance(entity, (cst.Name, cst.Attribute)):
        return None
    if made.here or _is_for_alone(statement, asked, made.node):
        return [file.insert(statement.outer(entity)[1], f".{column}")]
    if not query.complete or not is_class(made.file, made.statement, entity, query.model, schema):
        return None
    spelling = spell_model(file, statement.span(asked)[0], query.model, schema)
    if isinstance(spelling, Refusal):
        return spelling
    chain = chain_of(statement, asked)
    method = "with_entities" if query.style == "query" else "with_only_columns"
    return [*insert_links(file, statement, chain, chain.inner, [f".{method}({spelling.text}.{column})"]), *spelling.edits]


def _is_for_alone(statement: Statement, asked: cst.BaseExpression, made: cst.BaseExpression) -> bool:
    """Whether an expression begins with the variable that a query is assigned to, which nothing else reads."""
    root = chain_of(statement, asked).root
    function = statement.function(asked)
    if not isinstance(root, cst.Name) or function is None or statement.function(made) is not function:
        return False
    value = only_value(statement, function, root.value)
    assign = statement.parent(value) if value is not None else None
    return isinstance(assign, cst.Assign) and value is made and len(list(reads(statement, function, root.value))) == 1


def left_of(
    file: SourceFile, statement: Statement, whole: cst.BaseExpression, rows: cst.BaseExpression, inserted: list[Edit], opening: str, closing: str
) -> list[Edit] | None:
    """Returns the edits that leave of an expression the rows in it, between `opening` and `closing`; None if a comment would be lost."""
    (start, end), (first, last) = statement.span(whole), statement.outer(rows)
    if "#" in file.text[start:first] or "#" in file.text[last:end]:
        return None
    if not opening and not rows.lpar and "\n" in file.text[first:last].replace("\r", "\n"):
        opening, closing = "(", ")"
    before = file.text[start - 1 : start]
    glued = " " if before.isalnum() or before == "_" else ""
    behind = " " if file.text[end : end + 1].isalnum() else ""
    tail = file.edit(last, end, f"{closing}{behind}")
    if any(edit.start == edit.end == last for edit in inserted):
        tail = file.edit(last, end, "".join(edit.content for edit in inserted if edit.start == edit.end == last) + f"{closing}{behind}")
        inserted = [edit for edit in inserted if not edit.start == edit.end == last]
    return [file.edit(start, first, f"{glued}{opening}"), *inserted, tail]
