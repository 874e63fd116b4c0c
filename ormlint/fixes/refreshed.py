"""A row that a commit has expired is refreshed behind it: an AsyncSession cannot do so when an attribute is read.

await session.commit()               await session.commit()
                                     await session.refresh(order)
return order.id                      return order.id

Where that cannot be written, sessions are made that expire no rows: `async_sessionmaker(engine, expire_on_commit=False)`.
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.calls import add_keyword
from ormlint.fixes.guards import HANDLED, is_handled
from ormlint.fixes.source import Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import bindings
from ormlint.judge.finding import AddKeyword, Applicability, Fix, RefreshRow

_DESCRIPTION = "refresh the row behind the commit"
_ONLY_SOME = "not every way from the commit on reads the row, and refreshing it costs a query"
_STALE = "the rows of all sessions keep the values that they had before the commit, whatever the database or others have made of them"
_WAYS = (cst.If, cst.For, cst.While, cst.Match, cst.IfExp, cst.BooleanOperation, cst.BaseComp, cst.Lambda, cst.FunctionDef)


def refresh_row(sources: Sources, intent: RefreshRow) -> Fix | None:
    """Returns the fix, None if the commit is no statement of the function that reads the row by a variable, and several calls make sessions."""
    refreshed = _refresh(sources, intent)
    if (refreshed is not None and refreshed.edits) or intent.factory is None:
        return refreshed
    return add_keyword(sources, AddKeyword(intent.factory, "expire_on_commit", "False", _STALE)) or refreshed


def _refresh(sources: Sources, intent: RefreshRow) -> Fix | None:
    file, statement = sources.file(intent.commit), sources.statement(intent.commit)
    commit = statement.expression(intent.commit.start, intent.commit.end) if statement is not None else None
    if file is None or statement is None or commit is None or statement is not sources.statement(intent.site):
        return None
    read = statement.expression(intent.site.start, intent.site.end)
    row = _row(read)
    call = commit.expression if isinstance(commit, cst.Await) else commit
    line = _line(statement, commit)
    function = statement.function(commit)
    if read is None or row is None or line is None or function is None or statement.function(read) is not function:
        return None
    bound = (statement.span(node)[0] for node in bindings(statement, function, row.value))
    if any(intent.commit.end <= at < intent.site.start for at in bound):
        return None
    match call:
        case cst.Call(func=cst.Attribute(value=(cst.Name() | cst.Attribute()) as session, attr=cst.Name(value="commit")), args=[]):
            pass
        case _:
            return None
    start = statement.span(line.body[0])[0]
    indentation = file.indentation(start)
    if indentation is None:
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), "the commit shares its line")
    code = f"await {statement.code(session)}.refresh({row.value})"
    end = statement.span(line.body[0])[1]
    end += len(file.rest_of_line(end))
    risk = _risk(statement, line, read)
    edit = file.insert(end, f"{file.newline}{indentation}{code}")
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, f"add `{code}`", (edit,), risk)


def _row(read: cst.BaseExpression | None) -> cst.Name | None:
    """Returns the variable of the row: `order` of `order.id`, or of `return order`."""
    match read:
        case cst.Attribute(value=cst.Name() as row) | (cst.Name() as row):
            return row
        case _:
            return None


def _line(statement: Statement, commit: cst.BaseExpression) -> cst.SimpleStatementLine | None:
    """Returns the line of which an awaited commit is all."""
    waiting = commit if isinstance(commit, cst.Await) else statement.parent(commit)
    expression = statement.parent(waiting) if isinstance(waiting, cst.Await) else None
    line = statement.parent(expression) if isinstance(expression, cst.Expr) else None
    return line if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None


def _risk(statement: Statement, line: cst.SimpleStatementLine, read: cst.BaseExpression) -> str:
    """Returns why the refresh may change more than that nothing is raised any more, "" if it cannot."""
    block = statement.parent(line)
    around = list(statement.ancestors(read))
    if is_handled(statement, line) or is_handled(statement, read):
        return HANDLED
    if block not in around:
        return _ONLY_SOME
    within = around[: around.index(block)]
    if any(isinstance(above, (*_WAYS, cst.Try, cst.TryStar)) for above in within):
        return _ONLY_SOME
    last = within[-1] if within else None
    behind = list(block.body) if isinstance(block, cst.IndentedBlock) else []
    if last not in behind or line not in behind:
        return _ONLY_SOME
    first, end = (next(number for number, each in enumerate(behind) if each is node) for node in (line, last))
    between = behind[first + 1 : end]
    return _ONLY_SOME if not all(isinstance(each, cst.SimpleStatementLine) for each in between) else ""
