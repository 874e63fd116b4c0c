"""SQLAlchemy: sessions, proven and presumed."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library import sqlalchemy_api as api
from ormlint.link.names import ClassInfo
from ormlint.link.schema import Orm
from ormlint.run import expiry, plans
from ormlint.run.detaching import attach, expire
from ormlint.run.frame import Frame
from ormlint.run.loader_options import apply_options
from ormlint.run.log import Op, QueryObject, Shape, Use, UseKind
from ormlint.run.machine import Machine, text_of
from ormlint.run.queries import element_of_query, query_facts, single_row
from ormlint.run.recipes import note_statement
from ormlint.run.results import carry
from ormlint.run.sqlalchemy import STATEMENT_OPS, statement
from ormlint.run.unread import is_unread
from ormlint.run.values import (
    NONE,
    UNKNOWN,
    Constant,
    Descriptor,
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

EXECUTES = frozenset({"execute", "scalars", "scalar", "exec", "stream", "stream_scalars"})


def session_method(m: Machine, f: Frame, node: ir.Call, session: Session, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Calls a method of a session."""
    before = len(f.events)
    found = _session_method(m, f, node, session, name, args, keywords)
    if name != "run_sync":
        for event in f.events[before:]:
            event.waits = f.awaiting == 0 and session.proven and not session.is_async
    return found


def _session_method(m: Machine, f: Frame, node: ir.Call, session: Session, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    if name == "query":
        query = statement(m, f, node, args, "query")
        query.session = _name(f, node.func)
        return query
    if name in EXECUTES:
        return execute(m, f, node, session, name, args, keywords)
    depends = frozenset().union(*(deps_of(a) for a in args)) if args else frozenset()
    first = args[0] if args else UNKNOWN
    if name in ("get", "get_one"):
        return _get(m, f, node, session, args, keywords)
    if name == "merge" and keywords.get("load") == Constant(False):
        return first
    if name in ("add", "delete", "merge", "refresh", "add_all"):
        return _unit_of_work(m, f, node, name, first, depends, args[1] if len(args) > 1 else keywords.get("attribute_names"))
    ops = {"flush": Op.FLUSH, "commit": Op.COMMIT, "rollback": Op.ROLLBACK}
    if name in ops:
        if session.births and all(loop in session.births for loop in f.loops):
            return NONE  # a session of this round's own: there is nothing to commit behind the loop
        own = session.made_in == f.number != 0  # its caller's loop cannot end the transaction of a session that it does not know
        m.event(f, ops[name], node, orm=Orm.SQLALCHEMY, method=name, depends=depends, absolute=own)
        if name == "commit" and session.is_async:
            expiry.commit(m, f, node)
        elif name == "commit":
            expiry.commit_lists(m, f, node)
            expire(m, f)
        return NONE
    if name in ("bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"):
        model = first.model if isinstance(first, ClassInfo) else None
        m.event(f, Op.BULK_WRITE, node, model=model, orm=Orm.SQLALCHEMY, method=name, depends=depends)
        return NONE
    if name == "run_sync" and args:
        from ormlint.run.calls import call

        m.greenlets += 1
        found = call(m, f, node, first, [Session(), *args[1:]], keywords)
        m.greenlets -= 1
        return found
    if name in ("begin", "begin_nested", "__call__", "no_autoflush", "__enter__"):
        return session
    return UNKNOWN


def _unit_of_work(m: Machine, f: Frame, node: ir.Call, name: str, first: Value, depends: frozenset[int], names: Value | None) -> Value:
    row: Value = first
    if isinstance(first, Sequence):
        row = element_of(first)
    model = row.model if isinstance(row, Row) else None
    ops = {"add": Op.ADD, "add_all": Op.ADD, "delete": Op.DELETE, "merge": Op.MERGE, "refresh": Op.REFRESH}
    facts: dict[str, object] = {"model": model, "orm": Orm.SQLALCHEMY, "method": name, "depends": depends}
    if isinstance(row, Row):
        facts["row"] = row.origin
        facts["row_loops"] = row.births
    if isinstance(first, Row) and name != "delete":
        first = attach(f, first)
    if isinstance(first, Row) and name in ("add", "delete"):
        (expiry.add if name == "add" else expiry.forget)(f, first)
    if name == "refresh" and names is not None:
        facts["assigned"] = tuple(_names(names))
    event = m.event(f, ops[name], node, **facts)
    if name == "refresh" and model is not None and names is None and len(node.args) == 1 and not node.keywords and is_unread(f, node.args[0], node):
        event.uses.append(Use(UseKind.DISCARD, event.site))
    return first if name == "merge" else NONE


def _names(value: Value) -> Iterator[str]:
    """Yields the attributes that a list of names means, "*" for one that is not known."""
    for item in (value.items if isinstance(value, Sequence) else None) or (UNKNOWN,):
        yield item.value if isinstance(item, Constant) and isinstance(item.value, str) else "*"


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
    result.session = _name(f, node.func)
    m.new_query(f, result)
    carry(m, stmt, result)
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
    note_statement(f, event, result.recipe if len(args) < 2 else None)
    m.executed[result] = event
    if one:
        if stmt in m.counting:
            return Scalar(event)
        element = element_of_query(m, result, single=True)
        return replace(element, births=tuple(f.loops)) if isinstance(element, Row) else element
    return result


def _name(f: Frame, method: ir.Node) -> str:
    """Returns what tells the session whose method is called from others of the same function, "" if it is no variable or attribute of one."""
    node, parts = method, []
    while isinstance(node, ir.Attr):
        parts.append(node.name)
        node = node.value
    return ".".join((f"{node.id}{f.versions.get(node.id, 0)}", *reversed(parts[1:]))) if isinstance(node, ir.Name) else ""


def _names_a_row(args: list[Value], keywords: dict[str, Value]) -> bool:
    """Whether these are arguments of `session.get(Model, key)`."""
    return len(args) == 2 - ("ident" in keywords) and api.GET_OPTIONS.issuperset(keywords)


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
        # `store.get(Book, filters={…})` is a method of the project's own
        "get": isinstance(first, ClassInfo) and first.model is not None and first.model.orm is Orm.SQLALCHEMY and _names_a_row(args, keywords),
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
    m.counters.resolved.add(id(node))
    return session_method(m, f, node, Session(proven=False), name, args, keywords)
