"""Recipes: what a query asks for, so that two statements can be proven to ask the same.

    books = Book.objects.filter(shelf=shelf)     ("filter", ("global", "Book"), "shelf", ("name", "shelf", 3))
    shelf = next_shelf()                         assignment 4: from here on `shelf` is another name
    Book.objects.filter(shelf=shelf)             ("filter", …, ("name", "shelf", 4)): another recipe

Two equal expressions mean the same value if no name in them was assigned in between (its number would be another one), no
attribute of that name was, and nothing wrote to the database. Calls are part of a recipe only if they make SQL or are pure.
"""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.library import querysets
from ormlint.library.effects import CHANGING, CLOCK, PURE, RANDOM, SQL, WRITING
from ormlint.link.names import ClassInfo, External, FunctionInfo
from ormlint.run.frame import Frame
from ormlint.run.log import READS, Event, Loop, Op
from ormlint.run.machine import Machine
from ormlint.run.parts import Recipe
from ormlint.run.values import BoundMethod, Closure, Constant, Instance, Mapping, Sequence, Union, Unknown, Value

NO_STEP = frozenset({"all", "get_queryset", "_clone", "_chain", "unique", "scalars", "autoflush", "execution_options"})
"""Methods after which a query asks for the same."""
SAME_ROWS = frozenset({
    "order_by", "reverse", "select_related", "prefetch_related", "only", "defer", "options", "first", "last", "afirst", "alast", "[]",
    "latest", "earliest", "alatest", "aearliest",
})  # fmt: skip
"""Methods that change the order of the rows, what is loaded along with them or how many are taken, but not which they are."""
_RANDOM = "?"  # among the names of a recipe: the database decides anew which rows come first
KEPT = (Op.LAZY_OBJECT, Op.LAZY_COLLECTION, Op.LAZY_COLUMN)

_OWN = frozenset({FunctionInfo, BoundMethod, Closure, Instance, Union, Unknown})  # what may run code of the project

Key = tuple[object, ...]


class _OpaqueError(Exception):
    """An expression of which it is not known that it gives the same again."""


# ---------------------------------------------------------------------------------------------------------- expressions
def recipe_of_expression(m: Machine, f: Frame, node: ir.Node) -> Recipe:
    """Returns the recipe of the query that an expression starts from: a manager, a model, a call of the project."""
    names: set[str] = set()
    try:
        key = _key(m, f, node, names)
    except _OpaqueError:
        return opaque(m)
    return Recipe(key, key, frozenset(names))


def is_repeatable(m: Machine, f: Frame, node: ir.Node) -> bool:
    """Whether an expression gives the same each time, as far as it does not vary with what it is made of; the time of day does."""
    if isinstance(node, ir.Call) and isinstance(node.func, (ir.Attr, ir.Name)):
        name = node.func.name if isinstance(node.func, ir.Attr) else node.func.id
        if name in CLOCK:
            return True
    try:
        _key(m, f, node, set())
    except _OpaqueError:
        return False
    return True


def opaque(m: Machine) -> Recipe:
    """Returns a recipe that is equal to no other."""
    m.recipes += 1
    key = ("made", m.recipes)
    return Recipe(key, key, known=False)


def extended(m: Machine, f: Frame, recipe: Recipe | None, method: str, node: ir.Node) -> Recipe:
    """Returns the recipe of what a method makes of a query; `node` is the call or the subscript."""
    old = recipe or opaque(m)
    method = querysets.canonical(method.removeprefix("super:")) or method
    if method in NO_STEP:
        return old
    names: set[str] = set(old.names)
    if method == "order_by" and isinstance(node, ir.Call) and any(isinstance(arg, ir.Const) and arg.value == "?" for arg in node.args):
        names.add(_RANDOM)
    try:
        args = _arguments(m, f, node, names)
    except _OpaqueError:
        made = opaque(m)
        return Recipe(made.key, old.rows if method in SAME_ROWS else made.rows, frozenset(names & {_RANDOM}), known=False)
    if method == "get":
        method = "filter"
        if not args:
            return old
    step = (method, *args)
    return Recipe((old.key, step), old.rows if method in SAME_ROWS else (old.rows, step), frozenset(names), old.known)


