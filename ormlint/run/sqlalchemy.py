"""SQLAlchemy: sessions, statements, queries, results and loader options."""

from __future__ import annotations

from dataclasses import replace

from ormlint.ir import nodes as ir
from ormlint.library import sqlalchemy_api as api
from ormlint.link.names import ClassInfo, External
from ormlint.link.schema import Model, Orm, Relation
from ormlint.run import plans
from ormlint.run.frame import Frame
from ormlint.run.log import Bound, LoadKind, LoadPlan, Op, QueryObject, Shape, UseKind
from ormlint.run.machine import Machine, text_of
from ormlint.run.queries import around_row, element_of_query, evaluate_query, mapping_plan, query_facts, refined, single_row
from ormlint.run.values import (
    NONE,
    UNKNOWN,
    Constant,
    Descriptor,
    Instance,
    Mapping,
    Option,
    Row,
    Scalar,
    Sequence,
    Session,
    Union,
    Value,
    deps_of,
    element_of,
    varying,
)

KINDS = {
    "joinedload": LoadKind.JOIN,
    "contains_eager": LoadKind.JOIN,
    "joinedload_all": LoadKind.JOIN,
    "selectinload": LoadKind.SEPARATE,
    "subqueryload": LoadKind.SEPARATE,
    "subqueryload_all": LoadKind.SEPARATE,
    "immediateload": LoadKind.SEPARATE,
    "raiseload": LoadKind.RAISE,
    "noload": LoadKind.KNOWN,
}
EXECUTES = frozenset({"execute", "scalars", "scalar", "exec", "stream", "stream_scalars"})
COMPARED = {"==": "", ">": "__gt", ">=": "__gte", "<": "__lt", "<=": "__lte"}
MIRRORED = {"==": "", ">": "__lt", ">=": "__lte", "<": "__gt", "<=": "__gte"}
STATEMENT_OPS = {"insert": Op.INSERT, "update": Op.UPDATE_ROWS, "delete": Op.DELETE_ROWS}


# --------------------------------------------------------------------------------------------------------- building
def statement(m: Machine, f: Frame, node: ir.Node, args: list[Value], style: str) -> QueryObject:
    """Returns the query object that `select(…)` or `session.query(…)` makes of entities and columns."""
    models: list[Model | None] = []
    for arg in args:
        parts = (arg.items or ()) if isinstance(arg, Sequence) else (arg,)
        models += [part.model if isinstance(part, ClassInfo) else None for part in parts]
    first = next((x for x in models if x is not None), None)
    query = QueryObject(model=first, orm=Orm.SQLALCHEMY, site=f.site(node.start, node.end), style=style, methods=(style,))
    query.parameters = frozenset().union(*(deps_of(a) for a in args)) if args else frozenset()
    if first is not None:
        query.plan = mapping_plan(first)
    if len(models) != 1 or first is None:
        query.shape = Shape.TUPLES
        m.entities[query] = tuple(models)
    if first is None:
        columns = [a for a in args if isinstance(a, Descriptor)]
        query.model = columns[0].model if columns else None
    if len(args) == 1 and counts(args[0]):
        m.counting.add(query)
    return m.new_query(f, query)


def counts(value: Value) -> bool:
    """Whether a selected column is `func.count(…)`."""
    return (isinstance(value, External) and value.path.endswith(".count()")) or (isinstance(value, Descriptor) and value.name == "count()")


def writing_statement(m: Machine, f: Frame, node: ir.Node, args: list[Value], style: str) -> QueryObject:
    """Returns the statement that `insert(M)`, `update(M)` or `delete(M)` makes."""
    model = next((a.model for a in args if isinstance(a, ClassInfo)), None)
    query = QueryObject(model=model, orm=Orm.SQLALCHEMY, site=f.site(node.start, node.end), style=style, shape=Shape.UNKNOWN, methods=(style,))
    return m.new_query(f, query)


