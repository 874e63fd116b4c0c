"""A query of SQLAlchemy that a loop sends for the key of each round, sent once before the loop for all keys.

for loan in session.scalars(select(Loan)):           loans = list(session.scalars(select(Loan)))
    book = session.get(Book, loan.book_id)           books_by_id = {row.id: row for row in session.scalars(select(Book).where(Book.id.in_(…)))}
                                                     for loan in loans:
                                                         book = books_by_id.get(loan.book_id)
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.chain import Link, chain_of, last_name
from ormlint.fixes.imports import Refusal, Spelling, is_class, spell_import
from ormlint.fixes.lookups import DESCRIPTION, REASON, inner_indentation, is_read_at_once, listed, variable_for, walked_twice
from ormlint.fixes.walk import Walk, binds, inside
from ormlint.judge.finding import Applicability, FetchBefore, Fix
from ormlint.link.schema import Column, Model, Schema

_MISSING = "a key without a row is a KeyError instead of a NoResultFound"
_TEXTS = "texts that differ in their case alone are two keys, whatever the database says"
_ONE = {"get": False, "first": False, "one_or_none": False, "scalar_one_or_none": False, "scalar": False, "one": True, "scalar_one": True}
_SENDING = ("get", "query", "scalars", "scalar", "execute")
_NARROWING = frozenset({"filter", "filter_by", "where", "options", "order_by"})
_LOSING = frozenset({"expunge", "expunge_all", "close", "remove", "reset", "commit", "rollback", "expire", "expire_all"})
_KINDS = {
    **dict.fromkeys(("int", "Integer", "BigInteger", "SmallInteger"), "number"),
    **dict.fromkeys(("str", "String", "Text", "Unicode", "UnicodeText"), "text"),
    **dict.fromkeys(("UUID", "Uuid"), "uuid"),
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query for one key: `whole` is the expression that gives its answer, taken by `how` ("" for all rows).

    `code` is the expression for all rows of the key, in which the condition on the key stands at `start:end`.
    """

    whole: cst.BaseExpression
    how: str
    code: str
    start: int
    end: int
    column: str
    key: cst.BaseExpression
    entity: str
    extra: Spelling


def of_sqlalchemy(walk: Walk, intent: FetchBefore, schema: Schema) -> Fix | Refusal:
    """Returns the fix of a look-up by a session, or why there is none."""
    asked = _asked(walk, intent, schema)
    if isinstance(asked, Refusal):
        return asked
    text, source = walk.statement.code(asked.whole), intent.loop.source
    if "\n" in text or "#" in text:
        return Refusal("the query is written over several lines")
    if asked.how and _ONE[asked.how] and any(isinstance(above, (cst.Try, cst.TryStar)) for above in walk.statement.ancestors(walk.node)):
        return Refusal("a `try` around it waits for the row that does not exist")
    if not asked.how and not is_read_at_once(walk, asked.whole):
        return Refusal("the query is used for more than to walk its rows")
    if (source is not None and source.batched) or any(
        isinstance(node, cst.Attribute) and node.attr.value in _LOSING for node in inside(walk.loop.body)
    ):
        return Refusal("the session may let go of the rows, or fetch them anew")
    attribute = _attribute(walk, intent, asked)
    if isinstance(attribute, Refusal):
        return attribute
    return _written(walk, intent, asked)