def statement_recipe(m: Machine, f: Frame, style: str, node: ir.Node) -> Recipe:
    """Returns the recipe of a statement that a call begins: `select(…)`, `session.query(…)`."""
    return extended(m, f, Recipe(("statement",), ("statement",)), style, node)


def combined_recipe(left: Recipe | None, right: Recipe | None, op: str) -> Recipe | None:
    """Returns the recipe of `left | right` and the like."""
    if left is None or right is None:
        return None
    return Recipe((op, left.key, right.key), (op, left.rows, right.rows), left.names | right.names, left.known and right.known)


def returned_recipe(m: Machine, f: Frame, node: ir.Node, recipe: Recipe | None) -> Recipe:
    """Returns the recipe of a query that a function of the project gave: the same call gives the same again if the function is told apart by it."""
    if recipe is None or not recipe.known:
        made = opaque(m)
        return Recipe(made.key, made.rows, recipe.names & {_RANDOM} if recipe is not None else frozenset(), known=False)
    names: set[str] = set(recipe.names & {_RANDOM})
    try:
        call = _key(m, f, node.func, names) if isinstance(node, ir.Call) else _key(m, f, node, names)
        args = _arguments(m, f, node, names)
    except _OpaqueError:
        return opaque(m)
    key = ("call", call, args)
    return Recipe((key, recipe.key), (key, recipe.rows), frozenset(names))


def _arguments(m: Machine, f: Frame, node: ir.Node, names: set[str]) -> Key:
    match node:
        case ir.Call():
            keywords = sorted(node.keywords, key=lambda item: item[0])
            return (*(_key(m, f, arg, names) for arg in node.args), *((name, _key(m, f, value, names)) for name, value in keywords))
        case ir.Index():
            return (_key(m, f, node.index, names),)
        case _:
            return ()


def _key(m: Machine, f: Frame, node: ir.Node | None, names: set[str]) -> Key:
    """Returns a key of an expression; raises `_OpaqueError` if it may give something else the next time."""
    match node:
        case None:
            return ()
        case ir.Const() if not node.kind:
            return ("constant", type(node.value), node.value)
        case ir.Name():
            return _name(f, node.id, names)
        case ir.Attr():
            state = f.versions.get(f".{node.name}", 0), f.versions.get(f"*{_root(node)}", 0)
            names |= {f".{node.name}", f"*{_root(node)}"}
            return ("attribute", _key(m, f, node.value, names), node.name, state)
        case ir.Index():
            names.add("[]")
            return ("entry", _key(m, f, node.value, names), _key(m, f, node.index, names), f.versions.get("[]", 0))
        case ir.Slice():
            return ("slice", *(_key(m, f, part, names) for part in (node.lower, node.upper, node.step)))
        case ir.Seq():
            return (node.kind, *(_key(m, f, item, names) for item in node.items))
        case ir.Map():
            return ("map", *(_key(m, f, part, names) for pair in zip(node.keys, node.values, strict=True) for part in pair))
        case ir.Compare() | ir.Binary():
            return (node.op, _key(m, f, node.left, names), _key(m, f, node.right, names))
        case ir.Bool():
            return (node.op, *(_key(m, f, value, names) for value in node.values))
        case ir.Not() | ir.Star() | ir.Await():
            return (type(node).__name__, _key(m, f, node.value, names))
        case ir.Text():
            return ("text", node.start, *(_key(m, f, part, names) for part in node.parts))
        case ir.Call() if _is_pure(m, f, node):
            if _is_random(node):
                names.add(_RANDOM)
            return ("call", _key(m, f, node.func, names), *_arguments(m, f, node, names))
        case _:
            raise _OpaqueError


def _name(f: Frame, name: str, names: set[str]) -> Key:
    if name in f.module.tree.rebound:
        names.add(name)
        return (*_place(f, name, names), f.versions.get(name, 0))
    return _place(f, name, names)


