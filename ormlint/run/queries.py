"""Query objects: making them, refining them, evaluating them, and the rows they give."""

from __future__ import annotations

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.link.schema import Kind, Model, Orm
from ormlint.run import plans
from ormlint.run.frame import Frame
from ormlint.run.log import Bound, LoadKind, LoadPlan, Loop, Op, Origin, QueryObject, Shape, UseKind
from ormlint.run.loops import Iterated
from ormlint.run.machine import Machine, text_of
from ormlint.run.recipes import combined_recipe, extended, note_statement, recipe_of_expression
from ormlint.run.values import EMPTY, UNKNOWN, Row, Value

DJANGO_STYLES = frozenset({"queryset", "related"})


def refined(m: Machine, f: Frame, node: ir.Node, query: QueryObject, method: str, **changes: object) -> QueryObject:
    """Returns the query object that a method makes of another one."""
    m.use(f, query, UseKind.DERIVE, node, operator=method)
    for known in query.lineage():
        known.refined_by |= {method}
    site = f.site(node.start, node.end)
    last = query.steps[-1] if query.steps else query.site
    if site.path == last.path and site.start == last.start and site.end >= last.end:
        where: dict[str, object] = {"steps": (*query.steps[:-1], site)} if query.steps else {"site": site}
    else:
        where = {"steps": (*query.steps, site)}
    if "site" not in where and not f.module.is_library:  # what a framework does stands in the project where the framework is used
        where["trail"] = query.followed_to(site)
    changes.setdefault("recipe", extended(m, f, query.recipe, method, node))
    facts = {"methods": (*query.methods, method), "made_from": query, "refined_by": frozenset()}
    new = replace(query, uses=[], heirs=[], parent=None, **{**facts, **where, **changes})
    m.new_query(f, new)
    row = m.rows_of.get(query)
    if row is not None:
        m.rows_of[new] = row
    cls = m.queryset_classes.get(query)
    if cls is not None:
        m.queryset_classes[new] = cls
    if query in m.entities:
        m.entities[new] = m.entities[query]
    if query in m.entity_plans:
        m.entity_plans[new] = m.entity_plans[query]
    if query in m.counting:
        m.counting.add(new)
    return new


def combined(m: Machine, f: Frame, node: ir.Node, left: QueryObject, right: QueryObject, op: str) -> QueryObject:
    """Returns `left | right` and the like: the loads of the left side count."""
    m.use(f, right, UseKind.DERIVE, node, operator=op)
    empty = next((query for query in (left, right) if query.orm is Orm.DJANGO and query.limit == 0), None)  # `Book.objects.none() | books`
    if empty is not None:
        other = right if empty is left else left
        return refined(m, f, node, other if op.startswith("|") else empty, op)
    parameters = left.parameters | right.parameters
    recipe = combined_recipe(left.recipe, right.recipe, op)
    return refined(m, f, node, left, op, combined=True, pins=(), bound=max(left.bound, right.bound), parameters=parameters, recipe=recipe)


def around_row(f: Frame, row: Row | None, loops: tuple[Loop, ...]) -> tuple[tuple[Loop, ...], bool]:
    """Returns the loops around work on a row, those in which a caller met the row included, and whether there are such."""
    if row is None or not row.births:
        return loops, False
    ids = {loop.id for loop in loops}
    foreign = tuple(loop for loop in row.births if loop.id not in ids and loop.id > 0)
    return (foreign + loops, True) if foreign else (loops, False)


