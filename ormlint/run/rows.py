"""Rows: reading their columns and relations, saving and deleting them."""

from __future__ import annotations

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library import querysets
from ormlint.link.names import ClassInfo, External
from ormlint.link.schema import Kind, Model, Orm, Relation
from ormlint.run import plans
from ormlint.run.detaching import freshen, read_detached
from ormlint.run.expiry import read_expired
from ormlint.run.failures import failed_load, obstacle_to
from ormlint.run.frame import Frame
from ormlint.run.log import Bound, Loaded, LoadKind, LoadPlan, Obstacle, Op, Origin, QueryObject, Use, UseKind
from ormlint.run.machine import Machine
from ormlint.run.objects import property_value
from ormlint.run.pins import is_none, pinned, unpin_all
from ormlint.run.proxies import proxied
from ormlint.run.queries import MAPPING_LOADS, around_row, mapping_plan
from ormlint.run.unread import is_unread
from ormlint.run.values import (
    NONE,
    UNKNOWN,
    BoundMethod,
    Constant,
    Manager,
    Mapping,
    Method,
    Row,
    Sequence,
    Unknown,
    Value,
    deps_of,
)

NEW_STATE, SAVED_STATE = External("ormlint.state.new"), External("ormlint.state.saved")
"""`row._state` of a row that is not in the database yet, and of one that came from it."""
PREFETCHED = "_prefetched_objects_cache"
"""Where Django keeps the prefetched collections of a row, by name."""
DJANGO_METHODS = frozenset(
    {
        "save",
        "delete",
        "asave",
        "adelete",
        "refresh_from_db",
        "arefresh_from_db",
        "full_clean",
        "clean",
        "clean_fields",
        "validate_unique",
        "save_base",
        "get_deferred_fields",
        "serializable_value",
        "validate_constraints",
    }
)


def row_attribute(m: Machine, f: Frame, node: ir.Node, row: Row, name: str) -> Value:
    """Returns what an attribute of a row is; a relation that is not loaded costs a query."""
    if row.expired is not None and read_expired(m, f, node, row, name):
        return row_deps(row)
    if row.stale:
        if row.detached is not None:
            read_detached(m, f, node, row, name)
        else:
            freshen(f, row)
    if row.model.is_primary_key(name):
        return row_deps(row) if row.fresh or row.origin is None else Unknown(deps_of(row), present=True)
    relation = row.model.relations.get(name)
    cls = row.cls
    if cls is not None:
        function = cls.method(name)
        hidden = function is not None and function.kind != "property" and name in row.plan.annotated
        if function is not None and not hidden and (relation is None or relation.model is not row.model):
            return row_function(m, f, node, row, function)
    if relation is not None:
        return row_relation(m, f, node, row, relation)
    column = row.model.columns.get(name)
    if column is not None:
        if is_deferred(row, name):
            _lazy_column(m, f, node, row, name)
        known = pinned(row, name) if row.known or (row.origin is not None and row.origin.query.pins) else None
        return row_deps(row) if known is None else known
    entry = row.plan.loaded.get(f"to_attr:{name}")
    if entry is not None:
        return _to_attr(m, row, entry)
    if name == "__class__":
        return cls if cls is not None else UNKNOWN
    if name == "_state" and (row.fresh or row.origin is not None):
        return NEW_STATE if row.fresh else SAVED_STATE
    if name == PREFETCHED and row.model.orm is Orm.DJANGO:
        return _prefetched_names(m, row)
    if row.model.orm is Orm.SQLALCHEMY and name == "awaitable_attrs":
        return replace(row, awaited=True)
    if row.model.orm is Orm.DJANGO and name in DJANGO_METHODS:
        return Method(row, name)
    if cls is not None:
        proxy = proxied(m, f, node, row, cls, name) if row.model.orm is Orm.SQLALCHEMY else None
        if proxy is not None:
            return proxy
        known = m.class_value(cls, name)
        if known is not None and not isinstance(known, Unknown):
            return known
        managed = _manager_attribute(m, cls, row.model, name)
        if managed is not None:
            return managed
    return row_deps(row)