def _attribute(walk: Walk, intent: FetchBefore, asked: _Asked) -> str | Refusal:
    """Returns the attribute of the loop's row that has the key, if it is of the type of the column and a dict finds what the query would."""
    match walk.loop.target, asked.key:
        case cst.Name(value=row), cst.Attribute(value=cst.Name(value=read), attr=cst.Name(value=attribute)) if row == read:
            pass
        case _:
            return Refusal("the key is not read from the row of the loop")
    if attribute in walk.bound or binds(walk.loop, row) > 1:
        return Refusal("the loop changes the key")
    mine, theirs = intent.model.columns.get(asked.column), intent.walked.columns.get(attribute)
    if mine is None or theirs is None or not _are_alike(mine, theirs, intent):
        return Refusal("the key may be of another type than the column that it is looked up by")
    if mine.nullable and theirs.nullable:
        return Refusal("a key may be None, and the rows without one are not those of an `IN`")
    if asked.how and not (mine.unique or (mine.primary_key and sum(each.primary_key for each in intent.model.columns.values()) == 1)):
        return Refusal("several rows may have the same key")
    return attribute


def _are_alike(mine: Column, theirs: Column, intent: FetchBefore) -> bool:
    known, other = _KINDS.get(mine.type), _KINDS.get(theirs.type)
    if known and other:
        return known == other
    if theirs.references and not theirs.type:
        return theirs.references == intent.model.table and mine.primary_key
    return bool(mine.references and not mine.type) and mine.references == intent.walked.table and theirs.primary_key


# ------------------------------------------------------------------------------------------------------------- the query
def _asked(walk: Walk, intent: FetchBefore, schema: Schema) -> _Asked | Refusal:
    if not isinstance(walk.node, cst.Call):
        return Refusal("the query is not written where it runs")
    chain = chain_of(walk.statement, walk.node)
    sent = next((number for number, link in enumerate(chain.links) if link.call is not None and link.name in _SENDING), None)
    if sent is None or any(walk.names(part) & walk.bound for part in (chain.links[sent].receiver,)):
        return Refusal("the query is not written where it runs")
    call = chain.links[sent].call
    assert call is not None
    positional = [argument.value for argument in call.args if argument.keyword is None and not argument.star]
    if len(positional) != len(call.args) or not positional:
        return Refusal("the query is given more than a statement")
    session = walk.statement.code(chain.links[sent].receiver)
    if chain.links[sent].name == "query":
        return _of_query(walk, intent, schema, list(chain.links[sent:]))
    whole, how = _answer(walk, call, chain.links[sent].name)
    if chain.links[sent].name == "get":
        if len(positional) != 2 or not is_class(walk.file, walk.statement, positional[0], intent.model, schema):
            return Refusal("it is not clear which row is asked for")
        select = spell_import(walk.file, walk.statement.span(walk.loop)[0], "sqlalchemy", "select")
        if isinstance(select, Refusal):
            return select
        entity, column = walk.statement.code(positional[0]), intent.model.primary_key
        head = f"{_waiting(walk, call)}{session}.scalars({select.text}({entity}).where("
        return _Asked(whole, "get", f"{head}))", len(head), len(head), column, positional[1], entity, select)
    selected = chain_of(walk.statement, positional[0])
    made = selected.root if not selected.links else selected.links[0].node
    if len(positional) != 1 or not isinstance(selected.root, cst.Call) or last_name(selected.root.func) != "select" or how == "?":
        return Refusal("the statement is written in another place" if how != "?" else "the answer is taken in another way")
    assert made is not None
    found = _condition(walk, intent, schema, selected.root, list(selected.links[: selected.inner]))
    if isinstance(found, Refusal):
        return found
    start, end = walk.statement.span(positional[0])
    head = f"{_waiting(walk, call)}{session}.scalars("
    at = len(head) + found.start - start
    code = f"{head}{walk.file.text[start:end]})"
    return _Asked(whole, how, code, at, at + found.end - found.start, found.column, found.key, found.entity, Spelling(""))


def _waiting(walk: Walk, call: cst.Call) -> str:
    return "await " if isinstance(walk.statement.parent(call), cst.Await) else ""


