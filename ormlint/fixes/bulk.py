"""Writes that a loop sends one by one, sent together behind it.

for cow in cows:             changed = []
    cow.litres += 1          for cow in cows:
    cow.save()                   cow.litres += 1
                                 changed.append(cow)
                             Cow.objects.bulk_update(changed, ["litres"])

A loop that does nothing else becomes one call: `cows.update(milked=True)`, `cows.delete()`, `herd.cows.add(*cows)`.
"""

from __future__ import annotations

import re

import libcst as cst

from ormlint.fixes.chain import chain_of, is_postfix, quote_for, seen_through
from ormlint.fixes.counts import breaks_line
from ormlint.fixes.imports import Refusal, Spelling, spell_model
from ormlint.fixes.inserts import insert_together
from ormlint.fixes.links import SIGNALS, risk_of_linking
from ormlint.fixes.links_of_several import link_each
from ormlint.fixes.receivers import before_stream, is_stream
from ormlint.fixes.source import Sources
from ormlint.fixes.upserts import upsert_together
from ormlint.fixes.walk import Walk, inside, walk_around
from ormlint.judge.finding import Applicability, Fix, WriteTogether
from ormlint.judge.project import Project
from ormlint.link.schema import Model, Schema
from ormlint.text import Edit

_VALUES = (cst.Name, cst.SimpleString, cst.BaseNumber, cst.Attribute)  # those that are the same whenever they are read
_TOGETHER = "all rows are written at the end, or none if one of them fails; until then the database has none of them"
_NEW = f"{_TOGETHER}; `save()` is not called, and not every database tells the keys of the new rows"
_AT_ONCE = "the rows are chosen when they are written, and those that the program holds stay as they are"


def write_together(sources: Sources, intent: WriteTogether, project: Project) -> Fix | None:
    """Returns the fix, a display-only one if the loop does not allow it, None if the place is not understood."""
    walk = walk_around(sources, intent.site, intent.loop.site)
    if walk is None:
        return None
    made = walk if isinstance(walk, Refusal) else _fix(sources, walk, intent, project)
    return Fix(Applicability.DISPLAY, "write the rows together behind the loop", (), made.reason) if isinstance(made, Refusal) else made


def _fix(sources: Sources, walk: Walk, intent: WriteTogether, project: Project) -> Fix | Refusal:
    call, schema = walk.node, project.schema
    obstacle = _obstacle(walk)
    if obstacle or not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return Refusal(obstacle or "the write is no call of a method")
    match intent.method:
        case "update" | "delete":
            made = _at_once(walk, intent, call, call.func.value) if intent.method == "delete" or not _sets_more(sources, intent, call) else None
            if isinstance(made, Fix):
                return made
        case "add" | "remove":
            return _link(walk, call, call.func, risk_of_linking(sources, project, walk, intent))
        case "link":
            return link_each(sources, walk, intent, project, _TOGETHER)
        case "insert":
            return insert_together(walk, intent.model, schema, call, _TOGETHER)
        case "get_or_create" | "update_or_create":
            manager = _manager(sources, walk, intent.model, schema)
            own = _set_by_save(sources, intent.model)
            return manager if isinstance(manager, Refusal) else upsert_together(walk, intent, call, manager, own, _TOGETHER)
        case "create":
            return _create(sources, walk, intent, schema, call, call.func)
        case _:
            pass
    if not isinstance(call.func.value, cst.Name):
        return Refusal("the row has no name")
    row = call.func.value.value
    manager = _manager(sources, walk, intent.model, schema)
    if isinstance(manager, Refusal):
        return manager
    if intent.method == "delete":
        return _collect(walk, "deleted", f"{row}.pk", "{manager}.filter(pk__in={rows}).delete()", manager, _TOGETHER)
    fields = _fields(sources, intent)
    if isinstance(fields, Refusal) or not _saves_plainly(call):
        return fields if isinstance(fields, Refusal) else Refusal("`save()` is given arguments")
    quote = quote_for(walk.file, walk.statement, chain_of(walk.statement, walk.loop.iter))
    names = ", ".join(f"{quote}{name}{quote}" for name in fields)
    return _collect(walk, "changed", row, f"{{manager}}.bulk_update({{rows}}, [{names}])", manager, _TOGETHER)


def _obstacle(walk: Walk) -> str:
    """Returns why a write cannot be put off to the end of the loop, "" if it can."""
    for above in walk.statement.ancestors(walk.node):
        if above is walk.loop:
            break
        if isinstance(above, (cst.Try, cst.TryStar, cst.With)):
            return "the write stands in a `try` or a `with` of its own"
    for node in inside(walk.loop.body):
        if isinstance(node, (cst.Return, cst.Yield, cst.Await)):
            return "the loop waits or can be left early"
    return "" if _line(walk) is not None else "the write is part of a larger statement"


def _line(walk: Walk) -> cst.SimpleStatementLine | None:
    """Returns the line that consists of the write alone."""
    expression = walk.statement.parent(walk.node)
    line = walk.statement.parent(expression) if isinstance(expression, cst.Expr) else None
    return line if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None


