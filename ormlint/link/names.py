"""Names across modules: which class, function, module or foreign thing a dotted expression means.

The program is never executed. A name is looked up in the module where it stands, imports are followed through
re-exports and star imports, and whatever lies outside the project becomes an `External` with its dotted path:

    from django.db import models        models.ForeignKey            →  External("django.db.models.ForeignKey")
    db = SQLAlchemy(app)                 db.Model                     →  External("flask_sqlalchemy.SQLAlchemy().Model")

so that facts about libraries can be tables keyed by dotted paths. Look-ups are memoised; a cycle resolves to None.
"""

from __future__ import annotations

import builtins
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Union

from msgspec import Struct

from ormlint.ir import nodes as ir
from ormlint.library.stand_ins import stand_in
from ormlint.link.bindings import bind_body, takes_in_submodules
from ormlint.link.class_loaders import BY_APP, BY_LABEL, BY_PATH, loaded
from ormlint.link.older import beside, modules_of_python2
from ormlint.text import Site

if TYPE_CHECKING:
    from ormlint.link.schema import Model

MAX_DEPTH = 40
LOADERS = BY_APP | BY_LABEL | BY_PATH
USER_MODEL = "django.contrib.auth.get_user_model()"
MAX_IMPORTS = 6  # modules that a name is handed on through
FLASK_EXTENSIONS = "flask.ext."
BASE_KEYWORDS = frozenset({"cls", "model_class"})
ASYNC_FACTORY = "sqlalchemy.ext.asyncio.async_sessionmaker"
ACCESSORS = frozenset({"setter", "deleter", "expression", "comparator", "update_expression"})  # the last three of a hybrid property
"""Arguments by which a function that makes a base class is given one to derive it from: SQLAlchemy, Flask-SQLAlchemy."""

BUILTINS = frozenset(dir(builtins))


class External(Struct, frozen=True):
    """Something outside the project; a call is written as `()` in the path."""

    path: str

    @property
    def name(self) -> str:
        """The last part of the path, without call marks."""
        return self.path.rstrip("()").rpartition(".")[2]

    @property
    def package(self) -> str:
        """The distribution's top-level package."""
        return self.path.partition(".")[0]


@dataclass(slots=True, eq=False)
class ModuleInfo:
    """A Python module of the project or of the library of stubs."""

    tree: ir.Module
    bindings: dict[str, list[ir.Stmt]] = field(default_factory=dict)
    stars: list[ir.Import] = field(default_factory=list)
    is_library: bool = False
    classes: dict[str, ClassInfo] = field(default_factory=dict)
    functions: dict[str, FunctionInfo] = field(default_factory=dict)
    folder: str = field(init=False)

    def __post_init__(self) -> None:
        self.folder = posixpath.dirname(self.tree.path)

    @property
    def path(self) -> str:
        """The file, relative to the project root."""
        return self.tree.path

    @property
    def name(self) -> str:
        """The dotted import name."""
        return self.tree.name

    def site(self, node: ir.Node) -> Site:
        """Returns the place of a node of this module."""
        return Site(self.tree.path, node.start, node.end)

    def __repr__(self) -> str:
        return f"<module {self.name}>"


@dataclass(slots=True, eq=False)
class FunctionInfo:
    """A function or method as it is written."""

    node: ir.Function
    module: ModuleInfo
    qualname: str
    owner: ClassInfo | None = None
    decorators: tuple[Symbol | None, ...] | None = None
    kind: str = "function"  # function | method | property | class method | static method | cached property
    nested: dict[str, FunctionInfo] = field(default_factory=dict)
    reads: frozenset[str] | None = None  # the attributes of its first parameter that it names; None until somebody asks

    @property
    def name(self) -> str:
        """The bare name."""
        return self.node.name

    def __repr__(self) -> str:
        return f"<function {self.module.name}:{self.qualname}>"


