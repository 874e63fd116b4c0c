"""A list that is only sent back as the parameters of another query: the query takes its place.

Book.objects.filter(author__in=list(authors))               Book.objects.filter(author__in=authors)
Book.author_id.in_([a.id for a in session.query(Author)])   Book.author_id.in_(session.query(Author.id))
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import libcst as cst

from ormlint.fixes.chain import chain_of, insert_links, is_postfix, quote_for, seen_through
from ormlint.fixes.columns import PLAIN, column_of, left_of
from ormlint.fixes.counts import breaks_line
from ormlint.fixes.imports import Refusal
from ormlint.fixes.origins import Made, origin, session_of
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import RUNNING, only_value, reads
from ormlint.fixes.walked import gives_queryset
from ormlint.judge.finding import Applicability, Fix, SendSubquery
from ormlint.link.schema import Orm, Schema
from ormlint.run.log import QueryObject, Shape, UseKind
from ormlint.text import Edit, Site

_DESCRIPTION = "send the query as a subquery"
_LATER = "the subquery is asked later than the list was made, and may see other rows"
_CHOOSING = PLAIN | {"distinct", "query", "values_list"}
_COPYING = frozenset({"list", "tuple", "set", "frozenset"})
_RUNNING = RUNNING | {"query", "scalar"}
_NEGATING = frozenset({"exclude", "not_", "not_in", "notin_"})


@dataclass(frozen=True, slots=True)
class _List:
    """The expression that makes a list of a query's rows, and the attribute that it takes of each ("" for the row itself)."""

    whole: cst.BaseExpression
    rows: cst.BaseExpression  # the query in it, or the variable that holds it
    column: str
    made: bool  # it is a list indeed


def send_subquery(sources: Sources, intent: SendSubquery, schema: Schema) -> Fix | None:
    """Returns the fix, None if the list is not made where it is given to the query, or for it alone, or the subquery would choose others."""
    return _where_it_is_made(sources, intent) or (_where_it_is_given(sources, intent, schema) if intent.query.orm is Orm.SQLALCHEMY else None)


def _where_it_is_made(sources: Sources, intent: SendSubquery) -> Fix | None:
    query = intent.query
    site = _made_at(sources, query)
    file, statement = sources.file(site), sources.statement(site)
    made = statement.expression(site.start, site.end) if statement is not None else None
    if file is None or statement is None or made is None or query.ways or not query.plain or not set(query.methods) <= _CHOOSING:
        return None
    found = _list_of(statement, made)
    given = _argument(statement, found.whole)
    if not found.made or given is None or site.path != intent.given.path:
        return None
    if _is_negated(statement, given) and not _is_filled(intent, found.column or query.flat_column or _only_column(statement, made)):
        return None  # `NOT IN` a subquery with a NULL is true of no row
    edits = _in_django(file, statement, found, intent) if query.orm is Orm.DJANGO else _in_sqlalchemy(file, statement, made, found, intent)
    return Fix(Applicability.UNSAFE, _DESCRIPTION, tuple(edits), _LATER) if edits is not None else None


def _where_it_is_given(sources: Sources, intent: SendSubquery, schema: Schema) -> Fix | None:
    """Returns the fix for a query of whole rows that another statement or function makes: `in_([ship.id for ship in wanted()])`."""
    query, site = intent.query, intent.given
    file, statement = sources.file(site), sources.statement(site)
    call = statement.expression(site.start, site.end) if statement is not None else None
    given = call.args[0].value if isinstance(call, cst.Call) and len(call.args) == 1 else None
    if file is None or statement is None or given is None or not query.plain or query.shape is not Shape.ROWS or not set(query.methods) <= _CHOOSING:
        return None
    whole = only_value(statement, statement.function(given), given.value) if isinstance(given, cst.Name) else given
    rows = _walked(whole)
    found = _list_of(statement, rows) if rows is not None else None
    argument = _argument(statement, whole) if whole is not None else None
    if rows is None or found is None or found.whole is not whole or not found.made or not found.column or argument is None:
        return None
    if _is_negated(statement, argument) and not _is_filled(intent, found.column):
        return None
    asked = _asked(rows)
    made = origin(sources, file, statement, asked, query)
    if made is None or len(_sessions(statement, rows)) > 1 or not _is_of_session(statement, asked, made):
        return None
    if _is_correlated(made.statement, made.node) or (not made.here and _is_correlated(statement, asked)):
        return None
    edits = column_of(sources, file, statement, asked, query, found.column, schema)
    if isinstance(edits, Refusal):
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), edits.reason)
    left = _left(file, statement, replace(found, rows=asked), edits) if edits is not None else None
    return Fix(Applicability.UNSAFE, _DESCRIPTION, tuple(left), _LATER) if left is not None else None


