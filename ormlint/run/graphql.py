"""GraphQL: lists of rows that clients ask for, and the relations of each row that they may ask for along with them.

class BookType(DjangoObjectType):              @strawberry_django.type(Book)
    class Meta:                                class BookType:
        model = Book                               title: auto
        fields = ["title", "author"]               author: "AuthorType"

class Query(ObjectType):                       @strawberry.type
    books = DjangoListField(BookType)          class Query:
                                                   books: list[BookType] = strawberry_django.field()

Every list of the query is walked, and of each row all fields are shown that lead to rows of another type or have a resolver.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ormlint.ir import nodes as ir
from ormlint.ir.walk import mentions
from ormlint.library.graphql import FIELDS, LISTS, OBJECT_TYPES, OPTIMIZERS, QUERIES, RESOLVER, ROOTS, TYPES, WHOLE_TABLES
from ormlint.library.schemas import COLLECTIONS
from ormlint.link.names import ClassInfo, External, FunctionInfo, ModuleInfo, decorator_name
from ormlint.link.sqlalchemy_models import identifiers
from ormlint.problem import Problem
from ormlint.run.attributes import attribute, default_manager
from ormlint.run.calls import call_function
from ormlint.run.django import manager_query
from ormlint.run.frame import Frame
from ormlint.run.log import QueryObject
from ormlint.run.loops import make_loop
from ormlint.run.machine import Machine
from ormlint.run.roots import internal_error
from ormlint.run.schemas import rows_of_manager
from ormlint.run.values import UNKNOWN, Constant, Manager, Row, Sequence, Value, options

DEEPEST = 2  # types below that of the list


class Shown(NamedTuple):
    """A field: its name, where it is declared, the type that it shows rows of, if many, and what gives them, if it has a resolver."""

    name: str
    node: ir.Node
    module: ModuleInfo
    type: ClassInfo | None
    many: bool
    resolver: FunctionInfo | None = None
    whole: bool = False  # all rows of the type's model, if there is no resolver


def run_graphql(m: Machine) -> list[Problem]:
    """Runs the lists of every query type; returns failures inside ormlint."""
    types = Types(m) if m.has_django else None
    if types is None or not types.models or any(mentions(module.tree, OPTIMIZERS) for module in m.program.modules.values()):
        return []
    problems: list[Problem] = []
    for cls in m.program.all_classes():
        try:
            for field in types.roots(cls):
                _run_list(m, types, cls, field)
        except Exception as failure:  # reported as an internal error with its place; the other queries are still examined
            problems.append(internal_error(cls.module.path, 1, cls.qualname, failure))
    return problems


class Types:
    """The types that show rows of models."""

    def __init__(self, m: Machine) -> None:
        self._m = m
        self.models: dict[ClassInfo, ClassInfo] = {}
        self._of_model: dict[ClassInfo, list[ClassInfo]] = {}
        for cls in m.program.all_classes():
            model = None if cls.module.is_library else self._model_of(cls)
            if model is not None:
                self.models[cls] = model
                self._of_model.setdefault(model, []).append(cls)

    def _model_of(self, cls: ClassInfo) -> ClassInfo | None:
        found: Value | object = None
        if cls.derives_from(*OBJECT_TYPES):
            meta = self._m.class_value(cls, "Meta")
            found = self._m.class_value(meta, "model") if isinstance(meta, ClassInfo) else None
        else:
            call = _decorator(self._m, cls, TYPES)
            found = self._m.program.resolve(call.args[0], cls.module) if call is not None and call.args else None
        return found if isinstance(found, ClassInfo) and found.model is not None else None

    def fields(self, cls: ClassInfo) -> Iterator[Shown]:
        """Yields the fields of a type that lead to rows of another one or have a resolver."""
        yield from self._of_meta(cls) if cls.derives_from(*OBJECT_TYPES) else self._annotated(cls)

    def roots(self, cls: ClassInfo) -> Iterator[Shown]:
        """Yields the fields of a query type that are lists of rows."""
        if cls.module.is_library or cls in self.models:
            return
        if cls.derives_from(*QUERIES):
            for name, stmts in cls.bindings.items():
                call = stmts[-1].value if isinstance(stmts[-1], ir.Assign) else None
                if isinstance(call, ir.Call) and identifiers(call.func)[-1:] and identifiers(call.func)[-1] in LISTS and call.args:
                    shown = self._m.program.resolve(call.args[0], cls.module)
                    if isinstance(shown, ClassInfo) and shown in self.models:
                        whole = identifiers(call.func)[-1] in WHOLE_TABLES
                        yield Shown(name, call, cls.module, shown, True, cls.method(RESOLVER + name), whole)
        elif _decorator(self._m, cls, ROOTS) is not None or any(self._is_root(d, cls) for d in cls.node.decorators):
            yield from (field for field in self._annotated(cls) if field.many and field.type is not None)

    def _is_root(self, node: ir.Expr_, cls: ClassInfo) -> bool:
        symbol = self._m.program.resolve(node, cls.module)
        return isinstance(symbol, External) and symbol.path in ROOTS

    def _of_meta(self, cls: ClassInfo) -> Iterator[Shown]:
        meta = self._m.class_value(cls, "Meta")
        owner = self.models[cls]
        if not isinstance(meta, ClassInfo) or owner.model is None:
            return
        named, left_out = (_names(self._m.class_value(meta, key)) for key in ("fields", "exclude"))
        node = next((meta.bindings[key][-1] for key in ("fields", "exclude", "model") if key in meta.bindings), cls.node)
        for name, relation in owner.model.relations.items():
            target = self._m.class_of(relation.target) if relation.target is not None else None
            types = [other for other in self._of_model.get(target, ()) if other.derives_from(*OBJECT_TYPES)] if target is not None else []
            if len(types) == 1 and (name in named or "__all__" in named or (bool(left_out) and name not in left_out)):
                yield Shown(name, node, meta.module, types[0], not relation.to_one, cls.method(RESOLVER + name))
        for name, function in cls.functions.items():
            field = name.removeprefix(RESOLVER)
            if field != name and field not in owner.model.relations:
                yield Shown(field, function.node, cls.module, None, False, function)

    def _annotated(self, cls: ClassInfo) -> Iterator[Shown]:
        for name, stmts in cls.bindings.items():
            stmt = stmts[-1]
            if isinstance(stmt, ir.Assign) and stmt.annotation is not None and not _has_options(stmt.value):
                shown, many = self._type_in(stmt.annotation, cls.module)
                if shown is not None:
                    yield Shown(name, stmt, cls.module, shown, many, None, whole=True)
        for name, function in cls.functions.items():
            if any(decorator_name(d) in FIELDS for d in function.node.decorators):
                shown, many = self._type_in(function.node.returns, cls.module) if function.node.returns is not None else (None, False)
                yield Shown(name, function.node, cls.module, shown, many, function)

    def _type_in(self, annotation: ir.Expr_, module: ModuleInfo) -> tuple[ClassInfo | None, bool]:
        """Returns the one type that an annotation names, and whether it asks for a list of it."""
        words = identifiers(annotation)
        named = {symbol for word in words if isinstance(symbol := self._m.program.lookup(word, module), ClassInfo) and symbol in self.models}
        return (named.pop(), not COLLECTIONS.isdisjoint(words)) if len(named) == 1 else (None, False)


def _decorator(m: Machine, cls: ClassInfo, paths: frozenset[str]) -> ir.Call | None:
    """Returns the call of one of these decorators, or None."""
    for node in cls.node.decorators:
        symbol = m.program.resolve(node.func, cls.module) if isinstance(node, ir.Call) else None
        if isinstance(node, ir.Call) and isinstance(symbol, External) and symbol.path in paths:
            return node
    return None


def _names(value: Value | None) -> frozenset[object]:
    items: Iterable[Value | None] = value.items or () if isinstance(value, Sequence) else (value,)
    return frozenset(item.value for item in items if isinstance(item, Constant))


def _has_options(value: ir.Expr_ | None) -> bool:
    """Whether a field is told where it comes from, or what it loads: `strawberry_django.field(resolver=…)`."""
    return isinstance(value, ir.Call) and bool(value.keywords)


# ------------------------------------------------------------------------------------------------------------- running
def _run_list(m: Machine, types: Types, cls: ClassInfo, field: Shown) -> None:
    frame = Frame(cls.module, f"{cls.module.name}:{cls.qualname}.{field.name}", owner=cls)
    if field.resolver is not None:
        value = call_function(m, frame, field.node, field.resolver, [UNKNOWN] * len(field.resolver.node.params[:2]), {})
    elif field.whole and field.type is not None:
        owner = types.models[field.type]
        if owner.model is None or field.type.method("get_queryset") is not None:
            return
        value = manager_query(m, frame, field.node, default_manager(m, owner, owner.model))
    else:
        return
    if field.type is not None:
        _show_each(m, frame, types, field.node, field.type, value, ())


def _show_each(m: Machine, f: Frame, types: Types, node: ir.Node, cls: ClassInfo, value: Value, above: tuple[ClassInfo, ...]) -> None:
    from ormlint.run.expressions import iterate

    held = [option for option in options(value) if isinstance(option, (Sequence, QueryObject))]
    if len(held) != 1:
        return
    iterated = iterate(m, f, held[0], node)
    site = f.site(node.start, node.end)
    loop = make_loop(m, f, (node.start, bool(above)), site, site, "graphql", iterated, cls.name)
    f.loops.append(loop)
    for row in options(iterated.element_in(m, f, loop)):
        if isinstance(row, Row):
            _show(m, f, types, cls, row, above)
    f.loops.pop()


def _show(m: Machine, f: Frame, types: Types, cls: ClassInfo, row: Row, above: tuple[ClassInfo, ...]) -> None:
    if cls in above or len(above) > DEEPEST or row.cls is not types.models[cls]:
        return
    for field in types.fields(cls):
        if field.type in (*above, cls):
            continue  # `books { author { books } }`: who asks for that?
        at = Frame(field.module, f"{cls.module.name}:{cls.qualname}.{field.name}", owner=cls, depth=f.depth + 1)
        at.loops, at.events, at.calls, at.copied, at.loop_ids, at.flow = f.loops, f.events, f.calls, f.copied, f.loop_ids, f.flow
        if field.resolver is not None:
            given: list[Value] = [row, UNKNOWN]
            value = call_function(m, at, field.node, field.resolver, given[: len(field.resolver.node.params)], {})
        else:
            text = ir.Attr(field.node.start, field.node.end, ir.Name(field.node.start, field.node.end, row.model.name.lower()), field.name)
            m.schema_fields[at.site(field.node.start, field.node.end)] = cls.name
            value = attribute(m, at, text, row, field.name)
        if isinstance(value, Manager):
            value = rows_of_manager(m, at, field.node, value)
        if field.type is not None and field.many:
            _show_each(m, at, types, field.node, field.type, value, (*above, cls))
        elif field.type is not None:
            for found in options(value):
                if isinstance(found, Row):
                    _show(m, at, types, field.type, found, (*above, cls))


__all__ = ["run_graphql"]
