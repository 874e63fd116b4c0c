"""What must be known of a query before a fix to it counts as safe: nothing else may see the change.

The reasons are shown to users: each completes "not safe: …".
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ormlint.fixes.chain import last_name
from ormlint.fixes.imports import is_imported
from ormlint.fixes.rounds import SOME_WAYS_OF_ONE, is_read_of_one_row, risk_of_needlessness
from ormlint.fixes.source import Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import EagerLoad
from ormlint.judge.unloaded import IGNORING_PREFETCH
from ormlint.library.functions import HOLDERS, HOLDING_MODULE
from ormlint.link.schema import Orm
from ormlint.run.log import CHANGED, Bound, Event, Op, QueryObject, Use, UseKind
from ormlint.text import Site

HANDLED = "a `try` or `with` may wait for the error that is raised so far"
SEVERAL = "the query is evaluated in several places"
BASE_MANAGER = "`Meta.base_manager_name` names a manager for related rows, which a join does not ask"
STRANGERS = "what is called before the relation is read, a parameter or SQL of its own, may write the rows that are loaded along"
OWN_LOADS = "its class says itself what `select_related()` and `prefetch_related()` do"
_SENDING = frozenset({"execute", "executemany", "executescript", "callproc"})
_TRANSACTIONS = frozenset({"begin", "begin_nested", "atomic"})
_CONSUMING = frozenset({UseKind.ITERATE, UseKind.AGGREGATE, UseKind.INDEX, UseKind.CONTAINS, UseKind.METHOD})
_HARMLESS = frozenset({UseKind.LEN, UseKind.TRUTH, UseKind.DERIVE, UseKind.DISCARD})
_COUNTING = frozenset({"count", "exists", "acount", "aexists"})  # they drop select_related and prefetches
_ESCAPES = {
    UseKind.ARGUMENT: "the query is passed to code that is not understood",
    UseKind.STORE: "the query is kept in an attribute or a container",
    UseKind.RETURN: "the query is returned to callers that are not all known",
    UseKind.RENDER: "the query is handed to a template, a serializer or a response",
}
_CALLERS = "other callers of the function that builds the query would get it too"
_DJANGO = {
    "only": "`only()` limits the columns; the foreign key must stay among them",
    "defer": "`defer()` leaves columns out; the foreign key must not be among them",
    "select_for_update": "`select_for_update()` would lock the joined rows too",
    "extra": "`extra()` adds SQL that a join may make ambiguous",
    "values": "`values()` gives no model instances",
    "values_list": "`values_list()` gives no model instances",
}
_CONTRADICTING = {
    "only": "which may leave the foreign key out",
    "defer": "which may leave the foreign key out",
    "union": "for which the columns must be those of the others",
    "intersection": "for which the columns must be those of the others",
    "difference": "for which the columns must be those of the others",
}
_READ = "the SQL of the query is read, which would have the joined columns too"
_DISTINCT = "`distinct()` would compare the added columns too, and may give the rows in another order"
_RAW = {Orm.DJANGO: frozenset({"RawSQL"}), Orm.SQLALCHEMY: frozenset({"text", "literal_column"})}
_SQLALCHEMY = {
    "with_for_update": "`with_for_update()` would lock the joined rows too",
    "group_by": "`group_by()` may not admit the added columns",
    "with_entities": "`with_entities()` changes what is selected",
    "from_statement": "`from_statement()` gives the SQL, to which nothing is added",
    "populate_existing": "`populate_existing()` fetches rows anew, and what is loaded with them too",
    "execution_options": "`execution_options()` may have rows fetched anew or in batches, and what is loaded with them too",
    "union": "`union()` combines queries",
    "union_all": "`union_all()` combines queries",
}


def risk_of_eager_load(sources: Sources, intent: EagerLoad, *, joins: bool) -> str:
    """Returns why loading a path of relations with a query may change what the program does or cost it more, "" if it cannot.

    `joins` tells that the first relation is loaded with a join instead of a query of its own.
    """
    query = intent.query
    if joins and any(hop.target is not None and hop.target.has_base_manager for hop in intent.path):
        return BASE_MANAGER
    if any(way.loads_itself for way in query.every_way()):
        return OWN_LOADS
    if any(_fails(sources, read) and _is_handled(sources, read) for read in intent.reads):
        return HANDLED
    if any(_calls_strangers(sources, query, place) for read in intent.reads for place in (*read.calls, read.site)):
        return STRANGERS
    risk = risk_of_loading_more(sources, query, joins=joins) or risk_of_sharing(sources, query, intent.home)
    risk = risk or risk_of_refining(query, intent.home, joins=joins)
    if not risk and query.bound is Bound.ONE and not (joins and all(hop.to_one for hop in intent.path)):
        return "" if is_read_of_one_row(sources, intent) else SOME_WAYS_OF_ONE
    if not risk and not (joins and all(hop.to_one for hop in intent.path)):
        return risk_of_needlessness(sources, intent)
    return risk


def risk_of_loading_more(sources: Sources, query: QueryObject, *, joins: bool = True) -> str:
    """Returns what in a query itself reacts to a join or to further relations, "" if nothing does."""
    reasons = _DJANGO if query.orm is Orm.DJANGO else _SQLALCHEMY
    for name, reason in reasons.items():
        if query.has(name):
            return reason
    if query.locked:
        return "the query locks its rows, and would lock the joined rows too"
    if not query.complete or query.has(CHANGED):
        return "something that is not understood may change the query"
    if joins and (query.distinct or query.has("distinct")):
        return _DISTINCT
    return _risk_of_raw_sql(sources, query) if joins else ""


def _risk_of_raw_sql(sources: Sources, query: QueryObject) -> str:
    """Returns which SQL of the program may be part of a query, whose columns a join would make ambiguous, "" if none: `RawSQL("id + 1", ())`.

    It is looked for in the functions that make the query, but for what is sent there by itself: `session.execute(text("…"))`.
    """
    for statement in filter(None, dict.fromkeys(map(sources.statement, (query.site, *query.steps, *query.trail)))):
        for call in statement.within(statement.module, cst.Call):
            name = last_name(call.func)
            if name in _RAW[query.orm] and not _is_sent(statement, call):
                return f"`{name}()` adds SQL that a join may make ambiguous"
    return ""


def _is_sent(statement: Statement, call: cst.Call) -> bool:
    argument = statement.parent(call)
    whole = statement.parent(argument) if isinstance(argument, cst.Arg) else None
    return isinstance(whole, cst.Call) and last_name(whole.func) in ("execute", "scalar", "scalars", "exec_driver_sql")


def obstacle_of_refining(query: QueryObject, home: Site) -> str:
    """Returns which query made from the one at a home would fail if that one joined a relation, "" if none: `orders.only("placed")`."""
    methods = refined_by(query, home) if query.orm is Orm.DJANGO else frozenset()
    return next((f"`{name}()` makes another query from it, {reason}" for name, reason in _CONTRADICTING.items() if name in methods), "")


def risk_of_refining(query: QueryObject, home: Site, *, joins: bool) -> str:
    """Returns what in the queries that are made from the one at a home reacts to a join or to further relations, "" if nothing does.

    # `orders.select_for_update()`, where `orders` has the customers loaded along, locks them too
    """
    methods = refined_by(query, home)
    if joins and "query" in methods:
        return _READ
    if query.orm is Orm.DJANGO:
        reasons = {"select_for_update": _DJANGO["select_for_update"], "extra": _DJANGO["extra"], "distinct": _DISTINCT} if joins else {}
    else:
        reasons = {name: _SQLALCHEMY[name] for name in ("populate_existing", "execution_options")}
        if joins:
            reasons |= {"with_for_update": _SQLALCHEMY["with_for_update"], "group_by": _SQLALCHEMY["group_by"], "distinct": _DISTINCT}
    return next((f"another query is made from it: {reason}" for name, reason in reasons.items() if name in methods), "")


def refined_by(query: QueryObject, home: Site) -> frozenset[str]:
    """Returns the methods that others are made with of the query that stands at a home, without its own."""
    changed = [known for known in query.lineage() if home in (known.site, *known.trail)]
    return (changed[-1] if changed else query).refined_by.difference(query.methods)


def risk_of_sharing(sources: Sources, query: QueryObject, home: Site, *, is_new: bool = False) -> str:
    """Returns what else than one evaluation sees a query that is changed at its home, "" if nothing does.

    `is_new` tells that what the home calls makes a query anew each time, and gives it to nobody else.
    """
    if query.orm is Orm.DJANGO and _may_be_prefetched(query):
        return f"callers that have prefetched `{query.relation.name if query.relation is not None else ''}` would run the query all the same"
    if home in query.trail and not home.encloses(query.site) and not is_new:
        return "the query is built in another place, which may give it to others too or keep it"
    is_last = home == (query.site, *query.trail)[-1] and home != query.site
    if query.ways and home in [way.site for way in query.ways]:
        return "another query gives the rows too"
    if query.parent is not None and not is_last:
        return _CALLERS
    kinds = {use.kind for use in query.uses}
    if not kinds <= {*_CONSUMING, *_HARMLESS, *_ESCAPES}:
        return "it is not known what becomes of the query"
    evaluated = _evaluations(query)
    for use in query.uses:
        if use.kind in _ESCAPES and not _is_of_the_result(query, use, evaluated):
            return _ESCAPES[use.kind]
    if len(evaluated) != 1:
        return SEVERAL if evaluated else "it is not known where the query is evaluated"
    if not is_last and not all(step.encloses(query.site) for step in query.steps) and not _is_private(sources, query):
        return _CALLERS if query.trail and query.trail[0].path != query.site.path else "other queries may be made from the same one"
    return ""


def _may_be_prefetched(query: QueryObject) -> bool:
    """Whether the rows of a relation may be at hand for some callers, which a query with more to load would not look at.

    # `self.items.all()` costs nothing if `self` was fetched with prefetch_related("items"), `self.items.all().select_related("maker")` does
    """
    if query.relation is None or query.relation.to_one or not IGNORING_PREFETCH.isdisjoint(query.methods):
        return False
    return query.owner is None or query.owner.query.function != query.function or query.owner.query.style == "related"


def _evaluations(query: QueryObject) -> set[Site]:
    """Returns where a query is evaluated. In `sorted(query)[0]` it is by `sorted`: what lies around it has the result only."""
    uses = [use for use in query.uses if use.kind in _CONSUMING and not (use.kind is UseKind.METHOD and use.operator in _COUNTING)]
    consuming = {use.site for use in uses if not use.made} or {use.site for use in uses}
    if query.bound is Bound.ONE and not query.uses:
        return {query.site}  # `get()`, `first()`: the row is all that there is of it
    return {site for site in consuming if not any(site.encloses(other) and site != other for other in consuming)}


def _is_of_the_result(query: QueryObject, use: Use, evaluated: set[Site]) -> bool:
    """Whether a use is of what an evaluation within it gives: `print([row.name for row in query])`, but not `show(list(query), query)`."""
    within = sum(use.site.encloses(site) and use.site != site for site in evaluated)
    return within >= sum(other.site == use.site for other in query.uses if other.kind in _ESCAPES) > 0


def is_handled(statement: Statement, node: cst.CSTNode) -> bool:
    """Whether something in the function around an expression may wait for the error that it raises: a `try`, a `with suppress(…)`.

    A session or a transaction ends with the error and lets it pass.
    """
    for above in statement.ancestors(node):
        match above:
            case cst.FunctionDef() | cst.Lambda():
                return False
            case cst.Try(handlers=handlers) | cst.TryStar(handlers=handlers) if handlers:
                return True
            case cst.With(items=items) if not all(_lets_errors_pass(each.item) for each in items):
                return True
    return False


def _lets_errors_pass(manager: cst.BaseExpression) -> bool:
    name = last_name(manager.func if isinstance(manager, cst.Call) else manager)
    return "session" in name.lower() or name in _TRANSACTIONS


def _fails(sources: Sources, read: Event) -> bool:
    """Whether a read raises an error so far: of a row without its session, or of Django in a coroutine (SynchronousOnlyOperation)."""
    if read.op is Op.FAILED_LOAD:
        return True
    file = sources.file(read.site) if read.query is not None and read.query.orm is Orm.DJANGO else None
    statement = sources.statement(read.site) if file is not None and "async def" in file.text else None
    node = statement.expression(read.site.start, read.site.end) if statement is not None else None
    function = statement.function(node) if statement is not None and node is not None else None
    return isinstance(function, cst.FunctionDef) and function.asynchronous is not None


def _is_handled(sources: Sources, read: Event) -> bool:
    """Whether something around a read that fails, or around a call that leads to it, may wait for the error."""
    for place in (*read.calls, read.site):
        statement = sources.statement(place)
        node = statement.expression(place.start, place.end) if statement is not None else None
        if statement is not None and node is not None and is_handled(statement, node):
            return True
    return False


def _calls_strangers(sources: Sources, query: QueryObject, place: Site) -> bool:
    """Whether the function around a read calls one of its parameters, or sends SQL by a cursor, behind the query or in a loop around the read."""
    statement = sources.statement(place)
    node = statement.expression(place.start, place.end) if statement is not None else None
    function = statement.function(node) if statement is not None and node is not None else None
    if statement is None or node is None or not isinstance(function, cst.FunctionDef):
        return False
    first, (start, end) = query.site.end, statement.span(function)
    if query.site.path != place.path or not start <= first < end:
        first = start
    loops = [
        statement.span(above) for above in statement.ancestors(node) if isinstance(above, (cst.For, cst.While)) and statement.span(above)[0] >= start
    ]
    parts = [(first, place.start), *loops]
    parameters = {each.name.value for each in (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)}
    for call in statement.within(function.body, cst.Call):
        if not any(low <= statement.span(call)[0] < high for low, high in parts) or place.encloses(Site(place.path, *statement.span(call))):
            continue
        match call.func:
            case cst.Name(value=name) if name in parameters - {"cls"}:
                return True
            case cst.Attribute(attr=cst.Name(value=name)) if name in _SENDING and query.orm is Orm.DJANGO:
                return True
    return False


def has_arguments(sources: Sources, query: QueryObject, *methods: str) -> bool:
    """Whether one of these methods of the query's chain is called with arguments, or none can be found to tell."""
    places = (query.site, *query.steps, *(use.site for use in query.uses))
    calls = [call for place in places for method in methods for call in calls_of(sources, place, method)]
    return not calls or any(call.args for call in calls)


