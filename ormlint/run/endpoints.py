"""Endpoints: which query objects' rows leave the program in an HTTP response.

Every view is run by the same machine as all else: a function on its own, a class through the programs of its framework,
with `self` an object of that very class. What its return statements give is then searched for query objects: a list made
of rows, a template's context, a serializer's data, the content of a response.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library.views import VERBS as METHODS
from ormlint.link.names import ClassInfo, External, FunctionInfo, ModuleInfo, decorator_name
from ormlint.link.routes import Route, decorated, find_routes, would_run_in_thread
from ormlint.link.schema import Model
from ormlint.link.settings import UNKNOWN as SET_SOMEHOW
from ormlint.link.settings import read_settings
from ormlint.link.sqlalchemy_models import identifiers
from ormlint.problem import Problem
from ormlint.run.calls import unknown_arguments
from ormlint.run.evaluate import evaluate
from ormlint.run.frame import Frame, Summary
from ormlint.run.log import Bound, Endpoint, QueryObject, UseKind
from ormlint.run.machine import Machine
from ormlint.run.objects import is_record
from ormlint.run.pages import show_page
from ormlint.run.pagination import endless_pages
from ormlint.run.requests import actions_of, answering, is_view_set
from ormlint.run.roots import internal_error, run_root
from ormlint.run.schemas import answer
from ormlint.run.values import UNKNOWN, Constant, Instance, Mapping, Sequence, Union, Value, options
from ormlint.text import Site

RESPONSES = frozenset({"HttpResponseBase", "Response"})
STATEMENTS = frozenset({"select", "insert", "update", "delete"})
STREAMED = frozenset({"streaming_content", "body_iterator"})
VIEWS = frozenset({"View", "MethodView", "Resource", "HTTPEndpoint", "Feed", "Sitemap"})
FRAMEWORKS = {"rest_framework": "drf", "flask": "flask", "flask_restful": "flask", "flask_restx": "flask", "starlette": "fastapi"}
PAGES = ("paginate_by", "pagination_class")
PAGINATORS = frozenset({"paginate"})
FORM_STEPS = ("form_valid", "form_invalid")
PREPARATIONS = ("setup", "initial", "dispatch")
FOR_STAFF = re.compile(r"staff|superuser|admin", re.IGNORECASE)
MAX_DEPTH = 6


@dataclass(slots=True)
class View:
    """A function or class that answers requests, by whichever ways one gets to it."""

    subject: FunctionInfo | ClassInfo
    framework: str
    routes: list[Route] = field(default_factory=list)


def prepare_settings(m: Machine) -> None:
    """Reads the project's settings and gives the framework programs those they ask for."""
    m.settings = read_settings(m.program)
    module = m.program.library.get("rest_framework.settings")
    if module is None:
        return
    chosen = m.settings.get("REST_FRAMEWORK")
    values = chosen if isinstance(chosen, dict) else {}
    if "REST_FRAMEWORK" in m.settings and not isinstance(chosen, dict):
        values = dict.fromkeys(("DEFAULT_PAGINATION_CLASS", "PAGE_SIZE"), SET_SOMEHOW)
    api = Instance(module.classes["APISettings"], initialised=True)
    api.attributes["PAGE_SIZE"] = _setting(values.get("PAGE_SIZE"))
    api.attributes["DEFAULT_PAGINATION_CLASS"] = _imported(m, values.get("DEFAULT_PAGINATION_CLASS"))
    m.globals[(id(module), "api_settings")] = api


def _setting(value: object) -> Value:
    return Constant(value) if value is None or isinstance(value, (str, int, float, bool)) else UNKNOWN


def _imported(m: Machine, dotted: object) -> Value:
    """Returns the class that a setting names."""
    if not isinstance(dotted, str):
        return _setting(dotted)
    module_name, _, name = dotted.rpartition(".")
    module = m.program.find_module(module_name, None)
    found = m.program.attribute(module, name) if module is not None else None
    return found if isinstance(found, (ClassInfo, External)) else External(dotted)


def find_endpoints(m: Machine, views: list[View]) -> tuple[list[Endpoint], list[Problem]]:
    """Runs every view of the project; returns an endpoint for every query whose rows it hands over, and failures inside ormlint."""
    found: list[Endpoint] = []
    problems: list[Problem] = []
    for view in views:
        given: list[Endpoint] = []
        with _attributed(m, view, problems):
            given += _of_function(m, view) if isinstance(view.subject, FunctionInfo) else _of_class(m, view)
        found += (e for e in given if not any(other.site == e.site and other.query is e.query for other in found))
    return found, problems