def _walked(whole: cst.BaseExpression | None) -> cst.BaseExpression | None:
    """Returns what a comprehension walks, within `list(…)` or not."""
    match whole:
        case cst.ListComp(for_in=clause) | cst.SetComp(for_in=clause) | cst.GeneratorExp(for_in=clause):
            return clause.iter
        case cst.Call(func=cst.Name(value=name), args=[cst.Arg(value=inner, star="", keyword=None)]) if name in _COPYING:
            return _walked(inner)
        case _:
            return None


def _asked(rows: cst.BaseExpression) -> cst.BaseExpression:
    """Returns the query or statement whose rows are walked: `wanted()` of `session.scalars(wanted()).all()`."""
    match rows:
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value="all")), args=[]) | cst.Await(expression=inner):
            return _asked(inner)
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="scalars")), args=[cst.Arg(value=asked, star="", keyword=None)]):
            return asked
        case _:
            return rows


def _is_of_session(statement: Statement, asked: cst.BaseExpression, made: Made) -> bool:
    """Whether a query is made by the session that runs the statements of the function; a statement is made by none."""
    by_session = any(link.name == "query" for link in chain_of(made.statement, made.node).links)
    if not by_session or statement.function(asked) is made.statement.function(made.node):
        return True
    return session_of(statement, asked, made) in _sessions(statement, asked)


def _made_at(sources: Sources, query: QueryObject) -> Site:
    """Returns where a query stands that a list is made of: where it is made, or where what makes it is called."""
    made = query.steps[-1] if query.steps else query.site
    for use in query.all_uses():
        if use.kind is not UseKind.ITERATE and not (use.kind is UseKind.DERIVE and use.operator in _COPYING):
            continue
        statement = sources.statement(use.site)
        node = statement.expression(use.site.start, use.site.end) if statement is not None else None
        rows = seen_through(node) if node is not None else None
        if query.orm is Orm.DJANGO and statement is not None and isinstance(rows, cst.Call) and not use.site.encloses(made):
            return Site(use.site.path, *statement.span(rows)) if gives_queryset(sources, statement, rows, query) else made
    return made


def _list_of(statement: Statement, node: cst.BaseExpression) -> _List:
    """Returns what is made of a query in the expression around it, from the inside out."""
    column, made, rows = "", False, node
    while True:
        above = statement.parent(node)
        outer = statement.parent(above) if above is not None else None
        match above, outer:
            case cst.Await() as awaited, _:
                node = awaited
            case cst.Attribute(value=value, attr=cst.Name(value="all" | "scalars" as method)), cst.Call(args=[]) as call if value is node:
                node, made = call, made or method == "all"
            case cst.Arg(star="", keyword=None), cst.Call(func=cst.Attribute(attr=cst.Name(value="scalars")), args=[_]) as call:
                node = call
            case cst.Arg(star="", keyword=None), cst.Call(func=cst.Name(value=name), args=[_]) as call if name in _COPYING:
                node, made = call, True
            case (
                cst.CompFor(target=cst.Name(value=row), iter=walked, ifs=[], inner_for_in=None, asynchronous=None),
                (cst.ListComp() | cst.SetComp() | cst.GeneratorExp()) as walk,
            ) if walked is node and not column:
                match walk.elt:
                    case cst.Attribute(value=cst.Name(value=read), attr=cst.Name(value=column)) if read == row:
                        pass
                    case cst.Name(value=read) if read == row:
                        pass
                    case _:
                        return _List(node, rows, column, False)
                node, made = walk, True
            case _:
                variable = _only_read(statement, node) if not made else None
                if variable is None:
                    return _List(node, rows, column, made)
                node = rows = variable


def _argument(statement: Statement, whole: cst.BaseExpression) -> cst.Arg | None:
    """Returns the argument that a list is, itself or by the name of a variable that is read nowhere else."""
    read = whole if isinstance(statement.parent(whole), cst.Arg) else _only_read(statement, whole)
    argument = statement.parent(read) if read is not None else None
    return argument if isinstance(argument, cst.Arg) and argument.star == "" and _is_asked(statement, argument) else None


