"""`book.author.id` → `book.author_id`, and `if book.editor:` → `if book.editor_id is not None:`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ormlint.fixes.chain import chain_of
from ormlint.fixes.presence import asked_of_key, is_known_to_be_there, without_inner
from ormlint.fixes.receivers import assigned, may_be_given
from ormlint.fixes.source import Sources
from ormlint.fixes.statement import Function, Statement
from ormlint.judge.finding import Applicability, Fix, ReadKey
from ormlint.text import Edit, Site

_MISSING = frozenset({"DoesNotExist", "ObjectDoesNotExist"})


def read_key(sources: Sources, intent: ReadKey) -> Fix | None:
    """Returns the fix, None if one of the expressions is not written on one line as `row.relation.column`, or asks in another way for the row."""
    relation = intent.relation
    edits: list[Edit] = []
    risk, present = intent.risk, True
    for site, relation_site in intent.sites:
        file, statement = sources.file(site), sources.statement(site)
        start = relation_site.end - len(relation.name)
        if file is None or not relation.attname or not _is_written(file.text[start : site.end], relation.name, asks=site == relation_site):
            return None
        node = statement.expression(site.start, site.end) if statement is not None else None
        if site == relation_site:
            asked = asked_of_key(file, statement, node, relation) if statement is not None and node is not None else None
            if asked is None:
                return None
            edits.append(asked)
        else:
            edits.append(file.edit(start, site.end, relation.attname))
            present = present and (statement is not None and node is not None and is_known_to_be_there(statement, node, relation))
        risk = risk or _risk_of_other_rows(sources, site)
    edits = without_inner(edits)
    description = f"read the key from `{relation.attname}`"
    if relation.nullable and not intent.present and not present:
        return Fix(Applicability.UNSAFE, description, tuple(edits), "where there is no row, an AttributeError becomes None")
    if not relation.constrained:
        risk = "a key with `db_constraint=False` may refer to no row, which is an error so far"
    if any(_is_missed(sources, site) for site, _ in intent.sites):
        risk = "a `try` waits for the DoesNotExist of a row that is not there"
    if relation.target is not None and relation.target.has_base_manager:
        risk = "`Meta.base_manager_name` names a manager for related rows, which may not give the row"
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, description, tuple(edits), risk)


def _is_missed(sources: Sources, site: Site) -> bool:
    """Whether a `try` or `suppress()` around a read waits for the error that there is no such row."""
    statement = sources.statement(site)
    node = statement.expression(site.start, site.end) if statement is not None else None
    if statement is None or node is None:
        return False
    for above in statement.ancestors(node):
        match above:
            case cst.FunctionDef() | cst.Lambda():
                return False
            case cst.Try(handlers=handlers):
                caught: list[cst.CSTNode] = [handler.type for handler in handlers if handler.type is not None]
            case cst.With(items=items):
                caught = [item.item for item in items if isinstance(item.item, cst.Call)]
            case _:
                continue
        names = [name.value for part in caught for name in statement.within(part, cst.Name)]
        if not _MISSING.isdisjoint(names):
            return True
    return False


def _is_written(text: str, relation: str, *, asks: bool) -> bool:
    """Whether a relation, and what is read of it, is written without a break."""
    head, dot, column = text.partition(".")
    return head == relation and (not dot if asks else column.isidentifier())


def loops_around(statement: Statement, node: cst.BaseExpression, variable: str) -> Iterator[cst.For | cst.CompFor]:
    """Yields the loops around an expression that give a variable its value."""
    for above in statement.ancestors(node):
        clauses = [above] if isinstance(above, cst.For) else [above.for_in] if isinstance(above, cst.BaseComp) else []
        for loop in clauses:
            clause: cst.For | cst.CompFor | None = loop
            while clause is not None:
                if any(name.value == variable for name in statement.within(clause.target, cst.Name)):
                    yield clause
                clause = clause.inner_for_in if isinstance(clause, cst.CompFor) else None


def _risk_of_other_rows(sources: Sources, site: Site) -> str:
    """Returns why the row may be one that the program has just made, "" if the function around it is seen to fetch it."""
    statement = sources.statement(site)
    node = statement.expression(site.start, site.end) if statement is not None else None
    if statement is None or node is None:
        return "the row is not understood"
    root = chain_of(statement, node).root
    proven = not isinstance(root, cst.Name) or _is_fetched(statement, node, root, statement.function(node), may_be_list=True)
    return "" if proven else "the row may be one that the program has just made, which has the related row and not yet its key"


def _is_fetched(statement: Statement, at: cst.BaseExpression, value: cst.BaseExpression, function: Function | None, *, may_be_list: bool) -> bool:
    """Whether an expression at a place is a row of a query, or its rows, by what the function says: a variable that is set in one place only."""
    match value:
        case cst.Name(value=name):
            walked = [loop.iter for loop in loops_around(statement, at, name)]
            values = walked or list(assigned(statement, function or statement.module, name))
            if len(values) != 1 or may_be_given(statement, value, function):
                return False
            return _is_fetched(statement, at, values[0], function, may_be_list=bool(walked))
        case cst.Await(expression=awaited):
            return _is_fetched(statement, at, awaited, function, may_be_list=may_be_list)
        case cst.Call(func=cst.Name(value="list" | "tuple" | "sorted" | "set"), args=[cst.Arg(value=rows), *_]):
            return may_be_list and _is_fetched(statement, at, rows, function, may_be_list=True)
        case cst.Call() | cst.Subscript():
            return not may_be_given(statement, value, function)
        case _:
            return False
