"""One row that a loop links to many: the links are made by themselves, together behind the loop.

for book in books:                     linked = []
    book.tags.add(tag)                 for book in books:
                                           linked.append(Book.tags.through(book=book, tag=tag))
                                       Book.tags.through.objects.bulk_create(linked, ignore_conflicts=True)

The table of the links has to be the one that Django makes by itself: two keys named like the models, unique together.
"""

from __future__ import annotations

import re

import libcst as cst

from ormlint.fixes.chain import chain_of
from ormlint.fixes.imports import Refusal, is_class, is_imported, spell_model
from ormlint.fixes.links import RECEIVING
from ormlint.fixes.source import Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import bindings, only_value
from ormlint.fixes.walk import Walk
from ormlint.judge.finding import Applicability, Fix, WriteTogether
from ormlint.judge.project import Project
from ormlint.link.schema import Kind, Model, Relation, Schema

_REASON = "`m2m_changed` is not sent, nor is a database chosen by the rows, and Oracle cannot leave out the links that are there"
_GIVING = frozenset({"get", "create", "earliest", "latest"})  # methods that give a row, and never None
_DECLARED = re.compile(r"(?:\w+\.)*ManyToManyField\(")


def link_each(sources: Sources, walk: Walk, intent: WriteTogether, project: Project, together: str) -> Fix | Refusal:
    """Returns the fix for `book.tags.add(tag)`, where `book` is another row in every round. `together` is a risk of its own."""
    relation, row = intent.event.relation if intent.event is not None else None, intent.event.row if intent.event is not None else None
    match walk.node:
        case cst.Call(func=cst.Attribute(value=cst.Attribute(value=cst.Name(value=name))), args=[cst.Arg(value=linked, star="", keyword=None)]):
            pass
        case _:
            return Refusal("it is not one row that is linked to a variable")
    if relation is None or relation.target is None or row is None:
        return Refusal("it is not known what is linked")
    model, target = relation.model, relation.target
    if not _is_automatic(sources, relation):
        return Refusal("the table of the links may be one of the program's own")
    if row.path or row.query.model is not model or row.query.has("using", "db_manager", "raw"):
        return Refusal("it is not certain in which table and database the rows are")
    if relation.name in row.query.plan.loaded:
        return Refusal("`add()` forgets the rows that are prefetched")
    if sources.found(RECEIVING, project.lines):
        return Refusal("receivers of `m2m_changed` would not be called")
    if not _is_row(walk, linked, target, project.schema):
        return Refusal("it is not certain that a row is linked, and not its key")
    spelling, rows = spell_model(walk.file, walk.statement.span(walk.loop)[0], model, project.schema), walk.fresh("linked")
    if isinstance(spelling, Refusal) or rows is None:
        return spelling if isinstance(spelling, Refusal) else Refusal("no name for the list of rows is free")
    through = f"{spelling.text}.{relation.name}.through"
    made = f"{through}({model.name.lower()}={name}, {target.name.lower()}={walk.statement.whole_code(linked)})"
    code = f"{through}.objects.bulk_create({rows}, ignore_conflicts=True)"
    append = walk.file.edit(*walk.statement.span(walk.node), f"{rows}.append({made})")
    edits = (walk.before(f"{rows} = []"), append, walk.behind(code), *spelling.edits)
    return Fix(Applicability.UNSAFE, f"write the links together with `{code}`", edits, f"{together}; {_REASON}")


def _is_automatic(sources: Sources, relation: Relation) -> bool:
    """Whether Django makes the table of the links, and names its keys after the two models."""
    file, target = sources.file(relation.site), relation.target
    text = file.text[relation.site.start : relation.site.end] if file is not None else ""
    if relation.kind is not Kind.MANY_TO_MANY or relation.through is not None or _DECLARED.match(text) is None or "through" in text:
        return False
    return target is not None and target.name.lower() != relation.model.name.lower() and not (target.proxy or relation.model.proxy)


def _is_row(walk: Walk, node: cst.BaseExpression, model: Model, schema: Schema) -> bool:
    """Whether an expression is a variable that has a row of a model: the function has fetched or made it, or declares its parameter so."""
    statement, function = walk.statement, walk.statement.function(node)
    if not isinstance(node, cst.Name) or not isinstance(function, cst.FunctionDef):
        return False
    bound = list(bindings(statement, function, node.value))
    match bound:
        case [cst.Name() as name] if isinstance(parameter := statement.parent(name), cst.Param):
            annotation = parameter.annotation.annotation if parameter.annotation is not None else None
            return annotation is not None and parameter.default is None and is_class(walk.file, statement, annotation, model, schema)
        case _:
            value = only_value(statement, function, node.value)
    return value is not None and _gives_row(walk, statement, value, model, schema)


def _gives_row(walk: Walk, statement: Statement, value: cst.BaseExpression, model: Model, schema: Schema) -> bool:
    """Whether an expression asks for one row of a model: `Tag.objects.get(…)`, `get_object_or_404(Tag, …)`."""
    match value:
        case cst.Call(func=cst.Name(value="get_object_or_404"), args=[cst.Arg(value=asked), *_]):
            known = is_imported(walk.file, statement.span(value)[0], "get_object_or_404", "django.shortcuts")
            root = chain_of(statement, asked).root if not isinstance(asked, cst.Name) else asked
            return known and is_class(walk.file, statement, root, model, schema)
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=method))) if method in _GIVING:
            chain = chain_of(statement, value)
            attributes = [number for number, link in enumerate(chain.links[: chain.inner]) if link.is_attribute]
            if not attributes or attributes[-1] != len(attributes) - 1:  # `Tag.objects` or `models.Tag.objects`, but not the `books` of a tag
                return False
            values = any(link.name in ("values", "values_list") for link in chain.links)
            return not values and is_class(walk.file, statement, chain.receiver(attributes[-1]), model, schema)
        case _:
            return False
