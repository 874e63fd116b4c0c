"""Small changes of one call: a keyword argument more, a method behind an expression."""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import append_argument, chain_of, insert_links
from ormlint.fixes.source import Sources
from ormlint.judge.finding import AddKeyword, AppendMethod, Applicability, Fix

_SENDING = frozenset({".exists()", ".count()"})


def add_keyword(sources: Sources, intent: AddKeyword) -> Fix | None:
    """Returns the fix, None if no call stands there or it has that argument, or may have it."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    call = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or not isinstance(call, cst.Call):
        return None
    if any(argument.star == "**" or (argument.keyword is not None and argument.keyword.value == intent.keyword) for argument in call.args):
        return None
    code = f"{intent.keyword}={intent.value}"
    edits = append_argument(file, statement, call, [code])
    return Fix(Applicability.UNSAFE if intent.reason else Applicability.SAFE, f"add `{code}`", tuple(edits), intent.reason)


def append_method(sources: Sources, intent: AppendMethod) -> Fix | None:
    """Returns the fix, a display-only one if it would block an event loop, None if no expression stands there."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    node = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or node is None:
        return None
    function = statement.function(node)
    if intent.method in _SENDING and isinstance(function, cst.FunctionDef) and function.asynchronous is not None:
        reason = f"the function is asynchronous: ask with `await` and `a{intent.method.lstrip('.')}`"
        return Fix(Applicability.DISPLAY, f"add `{intent.method}`", (), reason)
    waiting = statement.parent(node)
    if isinstance(waiting, cst.Await):
        if not waiting.lpar:
            return None
        edits = [file.insert(statement.outer(waiting)[1], intent.method)]
    else:
        chain = chain_of(statement, node)
        edits = insert_links(file, statement, chain, chain.inner, [intent.method])
    grade = Applicability.UNSAFE if intent.reason else Applicability.SAFE
    return Fix(grade, f"add `{intent.method}`", tuple(edits), intent.reason)
