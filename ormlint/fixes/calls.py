"""Small changes of one call: a keyword argument more, another function, a method behind it."""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import append_argument
from ormlint.fixes.source import Sources
from ormlint.judge.finding import AddKeyword, Applicability, Fix


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
    return Fix(Applicability.UNSAFE, f"add `{code}`", tuple(edits), intent.reason)
