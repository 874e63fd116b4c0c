"""Reads the indexes of SQLAlchemy tables, wherever they are declared.

A column may ask for one (`index=True`, `unique=True`, `primary_key=True`), `__table_args__` may list some, an `Index(…)` may stand
beside the class, and a migration of Alembic may create or drop one. Names of columns are those of the attributes.
Source of the facts: sqlalchemy.schema (1.4 to 2.1) and alembic.op; on PostgreSQL and SQLite a foreign key makes no index.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.link.imperative import Mapping, table_behind
from ormlint.link.names import ClassInfo, External, ModuleInfo, Program
from ormlint.link.schema import Column, Index, Model, Schema, Table

INDEXES = frozenset({"Index", "UniqueConstraint", "PrimaryKeyConstraint"})
KINDS = {"Index": "index", "UniqueConstraint": "unique constraint", "PrimaryKeyConstraint": "primary key"}
NO_INDEXES = frozenset({"CheckConstraint", "ForeignKeyConstraint", "ExcludeConstraint", "DDL", "Comment", "Computed"})
CONDITIONS = ("where", "using", "ops", "collation", "filtered")
STATEMENT = re.compile(
    r"create\s+(?:unique\s+)?index\s+.*?\bon\s+(?:only\s+)?[\"`]?(?:\w+\.)?(\w+)[\"`]?\s*(?:using\s+\w+\s*)?\(([^)]*)",
    re.IGNORECASE | re.DOTALL,
)  # the table and its columns
DEEPEST = 2
"""How many loops and functions of a migration are seen through."""
Owner = Model | Table


class SqlalchemyIndexes:
    """Adds the indexes of SQLAlchemy's models, and the tables that no class stands for, to a schema."""

    def __init__(self, program: Program, schema: Schema) -> None:
        self.program = program
        self.schema = schema
        self._mappings: dict[ClassInfo, Mapping] = {}

    def build(self, classes: list[ClassInfo], mappings: dict[ClassInfo, Mapping]) -> None:
        """Collects the indexes of mapped classes, which have their columns already, then those declared elsewhere."""
        self._mappings = mappings
        for cls in sorted(classes, key=lambda c: len(c.mro)):
            assert cls.model is not None
            self._of_class(cls, cls.model)
        by_table: dict[str, list[Owner]] = {}
        for cls in classes:
            if cls.model is not None and not cls.model.abstract:
                by_table.setdefault(_plain(cls.model.table), []).append(cls.model)
        for table in self.schema.tables.values():
            by_table.setdefault(_plain(table.name), []).append(table)
        for module in self.program.modules.values():
            if self._is_migration(module):
                self._of_migration(module, by_table)
            else:
                self._beside_classes(module, by_table)

    # ---------------------------------------------------------------------------------------------- classes
    def _of_class(self, cls: ClassInfo, model: Model) -> None:
        inherited = [c.model for c in cls.mro[1:] if c.model is not None and not c.model.abstract and c.model.columns]
        lent = {column.site for base in inherited for column in base.columns.values()}
        model.indexes += of_columns({name: column for name, column in model.columns.items() if column.site not in lent})
        for base in inherited:
            model.indexes += [index for index in base.indexes if index not in model.indexes]
            model.indexes_known &= base.indexes_known
        declared = cls.find("__table_args__")
        if declared is not None:
            self._of_arguments(declared[0], model)
        for ancestor in cls.mro:
            table = self._mappings[ancestor].table if ancestor in self._mappings else None
            if table is not None:
                declare(model, table.call.args[1:], table.module)
        groups = (index.columns for index in model.indexes if index.unique and not index.partial and index.kind != "primary key")
        model.unique_together += [frozenset(group) for group in groups if "" not in group]

    def _of_arguments(self, cls: ClassInfo, owner: Owner, depth: int = 0) -> None:
        """Adds what `__table_args__` of a class declares; what cannot be read makes the indexes of the owner not known."""
        stmt = cls.bindings["__table_args__"][-1]
        value = stmt.value if isinstance(stmt, ir.Assign) else None
        if isinstance(stmt, ir.Function):
            value = next((s.value for s in reversed(stmt.body) if isinstance(s, ir.Return)), None)
        self._of_value(value, cls, owner, depth)

    def _of_value(self, value: ir.Expr_ | None, cls: ClassInfo, owner: Owner, depth: int) -> None:
        match value:
            case ir.Seq():
                for item in value.items:
                    self._of_value(item.value if isinstance(item, ir.Star) else item, cls, owner, depth)
            case ir.Binary(op="+", left=left, right=right):
                self._of_value(left, cls, owner, depth)
                self._of_value(right, cls, owner, depth)
            case ir.Map():
                pass
            case ir.Attr(name="__table_args__") if depth < 5:
                base = self.program.resolve(value.value, cls.module, cls)
                found = base.find("__table_args__") if isinstance(base, ClassInfo) else None
                if found is not None:
                    self._of_arguments(found[0], owner, depth + 1)
                else:
                    owner.indexes_known = False
            case ir.Call():
                index = index_of(value, owner, cls.module)
                if index is not None:
                    add(owner, index)
                elif value.called not in NO_INDEXES:
                    owner.indexes_known = False
            case _:
                owner.indexes_known = False

    # ----------------------------------------------------------------------------------- beside the classes
    def _beside_classes(self, module: ModuleInfo, by_table: dict[str, list[Owner]]) -> None:
        """Adds `Index("name", Book.author_id)` that stands behind the class."""
        for stmt in module.tree.body:
            value = stmt.value if isinstance(stmt, (ir.Expr, ir.Assign)) else None
            if not isinstance(value, ir.Call) or value.called != "Index" or not self._is_sqlalchemy(value.func, module):
                continue
            for argument in value.args[1:]:
                owner = self._owner_of(argument, module, by_table)
                found = index_of(value, owner, module) if owner is not None else None
                if owner is not None and found is not None:
                    add(owner, found)
                    break

    def _owner_of(self, node: ir.Expr_, module: ModuleInfo, by_table: dict[str, list[Owner]]) -> Owner | None:
        while isinstance(node, ir.Call):
            node = node.func.value if isinstance(node.func, ir.Attr) and not node.args else node.args[0] if node.args else ir.Const(0, 0, None)
        if not isinstance(node, ir.Attr):
            return None
        holder = node.value
        if isinstance(holder, ir.Attr) and holder.name in ("c", "columns"):
            holder = holder.value
            meant = table_behind(self.program, holder, module)
            owners = by_table.get(_plain(meant.name), ()) if meant is not None else ()
            return next(iter(owners), None)
        symbol = self.program.resolve(holder, module)
        return symbol.model if isinstance(symbol, ClassInfo) else None

    def _is_sqlalchemy(self, func: ir.Expr_, module: ModuleInfo) -> bool:
        symbol = self.program.resolve(func, module)
        return isinstance(symbol, External) and symbol.package in ("sqlalchemy", "flask_sqlalchemy", "sqlmodel")

    # ------------------------------------------------------------------------------------------- migrations
    def _is_migration(self, module: ModuleInfo) -> bool:
        if "op" not in module.bindings:
            return False
        symbol = self.program.resolve(ir.Name(0, 0, "op"), module)
        return isinstance(symbol, External) and symbol.package == "alembic"

    def _of_migration(self, module: ModuleInfo, by_table: dict[str, list[Owner]]) -> None:
        """Adds the indexes that the upgrade creates. One that another migration drops still counts: what is unsure is not reported."""
        for name, function in module.functions.items():
            if name.startswith("downgrade"):
                continue
            batches = list(_batches(function.node.body))
            for call in _calls(module, function.node.body, {}):
                if call.called == "create_table":
                    for owner in (owner for table in _texts(call.args[:1]) for owner in by_table.get(_plain(table), ())):
                        owner.migrated = True
                for table, columns, called in _created(call, batches):
                    for owner in by_table.get(_plain(table), ()):
                        names = tuple(_attribute(owner.columns, column) for column in columns)
                        add(owner, Index(names, module.site(call), "migration", name=called))


