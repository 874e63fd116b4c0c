"""What a model declares and need not, an argument or an element of a list, is taken away; an index that it lacks is added.

name = Column(String, primary_key=True, index=True)          name = Column(String, primary_key=True)
indexes = [Index(fields=["name"]), Index(fields=["day"])]    indexes = [Index(fields=["day"])]

class Meta:                                                  class Meta:
    ordering = ["day"]                                           ordering = ["day"]
                                                                 indexes = [models.Index(fields=["day"])]
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

import libcst as cst

from ormlint.fixes.calls import add_keyword
from ormlint.fixes.chain import append_element
from ormlint.fixes.imports import Refusal, spell_import
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import AddAttribute, AddIndex, AddKeyword, Applicability, Fix, RemoveDeclaration
from ormlint.link.schema import Orm
from ormlint.text import Edit, Site

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
                grade = Applicability.UNSAFE if intent.reason else Applicability.SAFE
                return Fix(grade, f"remove `{keyword}=True`", (edit,), intent.reason) if edit is not None else None
    node = statement.expression(intent.site.start, intent.site.end)
    element = statement.parent(node) if node is not None else None
    holder = statement.parent(element) if element is not None else None
    if not isinstance(element, cst.Element) or not isinstance(holder, (cst.List, cst.Tuple)):
        return None
    edit = _without(file, statement, holder.elements, element, is_tuple=isinstance(holder, cst.Tuple))
    return Fix(Applicability.UNSAFE, "remove the index", (edit,), intent.reason) if edit is not None else None


def add_index(sources: Sources, intent: AddIndex) -> Fix | None:
    """Returns the fix, None if the column is declared in another class than the model, which may lend it to others too."""
    column, file = intent.column, sources.file(intent.column.site)
    owner = _owner(file, column.site) if file is not None and column.site.path == intent.model.site.path else None
    if file is None or owner is None or owner.name != intent.model.name:
        return None
    if intent.model.orm is Orm.SQLALCHEMY:
        return add_keyword(sources, AddKeyword(column.site, "index", "True", intent.reason))
    meta = next((member for member in owner.body if isinstance(member, ast.ClassDef) and member.name == "Meta"), None)
    edits = _listed_index(sources, file, meta, column.name) if meta is not None else None
    if edits is None:
        return add_keyword(sources, AddKeyword(column.site, "db_index", "True", intent.reason))
    return Fix(Applicability.UNSAFE, "add an index to `Meta.indexes`", tuple(edits), intent.reason)


def add_attribute(sources: Sources, intent: AddAttribute) -> Fix | None:
    """Returns the fix, None if the class has the attribute, or nothing that it could stand behind."""
    file = sources.file(intent.site)
    owner = _owner(file, intent.site) if file is not None else None
    if file is None or owner is None or owner.body[0].lineno == owner.lineno:
        return None
    targets = [(target, node.value) for node in owner.body if isinstance(node, ast.Assign) for target in node.targets]
    known = {target.id: value for target, value in targets if isinstance(target, ast.Name)}
    value = known.get(intent.least)
    least = value.value if isinstance(value, ast.Constant) and type(value.value) is int else 0
    head: list[ast.stmt] = []
    for node in owner.body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)):
            break
        head.append(node)
    if intent.name in known or not head or any(isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == intent.name for node in head):
        return None
    start = file.starts[head[-1].lineno - 1] + head[-1].col_offset
    indentation = file.indentation(start)
    if indentation is None:  # it shares its line
        indentation = file.indentation(file.starts[owner.body[0].lineno - 1] + owner.body[0].col_offset)
    if indentation is None:
        return None
    code = f"{intent.name} = {max(least, intent.value)}"
    end = file.starts[(head[-1].end_lineno or head[-1].lineno) - 1]
    end += len(file.rest_of_line(end))
    return Fix(Applicability.UNSAFE, f"set `{code}`", (file.insert(end, f"{file.newline}{indentation}{code}"),), intent.reason)


def _owner(file: SourceFile, site: Site) -> ast.ClassDef | None:
    """Returns the class of the file's own level that a site is in."""
    for lines in file.body:
        if lines.start <= site.start < lines.end:
            return next((node for node in lines.nodes if isinstance(node, ast.ClassDef)), None) if len(lines.nodes) == 1 else None
    return None


def _listed_index(sources: Sources, file: SourceFile, found: ast.ClassDef, name: str) -> list[Edit] | None:
    """Returns the edits that add an index to a `Meta`, None if it may have others that are not written there."""
    start = file.starts[found.lineno - 1]
    statement = sources.statement(Site(file.path, start, start))
    meta = next((node for node in statement.within(statement.module, cst.ClassDef) if node.name.value == "Meta"), None) if statement else None
    if statement is None or meta is None or not isinstance(meta.body, cst.IndentedBlock):
        return None
    lists = [line for line in statement.within(meta.body, cst.Assign) if any(statement.code(target.target) == "indexes" for target in line.targets)]
    if lists:
        return _longer_list(statement, file, lists[0].value, name) if len(lists) == 1 else None
    last = meta.body.body[-1]
    spelling = spell_import(file, start, "django.db.models", "Index")
    if meta.bases or not isinstance(last, cst.SimpleStatementLine) or isinstance(last.body[-1], cst.Pass) or isinstance(spelling, Refusal):
        return None
    first, end = statement.span(last.body[0])[0], statement.span(last.body[-1])[1]
    indentation = file.indentation(first)
    if indentation is None or "indexes" in statement.code(meta):
        return None
    end += len(file.rest_of_line(end))
    return [file.insert(end, f'{file.newline}{indentation}indexes = [{spelling.text}(fields=["{name}"])]'), *spelling.edits]


def _longer_list(statement: Statement, file: SourceFile, value: cst.BaseExpression, name: str) -> list[Edit] | None:
    if not isinstance(value, cst.List) or not value.elements:
        return None
    last = value.elements[-1]
    if isinstance(last, cst.StarredElement) or not isinstance(last.value, cst.Call) or not statement.code(last.value.func).endswith("Index"):
        return None
    comma = last.comma if isinstance(last.comma, cst.Comma) else None
    start, end = statement.span(last)[0], statement.outer(last.value)[1]
    code = statement.code(last.value.func)
    if code.rpartition(".")[2] != "Index":
        return None
    return append_element(file, start, end, statement.span(comma)[0] + 1 if comma is not None else None, [f'{code}(fields=["{name}"])'])


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
