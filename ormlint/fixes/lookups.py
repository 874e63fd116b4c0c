"""A query that a loop sends for the key of each round, sent once before the loop for all keys.

for loan in loans:                                      loans = list(loans)
    book = Book.objects.get(pk=loan.book_id)            book_by_pk = Book.objects.in_bulk([loan.book_id for loan in loans])
                                                        for loan in loans:
                                                            book = book_by_pk[loan.book_id]

The keys are read from the rows that the loop walks, and must be of the type of the column that they are looked up by: a dict does not
convert as a database does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.chain import Link, chain_of
from ormlint.fixes.imports import Refusal, Spelling, is_class, spell_import
from ormlint.fixes.receivers import assigned
from ormlint.fixes.source import Sources
from ormlint.fixes.walk import Walk, binds, walk_around
from ormlint.judge.finding import Applicability, FetchBefore, Fix
from ormlint.link.schema import Model, Orm, Schema
from ormlint.text import Edit

DESCRIPTION = "fetch the rows for all keys before the loop"
REASON = "what the loop writes is not seen by a query before it, rows asked for twice are one object"
_MISSING = "a key without a row is a KeyError instead of a DoesNotExist"
_TIGHTER = (cst.Comparison, cst.ComparisonTarget, cst.BinaryOperation, cst.Attribute, cst.Subscript, cst.Await)
_KEEPING = ("queryset", "list", "related")  # what has its rows at hand when it is walked a second time
_STREAMS = ("iterator", "aiterator")
_READERS = frozenset({"list", "tuple", "set", "frozenset", "sorted", "len", "bool", "enumerate", "reversed", "sum", "any", "all", "iter"})
_NARROWING = frozenset({"filter", "exclude", "all", "select_related", "prefetch_related", "only", "defer", "order_by"})


@dataclass(frozen=True, slots=True)
class _Key:
    """What a query is asked by: the keyword argument that varies, the key of a round as an expression, the attribute that holds it."""

    argument: cst.Arg
    value: str
    attribute: str
    is_primary: bool


def fetch_before(sources: Sources, intent: FetchBefore, schema: Schema, written: Callable[[Walk, FetchBefore, Schema], Fix | Refusal]) -> Fix | None:
    """Returns the fix, a display-only one if the query or the loop does not allow it, None if the place is not understood."""
    walk = walk_around(sources, intent.site, intent.loop.site, with_else=True)
    if walk is None:
        return None
    made = walk if isinstance(walk, Refusal) else written(walk, intent, schema)
    return Fix(Applicability.DISPLAY, DESCRIPTION, (), made.reason) if isinstance(made, Refusal) else made


def of_django(walk: Walk, intent: FetchBefore, schema: Schema) -> Fix | Refusal:
    """Returns the fix of a look-up by `get()`, `filter()` and the like, or why there is none."""
    if intent.model.orm is not Orm.DJANGO or not isinstance(walk.node, cst.Call):
        return Refusal("the query is not written where it runs")
    chain = chain_of(walk.statement, walk.node)
    links = chain.links[: chain.inner]
    first = next((number for number, link in enumerate(links) if link.is_attribute and link.name == "objects"), None)
    if first is None or first + 1 == len(links) or not is_class(walk.file, walk.statement, links[first].receiver, intent.model, schema):
        return Refusal("the query does not begin at the manager of its model")
    links = links[first:]
    last, middle = links[-1], links[1:-1]
    how = last.name if last.name in ("get", "first", "exists") else ""
    if how in ("first", "exists") and last.call is not None and last.call.args:
        return Refusal("the last method is given arguments")
    asking = [*middle, *([last] if how in ("", "get") else [])]
    if any(link.call is None or link.name not in (_NARROWING if link is not last or not how else {"get"}) for link in asking):
        return Refusal("the query does more than to look rows up")
    key = _key(walk, intent, asking)
    return key if isinstance(key, Refusal) else _written(walk, intent, walk.statement.code(links[0].node), asking, key, how)


def _key(walk: Walk, intent: FetchBefore, asking: list[Link]) -> _Key | Refusal:
    """Returns the only argument that varies with the rows of the loop, if its value is of the type of its column."""
    varying = [(link, arg) for link in asking if link.call is not None for arg in link.call.args if walk.names(arg.value) & walk.bound]
    if len(varying) != 1:
        return Refusal("more than one value varies with the loop")
    ((link, argument),) = varying
    if argument.keyword is None or argument.star or link.name not in ("filter", "get"):
        return Refusal("it is not clear what the rows are looked up by")
    match walk.loop.target, argument.value:
        case cst.Name(value=row), (cst.Name() | cst.Attribute(value=cst.Name())) as value if walk.names(value) == {row}:
            attribute = value.attr.value if isinstance(value, cst.Attribute) else ""
            if attribute in walk.bound or binds(walk.loop, row) > 1:
                return Refusal("the loop changes the key")
        case _:
            return Refusal("the key is not read from the row of the loop")
    return _matched(intent, argument, argument.keyword.value, row, attribute)


def _matched(intent: FetchBefore, argument: cst.Arg, lookup: str, row: str, attribute: str) -> _Key | Refusal:
    """Returns the key if the attribute of the loop's row has the type of the column that the lookup names."""
    model, walked = intent.model, intent.walked
    relation = next((each for each in model.relations.values() if lookup in (each.name, each.attname) and each.attname), None)
    if _is_nullable(model, lookup) and _is_nullable(walked, attribute):
        return Refusal("a key may be None, and the rows without one are not those of an `IN`")
    if relation is not None and relation.target is walked and not relation.to_field and (attribute in ("", "pk", walked.primary_key)):
        return _Key(argument, f"{row}.pk", relation.attname, False)
    of_row = next((each for each in walked.relations.values() if attribute and attribute == each.attname), None)
    if of_row is not None and of_row.target is not None and not of_row.to_field:
        if of_row.target is model and model.is_primary_key(lookup):
            return _Key(argument, f"{row}.{attribute}", model.primary_key, True)
        if relation is not None and relation.target is of_row.target and not relation.to_field and lookup == relation.attname:
            return _Key(argument, f"{row}.{attribute}", relation.attname, False)
    mine, theirs = model.columns.get(lookup), walked.columns.get(attribute)
    if mine is not None and theirs is not None and mine.type == theirs.type and not mine.references:
        return _Key(argument, f"{row}.{attribute}", lookup, model.is_primary_key(lookup))
    return Refusal("the key may be of another type than the column that it is looked up by")


