"""`len(query)` → `query.count()`."""

from __future__ import annotations

import io
import re
import tokenize

import libcst as cst

from ormlint.fixes.chain import Chain, chain_of, is_postfix
from ormlint.fixes.imports import Refusal, spell_import
from ormlint.fixes.orders import risk_of_another_number
from ormlint.fixes.origins import is_for_nothing, list_for_alone, origin
from ormlint.fixes.receivers import is_list, is_stream, risk_of_another_value
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.collections import risk_of_unmade_rows
from ormlint.judge.finding import Applicability, Fix, ReplaceLen
from ormlint.link.schema import Orm
from ormlint.run.log import QueryObject
from ormlint.text import Edit

# What stands in a call around its only argument, with comments.
_HEAD = re.compile(r"\w+[ \t]*\(((?:\s|#[^\r\n]*)*)")
_TAIL = re.compile(r"(\s*),?((?:\s|#[^\r\n]*)*)\)")
# The methods of a Query after which `count()` surely counts what `all()` returns.
_PLAIN = frozenset({"query", "all", "filter", "filter_by", "where", "order_by"})
_OTHERS = frozenset({"set", "frozenset", "dict", "sorted", "filter", "map", "zip", "enumerate", "reversed"})  # give no query
_ANYTHING = frozenset({"object", "Any"})  # annotations of a variable that may have a list or a number
_DESCRIPTION = "count in the database with `.count()`"
_COMMENTED = Fix(Applicability.DISPLAY, _DESCRIPTION, (), "a comment stands in the expression")


def replace_len(sources: Sources, intent: ReplaceLen) -> Fix | None:
    """Returns the fix, a display-only one if it cannot be written, None if the place is not understood."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    call = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or not isinstance(call, cst.Call):
        return None
    counted = counted_by_len(call)
    if counted is None:
        return None
    query = intent.query
    if query.orm is Orm.SQLALCHEMY:
        if query.style == "query" or _index(chain_of(statement, counted), "query") is not None:
            return _count_query(sources, file, statement, call, counted, query)
        return _count_select(file, statement, call, counted)
    if query.locked or query.raw or is_list(query, intent.site) or is_stream(query):
        return None
    edits = unwrap(file, statement, call, counted, ".count()")
    risk = risk_of_another_number(query) or risk_of_unmade_rows(query) or risk_of_another_value(sources, statement, counted, query)
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, _DESCRIPTION, tuple(edits), risk) if edits is not None else _COMMENTED


def counted_by_len(call: cst.Call) -> cst.BaseExpression | None:
    """Returns the expression whose rows `len(…)`, `len(list(…))` or `len([row for row in …])` counts."""
    while True:
        match call:
            case cst.Call(func=cst.Name(value="len" | "list" | "tuple"), args=[cst.Arg(value=inner, star="", keyword=None)]):
                pass
            case _:
                return None
        match inner:
            case cst.ListComp(
                elt=cst.Name(value=element),
                for_in=cst.CompFor(target=cst.Name(value=target), iter=source, ifs=[], inner_for_in=None, asynchronous=None),
            ) if element == target:
                return source
            case cst.Call(func=cst.Name(value="list" | "tuple")):
                call = inner
            case cst.BaseComp() | cst.BaseList() | cst.BaseSet() | cst.BaseDict() | cst.Tuple():
                return None
            case cst.Call(func=cst.Name(value=function)) if function in _OTHERS:
                return None
            case _:
                return inner


def unwrap(file: SourceFile, statement: Statement, whole: cst.BaseExpression, inner: cst.BaseExpression, suffix: str) -> list[Edit] | None:
    """Returns the edits that replace `whole`, a call around `inner`, by `inner` followed by `suffix`.

    Parentheses are kept where precedence, a line break or a comment needs them. Returns None if a comment would be lost.
    """
    start, end = statement.span(whole)
    first, last = statement.outer(inner)
    before, behind = file.text[start:first], file.text[last:end]
    opening, closing = "", ""
    if "#" in before or "#" in behind:
        head, tail = _HEAD.fullmatch(before), _TAIL.fullmatch(behind)
        if head is None or tail is None:
            return None
        opening, closing = f"({head[1]}", f"{tail[1]}{tail[2]})"
    elif not is_postfix(inner) or (not inner.lpar and breaks_line(statement.code(inner))):
        opening, closing = "(", ")"
    return [file.edit(start, first, opening), file.edit(last, end, closing + suffix)]


def breaks_line(code: str) -> bool:
    """Whether an expression spans lines in a way that only brackets around it allow."""
    if "\n" not in code and "\r" not in code:
        return False
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return True
    return any(token.type == tokenize.NEWLINE and token.string and token.end[0] <= code.count("\n") for token in tokens)


def _index(chain: Chain, name: str) -> int | None:
    return next((number for number, link in enumerate(chain.links) if link.name == name), None)


def _count_query(
    sources: Sources, file: SourceFile, statement: Statement, call: cst.Call, counted: cst.BaseExpression, query: QueryObject
) -> Fix | None:
    listed = _list_of(sources, file, statement, counted, query)
    match listed:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="all") as method), args=[]):
            pass
        case _:
            return None
    if query.has("with_for_update", "yield_per") or query.locked:
        return None
    edits = unwrap(file, statement, call, counted, "")
    if edits is None:
        return _COMMENTED
    edits.append(file.edit(*statement.span(method), "count"))
    reason = _risk_of_count(statement, chain_of(statement, listed), query)
    return Fix(Applicability.UNSAFE if reason else Applicability.SAFE, _DESCRIPTION, tuple(edits), reason)


def _list_of(sources: Sources, file: SourceFile, statement: Statement, counted: cst.BaseExpression, query: QueryObject) -> cst.BaseExpression | None:
    """Returns what makes the list that is counted: it stands there, or in a variable or lambda that nothing else reads."""
    match counted:
        case cst.Call(func=cst.Attribute()):
            return counted
        case cst.NamedExpr(value=value):
            return value if is_for_nothing(statement, counted) else None
        case _:
            made = origin(sources, file, statement, counted, query)
            return list_for_alone(statement, counted, made, _ANYTHING) if made is not None else None


def _risk_of_count(statement: Statement, chain: Chain, query: QueryObject) -> str:
    """Returns why `query.count()` may differ from `len(query.all())`, which drops duplicate instances."""
    number = _index(chain, "query")
    if number is None or query.steps:
        return "the query is built in another place: with a join, `count()` also counts the duplicates that `all()` drops"
    link = chain.links[number]
    entities = [link.receiver] if link.is_attribute else [argument.value for argument in link.call.args] if link.call else []
    if len(entities) != 1:
        return "the query selects more than one entity"
    if query.model is not None and statement.code(entities[0]).rpartition(".")[2] != query.model.name:
        return f"it is not clear that the query selects `{query.model.name}` alone"
    for following in chain.links[number + 1 : chain.inner]:
        if following.name not in _PLAIN:
            return f"with `{following.name}()` in the query, `count()` may count other rows than `all()` returns"
        for node in statement.within(following.call, cst.Attribute) if following.call is not None and following.name != "filter_by" else ():
            owner = statement.code(node.value)
            if owner[:1].isupper() and "(" not in owner and owner.partition(".")[0] != statement.code(entities[0]):
                # query(Author).filter(Book.author_id == Author.id) joins the tables
                return f"the filter on `{owner}` may join tables: `count()` also counts the duplicates that `all()` drops"
    return _risk_of_the_unknown(query)


def _risk_of_the_unknown(query: QueryObject) -> str:
    """Returns why the text of a query's chain may not be all there is to it."""
    return "" if query.complete else "something that is not understood may change the query"


