"""Routes: which functions and classes answer HTTP requests, as URL configurations, routers and decorators say.

path("books/", views.books)                     path("books/", login_required(BookList.as_view(paginate_by=20)))
router.register("books", BookViewSet)           @router.get("/books")      @app.route("/books", methods=["GET"])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, External, FunctionInfo, InstanceRef, ModuleInfo, Program, decorator_name

DJANGO_ROUTES = frozenset({"path", "re_path", "url"})
VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_ROUTING = VERBS | {"route", "api_route"}
ROUTERS = {
    "FastAPI": "fastapi",
    "APIRouter": "fastapi",
    "Flask": "flask",
    "Blueprint": "flask",
    "APIBlueprint": "flask",
    "APIFlask": "flask",
    "Starlette": "fastapi",
    "NinjaAPI": "ninja",
    "NinjaExtraAPI": "ninja",
}
VIEW_DECORATORS = {"view_config": "pyramid", "template": "aiohttp_jinja2", "expose": "tg", "view": "bottle", "jinja2_view": "bottle"}
"""Decorators that make a function a view, with the package they come from."""

REGISTERS = frozenset({"register", "add_url_rule", "add_api_route", "add_resource", "add_url"})


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One way to a view. `settings` are the keywords of `as_view(…)`, expressions of `module`.

    `actions` are the verbs with the methods of a view set that answer them, `as_view({"get": "list"})`; None if it does not say.
    """

    view: FunctionInfo | ClassInfo
    framework: str
    module: ModuleInfo
    methods: tuple[str, ...] = ()
    settings: tuple[tuple[str, ir.Expr_], ...] = ()
    actions: tuple[tuple[str, str], ...] | None = None


def find_routes(program: Program) -> Iterator[Route]:
    """Yields the routes that modules declare outside functions, and those that decorators declare."""
    for module in program.modules.values():
        for call in _calls(module.tree.body):
            yield from _registered(program, module, call)
    for function in program.functions:
        if not function.module.is_library and function.node.decorators:
            route = decorated(program, function)
            if route is not None:
                yield route


def decorated(program: Program, function: FunctionInfo) -> Route | None:
    """Returns the route that a decorator of a function declares, or None."""
    for node in function.node.decorators:
        if not isinstance(node, ir.Call):
            continue
        package = VIEW_DECORATORS.get(decorator_name(node))
        if package is not None:
            symbol = program.resolve(node.func, function.module)
            if isinstance(symbol, External) and symbol.package == package:
                return Route(function, "pyramid" if package == "pyramid" else "flask", function.module)
        if not isinstance(node.func, ir.Attr):
            continue
        name = node.func.name
        if name not in _ROUTING:
            continue
        framework = _router(program, node.func.value, function.module) or _presumed(program, node, function.module)
        if framework:
            methods = (name.upper(),) if name in VERBS else _methods(node) or ("GET",)
            return Route(function, framework, function.module, methods)
    return None


def would_run_in_thread(program: Program, function: FunctionInfo) -> bool:
    """Whether nothing but routers of FastAPI or Starlette decorate an async function, which run plain ones in a thread of a pool.

    Read in `starlette.routing.request_response` (1.10.0) and `fastapi.routing.run_endpoint_function` (0.165).
    """
    return (
        function.node.is_async
        and bool(function.node.decorators)
        and all(
            isinstance(node, ir.Call)
            and isinstance(node.func, ir.Attr)
            and node.func.name in _ROUTING
            and _router(program, node.func.value, function.module) == "fastapi"
            for node in function.node.decorators
        )
    )


def _router(program: Program, node: ir.Expr_, module: ModuleInfo) -> str:
    """Returns the framework of the router that an expression means, or ""."""
    symbol = program.resolve(node, module)
    if isinstance(symbol, External):
        if symbol.package in ("ninja", "ninja_extra"):
            return "ninja"
        return ROUTERS.get(symbol.name, "")
    if isinstance(symbol, InstanceRef):
        return next((framework for name, framework in ROUTERS.items() if symbol.cls.derives_from(name)), "")
    return ""


def _presumed(program: Program, node: ir.Call, module: ModuleInfo) -> str:
    """Returns the framework of a router that is not known: the first argument is a URL, and the module imports the framework."""
    first = node.args[0] if node.args else None
    if not isinstance(first, ir.Const) or not isinstance(first.value, str) or not first.value.startswith("/"):
        return ""
    imported = {
        stmt.module.partition(".")[0] for stmts in module.bindings.values() for stmt in stmts if isinstance(stmt, ir.Import) and not stmt.level
    }
    return next((framework for framework in ("fastapi", "flask", "ninja") if framework in imported), "")


