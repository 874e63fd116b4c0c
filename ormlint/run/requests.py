"""What a view knows of the request that one of its methods answers: which verb it has, which action it asks for, who sent it.

class OrderViewSet(ModelViewSet):
    def get_serializer_class(self):
        return ShortSerializer if self.action == "list" else LongSerializer      in `list` it is short

    def get_queryset(self):
        return self.request.user.orders.filter(shop=self.request.shop)           the shop is what middleware puts there
"""

from __future__ import annotations

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.library.views import ACTIONS, PREFETCHING, VERBS
from ormlint.link.names import ClassInfo, FunctionInfo, decorator_name
from ormlint.link.sqlalchemy_models import identifiers
from ormlint.run.frame import Frame
from ormlint.run.machine import Machine
from ormlint.run.objects import MAX_SETTERS, assigned_attributes
from ormlint.run.values import NONE, Constant, Instance, Row, Value, options

ROUTING = frozenset({"methods", "detail", "url_path", "url_name"})
"""Arguments of a decorator of an action that the router takes; the view is given all others as attributes."""


def actions_of(function: FunctionInfo) -> tuple[str, ...] | None:
    """Returns the verbs, in capitals, of an extra action of a view set; None if the function is none."""
    for node in function.node.decorators:
        if decorator_name(node) in ACTIONS:
            listed = next((value for name, value in node.keywords if name == "methods"), None) if isinstance(node, ir.Call) else None
            return ("GET",) if listed is None else tuple(word.upper() for word in identifiers(listed))
    return None


def is_view_set(cls: ClassInfo) -> bool:
    """Whether a class answers several actions; projects bring copies of the framework with them."""
    return any(c.name == "ViewSetMixin" for c in cls.mro)


def answering(m: Machine, cls: ClassInfo, function: FunctionInfo) -> dict[str, Value]:
    """Returns the attributes that an object of a view class has while a method of it answers a request; none if it is no such method.

    An extra action brings its own: `@action(detail=False, serializer_class=ShortSerializer)`.
    """
    of_framework = _is_api_view(m, cls)
    if not of_framework and not _is_django_view(m, cls):
        return {}
    verbs = actions_of(function)
    attributes: dict[str, Value] = {}
    if is_view_set(cls) and (verbs is not None or function.name in VERBS):
        attributes["action"] = Constant(function.name)
    verb = verbs[0] if verbs else VERBS.get(function.name, "")
    attributes["request"] = request(m, verb if verbs is None or len(verbs) == 1 else "") if of_framework else http_request(m)
    for node in function.node.decorators:
        if decorator_name(node) in ACTIONS and isinstance(node, ir.Call):
            attributes.update(_settings(m, function, node))
    return attributes


def _settings(m: Machine, function: FunctionInfo, decorator: ir.Call) -> dict[str, Value]:
    """Returns the attributes that a decorator of an action sets on the view while the action answers."""
    from ormlint.run.evaluate import evaluate

    where = Frame(function.module, f"{function.module.name}:<module>", muted=True)
    return {name: evaluate(m, where, value) for name, value in decorator.keywords if name and name not in ROUTING}


def request(m: Machine, verb: str) -> Instance:
    """Returns a request of which nothing is known but the verb, if that."""
    known: dict[str, Value] = {"method": Constant(verb)} if verb else {}
    return Instance(m.program.library["rest_framework.request"].classes["Request"], known, True)


def http_request(m: Machine) -> Instance:
    """Returns a request of Django of which nothing is known."""
    return Instance(m.program.library["django.http.request"].classes["HttpRequest"], {}, True)


def _is_api_view(m: Machine, cls: ClassInfo) -> bool:
    views = m.program.library.get("rest_framework.views")
    return views is not None and views.classes["APIView"] in cls.mro


def _is_django_view(m: Machine, cls: ClassInfo) -> bool:
    views = m.program.library.get("django.views.generic.base")
    return views is not None and views.classes["View"] in cls.mro


def takes_request(m: Machine, function: FunctionInfo, position: int) -> bool:
    """Whether the parameter at a position is the request of Django that a view, or what a view calls, is handed."""
    param = function.node.params[position]
    first = 0 if function.owner is None or function.kind == "static method" else 1
    return param.name == "request" and param.annotation is None and position == first and _user(m) is not None


# ------------------------------------------------------------------------------------------------------- its attributes
def request_attribute(m: Machine, depth: int, name: str) -> Value | None:
    """Returns what an attribute of a request is: the row of the user, or a row that middleware of the project puts there; else None.

    Which row that is is not known to a view.
    """
    if name == "user":
        return _user(m)
    if name in m.on_request:
        return m.on_request[name]
    known = m.request
    if known is None:
        known = m.request = http_request(m)
    if name not in m.asked_of_request:
        m.asked_of_request.add(name)
        setters = [function for function in _middleware(m) if name in m.set_on_request[id(function)]]
        for function in setters if len(setters) <= MAX_SETTERS else ():
            _run_middleware(m, function, known, depth)
    held = [option for option in options(known.attributes[name]) if option != NONE] if name in known.attributes else []
    rows = [option for option in held if isinstance(option, Row)]
    if len({id(row.model) for row in rows}) != 1:
        return None
    # what one middleware loads counts as loaded: which of them put the row there is not known either
    loaded = {name: replace(entry, certain=True) for row in rows for name, entry in row.plan.loaded.items()}
    row = Row(rows[0].model, rows[0].cls, plan=replace(rows[0].plan, loaded=loaded))
    m.on_request[name] = row
    if len(rows) == len(held):
        m.plain_rows.append(row)
    return row


def _user(m: Machine) -> Row | None:
    """Returns a row of the model of users, or None if the project has no such model."""
    if m.users is None:
        model = m.django.user()
        _middleware(m)
        m.users = [Row(model, m.class_of(model))] if model is not None else []
        if not m.prefetches_on_request:
            m.plain_rows += m.users
    return m.users[0] if m.users else None


def _middleware(m: Machine) -> list[FunctionInfo]:
    """Returns the functions of middleware of the project that assign attributes of a request."""
    if m.middleware is None:
        m.middleware = []
        paths = m.settings.get("MIDDLEWARE")
        listed = {path for path in paths if isinstance(path, str)} if isinstance(paths, list) else set()
        modules = [cls.module for cls in m.program.all_classes() if cls.name.endswith("Middleware") or f"{cls.module.name}.{cls.name}" in listed]
        homes = {id(module) for module in modules if not module.is_library}
        for function in m.program.functions:
            if id(function.module) not in homes:
                continue
            if any(isinstance(node, ir.Name) and node.id in PREFETCHING for node in walk(function.node.body)):
                m.prefetches_on_request = True
            if any(param.name == "request" for param in function.node.params):
                names = frozenset(assigned_attributes(function.node.body, "request"))
                if names:
                    m.set_on_request[id(function)] = names
                    m.middleware.append(function)
    return m.middleware


def _run_middleware(m: Machine, function: FunctionInfo, known: Instance, depth: int) -> None:
    from ormlint.run.calls import unknown_arguments

    env = unknown_arguments(m, function)
    env["request"] = known
    m.run_function(function, env, "middleware", depth=depth + 1)
