"""A count that is kept in a variable and only tested: whether there are rows is kept instead.

number = books.count()         number = books.exists()
if number > 0: …               if number: …
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.kept_variables import has_namespace
from ormlint.fixes.receivers import risk_of_another_value
from ormlint.fixes.source import Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.truth import EXISTING, CountTest, is_tested, read_test, reduced_to_truth
from ormlint.fixes.variables import only_value, reads
from ormlint.judge.finding import Applicability, Fix, ReplaceCountTest
from ormlint.link.schema import Orm

_NAMED = "the variable keeps its name, and tells no longer how many there are"


def keep_existence(sources: Sources, intent: ReplaceCountTest) -> Fix | None:
    """Returns the fix, None if the count is no method of a queryset, or is used as a number."""
    file, statement, query = sources.file(intent.count), sources.statement(intent.count), intent.query
    count = statement.expression(intent.count.start, intent.count.end) if statement is not None else None
    count = count.expression if isinstance(count, cst.Await) else count
    match count:
        case cst.Call(func=cst.Attribute(value=rows, attr=cst.Name(value=name) as method), args=[]) if name in EXISTING:
            pass
        case _:
            return None
    if file is None or statement is None or query.orm is not Orm.DJANGO:
        return None
    waiting = statement.parent(count)
    read = _readers(statement, waiting if isinstance(waiting, cst.Await) else count)
    tests = [_test_of(statement, node) for node in read]
    known = [test for test in tests if test is not None]
    if not known or len(known) < len(tests):
        return None
    edits = [file.edit(*statement.span(method), EXISTING[name])]
    for test in known:
        edits += reduced_to_truth(file, statement, test) if test.whole is not test.kept else []
    risk = risk_of_another_value(sources, statement, rows, query)
    return Fix(Applicability.UNSAFE, "keep whether there are rows with `.exists()`", tuple(edits), risk or _NAMED)


def _readers(statement: Statement, count: cst.BaseExpression) -> list[cst.BaseExpression]:
    """Returns the expressions that have the number, none if others may have it."""
    above = statement.parent(count)
    scope = statement.function(above) if above is not None else None
    match above:
        case cst.Lambda():
            assign = statement.parent(above)
        case _:
            assign = above
    match assign:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
            found: list[cst.BaseExpression] = []
        case cst.NamedExpr(target=cst.Name(value=name)) if assign is above:
            found = [assign]
        case _:
            return []
    value = above if isinstance(above, cst.Lambda) else count
    if not isinstance(scope, cst.FunctionDef) or has_namespace(statement, scope) or only_value(statement, scope, name) is not value:
        return []
    for read in reads(statement, scope, name):
        call = statement.parent(read)
        if value is count:
            found.append(read)
        elif isinstance(call, cst.Call) and call.func is read and not call.args:
            found.append(call)
        else:
            return []
    return found


def _test_of(statement: Statement, node: cst.BaseExpression) -> CountTest | None:
    above = statement.parent(node)
    if isinstance(above, cst.ComparisonTarget):
        above = statement.parent(above)
    if isinstance(above, cst.Comparison):
        return read_test(above, node)
    return CountTest(node, node, negated=False) if is_tested(statement, node) else None
