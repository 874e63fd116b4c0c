"""Annotations: what a parameter's or attribute's type says about its value."""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.library.sqlalchemy_api import SESSION_TYPES
from ormlint.link.names import ClassInfo, External, ModuleInfo
from ormlint.link.sqlalchemy_models import COLLECTIONS, identifiers
from ormlint.run.application_values import REQUEST, REQUESTS
from ormlint.run.log import QueryObject
from ormlint.run.machine import Machine, text_of
from ormlint.run.values import Instance, Row, Sequence, Session, Value
from ormlint.text import Site

QUERYSETS = frozenset({"QuerySet", "QuerySetAny", "BaseManager", "RelatedManager", "ValuesQuerySet"})
ITERABLES = COLLECTIONS | {"Iterator", "Generator", "tuple", "Tuple", "frozenset", "FrozenSet", "AbstractSet", "AsyncIterator", "Paginator", "Page"}
TRANSPARENT = frozenset({"Optional", "Annotated", "ClassVar", "Final", "Awaitable", "Mapped", "Self"})


def annotated(m: Machine, node: ir.Expr_, module: ModuleInfo, depth: int = 0) -> Value | None:
    """Returns a value of the annotated type whose provenance is not known, or None if the type says nothing."""
    if depth > 6:
        return None
    match node:
        case ir.Const() if isinstance(node.value, str):
            return _quoted(m, node.value, module)
        case ir.Index():
            return _generic(m, node, module, depth)
        case ir.Binary(op="|"):
            sides = [annotated(m, part, module, depth + 1) for part in (node.left, node.right) if part is not None]
            return _either([s for s in sides if s is not None])
        case ir.Name() | ir.Attr():
            found = _alias(m, node, module, depth)
            return found if found is not None else of_symbol(m, m.program.resolve(node, module))
        case _:
            return None


def _either(known: list[Value]) -> Value | None:
    """Returns what one of several types says: nothing if they differ, sessions of one kind being all the same."""
    same = len(known) == 1 or (len(known) > 1 and all(isinstance(value, Session) and value == known[0] for value in known))
    return known[0] if same else None


def _alias(m: Machine, node: ir.Expr_, module: ModuleInfo, depth: int) -> Value | None:
    """Returns what a type alias stands for: `SessionDep = Annotated[Session, Depends(get_session)]`, `NewType("ReadSession", Session)`."""
    if not isinstance(node, ir.Name):
        return None
    for stmt in module.bindings.get(node.id, ()):
        if isinstance(stmt, ir.Assign) and isinstance(stmt.value, (ir.Index, ir.Binary)):
            return annotated(m, stmt.value, module, depth + 1)
        call = stmt.value if isinstance(stmt, ir.Assign) else None
        if isinstance(call, ir.Call) and text_of(call.func).endswith("NewType") and len(call.args) == 2:
            return annotated(m, call.args[1], module, depth + 1)
        if isinstance(stmt, ir.Import) and stmt.name:
            target = m.program.find_module(m.program.absolute(stmt, module), module)
            if target is not None and target is not module and not target.is_library and stmt.name in target.bindings:
                return _alias(m, ir.Name(node.start, node.end, stmt.name), target, depth + 1)
    return None


def of_symbol(m: Machine, symbol: object) -> Value | None:
    """Returns a value of a class, or None if the class tells nothing."""
    if isinstance(symbol, ClassInfo):
        if symbol.model is not None:
            return Row(symbol.model, symbol)
        if symbol.derives_from("Session", "AsyncSession", "scoped_session"):
            return Session(is_async=symbol.derives_from("AsyncSession"))
        if symbol.derives_from("Enum", "IntEnum", "StrEnum", "TextChoices", "Protocol"):
            return None
        from ormlint.run.attributes import is_manager_class
        from ormlint.run.django import queryset_as_class

        if is_manager_class(symbol) or queryset_as_class(m, symbol):
            return None
        return Instance(symbol)
    if isinstance(symbol, External):
        if symbol.name in SESSION_TYPES and symbol.package in ("sqlalchemy", "sqlmodel", "flask_sqlalchemy"):
            return Session(is_async=symbol.name.startswith("Async") or symbol.name.startswith("async"))
        if symbol.path in REQUESTS:
            return REQUEST
        if symbol.path.endswith("get_user_model()") or symbol.path == "django.contrib.auth.models.User":
            user = m.django.user()
            return Row(user, m.class_of(user)) if user is not None else None
    return None


def _generic(m: Machine, node: ir.Index, module: ModuleInfo, depth: int) -> Value | None:
    names = identifiers(node.value)
    head = names[-1] if names else ""
    first = node.index.items[0] if isinstance(node.index, ir.Seq) and node.index.items else node.index
    if head in TRANSPARENT:
        return annotated(m, first, module, depth + 1)
    if head == "Union" and isinstance(node.index, ir.Seq):
        return _either([v for v in (annotated(m, part, module, depth + 1) for part in node.index.items) if v is not None])
    inner = annotated(m, first, module, depth + 1)
    if head in QUERYSETS:
        return unknown_query(m, inner.model, module, node) if isinstance(inner, Row) else None
    if head in ITERABLES:
        return Sequence("list", inner) if inner is not None else None
    if head in ("type", "Type"):
        return inner.cls if isinstance(inner, Row) and inner.cls is not None else None
    if head in ("dict", "Dict", "Mapping", "defaultdict") and isinstance(node.index, ir.Seq) and len(node.index.items) == 2:
        from ormlint.run.values import Mapping

        element = annotated(m, node.index.items[1], module, depth + 1)
        return Mapping(element=element) if element is not None else None
    return of_symbol(m, m.program.resolve(node.value, module))


def unknown_query(m: Machine, model: object, module: ModuleInfo, node: ir.Node) -> QueryObject:
    """Returns a QuerySet of a model of which it is not known what it loads."""
    from ormlint.link.schema import Model
    from ormlint.run.frame import Frame

    assert isinstance(model, Model)
    query = QueryObject(model=model, orm=model.orm, site=Site(module.tree.path, node.start, node.end), complete=False)
    m.created[query] = (Frame(module, "<annotation>"), ())
    return query


def _quoted(m: Machine, text: str, module: ModuleInfo) -> Value | None:
    """Returns what a quoted annotation says, as far as its names tell: the last class, in a collection or not."""
    words = identifiers(ir.Const(0, 0, text))
    for word in reversed(words):
        found = of_symbol(m, m.program.lookup(word, module)) if word not in ITERABLES and word not in TRANSPARENT and word != "None" else None
        if found is not None:
            if isinstance(found, Row) and not QUERYSETS.isdisjoint(words):
                return unknown_query(m, found.model, module, ir.Const(0, 0, None))
            return Sequence("list", found) if not ITERABLES.isdisjoint(words) else found
    return None
