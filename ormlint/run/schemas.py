"""Schemas that are filled from the attributes of a row: Pydantic's models, and what SQLModel and FastAPI make of them.

    class BookOut(BaseModel):            BookOut.model_validate(book)      reads book.title and book.author,
        title: str                       TypeAdapter(list[BookOut])        and of the author what AuthorOut names
        author: AuthorOut                @app.get("/books", response_model=list[BookOut])

Which attributes are read is said by the annotations of the class, and what is read happens at the place of the field. A class that
looks at the row itself first, in a validator that runs before, is followed only as far as that validator gives the row back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ormlint.ir import nodes as ir
from ormlint.library.schemas import BEFORE, COLLECTIONS, PAGE_PACKAGE, READ_CLASSES, RESOLVER, RESOLVING, WRAPPERS
from ormlint.link.names import ClassInfo, External, FunctionInfo, ModuleInfo, decorator_name
from ormlint.link.routes import VERBS
from ormlint.link.schema import Kind
from ormlint.link.sqlalchemy_models import identifiers
from ormlint.run.attributes import attribute
from ormlint.run.calls import call_function, replace_frame
from ormlint.run.frame import Frame, Summary
from ormlint.run.log import QueryObject
from ormlint.run.loops import make_loop
from ormlint.run.machine import Machine
from ormlint.run.values import UNKNOWN, Constant, Instance, Manager, Mapping, Native, Row, Sequence, Value, options

MOST_LEVELS = 6
Types = dict[str, "Shape"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What an annotation asks for: a schema class (None for anything else), as one object or as many; `types` are its parameters."""

    cls: ClassInfo | None = None
    many: bool = False
    types: tuple[Shape, ...] = ()


ANYTHING = Shape()


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a schema: the attributes it reads, one behind the other, and where it is declared."""

    name: str
    path: tuple[str, ...]
    module: ModuleInfo
    node: ir.Assign
    shape: Shape


# ---------------------------------------------------------------------------------------------------------- reading
def read_fields(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Fills a schema class (the first argument) from the attributes of an object (the second); returns the object it makes."""
    cls, value = (args[0], args[1]) if len(args) == 2 else (UNKNOWN, UNKNOWN)
    return validated(m, f, node, Shape(cls), value) if isinstance(cls, ClassInfo) else UNKNOWN


def fill_given(m: Machine, f: Frame, node: ir.Node, made: Instance, keywords: dict[str, Value]) -> None:
    """Fills the fields of a new object of a schema class that is given rows where it declares schemas: `Page(items=books)`."""
    for field in fields_of(m, made.cls, {}):
        value = keywords.get(field.name)
        if value is not None and field.shape != ANYTHING:
            made.attributes[field.name] = validated(m, f, node, field.shape, value, (made.cls,))


