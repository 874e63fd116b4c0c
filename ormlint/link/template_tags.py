"""Tags, filters and globals of templates that the project writes itself.

Django: functions below `templatetags` that are registered with a `Library`, whatever it is called:

    @register.filter                         @register.simple_tag(takes_context=True)
    @register.filter(name="cents")           @register.inclusion_tag("shop/card.html")
    register.filter("cents", to_cents)       register.simple_tag(price, name="price")

Jinja: `@app.template_filter("cents")`, `@app.template_global()`, `env.filters["cents"] = to_cents`, `env.globals.update(price=price)`,
`@library.global_function`, and registries of the project's own; `@library.render_with("shop/card.html")` makes one of them an inclusion tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ormlint.ir import nodes as ir
from ormlint.link.names import FunctionInfo, ModuleInfo, Program, decorator_name, shared_folders
from ormlint.link.template_registries import TABLES, registered

_KINDS = {
    "filter": "filter", "template_filter": "filter", "app_template_filter": "filter",
    "simple_tag": "tag", "assignment_tag": "tag", "simple_block_tag": "tag", "inclusion_tag": "inclusion",
    "template_global": "global", "app_template_global": "global", "template_test": "test", "app_template_test": "test",
    "global_function": "global",
}  # fmt: skip
_TAKING_CONTEXT = frozenset({"pass_context", "contextfunction", "contextfilter"})


@dataclass(frozen=True, slots=True, eq=False)
class Extension:
    """A function that templates can use: `kind` is filter, tag, inclusion, global or test; `template` what is rendered with what it returns."""

    kind: str
    name: str
    function: FunctionInfo
    takes_context: bool = False
    template: str = ""


class Extensions:
    """All that the project and the library add to the template languages. A tag is known wherever it is loaded; the nearest of one name wins."""

    def __init__(self, program: Program) -> None:
        self._found: dict[tuple[str, str], list[Extension]] = {}
        self._nearest: dict[tuple[str, str, str], Extension] = {}
        for function in program.functions:
            if not function.module.is_library or ".templatetags." in function.module.name:
                for decorator in function.node.decorators:
                    self._add(_decorated(function, decorator))
        for module in program.modules.values():
            for statement in _top_level(module):
                self._add(*_registered(program, module, statement))
        self._add(*(_extension(kind, function, [ir.Const(0, 0, name)], {}) for kind, name, function in registered(program)))

    def _add(self, *extensions: Extension | None) -> None:
        for extension in extensions:
            if extension is not None:
                kind = "tag" if extension.kind == "inclusion" else extension.kind
                self._found.setdefault((kind, extension.name), []).append(extension)

    def find(self, kind: str, name: str, near: str) -> Extension | None:
        """Returns the filter, tag, global or test of this name that is nearest to a template, or None."""
        found = self._found.get((kind, name))
        if not found:
            return None
        nearest = self._nearest.get((kind, name, near))
        if nearest is None:
            nearest = max(found, key=lambda e: (shared_folders(e.function.module.path, near), e.function.module.path))
            self._nearest[kind, name, near] = nearest
        return nearest


def _decorated(function: FunctionInfo, decorator: ir.Expr_) -> Extension | None:
    kind = _KINDS.get(decorator_name(decorator))
    func = decorator.func if isinstance(decorator, ir.Call) else decorator
    if kind is None or not isinstance(func, ir.Attr):
        return None
    return _extension(kind, function, decorator.args if isinstance(decorator, ir.Call) else [], _keywords(decorator))


def _extension(kind: str, function: FunctionInfo, args: list[ir.Expr_], keywords: dict[str, ir.Expr_]) -> Extension:
    first = args[0] if args else keywords.get("filename")
    template = first.value if kind == "inclusion" and isinstance(first, ir.Const) else _rendered(function)
    name = keywords.get("name") or (first if kind != "inclusion" else None)
    takes_context = keywords.get("takes_context")
    return Extension(
        kind,
        name.value if isinstance(name, ir.Const) and isinstance(name.value, str) else function.name,
        function,
        takes_context=(isinstance(takes_context, ir.Const) and takes_context.value is True)
        or any(decorator_name(d) in _TAKING_CONTEXT for d in function.node.decorators),
        template=template if isinstance(template, str) else "",
    )


def _rendered(function: FunctionInfo) -> str:
    """Returns the template that `@render_with("shop/card.html")` names, or an empty text."""
    for decorator in function.node.decorators:
        if decorator_name(decorator) == "render_with" and isinstance(decorator, ir.Call) and decorator.args:
            name = decorator.args[0]
            return name.value if isinstance(name, ir.Const) and isinstance(name.value, str) else ""
    return ""


def _keywords(node: ir.Expr_) -> dict[str, ir.Expr_]:
    return dict(node.keywords) if isinstance(node, ir.Call) else {}


def _top_level(module: ModuleInfo) -> Iterator[ir.Stmt]:
    """Yields the statements in which extensions are registered: of the module and of its functions, `create_app()` being one."""
    for statement in module.tree.body:
        if isinstance(statement, ir.Function):
            yield from statement.body
        else:
            yield statement


def _registered(program: Program, module: ModuleInfo, statement: ir.Stmt) -> Iterable[Extension]:
    """Yields what a statement registers: `register.filter("name", function)`, `env.filters["name"] = function` …"""
    if isinstance(statement, ir.Assign) and isinstance(statement.value, (ir.Name, ir.Attr)):
        for target in statement.targets:
            if isinstance(target, ir.Index) and isinstance(target.value, ir.Attr) and isinstance(target.index, ir.Const):
                yield from _named(program, module, TABLES.get(target.value.name), target.index.value, statement.value)
    elif isinstance(statement, ir.Expr) and isinstance(statement.value, ir.Call) and isinstance(statement.value.func, ir.Attr):
        call, func = statement.value, statement.value.func
        if func.name == "update" and isinstance(func.value, ir.Attr):
            for name, value in _entries(call):
                yield from _named(program, module, TABLES.get(func.value.name), name, value)
        elif func.name in _KINDS:
            yield from _called(program, module, _KINDS[func.name], call)
        elif func.name.startswith("add_template_") and call.args:
            kind = _KINDS.get(func.name.removeprefix("add_"))
            name = call.args[1].value if len(call.args) > 1 and isinstance(call.args[1], ir.Const) else None
            yield from _named(program, module, kind, name, call.args[0])


def _entries(call: ir.Call) -> Iterator[tuple[object, ir.Expr_]]:
    yield from call.keywords
    for arg in call.args:
        if isinstance(arg, ir.Map):
            for key, value in zip(arg.keys, arg.values, strict=True):
                if isinstance(key, ir.Const):
                    yield key.value, value


def _called(program: Program, module: ModuleInfo, kind: str, call: ir.Call) -> Iterator[Extension]:
    """Yields the extension of `register.filter("name", function)` and of `register.simple_tag(function, name="name")`."""
    for position, arg in enumerate(call.args):
        function = program.resolve(arg, module) if isinstance(arg, (ir.Name, ir.Attr)) else None
        if isinstance(function, FunctionInfo):
            yield _extension(kind, function, call.args[:position], _keywords(call))


def _named(program: Program, module: ModuleInfo, kind: str | None, name: object, value: ir.Expr_) -> Iterator[Extension]:
    function = program.resolve(value, module) if kind is not None and isinstance(value, (ir.Name, ir.Attr)) else None
    if kind is not None and isinstance(function, FunctionInfo):
        yield Extension(kind, name if isinstance(name, str) else function.name, function)
