"""Serializers: classes that declare fields, each of which is shown for every object (Django REST framework).

    class BookSerializer(ModelSerializer):       the declared fields, those of ancestors included,
        author = AuthorSerializer()              and those that `Meta.fields` lists or that `Meta.exclude` leaves over,
        class Meta:                              made from the columns and relations of the model
            model = Book
            fields = ["title", "author"]

What a field does with a value is said by the programs of the library, or by the project's own class of field. Here
stands what Python cannot say: which fields there are. What a field runs happens at the place where it is declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, FunctionInfo, ModuleInfo
from ormlint.link.schema import Kind, Model, Relation
from ormlint.run.attributes import attribute
from ormlint.run.calls import call, call_function, construct, replace_frame
from ormlint.run.chosen_fields import chosen, is_made_anew
from ormlint.run.frame import Frame
from ormlint.run.log import QueryObject
from ormlint.run.loops import make_loop
from ormlint.run.machine import Machine
from ormlint.run.values import (
    NONE,
    UNKNOWN,
    BoundMethod,
    Constant,
    Instance,
    Manager,
    Mapping,
    Method,
    Row,
    Scalar,
    Sequence,
    Unknown,
    Value,
    options,
)

EVERYTHING = "__all__"
WHOLE = "*"
DECLARING = frozenset({"Field", "BaseSerializer"})
SERIALIZERS = ("BaseSerializer", "SerializerBase", "Resource")
SHOWING_ONE = ("_serialize", "export_resource", "to_representation")
"""The method of a serializer that shows one object, however many it was given."""

FORWARD = frozenset({Kind.FOREIGN_KEY, Kind.ONE_TO_ONE, Kind.MANY_TO_MANY, Kind.PARENT_LINK})
MOST_FIELDS = 200
MOST_LISTS = 6  # lists of names that are made of each other
NO_NAME = ir.Const(0, 0, None)


@dataclass(frozen=True, slots=True)
class Shown:
    """A field of a serializer class and where it is declared; `field` is None for one that only reads `source`."""

    name: str
    module: ModuleInfo
    node: ir.Node
    source: str = ""
    field: Instance | None = None


Place = tuple[ModuleInfo, ir.Node]


# ---------------------------------------------------------------------------------------------------------- showing
def represent(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Shows every field of a serializer (the first argument) of an object (the second); returns a dict."""
    serializer, row = (args[0], args[1]) if len(args) == 2 else (UNKNOWN, UNKNOWN)
    if isinstance(serializer, Instance):
        for option in options(row):
            if not isinstance(option, Constant) and not (isinstance(option, Unknown) and not option.deps):
                for shown in fields_of(m, serializer):
                    _show(m, f, shown, serializer, option)
    return Mapping()


