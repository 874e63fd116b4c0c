"""What a model declares and need not: an argument or an element of a list is taken away.

name = Column(String, primary_key=True, index=True)          name = Column(String, primary_key=True)
indexes = [Index(fields=["name"]), Index(fields=["day"])]    indexes = [Index(fields=["day"])]
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import Applicability, Fix, RemoveDeclaration
from ormlint.text import Edit

_Part = cst.Arg | cst.BaseElement


def remove_declaration(sources: Sources, intent: RemoveDeclaration) -> Fix | None:
    """Returns the fix, None if the place is not understood or a comment would be lost."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    if file is None or statement is None:
        return None
    for keyword in intent.keywords:
        for call in _calls_at(statement, intent):
            found = next((argument for argument in call.args if argument.keyword is not None and argument.keyword.value == keyword), None)
            if found is not None and isinstance(found.value, cst.Name) and found.value.value == "True":
                edit = _without(file, statement, call.args, found)
                return Fix(Applicability.UNSAFE, f"remove `{keyword}=True`", (edit,), intent.reason) if edit is not None else None
    node = statement.expression(intent.site.start, intent.site.end)
    element = statement.parent(node) if node is not None else None
    holder = statement.parent(element) if element is not None else None
    if not isinstance(element, cst.Element) or not isinstance(holder, (cst.List, cst.Tuple)):
        return None
    edit = _without(file, statement, holder.elements, element, is_tuple=isinstance(holder, cst.Tuple))
    return Fix(Applicability.UNSAFE, "remove the index", (edit,), intent.reason) if edit is not None else None


def _calls_at(statement: Statement, intent: RemoveDeclaration) -> list[cst.Call]:
    """Returns the calls at the site of a declaration, which may be that of the name that it is assigned to."""
    node = statement.expression(intent.site.start, intent.site.end)
    if isinstance(node, cst.Call):
        return [node]
    lines = (line for line in statement.within(statement.module, cst.SimpleStatementLine) if statement.span(line.body[0])[0] == intent.site.start)
    values = (part.value for line in lines for part in line.body[:1] if isinstance(part, (cst.Assign, cst.AnnAssign)))
    return [value for value in values if isinstance(value, cst.Call)]


def _without(file: SourceFile, statement: Statement, parts: Sequence[_Part], part: _Part, *, is_tuple: bool = False) -> Edit | None:
    """Returns the edit that takes one of several arguments or elements away with its comma, None if a comment would be lost."""
    number = next(position for position, each in enumerate(parts) if each is part)
    start, end = statement.span(part)[0], statement.outer(part.value)[1]
    lone = is_tuple and len(parts) == 2
    content = ""
    if number + 1 < len(parts):
        rest = parts[number + 1]
        end = statement.span(rest)[0]
        if lone and not isinstance(rest.comma, cst.Comma):
            content = file.text[end : statement.outer(rest.value)[1]] + ","
            end = statement.outer(rest.value)[1]
    elif number:
        before = parts[number - 1]
        assert isinstance(before.comma, cst.Comma)
        keeps = lone and not isinstance(part.comma, cst.Comma)
        start = statement.span(before.comma)[0] + 1 if keeps else statement.outer(before.value)[1]
    elif isinstance(part.comma, cst.Comma):
        end = statement.span(part.comma)[0] + 1
    if "#" in file.text[start:end] or file.rest_of_line(end).lstrip(" ,").startswith("#"):
        return None
    return file.edit(start, end, content)
