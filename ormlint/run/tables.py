"""Tables: classes that declare columns, each of which is shown for every record (django-tables2).

    class BookTable(Table):                      the declared columns, those of ancestors included,
        shop = Column(accessor="shop__name")     and those of the fields that `Meta.fields` names or that `Meta.model` has
        def render_price(self, value): …         what a column shows is said by the table, else by the class of the column
        class Meta:
            model = Book
            fields = ["title", "author"]

What a column runs happens at the place where it is declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, FunctionInfo, ModuleInfo
from ormlint.link.schema import Kind, Model
from ormlint.run.calls import call, construct, replace_frame
from ormlint.run.frame import Frame
from ormlint.run.inline_templates import inline_template
from ormlint.run.introspection import constants_in
from ormlint.run.machine import Machine
from ormlint.run.serializers import columns_of_model, read_path, texts_of
from ormlint.run.values import NONE, UNKNOWN, BoundMethod, Closure, Constant, Instance, Mapping, Row, Sequence, Unknown, Value, options

COLUMNS = "django_tables2.columns"
MOST_COLUMNS = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """A column of a table class and where it is declared."""

    name: str
    module: ModuleInfo
    node: ir.Node
    column: Instance
    is_declared: bool


def show_cells(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Shows every column of a table (the first argument) of a record (the second); returns pairs of a column and a cell."""
    table, record = (args[0], args[1]) if len(args) == 2 else (UNKNOWN, UNKNOWN)
    if isinstance(table, Instance):
        left_out = {str(constant.value) for constant in constants_in(table.attributes.get("exclude", UNKNOWN))}
        for option in options(record):
            if not isinstance(option, Constant) and not (isinstance(option, Unknown) and not option.deps):
                for shown in columns_of(m, table.cls):
                    if shown.name not in left_out:
                        _show(m, f, shown, table, option)
    return Sequence("list", Sequence("tuple", items=(UNKNOWN, UNKNOWN)))


def _show(m: Machine, f: Frame, shown: Shown, table: Instance, record: Value) -> None:
    """Runs what one column does with a record, at the place of the column."""
    from ormlint.run.expressions import to_text

    where = Frame(shown.module, f"{shown.module.name}:{table.cls.qualname}.{shown.name}", owner=table.cls)
    at = replace_frame(f, where, {})
    at.qualname, at.remembered, at.left = where.qualname, f.remembered, f.left
    value = _value(m, at, shown, record)
    if value == NONE:
        return
    if shown.column.cls.derives_from("TemplateColumn") and _fill_in(m, at, shown, {"record": record, "value": value}):
        return
    own = table.cls.method(f"render_{shown.name}")
    usual = shown.column.cls.method("render")
    given = {"value": value, "record": record, "column": shown.column, "bound_column": UNKNOWN, "bound_row": UNKNOWN, "table": table}
    if own is not None:
        content = _call_with(m, at, shown.node, BoundMethod(own, table), own, given)
    else:
        content = _call_with(m, at, shown.node, BoundMethod(usual, shown.column), usual, given) if usual is not None else UNKNOWN
    to_text(m, at, content, shown.node)
    _link(m, at, shown, given)


def _value(m: Machine, at: Frame, shown: Shown, record: Value) -> Value:
    accessor = shown.column.attributes.get("accessor", NONE)
    if isinstance(accessor, (Closure, FunctionInfo)):
        return call(m, at, _call_node(shown.node), accessor, [record], {})
    path = _path_of(accessor) or (shown.name if accessor == NONE else "")
    return read_path(m, at, shown.node, record, path) if path else UNKNOWN


def _path_of(accessor: Value) -> str:
    if isinstance(accessor, Instance):
        accessor = accessor.attributes.get("path", UNKNOWN)
    return accessor.value.replace("__", ".") if isinstance(accessor, Constant) and isinstance(accessor.value, str) else ""


def _fill_in(m: Machine, at: Frame, shown: Shown, context: dict[str, Value]) -> bool:
    """Renders the template whose text a column is given or its class has; returns whether there is one."""
    from ormlint.run.templates import run_template, variables

    call = shown.node.value if isinstance(shown.node, ir.Assign) else None
    code = None
    if isinstance(call, ir.Call):
        code = dict(call.keywords).get("template_code", call.args[0] if call.args else None)
    template = inline_template(m, shown.module, code)
    found = shown.column.cls.find("template_code") if template is None else None
    if found is not None and isinstance(found[1][-1], ir.Assign):
        template = inline_template(m, found[0].module, found[1][-1].value)
    if template is not None:
        run_template(m, at, shown.node, template, {**context, **variables(m, shown.column.attributes.get("extra_context", UNKNOWN))})
    return template is not None


