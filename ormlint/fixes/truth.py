"""`query.count() > 0` and `if query:` → `query.exists()`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.chain import Chain, chain_of, insert_links
from ormlint.fixes.counts import counted_by_len, unwrap
from ormlint.fixes.imports import is_imported
from ormlint.fixes.origins import origin, session_of
from ormlint.fixes.receivers import is_list, is_stream, risk_of_another_value
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import bindings, only_value
from ormlint.judge.collections import risk_of_unmade_rows
from ormlint.judge.finding import Applicability, Fix, ReplaceCountTest, ReplaceTruthTest
from ormlint.link.schema import Orm
from ormlint.run.log import QueryObject
from ormlint.text import Edit, Site

EXISTING = {"count": "exists", "acount": "aexists"}
_MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
# Comparison of a count with a number → whether it asks for emptiness.
_TESTS = {(">", "0"): False, ("!=", "0"): False, (">=", "1"): False, ("==", "0"): True, ("<", "1"): True, ("<=", "0"): True}
_DESCRIPTION = "ask the database with `.exists()`"
_ALWAYS = "so far the test held with rows or without"
_LISTS = frozenset({"list", "tuple", "set"})
_LISTING = _LISTS | {"all"}
_COLLECTIONS = _LISTS | {"bool"}


@dataclass(frozen=True, slots=True)
class CountTest:
    """A test of a count: the whole expression, the part that stays, and whether it asks for emptiness."""

    whole: cst.BaseExpression
    kept: cst.BaseExpression
    negated: bool


def replace_count_test(sources: Sources, intent: ReplaceCountTest) -> Fix | None:
    """Returns the fix, a display-only one if it cannot be written, None if the place is not understood."""
    file, statement = sources.file(intent.test), sources.statement(intent.test)
    if file is None or statement is None:
        return None
    whole = statement.expression(intent.test.start, intent.test.end)
    count = statement.expression(intent.count.start, intent.count.end)
    if isinstance(count, cst.Await):
        count = count.expression
    if whole is None or not isinstance(count, cst.Call):
        return None
    test = read_test(whole, count)
    if test is None:
        return None
    counted = counted_by_len(count)
    if counted is not None:
        return _exists_for_len(sources, file, statement, intent.query, (count, counted, test), intent.test)
    if count.args or _method(count).value not in EXISTING:
        return None
    if intent.query.orm is Orm.SQLALCHEMY:
        return _exists_in_sqlalchemy(sources, file, statement, intent, count, test)
    risk = risk_of_another_value(sources, statement, count.func.value, intent.query) if isinstance(count.func, cst.Attribute) else ""
    reduced = unwrap(file, statement, whole, test.kept, "") if isinstance(whole, cst.Call) and whole is not count else None
    edits = [file.edit(*statement.span(_method(count)), EXISTING[_method(count).value]), *(reduced or reduced_to_truth(file, statement, test))]
    return _graded(edits, risk)


def _graded(edits: Iterable[Edit], risk: str) -> Fix:
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, _DESCRIPTION, tuple(edits), risk)


def _exists_for_len(
    sources: Sources,
    file: SourceFile,
    statement: Statement,
    query: QueryObject,
    parts: tuple[cst.Call, cst.BaseExpression, CountTest],
    test_site: Site,
) -> Fix | None:
    """`len(query) > 0` → `query.exists()`."""
    count, counted, test = parts
    if query.locked or query.raw or is_list(query, test_site) or is_stream(query):
        return None
    edits = unwrap(file, statement, count, counted, ".exists()")
    if edits is None:
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), "a comment stands in the expression")
    return _graded((*edits, *reduced_to_truth(file, statement, test)), _risk_of_rows(sources, statement, counted, query))


def _risk_of_rows(sources: Sources, statement: Statement, rows: cst.BaseExpression, query: QueryObject) -> str:
    return risk_of_unmade_rows(query) or risk_of_another_value(sources, statement, rows, query)


def _method(call: cst.Call) -> cst.Name:
    match call.func:
        case cst.Attribute(attr=name) | (cst.Name() as name):
            return name
        case _:
            return cst.Name("_")


def read_test(whole: cst.BaseExpression, count: cst.BaseExpression) -> CountTest | None:
    """Returns what a test does, or None if it is none of the forms that ask whether a row exists."""
    match whole:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=right)]):
            sign = _sign(operator)
            if _is_count(left, count) and isinstance(right, cst.Integer):
                key, kept = (sign, right.value), left
            elif _is_count(right, count) and isinstance(left, cst.Integer):
                key, kept = (_MIRRORED.get(sign, ""), left.value), right
            else:
                return None
            return CountTest(whole, kept, _TESTS[key]) if key in _TESTS else None
        case cst.Call(func=cst.Name(value="bool"), args=[cst.Arg(value=inner, star="", keyword=None)]) if _is_count(inner, count):
            return CountTest(inner, inner, False)
        case cst.UnaryOperation(operator=cst.Not(), expression=inner) if _is_count(inner, count):
            return CountTest(inner, inner, False)
        case _ if _is_count(whole, count):
            return CountTest(whole, whole, False)
        case _:
            return None


def _is_count(node: cst.BaseExpression, count: cst.BaseExpression) -> bool:
    return node is count or (isinstance(node, cst.Await) and node.expression is count)


def _sign(operator: cst.BaseCompOp) -> str:
    match operator:
        case cst.GreaterThan():
            return ">"
        case cst.LessThan():
            return "<"
        case cst.GreaterThanEqual():
            return ">="
        case cst.LessThanEqual():
            return "<="
        case cst.Equal():
            return "=="
        case cst.NotEqual():
            return "!="
        case _:
            return ""


def reduced_to_truth(file: SourceFile, statement: Statement, test: CountTest, opening: str = "", closing: str = "") -> list[Edit]:
    """Returns the edits that leave of a test only the part that stays, between `opening` and `closing`, with a `not` if needed."""
    start, end = statement.span(test.whole)
    first, last = statement.outer(test.kept)
    above = statement.parent(test.whole)
    prefix = "not " if test.negated else ""
    if test.negated and isinstance(above, cst.UnaryOperation) and isinstance(above.operator, cst.Not) and not test.whole.lpar:
        # `not qs.count() == 0` asks for existence
        start, prefix = statement.span(above)[0], ""
    previous = file.text[start - 1 : start]
    if start < first and not prefix and (previous.isalnum() or previous == "_"):
        prefix = " "
    if test.whole is test.kept:
        start, end = first, last
    edits = [file.edit(start, first, prefix + opening)]
    removed = file.text[last:end]
    if "#" in removed:
        # the comment stays, what follows its line goes
        edits.append(file.insert(last, closing))
        last += len(removed.rpartition("#")[0]) + len(file.rest_of_line(last + len(removed.rpartition("#")[0])))
        closing = ""
    edits.append(file.edit(last, end, closing))
    return [edit for edit in edits if edit.content or edit.start < edit.end]


def _exists_in_sqlalchemy(
    sources: Sources, file: SourceFile, statement: Statement, intent: ReplaceCountTest, count: cst.Call, test: CountTest
) -> Fix | None:
    """`session.query(M)….count() > 0` → `session.query(session.query(M)….exists()).scalar()`."""
    query = intent.query
    if query.style != "query" or query.limit is not None or query.sliced or query.combined or query.has("limit", "offset", "slice"):
        return None
    session = _session(file, statement, chain_of(statement, count)) or _session_elsewhere(sources, file, statement, count, query)
    if session is None:
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), "the session of the query is not at hand: ask `session.query(query.exists()).scalar()`")
    edits = [
        file.edit(*statement.span(_method(count)), "exists"),
        *reduced_to_truth(file, statement, test, f"{session}.query(", ").scalar()"),
    ]
    reason = "not every database (SQL Server, Oracle) takes `SELECT EXISTS (…)`"
    return Fix(Applicability.UNSAFE, f"ask the database with `{session}.query(….exists()).scalar()`", tuple(edits), reason)


def _session(file: SourceFile, statement: Statement, chain: Chain) -> str | None:
    """Returns the session of a legacy query as the chain writes it, if writing it twice does no harm."""
    for link in chain.links[: chain.inner]:
        if link.name == "query" and link.call is not None:
            code = statement.code(link.receiver)
            return code if code.replace(".", "").isidentifier() else None
        if link.name == "query":  # Flask-SQLAlchemy's `Model.query`
            return "db.session" if is_imported(file, statement.span(chain.root)[0], "db") else None
    if isinstance(chain.root, cst.Name) and len(chain.links[: chain.inner]) == 1:
        return f"{chain.root.value}.session"
    return None


def replace_truth_test(sources: Sources, intent: ReplaceTruthTest) -> Fix | None:
    """Returns the fix, None if the place is not understood or the value of the test is used as more than a truth value."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    tested = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or tested is None or intent.query.locked or intent.query.raw or is_stream(intent.query):
        return None
    if isinstance(tested, cst.UnaryOperation) and isinstance(tested.operator, cst.Not):
        tested = tested.expression
    if intent.query.style == "query":
        return _exists_of_query(sources, file, statement, tested, intent.query)
    wrapped: cst.BaseExpression | None = None
    match tested:
        case cst.Call(func=cst.Name(value=name), args=[cst.Arg(value=inner, star="", keyword=None)]) if name in _COLLECTIONS:
            if name != "bool" and not is_tested(statement, tested):
                return None
            wrapped = inner
        case cst.NamedExpr() | cst.Await():
            return None
        case _ if not is_tested(statement, tested):
            return None
    if isinstance(wrapped, (cst.NamedExpr, cst.Await)) or _is_async(statement, tested):
        return None
    listed = isinstance(tested, cst.Call) and isinstance(tested.func, cst.Name) and tested.func.value in _LISTS
    if is_list(intent.query, intent.site) or (not listed and any(use.listed for use in intent.query.all_uses())):
        return None
    if wrapped is not None:
        edits = unwrap(file, statement, tested, wrapped, ".exists()")
        return _graded(edits, _risk_of_rows(sources, statement, wrapped, intent.query)) if edits is not None else None
    chain = chain_of(statement, tested)
    edits = insert_links(file, statement, chain, chain.inner, [".exists()"])
    return _graded(edits, _risk_of_rows(sources, statement, tested, intent.query))