def _manager_attribute(m: Machine, cls: ClassInfo, model: Model, name: str) -> Manager | None:
    from ormlint.run.attributes import MANAGER_NAMES, manager_named

    return manager_named(m, cls, model, name) if model.orm is Orm.DJANGO and name in MANAGER_NAMES else None


def _prefetched_names(m: Machine, row: Row) -> Value:
    """Returns the names of the prefetched collections of a row as far as they are known for certain."""
    if not row.plan.loaded and any(row is plain for plain in m.plain_rows):
        return Sequence(PREFETCHED, items=())
    if row.origin is None or not row.origin.query.complete or not all(entry.certain for entry in row.plan.loaded.values()):
        return row_deps(row)
    relations = (row.model.relations.get(name) for name in row.plan.loaded)
    return Sequence(PREFETCHED, items=tuple(Constant(relation.name) for relation in relations if relation is not None and not relation.to_one))


def row_deps(row: Row) -> Value:
    """Returns an unknown value that varies with the row."""
    return Unknown(frozenset(loop.id for loop in row.births)) if row.births else UNKNOWN


def row_function(m: Machine, f: Frame, node: ir.Node, row: Row, function: object) -> Value:
    """Returns what a method or property of the model's class gives."""
    from ormlint.link.names import FunctionInfo

    assert isinstance(function, FunctionInfo)
    if function.kind in ("property", "cached property"):
        return property_value(m, f, node, row, function)
    if function.kind == "static method":
        return function
    return BoundMethod(function, row.cls if function.kind == "class method" and row.cls is not None else row)


def is_deferred(row: Row, name: str) -> bool:
    """Whether a column of the row was left out by `only()`, `defer()` or the mapping, and can be loaded when it is read."""
    plan = row.plan
    if row.origin is None or name in row.assigned or (row.origin.query.asynchronous and not row.awaited):
        return False
    return name in plan.deferred or (plan.only is not None and name not in plan.only)


def without_doubt(options: tuple[Value, ...], name: str) -> tuple[Value, ...]:
    """Returns the values that may stand in a place, without the rows that lack a column which others of the rows have: it may be these."""
    lack = [isinstance(option, Row) and is_deferred(option, name) for option in options]
    if not any(lack) or not any(isinstance(option, Row) and not without for option, without in zip(options, lack, strict=True)):
        return options
    return tuple(option for option, without in zip(options, lack, strict=True) if not without)


def _lazy_column(m: Machine, f: Frame, node: ir.Node, row: Row, name: str) -> None:
    assert row.origin is not None
    m.event(
        f,
        Op.LAZY_COLUMN,
        node,
        loops=row.births,
        model=row.model,
        orm=row.model.orm,
        query=row.origin.query,
        row=row.origin,
        column=name,
        depends=deps_of(row),
        row_loops=row.births,
        absolute=comes_from_outside(m, f, row),
    )


def _to_attr(m: Machine, row: Row, entry: Loaded) -> Value:
    relation = row.model.relation(entry.to_attr)
    target = relation.target if relation is not None else None
    if target is None:
        return Sequence("list", row_deps(row))
    origin = Origin(row.origin.query, (*row.origin.path, entry.to_attr)) if row.origin is not None else None
    plan = entry.plan
    if relation is not None and relation.inverse is not None and relation.inverse.kind is Kind.FOREIGN_KEY:
        plan = plans.load(plan, (relation.inverse.name,), LoadKind.KNOWN, row.plan)
    return Sequence("list", Row(target, m.class_of(target), origin, plan))


