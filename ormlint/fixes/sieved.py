"""Rows that a loop chooses by comparing their columns are chosen by the query.

[book.title for book in Book.objects.all() if book.pages > 3]    [book.title for book in Book.objects.filter(pages__gt=3)]
for book in session.scalars(select(Book)):                       for book in session.scalars(select(Book).where(~Book.lost)):
    if book.lost:                                                    …
        continue
    …
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.chain import Chain, chain_of, insert_links, last_name
from ormlint.fixes.comparisons import Test, clauses, lookups, tests_of
from ormlint.fixes.imports import Refusal, is_class
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import bindings, is_used_later, only_value
from ormlint.fixes.walked import gives_queryset
from ormlint.judge.finding import Applicability, FilterInDatabase, Fix
from ormlint.link.schema import Orm, Schema
from ormlint.text import Edit

_DESCRIPTION = "choose the rows in the query"
_COMPARES = "the database compares in its own way: texts by a collation, values of other types, and NULL with nothing"
_COMMENTED = "a comment stands in the condition"
_BEHIND = frozenset({"order_by", "reverse", "select_related", "prefetch_related", "only", "defer", "options", "execution_options", "yield_per"})
_ROWS = frozenset({"all", "scalars", "query", "select", "filter", "filter_by", "where", "join", "outerjoin", "options", "order_by", "yield_per"})
_RUN = frozenset({"scalars", "execute"})


@dataclass(frozen=True, slots=True)
class _Walk:
    """What walks the rows: the loop or the clause of a comprehension, its variable, and the tests of each row that is used."""

    file: SourceFile
    statement: Statement
    rows: cst.BaseExpression
    tests: tuple[Test, ...]
    edits: tuple[Edit, ...]


def filter_in_database(sources: Sources, intent: FilterInDatabase, schema: Schema) -> Fix | None:
    """Returns the fix, a display-only one if a condition cannot be asked of the database, None if the place is not understood."""
    file, statement, query = sources.file(intent.site), sources.statement(intent.site), intent.query
    rows = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or rows is None or query.ways or not query.plain or query.sliced or query.raw or query.locked:
        return None
    walk = _walk(file, statement, rows)
    if walk is None or isinstance(walk, Refusal):
        return _refused(walk.reason) if walk is not None else None
    edits = _in_django(sources, walk, intent) if query.orm is Orm.DJANGO else _in_sqlalchemy(walk, intent, schema)
    if edits is None or isinstance(edits, Refusal):
        return _refused(edits.reason) if edits is not None else None
    return Fix(Applicability.UNSAFE, _DESCRIPTION, (*edits, *walk.edits), _COMPARES)


def _refused(reason: str) -> Fix:
    return Fix(Applicability.DISPLAY, _DESCRIPTION, (), reason)


# ------------------------------------------------------------------------------------------------------------ the walk
def _walk(file: SourceFile, statement: Statement, rows: cst.BaseExpression) -> _Walk | Refusal | None:
    match statement.parent(rows):
        case cst.CompFor(target=cst.Name(value=row), iter=walked) as clause if walked is rows and clause.ifs:
            tests = _all_tests(statement, row, [(each.test, True) for each in clause.ifs])
            start, end = statement.outer(rows)[1], statement.outer(clause.ifs[-1].test)[1]
            edit: Edit | Refusal | None = Refusal(_COMMENTED) if "#" in file.text[start:end] else file.edit(start, end, "")
            edits = [edit]
        case cst.For(target=cst.Name(value=row), iter=walked, orelse=None) as loop if walked is rows:
            conditions, edits = _conditions(file, statement, loop)
            tests = _all_tests(statement, row, conditions)
        case _:
            return None
    if isinstance(tests, Refusal):
        return tests
    refused = next((edit for edit in edits if isinstance(edit, Refusal)), None)
    if refused is not None or not tests:
        return refused
    return _Walk(file, statement, rows, tuple(tests), tuple(edit for edit in edits if isinstance(edit, Edit)))


def _all_tests(statement: Statement, row: str, conditions: Sequence[tuple[cst.BaseExpression, bool]]) -> list[Test] | Refusal:
    found: list[Test] = []
    for condition, wanted in conditions:
        tests = tests_of(statement, condition, row, wanted)
        if isinstance(tests, Refusal):
            return tests
        found += tests
    return found


def _conditions(file: SourceFile, statement: Statement, loop: cst.For) -> tuple[list[tuple[cst.BaseExpression, bool]], list[Edit | Refusal | None]]:
    """Returns the conditions that a loop begins with, each with what it has to be, and the edits that take them away."""
    conditions: list[tuple[cst.BaseExpression, bool]] = []
    edits: list[Edit | Refusal | None] = []
    if not isinstance(loop.body, cst.IndentedBlock):
        return conditions, [Refusal("the loop shares its line")]
    for line in loop.body.body:
        if not isinstance(line, cst.If) or line.orelse is not None:
            break
        if _only_continues(line):
            if line is loop.body.body[-1]:
                break
            conditions.append((line.test, False))
            edits.append(_without(file, statement, line))
            continue
        if len(loop.body.body) == 1:
            conditions.append((line.test, True))
            edits += _dedented(file, statement, line)
        break
    return conditions, edits


def _only_continues(branch: cst.If) -> bool:
    match branch.body:
        case cst.SimpleStatementSuite(body=[cst.Continue()]) | cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[cst.Continue()])]):
            return True
        case _:
            return False


def _without(file: SourceFile, statement: Statement, branch: cst.If) -> Edit | Refusal:
    """Returns the edit that takes away the lines of a guard."""
    start, end = statement.span(branch)
    first, last = file.line_of(start) - 1, file.line_of(statement.span(list(statement.within(branch, cst.Continue))[-1])[1])
    begin = file.starts[first]
    end = file.starts[last] if last < len(file.starts) else len(file.text)
    return Refusal(_COMMENTED) if "#" in file.text[start:end] else file.edit(begin, end, "")


def _dedented(file: SourceFile, statement: Statement, branch: cst.If) -> list[Edit | Refusal | None]:
    """Returns the edits that take away the head of an `if` and move its body to where it stood."""
    start, end = statement.span(branch)
    first = statement.span(branch.body.body[0])[0]
    if not isinstance(branch.body, cst.IndentedBlock):
        return [file.edit(start, first, "") if "#" not in file.text[start:first] else Refusal(_COMMENTED)]
    outer, inner = file.indentation(start), file.indentation(first)
    colon = file.text.index(":", statement.outer(branch.test)[1])
    rest = file.rest_of_line(colon + 1)
    if outer is None or inner is None or not inner.startswith(outer) or "#" in file.text[start:colon] or rest.strip():
        return [Refusal(_COMMENTED if "#" in file.text[start:colon] + rest else "the condition shares its line")]
    if any("\n" in statement.code(text) or "\r" in statement.code(text) for text in _texts(statement, branch.body)):
        return [Refusal("a text over several lines stands in the loop")]
    above, head = file.line_of(start) - 1, file.line_of(colon)
    edits: list[Edit | Refusal | None] = [file.edit(file.starts[above], file.starts[head], "")]
    for line in range(head, file.line_of(end)):
        begin = file.starts[line]
        if file.text.startswith(inner, begin):
            edits.append(file.edit(begin + len(outer), begin + len(inner), ""))
    return edits


def _texts(statement: Statement, body: cst.CSTNode) -> list[cst.CSTNode]:
    return [*statement.within(body, cst.SimpleString), *statement.within(body, cst.FormattedString)]


# ----------------------------------------------------------------------------------------------------------- the query
def _in_django(sources: Sources, walk: _Walk, intent: FilterInDatabase) -> list[Edit] | Refusal | None:
    statement, file, model = walk.statement, walk.file, intent.query.model
    rows, kept = (walk.rows.value, walk.rows.target) if isinstance(walk.rows, cst.NamedExpr) else (walk.rows, walk.rows)
    if model is None or not gives_queryset(sources, statement, rows, intent.query):
        return None
    if isinstance(kept, cst.Name) and is_used_later(statement, kept):
        return Refusal("the query is used once more")
    links = lookups(walk.tests, model)
    if isinstance(links, Refusal):
        return links
    chain = chain_of(statement, walk.rows)
    return _inserted(file, statement, chain, links, True)


def _inserted(file: SourceFile, statement: Statement, chain: Chain, links: list[str], gives_way: bool) -> list[Edit]:
    """Returns the edits that put links into a chain, before what concerns the order and what is loaded along; a plain `.all()` gives way to them."""
    at = chain.inner
    while at and chain.links[at - 1].name in (*_BEHIND, "all") and chain.links[at - 1].call is not None:
        last = chain.links[at - 1]
        if gives_way and last.name == "all" and last.call is not None and isinstance(last.call.func, cst.Attribute):
            return [file.edit(statement.span(last.call.func.attr)[0], statement.span(last.call)[1], "".join(links)[1:])]
        at -= 1
    return insert_links(file, statement, chain, at, links)


def _in_sqlalchemy(walk: _Walk, intent: FilterInDatabase, schema: Schema) -> list[Edit] | Refusal | None:
    """Returns the edits for `session.query(Book)…` and `session.scalars(select(Book)…)`, which stand there or in a variable of their own."""
    statement, file, query = walk.statement, walk.file, intent.query
    if query.model is None or not set(query.methods) <= _ROWS:
        return None
    rows = walk.rows
    function = statement.function(rows)
    if isinstance(rows, cst.Name):
        made = only_value(statement, function, rows.value)
        if made is None or function is None or is_used_later(statement, rows):
            return None
        names = {name.value for test in walk.tests for name in statement.within(test.value, cst.Name)}
        if any(not isinstance(statement.parent(bound), cst.Param) for name in names for bound in bindings(statement, function, name)):
            return Refusal("what the rows are compared with is not known yet where they are asked for")
        rows = made
    chain = chain_of(statement, rows)
    calls = [link.call for link in chain.links[: chain.inner] if link.name == "query"]
    if not calls:
        selected = _selected(rows)
        if selected is None:
            return None
        chain = chain_of(statement, selected)
        root = chain.root
        if isinstance(root, cst.Name):
            made = only_value(statement, function, root.value)
            root = chain_of(statement, made).root if made is not None else root
        calls = [root if isinstance(root, cst.Call) and last_name(root.func) == "select" else None]
    match calls[0]:
        case cst.Call(args=[cst.Arg(value=(cst.Name() | cst.Attribute()) as entity, star="")]) if is_class(
            file, statement, entity, query.model, schema
        ):
            pass
        case _:
            return None
    asked = clauses(walk.tests, query.model, statement.code(entity))
    if isinstance(asked, Refusal):
        return asked
    method = "filter" if query.style == "query" else "where"
    return _inserted(file, statement, chain, [f".{method}({', '.join(asked)})"], False)


def _selected(rows: cst.BaseExpression) -> cst.BaseExpression | None:
    """Returns the statement of `session.scalars(stmt).all()`, awaited or not."""
    node = rows
    while True:
        match node:
            case cst.Await(expression=inner) | cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value="all" | "unique")), args=[]):
                node = inner
            case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value="scalars")), args=[]):
                node = inner
            case cst.Call(func=cst.Attribute(attr=cst.Name(value=method)), args=[cst.Arg(value=selected, star="", keyword=None)]) if method in _RUN:
                return selected
            case _:
                return None
