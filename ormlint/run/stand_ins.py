"""Objects of the project that stand for others, or hold them.

class Reader:                                          `reader.loans` is `reader.row.loans`
    def __getattr__(self, name): return getattr(self.row, name)
class Shelf:                                           `shelf[key]` is what the method returns
    def __getitem__(self, key): …
class Readers(dict):                                   what any method puts into such a dict is what it holds; which of them a key
    def add(self, row): self[row.id] = Reader(row)     gives is not known, nor where the rows in it came from
"""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.link.names import ClassInfo, FunctionInfo
from ormlint.link.schema import Orm
from ormlint.run.evaluate import evaluate
from ormlint.run.frame import Frame
from ormlint.run.machine import Machine
from ormlint.run.subscripts import entry
from ormlint.run.values import NONE, UNKNOWN, Instance, Mapping, Method, Row, Union, Unknown, Value, deps_of, options, varying

DICTS = frozenset({"builtins.dict", "collections.OrderedDict", "collections.defaultdict", "collections.UserDict"})
MAX_CLASSES = 4  # of the objects in a dict; of one that holds more nothing is known
_OF_DICTS = frozenset({"get", "pop", "setdefault", "items", "keys", "values", "copy"})


def is_dict(cls: ClassInfo) -> bool:
    """Whether the objects of a class are dicts."""
    return any(external.path in DICTS for external in cls.externals)


def handed_on(m: Machine, f: Frame, node: ir.Node, value: Instance, name: str) -> Value | None:
    """Returns the attribute of the object that `__getattr__` asks for what an object lacks itself, or None if there is no such object."""
    from ormlint.run.attributes import attribute
    from ormlint.run.calls import replace_frame

    function = value.cls.method("__getattr__")
    if function is None or function.module.is_library or name.startswith("__"):
        return None
    target = _asked(m, function)
    if target is None:
        return None
    first = function.node.params[0].name
    if isinstance(target, ir.Attr) and isinstance(target.value, ir.Name) and target.value.id == first and target.name == name:
        return None  # `__init__` has not set it
    home = Frame(function.module, f.qualname, function, function.owner, depth=f.depth)
    owner = evaluate(m, replace_frame(f, home, {first: value}), target)
    if owner is value:
        return None
    there = tuple(option for option in options(owner) if option != NONE)
    found = attribute(m, f, node, there[0] if len(there) == 1 else owner, name)
    return found if not isinstance(found, Unknown) else None


def _asked(m: Machine, function: FunctionInfo) -> ir.Expr_ | None:
    """Returns the expression whose attribute of the same name a `__getattr__` returns: `self.row` in `return getattr(self.row, name)`."""
    if id(function) not in m.keeping.handed_on_to:
        m.keeping.handed_on_to[id(function)] = _find_asked(function)
    return m.keeping.handed_on_to[id(function)]


def _find_asked(function: FunctionInfo) -> ir.Expr_ | None:
    if len(function.node.params) != 2:
        return None
    name = function.node.params[1].name
    found: list[ir.Expr_] = []
    for stmt in walk(function.node.body):
        match stmt:
            case ir.Return(value=ir.Call(func=ir.Name(id="getattr"), args=[target, ir.Name(id=asked), *_])) if asked == name:
                found.append(target)
            case _:
                pass
    return found[0] if len(found) == 1 else None


# -------------------------------------------------------------------------------------------------------------- dicts
def item_of(m: Machine, f: Frame, node: ir.Index, value: Instance, index: Value) -> Value:
    """Returns what `value[index]` is."""
    from ormlint.run.calls import call_function

    getter = value.cls.method("__getitem__")
    found: Value = UNKNOWN
    if getter is not None and not getter.module.is_library:
        found = call_function(m, f, node, getter, [value, index], {})
    row = _row_of_key(f, node.index)
    wrapped = m.keeping.wrappers.get((id(value.cls), row.model)) if row is not None else None
    if wrapped is not None and row is not None:
        cls, name = wrapped
        return _around(m, f, cls, name, row)
    if isinstance(found, Unknown) and is_dict(value.cls):
        found = entry(f, _held(m, value.cls), index)
    return found if not isinstance(found, Unknown) else varying((value, index))


def _row_of_key(f: Frame, key: ir.Expr_) -> Row | None:
    """Returns the row of SQLAlchemy of which an expression is the primary key: `reader` for `reader.id`. Its session has one object for it."""
    row = f.env.get(key.value.id) if isinstance(key, ir.Attr) and isinstance(key.value, ir.Name) else None
    if isinstance(row, Row) and isinstance(key, ir.Attr) and row.model.orm is Orm.SQLALCHEMY and row.model.is_primary_key(key.name):
        return row
    return None


def _around(m: Machine, f: Frame, cls: ClassInfo, name: str, row: Row) -> Instance:
    """Returns an object of a class that wraps a row."""
    from ormlint.run.calls import initialise

    made = Instance(cls, deps=deps_of(row))
    initialise(m, f, made)
    made.attributes[name] = row
    return made


def put_item(m: Machine, f: Frame, target: ir.Index, value: Instance, item: Value) -> None:
    """Notes that something is put into a dict of the project's own class: `self[reader.id] = Person(reader)`."""
    if is_dict(value.cls):
        row = _row_of_key(f, target.index)
        if row is not None and isinstance(item, Instance):
            held = [name for name, each in item.attributes.items() if isinstance(each, Row) and each.model is row.model]
            if len(held) == 1:
                m.keeping.wrappers[id(value.cls), row.model] = item.cls, held[0]
        known = m.keeping.items.setdefault(id(value.cls), [])
        for option in options(item):
            plain = _without_origin(option)
            if all(_kind(plain) is not _kind(other) for other in known):
                known.append(plain)


def dict_member(m: Machine, value: Instance, name: str) -> Value | None:
    """Returns a method that an object has from `dict`, or None if it has none of that name."""
    if not is_dict(value.cls):
        return None
    name = "get" if name == "__getitem__" else name
    return Method(Mapping(element=_held(m, value.cls)), name) if name in _OF_DICTS else None


def _held(m: Machine, cls: ClassInfo) -> Value:
    items = m.keeping.items.get(id(cls), [])
    if not 0 < len(items) <= MAX_CLASSES or any(isinstance(item, Unknown) for item in items):
        return UNKNOWN
    return items[0] if len(items) == 1 else Union(tuple(items))


def _without_origin(item: Value) -> Value:
    """Returns what is still known of a value when somebody else finds it in a dict: its class."""
    match item:
        case Instance():
            return Instance(item.cls)
        case Row():
            return Row(item.model, item.cls)
        case _:
            return UNKNOWN


def _kind(item: Value) -> object:
    return item.cls if isinstance(item, Instance) else item.model if isinstance(item, Row) else None


__all__ = ["dict_member", "handed_on", "is_dict", "item_of", "put_item"]
