"""Which attributes a loop reads of the rows it walks, where that is all that it does with them.

for book in books:
    print(book.title, book.pages)      title, pages
    print(book.summary())              summary; what the method reads is noted by model and name: `self.title`, `self.author_id`
    shelve(book)                       unknown: the row is given away
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo
from ormlint.link.schema import Model
from ormlint.run.frame import Frame
from ormlint.run.log import Loop, QueryObject, Shape, UseKind
from ormlint.run.machine import Machine


def note_loop(m: Machine, f: Frame, stmt: ir.Loop, loop: Loop) -> None:
    """Notes on the use that a loop makes of a query what it reads of the rows, and that it takes but the first of them, or lets go of each."""
    from ormlint.run.holding import holds
    from ormlint.run.sieves import sieve_of

    query = loop.source
    if query is None or stmt.kind == "template":
        return
    site = f.site(stmt.iter.start, stmt.iter.end)
    for use in query.uses:
        if use.kind is UseKind.ITERATE and use.site == site:
            known = m.walks.get(id(stmt))
            if known is None:
                known = m.walks[id(stmt)] = (holds(stmt), _columns(f, stmt, query), sieve_of(stmt))
            use.held = known[0]
            if query.shape is Shape.ROWS:
                if loop.first_only:
                    use.operator = "break"
                _, use.columns, use.sieve = known
                _note_members(m, query.model, use.columns or frozenset())
                use.repeated = m.is_repeated(f, query)


def is_sifted(f: Frame, stmt: ir.Loop, source: QueryObject | None) -> bool:
    """Whether a loop over the rows of a query uses but some of them."""
    site = f.site(stmt.iter.start, stmt.iter.end)
    return source is not None and any(use.sieve for use in source.uses if use.kind is UseKind.ITERATE and use.site == site)


def columns_read(f: Frame, stmt: ir.Loop, source: QueryObject | None) -> frozenset[str] | None:
    """Returns what a loop over the rows of a query was found to read of each; None if it may be all."""
    site = f.site(stmt.iter.start, stmt.iter.end)
    return next((use.columns for use in source.uses if use.kind is UseKind.ITERATE and use.site == site), None) if source is not None else None


def _note_members(m: Machine, model: Model | None, names: frozenset[str]) -> None:
    """Notes what methods and properties of rows read of them, those that are read among these attributes."""
    cls = m.class_of(model) if model is not None else None
    if model is None or cls is None or names <= model.columns.keys():
        return
    known = m.member_reads.setdefault(model, {})
    for name in names - known.keys() - model.columns.keys() - model.relations.keys():
        if cls.method(name) is not None:
            known[name] = _read_by(cls, model, name, frozenset())


def _read_by(cls: ClassInfo, model: Model, name: str, above: frozenset[str]) -> frozenset[str] | None:
    """Returns what a method of a row or those that it calls read of it; None if it may be all."""
    function = cls.method(name)
    if any(name in below.functions for below in _all_below(cls)):
        return None  # the rows may be of those classes
    if function is None or function.module.is_library or function.kind == "class method" or not function.node.params:
        return None
    if function.kind == "static method":
        return frozenset()
    names = _attributes(tuple(function.node.body), function.node.params[0].name, {"super"})
    if names is None:
        return None
    found: set[str] = set()
    for each in names - above - {name}:
        shown = each.removeprefix("get_").removesuffix("_display")
        if each in model.concrete:
            found.add(each)
        elif each == f"get_{shown}_display" and shown in model.columns:
            found.add(shown)
        elif cls.method(each) is not None:
            further = _read_by(cls, model, each, above | {name})
            if further is None:
                return None
            found |= further
        elif each in model.relations or cls.find(each) is None:
            return None
    return frozenset(found)


def _all_below(cls: ClassInfo) -> Iterator[ClassInfo]:
    for below in cls.subclasses:
        yield below
        yield from _all_below(below)


def _row_variable(f: Frame, loop: ir.Loop, query: QueryObject) -> str:
    """Returns the variable that a loop puts the rows of a query into, "" if there is none or it is not certain which."""
    match loop.target, loop.iter:
        case ir.Name(id=name), _:
            return name
        case ir.Seq(items=[_, ir.Name(id=name)]), ir.Call(func=ir.Name(id="enumerate"), args=[_, *_]):
            return name
        case ir.Seq(items=items), ir.Call(func=ir.Name(id="zip"), args=args) if len(items) == len(args):
            own = [item for item, arg in zip(items, args, strict=True) if isinstance(arg, ir.Name) and f.env.get(arg.id) is query]
            return own[0].id if len(own) == 1 and isinstance(own[0], ir.Name) else ""
        case _:
            return ""


def _columns(f: Frame, loop: ir.Loop, query: QueryObject) -> frozenset[str] | None:
    name = _row_variable(f, loop, query)
    if not name:
        return None
    found = _attributes((*loop.body, *loop.orelse), name)
    if found is not None and loop.kind == "for" and (f.function is None or _outlives(f.function.node.body, loop, name)):
        return None
    return found


def _attributes(body: tuple[ir.Stmt, ...], name: str, others: Collection[str] = ()) -> frozenset[str] | None:
    """Returns the attributes that are read of a variable; None if anything else is done with it, or other names are read that may mean it."""
    found: set[str] = set()
    waiting: list[ir.Node] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ir.Attr) and isinstance(node.value, ir.Name) and node.value.id == name:
            found.add(node.name)
            continue
        if (isinstance(node, ir.Name) and (node.id == name or node.id in others)) or _binds(node, name):
            return None
        waiting += parts(node)
    return frozenset(found)


def _binds(node: ir.Node, name: str) -> bool:
    """Whether a node gives the variable another value, or writes to or deletes an attribute of it."""
    match node:
        case ir.Assign() | ir.Delete():
            return any(isinstance(target, ir.Attr) and isinstance(target.value, ir.Name) and target.value.id == name for target in node.targets)
        case ir.Walrus() | ir.Param() | ir.Function() | ir.Class() | ir.Handler():
            return node.name == name
        case ir.Call(func=ir.Name(id="locals" | "vars")):
            return True
        case _:
            return False


def _outlives(body: list[ir.Stmt], loop: ir.Loop, name: str) -> bool:
    """Whether a function names the variable of a loop outside of it and of other loops that set it anew."""
    waiting: list[ir.Node] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ir.Loop) and any(isinstance(target, ir.Name) and target.id == name for target in _targets(node.target)):
            waiting.append(node.iter)
            continue
        if isinstance(node, ir.Name) and node.id == name:
            return True
        waiting += parts(node)
    return False


def _targets(target: ir.Expr_) -> list[ir.Expr_]:
    return target.items if isinstance(target, ir.Seq) else [target]


def parts(node: ir.Node) -> Iterator[ir.Node]:
    """Yields the nodes that a node is directly made of."""
    for field in node.__struct_fields__:
        value = getattr(node, field)
        if isinstance(value, ir.Node):
            yield value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, ir.Node):
                    yield item
                elif isinstance(item, tuple):
                    yield from (part for part in item if isinstance(part, ir.Node))
