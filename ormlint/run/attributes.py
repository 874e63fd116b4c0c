"""Attribute access: what `value.name` is for every kind of value."""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.library import querysets
from ormlint.library.functions import REQUEST_STORES, TEMPLATE_ENVIRONMENT
from ormlint.library.schemas import READERS
from ormlint.link.metaclasses import metaclass_method, metaclasses
from ormlint.link.names import ClassInfo, ConstRef, External, FunctionInfo, InstanceRef, ModuleInfo, decorator_name
from ormlint.link.schema import Model, Orm
from ormlint.run.application_values import REQUEST, application_value
from ormlint.run.frame import Frame
from ormlint.run.log import QueryObject
from ormlint.run.machine import Machine
from ormlint.run.merging import join_values
from ormlint.run.objects import instance_attribute, property_value
from ormlint.run.request_values import request_value
from ormlint.run.rows import NEW_STATE, SAVED_STATE, row_attribute, without_doubt
from ormlint.run.stand_ins import dict_member
from ormlint.run.values import (
    NONE,
    UNKNOWN,
    BoundMethod,
    Closure,
    Constant,
    Descriptor,
    Instance,
    Manager,
    Mapping,
    Method,
    Native,
    Option,
    Row,
    Scalar,
    Sequence,
    Session,
    Super,
    Union,
    Unknown,
    Value,
    varying,
)

SOME_MODEL = External("ormlint.some_model")
"""A Django model class of which it is not known which one it is: `content_type.model_class()`."""
MANAGER_NAMES = frozenset({"objects", "_default_manager", "_base_manager"})
MAX_IMPORTS = 4  # import statements followed to where a name is assigned
PROPERTIES = frozenset({"property", "cached property"})


def attribute(m: Machine, f: Frame, node: ir.Node, value: Value, name: str) -> Value:
    """Returns what `value.name` is; reading it may run a query or a property."""
    kind = type(value)
    if kind is Unknown:
        return value
    if kind is External:
        if isinstance(value, External) and value.path in REQUEST_STORES:
            kept = request_value(m, name)
            if kept is not None:
                return kept
        if name == "adding" and value in (NEW_STATE, SAVED_STATE):
            return Constant(value is NEW_STATE)
        if value is SOME_MODEL and name in MANAGER_NAMES:
            return Manager(m.some_model)
        if isinstance(value, External) and value.path.endswith((".state", ".app", REQUEST.path)):
            kept = application_value(m, value, name)
            if kept is not None:
                return kept
        if name == TEMPLATE_ENVIRONMENT:
            environment = m.program.find_module("jinja2.environment", None)
            made = m.program.lookup("Environment", environment) if environment is not None else None
            return Instance(made) if isinstance(made, ClassInfo) else UNKNOWN
        return External(f"{value.path}.{name}")  # type: ignore[union-attr]
    match value:
        case Row():
            return row_attribute(m, f, node, value, name)
        case Instance():
            return instance_attribute(m, f, node, value, name)
        case ClassInfo():
            return class_member(m, f, node, value, name)
        case ModuleInfo():
            return module_member(m, value, name)
        case QueryObject() | Manager():
            return query_member(m, f, node, value, name)
        case Union():
            # None has no such attribute: who reads it relies on there being something
            options = without_doubt(tuple(option for option in value.options if option != NONE) or value.options, name)
            found = attribute(m, f, node, options[0], name)
            for option in options[1:]:
                found = join_values(m, found, attribute(m, f, node, option, name))
            return found
        case Constant():
            return UNKNOWN if value.value is None else Method(value, name)
        case Super():
            return super_member(m, f, node, value, name)
        case Session():
            return session_member(value, name)
        case Descriptor():
            return descriptor_member(value, name)
        case Sequence() if value.kind == "tuple" and value.items is not None:
            named = next((i for i in value.items if isinstance(i, Row) and i.model.name == name), None)
            return named if named is not None else Method(value, name)
        case Sequence() | Mapping() | Option():
            return Method(value, name)
        case FunctionInfo() | BoundMethod() | Closure():
            return task_member(value, name)
        case Scalar():
            return varying((value,))
        case _:
            return UNKNOWN


