"""SQLAlchemy: building statements and queries."""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.library import sqlalchemy_api as api
from ormlint.link.names import ClassInfo, External, ModuleInfo
from ormlint.link.schema import Model, Orm
from ormlint.run import plans
from ormlint.run.frame import Frame
from ormlint.run.loader_options import apply_options, of_other_entities
from ormlint.run.log import Bound, Join, LoadPlan, Op, QueryObject, Shape, UseKind
from ormlint.run.machine import Machine, text_of
from ormlint.run.queries import mapping_plan, refined
from ormlint.run.recipes import statement_recipe
from ormlint.run.results import evaluating, result_method
from ormlint.run.values import Constant, Descriptor, Instance, Mapping, Sequence, Value, deps_of, varying

COMPARED = {"==": "", "!=": "__not", ">": "__gt", ">=": "__gte", "<": "__lt", "<=": "__lte"}
MIRRORED = {"==": "", "!=": "__not", ">": "__lt", ">=": "__lte", "<": "__gt", "<=": "__gte"}
STATEMENT_OPS = {"insert": Op.INSERT, "update": Op.UPDATE_ROWS, "delete": Op.DELETE_ROWS}


def statement(m: Machine, f: Frame, node: ir.Node, args: list[Value], style: str) -> QueryObject:
    """Returns the query object that `select(…)` or `session.query(…)` makes of entities and columns."""
    models: list[Model | None] = []
    for arg in args:
        parts = (arg.items or ()) if isinstance(arg, Sequence) else (arg,)
        models += [part.model if isinstance(part, ClassInfo) else None for part in parts]
    first = next((x for x in models if x is not None), None)
    query = QueryObject(model=first, orm=Orm.SQLALCHEMY, site=f.site(node.start, node.end), style=style, methods=(style,))
    query.recipe = statement_recipe(m, f, style, node)
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
    if _hands_on(f, node):
        m.handed_on.add(query)
    return m.new_query(f, query)


def _hands_on(f: Frame, node: ir.Node) -> bool:
    """Whether a call is given just what the function is given that it stands in: `def select(*entities): return Select(*entities)`."""
    match node:
        case ir.Call(args=[ir.Star(value=ir.Name(id=name))]) if f.function is not None:
            return any(param.kind == "*" and param.name == name for param in f.function.node.params)
        case _:
            return False


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
    name = name.removeprefix("super:")
    parameters = frozenset().union(*(deps_of(a) for a in args), *(deps_of(k) for k in keywords.values())) if args or keywords else frozenset()
    if query.style == "result":
        return result_method(m, f, node, query, name)
    if query.style in STATEMENT_OPS:
        new = refined(m, f, node, query, name, parameters=query.parameters | parameters)
        if name in ("where", "filter", "filter_by"):
            new.filters |= frozenset(keywords) | frozenset(_compared(m, f, node.args, query.model))
            new.bound = Bound.ONE if _is_unique(query.model, new.filters) else new.bound
        if query in m.many_rows or name == "from_select" or (name == "values" and args and not isinstance(args[0], Mapping)):
            m.many_rows.add(new)
        return new
    if name in api.BUILDERS:
        return build(m, f, node, query, name, args, keywords, parameters)
    if query.style == "query" or query.style == "list":
        return evaluating(m, f, node, query, name, args, keywords, parameters)
    m.use(f, query, UseKind.DERIVE, node, operator=name)
    return varying((query, *args))


