"""What a view knows of the request that one of its methods answers: which verb it has, which action it asks for.

class OrderViewSet(ModelViewSet):
    def get_serializer_class(self):
        return ShortSerializer if self.action == "list" else LongSerializer      in `list` it is short
"""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, FunctionInfo, decorator_name
from ormlint.link.sqlalchemy_models import identifiers
from ormlint.run.machine import Machine
from ormlint.run.values import Constant, Instance, Value

ACTIONS = frozenset({"action", "list_route", "detail_route"})
VERBS = {
    "list": "GET",
    "retrieve": "GET",
    "create": "POST",
    "update": "PUT",
    "partial_update": "PATCH",
    "destroy": "DELETE",
    **{verb: verb.upper() for verb in ("get", "post", "put", "patch", "delete")},
}


def actions_of(function: FunctionInfo) -> tuple[str, ...] | None:
    """Returns the verbs, in capitals, of an extra action of a view set; None if the function is none."""
    for node in function.node.decorators:
        if decorator_name(node) in ACTIONS:
            listed = next((value for name, value in node.keywords if name == "methods"), None) if isinstance(node, ir.Call) else None
            return ("GET",) if listed is None else tuple(word.upper() for word in identifiers(listed))
    return None


def is_view_set(cls: ClassInfo) -> bool:
    """Whether a class answers several actions."""
    return any(c.name == "ViewSetMixin" and c.module.is_library for c in cls.mro)


def answering(m: Machine, cls: ClassInfo, function: FunctionInfo) -> dict[str, Value]:
    """Returns the attributes that an object of a view class has while a method of it answers a request; none if it is no such method."""
    views = m.program.library.get("rest_framework.views")
    if views is None or views.classes["APIView"] not in cls.mro:
        return {}
    verbs = actions_of(function)
    verb = verbs[0] if verbs else VERBS.get(function.name, "")
    attributes: dict[str, Value] = {}
    if is_view_set(cls) and (verbs is not None or function.name in VERBS):
        attributes["action"] = Constant(function.name)
    if verb and (verbs is None or len(verbs) == 1):
        attributes["request"] = request(m, verb)
    return attributes


def request(m: Machine, verb: str) -> Instance:
    """Returns a request of which nothing is known but the verb."""
    return Instance(m.program.library["rest_framework.request"].classes["Request"], {"method": Constant(verb)}, True)
