"""Rows of SQLAlchemy that a loop inserts one by one, inserted together behind it.

for name in names:                                           rows = []
    session.execute(insert(Beer).values(name=name))          for name in names:
                                                                 rows.append({"name": name})
                                                             if rows:
                                                                 session.execute(insert(Beer).execution_options(render_nulls=True), rows)

An empty list would insert one row of defaults; None would become the default of its column, were it not for `render_nulls`, but does so in a
dict that is given to `execute()` as well.
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import chain_of, last_name, quote_for
from ormlint.fixes.imports import Refusal, is_class
from ormlint.fixes.walk import Walk
from ormlint.judge.finding import Applicability, Fix
from ormlint.link.schema import Model, Schema

_EXPRESSIONS = frozenset({"func", "text", "select", "literal", "literal_column", "case", "cast", "bindparam", "null", "sql", "sa", "sqlalchemy"})
_ENDING = frozenset({"commit", "rollback", "close", "begin", "begin_nested", "invalidate", "reset"})
_AS_THEY_ARE = "a value that is an SQL expression is refused, and one that is changed later is written as it is then"


def insert_together(walk: Walk, model: Model, schema: Schema, call: cst.Call, reason: str) -> Fix | Refusal:
    """Returns the fix for `session.execute(insert(Model).values(…))` and `session.execute(insert(Model), {…})`."""
    taken = _taken_apart(walk, call)
    if taken is None:
        return Refusal("the row is inserted in another way")
    insert, row, statement = *taken, walk.statement
    if not _is_into(walk, insert, model, schema):
        return Refusal("it is not the model that is inserted into")
    if any(not base.abstract for base in model.bases):
        return Refusal("its rows may lie in several tables")
    if "#" in statement.code(call):
        return Refusal("a comment stands in the call")
    assert isinstance(call.func, cst.Attribute)
    if (walk.names(call.func.value) | walk.names(insert)) & walk.bound:
        return Refusal("the session or the model changes in the loop")
    if any(last_name(other.func) in _ENDING for other in statement.within(walk.loop.body, cst.Call)):
        return Refusal("the loop ends what the session does")
    session = walk.names(call.func.value) - {"self"}
    given = [each for other in statement.within(walk.loop.body, cst.Call) if other is not call for each in other.args]
    if any(isinstance(each.value, (cst.Name, cst.Attribute)) and walk.names(each.value) & session for each in given):
        return Refusal("the loop gives the session away, which may be committed there")
    item = _item(walk, model, row)
    rows = walk.fresh("inserted")
    if isinstance(item, Refusal) or rows is None:
        return item if isinstance(item, Refusal) else Refusal("no name for the list of rows is free")
    body = walk.file.indentation(statement.span(walk.body[0])[0]) if walk.body else None
    if body is None or not body.startswith(walk.indentation):
        return Refusal("the loop shares its line")
    options = ".execution_options(render_nulls=True)" if isinstance(row, cst.Call) else ""
    code = f"{statement.code(call.func)}({statement.code(insert)}{options}, {rows})"
    edits = (
        walk.before(f"{rows} = []"),
        walk.file.edit(*statement.span(call), f"{rows}.append({item})"),
        walk.behind(f"if {rows}:", body[len(walk.indentation) :] + code),
    )
    return Fix(Applicability.UNSAFE, f"insert the rows together with `{code}`", edits, f"{reason}; {_AS_THEY_ARE}")


def _is_into(walk: Walk, insert: cst.Call, model: Model, schema: Schema) -> bool:
    """Whether `insert(…)` has the model alone, by its own name or that under which it is imported; `insert(Beer.__table__)` is another thing."""
    match insert.args:
        case [cst.Arg(value=cst.Name() | cst.Attribute() as value, keyword=None, star="")]:
            return is_class(walk.file, walk.statement, value, model, schema)
        case _:
            return False


def _taken_apart(walk: Walk, call: cst.Call) -> tuple[cst.Call, cst.Call | cst.Dict] | None:
    """Returns `insert(Model)` and what holds the values: the call of `values()`, or a dict; None if the call is another one."""
    arguments = [argument.value for argument in call.args if argument.keyword is None and not argument.star]
    if last_name(call.func) != "execute" or len(arguments) != len(call.args):
        return None
    match arguments:
        case [cst.Call(func=cst.Attribute(value=cst.Call() as insert, attr=cst.Name(value="values"))) as values]:
            return (insert, values) if last_name(insert.func) == "insert" else None
        case [cst.Call() as insert, cst.Dict() as row]:
            return (insert, row) if last_name(insert.func) == "insert" else None
        case _:
            return None


def _item(walk: Walk, model: Model, row: cst.Call | cst.Dict) -> str | Refusal:
    """Returns the dict of a row."""
    if isinstance(row, cst.Dict):
        return walk.statement.code(row)  # what is no value has been refused before
    quote, values = quote_for(walk.file, walk.statement, chain_of(walk.statement, row)), []
    for argument in row.args:
        name = argument.keyword.value if argument.keyword is not None else ""
        if name not in model.columns or argument.star:
            return Refusal("the values are not named by the attributes of the model")
        expression = _has_expression(walk, argument.value, model)
        if expression:
            return Refusal("a value is an SQL expression")
        start, end = walk.statement.outer(argument.value)
        values.append(f"{quote}{name}{quote}: {walk.file.text[start:end]}")
    return f"{{{', '.join(values)}}}" if values else Refusal("no values are given")


def _has_expression(walk: Walk, value: cst.BaseExpression, model: Model) -> bool:
    """Whether a value may be an SQL expression, which a list of rows cannot hold: `func.now()`, `Beer.litres + 1`."""
    return not walk.names(value).isdisjoint(_EXPRESSIONS | {model.name}) or bool(
        [call for call in walk.statement.within(value, cst.Call) if last_name(call.func) in ("scalar_subquery", "as_scalar", "label")]
    )
