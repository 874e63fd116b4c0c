"""A commit or a flush at the end of a loop's body, moved behind the loop."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import Applicability, Fix, MoveAfterLoop
from ormlint.library.effects import CHANGING

_REASONS = {
    "commit": "one transaction for all rows: if one of them fails, none is kept, and nothing is visible to others before the end",
    "flush": "all rounds are written at the end: an error comes there, and what the database sets, keys among it, is not known before",
}


def move_after_loop(sources: Sources, intent: MoveAfterLoop) -> Fix | None:
    """Returns the fix, a display-only one if the statement cannot be moved as it stands, None if the place is not understood."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    call = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or call is None:
        return None
    loop = next((above for above in statement.ancestors(call) if isinstance(above, (cst.For, cst.While, cst.FunctionDef))), None)
    if loop is None or isinstance(loop, cst.FunctionDef):
        return _refused(intent, f"the {intent.what} stands in a function that the loop calls")
    line = next((above for above in statement.ancestors(call) if isinstance(above, cst.SimpleStatementLine)), None)
    obstacle = _obstacle(statement, loop, line, call, intent)
    if obstacle or line is None:
        return _refused(intent, obstacle)
    start = statement.span(line.body[0])[0]
    begin = file.indentation(start)
    indentation = _indentation(file, statement, loop)
    if begin is None or indentation is None:
        return _refused(intent, "the statement shares its line")
    # It is the last statement of the body: with the indentation of the loop it is the first one behind it.
    edit = file.edit(start - len(begin), start, indentation)
    return Fix(Applicability.UNSAFE, f"move `{statement.code(call)}` behind the loop", (edit,), _REASONS[intent.what])


def _refused(intent: MoveAfterLoop, reason: str) -> Fix:
    return Fix(Applicability.DISPLAY, f"move the {intent.what} behind the loop", (), reason)


def _obstacle(
    statement: Statement, loop: cst.For | cst.While, line: cst.SimpleStatementLine | None, call: cst.BaseExpression, intent: MoveAfterLoop
) -> str:
    """Returns why the statement cannot be moved, "" if it can."""
    start, end = statement.span(loop)
    if not start <= intent.loop.site.start < end or isinstance(loop, cst.While):
        return f"the {intent.what} belongs to another loop than the one to leave"
    if line is None or not isinstance(loop.body, cst.IndentedBlock) or loop.body.body[-1] is not line or len(line.body) != 1:
        return f"the {intent.what} is not the last statement of the loop's body"
    if not _is_statement(line, call):
        return f"the {intent.what} is part of a larger expression"
    if len(loop.body.body) == 1:
        return "nothing else stands in the loop's body"
    if loop.orelse is not None:
        return "the loop has an `else`"
    if any(isinstance(above, (cst.Try, cst.TryStar)) for above in statement.ancestors(loop)):
        return "the loop stands in a `try`"
    for node in _inside(loop.body):
        if isinstance(node, (cst.Try, cst.TryStar)):
            return "the loop's body has a `try`"
        if isinstance(node, (cst.Break, cst.Continue, cst.Return, cst.Yield)):
            return "the loop can be left early"
    kept = carried(statement, loop, call) if intent.what == "flush" else ""
    if kept:
        return f"a round reads `{kept}`, which the flush of an earlier one may have set"
    used = {name.value for name in statement.within(call, cst.Name)}
    bound = {name.value for name in _bound(statement, loop)}
    taken = sorted(used & bound)
    return f"`{taken[0]}` is bound in the loop" if taken else ""


def carried(statement: Statement, loop: cst.For | cst.While, call: cst.BaseExpression) -> str:
    """Returns an attribute that a round reads of a variable which an earlier round has assigned: `Stop(after=last.id)`, `last = stop`; "" if none."""
    assigned: dict[str, int] = {}
    for node in _inside(loop.body):
        if isinstance(node, (cst.Assign, cst.AnnAssign)):
            targets = [each.target for each in node.targets] if isinstance(node, cst.Assign) else [node.target]
            for target in targets:
                if isinstance(target, cst.Name):
                    end = statement.span(node)[1]
                    assigned[target.value] = min(end, assigned.get(target.value, end))
    for read in _inside(loop.body):
        if isinstance(read, cst.Attribute) and isinstance(read.value, cst.Name) and statement.span(read)[0] < assigned.get(read.value.value, 0):
            return statement.code(read)
    return _held(statement, loop, set(assigned), call)


def _held(statement: Statement, loop: cst.For | cst.While, own: set[str], call: cst.BaseExpression) -> str:
    """Returns what a round reads of an object that an earlier one has put elsewhere: `made[-1].id`, `shelf.last.id`; "" if nothing."""
    sessions = {statement.code(node.func.value) for node in statement.within(call, cst.Call) if isinstance(node.func, cst.Attribute)}
    own = own | ({name.value for name in statement.within(loop.target, cst.Name)} if isinstance(loop, cst.For) else set())
    filled, given = set(), set()
    for node in _inside(loop.body):
        match node:
            case cst.AssignTarget(target=cst.Subscript(value=place)):
                filled.add(statement.code(place))
            case cst.AssignTarget(target=cst.Attribute() as place):
                given.add(statement.code(place))
            case cst.Call(func=cst.Attribute(value=place, attr=cst.Name(value=method))) if method in CHANGING:
                filled.add(statement.code(place))
    filled -= sessions
    for read in _inside(loop.body):
        match read:
            case cst.Attribute(value=value):
                *parts, root = _parts(value)
            case cst.For(iter=rows) | cst.CompFor(iter=rows) if statement.code(rows) in filled:
                return statement.code(rows)
            case _:
                continue
        if isinstance(root, cst.Name) and root.value in own:
            continue
        codes = [statement.code(part) for part in (*parts, root)]
        if not given.isdisjoint(codes) or not filled.isdisjoint(codes[1:]):
            return statement.code(read)
    return ""


def _parts(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yields an expression and what its attributes, entries and calls are those of, down to the name that it begins with."""
    while True:
        yield node
        match node:
            case cst.Attribute(value=inner) | cst.Subscript(value=inner) | cst.Call(func=inner):
                node = inner
            case _:
                return


def _is_statement(line: cst.SimpleStatementLine, call: cst.BaseExpression) -> bool:
    match line.body[0]:
        case cst.Expr(value=cst.Await(expression=value)) | cst.Expr(value=value):
            return value is call or (isinstance(call, cst.Await) and value is call.expression)
        case _:
            return False


def _inside(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yields the nodes of a block but not those of functions and classes defined in it."""
    for child in node.children:
        if not isinstance(child, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
            yield child
            yield from _inside(child)


def _bound(statement: Statement, loop: cst.For | cst.While) -> Iterator[cst.Name]:
    if isinstance(loop, cst.For):
        yield from statement.within(loop.target, cst.Name)
    for node in _inside(loop.body):
        match node:
            case cst.AssignTarget(target=target) | cst.AnnAssign(target=target) | cst.For(target=target) | cst.NamedExpr(target=target):
                yield from statement.within(target, cst.Name)
            case cst.AsName(name=name):
                yield from statement.within(name, cst.Name)


def _indentation(file: SourceFile, statement: Statement, loop: cst.For | cst.While) -> str | None:
    return file.indentation(statement.span(loop)[0])