def _is_all(walk: Walk) -> bool:
    """Whether the loop does nothing but write."""
    return len(walk.body) == 1 and walk.body[0] is _line(walk)


def _collect(walk: Walk, name: str, item: str, write: str, manager: Spelling, reason: str) -> Fix | Refusal:
    rows = walk.fresh(name)
    if rows is None:
        return Refusal("no name for the list of rows is free")
    code = write.format(manager=manager.text, rows=rows)
    edits = (walk.before(f"{rows} = []"), walk.file.edit(*walk.statement.span(walk.node), f"{rows}.append({item})"), walk.behind(code))
    return Fix(Applicability.UNSAFE, f"write the rows together with `{code}`", (*edits, *manager.edits), reason)


def _manager(sources: Sources, walk: Walk, model: Model, schema: Schema) -> Spelling | Refusal:
    """Returns `Model.objects`, unless the model may have no manager by that name."""
    spelling = spell_model(walk.file, walk.statement.span(walk.loop)[0], model, schema)
    if isinstance(spelling, Refusal):
        return spelling
    own = sources.file(model.site)
    texts = [walk.file.text, own.text if own is not None else ""]
    if model.has_objects or any(re.search(rf"\b{re.escape(model.name)}\.objects\b", text) for text in texts):
        return Spelling(f"{spelling.text}.objects", spelling.edits)
    return Refusal(f"the manager of `{model.name}` may have another name")


def _fields(sources: Sources, intent: WriteTogether) -> tuple[str, ...] | Refusal:
    """Returns the fields to write; `auto_now` is the business of `save()`."""
    model = intent.model
    for name in intent.fields:
        if model.is_primary_key(name) or not (name in model.columns or name in model.relations or _is_attname(model, name)):
            return Refusal(f"`{name}` is no column that can be updated")
    own = _set_by_save(sources, model)
    if own:
        return Refusal(f"`save()` sets `{own}`, a bulk operation does not")
    return intent.fields if intent.fields else Refusal("which fields have changed is not known")


def _set_by_save(sources: Sources, model: Model) -> str:
    """Returns a column of a model that `save()` sets each time, "" if there is none."""
    for column in (column for each in (model, *model.bases) for column in each.columns.values()):
        file = sources.file(column.site)
        if file is not None and "auto_now=True" in file.text[column.site.start : column.site.end]:
            return column.name
    return ""


def _sets_more(sources: Sources, intent: WriteTogether, call: cst.Call) -> bool:
    """Whether `save()` sets a column of its own, which it does not if it is told the fields to write."""
    told = any(argument.keyword is not None and argument.keyword.value == "update_fields" for argument in call.args)
    return not told and bool(_set_by_save(sources, intent.model))


def _is_attname(model: Model, name: str) -> bool:
    return any(relation.attname == name for relation in model.relations.values())


def _saves_plainly(call: cst.Call) -> bool:
    return all(argument.keyword is not None and argument.keyword.value == "update_fields" for argument in call.args)


# ----------------------------------------------------------------------------------------------------------- one call
def _at_once(walk: Walk, intent: WriteTogether, call: cst.Call, row: cst.BaseExpression) -> Fix | None:
    """Returns the fix that replaces the loop by one call of its query, None if it does more than that call would."""
    match walk.loop.target, row:
        case cst.Name(value=target), cst.Name(value=written) if target == written:
            pass
        case _:
            return None
    rows, source = seen_through(walk.loop.iter), intent.loop.source
    query = before_stream(rows)
    if query is rows and source is not None and is_stream(source):
        return None
    if not intent.plain or walk.is_read_later(frozenset({target})):
        return None
    if source is not None and source.style == "list" and (query is walk.loop.iter or not isinstance(query, cst.Call)):
        return None  # a list has no `update()`, what `list(…)` is made of has
    if intent.method == "delete":
        code = "delete()" if _is_all(walk) and not call.args else ""
    else:
        values = _constants(walk, target)
        code = f"update({values})" if values and set(intent.fields) == {part.partition("=")[0] for part in values.split(", ")} else ""
    if not code:
        return None
    start, end = walk.statement.outer(query)
    text = walk.file.text[start:end]
    if not is_postfix(query) or (not query.lpar and breaks_line(walk.statement.code(query))):
        text = f"({text})"
    edit = walk.replaced(f"{text}.{code}")
    return Fix(Applicability.UNSAFE, f"call `.{code}` on the query instead of the loop", (edit,), _AT_ONCE) if edit is not None else None


def _constants(walk: Walk, row: str) -> str:
    """Returns the arguments of `update()` for a body of assignments of values that do not vary, "" if there is anything else in it."""
    values: list[str] = []
    for line in walk.body[:-1]:
        match line:
            case cst.SimpleStatementLine(body=[cst.Assign(targets=[cst.AssignTarget(target=cst.Attribute() as field)], value=value)]):
                pass
            case _:
                return ""
        if not (isinstance(field.value, cst.Name) and field.value.value == row) or walk.names(value) & walk.bound or not isinstance(value, _VALUES):
            return ""
        start, end = walk.statement.outer(value)
        values.append(f"{field.attr.value}={walk.file.text[start:end]}")
    return ", ".join(values) if walk.body[-1] is _line(walk) else ""