def build(
    m: Machine, f: Frame, node: ir.Call, query: QueryObject, name: str, args: list[Value], keywords: dict[str, Value], parameters: frozenset[int]
) -> Value:
    """Returns the query object that a builder method makes."""
    changes: dict[str, object] = {"parameters": query.parameters | parameters}
    others: dict[Model, LoadPlan] = {}
    if name == "options":
        others, mine = of_other_entities(m, query, args)
        plan, complete = apply_options(query.plan, query.model, mine)
        changes["plan"] = plan
        if not complete or (any(isinstance(a, ir.Star) for a in node.args) and not args):
            changes["complete"] = False
    elif name in ("filter", "where", "filter_by"):
        names = frozenset(keywords) | frozenset(_compared(m, f, node.args, query.model))
        changes["filters"] = query.filters | names
        changes["stated"] = query.stated.union(
            (name for name, value in node.keywords if isinstance(keywords.get(name), Constant) and not _is_given(f, value)),
            _compared(m, f, node.args, query.model, stated=True),
        )
        if _is_unique(query.model, query.filters | names):
            changes["bound"], changes["limit"] = Bound.ONE, 1
    elif name == "order_by":
        ended = any(isinstance(part, ir.Const) and part.value in (None, False) for part in node.args)  # `order_by(None)`
        changes["ordering"] = None if ended else (*(query.ordering or ()), *(_sorted_by(m, f, part, query.model) for part in node.args))
    elif name == "limit" and args:
        changes["sliced"] = True
        value = args[0].value if isinstance(args[0], Constant) and isinstance(args[0].value, int) else None
        changes["limit"] = value
        changes["bound"] = min(query.bound, Bound.PAGE if value is None or value > 10 else Bound.FEW if value > 1 else Bound.ONE)
    elif name == "slice":
        changes["sliced"], changes["bound"] = True, Bound.PAGE
        changes["paged"] = None if args[:1] == [Constant(0)] or all(isinstance(a, Constant) for a in args) else f.site(node.start, node.end)
    elif name == "offset" and args:
        changes["paged"] = None if isinstance(args[0], Constant) else f.site(node.start, node.end)
    elif name == "select_from" and args and query.model is None:
        changes["model"] = next((a.model for a in args if isinstance(a, (ClassInfo, Descriptor))), None)
        changes["filters"] = query.filters.union(*(inner.filters for inner in _subqueries(f, node.args)))
    elif name in ("join", "outerjoin"):
        changes["joins"] = (*query.joins, *joins_of(m, f, node, query, args))
    elif name == "yield_per" or (name == "execution_options" and "yield_per" in keywords):
        changes["batched"] = True
    elif name == "distinct":
        changes["distinct"] = True
    elif name == "with_for_update":
        changes["locked"] = True
    elif name in api.COLUMN_BUILDERS or name in api.FURTHER_ENTITIES:
        changes["shape"] = Shape.TUPLES
        changes["distinct"] = query.distinct or any(isinstance(a, ir.Call) and text_of(a.func).endswith("distinct") for a in node.args)
        if name != "add_columns" and not any(isinstance(a, ClassInfo) for a in args):
            changes["plan"] = plans.EMPTY
    elif name in ("union", "union_all", "intersect", "except_"):
        changes["combined"] = True
    elif name == "from_statement":
        changes["raw"] = True
    elif name == "enable_eagerloads" and args == [Constant(False)]:
        changes["plan"] = plans.EMPTY
    new = refined(m, f, node, query, name, **changes)
    if others:
        m.entity_plans[new] = others
    if name in api.FURTHER_ENTITIES:
        m.entities[new] = (*m.entities.get(query, (query.model,)), *(a.model if isinstance(a, ClassInfo) else None for a in args))
    if name in api.COLUMN_BUILDERS:
        kept = (m.entities.get(query) or (query.model,)) if name == "add_columns" else ()
        m.entities[new] = (*kept, *(a.model if isinstance(a, ClassInfo) else None for a in args))
        if not kept and len(args) == 1 and counts(args[0]):
            m.counting.add(new)
    return new


def _is_given(f: Frame, value: ir.Expr_) -> bool:
    """Whether an expression is made of a variable of the function, such as what a caller gives: `values.get("name")`."""
    return any(isinstance(node, ir.Name) and node.id in f.env for node in walk(value))


def _subqueries(f: Frame, arguments: list[ir.Expr_]) -> Iterator[QueryObject]:
    """Yields the statements in variables of which arguments make subqueries: `select(func.count()).select_from(books.subquery())`."""
    for argument in arguments:
        match argument:
            case ir.Call(func=ir.Attr(value=ir.Name(id=name), name="subquery" | "alias" | "cte")):
                held = f.env.get(name)
                if isinstance(held, QueryObject):
                    yield held
            case _:
                pass


def joins_of(m: Machine, f: Frame, node: ir.Call, query: QueryObject, args: list[Value]) -> tuple[Join, ...]:
    """Returns what `.join(Book.author)`, `.join(Author, Book.author)` or `.join(Author)` joins; the last if there is one way only.

    A join of an alias is none of these.
    """
    for place in node.args:
        holder = place.value if isinstance(place, ir.Attr) else place
        if isinstance(holder, ir.Call) or (
            isinstance(holder, ir.Name) and not isinstance(m.program.resolve(holder, f.module), (ClassInfo, ModuleInfo))
        ):
            return ()
    relations = [arg.relation for arg in args if isinstance(arg, Descriptor) and arg.relation is not None]
    if not relations and len(args) == len(node.args) == 1 and isinstance(args[0], ClassInfo) and query.model is not None:
        relations = [relation for relation in query.model.relations.values() if relation.target is args[0].model]
    site = f.site(node.start, node.end)
    return tuple(Join(relation, site) for relation in relations) if len(relations) == 1 else ()


