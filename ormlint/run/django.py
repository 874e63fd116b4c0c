"""Django's managers and QuerySets: what calling their methods does."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library import querysets
from ormlint.link.names import ClassInfo
from ormlint.link.schema import Model, Orm
from ormlint.run import plans
from ormlint.run.aggregates import aggregates_of, figures_of
from ormlint.run.frame import Frame
from ormlint.run.log import Bound, LoadKind, LoadPlan, Op, QueryObject, Shape, UseKind
from ormlint.run.machine import Machine
from ormlint.run.matches import matches_of
from ormlint.run.pins import pins_of
from ormlint.run.prefetches import default_plan, leads_nowhere, lookups_of, paths_in, places_of, prefetched_along
from ormlint.run.queries import around_row, evaluate_query, new_queryset, query_facts, refined, single_row
from ormlint.run.recipes import extended, is_repeatable, note_statement, recipe_of_expression
from ormlint.run.rows import new_row
from ormlint.run.values import (
    EMPTY,
    NONE,
    UNKNOWN,
    Constant,
    Instance,
    Manager,
    Mapping,
    Row,
    Scalar,
    Sequence,
    Union,
    Unknown,
    Value,
    deps_of,
    element_of,
    may_differ,
    options,
    varying,
)

FOLLOWED = 5
"""Relations that `select_related()` without arguments follows one after the other."""
_plans_followed: dict[tuple[int, int], tuple[Model | None, LoadPlan]] = {}


def manager_query(m: Machine, f: Frame, node: ir.Node, manager: Manager) -> QueryObject:
    """Returns the query object that a manager's methods start from, after its own `get_queryset`."""
    from ormlint.run.calls import call_function

    custom = manager.cls.method("get_queryset") if manager.cls is not None else None
    query: QueryObject | None = None
    if custom is not None:
        # the class behind `shop.books` inherits from that of the default manager, and so does what its `get_queryset` gives
        made = call_function(m, f, node, custom, [replace(manager, row=None, relation=None, loaded=None, site=None)], {})
        candidates = made.options if isinstance(made, Union) else (made,)
        query = next((c for c in candidates if isinstance(c, QueryObject)), None)
        if query is None:
            query = base_query(m, f, node, manager)
            query.complete = False
        elif manager.row is not None:
            query = _among_those_of_row(base_query(m, f, node, manager), query)
        else:
            # the manager's own query is where a relation is added by default, but the place that uses it is nearer
            recipe = recipe_of_expression(m, f, node)
            query = replace(query, uses=[], heirs=[], parent=None, site=f.site(node.start, node.end), steps=(), trail=(), ways=(), recipe=recipe)
            m.new_query(f, query)
    else:
        query = base_query(m, f, node, manager)
    if manager.queryset_cls is not None:
        m.queryset_classes[query] = manager.queryset_cls
        note_class(query, manager.queryset_cls)
    if manager.cls is not None:
        note_class(query, manager.cls)
    return query


def note_class(query: QueryObject, cls: ClassInfo) -> None:
    """Notes whether the truth, the number, the rows and the eager loads of a query are Django's, by the project's class of it or of its manager."""
    query.plain = query.plain and not _overrides(cls, querysets.ANSWERING)
    query.loads_itself = query.loads_itself or _overrides(cls, querysets.LOADING)


def _overrides(cls: ClassInfo, names: Iterable[str]) -> bool:
    methods = (cls.method(name) for name in names)
    return any(method is not None and not method.module.is_library for method in methods)


def _among_those_of_row(related: QueryObject, given: QueryObject) -> QueryObject:
    """Returns the query of a row's relation with what `get_queryset` of the default manager gives it; a prefetch of the relation does the same."""
    related.plan, related.follows, related.ordering = given.plan, given.follows, given.ordering
    related.filters, related.stated, related.matches = given.filters, given.stated, given.matches
    related.pins = given.pins
    related.distinct, related.aggregates, related.complete = given.distinct, given.aggregates, given.complete
    return related


def base_query(m: Machine, f: Frame, node: ir.Node, manager: Manager) -> QueryObject:
    """Returns all rows of a manager's model, or of the row's relation."""
    if manager.row is None or manager.relation is None:
        return new_queryset(m, f, node, manager.model)
    query = new_queryset(m, f, node, manager.model, style="related")
    query.relation = manager.relation
    query.owner = manager.row.origin
    query.parameters = deps_of(manager.row)
    m.rows_of[query] = manager.row
    return query