@dataclass(slots=True, eq=False)
class ClassInfo:
    """A class as it is written, with what is known of its ancestors."""

    node: ir.Class
    module: ModuleInfo
    qualname: str
    bindings: dict[str, list[ir.Stmt]] = field(default_factory=dict)
    functions: dict[str, FunctionInfo] = field(default_factory=dict)
    classes: dict[str, ClassInfo] = field(default_factory=dict)
    bases: tuple[Symbol | None, ...] = ()
    mro: tuple[ClassInfo, ...] = ()
    externals: tuple[External, ...] = ()
    subclasses: list[ClassInfo] = field(default_factory=list)
    model: Model | None = None
    linked: bool = False

    @property
    def name(self) -> str:
        """The bare name."""
        return self.node.name

    @property
    def site(self) -> Site:
        """The place of the class statement."""
        return self.module.site(self.node)

    def method(self, name: str) -> FunctionInfo | None:
        """Returns the function that the attribute `name` means, looked up along the MRO."""
        for cls in self.mro:
            if name in cls.functions:
                return cls.functions[name]
            if name in cls.bindings:
                return None
        return None

    def find(self, name: str) -> tuple[ClassInfo, list[ir.Stmt]] | None:
        """Returns the class along the MRO that binds `name`, and its bindings."""
        for cls in self.mro:
            found = cls.bindings.get(name)
            if found is not None:
                return cls, found
        return None

    def derives_from(self, *names: str) -> bool:
        """Whether an ancestor outside the project has one of these dotted paths or bare names."""
        for external in self.externals:
            if external.path in names or external.name in names:
                return True
        return any(cls.name in names and cls.module.is_library for cls in self.mro)

    def __repr__(self) -> str:
        return f"<class {self.module.name}:{self.qualname}>"


@dataclass(frozen=True, slots=True)
class InstanceRef:
    """An instance of a project class made at module level: `db = Database(app)`."""

    cls: ClassInfo


@dataclass(frozen=True, slots=True)
class ConstRef:
    """A constant."""

    value: str | int | float | bool | None


Symbol = Union[External, ModuleInfo, FunctionInfo, ClassInfo, InstanceRef, ConstRef]