def _compared(m: Machine, f: Frame, conditions: list[ir.Expr_], model: Model | None, *, stated: bool = False) -> list[str]:
    """Returns what the arguments of filter() ask for, in the words of Django's lookups: "id", "id__in", "day__gte".

    A column of another model is named with it: "Author.country_id". What may be any condition is "*". With `stated`, those alone that
    are compared with a value that the text states.
    """
    names = []
    for arg in conditions:
        match arg:
            case ir.Call(func=ir.Name(id="and_") | ir.Attr(name="and_")):
                names += _compared(m, f, arg.args, model, stated=stated)
            case ir.Binary(op="&", left=first) if first is not None:
                names += _compared(m, f, [first, arg.right], model, stated=stated)
            case ir.Name(id=condition):
                names += _compared_in(m, f, condition, model, stated=stated)
            case ir.Compare() if stated and not isinstance(arg.right, ir.Const):
                pass
            case ir.Call(func=ir.Attr(value=column, name="in_")):
                names += _lookup(m, f, column, "__in", model)
            case ir.Compare() if arg.op in COMPARED:
                left, right = _lookup(m, f, arg.left, COMPARED[arg.op], model), _lookup(m, f, arg.right, MIRRORED[arg.op], model)
                joins = (left or _is_of_subquery(arg.left)) and (right or _is_of_subquery(arg.right))
                # `Book.id == Loan.book_id`, `Book.id == latest.c.book_id` join two tables, and no key of one row is given
                names += [name for name in left or right if not joins or not _is_of_key(model, name)]
            case ir.Star(value=ir.Name(id=listed)):
                names += ["*", *_compared_in_list(m, f, listed, model, stated=stated)]
            case ir.Star() | ir.Call(func=ir.Name(id="or_") | ir.Attr(name="or_")) | ir.Binary(op="|"):
                names.append("*")
            case _:
                pass
    return names


def _compared_in_list(m: Machine, f: Frame, name: str, model: Model | None, *, stated: bool) -> list[str]:
    """Returns what the conditions ask for that a list of the function begins with; what is added to it later one way or another is "?name".

    # `conditions = [Book.shop_id == key]`, later `conditions.append(…)`, and `filter(*conditions)`; what an `if` alone adds asks for nothing,
    # unless it leaves out one row
    """
    match _assigned(f, name):
        case [ir.Seq(items=items)]:
            body = f.function.node.body if f.function is not None else []
            maybe = _compared(m, f, _added_anyway(body, name), model, stated=stated)
            maybe += (each for each in _compared(m, f, _added(body, name), model, stated=stated) if each.endswith("__not"))
            return [*_compared(m, f, items, model, stated=stated), *(f"?{each.lstrip('?')}" for each in maybe if each != "*")]
        case _:
            return []


def _compared_in(m: Machine, f: Frame, name: str, model: Model | None, *, stated: bool) -> list[str]:
    """Returns what a condition asks for that a variable of the function holds: `of_shop = and_(Book.shop_id == key, Book.day == day)`."""
    match _assigned(f, name):
        case [ir.Call() | ir.Compare() | ir.Binary() as condition]:
            return _compared(m, f, [condition], model, stated=stated)
        case _:
            return []


def _assigned(f: Frame, name: str) -> list[ir.Expr_]:
    """Returns what the function assigns to a variable, in its outermost statements."""
    body = f.function.node.body if f.function is not None else []
    assignments = (each for each in body if isinstance(each, ir.Assign) and not each.op)
    return [
        each.value
        for each in assignments
        if each.value is not None and any(isinstance(target, ir.Name) and target.id == name for target in each.targets)
    ]


def _added_anyway(body: list[ir.Stmt], name: str) -> list[ir.Expr_]:
    """Returns what statements add to a list whichever way they take: of an `if` both ways add something, or one of them ends the function."""
    found: list[ir.Expr_] = []
    for stmt in body:
        match stmt:
            case ir.If():
                ways = [_added_anyway(way, name) for way in (stmt.body, stmt.orelse)]
                if all(added or _ends(way) for added, way in zip(ways, (stmt.body, stmt.orelse), strict=True)):
                    found += (each for added in ways for each in added)
            case ir.With() | ir.Try():
                found += _added_anyway(stmt.body, name)
            case ir.Loop() | ir.While():
                pass
            case _:
                found += _added(stmt, name)
    return found


def _ends(body: list[ir.Stmt]) -> bool:
    return bool(body) and isinstance(body[-1], (ir.Return, ir.Raise))


