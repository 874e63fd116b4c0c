"""A column that a query left out and a loop reads: it is added to `only()`, or taken out of `defer()`.

Book.objects.only("id")              Book.objects.only("id", "title")
Book.objects.defer("title")          Book.objects.all()
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import append_argument, chain_of, quote_for
from ormlint.fixes.guards import calls_of
from ormlint.fixes.imports import Refusal
from ormlint.fixes.kept_variables import has_namespace, is_harmless, is_part
from ormlint.fixes.quiet import runs
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import Applicability, Fix, LoadColumn
from ormlint.judge.orders import is_ordered
from ormlint.run.log import LoadKind, QueryObject
from ormlint.text import Edit

_DESCRIPTION = "load the column with the query"
_STALE = "what is written between loading the rows and reading the column would not be seen, and `save()` writes it if it was loaded"
_UNORDERED = "nothing says which row comes first, and the database may give rows with more columns in another order"
_MADE = "the rows are made in a way of their own, which may see that the column is loaded"
_FETCHED = "the model fetches deferred columns in a way of its own, `refresh_from_db()`"
_COMPARED = "the query compares all columns of its rows, which are then more"


def load_column(sources: Sources, intent: LoadColumn) -> Fix | None:
    """Returns the fix, a display-only one if it cannot be written, None if the columns are not named in the text of the query."""
    query = intent.query
    if query.ways or not query.complete or query.raw or not _is_joined(query, intent.path):
        return None
    name = "__".join((*intent.path, intent.column))
    is_deferred = intent.column in query.plan.deferred and not intent.path
    method = "defer" if is_deferred else "only"
    found = [(place, call) for place in (query.site, *query.steps) for call in calls_of(sources, place, method)]
    if len(found) != 1 or query.methods.count("only") + query.methods.count("defer") != 1:
        return None
    ((place, call),) = found
    file, statement = sources.file(place), sources.statement(place)
    if file is None or statement is None:
        return None
    made = _without(file, statement, call, name) if is_deferred else _added(file, statement, call, name)
    if isinstance(made, Refusal):
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), made.reason)
    description = f"take `{name}` out of `defer()`" if is_deferred else f"add `{name}` to `only()`"
    risk = _COMPARED if query.distinct or query.combined or query.has("distinct") else _risk_of_rows(query, intent) or _risk(sources, intent)
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, description, tuple(made), risk)


def _is_joined(query: QueryObject, path: tuple[str, ...]) -> bool:
    """Whether the rows at the end of a path come with the query itself, whose `only()` names their columns then."""
    plan = query.plan
    for name in path:
        entry = plan.loaded.get(name)
        if entry is None or entry.kind is not LoadKind.JOIN or entry.custom:
            return False
        plan = entry.plan
    return True


def _risk_of_rows(query: QueryObject, intent: LoadColumn) -> str:
    """Returns why the rows may come in another order, or have another value than the database sends, "" if they cannot."""
    if query.model is None or not is_ordered(query, query.model):
        return _UNORDERED
    model = query.model
    for name in intent.path:
        relation = model.relation(name)
        if relation is None or relation.target is None:
            return _MADE
        model = relation.target
    if "refresh_from_db" in model.attributes:
        return _FETCHED
    column = model.columns.get(intent.column)
    return "" if model.plain_rows and query.plain and column is not None and column.plain else _MADE


def _added(file: SourceFile, statement: Statement, call: cst.Call, name: str) -> list[Edit] | Refusal:
    if not call.args or not all(
        isinstance(argument.value, (cst.SimpleString, cst.ConcatenatedString)) and not argument.star for argument in call.args
    ):
        return Refusal("the columns are not all written there")
    quote = quote_for(file, statement, chain_of(statement, call))
    return append_argument(file, statement, call, [f"{quote}{name}{quote}"])


def _without(file: SourceFile, statement: Statement, call: cst.Call, name: str) -> list[Edit] | Refusal:
    named = [
        argument
        for argument in call.args
        if isinstance(argument.value, (cst.SimpleString, cst.ConcatenatedString)) and argument.value.evaluated_value == name
    ]
    if len(named) != 1 or any(argument.star for argument in call.args) or not isinstance(call.func, cst.Attribute):
        return Refusal("the columns are not all written there")
    number = next(position for position, argument in enumerate(call.args) if argument is named[0])
    if len(call.args) == 1:
        start, end = statement.outer(call.func.value)[1], statement.span(call)[1]
    elif number + 1 < len(call.args):
        start, end = statement.span(call.args[number])[0], statement.span(call.args[number + 1])[0]
    else:
        start, end = statement.outer(call.args[number - 1].value)[1], statement.outer(call.args[number].value)[1]
    if "#" in file.text[start:end]:
        return Refusal("a comment stands in the call")
    # a manager cannot be walked
    return [file.edit(start, end, ".all()" if len(call.args) == 1 and not isinstance(call.func.value, cst.Call) else "")]


def _risk(sources: Sources, intent: LoadColumn) -> str:
    """Returns why the column may have another value when it is read, "" if its loop runs nothing and walks the query where that is built."""
    statement, site = sources.statement(intent.site), intent.site
    node = statement.expression(site.start, site.end) if statement is not None else None
    if statement is None or node is None or intent.query.steps or site.path != intent.query.site.path:
        return _STALE
    for above in statement.ancestors(node):
        clause = above.for_in if isinstance(above, cst.BaseComp) else above
        if isinstance(clause, (cst.For, cst.CompFor)):
            (start, end), built = statement.outer(clause.iter), intent.query.site
            if not start <= built.start < built.end <= end or isinstance(above, cst.GeneratorExp):
                return _STALE
            if _is_kept(statement, clause, node):
                return _STALE
            rest = [above.body, above.target] if isinstance(above, cst.For) else [above]
            return _STALE if any(_runs(statement, part, (start, end)) for part in rest) else ""
    return _STALE


def _is_kept(statement: Statement, loop: cst.For | cst.CompFor, node: cst.BaseExpression) -> bool:
    """Whether a row may be used behind its round, when `save()` would write the column: anything but reading its attributes and printing it."""
    scope = statement.function(node)
    if not isinstance(scope, cst.FunctionDef) or not isinstance(loop.target, cst.Name) or next(statement.within(loop.iter, cst.NamedExpr), None):
        return True
    around = loop if isinstance(loop, cst.For) else statement.parent(loop) or loop
    start, end = statement.span(around)
    for name in statement.within(scope, cst.Name):
        if name.value != loop.target.value or name is loop.target or is_part(statement, name):
            continue
        above = statement.parent(name)
        call = statement.parent(above) if isinstance(above, cst.Arg) else None
        is_read = isinstance(above, cst.Attribute) or (isinstance(call, cst.Call) and is_harmless(call))
        if not is_read or not start <= statement.span(name)[0] < end:
            return True
    return has_namespace(statement, scope)


def _runs(statement: Statement, part: cst.CSTNode, rows: tuple[int, int]) -> bool:
    """Whether something in a loop may write, apart from the query that it walks."""
    return runs(
        statement,
        part,
        lambda call: is_harmless(call) or rows[0] <= statement.span(call)[0] < rows[1],
        lambda target: not isinstance(target, (cst.Attribute, cst.Subscript)),
    )
