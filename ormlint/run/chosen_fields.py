"""Fields that whoever makes a serializer chooses by a keyword, as its `__init__` says.

def __init__(self, *args, fields=None, **kwargs):        BookSerializer(books, many=True, fields=["title"])    the title alone
    super().__init__(*args, **kwargs)
    for name in set(self.fields) - set(fields):          what is left over is taken out; likewise what `exclude=` names
        self.fields.pop(name)
BookSerializer = BookSerializer.without("author")        the name means another class since, whose fields a method chose
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.link.names import ClassInfo, FunctionInfo
from ormlint.run.machine import Machine
from ormlint.run.values import NONE, Constant, Instance, Sequence, Value

KEPT = "kept_fields"
DROPPED = "dropped_fields"
_READS = ("pop", "get")
_COPIES = frozenset({"set", "list", "tuple", "frozenset"})


def take_keywords(m: Machine, serializer: Instance, keywords: dict[str, Value]) -> None:
    """Tells a new serializer which of its fields the keywords of its construction keep, and which they take out; notes if it is given data."""
    if keywords.get("data", NONE) != NONE:
        m.saving[id(serializer.cls)] = serializer.cls
    for maker in _makers(serializer.cls):
        for name, keeps in _choosing(maker):
            given = keywords.get(name)
            if given is not None and _names(given):
                serializer.attributes[KEPT if keeps else DROPPED] = given


def chosen(serializer: Instance) -> tuple[frozenset[str] | None, frozenset[str]]:
    """Returns the names of the fields that a serializer keeps, None for all, and of those that it takes out."""
    kept, dropped = serializer.attributes.get(KEPT), serializer.attributes.get(DROPPED)
    return (_names(kept) if kept is not None else None, _names(dropped) if dropped is not None else frozenset())


def is_made_anew(cls: ClassInfo) -> bool:
    """Whether the name of a class means in the end what a method of the class gave: then nobody uses the fields that its `Meta` lists.

    # `BookSerializer = BookSerializer.without("author")`, where the method ends in `return type(name, (cls,), {"Meta": Meta})`
    """
    meta = cls.find("Meta")
    return meta is not None and any(_is_rebound(ancestor) for ancestor in cls.mro[: cls.mro.index(meta[0]) + 1])


def _is_rebound(cls: ClassInfo) -> bool:
    """Whether the last statement of a module that binds the name of a class calls a class method of it that makes a class."""
    match cls.module.bindings.get(cls.qualname, [None])[-1]:
        case ir.Assign(value=ir.Call(func=ir.Attr(value=ir.Name(id=name), name=called))) if name == cls.name:
            method = cls.method(called)
            return method is not None and method.kind == "class method" and any(_makes_class(node) for node in walk(method.node.body))
        case _:
            return False


def _makes_class(node: ir.Node) -> bool:
    match node:
        case ir.Class():
            return True
        case ir.Call(func=ir.Name(id="type"), args=args):
            return len(args) == 3
        case _:
            return False


def _names(value: Value) -> frozenset[str]:
    """Returns the texts that a list holds, none if one of its elements is not known."""
    items = value.items if isinstance(value, Sequence) else None
    texts = [item.value for item in items or () if isinstance(item, Constant) and isinstance(item.value, str)]
    return frozenset(texts) if items is not None and len(texts) == len(items) else frozenset()


def _makers(cls: ClassInfo) -> Iterator[FunctionInfo]:
    return (maker for ancestor in cls.mro if not ancestor.module.is_library and (maker := ancestor.functions.get("__init__")) is not None)


def _choosing(maker: FunctionInfo) -> Iterator[tuple[str, bool]]:
    """Yields the keywords by which an `__init__` takes fields out, each with whether it names those that stay."""
    named = {param.name: param.name for param in maker.node.params[1:]}  # by local name, the keyword that it comes from
    for node in walk(maker.node.body):
        match node:
            case ir.Assign(targets=[ir.Name(id=local)], value=value) if value is not None:
                keyword = _keyword(value, named)
                if keyword:
                    named[local] = keyword
            case ir.Loop(target=ir.Name(id=local)) if _takes_out(node.body, local):
                yield from _chosen_by(node, local, named)
            case _:
                pass


def _keyword(value: ir.Expr_, named: dict[str, str]) -> str:
    """Returns the keyword that an expression gives: `kwargs.pop("fields", None)`, `set(fields)`; "" for any other."""
    match value:
        case ir.Name(id=name):
            return named.get(name, "")
        case ir.Call(func=ir.Attr(value=ir.Name(), name=method), args=[ir.Const(value=str() as name), *_]) if method in _READS:
            return name
        case ir.Call(func=ir.Name(id=copy), args=[inner]) if copy in _COPIES:
            return _keyword(inner, named)
        case _:
            return ""


def _takes_out(body: list[ir.Stmt], local: str) -> bool:
    """Whether statements take out the field that a variable names: `self.fields.pop(name)`, `del self.fields[name]`."""
    for node in walk(body):
        match node:
            case ir.Call(func=ir.Attr(value=ir.Attr(name="fields"), name="pop"), args=[ir.Name(id=name), *_]) if name == local:
                return True
            case ir.Delete(targets=[ir.Index(value=ir.Attr(name="fields"), index=ir.Name(id=name))]) if name == local:
                return True
            case _:
                pass
    return False


def _chosen_by(loop: ir.Loop, local: str, named: dict[str, str]) -> Iterator[tuple[str, bool]]:
    match loop.iter:
        case ir.Binary(op="-", right=right) if keyword := _keyword(right, named):
            yield keyword, True
            return
        case walked if keyword := _keyword(walked, named):
            yield keyword, False
            return
        case _:
            pass
    for stmt in loop.body:
        match stmt:
            case ir.If(test=ir.Compare(left=ir.Name(id=name), op=("in" | "not in") as op, right=right)) if name == local:
                here = _takes_out(stmt.body, local)
                # `if name in fields: continue`
                passed_over = _takes_out(stmt.orelse, local) or isinstance(stmt.body[-1], ir.Jump)
                if (keyword := _keyword(right, named)) and here is not passed_over:
                    yield keyword, (op == "not in") is here
            case _:
                pass
