"""Calls: finding out what is called, binding arguments, and running project functions."""

from __future__ import annotations

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library.functions import BATCHES, ERROR, MODEL_GETTERS, QUEUES, TELL_ERRORS
from ormlint.library.schemas import READ_CLASSES
from ormlint.library.sqlalchemy_api import SELECT_CLASSES
from ormlint.link.names import ClassInfo, External, FunctionInfo, ModuleInfo
from ormlint.link.schema import Orm
from ormlint.link.templates import TemplateInfo
from ormlint.run import containers, sessions
from ormlint.run.annotations import annotated
from ormlint.run.blocking import runs_elsewhere
from ormlint.run.caching import keeps_results
from ormlint.run.contexts import deciding, is_answered
from ormlint.run.decorators import argument_put_in, parameter_put_in
from ormlint.run.deepened import deepen
from ormlint.run.detaching import freshen
from ormlint.run.evaluate import EXPRESSIONS, IN_TEMPLATES, evaluate
from ormlint.run.frame import Frame
from ormlint.run.given_back import narrowed_by
from ormlint.run.log import Bound, QueryObject, UseKind
from ormlint.run.loops import outliving
from ormlint.run.machine import Machine
from ormlint.run.merging import as_asked, join_values
from ormlint.run.narrowing import forget_columns
from ormlint.run.objects import fields_of_record, shown_row
from ormlint.run.parameters import MANY_RUNS, MOST_DECIDED, Bindings, rebind, resolve_deps, returned, symbolic
from ormlint.run.recipes import note_call, returned_recipe
from ormlint.run.rows import new_row, row_method
from ormlint.run.templates import fill_in
from ormlint.run.values import (
    NONE,
    UNKNOWN,
    BoundMethod,
    Closure,
    Constant,
    Descriptor,
    Instance,
    Manager,
    Mapping,
    Method,
    Native,
    Option,
    Row,
    Scalar,
    Sequence,
    Session,
    Super,
    Union,
    Unknown,
    Value,
    deps_of,
    is_holder,
    key_of,
    varying,
)

MAX_LAMBDA = 3  # runs of one lambda within each other


def _call(m: Machine, f: Frame, node: ir.Call) -> Value:
    return IN_TEMPLATES[ir.Call](m, f, node) if isinstance(f.module, TemplateInfo) else evaluate_call(m, f, node)


def evaluate_call(m: Machine, f: Frame, node: ir.Call) -> Value:
    """Evaluates the function, then the arguments, then the call."""
    if isinstance(node.func, ir.Name) and node.func.id == "super" and "super" not in f.env:
        return _super(f, node)
    func = evaluate(m, f, node.func)
    wrong = node.called.endswith(ERROR) or node.called.lstrip("_") in TELL_ERRORS
    f.error_path += wrong
    args, keywords = _arguments(m, f, node)
    f.error_path -= wrong
    if not f.module.is_library:
        (m.counters.unresolved if type(func) is Unknown else m.counters.resolved).add(id(node))
    note_call(f, node, func)
    if f.stale:
        freshen(f, *args, *keywords.values())
    waited = node is f.awaited
    f.awaiting += waited
    value = call(m, f, node, func, args, keywords)
    f.awaiting -= waited
    if m.tells:
        forget_columns(f, func, (*args, *keywords.values()))
    return value


def _arguments(m: Machine, f: Frame, node: ir.Call) -> tuple[list[Value], dict[str, Value]]:
    """Returns the values of the arguments of a call, by position and by keyword."""
    args: list[Value] = []
    for arg in node.args:
        value = evaluate(m, f, arg)
        if isinstance(arg, ir.Star):
            if isinstance(value, Sequence) and value.items is not None:
                args += value.items
                continue
            from ormlint.run.expressions import iterate

            args.append(Sequence("list", iterate(m, f, value, arg).element))
            continue
        args.append(value)
    keywords: dict[str, Value] = {}
    for name, expr in node.keywords:
        value = evaluate(m, f, expr)
        if name:
            keywords[name] = value
        elif isinstance(value, Mapping):
            keywords.update(value.known)
            if value.element is not None:
                keywords.setdefault("**", value.element)
        else:
            keywords["**"] = value
    return args, keywords


