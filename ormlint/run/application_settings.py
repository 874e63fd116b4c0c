"""What an application of Tornado is made with, which its handlers have as `self.settings`.

    Application(routes, session=make_session(), **options)        class Books(RequestHandler):
                                                                      def get(self):
    class Shop(Application):                                              for book in self.settings["session"].scalars(…)
        def __init__(self):                                               for book in self.application.session.scalars(…)
            super().__init__(routes, session=make_session())

The functions that make one are run when the settings are first asked for, and what any of them gives is what all handlers find.
Source of the facts: tornado.web.Application, tornado.web.RequestHandler.settings.
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import mentions, walk
from ormlint.link.names import ClassInfo, External, FunctionInfo, ModuleInfo
from ormlint.run.frame import Frame
from ormlint.run.machine import Machine
from ormlint.run.merging import join_values
from ormlint.run.values import Instance, Mapping, Value

APPLICATION = "tornado.web.Application"
HANDLER = "tornado.web.RequestHandler"
_POSITIONS = frozenset({"handlers", "default_host", "transforms"})  # parameters that are no settings


def of_application(m: Machine, cls: ClassInfo, name: str) -> Value | None:
    """Returns the settings or the application that a handler of Tornado, or the settings that an application has; None if nobody knows."""
    is_handler = _is(cls, HANDLER)
    if name == "settings" and (is_handler or _is(cls, APPLICATION)):
        if not m.keeping.settings_asked:
            m.keeping.settings_asked = True
            _make_applications(m)
        return m.keeping.settings
    if name == "application" and is_handler:
        own = [each for each in m.program.all_classes() if _is(each, APPLICATION)]
        return Instance(own[0]) if len(own) == 1 else None
    return None


def take_settings(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Notes what an application is made with."""
    kept = m.keeping.settings
    if kept is None:
        kept = m.keeping.settings = Mapping()
    for name, value in keywords.items():
        if name == "**":
            kept.element = value if kept.element is None else join_values(m, kept.element, value)
        elif name not in _POSITIONS:
            kept.known[name] = join_values(m, kept.known[name], value) if name in kept.known else value
    return External(f"{APPLICATION}()")


def _is(cls: ClassInfo, path: str) -> bool:
    return any(external.path == path for external in cls.externals)


def _make_applications(m: Machine) -> None:
    from ormlint.run.roots import run_root

    for module in m.program.modules.values():
        if module.is_library or not mentions(module.tree, ("tornado.web", "tornado", "Application")):
            continue
        for stmt in module.tree.body:
            if isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Call) and _makes_one(m, module, stmt.value, None):
                for target in stmt.targets:
                    if isinstance(target, ir.Name):
                        m.global_value(module, target.id)
    for function in _makers(m):
        run_root(m, function)


def _makers(m: Machine) -> Iterator[FunctionInfo]:
    """Yields the functions in which an application is made."""
    named = {id(module) for module in m.program.modules.values() if not module.is_library and mentions(module.tree, ("Application",))}
    for function in m.program.functions:
        if id(function.module) in named and any(
            isinstance(node, ir.Call) and _makes_one(m, function.module, node, function.owner) for node in walk(function.node.body)
        ):
            yield function


def _makes_one(m: Machine, module: ModuleInfo, call: ir.Call, owner: ClassInfo | None) -> bool:
    """Whether a call makes an application: `Application(…)`, or `super().__init__(…)` and `Application.__init__(…)` in a class of one."""
    if call.called == "__init__":
        return owner is not None and _is(owner, APPLICATION)
    if not isinstance(call.func, (ir.Name, ir.Attr)) or not call.keywords:
        return False
    made = m.program.resolve(call.func, module)
    return isinstance(made, External) and made.path == APPLICATION


__all__ = ["APPLICATION", "of_application", "take_settings"]