# ---------------------------------------------------------------------------------------------------------- relations
def row_relation(m: Machine, f: Frame, node: ir.Node, row: Row, relation: Relation) -> Value:
    """Returns what reading a relation of a row gives: the row behind it, or the manager or list of a collection."""
    entry = row.plan.loaded.get(relation.name)
    if entry is not None and not entry.certain and f.conditional == 0 and entry.kind is not LoadKind.KNOWN:
        entry = None  # some way to this point does not load it, and this place reads it always
    if not relation.to_one and row.model.orm is Orm.DJANGO:
        return _related_manager(m, row, relation, entry, node)
    if row.fresh and entry is None:
        return _behind(m, row, relation, None, plans.EMPTY)
    if relation.to_one:
        if row.origin is not None and row.origin.query.pins and is_none(row, relation.name):
            return NONE
        return _related_row(m, f, node, row, relation, entry)
    return _collection(m, f, node, row, relation, entry)


def _behind(m: Machine, row: Row, relation: Relation, origin: Origin | None, plan: LoadPlan) -> Value:
    if relation.target is None:
        return row_deps(row)
    detached = row.detached if origin is not None else None
    return Row(relation.target, m.class_of(relation.target), origin, plan, row.births, detached=detached, sought=row.sought)


def _related_manager(m: Machine, row: Row, relation: Relation, entry: Loaded | None, node: ir.Node) -> Value:
    if relation.target is None:
        return row_deps(row)
    from ormlint.run.attributes import default_manager

    cls = m.class_of(relation.target)
    base = default_manager(m, cls, relation.target) if cls is not None else Manager(relation.target)
    return Manager(relation.target, base.cls, row, relation, entry, node, base.queryset_cls)


def _related_row(m: Machine, f: Frame, node: ir.Node, row: Row, relation: Relation, entry: Loaded | None) -> Value:
    if row.model.orm is Orm.SQLALCHEMY and entry is None and row.origin is None:
        kind = MAPPING_LOADS.get(relation.lazy)
        if kind is not None:
            entry = Loaded(kind, plans.EMPTY)
    path = (*row.origin.path, relation.name) if row.origin is not None else (relation.name,)
    if entry is not None:
        if row.origin is None and entry.kind is not LoadKind.KNOWN:
            return _behind(m, row, relation, None, entry.plan)
        origin = Origin(row.origin.query, path) if row.origin is not None else None
        if row.origin is not None:
            m.used_loads.setdefault(row.origin.query, {})[path] = None
        if entry.kind is LoadKind.KNOWN:
            owner = _owner(m, row, relation, entry.plan)
            if owner is not None:
                return owner
            origin = _way_back(row, relation) or (origin if entry.plan.loaded and not _is_one_row(m, row) else None)
        if entry.kind is LoadKind.RAISE:
            failed_load(m, f, node, row, relation, Obstacle.FORBIDDEN)
        return _behind(m, row, relation, origin, _with_partner(row, relation, entry.plan))
    if relation.kind is Kind.PARENT_LINK:
        return _behind(m, row, relation, None, plans.EMPTY)
    if row.origin is None:
        return _behind(m, row, relation, None, plans.EMPTY)
    obstacle = obstacle_to(m, row)
    if obstacle is not None:
        if not failed_load(m, f, node, row, relation, obstacle):
            return _behind(m, row, relation, None, plans.EMPTY)
        below = mapping_plan(relation.target) if relation.target is not None else plans.EMPTY
        return _behind(m, row, relation, Origin(row.origin.query, path), below)
    if row.model.orm is Orm.SQLALCHEMY and is_held(m, f, relation, row.origin.query):
        return _behind(m, row, relation, None, plans.EMPTY)
    loops, foreign = around_row(f, row, row.births)
    foreign = comes_from_outside(m, f, row)
    m.event(
        f,
        Op.LAZY_OBJECT,
        node,
        loops=loops,
        model=relation.target,
        orm=row.model.orm,
        query=row.origin.query,
        row=row.origin,
        relation=relation,
        path=path,
        depends=deps_of(row),
        row_loops=row.births,
        absolute=foreign,
        sought=row.sought,
        certain=relation.name not in row.plan.loaded,
        assigned=(relation.attname,) if relation.attname and relation.attname in row.assigned else (),
        text="" if isinstance(node, ir.Attr) else f"{row.model.name.lower()}.{relation.name}",
    )
    below = mapping_plan(relation.target) if relation.target is not None and row.model.orm is Orm.SQLALCHEMY else plans.EMPTY
    return _behind(m, row, relation, Origin(row.origin.query, path), _with_partner(row, relation, below))