def _super(f: Frame, node: ir.Call) -> Value:
    frame: Frame | None = f
    while frame is not None:
        if frame.owner is not None and frame.self_value is not None:
            return Super(frame.owner, frame.self_value)
        frame = frame.outer
    return UNKNOWN


def call(m: Machine, f: Frame, node: ir.Call, func: Value, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what calling a value gives."""
    match func:
        case FunctionInfo():
            if func.name in MODEL_GETTERS:
                from ormlint.run.externals import model_got

                model = model_got(m, f, func.name, args, keywords)
                if model is not None:
                    return model
            return call_function(m, f, node, func, args, keywords)
        case BoundMethod():
            made = call_function(m, f, node, func.function, [func.self, *args], keywords)
            return _filtered(made, keywords) if func.function.name == "filter" and made is not func.self else made
        case Closure():
            return call_closure(m, f, node, func, args, keywords)
        case Method():
            return call_table(m, f, node, func, args, keywords)
        case External():
            from ormlint.run.externals import call_external

            return call_external(m, f, node, func, args, keywords)
        case ClassInfo():
            return construct(m, f, node, func, args, keywords)
        case Native():
            return func.call(m, f, node, args, keywords)
        case Instance():
            function = func.cls.method("__call__")
            if function is not None:
                return call_function(m, f, node, function, [func, *args], keywords)
        case Union():
            found = call(m, f, node, func.options[0], args, keywords)
            for option in func.options[1:]:
                found = join_values(m, found, call(m, f, node, option, args, keywords))
            return found
        case _:
            pass
    return call_unknown(m, f, node, func, args, keywords)


def _filtered(made: Value, keywords: dict[str, Value]) -> Value:
    """Returns what the project's own `filter()` of a QuerySet gives: one row at most, if it is given a key."""
    from ormlint.run.django import is_unique

    if isinstance(made, QueryObject) and made.orm is Orm.DJANGO and is_unique(made.model, frozenset(keywords)):
        made.bound, made.limit = Bound.ONE, 1
    return made


def call_unknown(m: Machine, f: Frame, node: ir.Call, func: Value, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what calling something unknown gives; its arguments escape."""
    if isinstance(node.func, ir.Attr) and isinstance(func, type(UNKNOWN)):
        presumed = sessions.call_presumed_session(m, f, node, args, keywords)
        if presumed is not None:
            return presumed
    if fill_in(m, f, node, args, keywords):
        return UNKNOWN
    if isinstance(node.func, ir.Attr) and node.func.name == "model_class" and not args and m.has_django:
        from ormlint.run.attributes import SOME_MODEL

        return SOME_MODEL
    if isinstance(node.func, ir.Attr) and node.func.name in BATCHES:
        return Sequence("generator", varying((func, *args)), batches=True)
    if isinstance(node.func, ir.Attr) and node.func.name in QUEUES:
        f.effects += 1
    narrowed = narrowed_by(m, f, node, node.func.name, args, keywords) if isinstance(node.func, ir.Attr) else None
    if narrowed is not None:
        return narrowed
    escape(m, f, node, [*args, *keywords.values()])
    return varying((func, *args, *keywords.values()))


def escape(m: Machine, f: Frame, node: ir.Node, values: list[Value]) -> None:
    """Notes that values are given to something that is not understood."""
    lookup = "in_" if isinstance(node, ir.Call) and isinstance(node.func, ir.Attr) and node.func.name == "in_" else ""
    for value in values:
        if isinstance(value, (QueryObject, Scalar, Union, Sequence)):
            m.use_as_parameter(f, value, node, lookup)
            if isinstance(value, Sequence) and value.items is not None and len(value.items) <= 12:
                for item in value.items:
                    m.use(f, item, UseKind.ARGUMENT, node)
        elif type(value) is Instance:
            m.use(f, value, UseKind.ARGUMENT, node)
        elif type(value) is Mapping:
            escape(m, f, node, [held for held in value.known.values() if type(held) is not Mapping])


def call_table(m: Machine, f: Frame, node: ir.Call, method: Method, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Calls a method that a table of the library describes."""
    receiver, name = method.receiver, method.name
    match receiver:
        case Manager():
            from ormlint.run.django import manager_method

            return manager_method(m, f, node, receiver, name, args, keywords)
        case QueryObject():
            if receiver.orm is Orm.SQLALCHEMY:
                from ormlint.run.sqlalchemy import query_method

                return query_method(m, f, node, receiver, name, args, keywords)
            from ormlint.run.django import queryset_method

            return queryset_method(m, f, node, receiver, name, args, keywords)
        case Row():
            return row_method(m, f, node, receiver, name, args, keywords)
        case Session():
            return sessions.session_method(m, f, node, receiver, name, args, keywords)
        case Descriptor() | Option():
            from ormlint.run.loader_options import descriptor_method

            return descriptor_method(m, f, node, receiver, name, args, keywords)
        case Sequence() | Mapping():
            return containers.container_method(m, f, node, receiver, name, args, keywords)
        case _:
            escape(m, f, node, [*args, *keywords.values()])
            if name == "format":
                from ormlint.run.expressions import to_text

                for value in (*args, *keywords.values()):
                    to_text(m, f, value, node)
            if name == "join" and args:
                from ormlint.run.expressions import iterate

                iterate(m, f, args[0], node)
            return varying((receiver, *args, *keywords.values()))


# ----------------------------------------------------------------------------------------------------- project code
def call_method(m: Machine, f: Frame, node: ir.Node, receiver: Row | Instance, name: str) -> Value | None:
    """Calls a method of a row or object if its class defines it; returns None if not."""
    cls = receiver.cls
    function = cls.method(name) if cls is not None else None
    if function is None:
        return None
    return call_function(m, f, node, function, [receiver], {})


def text_method(cls: ClassInfo) -> FunctionInfo | None:
    """Returns what shows an object as text: `__str__`, or `__repr__` for rows of SQLAlchemy, whose bases have no `__str__`; None for neither."""
    found = cls.method("__str__")
    if found is None and cls.model is not None and cls.model.orm is Orm.SQLALCHEMY:
        return cls.method("__repr__")
    return found


def call_function(m: Machine, f: Frame, node: ir.Node, function: FunctionInfo, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Runs a function of the project with these arguments and returns what it gives."""
    return run_bound(m, f, node, function, bind(m, function, args, keywords), None, [*args, *keywords.values()])


def _decisive(m: Machine, function: FunctionInfo, runs: int) -> frozenset[str]:
    """Returns the parameters whose texts decide which branch a function takes, unless it was run too often to tell them apart."""
    if not MANY_RUNS < runs <= MOST_DECIDED:
        return frozenset()
    if id(function) not in m.decisive:
        m.decisive[id(function)] = deciding(function)
    return m.decisive[id(function)]


def run_bound(m: Machine, f: Frame, node: ir.Node, function: FunctionInfo, env: dict[str, Value], outer: Frame | None, given: list[Value]) -> Value:
    """Runs a function with bound parameters and returns its value as the caller's own."""
    rest = next((param.name for param in function.node.params[-1:] if param.kind == "**"), "")
    first = next(iter(env.values()), None)
    runs = 0 if function.module.is_library or (type(first) is Row and is_answered(function, first)) else m.contexts.get(id(function), 0)
    made, bindings, rows = symbolic(outliving(env, f.left), runs=runs, rest=rest, decisive=_decisive(m, function, runs))
    key: tuple[object, ...] = tuple([key_of(v) for v in made.values()])
    if outer is not None:
        m.keep.append(outer)
        key = (id(outer), *key)
    if function.name == "__init__" and isinstance(given[0] if given else None, Instance):
        m.keep.append(given[0])
        key = (id(given[0]), *key)  # it is there for what it does to this object
    depth = f.depth + (not function.module.is_library)  # the inside of a framework is no way of the project
    summary = m.run_function(function, made, key, depth=depth, outer=outer, caller=f, node=node)
    if summary is None:
        from ormlint.run.spent import absorb_spent

        absorb_spent(m, f, node, function, env)
        escape(m, f, node, given)
        return varying(given)
    if f.loops and summary.given is not made:
        rebind(bindings, summary.given, made)
    memoised = bool(function.node.decorators) and keeps_results(function)
    away = f.is_async and bool(function.node.decorators) and runs_elsewhere(function)
    f.guarded += memoised
    f.awaiting += away
    m.absorb(f, node, function.qualname, summary, bindings)
    if summary.gains:
        deepen(f, node, function, given, summary.gains)
    f.awaiting -= away
    f.guarded -= memoised
    return adopt(m, f, node, returned(summary.returned, bindings, rows), tuple(given), bindings)


def adopt(m: Machine, f: Frame, node: ir.Node, value: Value, given: tuple[Value, ...], bindings: Bindings) -> Value:
    """Returns a callee's value with a life of its own in the caller: what one caller does with a query does not concern another."""
    match value:
        case QueryObject():
            if any(value is g for g in given) or m.created[value][0] is f:
                return value
            recipe = returned_recipe(m, f, node, value.recipe)
            # what a framework calls stands in the project as the name of a class
            trail = (
                value.trail if f.module.is_library or not isinstance(node, (ir.Call, ir.Attr)) else value.followed_to(f.site(node.start, node.end))
            )
            depends = {
                "parameters": resolve_deps(value.parameters, bindings),
                "varied": resolve_deps(value.varied, bindings),
                "sets": resolve_deps(value.sets, bindings),
                "unkeyed": resolve_deps(value.unkeyed, bindings),
            }
            mine = replace(
                value,
                uses=[],
                heirs=[],
                parent=value,
                refined_by=frozenset(),
                recipe=recipe,
                trail=trail,
                filters=as_asked(value, f.qualname),
                **depends,
            )
            if value in m.handed_on and isinstance(node, ir.Call):  # a function called `select` only says it in other words
                mine.site, mine.trail = f.site(node.start, node.end), ()
            m.new_query(f, mine)
            row = m.rows_of.get(value)
            if row is not None:
                m.rows_of[mine] = row
            if value in m.queryset_classes:
                m.queryset_classes[mine] = m.queryset_classes[value]
            return mine
        case Sequence() if value.source is not None and not any(value is g for g in given):
            source = adopt(m, f, node, value.source, given, bindings)
            assert isinstance(source, QueryObject)
            return Sequence(value.kind, value.element, value.items, value.bound, value.limit, source, value.deps, value.batches, picked=value.picked)
        case Row() if value.single and f.loops and not any(value is g for g in given):
            return replace(value, births=(*f.loops, *value.births))
        case Union():
            return Union(tuple(adopt(m, f, node, o, given, bindings) for o in value.options))
        case _:
            return value


def call_closure(m: Machine, f: Frame, node: ir.Call | ir.Node, closure: Closure, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Runs a nested function or lambda, whose free names are those of the frame it was defined in."""
    if closure.body is not None:
        env = dict(zip([p.name for p in closure.body.params if p.kind not in ("*", "**")], args, strict=False))
        for param in closure.body.params:
            env.setdefault(param.name, evaluate(m, closure.frame, param.default) if param.default is not None else UNKNOWN)
        env.update((k, v) for k, v in keywords.items() if k in env)
        identity = (id(closure.body), "lambda")
        if m.stack.count(identity) >= MAX_LAMBDA:
            return UNKNOWN
        m.begin(identity)
        try:
            frame = replace_frame(f, closure.frame, env)
            value = evaluate(m, frame, closure.body.body)
        finally:
            m.end()
        query = value.source if isinstance(value, Sequence) else value
        if isinstance(query, QueryObject) and m.created[query][0] is frame:
            m.created[query] = (f, tuple(f.loops))  # each call makes a query of its own, as if it stood there
        return value
    assert closure.function is not None
    function = closure.function
    closure.frame.called.add(id(function))
    env = bind(m, function, args, keywords)
    return run_bound(m, f, node, function, env, closure.frame, [*args, *keywords.values()])


def replace_frame(f: Frame, outer: Frame, env: dict[str, Value]) -> Frame:
    """Returns a frame for a lambda's body: it records into the caller's frame, in the caller's loops."""
    return Frame(
        outer.module,
        f.qualname,
        f.function,
        outer.owner,
        env,
        outer,
        f.depth,
        f.loops,
        f.flow,
        f.events,
        f.calls,
        f.copied,
        optional=f.optional,
        muted=f.muted,
        caller=f.caller,
        call_site=f.call_site,
        conditional=f.conditional,
        error_path=f.error_path,
        guarded=f.guarded,
        isolated=f.isolated,
        transaction=f.transaction,
        self_value=outer.self_value,
    )


def bind(m: Machine, function: FunctionInfo, args: list[Value], keywords: dict[str, Value]) -> dict[str, Value]:
    """Returns the parameters of a function bound to arguments; what is missing has its default or what its annotation says."""
    env: dict[str, Value] = {}
    position = 0
    rest = dict(keywords)
    for param in function.node.params:
        if param.kind == "*":
            extra = args[position:]
            env[param.name] = Sequence("tuple", items=tuple(extra))
            position = len(args)
        elif param.kind == "**":
            env[param.name] = Mapping({k: v for k, v in rest.items() if k != "**"}, element=rest.get("**"))
        elif param.name in rest:  # before what a starred argument may hold: `super().__init__(data, *args, **kwargs)`
            env[param.name] = rest.pop(param.name)
        elif param.kind != "k" and position < len(args):
            env[param.name] = args[position]
            position += 1
        elif "**" in rest or param.default is None:
            env[param.name] = unknown_parameter(m, function, param)
        else:
            put_in = argument_put_in(m, function, param.name) if function.node.decorators else None
            env[param.name] = put_in if put_in is not None else default_of(m, function, param)
        given = env[param.name]
        if param.annotation is not None and (type(given) is Unknown or type(given) is External or given == NONE):
            typed = annotated(m, param.annotation, function.module)
            # `session: Session = NEW_SESSION`: a decorator or the body puts a session in the place of None
            if typed is not None and (type(given) is Unknown or isinstance(typed, Session)):
                env[param.name] = typed
    return env


def default_of(m: Machine, function: FunctionInfo, param: ir.Param) -> Value:
    """Returns the default of a parameter, which is evaluated where the function is defined."""
    assert param.default is not None
    if isinstance(param.default, ir.Const):
        return UNKNOWN if param.default.kind else Constant(param.default.value)
    frame = Frame(function.module, f"{function.module.name}:<defaults>", owner=function.owner, muted=True)
    return evaluate(m, frame, param.default)


def unknown_parameter(m: Machine, function: FunctionInfo, param: ir.Param) -> Value:
    """Returns what is known of a parameter without knowing a caller: its annotation, an injected dependency."""
    if param.annotation is not None:
        typed = annotated(m, param.annotation, function.module)
        if typed is not None:
            return typed
    if isinstance(param.default, ir.Call):
        from ormlint.run.externals import injected

        found = injected(m, function.module, param.default)
        if found is not None:
            return found
    return UNKNOWN


def unknown_arguments(m: Machine, function: FunctionInfo, outer: Frame | None = None) -> dict[str, Value]:
    """Returns the parameters of a function for a run on its own."""
    from ormlint.run.requests import http_request, takes_request

    env: dict[str, Value] = {}
    for position, param in enumerate(function.node.params):
        if param.kind == "*":
            env[param.name] = Sequence("tuple")
        elif param.kind == "**":
            env[param.name] = Mapping(element=UNKNOWN)
        elif position == 0 and function.owner is not None and function.kind != "static method":
            env[param.name] = self_value(m, function)
        elif position == 1 and function.name.startswith("get_") and function.owner is not None and param.annotation is None:
            env[param.name] = shown_row(m, function.owner, function.name) or unknown_parameter(m, function, param)
        elif param.name == "request" and takes_request(m, function, position):
            env[param.name] = http_request(m)
        else:
            put_in = parameter_put_in(m, function, position, param.name) if function.node.decorators else None
            env[param.name] = put_in if put_in is not None else unknown_parameter(m, function, param)
    return env


def self_value(m: Machine, function: FunctionInfo) -> Value:
    """Returns what `self` or `cls` is in a run of a method on its own."""
    cls = function.owner
    assert cls is not None
    if function.kind == "class method":
        return cls
    if cls.model is not None:
        return Row(cls.model, cls)
    from ormlint.run.attributes import is_manager_class
    from ormlint.run.django import queryset_as_class

    if is_manager_class(cls) or queryset_as_class(m, cls):
        return UNKNOWN
    from ormlint.run.requests import answering

    return Instance(cls, answering(m, cls, function))


def initialise(m: Machine, f: Frame, instance: Instance) -> None:
    """Gives an object of unknown making the attributes that its `__init__` sets."""
    instance.initialised = True
    cls = instance.cls
    known = m.instances.get(id(cls))
    if known is None:
        known = Instance(cls, initialised=True)
        m.instances[id(cls)] = known
        function = cls.method("__init__")
        if function is not None and f.depth < 8:
            env = unknown_arguments(m, function)
            first = function.node.params[0].name if function.node.params else ""
            env[first] = known
            m.run_function(function, env, ("init", id(cls)), depth=f.depth + 1)
    for name, value in (*known.attributes.items(), *fields_of_record(m, cls).items()):
        instance.attributes.setdefault(name, value)


def construct(m: Machine, f: Frame, node: ir.Call, cls: ClassInfo, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns what calling a class gives."""
    maker = cls.method("__new__")
    if maker is not None and maker.module.is_library:
        made = call_function(m, f, node, maker, [cls, *args], keywords)
        if isinstance(made, Instance):
            return made
    elif not is_holder(cls):
        escape(m, f, node, [*args, *keywords.values()])
    if cls.model is not None:
        return new_row(m, f, cls, args, keywords)
    from ormlint.run.django import note_class, queryset_as_class
    from ormlint.run.queries import new_queryset

    if queryset_as_class(m, cls):
        model = next((a.model for a in (*args, *keywords.values()) if isinstance(a, ClassInfo) and a.model is not None), None)
        query = new_queryset(m, f, node, model, complete=model is not None)
        m.queryset_classes[query] = cls
        note_class(query, cls)
        return query
    if cls.derives_from(*SELECT_CLASSES) and maker is None and cls.method("__init__") is None:
        from ormlint.run.sqlalchemy import statement

        made = statement(m, f, node, args, "select")
        m.queryset_classes[made] = cls
        return made
    if cls.derives_from("Enum", "IntEnum", "StrEnum", "TextChoices", "IntegerChoices"):
        return varying(args)
    if cls.derives_from("Session", "AsyncSession", "scoped_session"):
        return Session(is_async=cls.derives_from("AsyncSession"))
    deps = frozenset().union(*(deps_of(a) for a in args), *(deps_of(k) for k in keywords.values())) if args or keywords else frozenset()
    instance = Instance(cls, initialised=True, deps=deps)
    function = cls.method("__init__")
    if function is not None:
        from ormlint.run.construction import initialise_new

        initialise_new(m, f, node, function, instance, args, keywords)
        if function.module.is_library and cls.derives_from("BaseForm"):  # `instance` and the like
            instance.attributes.update((name, value) for name, value in keywords.items() if name not in ("**", "fields"))
        elif keywords and cls.derives_from("BaseSerializer"):
            from ormlint.run.chosen_fields import take_keywords

            take_keywords(m, instance, keywords)
        return instance
    fields = [
        name for c in reversed(cls.mro) for name, stmts in c.bindings.items() if isinstance(stmts[-1], ir.Assign) and stmts[-1].annotation is not None
    ]
    instance.attributes.update(zip(dict.fromkeys(fields), args, strict=False))
    instance.attributes.update({k: v for k, v in keywords.items() if k != "**"})
    if any(isinstance(value, (Row, Sequence)) for value in keywords.values()) and cls.derives_from(*READ_CLASSES):
        from ormlint.run.schemas import fill_given

        fill_given(m, f, node, instance, keywords)
    return instance


EXPRESSIONS[ir.Call] = _call

__all__ = ["ModuleInfo", "adopt", "bind", "call", "call_function", "call_method", "construct", "evaluate_call", "unknown_arguments"]
