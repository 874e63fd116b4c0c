"""Objects of the project's classes: what their attributes are, and which method sets them.

class Handler:                     `self.orders` in `respond` is what `prepare` put there, whoever calls the two:
    def prepare(self): self.orders = Order.objects.all()
    def respond(self): for order in self.orders: …
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ormlint.ir import nodes as ir
from ormlint.library import sqlalchemy_api
from ormlint.library.functions import INJECTORS
from ormlint.library.schemas import DUMPS
from ormlint.link.names import ClassInfo, External, FunctionInfo, decorator_name
from ormlint.link.sqlalchemy_models import identifiers
from ormlint.run.application_settings import of_application
from ormlint.run.frame import Frame
from ormlint.run.log import QueryObject, UseKind
from ormlint.run.machine import Machine
from ormlint.run.stand_ins import dict_member, handed_on
from ormlint.run.traits import is_trait, trait_value
from ormlint.run.values import NONE, UNKNOWN, BoundMethod, Instance, Method, Row, Session, Union, Unknown, Value, deps_of, options

RECORDS = frozenset({"BaseModel", "SQLModel", "Schema", "GenericModel", "Struct", "TypedDict", "NamedTuple"})
RECORD_DECORATORS = frozenset({"dataclass", "define", "frozen", "attrs"})
REQUESTS = {"HttpRequest": "django.http.request", "Request": "rest_framework.request"}
_BARE = frozenset({"builtins", "abc", "typing", "typing_extensions", "enum"})  # packages whose classes bring no attributes that a program asks for
MAX_DEPTH = 8  # calls deep in which it is still asked which methods set an attribute
MAX_IMPLEMENTATIONS = 3  # overrides of an abstract method that a call of it may mean
MAX_SETTERS = 4  # an attribute that more methods set is a state, of which nothing is known


def property_value(m: Machine, f: Frame, node: ir.Node, owner: Row | Instance | ClassInfo, function: FunctionInfo) -> Value:
    """Returns what a property of a row, an object or a class is; a cached one is computed once per run of the function that reads it."""
    from ormlint.run.calls import call_function

    if function.kind == "property":
        return call_function(m, f, node, function, [owner], {})
    site = f.site(node.start, node.end)
    kept = f.remembered.get(identity := (_same_object(owner), id(function)))
    if kept is not None:
        _, value, first = kept
        for option in options(value):
            if isinstance(option, QueryObject) and option.trail[-1:] == (first,) and first != site:
                option.trail = option.trail[:-1]  # one object for both readers, of whom neither is a place that all rows pass
        return value
    f.awaiting += 1  # it may have been computed before, where nobody waited
    value = call_function(m, f, node, function, [owner], {})
    f.remembered[identity] = (owner, value, site)
    f.awaiting -= 1
    m.use(f, value, UseKind.STORE, node)  # whoever reads the property next gets the same object
    return value


def _same_object(owner: Row | Instance | ClassInfo) -> object:
    """Returns what stays the same however often the program reads an object: a relation of one row gives one row."""
    if isinstance(owner, Row) and owner.origin is not None and owner.origin.path:
        return (id(owner.origin.query), owner.origin.path, tuple(loop.id for loop in owner.births))
    return id(owner)


def instance_attribute(m: Machine, f: Frame, node: ir.Node, value: Instance, name: str) -> Value:
    """Returns what an attribute of an object is."""
    found = value.attributes.get(name)
    if found is not None:
        return found
    cls = value.cls
    function = cls.method(name)
    if function is not None:
        if function.kind in ("property", "cached property"):
            return property_value(m, f, node, value, function)
        if function.kind == "static method":
            return function
        if function.kind == "method" and is_abstract(function):
            return implemented(cls, name) or BoundMethod(function, value)
        return BoundMethod(function, cls if function.kind == "class method" else value)
    if name == "__class__":
        return cls
    if not value.initialised:
        from ormlint.run.calls import initialise

        initialise(m, f, value)
        found = value.attributes.get(name)
        if found is not None:
            return found
    known = m.class_value(cls, "Meta" if name == "_meta" else name)
    if isinstance(known, External) and known.name in INJECTORS:
        return filled_in(m, cls, name)
    declared = known is not None and is_trait(known)
    if known is not None and not isinstance(known, Unknown) and known != NONE and not declared:
        return known
    put = put_by_methods(m, f, value, name)
    if put is not None:
        return put
    if declared:
        return trait_value(m, f, node, value, name) or UNKNOWN
    if known is not None and not isinstance(known, Unknown):
        return known
    annotated = annotated_attribute(m, cls, name)
    if annotated is not None:
        return annotated
    if name in DUMPS:
        from ormlint.run.dumps import dumper

        dumping = dumper(value, name)
        if dumping is not None:
            return dumping
    if cls.name in REQUESTS and cls.module.is_library and cls.module.name in REQUESTS.values():
        from ormlint.run.requests import request_attribute

        given = request_attribute(m, f.depth, name)
        if given is not None:
            return given
    if cls.derives_from("Session", "AsyncSession", "scoped_session") and name in sqlalchemy_api.SESSION_METHODS:
        return Method(Session(is_async=cls.derives_from("AsyncSession")), name)
    elsewhere = dict_member(m, value, name) or of_application(m, cls, name) or handed_on(m, f, node, value, name)
    if elsewhere is not None:
        return elsewhere
    return Unknown(deps_of(value)) if value.deps else UNKNOWN


def has_attribute(m: Machine, value: Instance, name: str) -> bool | None:
    """Whether an object has an attribute that only some classes of the project bind, None if that is not known.

    # `hasattr(self, "list_serializer_class")`
    """
    cls = value.cls
    if name in value.attributes or cls.find(name) is not None:
        return True
    seen = {each.module.name.partition(".")[0] for each in cls.mro if each.module.is_library}
    if any(external.package not in seen | _BARE for external in cls.externals):
        return None  # of a base out of sight
    if cls.method("__getattr__") is not None or _is_bound_below(cls, name) or any(name in _set_by(m, function) for function in _methods(cls)):
        return None
    if m.bound_in_classes is None:
        m.bound_in_classes = frozenset().union(*(owner.bindings for owner in m.program.all_classes() if not owner.module.is_library))
    return False if name in m.bound_in_classes else None


def _is_bound_below(cls: ClassInfo, name: str) -> bool:
    return any(name in heir.bindings or _is_bound_below(heir, name) for heir in cls.subclasses)


def annotated_attribute(m: Machine, cls: ClassInfo, name: str) -> Value | None:
    """Returns what `name: Type` in a class body says about an attribute, or None."""
    for ancestor in cls.mro:
        for stmt in ancestor.bindings.get(name, ()):
            if isinstance(stmt, ir.Assign) and stmt.annotation is not None:
                from ormlint.run.annotations import annotated

                return annotated(m, stmt.annotation, ancestor.module)
    return None


def is_record(cls: ClassInfo) -> bool:
    """Whether a class declares fields that its objects are made with: a data class, a model of pydantic."""
    return cls.derives_from(*RECORDS) or any(decorator_name(d) in RECORD_DECORATORS for d in cls.node.decorators)


def fields_of_record(m: Machine, cls: ClassInfo) -> dict[str, Value]:
    """Returns what is known of the fields of a record that somebody else made: their defaults are not what they hold.

    # class Asked(BaseModel): order: str = "id"
    """
    found = m.record_fields.get(id(cls))
    if found is not None:
        return found
    found = m.record_fields[id(cls)] = {}
    for ancestor in cls.mro if is_record(cls) else ():
        for name, stmts in ancestor.bindings.items() if not ancestor.module.is_library else ():
            stmt = stmts[-1]
            if isinstance(stmt, ir.Assign) and stmt.annotation is not None and stmt.value is not None and not isinstance(stmt.value, ir.Call):
                if "ClassVar" not in identifiers(stmt.annotation):
                    found.setdefault(name, annotated_attribute(m, ancestor, name) or UNKNOWN)
    return found


def filled_in(m: Machine, cls: ClassInfo, name: str) -> Value:
    """Returns what a framework puts into `name: Type = Depends(dependency)` of a class body."""
    from ormlint.run.externals import injected

    annotation = annotated_attribute(m, cls, name)
    if annotation is not None:
        return annotation
    for ancestor in cls.mro:
        for stmt in ancestor.bindings.get(name, ()):
            if isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Call):
                return injected(m, ancestor.module, stmt.value) or UNKNOWN
    return UNKNOWN


def is_abstract(function: FunctionInfo) -> bool:
    """Whether a method is there to be overridden: `@abstractmethod`, or a body that only raises NotImplementedError."""
    if any(decorator_name(decorator) == "abstractmethod" for decorator in function.node.decorators):
        return True
    last = function.node.body[-1] if len(function.node.body) in (1, 2) else None
    raised = last.value if isinstance(last, ir.Raise) else None
    named = raised.func if isinstance(raised, ir.Call) else raised
    return isinstance(named, ir.Name) and named.id == "NotImplementedError"


def implemented(cls: ClassInfo, name: str) -> Value | None:
    """Returns the methods that classes below override an abstract one with, on objects of those classes; None if there are none or many."""
    found: dict[ClassInfo, FunctionInfo] = {}
    below = list(cls.subclasses)
    while below:
        heir = below.pop()
        below += heir.subclasses
        own = heir.functions.get(name)
        if own is not None and not heir.module.is_library and not is_abstract(own):
            found[heir] = own
    if not 0 < len(found) <= MAX_IMPLEMENTATIONS:
        return None
    methods: list[Value] = [BoundMethod(function, Instance(heir)) for heir, function in found.items()]
    return methods[0] if len(methods) == 1 else Union(tuple(methods))


def put_by_methods(m: Machine, f: Frame, value: Instance, name: str) -> Value | None:
    """Returns what the methods of an object's class put into an attribute, or None if none does or too many do."""
    cls = value.cls
    if value.deps or cls.module.is_library or f.depth > MAX_DEPTH:
        return None
    known = m.instances.get(id(cls))
    if known is None:
        known = m.instances[id(cls)] = Instance(cls, initialised=True)
    if (id(cls), name) not in m.asked_attributes:
        m.asked_attributes.add((id(cls), name))
        setters = [function for function in _methods(cls) if name in _set_by(m, function)]
        for function in setters if len(setters) <= MAX_SETTERS else ():
            if not _run_setter(m, f, function, known):
                inherited = put_by_methods(m, f, Instance(function.owner), name) if function.owner not in (None, cls) else None
                if inherited is not None:
                    known.attributes[name] = inherited
    return known.attributes.get(name)


