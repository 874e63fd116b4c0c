"""Classes whose table stands beside their body.

    registry.map_imperatively(Book, books, properties={"author": relationship(Author)})
    mapper(Book, books)                        the same before SQLAlchemy 2.0, where it was called the classical mapping
    class Book(Base): __table__ = books        a declarative class with a table of its own making
Source of the facts: sqlalchemy.orm.registry.map_imperatively, sqlalchemy.orm.mapper (1.3, 1.4), the hybrid declarative mapping.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ormlint.ir import nodes as ir
from ormlint.ir.walk import mentions, walk
from ormlint.link.names import ClassInfo, External, ModuleInfo, Program

CALLS = frozenset({"map_imperatively", "mapper"})
PACKAGES = frozenset({"sqlalchemy", "flask_sqlalchemy"})


@dataclass(slots=True, frozen=True)
class TableCall:
    """`Table("book", metadata, Column(…), …)` and the module in which it stands."""

    call: ir.Call
    module: ModuleInfo

    @property
    def name(self) -> str:
        """What the database calls the table; nothing if that is computed."""
        match self.call.args[:1]:
            case [ir.Const(value=str(name))]:
                return name
            case _:
                return ""

    def columns(self) -> Iterator[tuple[str, ir.Call]]:
        """Yields the columns with the names of the attributes that they become."""
        for item in self.call.args[1:]:
            if isinstance(item, ir.Call) and item.called == "Column":
                match [dict(item.keywords).get("key"), *item.args[:1], dict(item.keywords).get("name")]:
                    case [ir.Const(value=str(name)), *_] | [_, ir.Const(value=str(name)), *_] | [*_, ir.Const(value=str(name))]:
                        yield name, item
                    case _:
                        pass


@dataclass(slots=True, frozen=True)
class Mapping:
    """What a call says of the class that it maps."""

    module: ModuleInfo
    table: TableCall | None
    properties: tuple[tuple[str, ir.Expr_], ...]
    variable: str = ""  # what the program calls the mapper, in whose place relationships may name it

    def columns(self) -> Iterator[tuple[str, ir.Call]]:
        """Yields the columns of the table with the names of the attributes that they become.

        # properties={"key": books.c.id}
        """
        named = {_column_meant(value): name for name, value in self.properties}
        for column, call in self.table.columns() if self.table is not None else ():
            yield named.get(column, column), call

    @property
    def deferred(self) -> frozenset[str]:
        """The attributes that are left out when a row is loaded: `properties={"text": deferred(books.c.text)}`."""
        return frozenset(name for name, value in self.properties if isinstance(value, ir.Call) and value.called == "deferred")


def imperative_mappings(program: Program) -> dict[ClassInfo, Mapping]:
    """Returns the mappings that calls anywhere in the project make, by class."""
    found: dict[ClassInfo, Mapping] = {}
    for module in program.modules.values():
        if module.is_library or not mentions(module.tree, CALLS):
            continue
        variables: dict[int, str] = {}  # by where the call begins
        for node in walk(module.tree.body):
            match node:
                case ir.Assign(targets=[ir.Name(id=variable)], value=ir.Call() as call):
                    variables[call.start] = variable
                case ir.Call(args=[mapped, *rest]) if node.called in CALLS and _maps(program, node, module):
                    cls = program.resolve(mapped, module)
                    if isinstance(cls, ClassInfo) and not cls.module.is_library:
                        keywords = dict(node.keywords)
                        local = rest[0] if rest else keywords.get("local_table")
                        table = table_behind(program, local, module) if local is not None else None
                        if local is not None and table is None:
                            continue  # without its keys it is not known to which side a relationship leads
                        found[cls] = Mapping(module, table, tuple(_properties(keywords.get("properties"))), variables.get(node.start, ""))
                case _:
                    pass
    return found


def table_behind(program: Program, node: ir.Expr_, module: ModuleInfo) -> TableCall | None:
    """Returns the call that makes the table which an expression means, None if it means none that is known."""
    made: tuple[ir.Call, ModuleInfo] | None = None
    match node:
        case ir.Call():
            made = node, module
        case ir.Name(id=name):
            made = program.call_behind(name, module)
        case ir.Attr(value=value, name=name):
            owner = program.resolve(value, module)
            if isinstance(owner, ModuleInfo):
                made = program.call_behind(name, owner)
            elif isinstance(owner, ClassInfo):
                made = _attribute(owner, name)
        case _:
            pass
    if made is None or made[0].called != "Table" or not _is_sqlalchemy(program, made[0].func, made[1]):
        return None
    return TableCall(*made)


def _column_meant(node: ir.Expr_) -> str:
    """Returns the name of the column that a property stands for: `books.c.id`, `deferred(books.c.id)`; nothing if it stands for none."""
    match node:
        case ir.Call(args=[inner, *_]):
            return _column_meant(inner)
        case ir.Attr(value=ir.Attr(name="c" | "columns"), name=name):
            return name
        case _:
            return ""


def _attribute(cls: ClassInfo, name: str) -> tuple[ir.Call, ModuleInfo] | None:
    """Returns the call whose result a class has as an attribute, from its body or from the module behind it: `Book.table = Table(…)`."""
    found = cls.find(name)
    if found is not None:
        stmt = found[1][-1]
        return (stmt.value, found[0].module) if isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Call) else None
    for stmt in cls.module.tree.body:
        match stmt:
            case ir.Assign(targets=[ir.Attr(value=ir.Name(id=owner), name=attribute)], value=ir.Call() as call):
                if owner == cls.name and attribute == name:
                    return call, cls.module
            case _:
                pass
    return None


def _maps(program: Program, call: ir.Call, module: ModuleInfo) -> bool:
    return call.called == "map_imperatively" or _is_sqlalchemy(program, call.func, module)


def _is_sqlalchemy(program: Program, func: ir.Expr_, module: ModuleInfo) -> bool:
    symbol = program.resolve(func, module)
    return isinstance(symbol, External) and symbol.package in PACKAGES


def _properties(node: ir.Expr_ | None) -> Iterator[tuple[str, ir.Expr_]]:
    match node:
        case ir.Map():
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ir.Const) and isinstance(key.value, str):
                    yield key.value, value
        case ir.Call(func=ir.Name(id="dict")):
            yield from ((name, value) for name, value in node.keywords if name)
        case _:
            pass


__all__ = ["Mapping", "TableCall", "imperative_mappings", "table_behind"]
