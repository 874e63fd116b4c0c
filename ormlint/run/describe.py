"""Abstract values in words, for `reveal_type` and `ormlint dev`."""

from __future__ import annotations

import builtins
from collections.abc import Iterator

from ormlint.link.names import ClassInfo, External, FunctionInfo, ModuleInfo
from ormlint.run.log import Event, LoadPlan, QueryObject, Shape
from ormlint.run.values import Constant, Instance, Manager, Mapping, Row, Scalar, Sequence, Session, Union, Value


def describe_plan(plan: LoadPlan) -> str:
    """Returns the loaded paths of a plan: " + author + tags__kind?"; a question mark means "on some ways only"."""
    text = "".join(f" + {path}" for path in described_paths(plan))
    if plan.only is not None:
        text += f" only {', '.join(sorted(plan.only))}"
    if plan.deferred:
        text += f" without {', '.join(sorted(plan.deferred))}"
    return text


def described_paths(plan: LoadPlan) -> Iterator[str]:
    """Yields the loaded paths of a plan, parents before children."""
    for name, entry in plan.loaded.items():
        own = name.removeprefix("to_attr:") + ("" if entry.certain else "?")
        yield own
        yield from (f"{own}__{path}" for path in described_paths(entry.plan))


def describe(value: Value) -> str:
    """Returns a short description of a value: "query of Book + author", "Book", "list of Book", "Book from somewhere"."""
    match value:
        case QueryObject():
            model = value.model.name if value.model is not None else "?"
            kind = {"queryset": "query", "related": "query", "select": "select", "result": "result"}.get(value.style, value.style)
            tuples = " as tuples" if value.shape is Shape.TUPLES else ""
            return f"{kind} of {model}{describe_plan(value.plan)}{tuples}"
        case Row():
            known = "" if value.origin is not None or value.fresh else " from somewhere"
            return f"{'new ' if value.fresh else ''}{value.model.name}{describe_plan(value.plan)}{known}"
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
            return "unknown" if value.path.startswith("builtins.") and not hasattr(builtins, value.name) else value.path
        case Instance():
            return f"instance of {value.cls.name}"
        case Scalar():
            return f"number from {value.source.op.value}" if isinstance(value.source, Event) else "number of rows"
        case Session():
            return "async session" if value.is_async else "session"
        case Union():
            return " or ".join(describe(o) for o in value.options)
        case _:
            return "unknown"
