"""What a program keeps on the object of its application.

    app.state.store = Store(engine)              for book in request.app.state.store.books(): …            Starlette, FastAPI
    app.config["STORE"] = Store(db)              current_app.config["STORE"].books()                       Flask, Quart
    app.extensions["store"] = Store(db)          LocalProxy(lambda: current_app.extensions["store"])

The statements that put something there are run when it is first asked for. Constants are left alone: a deployment sets others.
Source of the facts: starlette.applications.Starlette.state, flask.Flask.config, flask.Flask.extensions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import mentions, walk
from ormlint.link.names import External, FunctionInfo, ModuleInfo
from ormlint.run.evaluate import evaluate
from ormlint.run.frame import Frame
from ormlint.run.machine import Machine
from ormlint.run.merging import join_values
from ormlint.run.values import UNKNOWN, Closure, Instance, Row, Session, Union, Value, options

_STORES = re.compile(r"(?:\b(?:FastAPI|Starlette|Request)\(\)(?:\.app)?\.(state)|\b(?:Flask\(\)|Quart\(\)|current_app)\.(config|extensions))$")
_KINDS = frozenset({"state", "config", "extensions"})
_KEPT = (Instance, Row, Session, Closure)
MOST_SETTERS = 4
REQUESTS = frozenset({"fastapi.Request", "fastapi.requests.Request", "starlette.requests.Request"})
REQUEST = External("starlette.requests.Request()")


def application_value(m: Machine, store: External, name: str) -> Value | None:
    """Returns what the project keeps on its application under a name, or None if that is not known.

    Of a request all is unknown but for the way to its application.
    """
    of_request = store.path.startswith(REQUEST.path)
    found = _STORES.search(store.path)
    if found is None:
        return None if not of_request else External(f"{store.path}.{name}") if name in ("app", "state") else UNKNOWN
    key = (found[1] or found[2], name)
    if key not in m.keeping.values:
        m.keeping.values[key] = UNKNOWN  # cut cycles
        m.keeping.values[key] = _kept(m, key)
    value = m.keeping.values[key]
    return value if value is not UNKNOWN or of_request else None


def _kept(m: Machine, key: tuple[str, str]) -> Value:
    if m.keeping.setters is None:
        m.keeping.setters = {}
        for setter in _setters(m):
            m.keeping.setters.setdefault(setter[0], []).append(setter[1:])
    places = m.keeping.setters.get(key, [])
    value: Value | None = None
    for module, function, assigned in places if len(places) <= MOST_SETTERS else ():
        made = _evaluated(m, module, function, assigned)
        if all(isinstance(option, _KEPT) for option in options(made)):
            value = made if value is None else join_values(m, value, made)
    return value if isinstance(value, (*_KEPT, Union)) else UNKNOWN


def _evaluated(m: Machine, module: ModuleInfo, function: FunctionInfo | None, assigned: ir.Expr_) -> Value:
    """Returns what an expression gives where it stands; of the variables of a function those count that it assigns once."""
    frame = Frame(module, f"{module.name}:<application>", function, function.owner if function is not None else None, muted=True)
    if function is not None:
        for stmt in function.node.body:
            if isinstance(stmt, ir.Assign) and stmt.value is not None and not stmt.op and stmt.end <= assigned.start:
                for target in stmt.targets:
                    if isinstance(target, ir.Name):
                        frame.env[target.id] = evaluate(m, frame, stmt.value) if target.id not in frame.env else UNKNOWN
        for param in function.node.params:
            frame.env.setdefault(param.name, UNKNOWN)
    return evaluate(m, frame, assigned)


def _setters(m: Machine) -> Iterator[tuple[tuple[str, str], ModuleInfo, FunctionInfo | None, ir.Expr_]]:
    """Yields what is put on an application: its kind and name, where it stands, and the expression."""
    modules = {id(module): module for module in m.program.modules.values() if not module.is_library and mentions(module.tree, _KINDS)}
    for module in modules.values():
        for stmt in module.tree.body:
            if isinstance(stmt, ir.Assign):
                yield from ((key, module, None, value) for key, value in _put(stmt))
    for function in m.program.functions:
        if id(function.module) in modules:
            for node in walk(function.node.body):
                if isinstance(node, ir.Assign):
                    yield from ((key, function.module, function, value) for key, value in _put(node))


def _put(stmt: ir.Assign) -> Iterator[tuple[tuple[str, str], ir.Expr_]]:
    if stmt.value is None or stmt.op or isinstance(stmt.value, ir.Const):
        return
    for target in stmt.targets:
        match target:
            case ir.Attr(value=ir.Attr(name="state"), name=name):
                yield ("state", name), stmt.value
            case ir.Index(value=ir.Attr(name="config" | "extensions" as kind), index=ir.Const(value=str(name))):
                yield (kind, name), stmt.value
            case _:
                pass


__all__ = ["REQUEST", "REQUESTS", "application_value"]