def note_key(f: Frame, node: ir.Attr) -> None:
    """Notes on the lazy load that `node` begins with, if it does, that the primary key of the row is all it is needed for."""
    last = f.events[-1] if f.events else None
    if last is not None and last.op is Op.LAZY_OBJECT and last.site == f.site(node.value.start, node.value.end):
        last.column, last.key = node.name, f.site(node.start, node.end)


def note_presence(f: Frame, node: ir.Node, value: Value, *, by_truth: bool = True) -> None:
    """Notes on the lazy load that `node` is, if it is one, that the program asks for no more than whether there is a row: `if book.editor:`."""
    last = f.events[-1] if f.events else None
    if last is None or last.op is not Op.LAZY_OBJECT or type(value) is not Row or last.site != f.site(node.start, node.end):
        return
    if by_truth and (value.model.unread_base or _has_own_truth(value)):
        return
    last.key = last.site


def _has_own_truth(row: Row) -> bool:
    """Whether a class says itself which of its objects are true."""
    return row.cls is not None and any(name in cls.functions or name in cls.bindings for cls in row.cls.mro for name in ("__bool__", "__len__"))


def _way_back(row: Row, relation: Relation) -> Origin | None:
    """Returns the origin of the very row that a one-to-one leads back to, None if it leads elsewhere.

    # `profile.user.profile` is `profile`: what it lacks, the query of the profiles has to load
    """
    back = relation.inverse
    if back is None or relation.kind not in (Kind.ONE_TO_ONE, Kind.REVERSE_ONE_TO_ONE) or row.origin is None:
        return None
    return Origin(row.origin.query, row.origin.path[:-1]) if row.origin.path[-1:] == (back.name,) else None


def _owner(m: Machine, row: Row, relation: Relation, plan: LoadPlan) -> Row | None:
    """Returns the row whose collection a row was read from, if the relation leads back to it: what it lacks is read once for all of them.

    # `for book in author.books.all(): book.author` is `author`
    """
    back = relation.inverse
    if relation.kind is not Kind.FOREIGN_KEY or back is None or back.kind is not Kind.REVERSE_FOREIGN_KEY:
        return None
    if row.origin is None or row.model.orm is not Orm.DJANGO or {relation.name, relation.attname}.intersection(row.assigned):
        return None
    if row.origin.path[-1:] == (back.name,):
        within = next((number for number, loop in enumerate(row.births) if loop.source is not None and loop.source.relation is back), len(row.births))
        origin: Origin | None = Origin(row.origin.query, row.origin.path[:-1])
        births = row.births[:within]
    else:
        owner = m.rows_of.get(row.origin.query) if row.origin.query.relation is back and not row.origin.path else None
        if owner is None:
            return None
        origin, births = owner.origin, owner.births
    if not births:
        origin = None  # one row for all rounds: what it lacks is no matter, and no run of a function is to tell it from others
    return Row(relation.target, m.class_of(relation.target), origin, plan, births) if relation.target is not None else None


def _is_one_row(m: Machine, row: Row) -> bool:
    """Whether the row that a collection's rows know as theirs is one for all rounds: `for book in author.books.all(): book.author`."""
    owner = m.rows_of.get(row.origin.query) if row.origin is not None else None
    return owner is not None and not owner.births


def comes_from_outside(m: Machine, f: Frame, row: Row) -> bool:
    """Whether a row was met by a caller: what is cached on it is then read once, however often this function is called."""
    if row.births:
        return any(loop not in f.loops for loop in row.births)
    return row.origin is not None and m.serial.get(row.origin.query, 0) < f.begun