def task_member(value: Value, name: str) -> Value:
    """Returns what an attribute of a function is: `.delay` of a task runs elsewhere."""
    return UNKNOWN


def module_member(m: Machine, module: ModuleInfo, name: str) -> Value:
    """Returns what a module attribute is."""
    if name in module.bindings or module.stars:
        return m.global_value(module, name)
    found = m.program.attribute(module, name)
    return UNKNOWN if found is None or isinstance(found, (ConstRef, InstanceRef)) else found


def session_member(value: Session, name: str) -> Value:
    """Returns what an attribute of a SQLAlchemy session is."""
    if name in ("session", "sync_session", "registry"):
        return value
    return Method(value, name)


def descriptor_member(value: Descriptor, name: str) -> Value:
    """Returns what an attribute of a mapped attribute is: a comparison, a loader option helper.

    There is no further hop: `Book.author.country` raises AttributeError.
    """
    target = value.relation.target if value.relation is not None else None
    if target is not None and (name in target.relations or name in target.columns):
        return UNKNOWN
    return Method(value, name)


# ------------------------------------------------------------------------------------------------------------ classes
def class_member(m: Machine, f: Frame, node: ir.Node, cls: ClassInfo, name: str) -> Value:
    """Returns what `Class.name` is."""
    model = cls.model
    if model is not None:
        found = model_member(m, f, node, cls, model, name)
        if found is not None:
            return found
    function = cls.method(name)
    if function is not None:
        if function.kind == "class method":
            return BoundMethod(function, cls)
        if function.kind in PROPERTIES and is_property_of_class(function):
            return property_value(m, f, node, cls, function)
        return function
    value = m.class_value(cls, name)
    if value is None or value is UNKNOWN:
        function = metaclass_method(m.program, cls, name)
        if function is not None:
            return property_value(m, f, node, cls, function) if function.kind in PROPERTIES else BoundMethod(function, cls)
    if value is not None:
        return descriptor_value(m, f, node, cls, value)
    if name == "_meta" and model is None:
        meta = m.class_value(cls, "Meta")
        return meta if isinstance(meta, ClassInfo) else UNKNOWN
    if name in ("__name__", "__qualname__", "__doc__", "__module__", "_meta", "DoesNotExist", "MultipleObjectsReturned"):
        return UNKNOWN
    if name == "__class__":
        return UNKNOWN
    if name == "__subclasses__":
        return Native(name, lambda *_: subclasses(cls))
    if cls.externals and model is None and name in READERS and cls.derives_from("SQLModel"):
        from ormlint.run.schemas import read_fields

        return Native(name, lambda m, f, node, args, keywords: read_fields(m, f, node, [cls, *args[:1]], keywords))
    if cls.externals and model is None:
        return External(f"{cls.externals[0].path}.{name}")
    return UNKNOWN


def is_property_of_class(function: FunctionInfo) -> bool:
    """Whether reading a property on the class itself runs it: `@classproperty`, `@classmethod` around `@property`."""
    return any(decorator_name(d) in ("classproperty", "class_property", "classmethod") for d in function.node.decorators)


def descriptor_value(m: Machine, f: Frame, node: ir.Node, cls: ClassInfo, value: Value) -> Value:
    """Returns what reading a class attribute gives, where that is a descriptor of the project: `rows = RowsOfClass()` with `__get__`."""
    getter = value.cls.method("__get__") if isinstance(value, Instance) else None
    if getter is None:
        return value
    from ormlint.run.calls import call_function

    return call_function(m, f, node, getter, [value, NONE, cls], {})


def subclasses(cls: ClassInfo) -> Value:
    """Returns what `Class.__subclasses__()` gives."""
    return Sequence("list", items=tuple(cls.subclasses))


