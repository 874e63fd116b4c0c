"""Whether a method that makes rows of what the database sends does more than to give them attributes.

def __init__(self, *args, **kwargs):
    super().__init__(*args, **kwargs)
    self.old_state = self.state              nobody sees whether the row was made
    log.info("made %s", self.pk)             somebody does
"""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk

_PURE = frozenset({
    "super", "getattr", "hasattr", "isinstance", "type", "len", "dict", "list", "set", "tuple", "frozenset", "str", "int", "bool", "zip", "range",
    "sorted", "copy", "deepcopy", "cast", "cls",
})  # fmt: skip
_PURE_METHODS = frozenset({
    "__init__", "__new__", "from_db", "get", "pop", "copy", "deepcopy", "items", "keys", "values", "lower", "upper", "strip", "get_deferred_fields",
})  # fmt: skip


def does_more(body: list[ir.Stmt]) -> bool:
    """Whether a function calls anything that may be seen elsewhere, or changes anything but a variable or an attribute of a variable."""
    for node in walk(body):
        match node:
            case ir.Call(func=ir.Name(id=name)) if name in _PURE:
                pass
            case ir.Call(func=ir.Attr(name=name)) if name in _PURE_METHODS:
                pass
            case ir.Call() | ir.Yield() | ir.Await() | ir.With() | ir.Raise() | ir.Assert() | ir.Import():
                return True
            case ir.Assign(targets=targets) if not all(map(_is_own, targets)):
                return True
            case _:
                pass
    return False


def _is_own(target: ir.Expr_) -> bool:
    match target:
        case ir.Name() | ir.Attr(value=ir.Name(id="self" | "row" | "obj" | "instance" | "new" | "result")):
            return True
        case ir.Seq(items=items):
            return all(map(_is_own, items))
        case _:
            return False