def of_columns(columns: dict[str, Column]) -> Iterator[Index]:
    """Yields the indexes that the columns of one table ask for themselves."""
    primary = tuple(column.name for column in columns.values() if column.primary_key)
    if primary:
        yield Index(primary, columns[primary[0]].site, "primary key", unique=True)
    for column in columns.values():
        if column.unique and not column.primary_key:
            yield Index((column.name,), column.site, "index" if column.asks_for_index else "unique constraint", unique=True)
        elif column.asks_for_index:
            yield Index((column.name,), column.site)


def index_of(call: ir.Call, owner: Owner, module: ModuleInfo) -> Index | None:
    """Returns what `Index(…)`, `UniqueConstraint(…)` or `PrimaryKeyConstraint(…)` declares for a table; None for other calls."""
    kind = call.called
    if kind not in INDEXES:
        return None
    arguments = call.args[1:] if kind == "Index" else call.args
    columns = tuple(_column(argument, owner.columns) for argument in arguments if not isinstance(argument, ir.Star))
    conditional = any(word in key for key, _ in call.keywords for word in CONDITIONS)
    unique = kind != "Index" or any(k == "unique" and isinstance(v, ir.Const) and v.value is True for k, v in call.keywords)
    odd = conditional or "" in columns or len(columns) != len(arguments) or any(isinstance(a, ir.Call) for a in arguments)
    name = call.args[0].value if kind == "Index" and call.args and isinstance(call.args[0], ir.Const) else None
    covering = any("include" in key for key, _ in call.keywords)
    condition = frozenset().union(*(_named(value, owner.columns) for key, value in call.keywords if "where" in key))
    return Index(columns, module.site(call), KINDS[kind], unique, odd, name if isinstance(name, str) else "", covering, condition)


