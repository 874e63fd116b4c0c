"""Results of statements, which give their rows once and as the database sends them.

session.scalars(stmt).all()            session.scalars(stmt).unique().all()

rows = session.scalars(stmt)           rows = session.scalars(stmt).all()
for row in rows: …                     for row in rows: …
for row in rows: …                     for row in rows: …
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import chain_of, insert_links
from ormlint.fixes.guards import is_handled
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import RUNNING, comes_from, gives_result, only_value, reads
from ormlint.judge.finding import Applicability, Fix, KeepRows, ReadUnique
from ormlint.link.schema import Orm
from ormlint.text import Edit

_OTHERS = "other statements may be read here, whose repeated rows it would drop"
_HANDLED = "a `try` may wait for the error that is raised so far"
_AGAIN = "what got no rows so far gets them, and all of them are held in memory"
_ADVANCING = frozenset({"fetchone", "fetchmany"})  # each `unique()` begins anew: a row of two batches would be given twice
_COPYING = frozenset({"list", "tuple", "set", "frozenset", "sorted", "iter", "enumerate"})
_TAKING = frozenset({"list", "tuple", "set", "frozenset", "sorted", "sum", "min", "max", "any", "all", "enumerate", "dict"})


def read_unique(sources: Sources, intent: ReadUnique) -> Fix | None:
    """Returns the fix, None if the place is not understood."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    node = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or node is None:
        return None
    if intent.method in _ADVANCING or intent.query.batched:  # batches cannot be made unique
        return None
    if intent.method:
        match node:
            case cst.Call(func=cst.Attribute(value=receiver, attr=cst.Name(value=intent.method))):
                node = receiver
            case _:
                return None
    if not gives_result(statement, node):
        return None
    edits = appended(file, statement, node, ".unique()")
    if edits is None:
        return None
    risk = "" if intent.query.site.path == file.path and comes_from(statement, node, intent.query.site) else _OTHERS
    risk = risk or (_HANDLED if is_handled(statement, node) else "")
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, "read the rows with `.unique()`", tuple(edits), risk)


def appended(file: SourceFile, statement: Statement, node: cst.BaseExpression, method: str) -> list[Edit] | None:
    """Returns the edits that put a method behind what an expression gives, which may be awaited; None if it is no chain of methods."""
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in _COPYING and node.args:
        node = node.args[0].value  # `list(result)`
    waiting = statement.parent(node) if not isinstance(node, cst.Await) else node
    if not isinstance(node, (cst.Await, cst.Name)) and not (isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)):
        return None
    if not isinstance(waiting, cst.Await):
        chain = chain_of(statement, node)
        return insert_links(file, statement, chain, chain.inner, [method])
    if waiting.lpar:
        return [file.insert(statement.outer(waiting)[1], method)]
    start, end = statement.span(waiting)
    return [file.insert(start, "("), file.insert(end, f"){method}")]


def keep_rows(sources: Sources, intent: KeepRows) -> Fix | None:
    """Returns the fix, None if the result is not that of one variable which is only walked."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    node = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    function = statement.function(node) if statement is not None and node is not None else None
    if file is None or statement is None or node is None or function is None:
        return None
    variable = chain_of(statement, node).root
    made = only_value(statement, function, variable.value) if isinstance(variable, cst.Name) else None
    if made is None or not isinstance(variable, cst.Name) or not _is_alone(statement, made):
        return None
    if not all(_is_walked(statement, read) for read in reads(statement, function, variable.value)):
        return None
    edits = _without_iterator(file, statement, made) if intent.query.orm is Orm.DJANGO else _listed(file, statement, made)
    return Fix(Applicability.UNSAFE, f"keep the rows of `{variable.value}` with `.all()`", tuple(edits), _AGAIN) if edits is not None else None


def _is_alone(statement: Statement, made: cst.BaseExpression) -> bool:
    """Whether a statement gives an expression's value to one variable, and does nothing else with it."""
    match statement.parent(made):
        case cst.Assign(targets=[_]) | cst.AnnAssign():
            return True
        case _:
            return False


def _is_walked(statement: Statement, read: cst.Name) -> bool:
    """Whether a variable is read to walk all of what it holds, or a part, from the first on: a list gives the same as a result does at first."""
    match statement.parent(read):
        case cst.For(iter=rows, asynchronous=None) | cst.CompFor(iter=rows, asynchronous=None):
            return rows is read
        case cst.Arg(star="", keyword=None) as argument:
            call = statement.parent(argument)
            return isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value in _TAKING and call.args[0] is argument
        case _:
            return False


def _listed(file: SourceFile, statement: Statement, made: cst.BaseExpression) -> list[Edit] | None:
    call = made.expression if isinstance(made, cst.Await) else made
    match call:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=method))) if method in RUNNING and not method.startswith("stream"):
            return appended(file, statement, made, ".all()")
        case _:
            return None


def _without_iterator(file: SourceFile, statement: Statement, made: cst.BaseExpression) -> list[Edit] | None:
    """Returns the edits that make `….iterator(…)` a queryset, which keeps its rows."""
    match made:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="iterator") as name), args=arguments):
            start, end = statement.span(name)[1], statement.span(made)[1]
            if any(argument.star for argument in arguments) or "#" in file.text[start:end]:
                return None
            return [file.edit(*statement.span(name), "all"), file.edit(start, end, "()")]
        case _:
            return None