def _exists_of_query(sources: Sources, file: SourceFile, statement: Statement, tested: cst.BaseExpression, query: QueryObject) -> Fix | None:
    """`if query:` → `if session.query(query.exists()).scalar():`."""
    if isinstance(tested, cst.Call) and isinstance(tested.func, cst.Name) and tested.func.value == "bool" and len(tested.args) == 1:
        tested = tested.args[0].value
    if not isinstance(tested, (cst.Name, cst.Call)) or not is_tested(statement, tested):
        return None
    session = _session_of(file, statement, tested) or _session_elsewhere(sources, file, statement, tested, query)
    if session is None:
        return None
    start, end = statement.span(tested)
    edits = [file.insert(start, f"{session}.query("), file.insert(end, ".exists()).scalar()")]
    return Fix(Applicability.UNSAFE, f"ask the database with `{session}.query(….exists()).scalar()`", tuple(edits), _ALWAYS)


def _session_of(file: SourceFile, statement: Statement, tested: cst.Name | cst.Call) -> str | None:
    """Returns the session of a legacy query that is tested, None if nothing tells it."""
    chain = chain_of(statement, tested)
    if any(link.name == "query" for link in chain.links[: chain.inner]):
        return _session(file, statement, chain)
    if not isinstance(chain.root, cst.Name):
        return None
    made = only_value(statement, statement.function(tested), chain.root.value)
    asked = [link for link in chain_of(statement, made).links if link.name == "query"] if made is not None else []
    if asked and isinstance(asked[0].receiver, cst.Name) and asked[0].call is not None and _is_one(statement, asked[0].receiver):
        return asked[0].receiver.value
    return f"{chain.root.value}.session" if asked or isinstance(tested, cst.Name) else None