def adapter(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns a `TypeAdapter` for the annotation that the call is given."""
    module = m.program.library.get("pydantic.type_adapter")
    if module is None or not node.args:
        return UNKNOWN
    shape = shape_of(m, node.args[0], f.module)

    def validate(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        return validated(m, f, node, shape, args[0]) if args else UNKNOWN

    return Instance(module.classes["TypeAdapter"], {"validator": Native("validate", validate)}, initialised=True)


def answer(m: Machine, function: FunctionInfo, summary: Summary) -> None:
    """Reads what the response model of a FastAPI route names from what the route returns."""
    shape = _response_shape(m, function)
    if shape == ANYTHING:
        return
    frame = Frame(function.module, f"{function.module.name}:{function.qualname}", function, function.owner, is_async=function.node.is_async)
    frame.begun = len(m.serial)
    for site, value in summary.returns:
        validated(m, frame, ir.Name(site.start, site.end, function.name), shape, value)


def _response_shape(m: Machine, function: FunctionInfo) -> Shape:
    for decorator in function.node.decorators:
        if isinstance(decorator, ir.Call) and decorator_name(decorator) in VERBS:
            keywords = dict(decorator.keywords)
            given = _of_success(keywords["response"]) if "response" in keywords else keywords.get("response_model", function.node.returns)
            return shape_of(m, given, function.module) if given is not None else ANYTHING
    return ANYTHING


def _of_success(given: ir.Expr_) -> ir.Expr_:
    """Returns the annotation of the answer if all went well: that of 200 or 201 in a dict by codes."""
    if not isinstance(given, ir.Map):
        return given
    by_code = {key.value: value for key, value in zip(given.keys, given.values, strict=True) if isinstance(key, ir.Const)}
    return next((by_code[code] for code in (200, 201) if code in by_code), given)


def validated(m: Machine, f: Frame, node: ir.Node, shape: Shape, value: Value, above: tuple[ClassInfo, ...] = ()) -> Value:
    """Returns what filling an annotation from a value gives; of a row, what the annotation names is read."""
    if shape.many and isinstance(value, Manager):
        value = rows_of_manager(m, f, node, value)
    elif shape.many and isinstance(value, Instance) and value.cls.module.name.startswith(PAGE_PACKAGE):
        value = value.attributes.get("items", UNKNOWN)
    elif shape.cls is None and not shape.types:
        return value
    if shape.many:
        return _each(m, f, node, shape, value, above)
    if shape.cls is None or shape.cls.model is not None or shape.cls in above or len(above) > MOST_LEVELS:
        return value
    rows = [option for option in options(value) if isinstance(option, Row)]
    if not rows:
        _fill_parts(m, f, node, shape, value, above)
    return _filled(m, f, node, shape, rows[0], above) if len(rows) == 1 else value


def _fill_parts(m: Machine, f: Frame, node: ir.Node, shape: Shape, value: Value, above: tuple[ClassInfo, ...]) -> None:
    """Fills the fields of a schema from what a dict or an object of its own holds for them: `{"items": books, "total": 3}`."""
    cls = shape.cls
    held = [option for option in options(value) if isinstance(option, Mapping) or (isinstance(option, Instance) and option.cls is cls)]
    if cls is None or len(held) != 1 or _first_looks(cls):
        return
    given = held[0].known if isinstance(held[0], Mapping) else held[0].attributes
    for field in fields_of(m, cls, dict(zip(_parameters(cls), shape.types, strict=False))) if given else ():
        part = given.get(field.path[0]) or given.get(field.name)
        if part is not None and field.shape != ANYTHING:
            validated(m, f, node, field.shape, part, (*above, cls))


def _each(m: Machine, f: Frame, node: ir.Node, shape: Shape, value: Value, above: tuple[ClassInfo, ...]) -> Value:
    from ormlint.run.expressions import iterate

    held = [option for option in options(value) if isinstance(option, (Sequence, QueryObject))]
    if len(held) != 1:
        return value
    iterated = iterate(m, f, held[0], node)
    site = f.site(node.start, node.end)
    loop = make_loop(m, f, (node.start, bool(above)), site, site, "serializer", iterated, shape.cls.name if shape.cls is not None else "")
    f.loops.append(loop)
    element = validated(m, f, node, Shape(shape.cls, False, shape.types), iterated.element_in(m, f, loop), above)
    f.loops.pop()
    return Sequence("list", element, bound=iterated.bound, limit=iterated.limit, source=iterated.source)


def rows_of_manager(m: Machine, f: Frame, node: ir.Node, manager: Manager) -> Value:
    """Returns all rows of a related manager, which stands where a schema wants a list."""
    from ormlint.run.django import manager_method

    func = ir.Attr(node.start, node.end, ir.Name(node.start, node.end, manager.model.name.lower()), "all")
    return manager_method(m, f, ir.Call(node.start, node.end, func, [], []), manager, "all", [], {})


def _filled(m: Machine, f: Frame, node: ir.Node, shape: Shape, row: Row, above: tuple[ClassInfo, ...]) -> Value:
    cls = shape.cls
    assert cls is not None
    made = Instance(cls, initialised=True)
    for function in _first_looks(cls):
        given = call_function(m, f, node, function, [cls, row], {})
        if given is not row:
            return made  # what it is filled from is something else, or may be
    for function in _getters(cls):
        call_function(m, f, node, function, [cls, row], {})
    before, resolves = _validators(cls), _resolves(cls)
    for field in fields_of(m, cls, dict(zip(_parameters(cls), shape.types, strict=False))):
        at = _at(f, cls, field)
        resolver = cls.method(f"{RESOLVER}{field.name}") if resolves else None
        if resolver is not None:
            given = call_function(m, at, field.node, resolver, [row] if resolver.kind == "static method" else [made, row], {})
            made.attributes[field.name] = validated(m, at, field.node, field.shape, given, (*above, cls))
            continue
        value: Value = row
        text: ir.Expr_ = ir.Name(field.node.start, field.node.end, row.model.name.lower())
        for name in field.path:
            text = ir.Attr(field.node.start, field.node.end, text, name)
            m.schema_fields[at.site(field.node.start, field.node.end)] = cls.name
            value = attribute(m, at, text, value, name)
        own = before.get(field.name)
        if own is not None:
            made.attributes[field.name] = call_function(m, at, field.node, own, [cls, value], {})
        else:
            made.attributes[field.name] = validated(m, at, field.node, field.shape, value, (*above, cls))
    return made


def _at(f: Frame, cls: ClassInfo, field: Field) -> Frame:
    """Returns a frame that records into the given one, at the place of a field."""
    where = Frame(field.module, f"{field.module.name}:{cls.qualname}.{field.name}", owner=cls)
    at = replace_frame(f, where, {})
    at.qualname, at.remembered, at.left, at.loop_ids = where.qualname, f.remembered, f.left, f.loop_ids
    return at


# ------------------------------------------------------------------------------------------------- which fields there are
def is_schema(cls: ClassInfo) -> bool:
    """Whether objects of a class are filled from attributes; a class that is a table's own is not."""
    return cls.model is None and cls.derives_from(*READ_CLASSES)


def fields_of(m: Machine, cls: ClassInfo, types: Types) -> Iterator[Field]:
    """Yields the fields that a schema class and its ancestors declare; `types` are what its type parameters stand for."""
    dotted = _resolves(cls)
    found: dict[str, Field] = {field.name: field for field in _of_model(m, cls)} if dotted else {}
    for ancestor in reversed(cls.mro):
        for name, stmts in ancestor.bindings.items() if not ancestor.module.is_library else ():
            stmt = stmts[-1]
            if not isinstance(stmt, ir.Assign) or stmt.annotation is None or name.startswith("_"):
                continue
            if "ClassVar" in identifiers(stmt.annotation):
                continue
            found[name] = Field(name, _path(name, stmt, dotted=dotted), ancestor.module, stmt, shape_of(m, stmt.annotation, ancestor.module, types))
    yield from found.values()


def _resolves(cls: ClassInfo) -> bool:
    """Whether a schema looks for a resolver before the attribute."""
    return any(c.module.is_library and c.module.name in RESOLVING for c in cls.mro)


def _of_model(m: Machine, cls: ClassInfo) -> Iterator[Field]:
    """Yields the many-to-many fields that a schema has of the model its `Meta` names: of the others only columns are read."""
    meta = m.class_value(cls, "Meta")
    owner = m.class_value(meta, "model") if isinstance(meta, ClassInfo) else None
    if not isinstance(meta, ClassInfo) or not isinstance(owner, ClassInfo) or owner.model is None:
        return
    named, left_out = (_names(m.class_value(meta, key)) for key in ("fields", "exclude"))
    stmt = next((meta.bindings[key][-1] for key in ("fields", "exclude", "model") if key in meta.bindings), None)
    for name, relation in owner.model.relations.items():
        wanted = name in named or "__all__" in named or (not named and bool(left_out))
        if wanted and name not in left_out and relation.kind is Kind.MANY_TO_MANY and owner.find(name) is not None and isinstance(stmt, ir.Assign):
            yield Field(name, (name,), meta.module, stmt, Shape(many=True))


def _names(value: Value | None) -> frozenset[object]:
    items = value.items or () if isinstance(value, Sequence) else (value,)
    return frozenset(item.value for item in items if isinstance(item, Constant))


def _path(name: str, stmt: ir.Assign, *, dotted: bool = False) -> tuple[str, ...]:
    """Returns the attributes that a field reads: its alias if it has one, the steps of an `AliasPath`, those between the dots."""
    call = stmt.value
    given = dict(call.keywords) if isinstance(call, ir.Call) else {}
    alias = given.get("validation_alias") or given.get("alias")
    if isinstance(alias, ir.Const) and isinstance(alias.value, str):
        steps = alias.value.split(".") if dotted else [alias.value]
        return tuple(steps) if all(step.isidentifier() for step in steps) else (name,)
    if isinstance(alias, ir.Call) and identifiers(alias.func)[-1:] == ["AliasPath"]:
        steps = [str(arg.value) for arg in alias.args if isinstance(arg, ir.Const) and isinstance(arg.value, str)]
        return tuple(steps) if len(steps) == len(alias.args) else (name,)
    return (name,)


def shape_of(m: Machine, node: ir.Expr_, module: ModuleInfo, types: Types | None = None, depth: int = 0) -> Shape:
    """Returns what an annotation asks for, as far as it names one schema class."""
    if depth > MOST_LEVELS:
        return ANYTHING
    match node:
        case ir.Const() if isinstance(node.value, str):
            return _quoted(m, node.value, module)
        case ir.Binary(op="|") if node.left is not None:
            return _one_of([shape_of(m, part, module, types, depth + 1) for part in (node.left, node.right)])
        case ir.Name() if types and node.id in types:
            return types[node.id]
        case ir.Name() | ir.Attr():
            symbol = m.program.resolve(node, module)
            if isinstance(symbol, ClassInfo):
                return Shape(symbol) if is_schema(symbol) else ANYTHING
            alias = _alias(m, node, module)
            return shape_of(m, alias[0], alias[1], types, depth + 1) if alias is not None else ANYTHING
        case ir.Index():
            return _generic(m, node, module, types, depth)
        case _:
            return ANYTHING


def _generic(m: Machine, node: ir.Index, module: ModuleInfo, types: Types | None, depth: int) -> Shape:
    head = (identifiers(node.value) or [""])[-1]
    parts = node.index.items if isinstance(node.index, ir.Seq) else [node.index]
    if head in WRAPPERS and parts:
        return shape_of(m, parts[0], module, types, depth + 1)
    inner = [shape_of(m, part, module, types, depth + 1) for part in parts]
    if head == "Union":
        return _one_of(inner)
    if head in COLLECTIONS and inner:
        return Shape(inner[0].cls, True, inner[0].types) if not inner[0].many else ANYTHING
    symbol = m.program.resolve(node.value, module)
    if isinstance(symbol, External) and symbol.package == PAGE_PACKAGE and inner:
        return Shape(inner[0].cls, True, inner[0].types)
    return Shape(symbol, types=tuple(inner)) if isinstance(symbol, ClassInfo) and is_schema(symbol) else ANYTHING


def _one_of(shapes: list[Shape]) -> Shape:
    known = [shape for shape in shapes if shape != ANYTHING]
    return known[0] if len(known) == 1 else ANYTHING


def _quoted(m: Machine, text: str, module: ModuleInfo) -> Shape:
    words = identifiers(ir.Const(0, 0, text))
    found = [s for s in (m.program.lookup(word, module) for word in words) if isinstance(s, ClassInfo) and is_schema(s)]
    return Shape(found[0], not COLLECTIONS.isdisjoint(words)) if len(found) == 1 else ANYTHING


def _alias(m: Machine, node: ir.Expr_, module: ModuleInfo) -> tuple[ir.Expr_, ModuleInfo] | None:
    """Returns the annotation that a global name stands for and the module it is written in."""
    for stmt in module.bindings.get(node.id, ()) if isinstance(node, ir.Name) else ():
        if isinstance(stmt, ir.Assign) and isinstance(stmt.value, (ir.Index, ir.Binary)):
            return stmt.value, module
    return None


def _parameters(cls: ClassInfo) -> list[str]:
    """Returns the names of a generic class's type parameters."""
    for base in cls.node.bases:
        if isinstance(base, ir.Index) and identifiers(base.value)[-1:] in (["Generic"], ["BaseModel"], ["GenericModel"]):
            return identifiers(base.index)
    return []


# ---------------------------------------------------------------------------------------------------------- validators
def _decorated(cls: ClassInfo) -> Iterator[tuple[FunctionInfo, ir.Call]]:
    """Yields the methods of a schema class that a decorator with arguments makes validators."""
    seen: set[str] = set()
    for ancestor in cls.mro:
        for name, function in ancestor.functions.items() if not ancestor.module.is_library else ():
            for decorator in function.node.decorators if name not in seen else ():
                if isinstance(decorator, ir.Call) and decorator_name(decorator) in BEFORE:
                    yield function, decorator
            seen.add(name)


def _runs_first(decorator: ir.Call) -> bool:
    said = {name: value.value for name, value in decorator.keywords if isinstance(value, ir.Const)}
    return said.get("mode") in ("before", "wrap", "plain") or said.get("pre") is True


def _first_looks(cls: ClassInfo) -> list[FunctionInfo]:
    """Returns the validators that get the whole row before any field is read."""
    return [f for f, decorator in _decorated(cls) if BEFORE[decorator_name(decorator)] == "whole" and _runs_first(decorator)]


def _validators(cls: ClassInfo) -> dict[str, FunctionInfo]:
    """Returns by the name of the field the validators that get what was read before it is validated."""
    found: dict[str, FunctionInfo] = {}
    for function, decorator in _decorated(cls):
        if BEFORE[decorator_name(decorator)] == "field" and _runs_first(decorator):
            found.update({a.value: function for a in decorator.args if isinstance(a, ir.Const) and isinstance(a.value, str)})
    return found


def _getters(cls: ClassInfo) -> list[FunctionInfo]:
    """Returns `Config.getter_dict` of the class, where it is a method that makes a dict of the row."""
    config = next((ancestor.classes["Config"] for ancestor in cls.mro if "Config" in ancestor.classes), None)
    function = config.functions.get("getter_dict") if config is not None else None
    return [function] if function is not None else []


__all__ = ["Shape", "adapter", "answer", "fields_of", "is_schema", "read_fields", "shape_of", "validated"]