def is_held(m: Machine, f: Frame, relation: Relation, source: QueryObject | None = None) -> bool:
    """Whether the target of a many-to-one is in the session's identity map: all its rows were loaded and are still held."""
    if relation.kind is not Kind.FOREIGN_KEY or relation.target is None:
        return False
    if source is not None and source.model is relation.target and _is_whole_table(source):
        return True
    if source is not None and relation.target in m.entities.get(source, ())[1:]:
        return True
    return holds(f, relation.target)


def _is_whole_table(query: QueryObject) -> bool:
    return query.bound is Bound.MANY and query.complete and not (query.filters or query.joins or query.sliced or query.combined)


def holds(f: Frame, model: Model) -> bool:
    """Whether a variable in reach holds a list or dict of rows of a model that a query loaded."""
    frame: Frame | None = f
    while frame is not None:
        for value in list(frame.env.values()):
            element = value.element if isinstance(value, (Sequence, Mapping)) else None
            if isinstance(element, Row) and element.model is model and element.origin is not None and not element.origin.path:
                query = element.origin.query
                if query.bound is Bound.MANY and value.kind != "generator" if isinstance(value, Sequence) else True:
                    return True
        frame = frame.outer
    return False


def _with_partner(row: Row, relation: Relation, plan: LoadPlan) -> LoadPlan:
    """Returns a plan that knows the way back of a one-to-one: both sides are cached when one of them is read."""
    if relation.kind in (Kind.ONE_TO_ONE, Kind.REVERSE_ONE_TO_ONE) and relation.inverse is not None and relation.inverse.name not in plan.loaded:
        return plans.load(plan, (relation.inverse.name,), LoadKind.KNOWN, row.plan)
    return plan


def _collection(m: Machine, f: Frame, node: ir.Node, row: Row, relation: Relation, entry: Loaded | None) -> Value:
    """Returns a SQLAlchemy collection: any touch of it loads all of it, once per row."""
    if relation.lazy in ("dynamic", "write_only"):
        return _dynamic(m, f, node, row, relation)
    if entry is None and row.origin is None:
        kind = MAPPING_LOADS.get(relation.lazy)
        if kind is not None:
            entry = Loaded(kind, mapping_plan(relation.target) if relation.target is not None else plans.EMPTY)
    target = relation.target
    path = (*row.origin.path, relation.name) if row.origin is not None else (relation.name,)
    origin = Origin(row.origin.query, path) if row.origin is not None else None
    plan = entry.plan if entry is not None else mapping_plan(target) if target is not None else plans.EMPTY
    if relation.inverse is not None and relation.inverse.kind is Kind.FOREIGN_KEY:
        plan = plans.load(plan, (relation.inverse.name,), LoadKind.KNOWN, row.plan)
    element: Value = row_deps(row)
    if target is not None:
        element = Row(target, m.class_of(target), origin, plan, detached=row.detached, sought=row.sought)
    if origin is None or row.fresh:
        return Sequence("list", element)
    query = QueryObject(
        model=target, orm=Orm.SQLALCHEMY, site=f.site(node.start, node.end), style="list", relation=relation, owner=row.origin, cached=True
    )
    m.new_query(f, query)
    obstacle = obstacle_to(m, row)
    if entry is None and obstacle is not None:
        if not failed_load(m, f, node, row, relation, obstacle):
            return Sequence("list", replace(element, origin=None) if isinstance(element, Row) else element)
    elif entry is not None and entry.kind is LoadKind.RAISE:
        failed_load(m, f, node, row, relation, Obstacle.FORBIDDEN)
    elif entry is None:
        foreign = comes_from_outside(m, f, row)
        assert row.origin is not None
        m.event(
            f,
            Op.LAZY_COLLECTION if row.births else Op.LOAD_ROWS,
            node,
            loops=row.births,
            model=target,
            orm=Orm.SQLALCHEMY,
            query=query,
            row=row.origin,
            relation=relation,
            path=path,
            depends=deps_of(row),
            row_loops=row.births,
            absolute=foreign,
            sought=row.sought,
            certain=relation.name not in row.plan.loaded,
        )
    return Sequence("list", element, source=query)


