"""A test for rows that are loaded anyway: the rows are tested, and the query before them is spared.

if books.exists():                 if books:
    for book in books: …               for book in books: …

if books.exists():                 book = books.first()
    book = books.first()           if book is not None:
    …                                  …
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.chain import Chain, chain_of
from ormlint.fixes.counts import counted_by_len
from ormlint.fixes.imports import Refusal
from ormlint.fixes.kept_variables import Walk, is_made_anew, is_part, risk_of_keeping
from ormlint.fixes.receivers import is_list, is_stream, risk_of_another_value
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.truth import CountTest, is_tested, read_test
from ormlint.judge.finding import Applicability, Fix, LoadFirst
from ormlint.link.schema import Orm
from ormlint.run.log import Op, QueryObject
from ormlint.text import Edit

_LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)
_DESCRIPTION = "test the rows that are loaded anyway"
_SEVERAL = "of several rows the first is taken, where an error was raised"
_ORDER = "`first()` takes the row with the lowest key, where nothing orders them"
_NONE = "the row is loaded before it is tested, and the variable is None where there is none"


@dataclass(frozen=True, slots=True)
class _Place:
    """A test of a query, and the expression that loads its rows."""

    file: SourceFile
    statement: Statement
    test: CountTest
    tested: cst.BaseExpression  # the query
    load: cst.BaseExpression


def load_first(sources: Sources, intent: LoadFirst) -> Fix | None:
    """Returns the fix, a display-only one if it cannot be written, None if the places are not understood."""
    place = _place(sources, intent)
    if place is None:
        return None
    made = _rows(sources, place, intent) if intent.load.op is Op.LOAD_ROWS else _row(place, intent)
    return Fix(Applicability.DISPLAY, _DESCRIPTION, (), made.reason) if isinstance(made, Refusal) else made


def _place(sources: Sources, intent: LoadFirst) -> _Place | None:
    file, statement = sources.file(intent.test), sources.statement(intent.test)
    if file is None or statement is None or sources.statement(intent.load.site) is not statement:
        return None
    whole, asked, load = (statement.expression(site.start, site.end) for site in (intent.test, intent.asked, intent.load.site))
    if whole is None or load is None or not isinstance(asked, cst.Call) or statement.function(whole) is not statement.function(load):
        return None
    test = read_test(whole, asked)
    tested = counted_by_len(asked)
    if tested is None and isinstance(asked.func, cst.Attribute) and not asked.args and asked.func.attr.value in ("exists", "count"):
        tested = asked.func.value
    return _Place(file, statement, test, tested, load) if test is not None and tested is not None else None


# -------------------------------------------------------------------------------------------------------- all rows
def _rows(sources: Sources, place: _Place, intent: LoadFirst) -> Fix | Refusal:
    """Returns the fix for rows that the same variable loads, whose queryset keeps them."""
    query, load = intent.query, intent.load
    if query.orm is not Orm.DJANGO:
        return Refusal("the query keeps no rows: load them into a list before the test")
    if load.query is not query or not isinstance(place.tested, cst.Name) or not _is_name(place.load, place.tested.value):
        return Refusal("the rows are loaded by another queryset than the one that is tested")
    if query.locked or query.raw or query.has("iterator", "aiterator") or is_list(query, intent.test):
        return Refusal("the queryset does not keep its rows")
    if not is_tested(place.statement, place.test.whole):
        return Refusal("the answer is used as more than a truth value")
    if not is_made_anew(place.statement, place.tested):
        return Refusal("a loop asks the queryset again and again")
    edits = _replaced(place, place.tested.value)
    if isinstance(edits, Refusal):
        return edits
    risk = _risk(sources, place, query)
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, f"test the rows of `{place.tested.value}`, which are loaded anyway", edits, risk)


def _risk(sources: Sources, place: _Place, query: QueryObject) -> str:
    """Returns why the rows, or the queries, may be others if the queryset is tested, "" if they are the same."""
    if not isinstance(place.tested, cst.Name):
        return ""
    walk = Walk(place.statement, place.test.whole, place.test.negated, place.tested, place.load)
    return risk_of_another_value(sources, place.statement, place.tested, query) or risk_of_keeping(walk)


def _replaced(place: _Place, code: str) -> tuple[Edit, ...] | Refusal:
    """Returns the edit that puts a short test in the place of one, with a `not` if it asks for emptiness."""
    whole, statement, file = place.test.whole, place.statement, place.file
    start, end = statement.span(whole)
    if "#" in file.text[start:end]:
        return Refusal("a comment stands in the test")
    above = statement.parent(whole)
    prefix = "not " if place.test.negated else ""
    if prefix and isinstance(above, cst.UnaryOperation) and isinstance(above.operator, cst.Not) and not whole.lpar:
        start, prefix = statement.span(above)[0], ""
    before, behind = file.text[start - 1 : start], file.text[end : end + 1]
    glued = " " if (before.isalnum() or before == "_") else ""
    return (file.edit(start, end, f"{glued}{prefix}{code}{' ' if behind.isalnum() or behind == '_' else ''}"),)


def _is_name(node: cst.BaseExpression, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


# --------------------------------------------------------------------------------------------------------- one row
def _row(place: _Place, intent: LoadFirst) -> Fix | Refusal:
    """Returns the fix for one of the rows, which is assigned to a variable behind the test."""
    statement, file = place.statement, place.file
    branch = _branch(place)
    if isinstance(branch, Refusal):
        return branch
    name, line = _assignment(place)
    if line is None:
        return Refusal("the row is not kept in a variable: fetch it first")
    fetch = _fetch(place, intent)
    if isinstance(fetch, Refusal):
        return fetch
    code, risk = fetch
    asks_for_some = place.test.negated is isinstance(statement.parent(place.test.whole), cst.UnaryOperation)
    obstacle = _obstacle(place, branch, line, name) if asks_for_some else _obstacle_behind(place, branch, line, name)
    start = statement.span(branch)[0]
    indentation = file.indentation(start)
    removed = _removed(file, statement, line)
    if obstacle or indentation is None or removed is None:
        return Refusal(obstacle or "a statement shares its line, or has a comment")
    at, end = statement.span(branch.test)
    if "#" in file.text[at:end]:
        return Refusal("a comment stands in the test")
    test = f"{name} is not None" if asks_for_some else f"{name} is None"
    if branch.test.lpar:
        at, end = statement.outer(branch.test)
    if file.text[at - 1 : at] not in " \t":
        test = f" {test}"
    edits = (file.insert(start, f"{name} = {code}{file.newline}{indentation}"), file.edit(at, end, test), removed)
    return Fix(Applicability.UNSAFE, f"fetch `{name}` first, and test it", edits, risk)


def _branch(place: _Place) -> cst.If | Refusal:
    """Returns the `if` whose whole condition is the test."""
    node: cst.CSTNode = place.test.whole
    above = place.statement.parent(node)
    if isinstance(above, cst.UnaryOperation) and isinstance(above.operator, cst.Not):
        node, above = above, place.statement.parent(above)
    if not isinstance(above, cst.If) or above.test is not node:
        return Refusal("the test is part of a larger condition")
    if not isinstance(place.statement.parent(above), (cst.IndentedBlock, cst.Module)):
        return Refusal("the test stands in an `elif`")
    if place.statement.function(node) is None:
        return Refusal("the test stands in no function")
    return above


def _assignment(place: _Place) -> tuple[str, cst.SimpleStatementLine | None]:
    """Returns the variable that gets the row, and the line that does nothing else."""
    node = place.statement.parent(place.load)
    line = place.statement.parent(node) if node is not None else None
    match node, line:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]), cst.SimpleStatementLine(body=[_]):
            return name, line
        case _:
            return "", None


def _fetch(place: _Place, intent: LoadFirst) -> tuple[str, str] | Refusal:
    """Returns the expression that gives the row or None, and what it does otherwise than the one that it replaces."""
    statement, method = place.statement, intent.load.method
    if is_stream(intent.query):
        return Refusal("the queryset is an iterator")
    chain: Chain = chain_of(statement, place.load)
    last = chain.links[chain.inner - 1] if chain.inner else None
    if last is None or statement.code(place.load) != statement.code(last.node):
        return Refusal("the row is asked for in a way that is not understood")
    if method == "first" and last.name == "first" and last.call is not None and not last.call.args:
        return statement.code(place.load), _NONE
    if intent.query.orm is Orm.SQLALCHEMY:
        if method == "one" and last.name == "one" and last.call is not None:
            return f"{statement.code(last.receiver)}.one_or_none()", _NONE
        return Refusal("the row is asked for in a way that raises an error if there is none")
    if intent.query.sliced or intent.query.locked:
        return Refusal("the query is cut or locked")
    if method == "get" and last.name == "get":
        receiver = place.tested
    elif last.is_index and statement.code(place.load).replace(" ", "").endswith("[0]"):
        receiver = last.receiver
    else:
        return Refusal("the row is asked for in a way that raises an error if there is none")
    if not isinstance(receiver, (cst.Name, cst.Call, cst.Attribute)):
        return Refusal("the query is no chain of methods")
    return f"{statement.code(receiver)}.first()", _SEVERAL if method == "get" else _ORDER


def _obstacle(place: _Place, branch: cst.If, line: cst.SimpleStatementLine, name: str) -> str:
    """Returns why the row of `if books.exists(): book = books.first()` cannot be fetched before the test, "" if it can."""
    body = branch.body
    if not isinstance(body, cst.IndentedBlock) or not body.body or body.body[0] is not line or len(body.body) < 2:
        return "the row is not the first thing behind the test"
    start, end = place.statement.span(body)
    return _obstacle_of_name(place, branch, name, start, end)


def _obstacle_behind(place: _Place, branch: cst.If, line: cst.SimpleStatementLine, name: str) -> str:
    """Returns why the row of `if not books.exists(): return` and what follows cannot be fetched before the test, "" if it can."""
    block = place.statement.parent(branch)
    if not isinstance(branch.body, cst.IndentedBlock) or branch.orelse is not None or not isinstance(block, cst.IndentedBlock):
        return "the row is not fetched in the same block"
    last = branch.body.body[-1]
    if not isinstance(last, cst.SimpleStatementLine) or not isinstance(last.body[-1], _LEAVING):
        return "the test does not end the function"
    if not any(each is line for each in block.body):
        return "the row is not fetched in the same block"
    return _obstacle_of_name(place, branch, name, place.statement.span(line)[0], place.statement.span(block)[1])


def _obstacle_of_name(place: _Place, branch: cst.If, name: str, start: int, end: int) -> str:
    """Returns why a variable may have another value for somebody if it is set before the branch; within the offsets it has that value."""
    statement = place.statement
    scope = statement.function(branch)
    assert scope is not None
    first, (at, past) = statement.span(branch)[0], statement.span(branch.test)
    taken = chain_of(statement, place.tested).root
    own = isinstance(taken, cst.Name) and taken.value == name
    loops = any(isinstance(above, (cst.For, cst.While)) for above in statement.ancestors(branch))
    for other in statement.within(scope, cst.Name):
        if other.value != name or is_part(statement, other):
            continue
        place_of = statement.span(other)[0]
        if start <= place_of < end or (own and (at <= place_of < past)):
            continue
        if place_of >= first or loops or not own:
            return f"`{name}` is used elsewhere"
    return ""


def _removed(file: SourceFile, statement: Statement, line: cst.SimpleStatementLine) -> Edit | None:
    """Returns the edit that takes a line away, None if a comment would be lost or another statement shares the line."""
    start, end = statement.span(line.body[0])
    indentation = file.indentation(start)
    if indentation is None or file.rest_of_line(end).strip() or "#" in file.text[start:end] or any(each.comment for each in line.leading_lines):
        return None
    number = file.line_of(end)
    return file.edit(start - len(indentation), file.starts[number] if number < len(file.starts) else len(file.text), "")