def _named(condition: ir.Expr_, columns: dict[str, Column]) -> frozenset[str]:
    """Returns the attributes that the condition of an index names: `text("state = 'open'")`, `Job.state == "open"`; "?" for other ones."""
    nodes = list(walk(condition))
    texts = " ".join(node.value for node in nodes if isinstance(node, ir.Const) and isinstance(node.value, str))
    words = {
        *re.findall(r"\w+", texts),
        *(node.name for node in nodes if isinstance(node, ir.Attr)),
        *(node.id for node in nodes if isinstance(node, ir.Name)),
    }
    found = frozenset(name for name, column in columns.items() if not words.isdisjoint((name, column.stored_as)))
    return found or frozenset("?")


def add(owner: Owner, index: Index) -> None:
    """Adds an index; a composite primary key that is spelled out takes the place of the one that the columns make."""
    if index.kind == "primary key":
        owner.indexes = [old for old in owner.indexes if old.kind != "primary key"]
    if index not in owner.indexes:
        owner.indexes.append(index)


def table_of(call: ir.Call, variable: str, module: ModuleInfo) -> Table | None:
    """Returns an empty table for `Table("name", metadata, …)`, or None if its name is not constant."""
    name = call.args[0] if call.args else None
    if not isinstance(name, ir.Const) or not isinstance(name.value, str):
        return None
    return Table(name.value, module.site(call), variable)


def fill(table: Table, arguments: list[ir.Expr_], module: ModuleInfo) -> None:
    """Adds the indexes of a table whose columns are known; `arguments` are those of `Table(…)`."""
    table.indexes += of_columns(table.columns)
    declare(table, arguments, module)


def declare(owner: Owner, arguments: list[ir.Expr_], module: ModuleInfo) -> None:
    """Adds the indexes that stand among the arguments of `Table(…)`."""
    for item in arguments:
        found = index_of(item, owner, module) if isinstance(item, ir.Call) else None
        if found is not None:
            add(owner, found)
        elif isinstance(item, ir.Star):
            owner.indexes_known = False


def _column(node: ir.Expr_, columns: dict[str, Column]) -> str:
    """Returns the attribute that an argument of `Index(…)` means: "name", Book.name, name.desc(); "" for another expression."""
    match node:
        case ir.Const(value=str() as name):
            return _attribute(columns, name)
        case ir.Name(id=name):
            return name if name in columns else _attribute(columns, name)
        case ir.Attr(name=name):
            return name if name in columns else _attribute(columns, name)
        case ir.Call(func=ir.Attr(value=value, name="desc" | "asc" | "nulls_last" | "nulls_first" | "nullslast" | "nullsfirst"), args=[]):
            return _column(value, columns)
        case ir.Call(func=ir.Attr(name="desc" | "asc") | ir.Name(id="desc" | "asc"), args=[value]):
            return _column(value, columns)
        case _:
            return ""


def _attribute(columns: dict[str, Column], name: str) -> str:
    """Returns the attribute of the column that is called so in the database."""
    return next((column.name for column in columns.values() if column.stored_as == name), name)


def _plain(table: str) -> str:
    return table.rpartition(".")[2].replace("_", "").lower().rstrip("s")


class Batch(NamedTuple):
    """`with op.batch_alter_table("book") as batch:`, which stands from `start` to `end`."""

    variable: str
    table: str
    start: int
    end: int


def _batches(body: list[ir.Stmt]) -> Iterator[Batch]:
    """Yields the blocks that alter one table each; those of different tables may call it the same."""
    for stmt in body:
        if isinstance(stmt, ir.With):
            for value, target in stmt.items:
                if isinstance(value, ir.Call) and value.called == "batch_alter_table" and isinstance(target, ir.Name):
                    for table in _texts(value.args[:1]):
                        yield Batch(target.id, table, stmt.start, stmt.end)
        for inner in ("body", "orelse", "final"):
            yield from _batches(getattr(stmt, inner, None) or [])