def evaluate_query(
    m: Machine,
    f: Frame,
    query: QueryObject,
    node: ir.Node,
    use: UseKind,
    *,
    operator: str = "",
    negated: bool = False,
    either: bool = False,
    record_use: bool = True,
) -> None:
    """Records that a query object is evaluated by `node`, unless its rows are at hand."""
    if record_use:
        m.use(f, query, use, node, operator=operator, negated=negated, either=either)
    if query.style == "result" or query.methods[-1:] == ("iterator",):
        take_rows(m, f, query, node, operator)
    if query.cached or query.style in ("select", "result", "list") or (query.style == "query" and use is UseKind.TRUTH):
        return
    loops: tuple[Loop, ...] = tuple(f.loops)
    absolute = False
    if query.style in DJANGO_STYLES:
        if query in f.evaluated:
            return
        f.evaluated.add(query)
        frame, created = m.created[query]
        loops, absolute = created, frame is not f
    row = m.rows_of.get(query)
    loops, foreign = around_row(f, row, loops)
    facts = query_facts(query, row)
    repeated = row is not None and any(loop.id > 0 for loop in row.births)
    m.counters.queries.add(query.site)
    op = Op.LAZY_COLLECTION if repeated else Op.LOAD_ROWS
    event = m.event(f, op, node, loops=loops, use=use, method=operator, absolute=absolute or foreign, **facts)
    note_statement(f, event, query.recipe)


def take_rows(m: Machine, f: Frame, query: QueryObject, node: ir.Node, operator: str) -> None:
    """Notes that the rows of something that gives them once are taken, and whether all of them were before."""
    source = m.result_of.get(query, query)
    if operator in ("iter", "next"):
        return
    if source in f.flow.taken:
        site = f.site(node.start, node.end)
        for use in query.uses:
            if use.site == site:
                use.again = True
    f.flow.taken.add(source)


def query_facts(query: QueryObject, row: Row | None) -> dict[str, object]:
    """Returns what an event says about the query object it works on."""
    facts: dict[str, object] = {
        "model": query.model,
        "orm": query.orm,
        "query": query,
        "relation": query.relation,
        "depends": query.parameters,
    }
    if row is not None:
        facts["row"] = row.origin
        facts["row_loops"] = row.births
        facts["sought"] = row.sought
        if query.relation is not None and row.origin is not None:
            facts["path"] = (*row.origin.path, query.relation.name)
            loaded = row.plan.loaded.get(query.relation.name)
            facts["bypasses"] = loaded is not None and loaded.certain and not loaded.to_attr
            facts["certain"] = loaded is None or loaded.certain
        facts["depends"] = query.parameters | {loop.id for loop in row.births}
        facts["text"] = f"{row.model.name.lower()}.{query.relation.name}" if query.relation is not None else ""
    return facts


def iterate_query(m: Machine, f: Frame, query: QueryObject, node: ir.Node, use: UseKind = UseKind.ITERATE, operator: str = "") -> Iterated:
    """Evaluates a query object and returns what walking it gives."""
    if query.style == "select":
        m.use(f, query, UseKind.OTHER, node)
        return Iterated(Bound.MANY, None, None, UNKNOWN)
    evaluate_query(m, f, query, node, use, operator=operator)
    element = element_of_query(m, query)
    if query in m.wrapped and isinstance(element, Row):
        from ormlint.run.values import Sequence

        element = Sequence("tuple", items=(element,))
    return Iterated(query.bound, query.limit, query, element)


def element_of_query(m: Machine, query: QueryObject, *, single: bool = False) -> Value:
    """Returns what one row of a query object is."""
    if query.shape is not Shape.ROWS or query.model is None:
        return tuple_row(m, query)
    row = m.rows_of.get(query)
    plan = query.plan
    origin: Origin | None = Origin(query) if query.complete else None
    if row is not None and query.relation is not None:
        untouched = all(name in ("all", "get_queryset") for name in query.methods)
        if untouched and row.origin is None and not row.fresh and not any(row is plain for plain in m.plain_rows):
            origin = None
        elif row.origin is not None and query.complete and (query.cached or (untouched and (row.births or _is_inside_framework(m, query)))):
            origin = Origin(row.origin.query, (*row.origin.path, query.relation.name))
        inverse = query.relation.inverse
        if inverse is not None and query.relation.kind in (Kind.REVERSE_FOREIGN_KEY, Kind.REVERSE_ONE_TO_ONE):
            plan = plans.load(plan, (inverse.name,), LoadKind.KNOWN, row.plan)
    return Row(query.model, m.class_of(query.model), origin, plan, single=single)