def _is_nullable(model: Model, name: str) -> bool:
    """Whether a column, or a key of a relation, may be None."""
    column = model.columns.get(name)
    relation = next((each for each in model.relations.values() if name in (each.name, each.attname) and each.attname), None)
    return (column is not None and column.nullable) or (relation is not None and relation.nullable)


def _written(walk: Walk, intent: FetchBefore, manager: str, asking: list[Link], key: _Key, how: str) -> Fix | Refusal:
    column = intent.model.columns.get(key.attribute)
    unique = key.is_primary or (column is not None and (column.unique or column.primary_key))
    if how in ("get", "first") and not unique and not (how == "get" and not any(link.name == "order_by" for link in asking)):
        return Refusal("several rows may have the same key")
    if how == "first" and not unique:
        return Refusal("several rows may have the same key")
    if how == "get" and any(isinstance(above, (cst.Try, cst.TryStar)) for above in walk.statement.ancestors(walk.node)):
        return Refusal("a `try` around it waits for the row that does not exist")
    if not how and not is_read_at_once(walk, walk.node):
        return Refusal("the query is used for more than to walk its rows")
    edits = walked_twice(walk, intent)
    if isinstance(edits, Refusal):
        return edits
    rows, replacements = edits
    name = variable_for(intent.model)
    keys = f"[{key.value} for {walk.statement.code(walk.loop.target)} in {rows}]"
    found = walk.fresh(f"known_{key.attribute}s" if how == "exists" else f"{name}s_by_{key.attribute}")
    if found is None or "\n" in walk.statement.code(walk.node) or "#" in walk.statement.code(walk.node):
        return Refusal("the query is written over several lines" if found is not None else "no name for the rows is free")
    alone = key.is_primary and how in ("get", "first") and any(link.call is not None and link.call.args == (key.argument,) for link in asking)
    query = manager + _query(walk, asking, key, None if alone else keys)
    lines, extra = ([f"{found} = {query}.in_bulk({keys})"], Spelling("")) if alone else _fetching(walk, intent, found, query, key, how)
    if isinstance(extra, Refusal):
        return extra
    lookup = {"first": f"{found}.get({key.value})", "exists": f"{key.value} in {found}"}.get(how, f"{found}[{key.value}]")
    start, end = walk.statement.span(walk.node)
    above = walk.statement.parent(walk.node)
    if how == "exists" and isinstance(above, cst.UnaryOperation) and isinstance(above.operator, cst.Not) and not above.lpar and not walk.node.lpar:
        start, lookup = walk.statement.span(above)[0], f"{key.value} not in {found}"
    elif how == "exists" and _binds_tighter(walk):
        lookup = f"({lookup})"
    before = walk.before(*([f"{rows} = {listed(walk)}"] if replacements else []), *lines)
    if any(edit.start == before.start for edit in extra.edits):
        return Refusal("the import would stand where the loop begins")
    reason = f"{REASON}; {_MISSING}" if how == "get" else REASON
    return Fix(Applicability.UNSAFE, DESCRIPTION, (before, walk.file.edit(start, end, lookup), *replacements, *extra.edits), reason)