def _answer(walk: Walk, call: cst.Call, name: str) -> tuple[cst.BaseExpression, str]:
    """Returns the expression that takes the answer of a statement and how it does, "?" if that is another way."""
    whole: cst.BaseExpression = call
    above = walk.statement.parent(whole)
    if isinstance(above, cst.Await):
        whole = above
    how, as_rows = ("scalar", True) if name == "scalar" else ("", name != "execute")
    if name in ("get", "scalar"):
        return whole, how
    while True:
        method = walk.statement.parent(whole)
        outer = walk.statement.parent(method) if method is not None else None
        if not (isinstance(method, cst.Attribute) and isinstance(outer, cst.Call) and outer.func is method):
            return whole, how if as_rows else "?"
        taken = method.attr.value
        if outer.args or how or taken not in ("all", "scalars", *_ONE) or (taken != "scalars" and as_rows == taken.startswith("scalar")):
            return whole, "?"
        whole = outer
        if taken == "scalars":
            as_rows = True
        elif taken == "all":
            return whole, how
        else:
            return whole, taken


@dataclass(frozen=True, slots=True)
class _Condition:
    """The condition on the key: a whole argument of `filter()`, or the whole call of `filter_by(…)` with its dot."""

    start: int
    end: int
    column: str
    key: cst.BaseExpression
    entity: str


def _of_query(walk: Walk, intent: FetchBefore, schema: Schema, links: list[Link]) -> _Asked | Refusal:
    """Returns what `session.query(Book).filter(…).first()` asks for."""
    made = links[0].call
    assert made is not None
    end = next((number for number, link in enumerate(links) if number and (link.call is None or link.name not in _NARROWING)), len(links))
    last = links[end] if end < len(links) else None
    if last is None:
        whole, how = links[-1].node, ""
    elif last.call is not None and (last.name in _ONE or last.name == "all"):
        whole, how = last.node, "" if last.name == "all" else last.name
    else:
        return Refusal("the answer is taken in another way")
    rows = links[end - 1].node
    if how == "get":
        assert last is not None
        assert last.call is not None
        if len(last.call.args) != 1 or end != 1 or not is_class(walk.file, walk.statement, made.args[0].value, intent.model, schema):
            return Refusal("it is not clear which row is asked for")
        entity = walk.statement.code(made.args[0].value)
        code = f"{walk.statement.code(rows)}.filter()"
        return _Asked(whole, how, code, len(code) - 1, len(code) - 1, intent.model.primary_key, last.call.args[0].value, entity, Spelling(""))
    if last is not None and last.call is not None and last.call.args:
        return Refusal("the last method is given arguments")
    found = _condition(walk, intent, schema, made, links[1:end])
    if isinstance(found, Refusal):
        return found
    start = walk.statement.span(rows)[0]
    return _Asked(whole, how, walk.statement.code(rows), found.start - start, found.end - start, found.column, found.key, found.entity, Spelling(""))


def _condition(walk: Walk, intent: FetchBefore, schema: Schema, made: cst.Call, links: list[Link]) -> _Condition | Refusal:
    """Returns the only argument of a query that varies with the rows of the loop, `Book.id == loan.book_id`."""
    if len(made.args) != 1 or not is_class(walk.file, walk.statement, made.args[0].value, intent.model, schema):
        return Refusal(f"the query asks for more than rows of `{intent.model.name}`")
    entity = walk.statement.code(made.args[0].value)
    if any(link.call is None or link.name not in _NARROWING for link in links):
        return Refusal("the query does more than to look rows up")
    varying = [(link, argument) for link in links if link.call is not None for argument in link.call.args if walk.names(argument.value) & walk.bound]
    if len(varying) != 1:
        return Refusal("more than one value varies with the loop")
    ((link, argument),) = varying
    assert link.call is not None
    if link.name == "filter_by":
        if argument.keyword is None or len(link.call.args) != 1:
            return Refusal("it is not clear what the rows are looked up by")
        return _Condition(*walk.statement.span(argument), argument.keyword.value, argument.value, entity)
    if link.name not in ("filter", "where") or argument.keyword is not None or argument.star:
        return Refusal("it is not clear what the rows are looked up by")
    match argument.value:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=cst.Equal(), comparator=right)]):
            pass
        case _:
            return Refusal("it is not clear what the rows are looked up by")
    for column, key in ((left, right), (right, left)):
        if isinstance(column, cst.Attribute) and walk.statement.code(column.value) == entity:
            return _Condition(*walk.statement.outer(argument.value), column.attr.value, key, entity)
    return Refusal("it is not clear what the rows are looked up by")