def _only_read(statement: Statement, value: cst.BaseExpression) -> cst.Name | None:
    """Returns the only place where the variable is read that an expression is assigned to; None if it is one that is said to be a list."""
    match statement.parent(value):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
            function = statement.function(value)
        case _:
            return None
    if function is None or only_value(statement, function, name) is not value:
        return None
    found = list(reads(statement, function, name))
    return found[0] if len(found) == 1 and statement.function(found[0]) is function else None


def _is_asked(statement: Statement, argument: cst.Arg) -> bool:
    if argument.keyword is not None:
        return argument.keyword.value.endswith("__in")
    call = statement.parent(argument)
    return isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value in ("in_", "not_in", "notin_")


def _is_negated(statement: Statement, argument: cst.Arg) -> bool:
    for above in statement.ancestors(argument):
        match above:
            case cst.UnaryOperation():
                return True
            case cst.Call(func=cst.Attribute(attr=cst.Name(value=name)) | cst.Name(value=name)) if name in _NEGATING:
                return True
            case cst.BaseStatement():
                return False
    return False


def _is_filled(intent: SendSubquery, column: str) -> bool:
    """Whether what is looked for among is never NULL."""
    model = intent.query.model
    if model is None:
        return False
    known = model.columns.get(column)
    return (not column and intent.query.shape is Shape.ROWS) or model.is_primary_key(column) or (known is not None and not known.nullable)


def _only_column(statement: Statement, made: cst.BaseExpression) -> str:
    """Returns the column of `select(Author.id)…`, "" if it selects something else."""
    match chain_of(statement, made).root:
        case cst.Call(func=cst.Name(), args=[cst.Arg(value=cst.Attribute(attr=cst.Name(value=name)), star="", keyword=None)]):
            return name
        case _:
            return ""


def _in_django(file: SourceFile, statement: Statement, found: _List, intent: SendSubquery) -> list[Edit] | None:
    chain = chain_of(statement, found.rows)
    if intent.query.shape is not Shape.ROWS and (found.column or not intent.query.flat_column):
        return None
    quote = quote_for(file, statement, chain)
    links = [f".values({quote}{found.column}{quote})"] if found.column else []
    inserted = insert_links(file, statement, chain, chain.inner, links) if links else []
    return _left(file, statement, found, inserted)


def _in_sqlalchemy(file: SourceFile, statement: Statement, made: cst.BaseExpression, found: _List, intent: SendSubquery) -> list[Edit] | None:
    query = intent.query
    if len(_sessions(statement, made)) > 1 or _is_correlated(statement, made):
        return None
    if query.shape is not Shape.ROWS:
        alone = _only_column(statement, made) and not found.column and query.style == "result"
        return _left(file, statement, found, []) if alone else None
    if not found.column or query.steps:
        return None
    chain = chain_of(statement, made)
    calls = [link.call for link in chain.links[: chain.inner] if link.name == "query"]
    match calls[0] if calls else chain.root:
        case cst.Call(args=[cst.Arg(value=(cst.Name() | cst.Attribute()) as entity, star="")]):
            return _left(file, statement, found, [file.insert(statement.outer(entity)[1], f".{found.column}")])
        case _:
            return None


def _sessions(statement: Statement, made: cst.BaseExpression) -> set[str]:
    """Returns what runs queries in the function: one session cannot be asked for what another has not written yet, or has elsewhere."""
    calls = statement.within(statement.function(made) or made, cst.Call)
    run = [call.func.value for call in calls if isinstance(call.func, cst.Attribute) and call.func.attr.value in _RUNNING]
    return {statement.code(session) for session in run if isinstance(session, (cst.Name, cst.Attribute))}


def _is_correlated(statement: Statement, made: cst.BaseExpression) -> bool:
    """Whether a condition of the list names a further class: in a subquery it may mean that of the query around it."""
    links = chain_of(statement, made).links
    return len({name.value for link in links for name in statement.within(link.node, cst.Name) if name.value[:1].isupper()}) > 1


def _left(file: SourceFile, statement: Statement, found: _List, inserted: list[Edit]) -> list[Edit] | None:
    rows = found.rows
    needs = not rows.lpar and (not is_postfix(rows) or breaks_line(statement.code(rows)))
    return left_of(file, statement, found.whole, rows, inserted, *(("(", ")") if needs else ("", "")))