def _methods(call: ir.Call) -> tuple[str, ...]:
    listed = next((value for name, value in call.keywords if name == "methods"), None)
    items = listed.items if isinstance(listed, ir.Seq) else []
    return tuple(item.value.upper() for item in items if isinstance(item, ir.Const) and isinstance(item.value, str))


def _registered(program: Program, module: ModuleInfo, call: ir.Call) -> Iterator[Route]:
    """Yields the route that a call in a URL configuration declares."""
    name = call.called
    if name in DJANGO_ROUTES and len(call.args) + len(call.keywords) > 1:
        symbol = program.resolve(call.func, module)
        target = next((value for key, value in call.keywords if key == "view"), call.args[1] if len(call.args) > 1 else None)
        if isinstance(symbol, External) and symbol.package in ("django", "rest_framework") and target is not None:
            yield from _view(program, module, target, "django")
    elif name in REGISTERS:
        framework = "flask" if name in ("add_url_rule", "add_resource") else "fastapi" if name == "add_api_route" else "django"
        for value in (*call.args, *(value for key, value in call.keywords if key in ("view_func", "endpoint", "viewset"))):
            if isinstance(value, (ir.Name, ir.Attr, ir.Call)):
                yield from _view(program, module, value, framework)


def _view(program: Program, module: ModuleInfo, node: ir.Expr_, framework: str) -> Iterator[Route]:
    """Yields the view that an expression means, through decorators and `as_view()`."""
    if isinstance(node, ir.Call):
        if isinstance(node.func, ir.Attr) and node.func.name == "as_view":
            cls = program.resolve(node.func.value, module)
            if isinstance(cls, ClassInfo):
                settings = tuple((name, value) for name, value in node.keywords if name and name != "actions")
                yield Route(cls, framework, module, (), settings, _actions(node))
        elif node.args:
            yield from _view(program, module, node.args[0], framework)
        elif isinstance(node.func, ir.Call):
            yield from _view(program, module, node.func, framework)
        else:  # `path("feed/", LatestBooks())`
            cls = program.resolve(node.func, module)
            if isinstance(cls, ClassInfo):
                yield Route(cls, framework, module)
        return
    symbol = program.resolve(node, module)
    if isinstance(symbol, (FunctionInfo, ClassInfo)):
        yield Route(symbol, framework, module)
        return
    match module.bindings.get(node.id) if isinstance(node, ir.Name) else None:
        case [ir.Assign(value=ir.Call(func=ir.Attr(name="as_view")) as made)]:  # `tea = TeaViewSet.as_view({"get": "retrieve"})`
            yield from _view(program, module, made, framework)
        case _:
            pass


def _actions(call: ir.Call) -> tuple[tuple[str, str], ...] | None:
    """Returns the methods of a view set by the verbs that they answer, as `as_view({"get": "list"})` states them; None if it does not."""
    given = call.args[0] if call.args else next((value for name, value in call.keywords if name == "actions"), None)
    if not isinstance(given, ir.Map):
        return None
    found = []
    for key, value in zip(given.keys, given.values, strict=True):
        if not isinstance(key, ir.Const) or not isinstance(value, ir.Const):
            return None
        found.append((str(key.value).upper(), str(value.value)))
    return tuple(found)


def _calls(body: list[ir.Stmt]) -> Iterator[ir.Call]:
    """Yields the calls of a module's statements that may declare routes, with those nested in lists and arguments."""
    for stmt in body:
        match stmt:
            case ir.Expr():
                yield from _in_expression(stmt.value)
            case ir.Assign() if stmt.value is not None:
                yield from _in_expression(stmt.value)
            case ir.If():
                yield from _calls([*stmt.body, *stmt.orelse])
            case ir.Try() | ir.With():
                yield from _calls(stmt.body)
            case _:
                pass


def _in_expression(node: ir.Expr_) -> Iterator[ir.Call]:
    match node:
        case ir.Call():
            yield node
            for arg in (*node.args, *(value for _, value in node.keywords)):
                yield from _in_expression(arg)
        case ir.Seq():
            for item in node.items:
                yield from _in_expression(item)
        case ir.Binary():
            if node.left is not None:
                yield from _in_expression(node.left)
            yield from _in_expression(node.right)
        case ir.Star():
            yield from _in_expression(node.value)
        case _:
            pass


__all__ = ["Route", "decorated", "find_routes", "would_run_in_thread"]