def _dynamic(m: Machine, f: Frame, node: ir.Node, row: Row, relation: Relation) -> Value:
    query = QueryObject(
        model=relation.target,
        orm=Orm.SQLALCHEMY,
        site=f.site(node.start, node.end),
        style="query",
        relation=relation,
        owner=row.origin,
        parameters=deps_of(row),
        complete=row.origin is not None or row.fresh,
    )
    if relation.target is not None:
        query.plan = mapping_plan(relation.target)
    m.new_query(f, query)
    m.rows_of[query] = row
    return query


# ------------------------------------------------------------------------------------------------------------- writes
def row_method(m: Machine, f: Frame, node: ir.Call, row: Row, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Runs a method that Django gives every row."""
    name = name.removeprefix("super:")
    plain = name[1:] if name in querysets.COROUTINES else name
    loops = tuple(f.loops)
    facts: dict[str, object] = {"model": row.model, "orm": row.model.orm, "row": row.origin, "method": plain, "row_loops": row.births}
    facts["depends"] = deps_of(row) | frozenset().union(*(deps_of(a) for a in args))
    facts["query"] = row.origin.query if row.origin is not None else None
    if plain in ("save", "save_base"):
        for value in keywords.values():
            m.use(f, value, UseKind.ARGUMENT, node)
        op = Op.CREATE if row.fresh else Op.SAVE
        assigned = _named(keywords.get("update_fields")) or row.assigned
        m.event(f, op, node, loops=loops, constant=row.constant and bool(row.assigned), assigned=assigned, **facts)
        if row.fresh:
            _rebind(f, node, row, replace(row, fresh=False, assigned=()))
    elif plain == "delete":
        m.event(f, Op.DELETE, node, loops=loops, **facts)
    elif plain == "refresh_from_db":
        event = m.event(f, Op.REFRESH, node, loops=loops, **facts)
        if isinstance(node.func, ir.Attr) and is_unread(f, node.func.value, node):
            event.uses.append(Use(UseKind.DISCARD, event.site))
        if not args and not keywords:
            # it forgets the relations too, so that no query can load them for it in advance
            _rebind(f, node, row, replace(row, origin=None, plan=plans.EMPTY, known=()))
        else:
            unpin_all(row)
    return UNKNOWN


def _rebind(f: Frame, node: ir.Call, row: Row, changed: Row) -> None:
    """Lets the variable that a method was called on hold what the row has become."""
    if isinstance(node.func, ir.Attr) and isinstance(node.func.value, ir.Name) and f.env.get(node.func.value.id) is row:
        f.env[node.func.value.id] = changed


def _named(fields: Value | None) -> tuple[str, ...]:
    """Returns the fields of `update_fields=["title"]`; none if they are not known."""
    items = fields.items if isinstance(fields, Sequence) else None
    return tuple(item.value for item in items or () if isinstance(item, Constant) and isinstance(item.value, str))


def new_row(m: Machine, f: Frame, cls: ClassInfo, args: list[Value], keywords: dict[str, Value]) -> Row:
    """Returns the row that calling a model class makes; it is not in the database yet."""
    assert cls.model is not None
    model = cls.model
    plan = plans.EMPTY
    for name, value in keywords.items():
        relation = model.relations.get(name)
        if relation is not None and relation.to_one:
            plan = plans.load(plan, (name,), LoadKind.KNOWN, value.plan if isinstance(value, Row) else plans.EMPTY)
    return Row(model, cls, None, plan, tuple(f.loops), fresh=True, single=True)


__all__ = ["NONE", "Bound", "Constant", "Mapping", "new_row", "row_attribute", "row_method"]
