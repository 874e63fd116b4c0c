"""Intrinsics that look into models, classes and queries, for stub programs whose framework does so at run time.

each(items, owner, name, function, *args)   function(item, *args) for every known item, at the place where `name = [item, …]` stands
is_field(row, name)       whether a model has a column or a relation of its own by this name
has_member(object, name)  whether the class of an object defines a method or attribute
read(row, "a__b")         row.a.b, the last of which is called if it can be
foreign_keys(model, names) those of the names that are relations to one row, with a column of their own
is_joined(query)          whether a query has had a select_related()
model_name(x, "_list")     the name of the model behind a query, rows, a row or a class, in lower case, with something behind it
template_of(x, "_list")    the template that is named after that model: "shop/book_list.html"
at_least("django", 5, 1)  whether the project runs on this version or a later one
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library import django_releases
from ormlint.link.names import ClassInfo, FunctionInfo, ModuleInfo
from ormlint.link.schema import Kind, Model, Relation
from ormlint.run.frame import Frame
from ormlint.run.log import LoadKind, QueryObject
from ormlint.run.machine import Machine
from ormlint.run.values import UNKNOWN, BoundMethod, Closure, Constant, Instance, Row, Sequence, Value, options

ASSUMED = {"django": django_releases.ASSUMED}
"""The versions that a project is taken to run on if it does not say."""


def at_least(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns whether the project runs on a version of a package or on a later one."""
    package, *version = (arg.value for arg in args if isinstance(arg, Constant))
    return Constant((m.targets.get(str(package)) or ASSUMED[str(package)]) >= tuple(version))


def model_name(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what Django calls rows of a model in a context."""
    model = _model_behind(args[0])
    return Constant(f"{model.name.lower()}{_text(args[1])}") if model is not None else Constant(None)


def template_of(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns the name of the template that a generic view takes for a model if it names none."""
    model = _model_behind(args[0])
    if model is None or "." not in model.label:
        return Constant(None)
    return Constant(f"{model.label.partition('.')[0]}/{model.name.lower()}{_text(args[1])}.html")


def _text(value: Value) -> str:
    return value.value if isinstance(value, Constant) and isinstance(value.value, str) else ""


def _model_behind(value: Value) -> Model | None:
    for option in options(value):
        match option:
            case QueryObject() | Row():
                return option.model
            case Sequence() if option.source is not None:
                return option.source.model
            case ClassInfo() if option.model is not None:
                return option.model
            case _:
                pass
    return None


def is_joined(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns whether a query has had a `select_related()`; what only some of the ways to it did is not known."""
    found = {_is_joined(option) for option in options(args[0])}
    return Constant(found.pop()) if len(found) == 1 and None not in found else UNKNOWN


def _is_joined(value: Value) -> bool | None:
    if not isinstance(value, QueryObject):
        return None
    joins = [entry.certain for entry in value.plan.loaded.values() if entry.kind is LoadKind.JOIN]
    if not joins:
        return value.has("select_related") and None
    return True if any(joins) else None


def is_field(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns whether a row's model has a column or a relation of its own by a name."""
    row, name = args
    if not isinstance(row, Row) or not isinstance(name, Constant):
        return Constant(False)
    return Constant(name.value in row.model.columns or _own_relation(row.model.relations.get(str(name.value))))


def _own_relation(relation: Relation | None) -> bool:
    return relation is not None and bool(relation.attname) and relation.kind is not Kind.GENERIC_FOREIGN_KEY


def foreign_keys(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns those of some names that are a model's foreign keys and one-to-one relations."""
    model, names = args
    if not isinstance(model, ClassInfo) or model.model is None:
        return Sequence("list", UNKNOWN)
    relations = model.model.relations
    return Sequence("list", items=tuple(name for name in constants_in(names) if _own_relation(relations.get(str(name.value)))))


def constants_in(value: Value) -> Iterator[Constant]:
    """Yields the constants that a value may be or hold."""
    for option in options(value):
        match option:
            case Constant():
                yield option
            case Sequence():
                for item in option.items if option.items is not None else options(option.element):
                    yield from constants_in(item)
            case _:
                pass


def has_member(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns whether the class of an object defines a method by a name."""
    owner, name = args
    known = isinstance(owner, Instance) and isinstance(name, Constant) and owner.cls.method(str(name.value)) is not None
    return Constant(known)


def read(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what a lookup path leads to from a row; a method at its end is called."""
    from ormlint.run.attributes import attribute
    from ormlint.run.calls import call_function

    value, path = args
    for name in str(path.value).split("__") if isinstance(path, Constant) and path.value != "__str__" else ("__str__",):
        value = attribute(m, f, ir.Name(node.start, node.end, name), value, name)
    return call_function(m, f, node, value.function, [value.self], {}) if isinstance(value, BoundMethod) else value


def each(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Calls a function for every known item of a list, as if it stood where a class writes the item down."""
    from ormlint.run.calls import call

    items, owner, name, function, *given = args
    cls = owner.cls if isinstance(owner, Instance) else None
    for item in _items(items):
        place = _declared(cls, str(name.value), item) if cls is not None and isinstance(name, Constant) else None
        if place is None:
            call(m, f, node, function, [item, *given], {})
        else:
            module, at = place
            call(m, replace(f, module=module), ir.Call(at.start, at.end, at, [], []), function, [item, *given], {})
    return UNKNOWN


def _items(value: Value) -> list[Value]:
    """Returns the items of a list that are known, whichever of several lists it is."""
    found: list[Value] = []
    for option in options(value):
        if isinstance(option, Sequence):
            items = option.items if option.items is not None else options(option.element)
            found += (item for item in items if isinstance(item, (Constant, FunctionInfo, Closure)) and item not in found)
    return found


def _declared(cls: ClassInfo, name: str, item: Value) -> tuple[ModuleInfo, ir.Expr_] | None:
    """Returns the module and the node of a text in the list that an attribute of a class is set to, or None."""
    found = cls.find(name)
    if found is None or not isinstance(item, Constant):
        return None
    owner, stmts = found
    stmt = stmts[-1]
    nodes = _written(stmt.value) if isinstance(stmt, ir.Assign) and stmt.value is not None and not owner.module.is_library else ()
    return next(((owner.module, node) for node in nodes if isinstance(node, ir.Const) and node.value == item.value), None)


def _written(node: ir.Expr_) -> Iterator[ir.Expr_]:
    match node:
        case ir.Seq():
            for item in node.items:
                yield from _written(item)
        case ir.Binary():
            for part in (node.left, node.right):
                if part is not None:
                    yield from _written(part)
        case ir.Const():
            yield node
        case _:
            pass


FUNCTIONS = {
    f"ormlint.intrinsics.{function.__name__}": function
    for function in (at_least, each, foreign_keys, has_member, is_field, is_joined, model_name, read, template_of)
}