def _methods(cls: ClassInfo) -> Iterator[FunctionInfo]:
    for ancestor in cls.mro:
        if not ancestor.module.is_library:
            yield from (function for function in ancestor.functions.values() if function.kind in ("method", "function"))


def _run_setter(m: Machine, f: Frame, function: FunctionInfo, known: Instance) -> bool:
    """Runs a method on an object. Returns False if it may not be run again: a base of many classes is run on itself, whatever else it was run on."""
    from ormlint.run.calls import unknown_arguments

    env = unknown_arguments(m, function)
    env[function.node.params[0].name] = known
    return m.run_function(function, env, ("setter", id(known.cls)), depth=f.depth + 1, spent=function.owner is known.cls) is not None


def _set_by(m: Machine, function: FunctionInfo) -> frozenset[str]:
    """Returns the attributes of `self` that a method assigns."""
    found = m.set_attributes.get(id(function))
    if found is None:
        first = function.node.params[0].name if function.node.params else ""
        found = m.set_attributes[id(function)] = frozenset(assigned_attributes(function.node.body, first)) if first else frozenset()
    return found


def assigned_attributes(body: Iterable[ir.Stmt], owner: str) -> Iterator[str]:
    """Yields the attributes of a variable that statements assign."""
    for stmt in body:
        match stmt:
            case ir.Assign() if stmt.value is not None and not stmt.op:
                for target in stmt.targets:
                    yield from _attributes(target, owner)
            case ir.If() | ir.While() | ir.Loop():
                yield from assigned_attributes((*stmt.body, *stmt.orelse), owner)
            case ir.With():
                yield from assigned_attributes(stmt.body, owner)
            case ir.Try():
                yield from assigned_attributes((*stmt.body, *(s for h in stmt.handlers for s in h.body), *stmt.orelse, *stmt.final), owner)
            case _:
                pass


def _attributes(target: ir.Expr_, owner: str) -> Iterator[str]:
    match target:
        case ir.Attr(value=ir.Name(id=name)) if name == owner:
            yield target.name
        case ir.Seq():
            for item in target.items:
                yield from _attributes(item, owner)
        case _:
            pass


def shown_row(m: Machine, cls: ClassInfo, name: str) -> Row | None:
    """Returns the row that a method of a serializer shows a field of, as `get_total(self, order)` does; None if it does not."""
    if not cls.derives_from("ModelSerializer") or cls.find(name.removeprefix("get_")) is None:
        return None
    meta = m.class_value(cls, "Meta")
    model = m.class_value(meta, "model") if isinstance(meta, ClassInfo) else None
    return Row(model.model, model) if isinstance(model, ClassInfo) and model.model is not None else None
