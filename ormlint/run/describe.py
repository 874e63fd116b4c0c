"""Abstract values in words, for `reveal_type` and `ormlint dev`."""

from __future__ import annotations

from ormlint.link.names import ClassInfo, External, FunctionInfo, ModuleInfo
from ormlint.run.log import LoadPlan, QueryObject
from ormlint.run.values import Constant, Instance, Manager, Mapping, Row, Scalar, Sequence, Session, Union, Value


def describe_plan(plan: LoadPlan) -> str:
    """Returns the loaded paths of a plan: " loading author, tags__kind?"; a question mark means "on some ways only"."""
    parts = []
    for name, entry in plan.loaded.items():
        below = describe_plan(entry.plan).removeprefix(" loading ")
        own = name.removeprefix("to_attr:") + ("" if entry.certain else "?")
        parts += [own, *(f"{own}__{part}" for part in below.split(", ") if part and " " not in part)]
    text = f" loading {', '.join(parts)}" if parts else ""
    if plan.only is not None:
        text += f" only {', '.join(sorted(plan.only))}"
    if plan.deferred:
        text += f" without {', '.join(sorted(plan.deferred))}"
    return text


def describe(value: Value) -> str:
    """Returns a short description of a value: "query of Book loading author", "row of Book", "list of row of Book"."""
    match value:
        case QueryObject():
            model = value.model.name if value.model is not None else "?"
            kind = {"queryset": "query", "related": "query", "select": "select", "result": "result"}.get(value.style, value.style)
            return f"{kind} of {model}{describe_plan(value.plan)}"
        case Row():
            known = "" if value.origin is not None or value.fresh else " from somewhere"
            return f"{'new ' if value.fresh else ''}row of {value.model.name}{describe_plan(value.plan)}{known}"
        case Manager():
            return f"manager of {value.model.name}"
        case Sequence():
            if value.items is not None:
                return f"{value.kind} of ({', '.join(describe(i) for i in value.items)})"
            return f"{value.kind} of {describe(value.element)}"
        case Mapping():
            return "dict" + (f" of {describe(value.element)}" if value.element is not None else "")
        case Constant():
            return repr(value.value)
        case ClassInfo() | FunctionInfo() | ModuleInfo():
            return repr(value).strip("<>")
        case External():
            return value.path
        case Instance():
            return f"instance of {value.cls.name}"
        case Scalar():
            return f"number from {value.event.op.value}"
        case Session():
            return "async session" if value.is_async else "session"
        case Union():
            return " or ".join(describe(o) for o in value.options)
        case _:
            return "unknown"