def _added(within: object, name: str) -> list[ir.Expr_]:
    """Returns what calls add to a list: `conditions.append(Book.shop_id == key)`, `conditions.extend([…])`."""
    found: list[ir.Expr_] = []
    for node in walk(within):
        match node:
            case ir.Call(func=ir.Attr(value=ir.Name(id=listed), name="append"), args=[condition]) if listed == name:
                found.append(condition)
            case ir.Call(func=ir.Attr(value=ir.Name(id=listed), name="extend"), args=[ir.Seq(items=items)]) if listed == name:
                found += items
    return found


def _is_of_subquery(expression: ir.Expr_) -> bool:
    """Whether an expression is a column of a subquery or table: `latest.c.book_id`."""
    return isinstance(expression, ir.Attr) and isinstance(expression.value, ir.Attr) and expression.value.name in ("c", "columns")


def _sorted_by(m: Machine, f: Frame, part: ir.Expr_, model: Model | None) -> str:
    """Returns the column that an argument of order_by() names, "-day" for `Visit.day.desc()` and `desc(Visit.day)`; "?" if it is another thing."""
    down = False
    while isinstance(part, ir.Call):
        name = part.called
        if name not in api.DIRECTIONS:
            return "?"
        down = down or name == "desc"
        part = part.args[0] if part.args else part.func.value if isinstance(part.func, ir.Attr) else ir.Const(part.start, part.end, None)
    found = _lookup(m, f, part, "", model)
    return f"{'-' if down else ''}{found[0]}" if found and "." not in found[0] else "?"


def _lookup(m: Machine, f: Frame, column: ir.Expr_, suffix: str, model: Model | None) -> list[str]:
    match column:
        case ir.Call(func=ir.Attr(name="lower" | "upper"), args=[inner]) if not suffix:
            column, suffix = inner, "__iexact"
        case _:
            pass
    symbol = m.program.resolve(column.value, f.module) if isinstance(column, ir.Attr) else None
    if not isinstance(symbol, ClassInfo) and isinstance(column, ir.Attr) and isinstance(column.value, ir.Name):
        local = f.env.get(column.value.id)  # imported in the function
        symbol = local if isinstance(local, ClassInfo) else None
    symbol = symbol if isinstance(symbol, ClassInfo) or not isinstance(column, ir.Attr) else _held(m, f, column.value) or symbol
    if isinstance(column, ir.Attr) and model is None and not isinstance(symbol, ClassInfo) and _is_called_as_class(column.value):
        return [f"{column.name}{suffix}"]
    if not isinstance(column, ir.Attr) or not isinstance(symbol, ClassInfo) or symbol.model is None:
        return []
    own = symbol.model is model and not (isinstance(column.value, ir.Name) and _is_alias(f, column.value.id))
    return [f"{'' if own else symbol.model.name + '.'}{column.name}{suffix}"]


def _is_alias(f: Frame, name: str) -> bool:
    """Whether a variable of the function stands for further rows of a table: `parent = aliased(Part)`."""
    return any(isinstance(value, ir.Call) and value.called == "aliased" for value in _assigned(f, name))


def _held(m: Machine, f: Frame, holder: ir.Expr_) -> ClassInfo | None:
    """Returns the class that an object holds in an attribute: `self.model`."""
    owner = f.env.get(holder.value.id) if isinstance(holder, ir.Attr) and isinstance(holder.value, ir.Name) else None
    if not isinstance(owner, Instance) or not isinstance(holder, ir.Attr):
        return None
    held: object = owner.attributes.get(holder.name)
    bound = owner.cls.find(holder.name) if held is None else None
    if bound is not None and isinstance(stmt := bound[1][-1], ir.Assign) and stmt.value is not None:
        held = m.program.resolve(stmt.value, bound[0].module, bound[0])
    return held if isinstance(held, ClassInfo) else None


def _is_called_as_class(holder: ir.Expr_) -> bool:
    """Whether an expression names what is called as classes are, such as the model of a package that is not at hand: `tables.Book`."""
    name = holder.name if isinstance(holder, ir.Attr) else holder.id if isinstance(holder, ir.Name) else ""
    return name[:1].isupper() and not name.isupper()


def _is_of_key(model: Model | None, name: str) -> bool:
    """Whether a column belongs to a key of a table: `reader_id` and `book_id` of a table of loans whose primary key they are."""
    return _is_unique(model, frozenset((name,))) or (model is not None and any(name in group for group in model.unique_together))


def _is_unique(model: Model | None, names: frozenset[str]) -> bool:
    if model is None:
        return False
    if any(group <= names for group in model.unique_together):
        return True
    return any(model.is_primary_key(n) or (n in model.columns and model.columns[n].unique) for n in names)