def manager_method(m: Machine, f: Frame, node: ir.Call, manager: Manager, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Calls a method of a manager."""
    receiver = node.func.value if isinstance(node.func, ir.Attr) else node
    if name.startswith("super:"):
        name = name.removeprefix("super:")
        manager = replace(manager, cls=None)
    method = querysets.canonical(name) or name
    entry = manager.loaded
    if manager.row is not None and method in ("add", "remove", "set", "clear") and manager.relation is not None:
        m.event(
            f,
            Op.LINK,
            node,
            model=manager.row.model,
            orm=Orm.DJANGO,
            relation=manager.relation,
            row=manager.row.origin,
            method=method,
            row_loops=manager.row.births,
            assigned=tuple(keywords),
            depends=deps_of(manager.row) | frozenset().union(*(deps_of(a) for a in args)),
        )
        return UNKNOWN
    if method in ("create", "get_or_create", "update_or_create", "bulk_create", "bulk_update"):
        return write(m, f, node, manager.model, manager, method, args, keywords)
    if entry is not None and not entry.to_attr:
        cached = _prefetched(m, f, node, manager, method, args)
        if cached is not None:
            return cached
    query = manager_query(m, f, receiver, manager)
    if entry is not None and entry.custom and not entry.to_attr:
        query.plan = entry.plan  # a Prefetch with a queryset of its own hands on what that queryset loads
    return queryset_method(m, f, node, query, name, args, keywords)


def _prefetched(m: Machine, f: Frame, node: ir.Call, manager: Manager, method: str, args: list[Value]) -> Value | None:
    """Returns the answer of a prefetched related manager from the rows at hand, or None if the method runs a query all the same."""
    entry = manager.loaded
    assert entry is not None
    free = method in querysets.USE_PREFETCH_CACHE or (method == "first" and (entry.ordered or bool(manager.model.ordering)))
    if not free:
        return None
    query = base_query(m, f, node, manager)
    query.cached = True
    query.plan = entry.plan
    query.methods = ("all",)
    if method in ("all", "get_queryset", "none"):
        return query
    if method == "first":
        return Row(manager.model, m.class_of(manager.model), None, entry.plan, tuple(f.loops))
    m.use(f, query, UseKind.METHOD, node, operator=method)
    return UNKNOWN


def queryset_method(m: Machine, f: Frame, node: ir.Call, query: QueryObject, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Calls a method of a QuerySet."""
    method = querysets.canonical(name.removeprefix("super:"))
    parameters = frozenset().union(*(deps_of(a) for a in args), *(deps_of(k) for k in keywords.values())) if args or keywords else EMPTY
    for value in args:
        m.use(f, value, UseKind.ARGUMENT, node)
    for lookup, value in keywords.items():
        m.use_as_parameter(f, value, node, lookup)
    if method is None:
        m.use(f, query, UseKind.ARGUMENT, node)
        return varying((query, *args))
    if method in querysets.LAZY:
        return lazy(m, f, node, query, method, args, keywords, parameters)
    if method in querysets.ONE_ROW:
        return _one_row(m, f, node, query, method, keywords, parameters)
    if method in querysets.NUMBERS:
        return number(m, f, node, query, method, parameters)
    if method == "in_bulk":
        one = refined(m, f, node, query, "in_bulk", parameters=query.parameters | parameters)
        evaluate_query(m, f, one, node, UseKind.ITERATE, operator="in_bulk")
        from ormlint.run.queries import element_of_query

        return Mapping(element=element_of_query(m, one), source=one)
    return write(m, f, node, query.model, query, method, args, keywords)


def _one_row(m: Machine, f: Frame, node: ir.Call, query: QueryObject, method: str, keywords: dict[str, Value], parameters: frozenset[int]) -> Value:
    evaluated = query.cached or (query in f.evaluated)
    m.use(f, query, UseKind.METHOD, node, operator=method)
    if evaluated and method == "first" and _is_ordered(query):
        from ormlint.run.queries import element_of_query

        return element_of_query(m, query, single=True)
    filters, matches = query.filters | frozenset(keywords), (*query.matches, *matches_of(f, node, keywords))
    pins = pins_of(query, node, "get", keywords) if method == "get" else query.pins
    source = replace(query, uses=[], heirs=[], cached=False, filters=filters, matches=matches, pins=pins)
    m.new_query(f, source)
    row = m.rows_of.get(query)
    if row is not None:
        m.rows_of[source] = row
    return single_row(m, f, node, source, method, parameters)


def _is_ordered(query: QueryObject) -> bool:
    """Whether `first()` takes the rows in the order they have, and so those at hand; groups lose the order of their model."""
    return query.has("order_by") or (query.model is not None and bool(query.model.ordering) and not query.has("annotate"))


def number(m: Machine, f: Frame, node: ir.Call, query: QueryObject, method: str, parameters: frozenset[int]) -> Value:
    """Records a query for a number or truth value."""
    m.use(f, query, UseKind.METHOD, node, operator=method)
    if method != "aggregate" and (query.cached or query in f.evaluated):
        return varying((query,))
    ops = {"count": Op.COUNT, "exists": Op.EXISTS, "aggregate": Op.AGGREGATE}
    row = m.rows_of.get(query)
    loops, foreign = around_row(f, row, tuple(f.loops))
    facts = query_facts(query, row)
    facts["depends"] = query.parameters | parameters | frozenset(facts["depends"])  # type: ignore[call-overload]
    if querysets.NUMBERS[method] == "aggregate":
        facts["assigned"] = figures_of(m, f, node)
    m.counters.queries.add(query.site)
    event = m.event(f, ops[querysets.NUMBERS[method]], node, loops=loops, method=method, absolute=foreign, **facts)
    plain = method in ("count", "exists")
    note_statement(f, event, query.recipe if plain else extended(m, f, query.recipe, method, node))
    return Scalar(event) if method in ("count", "exists", "contains") else varying((query,))


def _lookups(method: str, keywords: dict[str, Value]) -> frozenset[str]:
    """Returns the lookups that select rows: `parent=None` asks whether there is a parent, `exclude(parent=p)` for the rows of all others."""
    if method == "exclude":
        return frozenset(f"{name}__not" for name in keywords)
    return frozenset(f"{name}__isnull" if value == NONE else name for name, value in keywords.items())


def lazy(
    m: Machine, f: Frame, node: ir.Call, query: QueryObject, method: str, args: list[Value], keywords: dict[str, Value], parameters: frozenset[int]
) -> Value:
    """Returns the query object that a lazy method makes."""
    if method == "raw":
        raw = new_queryset(m, f, node, query.model)
        raw.raw = True
        return raw
    changes: dict[str, object] = {"parameters": query.parameters | parameters}
    if query.cached:  # a new query, `.all().all()` as well
        changes["cached"] = False
        row = m.rows_of.get(query)
        entry = row.plan.loaded.get(query.relation.name) if row is not None and query.relation is not None else None
        if query.relation is not None and not (entry is not None and entry.custom):
            # only a Prefetch with a queryset of its own hands on what that queryset loads
            changes["plan"] = default_plan(m, f, node, query.relation)
    plan = changes.get("plan", query.plan)
    assert isinstance(plan, LoadPlan)
    if method in ("filter", "exclude"):
        changes["filters"] = query.filters | _lookups(method, keywords)
        changes["varied"] = query.varied.union(*map(deps_of, (*args, *keywords.values())))
        changes["sets"] = query.sets.union(*(deps_of(value) for name, value in keywords.items() if name.endswith("__in")))
        changes["unkeyed"] = query.unkeyed.union(
            *(deps_of(value) for name, value in keywords.items() if name.rpartition("__")[2] in querysets.NO_KEYS)
        )
        changes["stated"] = query.stated.union(name for name, value in keywords.items() if isinstance(value, Constant))
        changes["pins"] = pins_of(query, node, method, keywords)
        if method == "filter":
            changes["matches"] = (*query.matches, *matches_of(f, node, keywords))
        if method == "filter" and is_unique(query.model, frozenset(keywords)):
            changes["bound"], changes["limit"] = Bound.ONE, 1
    elif method == "select_related":
        changes["plan"] = _select_related(f, plan, query.model, args, node)
        changes["follows"] = not args and not keywords
    elif method == "prefetch_related":
        changes["plan"] = loaded = prefetched_along(m, f, plan, query.model, args, node)
        if not _spelled_out(args) or any(leads_nowhere(m, loaded, query.model, path) for path in lookups_of(args)):
            changes["complete"] = False
    elif method in ("only", "defer"):
        changes["plan"] = _columns(plan, method, args, query.model)
    elif method in querysets.TUPLES:
        changes["shape"] = Shape.TUPLES
        flat = method == "values_list" and keywords.get("flat") == Constant(True) and len(args) == 1
        changes["flat_column"] = str(args[0].value) if flat and isinstance(args[0], Constant) else ""
    elif method == "none":
        changes["bound"], changes["limit"] = Bound.ONE, 0
        changes["cached"] = True
    elif method == "select_for_update":
        changes["locked"] = True
    elif method == "distinct":
        changes["distinct"] = True
    elif method == "annotate":
        changes["plan"] = replace(plan, annotated=plan.annotated | frozenset(keywords))
        changes["aggregates"] = (*query.aggregates, *aggregates_of(m, f, node, query.model))
    elif method in ("union", "intersection", "difference"):
        changes["combined"], changes["pins"] = True, ()
    elif method == "order_by":
        changes["ordering"] = tuple(str(arg.value) if isinstance(arg, Constant) else "?" for arg in args)
    elif method == "iterator":
        return _iterator(m, f, node, query)
    if method == "select_related" and not _spelled_out(args):
        changes["complete"] = False
    return refined(m, f, node, query, method, **changes)


def _spelled_out(args: list[Value]) -> bool:
    """Whether all lookups are known: constants and Prefetch objects, one by one or in a sequence."""
    for arg in args:
        items = (arg.items if arg.items is not None else (arg.element,)) if isinstance(arg, Sequence) else options(arg)
        if not all(isinstance(item, Constant) or (isinstance(item, Instance) and type(item.attributes.get("lookup")) is Constant) for item in items):
            return False
    return True


def _iterator(m: Machine, f: Frame, node: ir.Call, query: QueryObject) -> Value:
    """Returns what `iterator()` gives: rows that are fetched anew each time and not kept."""
    chunked = bool(node.args or node.keywords) or (isinstance(node.func, ir.Attr) and node.func.name == "aiterator")  # which has one by default
    plan = query.plan if chunked else plans.without(query.plan, LoadKind.SEPARATE)
    dropped = frozenset(query.plan.loaded) - frozenset(plan.loaded)
    return refined(m, f, node, query, "iterator", plan=plan, cached=False, dropped=dropped, batched=chunked)


def is_unique(model: Model | None, filters: frozenset[str]) -> bool:
    """Whether equality filters on these names can match at most one row."""
    if model is None:
        return False
    for name in filters:
        plain = name.removesuffix("__exact")
        column = model.columns.get(plain) or model.columns.get(f"{plain}_id")
        if model.is_primary_key(plain) or (column is not None and column.unique):
            return True
    return any(group <= filters for group in model.unique_together)


def _select_related(f: Frame, plan: LoadPlan, model: Model | None, args: list[Value], node: ir.Call) -> LoadPlan:
    if not args and not node.args:
        return plans.merge(plan, _followed(model, FOLLOWED))
    if len(args) == 1 and isinstance(args[0], Constant) and args[0].value is None:
        return plans.without(plan, LoadKind.JOIN)
    for arg, site in zip(args, places_of(f, node, args), strict=True):
        for path in paths_in(arg):
            plan = plans.load(plan, resolve_path(model, path), LoadKind.JOIN, method="select_related", site=site)
    return plan


def _followed(model: Model | None, depth: int) -> LoadPlan:
    """Returns what `select_related()` without arguments loads: relations with a column that is not nullable, and theirs."""
    key = (id(model), depth)
    known = _plans_followed.get(key)
    if known is not None and known[0] is model:
        return known[1]
    plan = plans.EMPTY
    for relation in model.relations.values() if model is not None and depth else ():
        if relation.attname and not relation.nullable:
            plan = plans.load(plan, (relation.name,), LoadKind.JOIN, _followed(relation.target, depth - 1))
    _plans_followed[key] = (model, plan)
    return plan


def resolve_path(model: Model | None, text: str) -> tuple[str, ...]:
    """Returns the attribute names along a lookup path: query names become the names of the attributes they load."""
    names = []
    for part in text.split("__"):
        relation = model.relation(part) if model is not None else None
        names.append(relation.name if relation is not None else part)
        model = relation.target if relation is not None else None
    return tuple(names)


def _columns(plan: LoadPlan, method: str, args: list[Value], model: Model | None) -> LoadPlan:
    names = [p for a in args for p in paths_in(a)]
    # `for name in ("author", "notes"): books = books.defer(name)`
    doubtful = {f"?{name}" for arg in args if isinstance(arg, Union) for option in arg.options for name in paths_in(option)}
    if doubtful or any(isinstance(arg, Unknown) for arg in args):
        return replace(plan, deferred=plan.deferred | (doubtful or {"?*"}))
    own = frozenset(n for n in names if "__" not in n)
    keys = {f"{n}_id" for n in own if model is not None and f"{n}_id" in model.columns}
    if method == "defer":
        if args == [NONE]:
            return replace(plan, deferred=frozenset(), only=None)
        return replace(plan, deferred=plan.deferred | own | keys)
    if not names:
        return plan
    related = {n.partition("__")[0] for n in names if "__" in n}
    primary = {model.primary_key} if model is not None else set()
    return replace(plan, only=own | keys | primary | {f"{r}_id" for r in related})


# ------------------------------------------------------------------------------------------------------------- writes
def write(
    m: Machine,
    f: Frame,
    node: ir.Call,
    model: Model | None,
    receiver: Manager | QueryObject,
    method: str,
    args: list[Value],
    keywords: dict[str, Value],
) -> Value:
    """Records a writing method of a manager or QuerySet."""
    for value in (*args, *keywords.values()):
        m.use(f, value, UseKind.ARGUMENT, node)
    m.use(f, receiver, UseKind.METHOD, node, operator=method)
    depends = frozenset().union(*(deps_of(a) for a in args), *(deps_of(k) for k in keywords.values()), deps_of(receiver))
    row = receiver.row if isinstance(receiver, Manager) else m.rows_of.get(receiver)
    facts: dict[str, object] = {"model": model, "orm": Orm.DJANGO, "method": method, "depends": depends}
    if row is not None:
        facts["row_loops"] = row.births
        facts["row"] = row.origin
        facts["relation"] = receiver.relation
    if method == "update":
        facts["query"] = receiver if isinstance(receiver, QueryObject) else None
        values = keywords.values()
        constant = (
            not any(map(deps_of, values)) and not any(map(may_differ, values)) and all(is_repeatable(m, f, value) for _, value in node.keywords)
        )
        facts |= {"assigned": tuple(keywords), "constant": constant}
    elif method in ("get_or_create", "update_or_create"):
        facts["assigned"] = tuple(name for name in keywords if name not in ("defaults", "create_defaults"))
    ops = {
        "create": Op.CREATE,
        "get_or_create": Op.GET_OR_CREATE,
        "update_or_create": Op.GET_OR_CREATE,
        "bulk_create": Op.BULK_WRITE,
        "bulk_update": Op.BULK_WRITE,
        "update": Op.UPDATE_ROWS,
        "delete": Op.DELETE_ROWS,
    }
    m.event(f, ops.get(method, Op.LINK), node, **facts)
    cls = m.class_of(model) if model is not None else None
    if cls is None:
        return UNKNOWN
    made = replace(new_row(m, f, cls, [], keywords), fresh=False)
    if method == "create":
        return made
    if method in ("get_or_create", "update_or_create"):
        return Sequence("tuple", items=(replace(made, plan=plans.EMPTY), UNKNOWN))
    if method == "bulk_create" and args and isinstance(args[0], Sequence):
        return Sequence("list", element_of(args[0]), bound=args[0].bound)
    return UNKNOWN


def queryset_as_class(m: Machine, cls: ClassInfo) -> bool:
    """Whether a class of the project is a QuerySet."""
    return any(e.name.endswith("QuerySet") for e in cls.externals)