def query_method(m: Machine, f: Frame, node: ir.Call, query: QueryObject, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Calls a method of a Query, a statement or a result."""
    parameters = frozenset().union(*(deps_of(a) for a in args), *(deps_of(k) for k in keywords.values())) if args or keywords else frozenset()
    if query.style == "result":
        return result_method(m, f, node, query, name)
    if query.style in STATEMENT_OPS:
        new = refined(m, f, node, query, name, parameters=query.parameters | parameters)
        if query in m.many_rows or name == "from_select" or (name == "values" and args and not isinstance(args[0], Mapping)):
            m.many_rows.add(new)
        return new
    if name in api.BUILDERS:
        return build(m, f, node, query, name, args, keywords, parameters)
    if query.style == "query" or query.style == "list":
        return _evaluating(m, f, node, query, name, args, keywords, parameters)
    m.use(f, query, UseKind.DERIVE, node, operator=name)
    return varying((query, *args))


def build(
    m: Machine, f: Frame, node: ir.Call, query: QueryObject, name: str, args: list[Value], keywords: dict[str, Value], parameters: frozenset[int]
) -> Value:
    """Returns the query object that a builder method makes."""
    changes: dict[str, object] = {"parameters": query.parameters | parameters}
    others: dict[Model, LoadPlan] = {}
    if name == "options":
        others, mine = _of_other_entities(m, query, args)
        plan, complete = apply_options(query.plan, query.model, mine)
        changes["plan"] = plan
        if not complete or (any(isinstance(a, ir.Star) for a in node.args) and not args):
            changes["complete"] = False
    elif name in ("filter", "where", "filter_by"):
        names = frozenset(keywords) | frozenset(_compared(m, f, node, query.model))
        changes["filters"] = query.filters | names
        if _is_unique(query.model, names):
            changes["bound"], changes["limit"] = Bound.ONE, 1
    elif name == "limit" and args:
        changes["sliced"] = True
        value = args[0].value if isinstance(args[0], Constant) and isinstance(args[0].value, int) else None
        changes["limit"] = value
        changes["bound"] = min(query.bound, Bound.PAGE if value is None or value > 10 else Bound.FEW if value > 1 else Bound.ONE)
    elif name == "slice":
        changes["sliced"], changes["bound"] = True, Bound.PAGE
    elif name == "select_from" and args and query.model is None:
        changes["model"] = next((a.model for a in args if isinstance(a, (ClassInfo, Descriptor))), None)
    elif name == "distinct":
        changes["distinct"] = True
    elif name == "with_for_update":
        changes["locked"] = True
    elif name in api.COLUMN_BUILDERS:
        changes["shape"] = Shape.TUPLES
    elif name in ("union", "union_all", "intersect", "except_"):
        changes["combined"] = True
    elif name == "from_statement":
        changes["raw"] = True
    elif name == "enable_eagerloads" and args == [Constant(False)]:
        changes["plan"] = plans.EMPTY
    new = refined(m, f, node, query, name, **changes)
    if others:
        m.entity_plans[new] = others
    if name in api.COLUMN_BUILDERS:
        m.entities[new] = tuple(a.model if isinstance(a, ClassInfo) else None for a in args)
        if len(args) == 1 and counts(args[0]):
            m.counting.add(new)
    return new


def _compared(m: Machine, f: Frame, node: ir.Call, model: Model | None) -> list[str]:
    """Returns what the arguments of filter() ask for, in the words of Django's lookups: "id", "id__in", "day__gte".

    A column of another model is named with it: "Author.country_id".
    """
    names = []
    for arg in node.args:
        match arg:
            case ir.Call(func=ir.Name(id="and_") | ir.Attr(name="and_")):
                names += _compared(m, f, arg, model)
            case ir.Call(func=ir.Attr(value=column, name="in_")):
                names += _lookup(m, f, column, "__in", model)
            case ir.Compare() if arg.op in COMPARED:
                names += _lookup(m, f, arg.left, COMPARED[arg.op], model) or _lookup(m, f, arg.right, MIRRORED[arg.op], model)
            case _:
                pass
    return names


def _lookup(m: Machine, f: Frame, column: ir.Expr_, suffix: str, model: Model | None) -> list[str]:
    symbol = m.program.resolve(column.value, f.module) if isinstance(column, ir.Attr) else None
    if not isinstance(column, ir.Attr) or not isinstance(symbol, ClassInfo) or symbol.model is None:
        return []
    return [f"{'' if symbol.model is model else symbol.model.name + '.'}{column.name}{suffix}"]


def _is_unique(model: Model | None, names: frozenset[str]) -> bool:
    if model is None:
        return False
    if any(group <= names for group in model.unique_together):
        return True
    return any(model.is_primary_key(n) or (n in model.columns and model.columns[n].unique) for n in names)


def _of_other_entities(m: Machine, query: QueryObject, args: list[Value]) -> tuple[dict[Model, LoadPlan], list[Value]]:
    """Returns the plans that options give the further entities of `select(A, B)`, and the options that are left for the first."""
    others = {model: m.entity_plans.get(query, {}).get(model) or mapping_plan(model) for model in m.entities.get(query, ())[1:] if model is not None}
    left: list[Value] = []
    for arg in _flat(args):
        if isinstance(arg, Option) and arg.model in others and arg.model is not query.model:
            assert arg.model is not None
            others[arg.model] = apply_option(others[arg.model], arg, arg.model)
        else:
            left.append(arg)
    return others, left


# ---------------------------------------------------------------------------------------------------------- options
def loader(name: str, args: list[Value]) -> Option:
    """Returns the loader option that `joinedload(A.b)`, `load_only(A.x)` … make."""
    path: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    model = next((a.model for a in args if isinstance(a, Descriptor)), None)
    if name in ("load_only", "defer", "undefer"):
        columns = tuple(a.name if isinstance(a, Descriptor) else str(a.value) for a in args if isinstance(a, (Descriptor, Constant)))
        return Option((), (name,), model, columns)
    for arg in args:
        step = arg.name if isinstance(arg, Descriptor) else str(arg.value) if isinstance(arg, Constant) and isinstance(arg.value, str) else ""
        for part in step.split("."):
            if part:
                path, kinds = (*path, part), (*kinds, name)
    return Option(path, kinds, model)


def descriptor_method(
    m: Machine, f: Frame, node: ir.Call, receiver: Descriptor | Option, name: str, args: list[Value], keywords: dict[str, Value]
) -> Value:
    """Calls a method of a loader option (further hops) or of a mapped attribute (comparisons)."""
    if isinstance(receiver, Option):
        if name == "options":
            children = tuple(a for a in _flat(args) if isinstance(a, Option))
            return replace(receiver, children=(*receiver.children, *children))
        if name in api.LOADERS:
            more = loader(name, args)
            if more.columns or not more.path:
                return replace(receiver, children=(*receiver.children, more))
            if receiver.children and receiver.path == ():
                return replace(receiver, path=more.path, kinds=more.kinds)
            return replace(receiver, path=receiver.path + more.path, kinds=receiver.kinds + more.kinds)
        return receiver
    if name in ("of_type", "and_", "alias"):
        return receiver
    for value in args:
        m.use(f, value, UseKind.ARGUMENT, node)
    return varying(args)


def _flat(args: list[Value]) -> list[Value]:
    found: list[Value] = []
    for arg in args:
        if isinstance(arg, Sequence):
            found += arg.items if arg.items is not None else [arg.element]
        elif isinstance(arg, Union):
            found += arg.options
        else:
            found.append(arg)
    return found


def apply_options(plan: LoadPlan, model: Model | None, args: list[Value]) -> tuple[LoadPlan, bool]:
    """Returns a plan with loader options applied, and whether all options were understood."""
    complete = True
    for arg in _flat(args):
        for option in arg.options if isinstance(arg, Union) else (arg,):
            if isinstance(option, Option):
                plan = apply_option(plan, option, model)
            else:
                complete = False
    return plan, complete


def apply_option(plan: LoadPlan, option: Option, model: Model | None) -> LoadPlan:
    """Returns a plan with one loader option applied."""
    if not option.path:
        for child in option.children:
            plan = apply_option(plan, child, model)
        if option.kinds == ("load_only",) and option.columns:
            primary = {model.primary_key} if model is not None else set()
            return replace(plan, only=frozenset(option.columns) | primary)
        if option.kinds == ("defer",):
            return replace(plan, deferred=plan.deferred | frozenset(option.columns))
        return plan
    name, kind = option.path[0], KINDS.get(option.kinds[0])
    relation = model.relations.get(name) if model is not None else None
    target = relation.target if relation is not None else None
    rest = Option(option.path[1:], option.kinds[1:], target, children=option.children)
    old = plan.loaded.get(name)
    if name == "*":
        for other in model.relations if model is not None and kind is not None else ():
            if other not in plan.loaded:
                assert kind is not None
                plan = plans.load(plan, (other,), kind)
        return plan
    below = old.plan if old is not None else mapping_plan(target, 1) if target is not None else plans.EMPTY
    below = apply_option(below, rest, target)
    if kind is None:
        if option.kinds[0] == "lazyload":
            return replace(plan, loaded={n: e for n, e in plan.loaded.items() if n != name})
        return plans.load(plan, (name,), old.kind, below) if old is not None else plan
    cleared = replace(plan, loaded={n: e for n, e in plan.loaded.items() if n != name})
    return plans.load(cleared, (name,), kind, below)


# -------------------------------------------------------------------------------------------------------- evaluating
def _evaluating(
    m: Machine, f: Frame, node: ir.Call, query: QueryObject, name: str, args: list[Value], keywords: dict[str, Value], parameters: frozenset[int]
) -> Value:
    query.parameters |= parameters
    if name in ("all", "all_or_404"):
        evaluate_query(m, f, query, node, UseKind.DERIVE, operator="all")
        return Sequence("list", element_of_query(m, query), bound=query.bound, limit=query.limit, source=query)
    if name in api.ONE_ROW:
        m.use(f, query, UseKind.METHOD, node, operator=name)
        if query in m.counting:
            return _counted(m, f, node, query, name)
        source = replace(query, uses=[], heirs=[])
        m.new_query(f, source)
        _carry(m, query, source)
        return single_row(m, f, node, source, name, parameters)
    if name == "count":
        return _counted(m, f, node, query, name)
    if name == "paginate":
        evaluate_query(m, f, query, node, UseKind.METHOD, operator=name)
        page = replace(query, uses=[], heirs=[], bound=Bound.PAGE, cached=True)
        m.new_query(f, page)
        _carry(m, query, page)
        return page_of(m, Sequence("list", element_of_query(m, page), bound=Bound.PAGE, source=page))
    row = m.rows_of.get(query)
    loops, foreign = around_row(f, row, tuple(f.loops))
    if name in ("update", "delete"):
        m.event(
            f, Op.UPDATE_ROWS if name == "update" else Op.DELETE_ROWS, node, loops=loops, method=name, absolute=foreign, **query_facts(query, row)
        )
        return UNKNOWN
    if name in ("append", "add", "remove", "extend"):
        return NONE
    m.use(
        f,
        query,
        UseKind.DERIVE if name in ("exists", "subquery", "statement", "scalar_subquery", "cte", "as_scalar") else UseKind.ARGUMENT,
        node,
        operator=name,
    )
    return varying((query, *args))


def _carry(m: Machine, old: QueryObject, new: QueryObject) -> None:
    if old in m.rows_of:
        m.rows_of[new] = m.rows_of[old]
    if old in m.entities:
        m.entities[new] = m.entities[old]
    if old in m.entity_plans:
        m.entity_plans[new] = m.entity_plans[old]


def _counted(m: Machine, f: Frame, node: ir.Call, query: QueryObject, name: str) -> Value:
    m.use(f, query, UseKind.METHOD, node, operator=name)
    row = m.rows_of.get(query)
    loops, foreign = around_row(f, row, tuple(f.loops))
    m.counters.queries.add(query.site)
    return Scalar(m.event(f, Op.COUNT, node, loops=loops, method=name, absolute=foreign, **query_facts(query, row)))


def page_of(m: Machine, items: Sequence) -> Value:
    """Returns a Flask-SQLAlchemy `Pagination` that holds one page of rows."""
    module = m.program.library.get("flask_sqlalchemy.pagination")
    if module is None:
        return items
    return Instance(module.classes["Pagination"], {"items": items}, initialised=True)


def result_method(m: Machine, f: Frame, node: ir.Call, result: QueryObject, name: str) -> Value:
    """Calls a method of a Result: nothing more is sent."""
    if name == "scalars":
        models = m.entities.get(result)
        if models is not None and models and models[0] is not None:
            new = refined(m, f, node, result, name, shape=Shape.ROWS, model=models[0])
        elif models is not None:
            return refined(m, f, node, result, name)
        else:
            new = refined(m, f, node, result, name, shape=Shape.ROWS)
        _tuples(m, result, new, scalars=True)
        return new
    if name in ("unique", "tuples", "mappings", "yield_per", "columns", "freeze"):
        new = refined(m, f, node, result, name, shape=Shape.UNKNOWN if name == "mappings" else result.shape)
        _tuples(m, result, new, scalars=False)
        return new
    if name == "partitions":
        m.use(f, result, UseKind.ITERATE, node, operator=name)
        rows = Sequence("list", row_of_result(m, result), bound=Bound.PAGE, source=result)
        return Sequence("generator", rows, bound=result.bound, batches=True)
    if name in api.ROW_LISTS:
        m.use(f, result, UseKind.DERIVE, node, operator=name)
        return Sequence("list", row_of_result(m, result), bound=result.bound, limit=result.limit, source=result)
    if name in api.ONE_ROW:
        m.use(f, result, UseKind.METHOD, node, operator=name)
        event = m.executed.get(_origin_of(m, result))
        if event is not None:
            event.op, event.method = Op.GET_ROW, name
            if result in m.counting or _origin_of(m, result) in m.counting:
                event.op = Op.COUNT
                return Scalar(event)
        scalar = name.startswith("scalar")
        element = row_of_result(m, result)
        if scalar and isinstance(element, Sequence) and element.items:
            element = element.items[0]
        return replace(element, births=tuple(f.loops), single=True) if isinstance(element, Row) else element
    m.use(f, result, UseKind.OTHER, node)
    return varying((result,))


def _tuples(m: Machine, old: QueryObject, new: QueryObject, *, scalars: bool) -> None:
    m.result_of[new] = _origin_of(m, old)
    if not scalars and old in m.entities:
        m.entities[new] = m.entities[old]
    if not scalars and old in m.wrapped:
        m.wrapped.add(new)


def _origin_of(m: Machine, result: QueryObject) -> QueryObject:
    return m.result_of.get(result, result)


def row_of_result(m: Machine, result: QueryObject) -> Value:
    """Returns one row of a result: an entity, or a tuple that holds it."""
    element = element_of_query(m, result)
    return Sequence("tuple", items=(element,)) if result in m.wrapped and isinstance(element, Row) else element


# ---------------------------------------------------------------------------------------------------------- sessions
def session_method(m: Machine, f: Frame, node: ir.Call, session: Session, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Calls a method of a session."""
    if name == "query":
        return statement(m, f, node, args, "query")
    if name in EXECUTES:
        return execute(m, f, node, session, name, args, keywords)
    depends = frozenset().union(*(deps_of(a) for a in args)) if args else frozenset()
    first = args[0] if args else UNKNOWN
    if name in ("get", "get_one"):
        return _get(m, f, node, session, args, keywords)
    if name in ("add", "delete", "merge", "refresh", "add_all"):
        return _unit_of_work(m, f, node, name, first, depends)
    ops = {"flush": Op.FLUSH, "commit": Op.COMMIT, "rollback": Op.ROLLBACK}
    if name in ops:
        if session.births and all(loop in session.births for loop in f.loops):
            return NONE  # a session of this round's own: there is nothing to commit behind the loop
        own = session.made_in == f.number != 0  # its caller's loop cannot end the transaction of a session that it does not know
        m.event(f, ops[name], node, orm=Orm.SQLALCHEMY, method=name, depends=depends, absolute=own)
        return NONE
    if name in ("bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"):
        model = first.model if isinstance(first, ClassInfo) else None
        m.event(f, Op.BULK_WRITE, node, model=model, orm=Orm.SQLALCHEMY, method=name, depends=depends)
        return NONE
    if name == "run_sync" and args:
        from ormlint.run.calls import call

        return call(m, f, node, first, [Session(), *args[1:]], keywords)
    if name in ("begin", "begin_nested", "__call__", "no_autoflush", "__enter__"):
        return session
    return UNKNOWN


def _unit_of_work(m: Machine, f: Frame, node: ir.Call, name: str, first: Value, depends: frozenset[int]) -> Value:
    row: Value = first
    if isinstance(first, Sequence):
        row = element_of(first)
    model = row.model if isinstance(row, Row) else None
    ops = {"add": Op.ADD, "add_all": Op.ADD, "delete": Op.DELETE, "merge": Op.GET_ROW, "refresh": Op.REFRESH}
    facts: dict[str, object] = {"model": model, "orm": Orm.SQLALCHEMY, "method": name, "depends": depends}
    if isinstance(row, Row):
        facts["row"] = row.origin
        facts["row_loops"] = row.births
    m.event(f, ops[name], node, **facts)
    return first if name == "merge" else NONE


def _get(m: Machine, f: Frame, node: ir.Call, session: Session, args: list[Value], keywords: dict[str, Value]) -> Value:
    model_class = args[0] if args else keywords.get("entity", UNKNOWN)
    if not isinstance(model_class, ClassInfo) or model_class.model is None:
        return varying(args)
    query = statement(m, f, node, [model_class], "query")
    query.methods = ("get",)
    query.asynchronous = session.is_async
    options = keywords.get("options")
    if options is not None:
        query.plan, query.complete = apply_options(query.plan, query.model, [options])
    from ormlint.run.rows import holds

    if holds(f, model_class.model):
        return Row(model_class.model, model_class, None, plans.EMPTY, tuple(f.loops))
    return single_row(m, f, node, query, "get", frozenset().union(*(deps_of(a) for a in (*args[1:], *keywords.values()))))


def execute(m: Machine, f: Frame, node: ir.Call, session: Session, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Records that a session executes a statement and returns the result."""
    stmt = args[0] if args else keywords.get("statement", UNKNOWN)
    rest = frozenset().union(*(deps_of(a) for a in (*args[1:], *keywords.values())))
    if isinstance(stmt, Union):
        queries = [o for o in stmt.options if isinstance(o, QueryObject)]
        stmt = queries[0] if queries else stmt
    if not isinstance(stmt, QueryObject):
        m.event(f, Op.EXECUTE, node, orm=Orm.SQLALCHEMY, method=name, depends=deps_of(stmt) | rest)
        return varying((*args, *keywords.values()))
    if stmt.style in STATEMENT_OPS:
        many = stmt in m.many_rows or (len(args) > 1 and isinstance(args[1], (Sequence, type(UNKNOWN))))
        op = Op.BULK_WRITE if many else STATEMENT_OPS[stmt.style]
        m.use(f, stmt, UseKind.METHOD, node, operator=name)
        m.event(f, op, node, model=stmt.model, orm=Orm.SQLALCHEMY, query=stmt, method=name, depends=stmt.parameters | rest)
        return UNKNOWN
    m.use(f, stmt, UseKind.METHOD, node, operator=name)
    result = replace(stmt, uses=[], heirs=[], style="result", parameters=stmt.parameters | rest, asynchronous=session.is_async)
    m.new_query(f, result)
    _carry(m, stmt, result)
    if stmt in m.counting:
        m.counting.add(result)
    if name in ("execute", "stream") and result.shape is Shape.ROWS:
        m.wrapped.add(result)
    if name == "scalars" and result.shape is Shape.TUPLES and (m.entities.get(result) or (None,))[0] is not None:
        result.shape = Shape.ROWS
    m.counters.queries.add(result.site)
    one = name == "scalar"
    op = (Op.COUNT if stmt in m.counting else Op.GET_ROW) if one else Op.LOAD_ROWS
    event = m.event(f, op, node, method=name, use=UseKind.OTHER, **query_facts(result, None))
    m.executed[result] = event
    if one:
        if stmt in m.counting:
            return Scalar(event)
        element = element_of_query(m, result, single=True)
        return replace(element, births=tuple(f.loops)) if isinstance(element, Row) else element
    return result


def call_presumed_session(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    """Calls a method of an unknown receiver that can only be a session, as its arguments show; returns None otherwise."""
    assert isinstance(node.func, ir.Attr)
    name = node.func.name
    if name not in api.SESSION_METHODS:
        return None
    where = (f.module.tree.path, text_of(node.func.value))
    first = args[0] if args else None
    if isinstance(first, Sequence):
        first = element_of(first)
    if isinstance(first, Union):
        first = first.options[0]
    proven = {
        "query": isinstance(first, (ClassInfo, Descriptor)) and first.model is not None and first.model.orm is Orm.SQLALCHEMY,
        "get": isinstance(first, ClassInfo) and first.model is not None and first.model.orm is Orm.SQLALCHEMY,
    }.get(name)
    if proven is None:
        if name in EXECUTES:
            proven = isinstance(first, QueryObject) and first.orm is Orm.SQLALCHEMY
        elif name in ("add", "add_all", "delete", "merge", "refresh", "expunge"):
            proven = isinstance(first, Row) and first.model.orm is Orm.SQLALCHEMY
        else:
            proven = where in m.session_places
    if not proven:
        return None
    m.session_places.add(where)
    m.counters.resolved.add(f.site(node.start, node.end))
    return session_method(m, f, node, Session(), name, args, keywords)


__all__ = ["Relation", "call_presumed_session", "execute", "loader", "query_method", "session_method", "statement", "writing_statement"]
