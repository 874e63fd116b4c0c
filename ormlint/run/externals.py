"""What is known of functions and objects outside the project: a table by dotted path, and patterns for chains of calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library import sqlalchemy_api as api
from ormlint.library.functions import BATCHES, COUNTERS, EFFECTS, INJECTORS, PROGRESS, RENDERS
from ormlint.link.names import ASYNC_FACTORY, USER_MODEL, ClassInfo, External, FunctionInfo, ModuleInfo, makes_async_sessions
from ormlint.link.schema import Orm
from ormlint.run import intrinsics
from ormlint.run.application_settings import APPLICATION, take_settings
from ormlint.run.blocking import elsewhere
from ormlint.run.encoders import ENCODING, encode_rows
from ormlint.run.engines import maker
from ormlint.run.evaluate import evaluate
from ormlint.run.frame import Frame
from ormlint.run.given_back import narrowed_by
from ormlint.run.log import Bound, QueryObject, UseKind
from ormlint.run.machine import Machine
from ormlint.run.named_modules import backend, import_module, import_string
from ormlint.run.narrowing import forget_columns
from ormlint.run.sharing import note_sharing
from ormlint.run.templates import fill_in
from ormlint.run.values import (
    EMPTY_PLAN,
    UNKNOWN,
    Closure,
    Constant,
    Instance,
    Manager,
    Mapping,
    Native,
    Row,
    Sequence,
    Session,
    Union,
    Unknown,
    Value,
    options,
    varying,
)

Function = Callable[[Machine, Frame, ir.Call, list[Value], dict[str, Value]], Value]
SESSIONS = re.compile(
    r"(SQLAlchemy\(\)\.session|\b(Session|AsyncSession)\(\)|sessionmaker\(\)(\(\)|\.begin\(\))|scoped_session\(\)(\(\))?|object_session\(\))$"
)
SQLALCHEMY = frozenset({"sqlalchemy", "sqlmodel", "flask_sqlalchemy", "flask_sqlalchemy_lite"})
PRESUMED = frozenset({"query", "get", "scalars", "stream_scalars"})  # what only a session has for a model: `LocalProxy(…).query(Book)`
COUNT = "count()"
MAX_PATH = 160


class Described(NamedTuple):
    """What the path of something outside the project tells of calling it."""

    name: str
    special: Function | None  # what the table has for it
    session: Session | None  # the session of which it is a method
    made: Value | None  # what the call is known to give
    has_effects: bool  # outside the program and the database
    may_be_of_session: bool  # a method that, given a model or a statement, only a session has
    called: External  # the result


def known_value(m: Machine, symbol: External) -> Value | None:
    """Returns what an external path is known to be: a session, the user model; None if it is just external."""
    path = symbol.path
    if not path.endswith((")", "session")):
        return None
    if symbol.package in SQLALCHEMY and SESSIONS.search(path):
        return Session(is_async="sync" in path.lower())
    if path.endswith("SQLAlchemy().session"):
        return Session()
    if path.endswith("auth.get_user_model()"):
        user = m.django.user()
        return (m.class_of(user) or UNKNOWN) if user is not None else None
    return None


def instance_of(m: Machine, symbol: External) -> Value:
    """Returns the value of a global that an external call made."""
    found = known_value(m, symbol)
    return found if found is not None else symbol


def call_external(m: Machine, f: Frame, node: ir.Call, func: External, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what calling something outside the project gives."""
    known = m.externals.get(func.path)
    if known is None:
        known = m.externals[func.path] = _described(m, func)
    if known.name in ENCODING:
        encode_rows(m, f, node, args, keywords)
    if known.special is not None:
        return known.special(m, f, node, args, keywords)
    name, made = known.name, known.made
    if known.session is not None:
        from ormlint.run.sessions import session_method

        return session_method(m, f, node, known.session, name, args, keywords)
    if made is not None:
        return replace(made, births=tuple(f.loops), made_in=f.number) if isinstance(made, Session) and "scoped" not in func.path else made
    if known.may_be_of_session and isinstance(node.func, ir.Attr):
        from ormlint.run.sessions import call_presumed_session

        presumed = call_presumed_session(m, f, node, args, keywords)
        if presumed is not None:
            return presumed
    narrowed = narrowed_by(m, f, node, name, args, keywords)
    if narrowed is not None:
        return narrowed
    if name in BATCHES:
        from ormlint.run.builtins import batched

        return batched(m, f, node, args, keywords)
    if known.has_effects:
        f.effects += 1
    if fill_in(m, f, node, args, keywords):
        return UNKNOWN
    kind = UseKind.RENDER if name in RENDERS else UseKind.ARGUMENT
    for value in args if name == "in_" else ():
        m.use_as_parameter(f, value, node, name)
    values = (*args, *keywords.values())
    for value in values:
        m.use(f, value, kind, node)
        _walked(m, f, value, kind, node)
    made_from = varying(values)
    return made_from if made_from.deps or len(func.path) > MAX_PATH else known.called