def run_inherited(m: Machine, views: list[View]) -> list[Problem]:
    """Runs what view classes have from other classes of the project to answer requests that change something; returns failures inside ormlint."""
    problems: list[Problem] = []
    for view in views:
        if isinstance(view.subject, ClassInfo):
            with _attributed(m, view, problems):
                _run_inherited_writers(m, view, view.subject)
    return problems


@contextmanager
def _attributed(m: Machine, view: View, problems: list[Problem]) -> Iterator[None]:
    """Reports a failure as an internal error with the place of a view; the other views are still examined."""
    try:
        yield
    except Exception as failure:
        module = view.subject.module
        line = bisect.bisect_right(module.tree.lines, view.subject.node.start)
        problems.append(internal_error(module.path, line, view.subject.qualname, failure))


# -------------------------------------------------------------------------------------------------------------- views
def find_views(m: Machine) -> list[View]:
    """Returns what answers requests: what is routed, and what looks like a view of an application without routes."""
    views: dict[int, View] = {}
    for route in find_routes(m.program):
        _add(views, route.view, route.framework, route)
    routed = {id(view.subject.module) for view in views.values()}
    for function in m.program.functions:
        if function.module.is_library:
            continue
        for inner in _nested(function):
            route_of = decorated(m.program, inner)
            if route_of is not None:
                _add(views, inner, route_of.framework, route_of)
        if function.owner is None and id(function.module) not in routed and _looks_like_view(function):
            _add(views, function, "django", None)
    for cls in m.program.all_classes():
        if _is_view(cls) and not cls.subclasses and not cls.name.endswith(("Mixin", "Base")):
            _add(views, cls, "django", None)
    return [
        view for view in views.values() if not view.subject.module.is_library and (isinstance(view.subject, FunctionInfo) or _is_view(view.subject))
    ]


def _add(views: dict[int, View], subject: FunctionInfo | ClassInfo, framework: str, route: Route | None) -> None:
    if isinstance(subject, ClassInfo):
        framework = _framework(subject, framework)
    view = views.setdefault(id(subject), View(subject, framework))
    if route is not None:
        view.routes.append(route)


def _nested(function: FunctionInfo) -> Iterator[FunctionInfo]:
    for inner in function.nested.values():
        yield inner
        yield from _nested(inner)


def answering_functions(views: Iterable[View]) -> Iterator[str]:
    """Yields the qualified names of the functions and methods that answer requests."""
    for view in views:
        subject = view.subject
        if isinstance(subject, FunctionInfo):
            yield f"{subject.module.name}:{subject.qualname}"
        else:
            yield from (f"{subject.module.name}:{f.qualname}" for f in subject.functions.values() if f.name in METHODS or actions_of(f) is not None)


def threadable_functions(m: Machine, views: Iterable[View]) -> frozenset[str]:
    """Returns the qualified names of the async functions that would answer requests in a thread of their own if they were plain ones."""
    functions = (view.subject for view in views if isinstance(view.subject, FunctionInfo) and view.subject.owner is None)
    return frozenset(f"{f.module.name}:{f.qualname}" for f in functions if would_run_in_thread(m.program, f))


def _looks_like_view(function: FunctionInfo) -> bool:
    """Whether a public function of a views module takes a request."""
    params = function.node.params
    return (
        bool(params)
        and not function.name.startswith("_")
        and params[0].name == "request"
        and any(part.endswith("views") for part in function.module.name.split("."))
    )


def _is_view(cls: ClassInfo) -> bool:
    return cls.derives_from(*VIEWS)


def _framework(cls: ClassInfo, otherwise: str) -> str:
    packages = [c.module.name.partition(".")[0] for c in cls.mro if c.module.is_library] + [e.package for e in cls.externals]
    return next((FRAMEWORKS[p] for p in packages if p in FRAMEWORKS), otherwise)


# ---------------------------------------------------------------------------------------------------------- functions
def _of_function(m: Machine, view: View) -> Iterator[Endpoint]:
    function = view.subject
    assert isinstance(function, FunctionInfo)
    for summary in _summaries(m, function):
        answer(m, function, summary)
        show_page(m, function, summary)
        framework = "drf" if any(decorator_name(d) == "api_view" for d in function.node.decorators) else view.framework
        methods = tuple(dict.fromkeys(method for route in view.routes for method in route.methods))
        endpoint = Endpoint(function.name, framework, head(function), methods=methods, admin_only=_for_staff(function))
        endpoint.paginated = any(decorator_name(d) in PAGINATORS for d in function.node.decorators)
        yield from _handed_over(m, endpoint, summary, only_responses=not view.routes)


def _summaries(m: Machine, function: FunctionInfo) -> Iterable[Summary]:
    """Returns the run of a function on its own, or those of a nested one wherever it was made."""
    if any(f is function for f in function.module.functions.values()) or function.owner is not None:
        summary = run_root(m, function)
        return (summary,) if summary is not None else ()
    return [summary for (identity, _), summary in m.memo.items() if identity == id(function)][:1]


