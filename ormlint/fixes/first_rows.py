"""A query of whose rows the first is taken is cut to that row, where it is taken: others may use the query for more.

books = Book.objects.order_by("title")         books = Book.objects.order_by("title")
print(list(books)[0])                          print(list(books[:1])[0])
session.scalars(stmt).first()                  session.scalars(stmt.limit(1)).first()
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import chain_of, insert_links
from ormlint.fixes.imports import Refusal
from ormlint.fixes.origins import list_for_alone, origin
from ormlint.fixes.read_rows import loops_repeating
from ormlint.fixes.receivers import GIVEN, assigned, is_new_queryset, is_surely_queryset, risk_of_another_query
from ormlint.fixes.source import Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import RUNNING, bindings, only_value
from ormlint.judge.finding import Applicability, Fix, TakeFirst
from ormlint.link.schema import Orm

_DESCRIPTION = "take one row from the database"
_RUNNING = RUNNING | {"scalar"}
_OF_RESULTS = frozenset({"first", "scalar", "scalars", "fetchone", "all", "unique"})


def take_first(sources: Sources, intent: TakeFirst) -> Fix | None:
    """Returns the fix, a display-only one if another thing than the query may stand there, None if the place is not understood."""
    file, statement, query = sources.file(intent.site), sources.statement(intent.site), intent.query
    node = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or node is None:
        return None
    rows = _value(statement, _rows(statement, node)) if intent.kept else _rows(statement, node)
    if rows is None:
        return None
    asked = _of_django(statement, rows) if query.orm is Orm.DJANGO else _of_sqlalchemy(statement, rows) or _of_lambda(sources, intent, rows)
    if isinstance(asked, Refusal):
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), asked.reason)
    if asked is None:
        return None
    if query.orm is Orm.DJANGO and isinstance(asked, cst.Name) and _keeps_for_next_round(statement, asked):
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), "a QuerySet keeps its rows for the next round, which would ask anew")
    chain = chain_of(statement, asked)
    cut = "[:1]" if query.orm is Orm.DJANGO else ".limit(1)"
    risk = risk_of_another_query(sources, statement, asked, query)
    if risk == GIVEN and _is_asked_here(statement, asked):
        risk = ""
    risk = risk or intent.reason
    edits = insert_links(file, statement, chain, chain.inner, [cut])
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, f"add `{cut}` to the query", tuple(edits), risk)


def _rows(statement: Statement, node: cst.BaseExpression) -> cst.BaseExpression:
    """Returns what the first row is taken of; the value of its variable if that is a list."""
    match node:
        case cst.Subscript(value=rows):
            pass
        case cst.Call(func=cst.Name(value="next"), args=[cst.Arg(value=cst.Call(func=cst.Name(value="iter"), args=[cst.Arg(value=rows)])), *_]):
            return rows
        case _:
            return node
    if isinstance(rows, cst.Name):
        return only_value(statement, statement.function(rows), rows.value) or rows
    return rows


def _value(statement: Statement, rows: cst.BaseExpression) -> cst.BaseExpression | None:
    """Returns what a variable is given in one place, of which a list is made or not."""
    if isinstance(rows, cst.Name):
        rows = only_value(statement, statement.function(rows), rows.value) or rows
    return rows if isinstance(statement.parent(rows), (cst.Assign, cst.AnnAssign)) and not isinstance(rows, cst.Name) else None


def _of_django(statement: Statement, rows: cst.BaseExpression) -> cst.BaseExpression | Refusal | None:
    """Returns the queryset whose rows are listed or walked."""
    listed = _listed(rows)
    asked = listed or rows
    match asked:
        case cst.Name():
            return asked if is_surely_queryset(statement, asked) else Refusal("something else than a query may stand there")
        case cst.Call():
            # the others may be rows already
            return asked if listed is not None or isinstance(statement.parent(asked), (cst.For, cst.Arg)) or is_new_queryset(asked) else None
        case _:
            return None


def _keeps_for_next_round(statement: Statement, asked: cst.Name) -> bool:
    """Whether a variable is read in each round of a loop that does not set it."""
    return any(next(bindings(statement, loop, asked.value), None) is None for loop in loops_repeating(statement, asked))


def _listed(rows: cst.BaseExpression) -> cst.BaseExpression | None:
    match rows:
        case cst.Call(func=cst.Name(value="list" | "tuple"), args=[cst.Arg(value=listed, star="", keyword=None)]):
            return listed
        case _:
            return None


def _of_sqlalchemy(statement: Statement, rows: cst.BaseExpression) -> cst.BaseExpression | Refusal | None:
    """Returns the query or statement whose result is asked for."""
    node = _listed(rows) or rows
    lists = False  # whether a list is made of it there, so that a function gives no list already
    while True:
        match node:
            case cst.Await(expression=inner):
                node = inner
            case cst.Call(func=cst.Attribute(attr=cst.Name(value=method)), args=[cst.Arg(value=asked, star="", keyword=None), *_]) if (
                method in _RUNNING and not (method == "scalar" and _is_result(node))
            ):
                return _built(statement, asked)
            case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value=method)), args=[]) if method in _OF_RESULTS:
                node, lists = inner, True
            case cst.Name() | cst.Call(func=cst.Attribute()):
                return _built(statement, node)
            case cst.Call():
                return node if lists else None
            case _:
                return None


def _of_lambda(sources: Sources, intent: TakeFirst, rows: cst.BaseExpression) -> cst.BaseExpression | None:
    """Returns the query of which a lambda makes a list that nothing else reads: `wanted = lambda: query.all()`, `wanted()[0]`."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    made = origin(sources, file, statement, rows, intent.query) if file is not None and statement is not None else None
    listed = list_for_alone(statement, rows, made, frozenset()) if statement is not None and made is not None else None
    match listed:
        case cst.Call(func=cst.Attribute(value=query)):
            return query
        case _:
            return None


def _is_asked_here(statement: Statement, asked: cst.BaseExpression) -> bool:
    """Whether a query is made in the function, by a session that may be given: `session.query(Book)`."""
    function = statement.function(asked)
    values = list(assigned(statement, function, asked.value)) if isinstance(asked, cst.Name) and function is not None else [asked]
    return any(link.name == "query" and link.call is not None for value in values for link in chain_of(statement, value).links)


def _is_result(node: cst.Call) -> bool:
    return not node.args


def _built(statement: Statement, asked: cst.BaseExpression) -> cst.BaseExpression | Refusal | None:
    """Returns an expression if it makes a query, or is a variable of the function that is given nothing else."""
    if isinstance(asked, cst.Call):
        return asked
    function = statement.function(asked)
    if not isinstance(asked, cst.Name) or function is None:
        return None
    values = list(assigned(statement, function, asked.value))
    surely = values and len(values) == len(list(bindings(statement, function, asked.value))) and all(isinstance(value, cst.Call) for value in values)
    return asked if surely else Refusal("something else than a query may stand there")
