"""Queries that are given to something which is not understood, and come back as the same kind of query.

books = backend.search(text, books)                       a name that says so
query = apply_filters(query, filters)                     a function outside the project, or one that is only known when it runs:
self.statement = self.filter.sort(self.statement)         what takes the place of the query is one of the same rows, narrowed down or sorted
def apply(query: Query, text) -> Query:
    return search(query, text)                            so is what a function gives for a query that says it gives one
"""

from __future__ import annotations

from functools import partial, reduce

from ormlint.ir import nodes as ir
from ormlint.library import sqlalchemy_api as api
from ormlint.library.functions import narrows
from ormlint.link.names import External
from ormlint.link.schema import Orm
from ormlint.run.evaluate import evaluate
from ormlint.run.frame import Frame
from ormlint.run.log import CHANGED, Bound, QueryObject, Shape
from ormlint.run.machine import Machine
from ormlint.run.merging import join_values
from ormlint.run.queries import refined
from ormlint.run.values import Instance, Unknown, Value, options

STYLES = frozenset({"query", "select"})


def narrowed_by(m: Machine, f: Frame, node: ir.Call, name: str, args: list[Value], keywords: dict[str, Value]) -> QueryObject | None:
    """Returns what something not understood whose name says that it narrows a query down makes of the query, if it is given just one.

    They are some of its rows; whether they are a queryset, or a page that a search engine gave, is not known.
    """
    if not narrows(name):
        return None
    given = [value for value in (*args, *keywords.values()) if isinstance(value, QueryObject)]
    if len(given) != 1 or given[0].orm is not Orm.DJANGO or given[0].shape is not Shape.ROWS:
        return None
    filters = given[0].filters | {"*"}
    return refined(m, f, node, given[0], CHANGED, filters=filters, ordering=("?",), recipe=None, plain=False)


def put_in_its_place(m: Machine, f: Frame, target: ir.Expr_, node: ir.Expr_, value: Value) -> Value:
    """Returns what an assignment binds whose value is not known: the query that its target held and the call was given, if it did."""
    if type(value) not in (Unknown, External) or not isinstance(node, ir.Call):
        return value
    if not any(_is_same(target, arg) for arg in node.args) and not any(_is_same(target, arg) for _, arg in node.keywords):
        return value
    return _changed(m, f, node, _held(m, f, target)) or value


def as_announced(m: Machine, f: Frame, node: ir.Expr_, value: Value) -> Value:
    """Returns what a function returns whose value is not known: the query that the call was given, if it is announced to be one."""
    if type(value) not in (Unknown, External) or not isinstance(node, ir.Call) or f.function is None or f.function.node.returns is None:
        return value
    announced = f.function.node.returns
    symbol = m.program.resolve(announced.value if isinstance(announced, ir.Index) else announced, f.module)
    if not isinstance(symbol, External) or symbol.path not in api.QUERY_CLASSES:
        return value
    given = [_held(m, f, arg) for arg in node.args if isinstance(arg, ir.Name)]
    queries = [each for each in given if each is not None and _queries(each)]
    return (_changed(m, f, node, queries[0]) or value) if len(queries) == 1 else value


def _is_same(target: ir.Expr_, arg: ir.Expr_) -> bool:
    """Whether an argument is the variable or attribute that is assigned to."""
    match target, arg:
        case ir.Name(), ir.Name():
            return target.id == arg.id
        case ir.Attr(value=ir.Name()), ir.Attr(value=ir.Name()):
            assert isinstance(target.value, ir.Name)
            assert isinstance(arg.value, ir.Name)
            return (target.name, target.value.id) == (arg.name, arg.value.id)
        case _:
            return False


def _held(m: Machine, f: Frame, node: ir.Expr_) -> Value | None:
    """Returns the value of a variable, or of an attribute that an object of the project has."""
    if isinstance(node, ir.Name):
        return f.env.get(node.id)
    if isinstance(node, ir.Attr) and isinstance(node.value, ir.Name) and isinstance(f.env.get(node.value.id), Instance):
        return evaluate(m, f, node)
    return None


def _queries(value: Value) -> list[QueryObject]:
    """Returns the queries that a value may be, none if it may be anything else."""
    found = [option for option in options(value) if isinstance(option, QueryObject) and option.orm is Orm.SQLALCHEMY and option.style in STYLES]
    return found if len(found) == len(options(value)) else []


def _changed(m: Machine, f: Frame, node: ir.Call, value: Value | None) -> Value | None:
    """Returns what may have become of the queries that a value stands for: some of their rows, in another order."""
    found: list[Value] = [
        refined(
            m,
            f,
            node,
            query,
            CHANGED,
            bound=min(query.bound, Bound.PAGE),
            filters=query.filters | {"*"},
            ordering=(*(query.ordering or ()), "?"),
            recipe=None,
        )
        for query in (_queries(value) if value is not None else ())
    ]
    return reduce(partial(join_values, m), found) if found else None


__all__ = ["as_announced", "narrowed_by", "put_in_its_place"]