def _place(f: Frame, name: str, names: set[str]) -> Key:
    frame: Frame | None = f
    while frame is not None:
        if name in frame.env:
            if frame is f:
                names.add(name)
            return ("name", id(frame.versions), name, frame.versions.get(name, 0))
        frame = frame.outer
    return ("global", f.module.tree.path, name)


def _root(node: ir.Node) -> str:
    while True:
        match node:
            case ir.Name():
                return node.id
            case ir.Attr() | ir.Index() | ir.Await():
                node = node.value
            case ir.Call():
                node = node.func
            case _:
                return ""


def _is_pure(m: Machine, f: Frame, node: ir.Call) -> bool:
    """Whether a call gives the same for the same arguments: it makes a piece of SQL, or is one of a few builtins."""
    func: ir.Node = node.func
    if isinstance(func, ir.Name) and func.id in PURE and func.id not in f.env:
        return True
    while isinstance(func, (ir.Attr, ir.Call)):
        func = func.value if isinstance(func, ir.Attr) else func.func
    if not isinstance(func, ir.Name):
        return False
    symbol = f.env.get(func.id) or m.global_value(f.module, func.id)
    if isinstance(symbol, External):
        return any(symbol.path == package or symbol.path.startswith(f"{package}.") for package in SQL)
    return isinstance(symbol, ClassInfo) and symbol.model is not None


def _is_random(node: ir.Call) -> bool:
    """Whether a piece of SQL has another value every time: `func.random()`, `text("random()")`."""
    match node:
        case ir.Call(func=ir.Attr(name=name) | ir.Name(id=name)) if name in RANDOM:
            return True
        case ir.Call(func=ir.Attr(name="text") | ir.Name(id="text"), args=[ir.Const(value=str(text)), *_]):
            return any(f"{name}(" in text.lower() for name in RANDOM)
        case _:
            return False


# ---------------------------------------------------------------------------------------------------------------- events
def note_statement(f: Frame, event: Event, recipe: Recipe | None) -> None:
    """Notes on a reading statement which ones before it asked for the same rows."""
    if recipe is None:
        return
    if _RANDOM in recipe.names:
        recipe = Recipe(("random", event.site), recipe.rows, recipe.names, known=False)
    event.recipe = recipe
    event.way = f.way
    if event.op not in READS and event.op not in KEPT:
        return
    known = f.flow.asked.get(recipe.rows, ())
    event.earlier = tuple(other for other in known if other.loops == event.loops)
    f.flow.asked[recipe.rows] = (*known, event)


def end_loop(f: Frame, loop: Loop, first: int, started: tuple[int, int]) -> None:
    """Marks the statements of a loop's body, the events from `first` on, that ask the same and get the same in every round.

    `started` are the numbers of writes and assignments when the loop began. What was certain before it stays so if nothing wrote.
    """
    writes, bindings = started
    if f.writes != writes:
        f.flow.asked.clear()
        return
    changed = {name for name, number in f.versions.items() if number > bindings}
    for event in f.events[first:]:
        recipe = event.recipe
        if recipe is not None and recipe.known and loop in event.loops and not recipe.names & changed:
            event.unchanged |= {loop.id}


def note_call(f: Frame, node: ir.Call, func: Value) -> None:
    """Notes what a call may change: a container, a global, the state of an object, or, if nothing is known of it, the database."""
    if f.module.tree.rebound and type(func) in _OWN:
        for name in f.module.tree.rebound:
            f.note_binding(name)
    if not isinstance(node.func, ir.Attr):
        return
    name, value = node.func.name, node.func.value
    if name in CHANGING and isinstance(value, ir.Name):
        f.note_binding(value.id)
    kind = type(func)
    if kind is not Unknown and kind is not External:
        return
    root = _root(value)
    receiver = f.env.get(root)
    if name in WRITING and not isinstance(receiver, (Constant, Sequence, Mapping)):
        f.note_write()
    elif isinstance(receiver, (Unknown, Instance)) and root:
        f.note_binding(f"*{root}")


__all__ = ["end_loop", "extended", "note_call", "note_statement", "opaque", "recipe_of_expression", "returned_recipe"]