def _link(m: Machine, at: Frame, shown: Shown, given: dict[str, Value]) -> None:
    """Runs what makes the link around a cell: `get_absolute_url()`, a function, or accessors among the arguments of a route."""
    linkify = shown.column.attributes.get("linkify", NONE)
    match linkify:
        case Constant(value=True):
            target = next((option for option in options(given["value"]) if isinstance(option, Row)), given["record"])
            if isinstance(target, Row) and target.cls is not None and target.cls.method("get_absolute_url") is not None:
                read_path(m, at, shown.node, target, "get_absolute_url")
        case Closure() | FunctionInfo():
            _call_with(m, at, shown.node, linkify, linkify, given)
        case _:
            for accessor in _accessors(linkify):
                path = _path_of(accessor)
                if path:
                    read_path(m, at, shown.node, given["record"], path)


def _accessors(value: Value) -> Iterator[Instance]:
    match value:
        case Instance() if "path" in value.attributes:
            yield value
        case Sequence() if value.items is not None:
            for item in value.items:
                yield from _accessors(item)
        case Mapping():
            for item in value.known.values():
                yield from _accessors(item)
        case _:
            pass


def _call_with(m: Machine, at: Frame, node: ir.Node, func: Value, function: Value, given: dict[str, Value]) -> Value:
    """Calls a function with those of the given arguments that it names."""
    if isinstance(function, Closure):
        function = function.function or function
    params = function.node.params if isinstance(function, FunctionInfo) else []
    if isinstance(function, Closure) and function.body is not None:
        params = function.body.params
    takes_all = any(param.kind == "**" for param in params)
    named = {param.name for param in params}
    return call(m, at, _call_node(node), func, [], {name: value for name, value in given.items() if takes_all or name in named})


def _call_node(node: ir.Node) -> ir.Call:
    return ir.Call(node.start, node.end, ir.Name(node.start, node.end, "render"), [], [])


# ------------------------------------------------------------------------------------------------ which columns there are
def columns_of(m: Machine, cls: ClassInfo) -> list[Shown]:
    """Returns the columns that a table class shows."""
    known = m.table_columns.get(id(cls))
    if known is None:
        m.table_columns[id(cls)] = known = []
        found: dict[str, Shown] = {}
        for ancestor in reversed(cls.mro):
            if not ancestor.module.is_library:
                _add_columns(m, ancestor, found)
        known += [shown for shown in list(found.values())[:MOST_COLUMNS] if shown.column.attributes.get("visible") != Constant(False)]
    return known


def _add_columns(m: Machine, cls: ClassInfo, found: dict[str, Shown]) -> None:
    """Adds the columns that one class declares or has from its model, and takes out those that it gives up."""
    meta = cls.classes.get("Meta")
    if meta is not None:
        for shown in _of_model(m, meta):
            if shown.name not in found or not found[shown.name].is_declared:
                found[shown.name] = shown
    for name, stmts in cls.bindings.items():
        stmt = stmts[-1]
        if isinstance(stmt, ir.Assign):
            value = m.class_value(cls, name)
            if isinstance(value, Instance) and value.cls.derives_from("Column"):
                found[name] = Shown(name, cls.module, stmt, value, is_declared=True)
            else:
                found.pop(name, None)
    for name, _ in texts_of(m, meta, "exclude") if meta is not None else ():
        found.pop(name, None)


def _of_model(m: Machine, meta: ClassInfo) -> Iterator[Shown]:
    """Yields the columns that are made for the fields of `Meta.model`."""
    cls = m.class_value(meta, "model")
    model = cls.model if isinstance(cls, ClassInfo) else None
    if model is None:
        return
    chosen = dict(texts_of(m, meta, "fields"))
    linked = {name for name, _ in texts_of(m, meta, "linkify")}
    if not chosen:
        if meta.find("fields") is not None:
            return  # computed somehow
        owner, stmts = meta.find("model") or (meta, [meta.node])
        chosen = dict.fromkeys(columns_of_model(m, model), (owner.module, stmts[-1]))
    for name, (module, node) in chosen.items():
        column = _made(m, module, node, model, name, linked)
        if column is not None:
            yield Shown(name, module, node, column, is_declared=False)


def _made(m: Machine, module: ModuleInfo, node: ir.Node, model: Model, name: str, linked: Iterable[str]) -> Instance | None:
    """Returns the column that is made for a lookup path of a model."""
    relation = None
    for hop in name.replace("__", ".").split("."):
        relation = model.relations.get(hop)
        if relation is None or relation.target is None:
            break
        model = relation.target
    library = m.program.library.get(COLUMNS)
    if library is None:
        return None
    many = relation is not None and relation.kind is Kind.MANY_TO_MANY
    cls = library.classes["ManyToManyColumn" if many else "Column"]
    frame = Frame(module, f"{module.name}:<columns>", muted=True)
    made = construct(m, frame, _call_node(node), cls, [], {"accessor": Constant(name), "linkify": Constant(name in linked)})
    return made if isinstance(made, Instance) else None
