"""Reads the indexes of Django models: those of `Meta`, and those that a field makes.

A unique field and a foreign key have an index of their own; `db_index=True` on them makes no second one.
Source of the facts: django.db.models.options and django.db.backends.base.schema (4.2 to 6.1).
"""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.link.names import ClassInfo
from ormlint.link.schema import Index, Model

PARTIAL = frozenset({"condition", "opclasses", "expressions", "deferrable", "nulls_distinct"})


OPTIONS = ("unique_together", "index_together", "constraints", "indexes")


def read_constraints(cls: ClassInfo, model: Model) -> None:
    """Adds what `Meta` says about a table's indexes and unique constraints, as it holds for a class.

    A `Meta` of its own hides those of abstract parents, but for what it inherits: `class Meta(Base.Meta)`.
    """
    waiting = list(OPTIONS)
    for ancestor in cls.mro:
        meta = ancestor.classes.get("Meta")
        if meta is None or (ancestor is not cls and (ancestor.model is None or not ancestor.model.abstract)):
            continue
        _read(meta, ancestor, model, [name for name in waiting if name in meta.bindings])
        waiting = [name for name in waiting if name not in meta.bindings]
        if not meta.node.bases:
            return


def _read(meta: ClassInfo, cls: ClassInfo, model: Model, names: list[str]) -> None:
    for name in names:
        for stmt in meta.bindings[name]:
            if not isinstance(stmt, ir.Assign) or not isinstance(stmt.value, ir.Seq):
                model.indexes_known = False
            elif name.endswith("together"):
                groups = [item for item in stmt.value.items if isinstance(item, ir.Seq)] or [stmt.value]
                for group in groups:
                    _group(group, cls, model, unique=name == "unique_together")
            else:
                for item in stmt.value.items:
                    _declared(item, cls, model)


def own_indexes(model: Model) -> None:
    """Adds the indexes that the fields of a model make, before those of `Meta`."""
    for column in model.columns.values():
        if column.primary_key:
            model.indexes.append(Index((column.name,), column.site, "primary key", unique=True))
        elif column.unique:
            model.indexes.append(Index((column.name,), column.site, "unique constraint", unique=True))
        elif column.indexed:
            foreign = any(relation.attname == column.name for relation in model.relations.values())
            model.indexes.append(Index((column.name,), column.site, "foreign key" if foreign else "index"))


def _group(group: ir.Seq, cls: ClassInfo, model: Model, *, unique: bool) -> None:
    names = _strings(group)
    if unique:
        model.unique_together.append(frozenset(names))
    kind = "unique constraint" if unique else "index"
    model.indexes.append(Index(tuple(_column(name, model) for name in names), cls.module.site(group), kind, unique))


def _declared(item: ir.Expr_, cls: ClassInfo, model: Model) -> None:
    if not isinstance(item, ir.Call):
        model.indexes_known = False
        return
    name = item.called
    fields = next((value for key, value in item.keywords if key == "fields"), None)
    names = _strings(fields) if isinstance(fields, ir.Seq) else []
    if not names:
        return
    odd = bool(item.args) or any(key in PARTIAL for key, _ in item.keywords)
    columns = tuple(_column(field.lstrip("-"), model) for field in names)
    if name == "UniqueConstraint":
        if not any(key == "condition" for key, _ in item.keywords):
            model.unique_together.append(frozenset(names))
        condition = frozenset().union(*(_named(value, model) for key, value in item.keywords if key == "condition"))
        model.indexes.append(Index(columns, cls.module.site(item), "unique constraint", True, odd, condition=condition))
    elif name.endswith("Index"):
        descending = any(field.startswith("-") for field in names)
        covering = any(key == "include" for key, _ in item.keywords)
        model.indexes.append(Index(columns, cls.module.site(item), partial=odd or descending or name != "Index", covering=covering))


def _named(condition: ir.Expr_, model: Model) -> frozenset[str]:
    """Returns the attributes that a condition of `Q(…)` names, "?" if it is none that can be read."""
    keys = (key for node in walk(condition) if isinstance(node, ir.Call) and node.called == "Q" for key, _ in node.keywords)
    return frozenset(_column(key.partition("__")[0], model) for key in keys) or frozenset("?")


def _column(name: str, model: Model) -> str:
    relation = model.relations.get(name)
    return relation.attname if relation is not None and relation.attname else name


def _strings(node: ir.Seq) -> list[str]:
    return [item.value for item in node.items if isinstance(item, ir.Const) and isinstance(item.value, str)]
