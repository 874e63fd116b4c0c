"""A relation that is loaded and never read: its name is taken out of the call that loads it, or the whole call goes.

Book.objects.select_related("author", "shelf")              Book.objects.select_related("shelf")
Book.objects.prefetch_related("tags").count()               Book.objects.count()
select(Book).options(joinedload(Book.author))               select(Book)
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from ormlint.fixes.chain import Chain, chain_of
from ormlint.fixes.imports import Refusal
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import Applicability, DropLoad, Fix
from ormlint.link.schema import Orm
from ormlint.text import Edit

_UNSEEN = "a row that reaches code out of sight would load it with one query each, and rows without an order may come in another one"
_LOADING = frozenset({"select_related", "prefetch_related"})
_REFINING = {
    Orm.DJANGO: frozenset({"filter", "exclude", "order_by", "distinct", "all", "reverse", "using", "select_related", "prefetch_related"}),
    Orm.SQLALCHEMY: frozenset({"filter", "filter_by", "where", "order_by", "join", "outerjoin", "distinct", "options"}),
}
_IGNORING = {
    Orm.DJANGO: frozenset({"count", "acount", "exists", "aexists", "aggregate", "aaggregate", "values", "values_list"}),
    Orm.SQLALCHEMY: frozenset({"count", "exists"}),
}


def drop_load(sources: Sources, intent: DropLoad) -> Fix | None:
    """Returns the fix, a display-only one if it cannot be written, None if the relation is not named by itself in the call that loads it."""
    file, statement, query = sources.file(intent.site), sources.statement(intent.site), intent.queries[0]
    node = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or node is None or any(other.orm is not query.orm for other in intent.queries):
        return None
    if query.orm is Orm.SQLALCHEMY:
        node = _whole_loader(statement, node)
    argument = statement.parent(node) if node is not None else None
    if not isinstance(argument, cst.Arg) or argument.keyword is not None:
        return None
    call = statement.parent(argument)
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return None
    method = call.func.attr.value
    if method not in (("options",) if query.orm is Orm.SQLALCHEMY else _LOADING):
        return None
    dropped = [argument] if query.orm is Orm.SQLALCHEMY else [each for each in call.args if _leads_along(each, intent.name)]
    if argument not in dropped:
        return None
    description = f"do not load `{intent.name}`"
    chain = chain_of(statement, call)
    if len(dropped) < len(call.args):
        # `select_related()` without a name follows all relations
        made = Refusal("other names are not written there") if any(each.star for each in call.args) else _without(file, statement, call, dropped)
    else:
        made = _without_call(file, statement, call, chain, intent)
    if isinstance(made, Refusal):
        return Fix(Applicability.DISPLAY, description, (), made.reason)
    safe = _is_ignored(chain, intent)
    if not safe and (reason := _rejoined(statement, argument, intent)):
        return Fix(Applicability.DISPLAY, description, (), reason)
    return Fix(Applicability.SAFE if safe else Applicability.UNSAFE, description, tuple(made), "" if safe else _UNSEEN)


def _whole_loader(statement: Statement, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """Returns `joinedload(Book.author).selectinload(Author.books)` for the loader that it begins with, None if something else begins it."""
    if not isinstance(node, cst.Call) or next((call for call in statement.within(node.func, cst.Call)), None) is not None:
        return None
    chain = chain_of(statement, node)
    return chain.links[-1].node if chain.links else node


def _rejoined(statement: Statement, argument: cst.Arg, intent: DropLoad) -> str:
    """Returns why a query without a loader would give other rows or load the relation all the same, "" if it would not."""
    if any(each.keyword is not None and each.keyword.value == "innerjoin" for each in statement.within(argument, cst.Arg)):
        return "the join leaves out rows"
    relations = [query.model.relations.get(intent.name) for query in intent.queries if query.model is not None]
    if any(relation is not None and relation.lazy != "select" for relation in relations):
        return "the mapping says how it is loaded then"
    return ""


def _leads_along(argument: cst.Arg, name: str) -> bool:
    """Whether an argument is the name of a relation as text, or a path that begins with it."""
    value = argument.value
    if argument.star or argument.keyword or not isinstance(value, (cst.SimpleString, cst.ConcatenatedString)):
        return False
    text = value.evaluated_value
    return isinstance(text, str) and text.split("__", 1)[0] == name


def _without(file: SourceFile, statement: Statement, call: cst.Call, dropped: Sequence[cst.Arg]) -> list[Edit] | Refusal:
    """Returns the edits that take some of the arguments out of a call."""
    places = [(statement.span(argument)[0], statement.outer(argument.value)[1]) for argument in call.args]
    kept = [place for place, argument in zip(places, call.args, strict=True) if argument not in dropped]
    edits = []
    for place, argument in zip(places, call.args, strict=True):
        if argument not in dropped:
            continue
        behind = next((other for other in kept if other[0] >= place[1]), None)
        start, end = (place[0], places[places.index(place) + 1][0]) if behind else (places[places.index(place) - 1][1], place[1])
        if "#" in file.text[start:end] or (file.indentation(place[0]) is not None and "#" in file.rest_of_line(end)):
            return Refusal("a comment stands in the call")
        edits.append(file.edit(start, end, ""))
    return edits


def _without_call(file: SourceFile, statement: Statement, call: cst.Call, chain: Chain, intent: DropLoad) -> list[Edit] | Refusal:
    """Returns the edit that takes a call out of its chain; `all()` stands in for it where only a query will do."""
    assert isinstance(call.func, cst.Attribute)
    start, end = statement.outer(call.func.value)[1], statement.span(call)[1]
    dot = statement.span(call.func.dot)[0]
    if "#" in file.text[start:dot]:
        rest = file.rest_of_line(end)
        if rest.strip() and not rest.lstrip().startswith("#"):
            return Refusal("a comment stands before the call")
        # a comment behind the call stays, on a line of its own
        start = dot if rest.strip() else file.starts[file.line_of(dot) - 1] - len(file.newline)
        end += len(rest) - len(rest.lstrip())
    if "#" in file.text[start:end]:
        return Refusal("a comment stands in the call")
    match statement.parent(call):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=variable))]) if variable == getattr(call.func.value, "value", None):
            return Refusal("nothing would be left of the statement, remove it")
        case cst.Expr():
            return Refusal("nothing would be left of the statement, remove it")
    number = next(number for number, link in enumerate(chain.links) if link.node is call)
    before = chain.links[number - 1] if number else None
    after = chain.links[number + 1] if number + 1 < len(chain.links) else None
    orm = intent.queries[0].orm
    known = _REFINING[orm] | _IGNORING[orm]
    # a query that has been asked before answers from what it has; a manager has no rows
    is_query = orm is Orm.SQLALCHEMY or (before is not None and before.call is not None and before.name in _REFINING[orm])
    on_manager = after is not None and after.call is not None and after.name in known and _begins_chain(statement, chain, number, intent)
    rest = "" if is_query or on_manager else ".all()"
    if before is not None and before.call is not None and before.name in _LOADING and before.dot is not None:
        # if that call goes as well, it has to go first: what this one leaves depends on it
        first = statement.span(before.dot)[0]
        return [file.edit(first, end, file.text[first:start] + rest)]
    return [file.edit(start, end, rest)]


def _begins_chain(statement: Statement, chain: Chain, number: int, intent: DropLoad) -> bool:
    """Whether what stands before a link is Django's own manager, that the queries begin with: another may have methods of its own."""
    start = statement.outer(chain.root)[0]
    for query in intent.queries:
        if query.steps or query.relation is not None or query.owner is not None or query.site.start != start:
            return False
        if query.model is None or not query.model.has_objects or not query.model.has_plain_manager:
            return False
    return number > 0 and chain.links[number - 1].is_attribute and chain.links[number - 1].name == "objects"


def _is_ignored(chain: Chain, intent: DropLoad) -> bool:
    """Whether the same expression goes on to ask for something that no relation is loaded for."""
    orm = intent.queries[0].orm
    if any(query.relation is not None or query.owner is not None for query in intent.queries):
        return False  # the manager of a row has a `count()` of its own
    following = chain.links[chain.inner :]
    for link in following:
        if link.call is None or link.name not in _REFINING[orm] | _IGNORING[orm]:
            return False
        if link.name in _IGNORING[orm]:
            return True
    return False