class Program:
    """All modules, classes and functions of the project, and the meaning of names in them."""

    def __init__(self, modules: Iterable[ir.Module], library: Iterable[ir.Module] = ()) -> None:
        self.modules: dict[str, ModuleInfo] = {}
        self.by_name: dict[str, list[ModuleInfo]] = {}
        self.library: dict[str, ModuleInfo] = {}
        self.templates: dict[str, ir.Module] = {}
        self.classes: list[ClassInfo] = []
        self.functions: list[FunctionInfo] = []
        self._memo: dict[tuple[int, str], Symbol | None] = {}
        self._busy: set[tuple[int, str]] = set()
        self._imports: dict[tuple[str, str], ModuleInfo | None] = {}
        self._taken: dict[str, list[ModuleInfo]] = {}
        modules = list(modules)
        self._older = modules_of_python2(modules)
        for module in modules:
            if module.language == "python":
                info = self._add(module, is_library=False)
                self.modules[module.path] = info
                self.by_name.setdefault(module.name, []).append(info)
            else:
                self.templates[module.path] = module
        for module in library:
            self.library[module.name] = self._add(module, is_library=True)
        for cls in self.classes:
            self._link(cls)
        for cls in self.classes:
            for base in cls.bases:
                if isinstance(base, ClassInfo) and cls not in base.mro:  # `class Page(Page)`, whose base another branch defines
                    base.subclasses.append(cls)

    # ------------------------------------------------------------------------------------------ construction
    def _add(self, module: ir.Module, *, is_library: bool) -> ModuleInfo:
        info = ModuleInfo(module, is_library=is_library)
        bind_body(module.body, info.bindings, info.stars)
        self._declare(info.bindings, info, "", info.classes, info.functions, None)
        return info

    def _declare(
        self,
        bindings: dict[str, list[ir.Stmt]],
        module: ModuleInfo,
        prefix: str,
        classes: dict[str, ClassInfo],
        functions: dict[str, FunctionInfo],
        owner: ClassInfo | None,
    ) -> None:
        for name, stmts in bindings.items():
            for stmt in stmts:
                if isinstance(stmt, ir.Class):
                    cls = ClassInfo(stmt, module, prefix + name)
                    bind_body(stmt.body, cls.bindings)
                    self._declare(cls.bindings, module, f"{prefix}{name}.", cls.classes, cls.functions, cls)
                    classes[name] = cls
                    self.classes.append(cls)
                elif isinstance(stmt, ir.Function):
                    function = FunctionInfo(stmt, module, prefix + name, owner, kind="method" if owner else "function")
                    _classify(function)
                    if name in functions and any(_is_accessor(d) for d in stmt.decorators):
                        continue  # neither `@x.setter` nor `@x.expression` replaces the getter
                    functions[name] = function
                    self.functions.append(function)

    def _link(self, cls: ClassInfo) -> None:
        """Resolves the bases of a class and computes its MRO (depth first, first occurrence of each class kept last)."""
        if cls.linked:
            return
        cls.linked = True
        cls.mro = (cls,)
        bases = []
        externals: list[External] = []
        order: list[ClassInfo] = []
        for node in cls.node.bases:
            base = self.resolve(node, cls.module)
            if isinstance(base, InstanceRef):
                base = None
            bases.append(base)
            if isinstance(base, ClassInfo) and base is not cls:
                self._link(base)
                order += base.mro
                externals += base.externals
            elif isinstance(base, External):
                externals.append(base)
                given = self._class_given_to(node, cls.module) or self._standing_in(base)
                if given is not None and given is not cls:
                    self._link(given)
                    order += given.mro
        kept: list[ClassInfo] = []
        for position, item in enumerate(order):
            if item not in order[position + 1 :] and item is not cls:
                kept.append(item)
        cls.bases = tuple(bases)
        cls.mro = (cls, *kept)
        cls.externals = tuple(dict.fromkeys(externals))

    def _standing_in(self, base: External) -> ClassInfo | None:
        """Returns the class of the library that stands in for one of another package, or None."""
        home = stand_in(base.package, base.name)
        module = self.library.get(home[0]) if home is not None else None
        return module.classes.get(home[1]) if home is not None and module is not None else None

    def _class_given_to(self, base: ir.Expr_, module: ModuleInfo) -> ClassInfo | None:
        """Returns the class that a base was made from: `Base = declarative_base(cls=Common)`, `db = SQLAlchemy(model_class=Common)`, `db.Model`."""
        name = base.value if isinstance(base, ir.Attr) else base
        made = self.call_behind(name.id, module) if isinstance(name, ir.Name) else None
        while made is not None:
            call, module = made
            given = next((value for keyword, value in call.keywords if keyword in BASE_KEYWORDS), None)
            if given is None:
                return None
            made = (given, module) if isinstance(given, ir.Call) else None
            found = self.resolve(given, module) if made is None else None
            if isinstance(found, ClassInfo):
                return found
        return None

    def call_behind(self, name: str, module: ModuleInfo) -> tuple[ir.Call, ModuleInfo] | None:
        """Returns the call whose result a global name is bound to, in whichever module, or None."""
        for _ in range(MAX_IMPORTS):
            stmt = module.bindings.get(name, [None])[-1]
            if isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Call):
                return stmt.value, module
            target = self.find_module(self.absolute(stmt, module), module) if isinstance(stmt, ir.Import) and stmt.name else None
            if target is None or not isinstance(stmt, ir.Import):
                return None
            name, module = stmt.name, target
        return None

    # --------------------------------------------------------------------------------------------- modules
    def find_module(self, dotted: str, importer: ModuleInfo | None) -> ModuleInfo | None:
        """Returns the project's or the library's module with this dotted name as seen from a file, or None."""
        folder = importer.folder if importer is not None and not importer.is_library else ""
        key = (dotted, folder)
        if key not in self._imports:
            self._imports[key] = self._find_module(dotted, folder)
        return self._imports[key]

    def _find_module(self, dotted: str, folder: str) -> ModuleInfo | None:
        named = self.by_name.get(dotted)
        if named:
            return max(named, key=lambda m: (shared_folders(m.path, folder), -len(m.path), m.path))
        relative = dotted.replace(".", "/")
        at: str | None = folder
        while at is not None:
            if f"{at}/__init__.py".lstrip("/") not in self.modules or at == "":
                for candidate in (f"{relative}.py", f"{relative}/__init__.py"):
                    found = self.modules.get(posixpath.join(at, candidate))
                    if found is not None:
                        return found
            at = posixpath.dirname(at) if at else None
        return self.library.get(dotted)

    def import_target(self, stmt: ir.Import, module: ModuleInfo) -> Symbol | None:
        """Returns what an import statement binds."""
        base = self.absolute(stmt, module)
        if not stmt.name:
            dotted = base if stmt.bound != stmt.module.partition(".")[0] else base[: len(base) - len(stmt.module) + len(stmt.bound)]
            return self.find_module(dotted, module) or External(dotted)
        found = self.find_module(base, module)
        if found is not None:
            symbol = self.attribute(found, stmt.name) if not (found is module and stmt.bound == stmt.name) else None
            if symbol is not None:
                return symbol
        submodule = self.find_module(f"{base}.{stmt.name}" if base else stmt.name, module)
        if submodule is not None:
            return submodule
        if found is not None and not found.is_library:
            return None
        return External(f"{base}.{stmt.name}" if base else stmt.name)

    def absolute(self, stmt: ir.Import, module: ModuleInfo) -> str:
        """Returns the absolute dotted name of the module an import statement names."""
        if not stmt.level:
            if module.name in self._older:
                near = beside(stmt, module.tree, self.by_name, module.bindings)
                if near:
                    return near
            # before Flask 1.0: `from flask.ext.sqlalchemy import SQLAlchemy`
            return f"flask_{stmt.module.removeprefix(FLASK_EXTENSIONS)}" if stmt.module.startswith(FLASK_EXTENSIONS) else stmt.module
        parts = module.name.split(".")
        if not module.tree.is_package:
            parts = parts[:-1]
        parts = parts[: len(parts) - (stmt.level - 1)] if stmt.level > 1 else parts
        return ".".join([*parts, *([stmt.module] if stmt.module else [])])

    # ----------------------------------------------------------------------------------------------- names
    def attribute(self, module: ModuleInfo, name: str, depth: int = 0) -> Symbol | None:
        """Returns what `module.name` means, or None if it is not known statically."""
        key = (id(module), name)
        if key in self._memo:
            return self._memo[key]
        if key in self._busy or depth > MAX_DEPTH:
            return None
        self._busy.add(key)
        try:
            found = self._attribute(module, name, depth)
        finally:
            self._busy.discard(key)
        self._memo[key] = found
        return found

    def _attribute(self, module: ModuleInfo, name: str, depth: int) -> Symbol | None:
        none: Symbol | None = None
        for stmt in reversed(module.bindings.get(name, ())):
            symbol = self.bound(stmt, name, module)
            if isinstance(symbol, ConstRef) and symbol.value is None:
                none = symbol
            elif symbol is not None:
                return symbol
        if none is not None:
            return none
        if name in module.bindings:
            return None
        for star in module.stars:
            target = self.find_module(self.absolute(star, module), module)
            if target is not None and target is not module:
                symbol = self.attribute(target, name, depth + 1)
                if symbol is not None:
                    return symbol
        taken_in = [below for below in self._taken_in(module) if name in below.classes or name in below.functions]
        if len(taken_in) == 1:  # of several the last one that is imported counts, whichever that is
            return taken_in[0].classes.get(name) or taken_in[0].functions[name]
        submodule = self.find_module(f"{module.name}.{name}", module) if module.tree.is_package else None
        if submodule is not None:
            return submodule
        return External(f"{module.name}.{name}") if module.is_library else None

    def _taken_in(self, package: ModuleInfo) -> list[ModuleInfo]:
        """Returns the modules below a package whose names it makes its own by a function or a loop of its own."""
        if package.path not in self._taken:
            below = f"{package.folder}/"
            inside = [m for m in self.modules.values() if m.path.startswith(below)] if takes_in_submodules(package.tree) else []
            self._taken[package.path] = sorted(inside, key=lambda module: module.path)
        return self._taken[package.path]

    def bound(self, stmt: ir.Stmt, name: str, module: ModuleInfo, cls: ClassInfo | None = None) -> Symbol | None:
        """Returns what one binding statement gives a name."""
        match stmt:
            case ir.Import():
                return self.import_target(stmt, module)
            case ir.Class():
                return next((c for c in (cls.classes if cls else module.classes).values() if c.node is stmt), None)
            case ir.Function():
                return next((f for f in (cls.functions if cls else module.functions).values() if f.node is stmt), None)
            case ir.Assign() if stmt.value is not None and not stmt.op and any(isinstance(t, ir.Name) for t in stmt.targets):
                return self.resolve(stmt.value, module, cls)
            case ir.Assign(targets=[ir.Seq(items=items)], value=ir.Call() as call):
                position = next((number for number, item in enumerate(items) if isinstance(item, ir.Name) and item.id == name), None)
                func = self.resolve(call.func, module, cls) if position is not None else None
                if isinstance(func, (External, FunctionInfo)) and func.name in LOADERS and position is not None:
                    return loaded(self, func.name, call, position)
                return None
            case _:
                return None

    def resolve(self, expr: ir.Expr_, module: ModuleInfo, cls: ClassInfo | None = None, depth: int = 0) -> Symbol | None:
        """Returns what an expression at module or class level means, or None."""
        if depth > MAX_DEPTH:
            return None
        match expr:
            case ir.Const():
                return ConstRef(expr.value) if not expr.kind else None
            case ir.Name():
                if cls is not None and expr.id in cls.bindings:
                    return self.class_attribute(cls, expr.id)
                return self.lookup(expr.id, module)
            case ir.Attr():
                return self.member(self.resolve(expr.value, module, cls, depth + 1), expr.name)
            case ir.Call():
                func = self.resolve(expr.func, module, cls, depth + 1)
                if isinstance(func, (External, FunctionInfo)) and func.name in LOADERS:
                    found = loaded(self, func.name, expr)
                    if found is not None:
                        return found
                if isinstance(func, External):
                    if func.path == "builtins.getattr":
                        return self._got(expr, module, cls, depth)
                    kind = [value for name, value in expr.keywords if name == "class_"] if func.name == "sessionmaker" else ()
                    is_async = any(makes_async_sessions(self.resolve(value, module, cls, depth + 1)) for value in kind)
                    return External((ASYNC_FACTORY if is_async else func.path) + "()")
                if isinstance(func, ClassInfo):
                    return InstanceRef(func)
                return self._returned(func, depth) if isinstance(func, FunctionInfo) else None
            case ir.Index():  # Generic[T], Base[Model]
                value = self.resolve(expr.value, module, cls, depth + 1)
                return value if isinstance(value, (External, ClassInfo)) else None
            case ir.Bool() | ir.Cond():
                options = expr.values if isinstance(expr, ir.Bool) else [expr.body, expr.orelse]
                for option in options:
                    symbol = self.resolve(option, module, cls, depth + 1)
                    if symbol is not None and not isinstance(symbol, ConstRef):
                        return symbol
                return None
            case _:
                return None

    def _got(self, call: ir.Call, module: ModuleInfo, cls: ClassInfo | None, depth: int) -> Symbol | None:
        """Returns what `getattr(settings, "AUTH_USER_MODEL", …)` means."""
        match call.args:
            case [owner, ir.Const(value=str() as name), *_]:
                found = self.member(self.resolve(owner, module, cls, depth + 1), name)
                return found if found is not None else External("builtins.getattr()")
            case _:
                return External("builtins.getattr()")

    def _returned(self, function: FunctionInfo, depth: int) -> Symbol | None:
        """Returns what a function gives back, if its last statement says so: `def make_base(): return declarative_base()`."""
        if function.name == "get_user_model":  # what stands in for Django's of that name gives the same
            return External(USER_MODEL)
        body = function.node.body
        if body and isinstance(body[-1], ir.Return) and body[-1].value is not None and not function.node.is_async:
            return self.resolve(body[-1].value, function.module, None, depth + 5)
        return None

    def lookup(self, name: str, module: ModuleInfo) -> Symbol | None:
        """Returns what a global name means in a module; unbound names may be builtins."""
        if name in BUILTINS and name not in module.bindings and (module.is_library or not module.stars):
            return External(f"builtins.{name}")
        symbol = self.attribute(module, name)
        if symbol is None and name not in module.bindings:
            return External(f"builtins.{name}")
        return symbol

    def member(self, owner: Symbol | None, name: str) -> Symbol | None:
        """Returns what `owner.name` means."""
        match owner:
            case External():
                return External(f"{owner.path}.{name}")
            case ModuleInfo():
                return self.attribute(owner, name)
            case ClassInfo():
                return self.class_attribute(owner, name)
            case InstanceRef():
                found = self.class_attribute(owner.cls, name)
                if found is None and owner.cls.externals and not _gives_value(owner.cls.find(name)):
                    return External(f"{owner.cls.externals[0].path}().{name}")
                return found
            case _:
                return None

    def class_attribute(self, cls: ClassInfo, name: str) -> Symbol | None:
        """Returns what a class attribute means, looked up along the MRO."""
        self._link(cls)  # a base of another class may be such an attribute: `class Book(db.Model)`
        key = (id(cls), name)
        if key in self._memo:
            return self._memo[key]
        if key in self._busy:
            return None
        self._busy.add(key)
        try:
            found = cls.find(name)
            symbol: Symbol | None = None
            if found is not None:
                symbol = self.bound(found[1][-1], name, found[0].module, found[0])
        finally:
            self._busy.discard(key)
        self._memo[key] = symbol
        return symbol

    def all_classes(self) -> Iterator[ClassInfo]:
        """Yields the project's own classes."""
        return (c for c in self.classes if not c.module.is_library)