def _calls(module: ModuleInfo, body: list[ir.Stmt], names: dict[str, ir.Expr_], depth: int = 0) -> Iterator[ir.Call]:
    """Yields the calls in a migration, those of a loop over a constant list and of a function of the file with what their names stand for.

    for name, table, column in INDEXES: op.create_index(name, table, [column])        create_if_missing("ix_book_shelf", "book", ["shelf_id"])
    """
    for node in walk(body):
        if isinstance(node, ir.Loop) and depth < DEEPEST:
            for row in _listed(module, node.iter):
                yield from _calls(module, node.body, {**names, **_bound(node.target, row)}, depth + 1)
        elif isinstance(node, ir.Call):
            call = _with(node, names)
            yield call
            helper = module.functions.get(call.called) if isinstance(call.func, ir.Name) else None
            if helper is not None and depth < DEEPEST:
                given = dict(zip((param.name for param in helper.node.params), call.args, strict=False))
                yield from _calls(module, helper.node.body, {**given, **dict(call.keywords)}, depth + 1)


def _listed(module: ModuleInfo, node: ir.Expr_) -> list[ir.Expr_]:
    if isinstance(node, ir.Name) and node.id in module.bindings:
        stmt = module.bindings[node.id][-1]
        node = stmt.value if isinstance(stmt, ir.Assign) and stmt.value is not None else node
    return node.items if isinstance(node, ir.Seq) else []


def _bound(target: ir.Expr_, row: ir.Expr_) -> dict[str, ir.Expr_]:
    if isinstance(target, ir.Name):
        return {target.id: row}
    if isinstance(target, ir.Seq) and isinstance(row, ir.Seq):
        return {name.id: value for name, value in zip(target.items, row.items, strict=False) if isinstance(name, ir.Name)}
    return {}


def _with(call: ir.Call, names: dict[str, ir.Expr_]) -> ir.Call:
    """Returns a call with its names replaced by what they stand for."""

    def put(node: ir.Expr_) -> ir.Expr_:
        if isinstance(node, ir.Name):
            return names.get(node.id, node)
        return ir.Seq(node.start, node.end, node.kind, [put(item) for item in node.items]) if isinstance(node, ir.Seq) else node

    if not names:
        return call
    return ir.Call(call.start, call.end, call.func, [put(arg) for arg in call.args], [(key, put(value)) for key, value in call.keywords])


def _created(call: ir.Call, batches: list[Batch]) -> Iterator[tuple[str, list[str], str]]:
    """Yields table, columns and name of each index that one call in a migration creates, "" for a name that it does not say."""
    name, receiver = call.called, call.func.value if isinstance(call.func, ir.Attr) else None
    given = dict(call.keywords)
    if name in ("create_index", "create_unique_constraint", "create_primary_key"):
        arguments = list(call.args[1:])
        batch = next(
            (batch for batch in batches if isinstance(receiver, ir.Name) and batch.variable == receiver.id and batch.start <= call.start < batch.end),
            None,
        )
        table = [batch.table] if batch is not None else _texts(arguments[:1] or [given["table_name"]] if arguments or "table_name" in given else [])
        rest = arguments if batch is not None else arguments[1:]
        columns = rest[0] if rest else given.get("columns")
        if table and isinstance(columns, ir.Seq):
            called = call.args[0] if call.args else given.get("index_name") or given.get("constraint_name")
            called = called.args[0] if isinstance(called, ir.Call) and called.args else called  # op.f("ix_book_title")
            texts = [item.value if isinstance(item, ir.Const) and isinstance(item.value, str) else "" for item in columns.items]
            yield table[0], texts, next(iter(_texts([called] if called is not None else [])), "")
    elif name == "create_table":
        for table_name in _texts(call.args[:1]):
            parts = (part for part in call.args[1:] if isinstance(part, ir.Call))
            yield from ((table_name, covered, "") for part in parts if (covered := _created_with(part)))
    elif name in ("execute", "text"):
        for text in _texts(call.args[:1]):
            for found in STATEMENT.finditer(text):
                yield found[1], [column.split()[0].strip('"`') for column in found[2].split(",") if column.split()], ""


def _created_with(part: ir.Call) -> list[str]:
    """Returns the columns of the index that a part of `op.create_table(…)` brings along, none if it brings none."""
    match part.called:
        case "UniqueConstraint":
            return _texts(part.args)
        case "Index":
            return _texts(part.args[1:])
        case "Column":
            given = dict(part.keywords)
            indexed = any(isinstance(value := given.get(name), ir.Const) and value.value is True for name in ("index", "unique"))
            return _texts(part.args[:1]) if indexed else []
        case _:
            return []


def _texts(nodes: list[ir.Expr_]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ir.Const) and isinstance(node.value, str)]