def model_member(m: Machine, f: Frame, node: ir.Node, cls: ClassInfo, model: Model, name: str) -> Value | None:
    """Returns what an attribute of a model class is as far as the ORM makes it, or None."""
    if model.orm is Orm.SQLALCHEMY:
        if name in model.relations:
            return Descriptor(model, name, model.relations[name])
        if name in model.columns:
            return Descriptor(model, name)
        if (name == "query" and not _has_query(cls)) or _is_query_property(cls, name):
            from ormlint.run.queries import new_queryset

            query = new_queryset(m, f, node, model, style="query")
            made_of = m.class_value(cls, "query_class")
            if isinstance(made_of, ClassInfo):
                m.queryset_classes[query] = made_of
            return query
        if name == "select" and cls.find(name) is None:
            return select_of_base(cls)
        return None
    found = manager_named(m, cls, model, name)
    if found is not None:
        return found
    if name in model.relations or name in model.columns:
        return UNKNOWN
    return None


def _is_query_property(cls: ClassInfo, name: str) -> bool:
    """Whether a class body says `name = db_session.query_property()`."""
    found = cls.find(name)
    value = found[1][-1].value if found is not None and isinstance(found[1][-1], ir.Assign) else None
    return isinstance(value, ir.Call) and isinstance(value.func, ir.Attr) and value.func.name == "query_property"


def select_of_base(cls: ClassInfo) -> Native:
    """Returns the class method of a base that is not among the files: `Book.select(user)` picks rows of the class, which of them is not known."""

    def select(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        from ormlint.run.sqlalchemy import statement

        if "columns" in keywords:
            return UNKNOWN
        made = statement(m, f, node, [cls], "select")
        made.recipe = None
        return made

    return Native("select", select)


def _has_query(cls: ClassInfo) -> bool:
    """Whether a class has a `query` of its own, not that of `db.Model`, which a mixin behind it in `class Book(db.Model, Mixin)` does not replace."""
    if "query" in cls.bindings:
        return True
    for base in cls.bases:
        if isinstance(base, External) and _is_flask_model(base):
            return False
        if isinstance(base, ClassInfo) and base is not cls:
            if _has_query(base):
                return True
            if any(_is_flask_model(external) for external in base.externals):
                return False
    return False


def _is_flask_model(base: External) -> bool:
    return base.name == "Model" and "SQLAlchemy()" in base.path


def manager_named(m: Machine, cls: ClassInfo, model: Model, name: str) -> Manager | None:
    """Returns the manager that a class attribute of a Django model is, or None."""
    key = (id(cls), name)
    known = m.managers.get(key)
    if isinstance(known, Manager):
        return known
    found: Manager | None = None
    bound = cls.find(name)
    if bound is not None:
        stmt = bound[1][-1]
        if isinstance(stmt, ir.Assign) and isinstance(stmt.value, (ir.Call, ir.Name, ir.Attr)):
            found = manager_of(m, bound[0], stmt.value, model)
    elif name in MANAGER_NAMES:
        is_plain = name == "objects" or (name == "_base_manager" and not model.has_base_manager)
        found = Manager(model) if is_plain else default_manager(m, cls, model)
    if found is not None:
        m.managers[key] = found
    return found


def default_manager(m: Machine, cls: ClassInfo, model: Model) -> Manager:
    """Returns the manager that Django uses by default for a model: the one that `Meta` names, or the first one it declares."""
    key = (id(cls), "<default>")
    known = m.managers.get(key)
    if known is None:
        named = _named_in_meta(cls)
        first = (
            manager_of(m, ancestor, stmts[-1].value, model)
            for ancestor in cls.mro
            for name, stmts in ancestor.bindings.items()
            if isinstance(stmts[-1], ir.Assign) and isinstance(stmts[-1].value, ir.Call) and name not in model.relations
        )
        declared = iter((manager_named(m, cls, model, named),)) if named else first
        known = m.managers[key] = next((found for found in declared if found is not None), Manager(model))
    assert isinstance(known, Manager)
    return known


def _named_in_meta(cls: ClassInfo) -> str:
    """Returns the name that `default_manager_name` in the nearest `Meta` of a model gives, "" if it says none."""
    meta = next((c.classes["Meta"] for c in cls.mro if "Meta" in c.classes), None)
    bound = meta.find("default_manager_name") if meta is not None else None
    stmt = bound[1][-1] if bound is not None else None
    if isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Const) and isinstance(stmt.value.value, str):
        return stmt.value.value
    return ""