def represent_each(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Has a serializer (the first argument) show each of some objects (the second); returns the list of what it gives."""
    from ormlint.run.expressions import iterate

    child, rows = (args[0], args[1]) if len(args) == 2 else (UNKNOWN, UNKNOWN)
    if rows == NONE or not isinstance(child, Instance):
        return UNKNOWN
    iterated = iterate(m, f, rows, node)
    site = f.site(node.start, node.end)
    loop = make_loop(m, f, (node.start, False), site, site, "serializer", iterated, child.cls.name)
    m.counters.loops.add(site)
    if iterated.source is not None:
        m.counters.query_loops.add(site)
    f.loops.append(loop)
    element = iterated.element_in(m, f, loop)
    model = _model_of(m, child)
    if isinstance(element, Unknown) and model is not None:
        element = Row(model, m.class_of(model), births=tuple(f.loops))
    function = next(filter(None, map(child.cls.method, SHOWING_ONE)), None)
    given = call_function(m, f, node, function, [child, element], {}) if function is not None else UNKNOWN
    f.loops.pop()
    return Sequence("list", given, bound=iterated.bound, limit=iterated.limit, source=iterated.source)


def _show(m: Machine, f: Frame, shown: Shown, serializer: Instance, row: Value) -> None:
    """Runs what one field does with an object, at the place of the field."""
    at = f
    if not shown.module.is_library:
        where = Frame(shown.module, f"{shown.module.name}:{serializer.cls.qualname}.{shown.name}", owner=serializer.cls)
        at = replace_frame(f, where, {})
        at.qualname, at.remembered, at.left = where.qualname, f.remembered, f.left
    if shown.field is None:
        read_path(m, at, shown.node, row, shown.source)
        return
    field = _bound(shown, shown.field, serializer)
    source = field.attributes.get("source")
    getter, shower = field.cls.method("get_attribute"), field.cls.method("to_representation")
    if getter is not None and _is_plain(getter) and isinstance(source, Constant):
        value = read_path(m, at, shown.node, row, str(source.value))
    elif getter is not None:
        value = call_function(m, at, shown.node, getter, [field, row], {})
    else:
        return
    if shower is None or _is_plain(shower) or value == NONE:
        return
    if shower.module.is_library and isinstance(value, (Unknown, Constant, Scalar)):
        return
    call_function(m, at, shown.node, shower, [field, value], {})


def _is_plain(function: FunctionInfo) -> bool:
    """Whether a method of a field is the one that every field has: it reads the source, and shows what it reads."""
    return function.module.is_library and function.owner is not None and function.owner.name == "Field"


def _bound(shown: Shown, field: Instance, serializer: Instance) -> Instance:
    """Returns a field that knows its name and its serializer."""
    attributes: dict[str, Value] = {**field.attributes, "field_name": Constant(shown.name), "parent": serializer}
    if attributes.get("source", NONE) == NONE:
        attributes["source"] = Constant(shown.name)
    match attributes.get("method_name"):
        case Constant(value=None):
            attributes["method_name"] = Constant(f"get_{shown.name}")
        case Constant(value=str(pattern)) if "{}" in pattern:
            attributes["method_name"] = Constant(pattern.format(shown.name))
        case _:
            pass
    return Instance(field.cls, attributes, True, field.deps, field.model)


# ---------------------------------------------------------------------------------------------------------- reading
def value_at(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what a dotted path (the second argument) from an object (the first) leads to; what takes no arguments is called."""
    path = args[1] if len(args) == 2 else UNKNOWN
    if not isinstance(path, Constant) or not isinstance(path.value, str):
        return UNKNOWN
    return read_path(m, f, node, args[0], path.value.replace("__", "."))


def key_at(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns the key of the row that a dotted path (the second argument) leads to; that of a foreign key is in the row itself."""
    path = args[1] if len(args) == 2 else UNKNOWN
    if not isinstance(path, Constant) or not isinstance(path.value, str) or path.value == WHOLE:
        return args[0] if args else UNKNOWN
    *way, last = path.value.split(".")
    value = read_path(m, f, node, args[0], ".".join(way) or WHOLE)
    found: list[Value] = []
    for option in options(value):
        relation = option.model.relations.get(last) if isinstance(option, Row) else None
        if relation is None or not relation.attname:
            found.append(read_path(m, f, node, option, last))
    return found[0] if len(found) == 1 else UNKNOWN


def read_path(m: Machine, f: Frame, node: ir.Node, value: Value, path: str) -> Value:
    """Returns what a dotted path leads to; what takes no arguments is called on the way."""
    if path == WHOLE:
        return value
    text: ir.Expr_ = ir.Name(node.start, node.end, value.model.name.lower() if isinstance(value, Row) else "value")
    for name in path.split("."):
        text = ir.Attr(node.start, node.end, text, name)
        value = attribute(m, f, text, value, name)
        if isinstance(value, Mapping):
            return UNKNOWN
        if _is_called(value):
            text = ir.Call(node.start, node.end, text, [], [])
            value = call(m, f, text, value, [], {})
    return value


def _is_called(value: Value) -> bool:
    """Whether a value is a method that needs no arguments."""
    if isinstance(value, Method):
        return isinstance(value.receiver, (Row, Manager, QueryObject))
    function = value.function if isinstance(value, BoundMethod) else value if isinstance(value, FunctionInfo) else None
    if function is None:
        return False
    params = function.node.params[1:] if isinstance(value, BoundMethod) else function.node.params
    return all(param.default is not None or param.kind in ("*", "**") for param in params)


# ------------------------------------------------------------------------------------------------- which fields there are
def fields_of(m: Machine, serializer: Instance) -> list[Shown]:
    """Returns the fields that a serializer shows."""
    nested = serializer.attributes.get("nested_depth")
    kept, left_out = chosen(serializer)
    key = (id(serializer.cls), id(serializer.model), nested.value if isinstance(nested, Constant) else None, kept, left_out)
    known = m.serializer_fields.get(key)
    if known is None:
        m.serializer_fields[key] = known = []
        if is_made_anew(serializer.cls):
            return known
        declared = _declared(m, serializer.cls)
        shown_by_class = list(_of_class(m, serializer, declared))
        dropped = left_out.union(_dropped(serializer.cls))
        some = [shown for shown in shown_by_class[:MOST_FIELDS] if shown.name not in dropped and (kept is None or shown.name in kept)]
        known += [shown for shown in some if not _is_only_written(shown)]
    return known


def _of_class(m: Machine, serializer: Instance, declared: dict[str, Shown]) -> Iterable[Shown]:
    """Returns the fields that every serializer of a class has to begin with."""
    if serializer.cls.derives_from("ModelSerializer"):
        return _of_model(m, serializer, declared)
    return _of_resource(m, serializer, declared) if serializer.cls.derives_from("ModelResource") else declared.values()


def _dropped(cls: ClassInfo) -> Iterator[str]:
    """Yields the fields that every serializer of a class takes out of its fields when it is made."""
    for ancestor in cls.mro:
        maker = ancestor.functions.get("__init__")
        if maker is None or ancestor.module.is_library:
            continue
        for stmt in maker.node.body:
            match stmt:
                # `del self.fields["author"]`
                case ir.Delete(targets=targets):
                    for target in targets:
                        match target:
                            case ir.Index(value=ir.Attr(name="fields"), index=ir.Const(value=str() as name)):
                                yield name
                            case _:
                                pass
                # `self.fields.pop("author")`
                case ir.Expr(value=ir.Call(func=ir.Attr(value=ir.Attr(name="fields"), name="pop"), args=[ir.Const(value=str() as name), *_])):
                    yield name
                case _:
                    pass


def _is_only_written(shown: Shown) -> bool:
    return shown.field is not None and shown.field.attributes.get("write_only") == Constant(True)


def _declared(m: Machine, cls: ClassInfo) -> dict[str, Shown]:
    """Returns the fields that the bodies of a serializer class and of its ancestors declare, by name."""
    found: dict[str, Shown] = {}
    for ancestor in reversed(cls.mro):
        if ancestor.module.is_library or not ancestor.derives_from(*SERIALIZERS):
            continue
        for name, stmts in ancestor.bindings.items():
            stmt = stmts[-1]
            found.pop(name, None)
            if not isinstance(stmt, ir.Assign) or not isinstance(stmt.value, ir.Call):
                continue
            value = m.class_value(ancestor, name)
            if isinstance(value, Instance) and value.cls.derives_from(*DECLARING):
                found[name] = Shown(name, ancestor.module, stmt, field=value)
            elif value is not None:
                found[name] = Shown(name, ancestor.module, stmt, source=WHOLE)  # a field of which nothing is known
    return found


def _model_of(m: Machine, serializer: Instance) -> Model | None:
    """Returns the model of a serializer."""
    if serializer.model is not None:
        return serializer.model
    meta = m.class_value(serializer.cls, "Meta")
    model = m.class_value(meta, "model") if isinstance(meta, ClassInfo) else None
    return model.model if isinstance(model, ClassInfo) else None


def _of_model(m: Machine, serializer: Instance, declared: dict[str, Shown]) -> Iterator[Shown]:
    """Yields the fields of a serializer that is made for a model."""
    model = _model_of(m, serializer)
    meta = m.class_value(serializer.cls, "Meta")
    if serializer.model is not None:
        depth = serializer.attributes["nested_depth"]
        place: Place = (serializer.cls.module, NO_NAME)
        names: dict[str, Place] = dict.fromkeys(_default_names(m, model), place) if model is not None else {}
    elif isinstance(meta, ClassInfo):
        depth = m.class_value(meta, "depth") or NONE
        names = _chosen_names(m, meta, model, declared)
    else:
        return
    levels = depth.value if isinstance(depth, Constant) and isinstance(depth.value, int) else 0
    written = _only_written(m, meta) if isinstance(meta, ClassInfo) else frozenset()
    for name, (module, node) in names.items():
        if name in declared:
            yield declared[name]
        elif name not in written and model is not None:
            yield _made(m, serializer, model, Shown(name, module, node, source=name), levels)


def _made(m: Machine, serializer: Instance, model: Model, shown: Shown, levels: int) -> Shown:
    """Returns the field that is made for an attribute of a model: for a relation its key, or with levels left its row."""
    relation = model.relations.get(shown.name)
    if relation is None or relation.kind is Kind.GENERIC_FOREIGN_KEY:
        return shown
    if levels:
        return _nested(m, relation, shown, levels - 1)
    kind = "serializer_related_to_field" if relation.to_field and relation.target is not None else "serializer_related_field"
    if kind == "serializer_related_to_field" and relation.target is not None and relation.target.is_primary_key(relation.to_field):
        kind = "serializer_related_field"
    cls = m.class_value(serializer.cls, kind)
    if not isinstance(cls, ClassInfo):
        return shown if cls is None else Shown(shown.name, shown.module, shown.node, source=WHOLE)
    facts: dict[str, Value] = {"slug_field": Constant(relation.to_field)} if relation.to_field else {}
    return Shown(shown.name, shown.module, shown.node, field=_construct(m, shown, cls, facts, many=not relation.to_one))


def _of_resource(m: Machine, resource: Instance, declared: dict[str, Shown]) -> Iterator[Shown]:
    """Yields the fields that a resource exports: of a foreign key the key that is in the row, of many-to-many relations every row."""
    yield from declared.values()
    model, meta = _model_of(m, resource), m.class_value(resource.cls, "Meta")
    library = m.program.library.get("import_export.resources")
    if model is None or library is None or not isinstance(meta, ClassInfo):
        return
    field, many = (m.program.attribute(library, name) for name in ("Field", "ManyToManyWidget"))
    for name, (module, node) in _chosen_names(m, meta, model, declared).items():
        relation = model.relations.get(name)
        shown = Shown(name, module, node, source=relation.attname if relation is not None and relation.attname else name.replace("__", "."))
        listed = relation is not None and relation.kind is Kind.MANY_TO_MANY
        if name in declared:
            continue
        if isinstance(field, ClassInfo) and isinstance(many, ClassInfo) and (listed or resource.cls.method(f"dehydrate_{name}") is not None):
            widget = _construct(m, shown, many, {"model": UNKNOWN}, many=False) if listed else None
            facts: dict[str, Value] = {"attribute": Constant(shown.source), **({"widget": widget} if widget is not None else {})}
            shown = Shown(name, module, node, field=_construct(m, shown, field, facts, many=False))
        yield shown


def _construct(m: Machine, shown: Shown, cls: ClassInfo, facts: dict[str, Value], *, many: bool) -> Instance | None:
    frame = Frame(shown.module, f"{shown.module.name}:<fields>", muted=True)
    keywords = {**facts, "many": Constant(True)} if many else facts
    call_node = ir.Call(shown.node.start, shown.node.end, ir.Name(shown.node.start, shown.node.end, cls.name), [], [])
    made = construct(m, frame, call_node, cls, [], keywords)
    return made if isinstance(made, Instance) else None


def _nested(m: Machine, relation: Relation, shown: Shown, levels: int) -> Shown:
    """Returns the serializer that `depth` makes for a relation."""
    module = m.program.library.get("rest_framework.serializers")
    if module is None or relation.target is None:
        return Shown(shown.name, shown.module, shown.node, source=WHOLE)
    row = Instance(module.classes["ModelSerializer"], {"nested_depth": Constant(levels)}, True, model=relation.target)
    if relation.to_one:
        return Shown(shown.name, shown.module, shown.node, field=row)
    return Shown(shown.name, shown.module, shown.node, field=Instance(module.classes["ListSerializer"], {"child": row}, True))


# -------------------------------------------------------------------------------------------------------------- Meta
def _chosen_names(m: Machine, meta: ClassInfo, model: Model | None, declared: dict[str, Shown]) -> dict[str, Place]:
    """Returns the names that `Meta` chooses, each with its place."""
    listed = dict(texts_of(m, meta, "fields"))
    if listed and EVERYTHING not in listed:
        return listed
    left_out = dict(texts_of(m, meta, "exclude"))
    if not listed and not left_out and meta.find("exclude") is None and meta.find("fields") is not None:
        return {}  # computed somehow
    place = listed.get(EVERYTHING) or _statement(meta, "exclude") or (meta.module, meta.node)
    names = [*declared, *(_default_names(m, model) if model is not None else ())]
    return {name: place for name in names if name not in left_out}


def _default_names(m: Machine, model: Model) -> list[str]:
    """Returns the columns of a model and the relations that its class declares."""
    cls = m.class_of(model)
    keys = {relation.attname for relation in model.relations.values()}
    own = [r.name for r in model.relations.values() if r.kind in FORWARD and (cls is None or cls.find(r.name) is not None)]
    return [*(name for name in model.columns if name not in keys), *own]


def columns_of_model(m: Machine, model: Model) -> list[str]:
    """Returns the fields of a model that are columns of its table, foreign keys by their own name."""
    many = {relation.name for relation in model.relations.values() if relation.kind is Kind.MANY_TO_MANY}
    return [name for name in _default_names(m, model) if name not in many]


def _only_written(m: Machine, meta: ClassInfo) -> frozenset[str]:
    """Returns the fields that `Meta.extra_kwargs` declares as written only."""
    value = m.class_value(meta, "extra_kwargs")
    known = value.known if isinstance(value, Mapping) else {}
    return frozenset(n for n, entry in known.items() if isinstance(entry, Mapping) and entry.known.get("write_only") == Constant(True))


def _statement(cls: ClassInfo, name: str) -> Place | None:
    found = cls.find(name)
    return (found[0].module, found[1][-1]) if found is not None else None


def texts_of(m: Machine, cls: ClassInfo, name: str, depth: int = 0) -> Iterator[tuple[str, Place]]:
    """Yields the texts that a class attribute lists, with their places, through `Base.Meta.fields + [...]` and names of lists."""
    found = cls.find(name)
    stmts = [stmt for stmt in found[1] if isinstance(stmt, ir.Assign)] if found is not None and depth < MOST_LISTS else []
    first = max((number for number, stmt in enumerate(stmts) if not stmt.op), default=0)
    for stmt in stmts[first:]:
        if found is not None and stmt.value is not None:
            yield from _texts_in(m, stmt.value, found[0], depth)


def _texts_in(m: Machine, expr: ir.Expr_, cls: ClassInfo, depth: int) -> Iterator[tuple[str, Place]]:
    match expr:
        case ir.Const(value=str(text)):
            yield text, (cls.module, expr)
        case ir.Seq():
            for item in expr.items:
                yield from _texts_in(m, item, cls, depth)
        case ir.Star():
            yield from _texts_in(m, expr.value, cls, depth)
        case ir.Binary(op="+"):
            if expr.left is not None:
                yield from _texts_in(m, expr.left, cls, depth)
            yield from _texts_in(m, expr.right, cls, depth)
        case ir.Call() if isinstance(expr.func, ir.Name) and expr.func.id in ("list", "tuple", "sorted", "set") and expr.args:
            yield from _texts_in(m, expr.args[0], cls, depth)
        case ir.Attr():
            owner = m.program.resolve(expr.value, cls.module, cls)
            if isinstance(owner, ClassInfo):
                yield from texts_of(m, owner, expr.name, depth + 1)
            elif isinstance(owner, ModuleInfo):
                yield from _texts_of_global(m, owner, expr.name, cls, depth)
        case ir.Name() if expr.id in cls.bindings:
            yield from texts_of(m, cls, expr.id, depth + 1)
        case ir.Name():
            yield from _texts_of_global(m, cls.module, expr.id, cls, depth)
        case _:
            pass


def _texts_of_global(m: Machine, module: ModuleInfo, name: str, cls: ClassInfo, depth: int) -> Iterator[tuple[str, Place]]:
    """Yields the texts of a list that a global name holds; they stand for the place in the class that uses it."""
    stmt = module.bindings[name][-1] if name in module.bindings and depth < MOST_LISTS else None
    if isinstance(stmt, ir.Import):
        source = m.program.find_module(m.program.absolute(stmt, module), module)
        if source is not None and source is not module and stmt.name:
            yield from _texts_of_global(m, source, stmt.name, cls, depth + 1)
    elif isinstance(stmt, ir.Assign) and stmt.value is not None:
        for text, (_, node) in _texts_in(m, stmt.value, cls, depth + 1):
            yield text, (module, node)


__all__ = ["columns_of_model", "fields_of", "key_at", "read_path", "represent", "represent_each", "texts_of", "value_at"]