# ------------------------------------------------------------------------------------------------------------ classes
def _of_class(m: Machine, view: View) -> Iterator[Endpoint]:
    cls = view.subject
    assert isinstance(cls, ClassInfo)
    routes: list[Route | None] = [*{repr(route.settings): route for route in view.routes}.values()] or [None]
    for handler in _handlers(cls, view.routes):
        for route in routes:
            summary = _run_handler(m, cls, handler, route)
            if summary is None:
                continue
            own = handler.owner is cls
            endpoint = Endpoint(
                f"{cls.name}.{handler.name}" if own else cls.name, view.framework, head(handler if own else cls), methods=("GET",),
                admin_only=_for_staff(cls) or _for_staff(handler), declined=_declines_pages(cls),
                pages=endless_pages(m, cls) if view.framework == "drf" else None,
            )  # fmt: skip
            yield from _handed_over(m, endpoint, summary, only_responses=False)


def _declines_pages(cls: ClassInfo) -> bool:
    """Whether a class of the project says itself that its lists have no pages: `paginate_by = None`."""
    said = [found for name in PAGES if (found := cls.find(name)) is not None and not found[0].module.is_library]
    return any(isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Const) and stmt.value.value is None for _, stmts in said for stmt in stmts)


def _handlers(cls: ClassInfo, routes: list[Route]) -> list[FunctionInfo]:
    """Returns the methods of a view class that answer GET requests; of a view set those alone that its routes name, if all of them say which."""
    if not _allows(cls, "get"):
        return []
    names = [next((name for name in ("get", "__call__") if cls.method(name) is not None), "get_urls")]
    if is_view_set(cls):
        names = ["list", "retrieve", *(name for c in cls.mro for name, f in c.functions.items() if "GET" in (actions_of(f) or ()))]
        if routes and all(route.actions is not None for route in routes):
            names = [name for route in routes for verb, name in route.actions or () if verb == "GET"]
    found = [cls.method(name) for name in dict.fromkeys(names)]
    return [function for function in found if function is not None]


def _allows(cls: ClassInfo, verb: str) -> bool:
    """Whether a view class answers requests of a kind, as far as its `http_method_names` are spelled out: `http_method_names = ["post"]`."""
    match cls.find("http_method_names"):
        case (_, [*_, ir.Assign(value=ir.Seq(items=items))]) if all(isinstance(item, ir.Const) for item in items):
            return verb in {str(item.value).lower() for item in items if isinstance(item, ir.Const)}
        case _:
            return True


def _run_inherited_writers(m: Machine, view: View, cls: ClassInfo) -> None:
    """Runs the methods for all other requests that a view class has from a class of the project: on its own that one has no `queryset`."""
    names = ["post", "put", "patch", "delete"]
    if is_view_set(cls):
        extra = (name for c in cls.mro for name, function in c.functions.items() if "GET" not in (actions_of(function) or ("GET",)))
        names = ["create", "update", "partial_update", "destroy", *extra]
    for handler in filter(None, map(cls.method, dict.fromkeys(names))):
        own = handler.owner is not cls and not handler.module.is_library
        if own or (handler.module.is_library and any(_is_inherited(cls, name) for name in FORM_STEPS)):
            _run_handler(m, cls, handler, view.routes[0] if view.routes else None)


def _is_inherited(cls: ClassInfo, name: str) -> bool:
    """Whether a class has a method from another class of the project."""
    method = cls.method(name)
    return method is not None and method.owner is not cls and not method.module.is_library


def _run_handler(m: Machine, cls: ClassInfo, handler: FunctionInfo, route: Route | None) -> Summary | None:
    """Runs a method of a view with an object of the view's own class, after what the class does before each request."""
    instance = Instance(cls)
    instance.attributes.update(answering(m, cls, handler))
    frame = Frame(cls.module, f"{cls.module.name}:{cls.qualname}", owner=cls)
    if route is not None:
        where = Frame(route.module, f"{route.module.name}:<module>", muted=True)
        for name, expr in route.settings:
            instance.attributes[name] = evaluate(m, where, expr)
    for name in PREPARATIONS:
        step = cls.method(name)
        if step is not None and (name == "setup" or not step.module.is_library):
            _call(m, frame, cls, step, instance)
    return _call(m, frame, cls, handler, instance)