def calls_of(sources: Sources, site: Site, method: str) -> Iterator[cst.Call]:
    """Yields the calls of a method in the expression that stands at a site."""
    statement = sources.statement(site)
    node = statement.expression(site.start, site.end) if statement is not None else None
    if statement is None or node is None:
        return
    for call in statement.within(node, cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == method:
            yield call


def _is_private(sources: Sources, query: QueryObject) -> bool:
    """Whether the variable that holds the query at first is read only where the query is refined or used."""
    statement = sources.statement(query.site)
    node = statement.expression(query.site.start, query.site.end) if statement is not None else None
    if statement is None or node is None:
        return False
    match next((above for above in statement.ancestors(node) if isinstance(above, (cst.Assign, cst.AnnAssign, cst.BaseStatement))), None):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=variable))]):
            pass
        case cst.AnnAssign(target=cst.Name(value=variable)):
            pass
        case _:
            return False
    known = [*query.steps, *(use.site for use in query.uses)]
    scope = statement.function(node) or statement.module
    file = sources.file(query.site)

    followed: set[str] = set()  # `orders = Paginator(orders, 25)`

    def is_followed(variable: str) -> bool:
        if variable in followed:
            return True
        followed.add(variable)
        for name in _reads(statement, scope, variable):
            if _covers(known, query.site.path, statement.span(name)) or _is_figure(statement, name):
                continue
            holder = _holder(statement, name)
            if file is None or holder is None or not is_imported(file, query.site.end, holder[0], HOLDING_MODULE) or not is_followed(holder[1]):
                return False
        return True

    return is_followed(variable)


