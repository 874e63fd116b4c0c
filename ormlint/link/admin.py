"""Django's admin: which models it shows, with which ModelAdmin.

@admin.register(Book, Author)                    admin.site.register(Book, BookAdmin)
@admin.register(Book, site=staff)                staff.register([Book, Author])          a default ModelAdmin
                                                 admin.site.register(Book, list_per_page=20)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, ModuleInfo, Program
from ormlint.link.schema import Orm
from ormlint.text import Site

DELETION = "delete_selected"
SITE = "AdminSite"
SITES_WITHOUT_ADMIN = ("netbox.plugins.",)


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """A model that an admin shows.

    `cls` is its ModelAdmin, None for the default one; `site` is the class statement's head or the call, in `module`. `options` are the
    settings that the call gives by keyword in `source`, which Django makes a subclass of.
    """

    model: ClassInfo
    cls: ClassInfo | None
    module: ModuleInfo
    site: Site
    options: dict[str, ir.Expr_] = field(default_factory=dict)
    source: ModuleInfo | None = None


def find_registrations(program: Program) -> Iterator[Registration]:
    """Yields what the project registers with its admin sites, once per model and ModelAdmin."""
    seen: set[tuple[int, int]] = set()
    for registration in (*_decorated(program), *_called(program)):
        key = (id(registration.model), id(registration.cls))
        if key not in seen:
            seen.add(key)
            yield registration


def is_never_shown(program: Program) -> bool:
    """Whether the project is a plugin of a site that shows no admin: NetBox since 4.0, where its plugins import from `netbox.plugins`."""
    return any(external.path.startswith(SITES_WITHOUT_ADMIN) for cls in program.all_classes() for external in cls.externals)


def never_deletes(program: Program) -> bool:
    """Whether the action that every list has by default is switched off: `admin.site.disable_action("delete_selected")`."""
    calls = (call for module in program.modules.values() for call in _calls(module.tree.body, "disable_action"))
    return any(isinstance(arg, ir.Const) and arg.value == DELETION for call in calls for arg in call.args)


def overrides_register(program: Program) -> bool:
    """Whether an admin site of the project has a `register()` of its own, which need not take settings as Django's does."""
    return any("register" in cls.functions and any(base.name == SITE for base in cls.mro) for cls in program.all_classes())


def _decorated(program: Program) -> Iterator[Registration]:
    for cls in program.all_classes():
        for node in cls.node.decorators:
            if isinstance(node, ir.Call) and _is_register(node) and not _is_for_debugging(cls):
                for model in _models(program, cls.module, node.args):
                    yield Registration(model, cls, cls.module, head(cls))


def _called(program: Program) -> Iterator[Registration]:
    for module in program.modules.values():
        for call in _calls(module.tree.body, "register"):
            cls = program.resolve(call.args[1], module) if len(call.args) > 1 else _keyword(program, module, call)
            if (len(call.args) > 1 or any(name == "admin_class" for name, _ in call.keywords)) and not isinstance(cls, ClassInfo):
                continue
            options = {name: value for name, value in call.keywords if name and name != "admin_class"}
            if len(options) < sum(name != "admin_class" for name, _ in call.keywords):
                continue  # `**settings`
            for model in _models(program, module, call.args[:1]):
                if isinstance(cls, ClassInfo):
                    if _is_admin(call) or _derives_from_admin(cls):
                        yield Registration(model, cls, cls.module, head(cls), options, module)
                elif _is_admin(call):
                    yield Registration(model, None, module, module.site(call), options, module)


def _keyword(program: Program, module: ModuleInfo, call: ir.Call) -> object:
    return next((program.resolve(value, module) for name, value in call.keywords if name == "admin_class"), None)


def _is_register(node: ir.Call) -> bool:
    return isinstance(node.func, (ir.Attr, ir.Name)) and (node.func.name if isinstance(node.func, ir.Attr) else node.func.id) == "register"


def _is_admin(call: ir.Call) -> bool:
    """Whether a call with nothing but models is one of an admin site: many things have a `register()`."""
    target = call.func.value if isinstance(call.func, ir.Attr) else None
    words = []
    while isinstance(target, ir.Attr):
        words.append(target.name)
        target = target.value
    if isinstance(target, ir.Name):
        words.append(target.id)
    return any(word == "site" or "admin" in word.lower() for word in words)


def _derives_from_admin(cls: ClassInfo) -> bool:
    """Whether a class is a ModelAdmin as far as it can be seen: `translator.register(Book, BookTranslation)` registers something else."""
    return any(name.endswith("Admin") for name in (*(base.name for base in cls.mro), *(external.name for external in cls.externals)))


def _models(program: Program, module: ModuleInfo, nodes: list[ir.Expr_]) -> Iterator[ClassInfo]:
    for node in nodes:
        if isinstance(node, ir.Seq):
            yield from _models(program, module, node.items)
            continue
        found = program.resolve(node, module)
        if isinstance(found, ClassInfo) and found.model is not None and found.model.orm is Orm.DJANGO:
            yield found


def _is_for_debugging(cls: ClassInfo) -> bool:
    """Whether a class is there for developers alone: it is defined below `if settings.DEBUG:`."""
    return any(isinstance(stmt, ir.If) and _asks_for_debugging(stmt) and cls.node in stmt.body for stmt in cls.module.tree.body)


def _asks_for_debugging(stmt: ir.If) -> bool:
    return isinstance(stmt.test, ir.Attr) and stmt.test.name == "DEBUG"


def _calls(body: list[ir.Stmt], name: str) -> Iterator[ir.Call]:
    """Yields the calls of a method by this name that stand on their own in a module, also under `if` and `try`."""
    for stmt in body:
        match stmt:
            case ir.Expr(value=ir.Call(func=ir.Attr()) as call):
                assert isinstance(call.func, ir.Attr)
                if call.func.name == name and call.args:
                    yield call
            case ir.If():
                yield from _calls([*(stmt.body if not _asks_for_debugging(stmt) else ()), *stmt.orelse], name)
            case ir.Try() | ir.With():
                yield from _calls(stmt.body, name)
            case _:
                pass


def head(cls: ClassInfo) -> Site:
    """Returns the place of `class Name`."""
    start = cls.node.start
    return Site(cls.module.path, start, min(start + len("class ") + len(cls.node.name), cls.node.end))