def manager_of(m: Machine, cls: ClassInfo, node: ir.Expr_, model: Model) -> Manager | None:
    """Returns the manager that an expression in a model's body makes: `Books()`, `BookQuerySet.as_manager()`, `M.from_queryset(Q)()`."""
    if not isinstance(node, ir.Call):
        return None
    func = node.func
    if isinstance(func, ir.Attr) and func.name == "as_manager":
        symbol = m.program.resolve(func.value, cls.module, cls)
        if isinstance(symbol, ClassInfo):
            return Manager(model, queryset_cls=stood_for(m, symbol))
        return Manager(model) if isinstance(symbol, External) else None
    made = _class_made(m, cls.module, func)
    if made is not None:
        return _from_queryset(m, made, model)
    symbol = m.program.resolve(func, cls.module, cls)
    if isinstance(symbol, External):
        # `ScopedManager(shop="shop", _manager_class=BookManager)` of django-scopes gives a manager of that class
        given = next((value for name, value in node.keywords if name in querysets.MANAGER_CLASSES), None)
        symbol = m.program.resolve(given, cls.module, cls) if given is not None else symbol
    if isinstance(symbol, ClassInfo) and is_manager_class(symbol):
        queryset_cls: ClassInfo | None = None
        for ancestor in symbol.mro:
            for base in ancestor.node.bases:
                made = _class_made(m, ancestor.module, base)
                if made is not None:
                    queryset_cls = _from_queryset(m, made, model).queryset_cls or queryset_cls
        return Manager(model, symbol, queryset_cls=queryset_cls)
    if isinstance(symbol, External) and symbol.name.endswith("Manager") and symbol.name != "TaggableManager":
        return Manager(model)
    return None


def _class_made(m: Machine, module: ModuleInfo, node: ir.Expr_, depth: int = 0) -> tuple[ModuleInfo, ir.Call] | None:
    """Returns the call of `from_queryset()` that makes the class an expression of a module names, and where it stands; None if there is none.

    # `BookManager = Manager.from_queryset(BookQuerySet)` … `from shop.managers import BookManager` … `objects = BookManager()`
    """
    if isinstance(node, ir.Call):
        return (module, node) if isinstance(node.func, ir.Attr) and node.func.name == "from_queryset" else None
    if depth > MAX_IMPORTS:
        return None
    name = node.id if isinstance(node, ir.Name) else node.name if isinstance(node, ir.Attr) else ""
    if isinstance(node, ir.Attr):
        home = m.program.resolve(node.value, module)
        if not isinstance(home, ModuleInfo):
            return None
        module = home
    for stmt in reversed(module.bindings.get(name, ())):
        if isinstance(stmt, ir.Assign) and isinstance(stmt.value, (ir.Call, ir.Name)):
            return _class_made(m, module, stmt.value, depth + 1)
        if isinstance(stmt, ir.Import) and stmt.name:
            target = m.program.find_module(m.program.absolute(stmt, module), module)
            return _class_made(m, target, ir.Name(stmt.start, stmt.end, stmt.name), depth + 1) if target is not None else None
    return None


def _from_queryset(m: Machine, made: tuple[ModuleInfo, ir.Call], model: Model) -> Manager:
    module, call = made
    assert isinstance(call.func, ir.Attr)
    base = m.program.resolve(call.func.value, module)
    inner = m.program.resolve(call.args[0], module) if call.args else None
    queryset_cls = stood_for(m, inner) if isinstance(inner, ClassInfo) else None
    return Manager(model, base if isinstance(base, ClassInfo) else None, queryset_cls=queryset_cls)


def stood_for(m: Machine, cls: ClassInfo) -> ClassInfo:
    """Returns the class whose attributes a class has through its metaclass, or the class itself if it has its own.

    # `class Books(metaclass=Proxy): default = BookQuerySet`, where `Proxy.__getattr__` looks everything up in `default`
    """
    if cls.externals:
        return cls
    if not any("__getattr__" in metaclass.functions for metaclass in metaclasses(m.program, cls)):
        return cls
    named = (stmts[-1].value for stmts in cls.bindings.values() if isinstance(stmts[-1], ir.Assign))
    found = [m.program.resolve(value, cls.module, cls) for value in named if isinstance(value, (ir.Name, ir.Attr))]
    classes = [symbol for symbol in found if isinstance(symbol, ClassInfo)]
    return classes[0] if len(classes) == 1 else cls


