"""A new row that is put into a collection, given the row that it belongs to instead, which loads nothing.

mill.sacks.append(Sack(label="rye"))       session.add(Sack(label="rye", mill=mill))
"""

from __future__ import annotations

import ast

import libcst as cst

from ormlint.fixes.chain import append_argument, chain_of, last_name
from ormlint.fixes.imports import Refusal, Spelling, spell_model
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.walk import binds
from ormlint.judge.finding import Applicability, Fix, SetOtherSide
from ormlint.link.schema import Model, Schema
from ormlint.text import Site

_REASON = "nothing is flushed there any more, and where the other row is None, an AttributeError becomes a new row without one"
_DESCRIPTION = "give the new row the one that it belongs to"
_ASKING = frozenset({"get", "get_one", "query", "scalars", "scalar", "execute", "merge"})
_PUTTING = ("append", "add")


def set_other_side(sources: Sources, intent: SetOtherSide, schema: Schema) -> Fix | None:
    """Returns the fix, a display-only one if the row or its session is not at hand there, None if the place is not found."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    node = statement.expression(intent.site.start, intent.site.end) if statement is not None else None
    if file is None or statement is None or node is None:
        return None
    made = _fix(sources, file, statement, node, intent, schema)
    return Fix(Applicability.DISPLAY, _DESCRIPTION, (), made.reason) if isinstance(made, Refusal) else made


def _fix(sources: Sources, file: SourceFile, statement: Statement, node: cst.BaseExpression, intent: SetOtherSide, schema: Schema) -> Fix | Refusal:
    method, target = statement.parent(node), intent.relation.target
    call = statement.parent(method) if method is not None else None
    match method, call:
        case cst.Attribute(attr=cst.Name(value=name)), cst.Call(args=[cst.Arg(value=cst.Call() as new, star="", keyword=None)]) if name in _PUTTING:
            pass
        case _:
            return Refusal("it is no new row that is put into the collection")
    spelling = spell_model(file, intent.site.start, target, schema) if target is not None else None
    named = target is not None and last_name(new.func) == target.name
    named = named or (isinstance(spelling, Spelling) and not spelling.edits and spelling.text == statement.code(new.func))
    if target is None or not named or not isinstance(statement.parent(call), cst.Expr):
        return Refusal("it is no new row that is put into the collection")
    inverse = intent.relation.inverse
    owner = node.value if isinstance(node, cst.Attribute) else None
    if inverse is None or not isinstance(owner, cst.Name) or "#" in statement.code(call):
        return Refusal("the row that has the collection is no variable")
    given = [argument.keyword.value if argument.keyword is not None else "" for argument in new.args]
    if any(argument.star for argument in new.args) or not {"", inverse.name, inverse.attname}.isdisjoint(given):
        return Refusal("what the new row is given is not clear")
    if not all(_takes_any_attribute(sources, each) for each in (target, *target.bases)):
        return Refusal(f"`{target.name}` has an `__init__` of its own")
    session = _session(statement, node, intent.asked)
    if session is None:
        return Refusal("the session of the row is not at hand")
    start, end = statement.span(call)
    first, last = statement.outer(new)
    edits = [file.edit(start, first, f"{session}.add("), *append_argument(file, statement, new, [f"{inverse.name}={owner.value}"])]
    edits.append(file.edit(last, end, ")"))
    return Fix(Applicability.UNSAFE, f"{_DESCRIPTION}, and add it to `{session}`", tuple(edits), _REASON)


def _session(statement: Statement, node: cst.BaseExpression, asked: Site) -> str | None:
    """Returns the session that a row was asked of, as the function writes it that both stand in; None if it is another one, or made there."""
    query = statement.expression(asked.start, asked.end)
    function = statement.function(node)
    if query is None or function is None or statement.function(query) is not function:
        return None
    link = next((link for link in chain_of(statement, query).links if link.name in _ASKING), None)
    root = link.receiver if link is not None else None
    while isinstance(root, cst.Attribute):
        root = root.value
    if link is None or not isinstance(root, cst.Name) or binds(function, root.value) > 1:
        return None
    return statement.code(link.receiver)


def _takes_any_attribute(sources: Sources, model: Model) -> bool:
    """Whether a class has the constructor of SQLAlchemy, which takes every attribute by its name."""
    file = sources.file(model.site)
    if file is None or "dataclass" in file.text.lower():
        return False
    for lines in file.body:
        for node in lines.nodes:
            if isinstance(node, ast.ClassDef) and any(isinstance(each, ast.FunctionDef) and each.name == "__init__" for each in node.body):
                return False
    return True