def _session_elsewhere(sources: Sources, file: SourceFile, statement: Statement, asked: cst.BaseExpression, query: QueryObject) -> str | None:
    """Returns the session of a query that a variable, a lambda or a function gives, None if it has no name here."""
    made = origin(sources, file, statement, asked, query)
    return session_of(statement, asked, made) if made is not None and made.methods.isdisjoint(_LISTING) else None


def _is_one(statement: Statement, name: cst.Name) -> bool:
    """Whether a variable has one value in the function around it."""
    function = statement.function(name)
    return function is not None and len(list(bindings(statement, function, name.value))) <= 1


def is_tested(statement: Statement, node: cst.CSTNode) -> bool:
    """Whether of an expression's value only the truth matters."""
    for above in statement.ancestors(node):
        match above:
            case cst.BooleanOperation():
                node = above
            case cst.UnaryOperation(operator=cst.Not()):
                return True
            case cst.If(test=test) | cst.While(test=test) | cst.Assert(test=test) | cst.IfExp(test=test) | cst.CompIf(test=test):
                return test is node
            case cst.Arg():
                call = statement.parent(above)
                return isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value == "bool"
            case _:
                return False
    return False


def _is_async(statement: Statement, node: cst.CSTNode) -> bool:
    function = statement.function(node)
    return isinstance(function, cst.FunctionDef) and function.asynchronous is not None