def _count_select(file: SourceFile, statement: Statement, call: cst.Call, counted: cst.BaseExpression) -> Fix | None:
    """`len(session.scalars(stmt).all())` → `session.scalar(select(func.count()).select_from(stmt.subquery()))`."""
    match counted:
        case cst.Call(func=cst.Attribute(value=kept, attr=cst.Name(value="all")), args=[]):
            pass
        case _:
            kept = counted
    match kept:
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value="scalars")), args=[]):
            kept, wanted = inner, "execute"
        case _:
            wanted = "scalars"
    match kept.expression if isinstance(kept, cst.Await) else kept:
        case cst.Call(func=cst.Attribute(attr=method), args=[cst.Arg(value=selected, star="", keyword=None)]) if method.value == wanted:
            pass
        case _:
            return Fix(Applicability.DISPLAY, "count in the database with `func.count()`", (), "the statement is run in another place")
    offset = statement.span(call)[0]
    func, select = (spell_import(file, offset, "sqlalchemy", name) for name in ("func", "select"))
    if isinstance(func, Refusal):
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), func.reason)
    if isinstance(select, Refusal):
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), select.reason)
    edits = unwrap(file, statement, call, kept, "")
    if edits is None:
        return _COMMENTED
    first, last = statement.outer(selected)
    opening, closing = ("", "") if is_postfix(selected) else ("(", ")")
    edits += [
        file.edit(*statement.span(method), "scalar"),
        file.insert(first, f"{select.text}({func.text}.count()).select_from({opening}"),
        file.insert(last, f"{closing}.subquery())"),
        *func.edits,
        *select.edits,
    ]
    reason = "the statement becomes a subquery, which two columns of one name or a joined collection spoil"
    return Fix(Applicability.UNSAFE, "count in the database with `func.count()`", tuple(edits), reason)