def _binds_tighter(walk: Walk) -> bool:
    """Whether what stands around a comparison would take it apart: `not x in y` does not."""
    return not walk.node.lpar and isinstance(walk.statement.parent(walk.node), _TIGHTER)


def is_read_at_once(walk: Walk, node: cst.BaseExpression) -> bool:
    """Whether a list serves as well as the query: `for x in query`, `list(query)`, `if query`."""
    match walk.statement.parent(node):
        case cst.For() | cst.CompFor() | cst.If() | cst.StarredElement():
            return True
        case cst.Arg(star="") as argument:
            call = walk.statement.parent(argument)
            return isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value in _READERS
        case _:
            return False


def walked_twice(walk: Walk, intent: FetchBefore) -> tuple[str, tuple[Edit, ...]] | Refusal:
    """Returns the name of the rows that the loop walks, which have to be walked before as well, with the edit that gives them one."""
    rows, source = walk.loop.iter, intent.loop.source
    if isinstance(rows, cst.Name) and source is not None and (source.style in _KEEPING or _is_list(walk, rows)) and not source.has(*_STREAMS):
        return rows.value, ()
    target = walk.statement.code(walk.loop.target)
    name = walk.fresh(f"{target}s") or walk.fresh(f"all_{target}s")
    if name is None:
        return Refusal("no name for the rows is free")
    return name, (walk.file.edit(*walk.statement.outer(rows), name),)


def _is_list(walk: Walk, rows: cst.Name) -> bool:
    """Whether a variable is given nothing but a list by the function around the loop."""
    values = list(assigned(walk.statement, walk.statement.function(walk.loop) or walk.statement.module, rows.value))
    return bool(values) and all(_makes_list(value) for value in values)


def _makes_list(value: cst.BaseExpression) -> bool:
    match value:
        case cst.Call(func=cst.Name(value="list")) | cst.Call(func=cst.Attribute(attr=cst.Name(value="all")), args=[]):
            return True  # of Django, `….all()` is a queryset, which keeps its rows too
        case _:
            return False


def listed(walk: Walk) -> str:
    """Returns the rows of the loop as a list, with all comments that stand in them."""
    rows = walk.loop.iter
    start, end = walk.statement.outer(rows)
    text = walk.file.text[start:end]
    return f"list{text}" if rows.lpar and len(rows.lpar) == 1 and not isinstance(rows, (cst.NamedExpr, cst.Tuple)) else f"list({text})"


def _query(walk: Walk, asking: list[Link], key: _Key, keys: str | None) -> str:
    """Returns the methods of the query for all keys, without that which runs it; without `keys` the rows are not narrowed to them."""
    parts = []
    lookup = "pk" if key.is_primary else key.attribute
    for link in asking:
        assert link.call is not None
        method = "filter" if link.name == "get" else link.name
        if keys is None and key.argument in link.call.args:
            continue
        arguments = [f"{lookup}__in={keys}" if each is key.argument else walk.statement.code(each).rstrip(" ,") for each in link.call.args]
        parts.append(f".{method}({', '.join(arguments)})")
    return "".join(parts)


def _fetching(walk: Walk, intent: FetchBefore, found: str, query: str, key: _Key, how: str) -> tuple[list[str], Spelling | Refusal]:
    """Returns the lines that fetch, and the import that they need."""
    row = "row" if walk.fresh("row") == "row" else f"each_{variable_for(intent.model)}"
    if how == "exists":
        quote = "'" if "'" in query and '"' not in query else '"'
        return [f"{found} = set({query}.values_list({quote}{key.attribute}{quote}, flat=True))"], Spelling("")
    if how:
        return [f"{found} = {{{row}.{key.attribute}: {row} for {row} in {query}}}"], Spelling("")
    spelling = spell_import(walk.file, walk.statement.span(walk.loop)[0], "collections", "defaultdict")
    if isinstance(spelling, Refusal):
        return [], spelling
    body = f"{inner_indentation(walk)}{found}[{row}.{key.attribute}].append({row})"
    return [f"{found} = {spelling.text}(list)", f"for {row} in {query}:", body], spelling


def inner_indentation(walk: Walk) -> str:
    """Returns what a line below a line before the loop is indented with besides."""
    return "\t" if walk.indentation.startswith("\t") else "    "


def variable_for(model: Model) -> str:
    """Returns what a variable for a row of a model is called."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model.name).lower()