def is_manager_class(cls: ClassInfo) -> bool:
    """Whether a class is a Django manager."""
    return any(e.name.endswith("Manager") or e.path.endswith("from_queryset()") for e in cls.externals) and not cls.derives_from("TaggableManager")


def super_member(m: Machine, f: Frame, node: ir.Node, value: Super, name: str) -> Value:
    """Returns what `super().name` is: the next definition along the MRO of the object's class."""
    cls = class_behind(m, value.self) or value.owner
    mro = cls.mro if value.owner in cls.mro else value.owner.mro
    after = mro[mro.index(value.owner) + 1 :]
    for ancestor in after:
        function = ancestor.functions.get(name)
        if function is not None:
            if function.kind in PROPERTIES:
                return property_value(m, f, node, value.self, function) if isinstance(value.self, (Row, Instance)) else UNKNOWN
            return function if function.kind == "static method" else BoundMethod(function, value.self)
        if name in ancestor.bindings:
            return m.class_value(ancestor, name) or UNKNOWN
    if isinstance(value.self, (Row, QueryObject, Manager)):
        return Method(value.self, f"super:{name}")
    if isinstance(value.self, Instance) and value.owner.externals:
        of_dict = dict_member(m, value.self, name)
        if of_dict is not None:
            return of_dict
    if name == "__init__" and isinstance(value.self, Instance):
        from ormlint.run.dumps import is_dumping, keeper

        if is_dumping(value.self.cls):
            return keeper(value.self)
    if value.owner.externals:
        return External(f"{value.owner.externals[0].path}.{name}")
    return UNKNOWN


# ------------------------------------------------------------------------------------------------------------ queries
def query_member(m: Machine, f: Frame, node: ir.Node, value: QueryObject | Manager, name: str) -> Value:
    """Returns what an attribute of a query object or manager is: a method of the project's class or of the table."""
    custom = custom_method(m, value, name)
    if custom is not None:
        return custom if custom.kind == "static method" else BoundMethod(custom, value)
    if isinstance(value, QueryObject) and value.orm is Orm.SQLALCHEMY:
        return Method(value, name)
    if name == "model":
        cls = m.class_of(value.model) if value.model is not None else None
        return cls if cls is not None else UNKNOWN
    if name == "query" and isinstance(value, QueryObject):  # its SQL: `cursor.execute(f"EXPLAIN {books.query}")`
        for query in value.lineage():
            query.refined_by |= {name}
    if querysets.canonical(name) is not None or name == "super:get_queryset":
        return Method(value, name)
    cls = class_behind(m, value)
    if cls is not None:
        known = m.class_value(cls, name)
        if known is not None:
            return known
    return UNKNOWN


def custom_method(m: Machine, value: QueryObject | Manager, name: str) -> FunctionInfo | None:
    """Returns the project's own method of a manager or QuerySet class, or None."""
    if isinstance(value, Manager):
        for cls in (value.cls, value.queryset_cls):
            if cls is not None:
                found = cls.method(name)
                if found is not None:
                    return found
        return None
    cls = queryset_class(m, value) if value.style not in ("result", "list") else None  # rows are no query, whatever class their query had
    return cls.method(name) if cls is not None else None


def queryset_class(m: Machine, query: QueryObject) -> ClassInfo | None:
    """Returns the project's QuerySet class that a query object is an instance of, or None."""
    return m.queryset_classes.get(query)


def class_behind(m: Machine, value: Value) -> ClassInfo | None:
    """Returns the class that a value is an instance of, or None."""
    match value:
        case Row() | Instance():
            return value.cls
        case Manager():
            return value.cls or value.queryset_cls
        case QueryObject():
            return m.queryset_classes.get(value)
        case ClassInfo():
            return value
        case _:
            return None
