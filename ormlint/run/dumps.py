"""Schemas that dump rows: classes of marshmallow, whose fields are calls in the class body.

    class BookSchema(Schema):                    BookSchema(many=True).dump(books)     reads book.title, book.author
        title = fields.String()                                                        and of the author what AuthorSchema names
        author = fields.Nested(AuthorSchema)

What is dumped may be a row, an object that the program made around it, or a dictionary: `PageSchema().dump({"books": books})`.
What a field reads happens at the place where it is declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library.schemas import DUMP_BY_MODEL, DUMPED_BY, DUMPS
from ormlint.link.names import ClassInfo, ModuleInfo, decorator_name
from ormlint.run.attributes import attribute
from ormlint.run.calls import call, call_function, replace_frame
from ormlint.run.evaluate import evaluate
from ormlint.run.frame import Frame
from ormlint.run.log import QueryObject
from ormlint.run.loops import make_loop
from ormlint.run.machine import Machine
from ormlint.run.values import UNKNOWN, Constant, Instance, Mapping, Native, Row, Sequence, Value, options

MOST_LEVELS = 6
NO_NAMES: frozenset[str] = frozenset()


class Choice(Struct, frozen=True):
    """Which fields of a schema are dumped: `only` (None for all) without `left_out`; dotted names speak of nested schemas."""

    only: frozenset[str] | None = None
    left_out: frozenset[str] = NO_NAMES

    def has(self, name: str) -> bool:
        """Whether a field is dumped."""
        named = self.only is None or any(text.partition(".")[0] == name for text in self.only)
        return named and name not in self.left_out

    def below(self, name: str) -> Choice:
        """Returns the choice that the dotted names make for a nested schema."""
        inner = frozenset(text[len(name) + 1 :] for text in self.only or () if text.startswith(f"{name}."))
        return Choice(inner or None, frozenset(text[len(name) + 1 :] for text in self.left_out if text.startswith(f"{name}.")))


@dataclass(frozen=True, slots=True)
class Dumped:
    """A field: its name, where it is declared, the call that makes it (None for one that the model gives)."""

    name: str
    module: ModuleInfo
    node: ir.Node
    made: ir.Call | None = None
    kind: str = ""


def is_dumping(cls: ClassInfo) -> bool:
    """Whether a class is a schema of marshmallow."""
    return cls.model is None and any(e.name in DUMPED_BY and "marshmallow" in e.path.lower() for e in cls.externals)


def dumper(schema: Instance, name: str) -> Value | None:
    """Returns the method of a schema that dumps, or None if `name` is another one."""
    if name not in DUMPS or not is_dumping(schema.cls):
        return None

    def dump(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        many = keywords.get("many") or (args[1] if len(args) > 1 else None) or schema.attributes.get("many")
        shape = Choice(_names(schema.attributes.get("only")), _names(schema.attributes.get("exclude")) or NO_NAMES)
        return _dump(m, f, node, schema.cls, args[0], shape, many=many == Constant(True)) if args else UNKNOWN

    return Native(name, dump)


def keeper(schema: Instance) -> Value:
    """Returns `super().__init__` of a schema, which keeps what the schema is made with."""

    def keep(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        schema.attributes.update({name: value for name, value in keywords.items() if name in ("many", "only", "exclude")})
        return Constant(None)

    return Native("__init__", keep)


def _names(value: Value | None) -> frozenset[str] | None:
    items = value.items if isinstance(value, Sequence) else None
    if items is None:
        return None
    return frozenset(item.value for item in items if isinstance(item, Constant) and isinstance(item.value, str))


# ---------------------------------------------------------------------------------------------------------- dumping
def _dump(
    m: Machine, f: Frame, node: ir.Node, cls: ClassInfo, value: Value, choice: Choice, *, many: bool, above: tuple[ClassInfo, ...] = ()
) -> Value:
    from ormlint.run.expressions import iterate

    if not many:
        for shown in [option for option in options(value) if isinstance(option, (Row, Instance, Mapping))][:1]:
            _fields(m, f, node, cls, shown, choice, above)
        return Mapping()
    held = [option for option in options(value) if isinstance(option, (Sequence, QueryObject))]
    if len(held) != 1:
        return UNKNOWN
    iterated = iterate(m, f, held[0], node)
    site = f.site(node.start, node.end)
    loop = make_loop(m, f, (node.start, bool(above)), site, site, "serializer", iterated, cls.name)
    f.loops.append(loop)
    _dump(m, f, node, cls, iterated.element_in(m, f, loop), choice, many=False, above=above)
    f.loops.pop()
    return Sequence("list", Mapping(), bound=iterated.bound, limit=iterated.limit, source=iterated.source)


def _fields(m: Machine, f: Frame, node: ir.Node, cls: ClassInfo, row: Row | Instance | Mapping, choice: Choice, above: tuple[ClassInfo, ...]) -> None:
    if cls in above or len(above) > MOST_LEVELS:
        return
    for ancestor in cls.mro:
        for function in ancestor.functions.values():
            if any(decorator_name(d) == "pre_dump" for d in function.node.decorators):
                if call_function(m, f, node, function, [Instance(cls, initialised=True), row], {}) is not row:
                    return  # what is dumped is something else, or may be
    for field in fields_of(m, cls):
        if choice.has(field.name):
            where = Frame(field.module, f"{field.module.name}:{cls.qualname}.{field.name}", owner=cls)
            at = replace_frame(f, where, {})
            at.qualname, at.remembered, at.left, at.loop_ids = where.qualname, f.remembered, f.left, f.loop_ids
            m.schema_fields[at.site(field.node.start, field.node.end)] = cls.name
            _show(m, at, field, cls, row, choice.below(field.name), (*above, cls))


def _show(m: Machine, at: Frame, field: Dumped, cls: ClassInfo, row: Row | Instance | Mapping, choice: Choice, above: tuple[ClassInfo, ...]) -> None:
    given = dict(field.made.keywords) if field.made is not None else {}
    first = field.made.args[0] if field.made is not None and field.made.args else None
    name = _text(given.get("attribute")) or (_text(first) if field.kind == "auto_field" else "") or field.name
    if field.kind == "Method":
        method = cls.method(_text(first) or _text(given.get("serialize")) or f"get_{field.name}")
        if method is not None:
            call_function(m, at, field.node, method, [Instance(cls, initialised=True), row], {})
        return
    if field.kind == "Function":
        function = evaluate(m, at, first) if first is not None else UNKNOWN
        text = ir.Call(field.node.start, field.node.end, ir.Name(field.node.start, field.node.end, field.name), [], [])
        call(m, at, text, function, [row], {})
        return
    value: Value = row
    named = row.model.name if isinstance(row, Row) else row.cls.name if isinstance(row, Instance) else cls.name.removesuffix("Schema")
    text_of_read: ir.Expr_ = ir.Name(field.node.start, field.node.end, named.lower())
    for part in name.split("."):
        text_of_read = ir.Attr(field.node.start, field.node.end, text_of_read, part)
        value = value.known.get(part, UNKNOWN) if isinstance(value, Mapping) else attribute(m, at, text_of_read, value, part)
    inner, many, given = _nested(m, field, first, given)
    if inner is not None:
        shape = choice
        if field.kind == "Pluck" and field.made is not None:
            shape = Choice(frozenset({_text(field.made.args[1]) if len(field.made.args) > 1 else _text(given.get("field_name"))}))
        elif choice.only is None:
            only, without = (_names(evaluate(m, at, given[key])) if key in given else None for key in ("only", "exclude"))
            shape = replace(choice, only=only, left_out=choice.left_out | (without or NO_NAMES))
        _dump(m, at, field.node, inner, value, shape, many=many, above=above)


def _nested(m: Machine, field: Dumped, first: ir.Expr_ | None, given: dict[str, ir.Expr_]) -> tuple[ClassInfo | None, bool, dict[str, ir.Expr_]]:
    """Returns the schema class of a nested field, whether it dumps many objects, and the keywords that it or its schema is made with."""
    many = _is_true(given.get("many"))
    if field.kind == "List" and isinstance(first, ir.Call) and _kind(m, first, field.module) in ("Nested", "Pluck"):
        given = {**given, **dict(first.keywords)}
        first, many = (first.args[0] if first.args else given.get("nested")), True
    elif field.kind not in ("Nested", "Pluck"):
        return None, False, given
    first = first if first is not None else given.get("nested")
    if isinstance(first, ir.Lambda):
        first = first.body
    if isinstance(first, ir.Call):
        many = many or _is_true(dict(first.keywords).get("many"))
        given = {**given, **dict(first.keywords)}
        first = first.func
    if isinstance(first, ir.Const) and isinstance(first.value, str):
        name = first.value.rpartition(".")[2]
        found = m.program.lookup(name, field.module)
        named = [found] if isinstance(found, ClassInfo) else [c for c in m.program.all_classes() if c.name == name]
        return (named[0] if len(named) == 1 else None), many, given
    symbol = m.program.resolve(first, field.module) if first is not None else None
    return (symbol if isinstance(symbol, ClassInfo) else None), many, given


# ------------------------------------------------------------------------------------------------- which fields there are
def fields_of(m: Machine, cls: ClassInfo) -> Iterator[Dumped]:
    """Yields the fields that a schema dumps: those its body and its ancestors' declare and those its model gives."""
    found: dict[str, Dumped] = {}
    meta = cls.classes.get("Meta") or next((c.classes["Meta"] for c in cls.mro if "Meta" in c.classes), None)
    value = m.class_value(meta, "model") if meta is not None else None
    if meta is not None and isinstance(value, ClassInfo) and value.model is not None and cls.derives_from(*DUMP_BY_MODEL):
        names = list(value.model.columns)
        if m.class_value(meta, "include_relationships") == Constant(True) or cls.derives_from("ModelSchema"):
            names += value.model.relations
        found.update({name: Dumped(name, meta.module, _statement(meta, "model")) for name in names})
    for ancestor in reversed(cls.mro):
        for name, stmts in ancestor.bindings.items():
            stmt = stmts[-1]
            if isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Call):
                kind = _kind(m, stmt.value, ancestor.module)
                found[name] = Dumped(name, ancestor.module, stmt, stmt.value, kind)
            else:
                found.pop(name, None)
    only = _names(m.class_value(meta, "fields")) if meta is not None else None
    without = (_names(m.class_value(meta, "exclude")) if meta is not None else None) or NO_NAMES
    for name, field in found.items():
        written = field.made is not None and _is_true(dict(field.made.keywords).get("load_only"))
        if (only is None or name in only) and name not in without and not written:
            yield field


def _statement(cls: ClassInfo, name: str) -> ir.Node:
    bound = cls.find(name)
    return bound[1][-1] if bound is not None else cls.node


def _kind(m: Machine, made: ir.Call, module: ModuleInfo) -> str:
    """Returns the name of the class of a field as marshmallow calls it."""
    symbol = m.program.resolve(made.func, module)
    if isinstance(symbol, ClassInfo):
        return symbol.externals[0].name if symbol.externals else ""
    return made.called


def _text(node: ir.Expr_ | None) -> str:
    return node.value if isinstance(node, ir.Const) and isinstance(node.value, str) else ""


def _is_true(node: ir.Expr_ | None) -> bool:
    return isinstance(node, ir.Const) and node.value is True


__all__ = ["dumper", "fields_of", "is_dumping", "keeper"]