# --------------------------------------------------------------------------------------------------------- what is written
def _written(walk: Walk, intent: FetchBefore, asked: _Asked) -> Fix | Refusal:
    edits = walked_twice(walk, intent)
    found = walk.fresh(f"{variable_for(intent.model)}s_by_{asked.column}")
    if isinstance(edits, Refusal) or found is None:
        return edits if isinstance(edits, Refusal) else Refusal("no name for the rows is free")
    rows, replacements = edits
    row = "row" if walk.fresh("row") == "row" else f"each_{variable_for(intent.model)}"
    key = walk.statement.code(asked.key)
    condition = f"{asked.entity}.{asked.column}.in_([{key} for {walk.statement.code(walk.loop.target)} in {rows}])"
    before = asked.code[: asked.start].removesuffix("filter_by(")
    head = f"{before}filter(" if before != asked.code[: asked.start] else before
    query = _made_unique(intent.model, f"{head}{condition}{asked.code[asked.end :]}")
    extra = asked.extra
    if asked.how:
        lines = [f"{found} = {{{row}.{asked.column}: {row} for {row} in {query}}}"]
        lookup = f"{found}[{key}]" if _ONE[asked.how] else f"{found}.get({key})"
    else:
        grouped = spell_import(walk.file, walk.statement.span(walk.loop)[0], "collections", "defaultdict")
        if isinstance(grouped, Refusal):
            return grouped
        extra = grouped
        body = f"{inner_indentation(walk)}{found}[{row}.{asked.column}].append({row})"
        lines, lookup = [f"{found} = {grouped.text}(list)", f"for {row} in {query}:", body], f"{found}[{key}]"
    first = walk.before(*([f"{rows} = {_listed(walk)}"] if replacements else []), *lines)
    if any(edit.start == first.start for edit in extra.edits):
        return Refusal("the import would stand where the loop begins")
    start, end = walk.statement.outer(asked.whole) if isinstance(asked.whole, cst.Await) else walk.statement.span(asked.whole)
    mine = intent.model.columns[asked.column]
    reasons = [REASON, *([_MISSING] if asked.how and _ONE[asked.how] else []), *([_TEXTS] if _KINDS.get(mine.type) == "text" else [])]
    return Fix(Applicability.UNSAFE, DESCRIPTION, (first, walk.file.edit(start, end, lookup), *replacements, *extra.edits), "; ".join(reasons))


def _made_unique(model: Model, query: str) -> str:
    """Returns a query with `.unique()` if it may join a collection: its result raises without, unlike that of a Query."""
    joins = "joinedload" in query or "contains_eager" in query or _joins_collection(model, frozenset())
    if not joins or ".scalars(" not in query:
        return query
    return f"({query}).unique()" if query.startswith("await ") else f"{query}.unique()"


def _joins_collection(model: Model, seen: frozenset[str]) -> bool:
    """Whether the mapping joins a collection to the rows of a model, or to what it joins to them."""
    joined = [each for each in model.relations.values() if each.lazy == "joined" and model.label not in seen]
    return any(not each.to_one or (each.target is not None and _joins_collection(each.target, seen | {model.label})) for each in joined)


def _listed(walk: Walk) -> str:
    """Returns the rows of the loop as a list, which `….all()` is."""
    match walk.loop.iter:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="all")), args=[]) as rows if not rows.lpar:
            return walk.statement.code(rows)
        case _:
            return listed(walk)