def _is_inside_framework(m: Machine, query: QueryObject) -> bool:
    """Whether a framework makes the query: then no expression of the project builds it, and only the query of the row can load more."""
    while isinstance(query.parent, QueryObject):  # `get_queryset()` of a view gives it to the framework
        query = query.parent
    return m.created[query][0].module.is_library


def tuple_row(m: Machine, query: QueryObject) -> Value:
    """Returns what a row of a query that gives no instances, or several, is."""
    from ormlint.run.values import Sequence, Unknown

    models = m.entities.get(query)
    if models is not None and query.complete and any(models):
        items: list[Value] = []
        for model in models:
            plan = query.plan
            if model is not query.model:
                plan = m.entity_plans.get(query, {}).get(model) or mapping_plan(model) if model is not None else plans.EMPTY
            items.append(Row(model, m.class_of(model), Origin(query), plan) if model is not None else UNKNOWN)
        return Sequence("tuple", items=tuple(items))
    return Unknown(query.parameters) if query.parameters else UNKNOWN


def new_queryset(m: Machine, f: Frame, node: ir.Node, model: Model | None, *, style: str = "queryset", complete: bool = True) -> QueryObject:
    """Returns a new query object for all rows of a model."""
    orm = model.orm if model is not None else Orm.DJANGO
    recipe = recipe_of_expression(m, f, node)
    query = QueryObject(model=model, orm=orm, site=f.site(node.start, node.end), style=style, complete=complete, recipe=recipe)
    if model is not None and orm is Orm.SQLALCHEMY:
        query.plan = mapping_plan(model)
    return m.new_query(f, query)


def mapping_plan(model: Model, above: tuple[Model, ...] = ()) -> LoadPlan:
    """Returns what the mapping of a SQLAlchemy model loads by default, transitively.

    `above` are the models on the way to it. A relation that leads back to one of them is not loaded unless it has a `join_depth`, which is
    taken as one hop (measured with SQLAlchemy 2.1); only `lazy="immediate"` goes on.
    """
    plan = LoadPlan(deferred=model.deferred) if model.deferred else plans.EMPTY
    if len(above) > DEEPEST:
        return plan
    way = (*above, model)
    for relation in model.relations.values():
        kind = MAPPING_LOADS.get(relation.lazy)
        if kind is None:
            continue
        returns = relation.target in way and relation.lazy in CHAINED
        if returns and not (relation.recursive and way.count(relation.target) == 1):
            continue
        below = mapping_plan(relation.target, way) if relation.target is not None and kind is not LoadKind.RAISE else plans.EMPTY
        plan = plans.load(plan, (relation.name,), kind, below, method=f"lazy={relation.lazy}", site=relation.site)
    return plan


DEEPEST = 3
CHAINED = frozenset({"joined", "selectin", "subquery"})


MAPPING_LOADS = {
    "joined": LoadKind.JOIN,
    "selectin": LoadKind.SEPARATE,
    "subquery": LoadKind.SEPARATE,
    "immediate": LoadKind.SEPARATE,
    "raise": LoadKind.RAISE,
    "raise_on_sql": LoadKind.RAISE,
    "noload": LoadKind.KNOWN,
    "unknown": LoadKind.KNOWN,
}


def single_row(m: Machine, f: Frame, node: ir.Node, query: QueryObject, method: str, parameters: frozenset[int] = EMPTY) -> Value:
    """Records a query for at most one row and returns that row."""
    row = m.rows_of.get(query)
    one = refined(m, f, node, query, method, bound=Bound.ONE, limit=1, parameters=query.parameters | parameters)
    loops, foreign = around_row(f, row, tuple(f.loops))
    m.counters.queries.add(query.site)
    event = m.event(f, Op.GET_ROW, node, loops=loops, method=method, absolute=foreign, **query_facts(one, row))
    note_statement(f, event, one.recipe)
    element = element_of_query(m, one, single=True)
    if isinstance(element, Row):
        return replace(element, births=tuple(f.loops))
    return element


__all__ = ["combined", "element_of_query", "evaluate_query", "iterate_query", "mapping_plan", "new_queryset", "refined", "single_row", "text_of"]
