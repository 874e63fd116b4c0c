"""`sum(row.field for row in query)` → an aggregate query."""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import Chain, chain_of, is_postfix, quote_for, seen_through
from ormlint.fixes.counts import breaks_line
from ormlint.fixes.imports import Refusal, Spelling, spell_import, spell_model
from ormlint.fixes.receivers import before_stream, is_stream
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import AggregateInDatabase, Applicability, Fix
from ormlint.link.schema import Orm, Schema
from ormlint.text import Edit

_DJANGO = {"sum": ("Sum", "total"), "min": ("Min", "minimum"), "max": ("Max", "maximum")}
_BLOCKING = ("limit", "offset", "slice", "distinct", "group_by", "union", "union_all", "with_entities", "with_for_update", "select_for_update")
_NULLS = "rows without a value are skipped by the database and an error in Python; decimals may be rounded differently"
_EMPTY = "without rows the database gives None, Python an error; rows without a value are skipped"


def aggregate_in_database(sources: Sources, intent: AggregateInDatabase, schema: Schema) -> Fix | None:
    """Returns the fix, a display-only one if it cannot be written, None if the place is not understood."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    call = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or not isinstance(call, cst.Call) or intent.function not in _DJANGO:
        return None
    rows = _rows(call, intent)
    if rows is None or intent.query.locked or intent.query.raw:
        return None
    if intent.query.orm is Orm.SQLALCHEMY:
        return _in_sqlalchemy(file, statement, intent, call, rows, schema)
    return _in_django(file, statement, intent, call, rows)


def _rows(call: cst.Call, intent: AggregateInDatabase) -> cst.BaseExpression | None:
    """Returns what `sum(row.column for row in …)` walks over."""
    match call:
        case cst.Call(
            func=cst.Name(value=function),
            args=[
                cst.Arg(
                    value=cst.GeneratorExp(elt=element, for_in=loop) | cst.ListComp(elt=element, for_in=loop),
                    star="",
                    keyword=None,
                )
            ],
        ) if function == intent.function:
            pass
        case _:
            return None
    match element, loop:
        case (
            cst.Attribute(value=cst.Name(value=read), attr=cst.Name(value=column)),
            cst.CompFor(target=cst.Name(value=target), iter=rows, ifs=[], inner_for_in=None, asynchronous=None),
        ) if read == target and column == intent.column.name:
            return seen_through(rows)
        case _:
            return None


def _in_django(file: SourceFile, statement: Statement, intent: AggregateInDatabase, call: cst.Call, rows: cst.BaseExpression) -> Fix:
    whole, rows = rows, before_stream(rows)
    if rows is whole and is_stream(intent.query):
        return Fix(Applicability.DISPLAY, "compute it in the database", (), "the rows come from an iterator: compute it with its queryset")
    name, key = _DJANGO[intent.function]
    spelling = spell_import(file, intent.site.start, "django.db.models", name)
    if isinstance(spelling, Refusal):
        return Fix(Applicability.DISPLAY, "compute it in the database", (), spelling.reason)
    quote = quote_for(file, statement, chain_of(statement, rows))
    default = ", default=0" if intent.function == "sum" else ""
    code = f".aggregate({key}={spelling.text}({quote}{intent.column.name}{quote}{default}))[{quote}{key}{quote}]"
    edits = _replaced(file, statement, call, rows, code)
    if edits is None:
        return Fix(Applicability.DISPLAY, f"add up in the database with `{code}`", (), "a comment stands in the expression")
    reason = _NULLS if intent.function == "sum" else _EMPTY
    return Fix(Applicability.UNSAFE, f"compute it in the database with `{code}`", (*edits, *spelling.edits), reason)


def _replaced(file: SourceFile, statement: Statement, call: cst.Call, rows: cst.BaseExpression, code: str) -> list[Edit] | None:
    """Returns the edits that put the rows with `code` behind them in the place of a call, None if a comment would be lost."""
    start, end = statement.span(call)
    first, last = statement.outer(rows)
    if "#" in file.text[start:first] or "#" in file.text[last:end]:
        return None
    opening, closing = "", ""
    if not is_postfix(rows) or (not rows.lpar and breaks_line(statement.code(rows))):
        opening, closing = "(", ")"
    return [file.edit(start, first, opening), file.edit(last, end, closing + code)]


def _in_sqlalchemy(
    file: SourceFile, statement: Statement, intent: AggregateInDatabase, call: cst.Call, rows: cst.BaseExpression, schema: Schema
) -> Fix | None:
    query = intent.query
    chain = chain_of(statement, rows)
    links = chain.links[: chain.inner]
    if query.model is None or query.sliced or query.has(*_BLOCKING) or any(link.name in _BLOCKING for link in links):
        return None
    selected = _selected(statement, chain)
    spelling = Spelling(selected) if selected else spell_model(file, intent.site.start, query.model, schema)
    if isinstance(spelling, Refusal):
        return Fix(Applicability.DISPLAY, "compute it in the database", (), spelling.reason)
    entity = spelling.text
    if query.style != "query":
        column = f"{entity}.{intent.column.name}"
        return Fix(
            Applicability.DISPLAY, f"select `func.{intent.function}({column})` instead of `{entity}`", (), "the statement has to be written anew"
        )
    func = spell_import(file, intent.site.start, "sqlalchemy", "func")
    if isinstance(func, Refusal):
        return Fix(Applicability.DISPLAY, "compute it in the database", (), func.reason)
    value = f"{func.text}.{intent.function}({entity}.{intent.column.name})"
    if intent.function == "sum":
        value = f"{func.text}.coalesce({value}, 0)"
    # an aggregate over all rows has nothing to order by
    code = f"{'.order_by(None)' if query.has('order_by') else ''}.with_entities({value}).scalar()"
    if links and links[-1].name == "all":
        rows = links[-1].receiver
    edits = _replaced(file, statement, call, rows, code)
    if edits is None:
        return Fix(Applicability.DISPLAY, f"compute it in the database with `{code}`", (), "a comment stands in the expression")
    reason = _NULLS if intent.function == "sum" else _EMPTY
    return Fix(Applicability.UNSAFE, f"compute it in the database with `{code}`", (*edits, *func.edits, *spelling.edits), reason)


def _selected(statement: Statement, chain: Chain) -> str | None:
    for link in chain.links[: chain.inner]:
        if link.name == "query":
            if link.is_attribute:
                return statement.code(link.receiver)
            if link.call is not None and len(link.call.args) == 1:
                return statement.code(link.call.args[0].value)
    return None