def _described(m: Machine, func: External) -> Described:
    from ormlint.run.builtins import BUILTINS

    path = func.path
    special = BUILTINS.get(func.name) if func.package == "builtins" else None
    special = special or FUNCTIONS.get(path) or (FUNCTIONS.get(f"{func.package}:{func.name}") if "()" not in path else None)
    owner = known_value(m, External(path.rpartition(".")[0])) if func.package in SQLALCHEMY or "SQLAlchemy()" in path else None
    called = External(path + "()")
    session = owner if isinstance(owner, Session) else None
    presumed = func.package not in SQLALCHEMY and (func.name in PRESUMED or (func.name in api.SESSION_METHODS and "session" in path.lower()))
    return Described(func.name, special, session, known_value(m, called), path.startswith(EFFECTS), presumed, called)


def _walked(m: Machine, f: Frame, value: Value, kind: UseKind, node: ir.Node) -> None:
    """Notes the query objects that a container hands over."""
    if isinstance(value, Sequence) and value.items is not None:
        for item in value.items:
            m.use(f, item, kind, node)
    elif isinstance(value, Mapping):
        for item in value.known.values():
            m.use(f, item, kind, node)


# ------------------------------------------------------------------------------------------------------------- Django
def _object_or_404(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    return _shortcut(m, f, node, "get", args, keywords)


def _list_or_404(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    query = _shortcut(m, f, node, "filter", args, keywords)
    from ormlint.run.builtins import BUILTINS

    return BUILTINS["list"](m, f, node, [query], {})


def _shortcut(m: Machine, f: Frame, node: ir.Call, method: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    from ormlint.run.attributes import default_manager
    from ormlint.run.django import manager_method, queryset_method

    source = args[0] if args else keywords.pop("klass", UNKNOWN)
    if isinstance(source, ClassInfo) and source.model is not None and source.model.orm is Orm.DJANGO:
        source = default_manager(m, source, source.model)
    if isinstance(source, Manager):
        return manager_method(m, f, node, source, method, args[1:], keywords)
    if isinstance(source, QueryObject):
        return queryset_method(m, f, node, source, method, args[1:], keywords)
    return varying(args)


def _get_model(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    from ormlint.run.attributes import SOME_MODEL

    return registered_model(m, f, args, keywords) or SOME_MODEL


def model_got(m: Machine, f: Frame, getter: str, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    """Returns the model class that a function of the project gives, which stands in for one of Django's, or None."""
    if getter == "get_user_model":
        return known_value(m, External(USER_MODEL))
    return registered_model(m, f, args, keywords)


def registered_model(m: Machine, f: Frame, args: list[Value], keywords: dict[str, Value]) -> ClassInfo | None:
    """Returns the model class that `get_model("shop", "Book")` or `get_model("shop.Book")` means, or None."""
    names = [a.value for a in (*args, *keywords.values()) if isinstance(a, Constant) and isinstance(a.value, str)]
    label = ".".join(names[:2])
    model = m.django.named(label, f.module, None) if "." in label else None
    return m.class_of(model) if model is not None else None


def _prefetch_objects(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    from ormlint.run.prefetches import prefetched_along

    rows = args[0] if args else UNKNOWN
    shown = node.args[0] if node.args else None
    for item in shown.items if isinstance(shown, ir.Seq) else ():  # `prefetch_related_objects([book], …)`: the variable's row
        if isinstance(item, ir.Name) and item.id in f.env:
            f.env[item.id] = _with_prefetches(m, f, f.env[item.id], args[1:], node)
    if isinstance(rows, Sequence):
        rows.element = _with_prefetches(m, f, rows.element, args[1:], node)
        if rows.items is not None:
            rows.items = tuple(_with_prefetches(m, f, row, args[1:], node) for row in rows.items)
    elif isinstance(rows, QueryObject):
        rows.plan = prefetched_along(m, f, rows.plan, rows.model, args[1:], node)
    return Constant(None)


def _each(value: Value) -> Iterable[Value]:
    """Returns what a list may hold, or the value itself."""
    if not isinstance(value, Sequence):
        return options(value)
    return value.items if value.items is not None else options(value.element)


def _with_prefetches(m: Machine, f: Frame, value: Value, given: list[Value], node: ir.Call) -> Value:
    """Returns the row with more loaded, each of them if it may be one of several; anything else as it is."""
    from ormlint.run.prefetches import prefetched_along

    match value:
        case Row() if any(type(option) is Unknown for arg in given for option in _each(arg)):
            return replace(value, plan=EMPTY_PLAN, origin=None)  # whatever it is that is loaded
        case Row():
            return replace(value, plan=prefetched_along(m, f, value.plan, value.model, given, node))
        case Union():
            return Union(tuple(_with_prefetches(m, f, option, given, node) for option in value.options))
        case _:
            return value


# -------------------------------------------------------------------------------------------------------- SQLAlchemy
def _select(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    from ormlint.run.sqlalchemy import statement

    return statement(m, f, node, args, "select")


def _write(style: str) -> Function:
    def make(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        from ormlint.run.sqlalchemy import writing_statement

        return writing_statement(m, f, node, args, style)

    return make


def _loader(name: str) -> Function:
    def make(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        from ormlint.run.loader_options import loader
        from ormlint.run.values import Descriptor

        known = all(isinstance(a, (Descriptor, Constant)) for a in args)
        return loader(name, args, f.site(node.start, node.end), inner="innerjoin" in keywords) if known else varying(args)

    return make


def _load(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    from ormlint.run.values import Option

    return Option((), (), args[0].model if args and isinstance(args[0], ClassInfo) else None)


def _session_factory(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what makes sessions, of the class that is given as `class_`."""
    path = ASYNC_FACTORY if makes_async_sessions(keywords.get("class_")) else "sqlalchemy.orm.sessionmaker"
    return External(f"{path}()")


def _count_function(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns `func.count(Book.id)`: a column that counts."""
    from ormlint.run.values import Descriptor

    inner = args[0] if args else None
    model = inner.model if isinstance(inner, (Descriptor, ClassInfo)) else None
    return Descriptor(model, COUNT) if model is not None else External(f"sqlalchemy.func.{COUNT}")


def _aliased(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    return args[0] if args else UNKNOWN


# ------------------------------------------------------------------------------------------------------------ library
def _identity(position: int) -> Function:
    def give(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        return args[position] if len(args) > position else UNKNOWN

    return give


def _gather(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    note_sharing(m, f, node)
    return Sequence("tuple", items=tuple(args))


def _defaultdict(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    factory = args[0] if args else UNKNOWN
    if isinstance(factory, External) and factory.name in ("list", "set"):
        return Mapping(element=Sequence(factory.name, items=()))
    if isinstance(factory, External) and factory.name == "dict":
        return Mapping(element=Mapping())
    if isinstance(factory, Closure) and factory.body is not None and isinstance(factory.body.body, ir.Call):
        made = evaluate(m, f, factory.body.body)  # `defaultdict(lambda: defaultdict(list))`
        return Mapping(element=made) if isinstance(made, (Mapping, Sequence)) else Mapping()
    return Mapping()


def _partial(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    if not args:
        return UNKNOWN
    function, *first = args

    def run(m: Machine, f: Frame, node: ir.Call, args: list[Value], more: dict[str, Value]) -> Value:
        from ormlint.run.calls import call

        given = [*first, *args]
        made = call(m, f, node, function, given, keywords | more)
        if m.tells:
            forget_columns(f, function, (*given, *keywords.values()))
        return made

    made = Native("partial", run)
    m.keep.append(made)
    return made


def _ordered(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    from ormlint.run.builtins import BUILTINS

    return BUILTINS["dict"](m, f, node, args, keywords)


def _builtin(name: str) -> Function:
    def run(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        from ormlint.run import builtins

        return (builtins.BUILTINS.get(name) or getattr(builtins, name))(m, f, node, args, keywords)

    return run


def _islice(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    from ormlint.run.expressions import iterate

    if not args:
        return UNKNOWN
    walked = iterate(m, f, args[0], node)
    limit = args[1].value if len(args) == 2 and isinstance(args[1], Constant) and isinstance(args[1].value, int) else None
    return Sequence("generator", walked.element, bound=walked.bound, limit=limit, source=walked.source)


def _shown(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Models a progress bar: it walks what it is given, and is no query itself."""
    from ormlint.run.expressions import iterate

    if not args:
        return UNKNOWN
    walked = iterate(m, f, args[0], node)
    return Sequence("generator", walked.element, bound=walked.bound, limit=walked.limit, source=walked.source, picked=walked.picked)


def _grouped(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Models `itertools.groupby`: pairs of a key and the elements that have it."""
    from ormlint.run.builtins import call_back
    from ormlint.run.expressions import iterate

    if not args:
        return UNKNOWN
    walked = iterate(m, f, args[0], node)
    key = args[1] if len(args) > 1 else keywords.get("key")
    if key is not None:
        call_back(m, f, node, key, args[0], walked)
    group = Sequence("generator", walked.element, bound=Bound.FEW, source=walked.source, picked=walked.picked)
    pairs = Sequence("tuple", items=(varying(args), group))
    return Sequence("generator", pairs, bound=walked.bound, source=walked.source)  # all groups together have the elements once


def _endless(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Models what gives elements until somebody breaks off: as with `while True`, nothing tells how many rounds there are."""
    return Sequence("generator", UNKNOWN, bound=Bound.ONE)


def _proxy(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what the function behind `LocalProxy(lambda: g.reader)` gives, as far as that is known."""
    from ormlint.run.calls import call

    made = call(m, f, node, args[0], [], {}) if args and isinstance(args[0], (Closure, FunctionInfo)) else UNKNOWN
    return made if isinstance(made, (Row, Instance, Session)) else External(f"{LOCAL_PROXY}()")


LOCAL_PROXY = "werkzeug.local.LocalProxy"
FUNCTIONS: dict[str, Function] = {
    "django.shortcuts.get_object_or_404": _object_or_404,
    "django.shortcuts.aget_object_or_404": _object_or_404,
    "rest_framework.generics.get_object_or_404": _object_or_404,
    "django.shortcuts.get_list_or_404": _list_or_404,
    "django.apps.apps.get_model": _get_model,
    "swapper.load_model": _get_model,
    "importlib.import_module": import_module,
    "oslo_utils.importutils.import_module": import_module,
    "django.utils.module_loading.import_string": import_string,
    "werkzeug.utils.import_string": import_string,
    "celery.utils.imports.symbol_by_name": import_string,
    "pydoc.locate": import_string,
    "oslo_db.api.DBAPI": backend,
    "oslo_db.api.DBAPI.from_config": backend,
    "django.db.models.prefetch_related_objects": _prefetch_objects,
    "django.db.models.query.prefetch_related_objects": _prefetch_objects,
    "asgiref.sync.sync_to_async": elsewhere,
    "asgiref.sync.async_to_sync": _identity(0),
    "channels.db.database_sync_to_async": elsewhere,
    APPLICATION: take_settings,
    f"{APPLICATION}.__init__": take_settings,
    LOCAL_PROXY: _proxy,
    "typing.cast": _identity(1),
    "typing_extensions.cast": _identity(1),
    "copy.copy": _identity(0),
    "copy.deepcopy": _identity(0),
    "asyncio.gather": _gather,
    "asyncio.create_task": _identity(0),
    "asyncio.wait_for": _identity(0),
    "itertools.chain": _builtin("chained"),
    "itertools.chain.from_iterable": _builtin("flattened"),
    "itertools.islice": _islice,
    "itertools.groupby": _grouped,
    **dict.fromkeys(PROGRESS, _shown),
    "concurrent.futures.ThreadPoolExecutor().map": _builtin("map"),
    **dict.fromkeys(COUNTERS, _endless),
    "collections.defaultdict": _defaultdict,
    "collections.OrderedDict": _ordered,
    "collections.deque": _builtin("list"),
    "functools.partial": _partial,
    "functools.reduce": _builtin("reduced"),
    "operator.attrgetter": _builtin("attribute_getter"),
    "statistics.mean": _builtin("sum"),
    "statistics.fmean": _builtin("sum"),
    "math.fsum": _builtin("sum"),
    "sqlalchemy.func.count": _count_function,
    "sqlalchemy.sql.func.count": _count_function,
    "sqlalchemy.sql.expression.func.count": _count_function,
    "flask_sqlalchemy.SQLAlchemy().func.count": _count_function,
    "sqlmodel.func.count": _count_function,
    "sqlalchemy:sessionmaker": _session_factory,
    "sqlalchemy:create_engine": maker("sqlalchemy.create_engine"),
    "sqlmodel:create_engine": maker("sqlalchemy.create_engine"),
    "sqlalchemy:create_async_engine": maker("sqlalchemy.ext.asyncio.create_async_engine"),
    "sqlalchemy:select": _select,
    "sqlmodel:select": _select,
    "sqlalchemy:insert": _write("insert"),
    "sqlalchemy:update": _write("update"),
    "sqlalchemy:delete": _write("delete"),
    "sqlmodel:insert": _write("insert"),
    "sqlmodel:update": _write("update"),
    "sqlmodel:delete": _write("delete"),
    "sqlalchemy:aliased": _aliased,
    "sqlalchemy:with_polymorphic": _aliased,
    "sqlalchemy:Load": _load,
    **{f"{package}:{name}": _loader(name) for package in ("sqlalchemy", "sqlmodel") for name in api.LOADERS},
    **{f"flask_sqlalchemy.SQLAlchemy().{name}": _loader(name) for name in api.LOADERS},
    "flask_sqlalchemy.SQLAlchemy().select": _select,
    "flask_sqlalchemy.SQLAlchemy().insert": _write("insert"),
    "flask_sqlalchemy.SQLAlchemy().update": _write("update"),
    "flask_sqlalchemy.SQLAlchemy().delete": _write("delete"),
    **intrinsics.FUNCTIONS,
}


# ----------------------------------------------------------------------------------------------------------- contexts
def enter_context(m: Machine, f: Frame, node: ir.Expr_, value: Value) -> tuple[Value, int]:
    """Returns what `with value as x` binds, and 1 if the block is a transaction."""
    from ormlint.run.calls import call_method

    match value:
        case External():
            if value.path.endswith(("atomic()", "transaction.atomic", "commit_on_success")):
                return UNKNOWN, 1
            entered = known_value(m, value)
            return (entered if entered is not None else value), 0
        case Session():
            begins = isinstance(node, ir.Call) and isinstance(node.func, ir.Attr) and node.func.name in ("begin", "begin_nested")
            return value, int(begins)
        case Sequence(kind="generator"):
            return value.element, 0
        case Instance():
            entered = call_method(m, f, node, value, "__enter__") or call_method(m, f, node, value, "__aenter__")
            return (entered if entered is not None else value), 0
        case Union():
            return enter_context(m, f, node, value.options[0])
        case _:
            return value, 0


def injected(m: Machine, module: ModuleInfo, default: ir.Call) -> Value | None:
    """Returns what `param=Depends(dependency)` gives: what the dependency returns or yields."""
    symbol = m.program.resolve(default.func, module)
    if not isinstance(symbol, External) or symbol.name not in INJECTORS or not default.args:
        return None
    dependency = m.program.resolve(default.args[0], module)
    if not isinstance(dependency, FunctionInfo):
        return None
    from ormlint.run.calls import unknown_arguments

    summary = m.run_function(dependency, unknown_arguments(m, dependency), "root", depth=2)
    if summary is None:
        return None
    returned = summary.returned
    return returned.element if isinstance(returned, Sequence) and returned.kind == "generator" else returned