def _is_figure(statement: Statement, name: cst.Name) -> bool:
    """Whether it is read for what a paginator says of its pages: `paginator.num_pages`."""
    above = statement.parent(name)
    return isinstance(above, cst.Attribute) and above.value is name and above.attr.value in ("num_pages", "page_range", "per_page")


def _holder(statement: Statement, name: cst.Name) -> tuple[str, str] | None:
    """Returns the class and the variable of the object that is made to hold what a variable means: `pages = Paginator(orders, 25)`."""
    arg = statement.parent(name)
    call = statement.parent(arg) if isinstance(arg, cst.Arg) else None
    assign = statement.parent(call) if call is not None else None
    match call, assign:
        case cst.Call(func=cst.Name(value=cls)), cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=variable))]) if cls in HOLDERS:
            return cls, variable
        case _:
            return None


def _reads(statement: Statement, scope: cst.CSTNode, variable: str) -> Iterator[cst.Name]:
    for name in statement.within(scope, cst.Name):
        if name.value != variable:
            continue
        match statement.parent(name):
            case cst.Attribute(attr=part) if part is name:
                continue
            case cst.Arg(keyword=part) if part is name:
                continue
            case cst.AssignTarget():
                continue
            case cst.AnnAssign(target=part) if part is name:
                continue
            case _:
                yield name


def _covers(sites: list[Site], path: str, span: tuple[int, int]) -> bool:
    return any(site.encloses(Site(path, *span)) for site in sites)
