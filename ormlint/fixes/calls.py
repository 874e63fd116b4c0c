"""Small changes of one call: a keyword argument more, another loader, a method behind an expression."""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import append_argument, chain_of, insert_links
from ormlint.fixes.imports import Refusal, spell_import
from ormlint.fixes.source import Sources
from ormlint.judge.finding import AddKeyword, AppendMethod, Applicability, Fix, ReplaceLoader
from ormlint.text import Edit, Site

_SENDING = frozenset({".exists()", ".count()"})
_LOADER_KEYWORDS = frozenset({"innerjoin", "alias"})  # those that only a join understands


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


def replace_loader(sources: Sources, intent: ReplaceLoader) -> Fix | None:
    """Returns the fix, a display-only one if its name is taken, None if one of the places is not a call of a loader that it can stand for."""
    edits: list[Edit] = []
    description = f"load it with `{intent.by}`"
    for site in intent.sites:
        found = _renamed(sources, site, intent.by)
        if found is None or isinstance(found, Refusal):
            return Fix(Applicability.DISPLAY, description, (), found.reason) if found is not None else None
        edits += (edit for edit in found if edit not in edits)
    return Fix(Applicability.UNSAFE if intent.reason else Applicability.SAFE, description, tuple(edits), intent.reason)


def _renamed(sources: Sources, site: Site, name: str) -> list[Edit] | Refusal | None:
    file, statement = sources.file(site), sources.statement(site)
    call = statement.expression(site.start, site.end) if statement is not None else None
    if file is None or statement is None or not isinstance(call, cst.Call):
        return None
    if any(argument.star or (argument.keyword is not None and argument.keyword.value in _LOADER_KEYWORDS) for argument in call.args):
        return None
    match call.func:
        case cst.Attribute(attr=attribute) if attribute.value.endswith("load"):
            return [file.edit(*statement.span(attribute), name)]
        case cst.Name(value=old) as function if old.endswith("load"):
            spelling = spell_import(file, site.start, "sqlalchemy.orm", name)
            return [file.edit(*statement.span(function), spelling.text), *spelling.edits] if not isinstance(spelling, Refusal) else spelling
        case _:
            return None


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