def _call(m: Machine, frame: Frame, cls: ClassInfo, function: FunctionInfo, instance: Instance) -> Summary | None:
    env = unknown_arguments(m, function)
    if function.node.params:
        env[function.node.params[0].name] = instance
    for param in function.node.params[1:]:
        if param.kind == "**":
            env[param.name] = Mapping()
        elif param.name == "request" and "request" in instance.attributes:
            env[param.name] = instance.attributes["request"]
    m.keep.append(instance)
    site = head(cls)
    return m.run_function(function, env, ("endpoint", id(instance)), depth=1, caller=frame, node=ir.Name(site.start, site.end, cls.name))


# ------------------------------------------------------------------------------------------------------ what is given
def _handed_over(m: Machine, endpoint: Endpoint, summary: Summary, *, only_responses: bool) -> Iterator[Endpoint]:
    """Yields the endpoint once per query that a return statement gives away.

    A query that is cut on some way to the response, or on another way to it, counts as paginated: what decides is the request.
    """
    found: dict[tuple[Site, Model | None], Endpoint] = {}
    for site, value in summary.returns or [(endpoint.site, summary.returned)]:
        if only_responses and not any(_is_response(option) for option in options(value)):
            continue
        for query, whole, name in leaving(m, value):
            cut = not whole or query.sliced or query.bound is not Bound.MANY
            key = (query.site, query.model)
            if key not in found:
                found[key] = _given(m, endpoint, query, site)
            given = found[key]
            given.paginated |= cut
            given.keys = tuple(dict.fromkeys((*given.keys, name)))
    yield from found.values()


def _given(m: Machine, endpoint: Endpoint, query: QueryObject, site: Site) -> Endpoint:
    rendered = any(use.kind is UseKind.RENDER or use.site.path in m.program.templates for use in query.uses)
    where = site if site != endpoint.site else None
    return replace(endpoint, query=query, rendered_at=where, streams=query.has("iterator", "yield_per"), shown_by_template=rendered)


def leaving(m: Machine, value: Value, depth: int = 0, name: str = "") -> Iterator[tuple[QueryObject, bool, str]]:
    """Yields the query objects whose rows a value holds or gives when it is walked, whether it is all of their rows, and under which name."""
    if depth > MAX_DEPTH:
        return
    match value:
        case QueryObject() if value.style not in STATEMENTS:
            yield value, True, name
        case Sequence() if value.source is not None:
            yield value.source, value.bound is Bound.MANY, name
        case Sequence() if value in m.fed:
            yield from ((query, True, name) for query in m.fed[value])
        case Sequence():
            for item in value.items if value.items is not None else (value.element,):
                yield from leaving(m, item, depth + 1, name)
        case Mapping():
            if value.source is not None:
                yield value.source, True, name
            for key, item in value.known.items():
                yield from leaving(m, item, depth + 1, key)
            if value.element is not None:
                yield from leaving(m, value.element, depth + 1, name)
        case Union():
            for option in value.options:
                yield from leaving(m, option, depth + 1, name)
        case Instance() if "shown" in value.attributes and value.cls.derives_from("Table"):
            yield from leaving(m, value.attributes["shown"], depth + 1, name)
        case Instance() if _is_response(value) or is_record(value.cls):
            for attribute, item in value.attributes.items():
                if attribute not in STREAMED:
                    yield from leaving(m, item, depth + 1, name if _is_response(value) else attribute)
        case _:
            pass


def _is_response(value: Value) -> bool:
    return isinstance(value, Instance) and value.cls.derives_from(*RESPONSES)


# ------------------------------------------------------------------------------------------------------------- places
def head(subject: FunctionInfo | ClassInfo) -> Site:
    """Returns the place of `def name` or `class Name`."""
    node = subject.node
    keyword = "class" if isinstance(node, ir.Class) else "async def" if node.is_async else "def"
    return Site(subject.module.path, node.start, min(node.start + len(keyword) + 1 + len(node.name), node.end))


def _for_staff(subject: FunctionInfo | ClassInfo) -> bool:
    """Whether a view is meant for administrators, by its decorators, bases, permissions or dependencies."""
    node = subject.node
    exprs: list[ir.Expr_] = list(node.decorators)
    if isinstance(subject, ClassInfo):
        exprs += [base for cls in subject.mro if not cls.module.is_library for base in cls.node.bases]
        found = subject.find("permission_classes")
        exprs += [s.value for s in found[1] if isinstance(s, ir.Assign) and s.value is not None] if found is not None else []
    elif isinstance(node, ir.Function):
        exprs += [e for p in node.params for e in (p.default, p.annotation) if e is not None]
    words = [*(word for expr in exprs for word in identifiers(expr)), *_folders(subject.module)]
    return any(FOR_STAFF.search(word) for word in words)


def _folders(module: ModuleInfo) -> list[str]:
    return module.name.split(".")


__all__ = ["find_endpoints", "find_views", "head", "leaving", "prepare_settings", "run_inherited"]
