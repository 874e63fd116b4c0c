"""Django's settings: what the settings modules of a project assign, as far as it is constant.

A settings module is one called `settings` or `settings_…`, or one below a package of that name, that assigns a setting
every project needs; or one of any name that assigns several of them. The
one that manage.py or wsgi.py names comes first, then those for production. What is not constant, or differs from branch to
branch, is `...`: set, to something unknown.
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.link.names import ModuleInfo, Program

TELLTALES = frozenset({"INSTALLED_APPS", "DATABASES", "REST_FRAMEWORK", "ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES", "SECRET_KEY"})
VARIANTS = ("production", "prod", "deploy", "settings", "base", "common", "defaults", "default")
NOT_MEANT = frozenset({"test", "tests", "testing", "test_settings", "ci", "local", "dev", "development", "debug", "example"})
ENTRIES = frozenset({"manage", "wsgi", "asgi"})
UNKNOWN: object = ...

Settings = dict[str, object]


def read_settings(program: Program) -> Settings:
    """Returns the constant settings of a project; empty if it has no settings module."""
    merged: Settings = {}
    for module in _settings_modules(program):
        for name, value in _Reader(program).read(module).items():
            merged.setdefault(name, value)
    return merged


def _settings_modules(program: Program) -> list[ModuleInfo]:
    """Returns the settings modules, the one that counts first."""
    named = _named_by_entries(program)
    found = [m for m in program.modules.values() if m.name in named or _is_settings(m)]
    meant = [m for m in found if m.name in named or not NOT_MEANT & set(m.name.replace("settings_", "").split("."))] or found
    return sorted(meant, key=lambda m: (m.name not in named, _rank(m), m.name.count("."), m.path))


def _is_settings(module: ModuleInfo) -> bool:
    parts = module.name.split(".")
    named = "settings" in parts or parts[-1].startswith("settings_") or parts[-1].endswith("_settings")
    known = len(TELLTALES & module.bindings.keys())
    return known > 2 or (named and (known > 0 or bool(module.stars and parts[-1] == "settings")))


def _rank(module: ModuleInfo) -> int:
    last = module.name.rpartition(".")[2]
    return VARIANTS.index(last) if last in VARIANTS else len(VARIANTS)


def _named_by_entries(program: Program) -> set[str]:
    """Returns what `os.environ.setdefault("DJANGO_SETTINGS_MODULE", name)` names in manage.py and its like."""
    found: set[str] = set()
    for module in program.modules.values():
        if module.name.rpartition(".")[2] in ENTRIES:
            bodies = [module.tree.body, *(f.node.body for f in module.functions.values())]
            for call in (c for body in bodies for c in _calls(body)):
                texts = [a.value for a in call.args if isinstance(a, ir.Const)]
                if len(texts) == 2 and texts[0] == "DJANGO_SETTINGS_MODULE" and isinstance(texts[1], str):
                    found.add(texts[1])
    return found


def _calls(body: list[ir.Stmt]) -> Iterator[ir.Call]:
    for stmt in body:
        if isinstance(stmt, ir.Expr) and isinstance(stmt.value, ir.Call):
            yield stmt.value
        elif isinstance(stmt, ir.If):
            yield from _calls([*stmt.body, *stmt.orelse])


class _Reader:
    """Runs the assignments of settings modules in order, following star imports."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.seen: set[str] = set()

    def read(self, module: ModuleInfo) -> Settings:
        if module.path in self.seen:
            return {}
        self.seen.add(module.path)
        values: Settings = {}
        self.run(module, module.tree.body, values, certain=True)
        return {name: value for name, value in values.items() if name.isupper()}

    def run(self, module: ModuleInfo, body: list[ir.Stmt], values: Settings, *, certain: bool) -> None:
        for stmt in body:
            match stmt:
                case ir.Import():
                    self.follow(module, stmt, values)
                case ir.Assign() if stmt.value is not None:
                    value = self.value(stmt.value, values)
                    for target in stmt.targets:
                        self.assign(target, value, stmt.op, values, certain=certain)
                case ir.Expr(value=ir.Call(func=ir.Attr(value=ir.Name() as owner, name="update")) as call):
                    held = values.get(owner.id)
                    more = self.value(call.args[0], values) if call.args else UNKNOWN
                    if isinstance(held, dict) and isinstance(more, dict):
                        held.update(more if certain else dict.fromkeys(more, UNKNOWN))
                case ir.If() | ir.While():
                    self.run(module, stmt.body, values, certain=False)
                    self.run(module, stmt.orelse, values, certain=False)
                case ir.Try():
                    self.run(module, [*stmt.body, *stmt.orelse, *stmt.final], values, certain=certain)
                    for handler in stmt.handlers:
                        self.run(module, handler.body, values, certain=False)
                case ir.With():
                    self.run(module, stmt.body, values, certain=certain)
                case _:
                    pass

    def follow(self, module: ModuleInfo, stmt: ir.Import, values: Settings) -> None:
        target = self.program.find_module(self.program.absolute(stmt, module), module)
        if target is None or target is module or not stmt.name:
            return
        if stmt.name == "*":
            values.update(self.read(target))
        else:
            imported = _Reader(self.program)
            imported.seen = set(self.seen)
            values[stmt.bound] = imported.read(target).get(stmt.name, UNKNOWN)

    def assign(self, target: ir.Expr_, value: object, op: str, values: Settings, *, certain: bool) -> None:
        match target:
            case ir.Name():
                if op:
                    value = _added(values.get(target.id, UNKNOWN), value)
                old = values.get(target.id, value)
                values[target.id] = value if certain or old == value else UNKNOWN
            case ir.Index(value=ir.Name() as owner, index=ir.Const(value=str() as key)):
                held = values.get(owner.id)
                if isinstance(held, dict):
                    held[key] = value if certain and not op else UNKNOWN
            case _:
                pass

    def value(self, node: ir.Expr_, values: Settings) -> object:
        """Returns the value of a constant expression, or `...`."""
        match node:
            case ir.Const():
                return UNKNOWN if node.kind else node.value
            case ir.Name():
                return values.get(node.id, UNKNOWN)
            case ir.Seq():
                return [self.value(item, values) for item in node.items]
            case ir.Map():
                made: dict[object, object] = {}
                for key, item in zip(node.keys, node.values, strict=True):
                    held = self.value(item, values)
                    if key is None:
                        made.update(held if isinstance(held, dict) else {})
                    elif isinstance(key, ir.Const):
                        made[key.value] = held
                return made
            case ir.Binary(op="+") if node.left is not None:
                return _added(self.value(node.left, values), self.value(node.right, values))
            case ir.Call(func=ir.Name(id="dict")) if not node.args:
                return {name: self.value(item, values) for name, item in node.keywords if name}
            case _:
                return UNKNOWN


def _added(left: object, right: object) -> object:
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    return left + right if isinstance(left, str) and isinstance(right, str) else UNKNOWN


__all__ = ["UNKNOWN", "Settings", "read_settings"]