def _link(walk: Walk, call: cst.Call, method: cst.Attribute, risk: str) -> Fix | Refusal:
    """Returns the fix for `book.tags.add(tag)`, whose receiver is the same in every round."""
    first = call.args[0] if call.args else None
    if first is None or first.star or first.keyword is not None or any(argument.keyword is None for argument in call.args[1:]):
        return Refusal("it is not clear what is linked")
    fixed = [method.value, *(argument.value for argument in call.args[1:])]
    if any(walk.names(node) & walk.bound for node in fixed):
        return Refusal("what is linked to changes in the loop")
    verb, receiver = method.attr.value, walk.statement.code(method.value)
    rest = "".join(f", {walk.statement.code(argument)}" for argument in call.args[1:])
    if _is_all(walk) and _is_name(first.value, walk.loop.target) and not walk.is_read_later(walk.names(walk.loop.target)):
        start, end = walk.statement.outer(walk.loop.iter)
        rows = walk.file.text[start:end]
        edit = walk.replaced(f"{receiver}.{verb}(*{rows if is_postfix(walk.loop.iter) else f'({rows})'}{rest.rstrip(', ')})")
        if edit is not None:
            return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, f"link all rows with one `{verb}()`", (edit,), risk)
    name = walk.fresh("linked" if verb == "add" else "unlinked")
    if name is None:
        return Refusal("no name for the list of rows is free")
    start, end = walk.statement.outer(first.value)
    append = walk.file.edit(*walk.statement.span(call), f"{name}.append({walk.file.text[start:end]})")
    edits = (walk.before(f"{name} = []"), append, walk.behind(f"{receiver}.{verb}(*{name}{rest.rstrip(', ')})"))
    return Fix(Applicability.UNSAFE, f"link all rows with one `{verb}()`", edits, f"{_TOGETHER}; {SIGNALS}")


def _is_name(node: cst.BaseExpression, target: cst.BaseAssignTargetExpression) -> bool:
    return isinstance(node, cst.Name) and isinstance(target, cst.Name) and node.value == target.value


def _create(sources: Sources, walk: Walk, intent: WriteTogether, schema: Schema, call: cst.Call, method: cst.Attribute) -> Fix | Refusal:
    """Returns the fix for `Book.objects.create(…)`, `Book(…).save()` or `book.save()`."""
    rows = walk.fresh("created")
    manager = _manager(sources, walk, intent.model, schema)
    if isinstance(manager, Refusal) or rows is None:
        return manager if isinstance(manager, Refusal) else Refusal("no name for the list of rows is free")
    at_once = _create_at_once(walk, call, method, manager)
    if at_once is not None:
        return at_once
    statement, edits = walk.statement, list[Edit]()
    match method:
        case cst.Attribute(value=cst.Attribute(value=model, attr=cst.Name(value="objects")), attr=cst.Name(value="create")):
            if any(argument.keyword is None and argument.star != "**" for argument in call.args):
                return Refusal("the values have no names")
            start, end = statement.span(method)
            last = statement.span(call)[1]
            edits += [walk.file.edit(start, end, f"{rows}.append({statement.code(model)}"), walk.file.edit(last - 1, last, "))")]
        case cst.Attribute(value=row, attr=cst.Name(value="save")) if not call.args:
            start, end = statement.span(call)
            edits.append(walk.file.insert(start, f"{rows}.append("))
            edits.append(walk.file.edit(statement.outer(row)[1], end, ")"))
        case _:
            return Refusal("the row is made in another way")
    code = f"{manager.text}.bulk_create({rows})"
    return Fix(
        Applicability.UNSAFE,
        f"create the rows together with `{code}`",
        (walk.before(f"{rows} = []"), *edits, walk.behind(code), *manager.edits),
        _NEW,
    )


def _create_at_once(walk: Walk, call: cst.Call, method: cst.Attribute, manager: Spelling) -> Fix | None:
    """Returns the fix for a loop that does nothing but create a row per round on one line, None if it does more."""
    created = walk.statement.code(call)
    if not _is_all(walk) or "\n" in created or method.attr.value != "create":
        return None
    if not (isinstance(method.value, cst.Attribute) and method.value.attr.value == "objects"):
        return None
    if any(argument.keyword is None and argument.star != "**" for argument in call.args) or walk.is_read_later(walk.names(walk.loop.target)):
        return None
    arguments = created[len(walk.statement.code(method)) :]
    head = f"for {walk.statement.code(walk.loop.target)} in {walk.statement.code(walk.loop.iter)}"
    if isinstance(walk.loop.iter, (cst.IfExp, cst.Lambda, cst.Tuple)) or "\n" in head:
        return None
    if next(walk.statement.within(walk.loop.iter, cst.NamedExpr), None) is not None:  # Python has no `:=` in the rows of a comprehension
        return None
    code = f"{manager.text}.bulk_create([{walk.statement.code(method.value.value)}{arguments} {head}])"
    edit = walk.replaced(code)
    return Fix(Applicability.UNSAFE, f"create the rows together with `{code}`", (edit, *manager.edits), _NEW) if edit is not None else None
