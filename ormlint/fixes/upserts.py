"""Rows that a loop looks for and makes one by one, written together behind it; the database tells which of them are there.

for name in names:                                    created = []
    Tag.objects.get_or_create(name=name)              for name in names:
                                                          created.append(Tag(name=name))
                                                      Tag.objects.bulk_create(created, ignore_conflicts=True)

It knows a row by a unique constraint, which has to be about the very fields that the row is looked for by.
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import chain_of, last_name, quote_for
from ormlint.fixes.imports import Refusal, Spelling
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import bindings
from ormlint.fixes.walk import Walk
from ormlint.judge.finding import Applicability, Fix, WriteTogether
from ormlint.link.schema import Model

_IGNORED = "`save()` is not called, whatever unique constraint a row breaks it is left out, and Oracle cannot leave it out"
_UPDATED = "`save()` is not called, PostgreSQL refuses two rows of one key, and MySQL takes no `unique_fields`"
Values = dict[str, str]


def upsert_together(walk: Walk, intent: WriteTogether, call: cst.Call, manager: Spelling, set_by_save: str, together: str) -> Fix | Refusal:
    """Returns the fix for `Model.objects.get_or_create(…)` and `update_or_create(…)`, of which nobody wants the row.

    `set_by_save` is a field that only `save()` sets, "" if there is none, and `together` a risk of its own.
    """
    match call.func:
        case cst.Attribute(value=cst.Attribute(value=model, attr=cst.Name(value="objects"))):
            pass
        case _:
            return Refusal("the rows are looked for by another manager")
    found = _values(walk.statement, call, intent)
    if isinstance(found, Refusal):
        return found
    lookups, defaults = found
    rows = walk.fresh("created")
    if rows is None:
        return Refusal("no name for the list of rows is free")
    updates = intent.method == "update_or_create" and bool(defaults)
    if updates and set_by_save:
        return Refusal(f"`save()` sets `{set_by_save}`, a bulk operation does not")
    arguments = ", ".join(f"{name}={code}" for name, code in {**lookups, **defaults}.items())
    if updates:
        quote = quote_for(walk.file, walk.statement, chain_of(walk.statement, walk.loop.iter))
        unique, changed = (", ".join(f"{quote}{name}{quote}" for name in names) for names in (lookups, defaults))
        options = f"update_conflicts=True, unique_fields=[{unique}], update_fields=[{changed}]"
    else:
        options = "ignore_conflicts=True"
    code = f"{manager.text}.bulk_create({rows}, {options})"
    edits = (
        walk.before(f"{rows} = []"),
        walk.file.edit(*walk.statement.span(call), f"{rows}.append({walk.statement.code(model)}({arguments}))"),
        walk.behind(code),
        *manager.edits,
    )
    return Fix(Applicability.UNSAFE, f"write the rows together with `{code}`", edits, f"{together}; {_UPDATED if updates else _IGNORED}")


def _values(statement: Statement, call: cst.Call, intent: WriteTogether) -> tuple[Values, Values] | Refusal:
    """Returns what a row is looked for by and what it gets if it is new, by field, as code."""
    if "#" in statement.code(call):
        return Refusal("a comment stands in the call")
    lookups: Values = {}
    defaults: Values | Refusal = {}
    for argument in call.args:
        if argument.star or argument.keyword is None:
            return Refusal("the values have no names")
        if argument.keyword.value == "defaults":
            defaults = _defaults(statement, argument.value)
        elif argument.keyword.value == "create_defaults":
            return Refusal("a new row gets other values than one that is there")
        else:
            lookups[argument.keyword.value] = statement.whole_code(argument.value)
    if isinstance(defaults, Refusal):
        return defaults
    model = intent.model
    if set(lookups) != set(intent.fields) or set(lookups) & set(defaults):
        return Refusal("it is not clear what the row is looked for by")
    if any(_may_be_null(model, name) for name in lookups):
        return Refusal("a unique constraint does not know two nulls to be the same")
    unknown = next((name for name in defaults if name not in model.columns and name not in model.relations), None)
    return (lookups, defaults) if unknown is None else Refusal(f"`{unknown}` is no field of the model")


def _defaults(statement: Statement, node: cst.BaseExpression) -> Values | Refusal:
    if not isinstance(node, cst.Dict):
        return Refusal("the defaults are no plain dict")
    found: Values = {}
    for element in node.elements:
        match element:
            case cst.DictElement(value=value) if _may_be_called(statement, value):
                return Refusal("a default may be a function, which is called for its value")
            case cst.DictElement(key=cst.SimpleString() as key, value=value):
                found[str(key.evaluated_value)] = statement.whole_code(value)
            case _:
                return Refusal("the defaults are no plain dict")
    return found


def _may_be_called(statement: Statement, value: cst.BaseExpression) -> bool:
    """Whether a value may be a function: `timezone.now`, not a constant (`Kind.NEW`), nor what the function around it holds."""
    root, name, function = value, last_name(value), statement.function(value)
    while isinstance(root, cst.Attribute):
        root = root.value
    if not isinstance(root, cst.Name) or name.isupper() or name in ("True", "False", "None"):
        return isinstance(value, cst.Lambda)
    return function is None or next(bindings(statement, function, root.value), None) is None


def _may_be_null(model: Model, name: str) -> bool:
    column, relation = model.columns.get(name), model.relations.get(name)
    if column is not None:
        return column.nullable
    return relation is None or relation.nullable