def shared_folders(path: str, folder: str) -> int:
    """Number of leading folders that a path shares with a folder."""
    count = 0
    for left, right in zip(path.split("/"), folder.split("/"), strict=False):
        if left != right:
            break
        count += 1
    return count


def decorator_name(node: ir.Expr_) -> str:
    """Returns the last part of a decorator's name, called or not."""
    if isinstance(node, ir.Call):
        node = node.func
    return node.name if isinstance(node, ir.Attr) else node.id if isinstance(node, ir.Name) else ""


def _gives_value(found: tuple[ClassInfo, list[ir.Stmt]] | None) -> bool:
    """Whether what binds a name in a class gives it a value, and does not but say its type: `Model: type[Common]`."""
    return found is not None and any(not isinstance(stmt, ir.Assign) or stmt.value is not None for stmt in found[1])


def makes_async_sessions(cls: object) -> bool:
    """Whether a class of sessions, as in `sessionmaker(engine, class_=AsyncSession)`, is an asynchronous one."""
    return cls.derives_from("AsyncSession") if isinstance(cls, ClassInfo) else isinstance(cls, External) and cls.name == "AsyncSession"


def _is_accessor(node: ir.Expr_) -> bool:
    return isinstance(node, ir.Attr) and node.name in ACCESSORS


def _classify(function: FunctionInfo) -> None:
    """Sets the kind of a method from its decorators."""
    names = {decorator_name(d) for d in function.node.decorators}
    if function.owner is None:
        return
    if names & {"property", "hybrid_property", "abstractproperty", "classproperty"}:
        function.kind = "property"
    elif names & {"cached_property", "memoized_property", "memoized"}:
        function.kind = "cached property"
    elif "classmethod" in names or function.name in ("__init_subclass__", "__class_getitem__"):
        function.kind = "class method"
    elif "staticmethod" in names or function.name == "__new__":
        function.kind = "static method"
