"""Reads SQLAlchemy models from the linked classes.

A class is mapped when its ancestry leads to a declarative base, however the base was made: `declarative_base()`,
`DeclarativeBase`, `registry().generate_base()`, `db.Model` of Flask-SQLAlchemy, `SQLModel` with `table=True`; and where a call
maps it. Where the base lies out of sight, a class with `__tablename__` and mapped attributes is taken as one.
Source of the facts: sqlalchemy.orm (1.4 to 2.1), flask_sqlalchemy, sqlmodel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.link.imperative import Mapping, imperative_mappings, table_behind
from ormlint.link.later_attributes import Later, later_attributes
from ormlint.link.names import ClassInfo, External, ModuleInfo, Program, decorator_name, shared_folders
from ormlint.link.schema import Column, Kind, Model, Orm, Relation, Schema
from ormlint.link.sqlalchemy_indexes import SqlalchemyIndexes, fill, table_of

BASE_NAMES = frozenset({
    "DeclarativeBase", "DeclarativeBaseNoMeta", "declarative_base", "generate_base", "automap_base", "SQLModel", "as_declarative_base",
})  # fmt: skip
ABSENT_BASES = ("Base", "Model")
PLAIN_BASES = frozenset({"object", "ABC", "Generic", "Protocol"})
COLUMN_NAMES = frozenset({"Column", "mapped_column", "Field", "deferred", "column_property", "query_expression"})
RELATIONSHIP_NAMES = frozenset({"relationship", "relation", "Relationship", "dynamic_loader"})
WRAPPERS = frozenset({"Mapped", "Optional", "Union", "DynamicMapped", "WriteOnlyMapped", "None", "Annotated", "ClassVar", "typing", "t"})
COLLECTIONS = frozenset({"list", "List", "set", "Set", "Sequence", "Collection", "InstrumentedList", "DynamicMapped", "WriteOnlyMapped", "Iterable"})
MAPPINGS = frozenset({"dict", "Dict"})
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_EQUATION = re.compile(r"[\w.]+\s*==\s*[\w.]+")
_SORTED = re.compile(r"(?:\w+\.)*(?!(?:asc|desc)\b)(\w+)(?:\.(?:asc|desc)\(\))?")


class SqlalchemyModels:
    """Adds all SQLAlchemy models of a program to a schema."""

    def __init__(self, program: Program, schema: Schema) -> None:
        self.program = program
        self.schema = schema
        self.by_name: dict[str, list[tuple[ClassInfo, Model]]] = {}
        self.by_table: dict[str, list[Model]] = {}
        self._named_partners: dict[Relation, str] = {}
        self._collections: set[Relation] = set()  # those that are annotated as such
        self._later: Later = {}
        self._mappings: dict[ClassInfo, Mapping] = {}
        self._called: frozenset[ClassInfo] = frozenset()  # those that a call maps, whatever they derive from
        self._named_elsewhere: set[Model] = set()  # the base that names their tables is not among the files
        self.keys: dict[Model, list[tuple[str, str]]] = {}  # foreign key columns of a model: (column, table or class)

    def build(self) -> None:
        """Finds the models, then their columns, then their relationships with backrefs and partners."""
        self._later = later_attributes(self.program)
        self._mappings = imperative_mappings(self.program)
        self._called = frozenset(self._mappings)
        found = [c for c in self.program.classes if c.model is None and self.is_model(c)]
        for cls in found:
            self._declare(cls)
        for cls in found:
            self._columns(cls)
        for cls in sorted(found, key=lambda c: len(c.mro)):
            self._relations(cls)
        for cls in found:
            assert cls.model is not None
            self._partners(cls.model)
        for module in self.program.modules.values():
            self._tables(module)
        SqlalchemyIndexes(self.program, self.schema).build(found, self._mappings)

    # ----------------------------------------------------------------------------------------------- models
    def is_model(self, cls: ClassInfo) -> bool:
        """Whether a class is mapped, or abstract between a declarative base and mapped classes."""
        if cls.module.is_library:
            return False
        if cls in self._called:
            return True
        for external in cls.externals:
            if external.name == "SQLModel":
                return any(k == "table" and isinstance(v, ir.Const) and v.value is True for c in cls.mro for k, v in c.node.keywords)
            if external.name in BASE_NAMES and len(cls.mro) >= 1:
                return self._is_mapped(cls)
            if external.name == "Model" and ("SQLAlchemy()" in external.path or "flask_appbuilder" in external.path):
                return True
        if any(decorator_name(d) in ("as_declarative", "mapped", "mapped_as_dataclass") for c in cls.mro for d in c.node.decorators):
            return self._is_mapped(cls)
        if self._table(cls) is not None:
            return any(True for c in cls.mro for _ in self._mapped(c))
        return any(e.name.endswith(ABSENT_BASES) for e in cls.externals) and self._has_key_or_relationship(cls)

    def _has_key_or_relationship(self, cls: ClassInfo) -> bool:
        """Whether a class below a base that is not among the files, which may name its table, has what only a mapped class has."""
        return any(
            kind == "relationship"
            or (call is not None and any(identifiers(arg)[-1:] == ["ForeignKey"] for arg in call.args if isinstance(arg, ir.Call)))
            for _, _, call, kind, _ in self._mapped(cls)
        )

    def _is_mapped(self, cls: ClassInfo) -> bool:
        return self._table(cls) is not None or any(self._mapped(cls))

    def _only_lends(self, cls: ClassInfo) -> bool:
        """Whether a class is a mixin, which names a table and has columns only for the mapped classes below it: nothing maps it."""
        return not self._called.intersection(cls.mro) and all(
            not c.node.decorators
            and not c.node.keywords
            and "__table__" not in c.bindings
            and all(isinstance(base, ClassInfo) or (isinstance(base, External) and base.name in PLAIN_BASES) for base in c.bases)
            for c in cls.mro
        )

    def _mapping(self, cls: ClassInfo) -> Mapping | None:
        """Returns the mapping of a class whose table stands beside its body, None if the body says what its columns are."""
        if cls not in self._mappings and "__table__" in cls.bindings:
            stmt = cls.bindings["__table__"][-1]
            value = stmt.value if isinstance(stmt, ir.Assign) else None
            table = table_behind(self.program, value, cls.module) if value is not None else None
            self._mappings[cls] = Mapping(cls.module, table, ())
        return self._mappings.get(cls)

    def _table(self, cls: ClassInfo) -> str | None:
        for ancestor in cls.mro:
            mapping = self._mapping(ancestor)
            if mapping is not None and (mapping.table is not None or ancestor is cls):
                return (mapping.table.name if mapping.table is not None else "") or cls.name.lower()
            for stmt in ancestor.bindings.get("__tablename__", ()):
                value = returned(stmt) if isinstance(stmt, ir.Function) else stmt.value if isinstance(stmt, ir.Assign) else None
                return _constant_text(value) or cls.name.lower()
        return None

    def _declare(self, cls: ClassInfo) -> None:
        label = f"{cls.module.name}.{cls.qualname}"
        number = 2
        while label in self.schema.models:
            label = f"{cls.module.name}.{cls.qualname}@{number}"
            number += 1
        abstract = any(
            isinstance(s, ir.Assign) and isinstance(s.value, ir.Const) and s.value.value is True for s in cls.bindings.get("__abstract__", ())
        ) or self._only_lends(cls)  # fmt: skip
        model = Model(cls.name, label, Orm.SQLALCHEMY, cls.site, abstract=abstract)
        model.bases = tuple(c.model for c in cls.mro[1:] if c.model is not None)
        if self._table(cls) is None and any(e.name.endswith(ABSENT_BASES) and e.name not in BASE_NAMES and e.name != "Model" for e in cls.externals):
            self._named_elsewhere.add(model)
        model.table = self._table(cls) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.name).lower()
        self.schema.models[label] = model
        cls.model = model
        self.by_name.setdefault(cls.name, []).append((cls, model))
        if not abstract:
            self.by_table.setdefault(model.table, []).append(model)

    # ---------------------------------------------------------------------------------------------- columns
    def _mapped(self, cls: ClassInfo) -> Iterator[tuple[str, ir.Stmt, ir.Call | None, str, ClassInfo]]:
        """Yields name, statement, call and kind (column or relationship) of the mapped attributes of one class body, and where they stand."""
        mapping = self._mapping(cls)
        for name, stmts in cls.bindings.items():
            stmt = stmts[-1]
            if isinstance(stmt, ir.Function) and any(decorator_name(d) == "declared_attr" for d in stmt.decorators):
                value = returned(stmt)
                if isinstance(value, ir.Call):
                    kind = self._call_kind(value, cls)
                    if kind:
                        yield name, stmt, value, kind, cls
            elif isinstance(stmt, ir.Assign) and not stmt.op:
                if isinstance(stmt.value, ir.Call):
                    kind = self._call_kind(stmt.value, cls)
                    if kind:
                        yield name, stmt, stmt.value, kind, cls
                elif mapping is None and stmt.annotation is not None and stmt.value is None and "Mapped" in identifiers(stmt.annotation)[:3]:
                    yield name, stmt, None, "column", cls
        for name, assignment in self._later.get(cls, ()):
            if isinstance(assignment.value, ir.Call) and (kind := self._call_kind(assignment.value, cls)):
                yield name, assignment, assignment.value, kind, cls
        if mapping is not None:
            yield from self._beside(cls, mapping)

    def _beside(self, cls: ClassInfo, mapping: Mapping) -> Iterator[tuple[str, ir.Stmt, ir.Call | None, str, ClassInfo]]:
        """Yields what `_mapped` does of a class whose table and properties are given to a call."""
        if mapping.table is not None:
            table = stand_in(cls.name, mapping.table.call, mapping.table.module)
            for name, column in mapping.columns():
                yield name, ir.Expr(column.start, column.end, column), column, "column", table
        for name, value in mapping.properties:
            owner = stand_in(cls.name, value, mapping.module)
            if isinstance(value, ir.Call) and self._call_kind(value, owner) == "relationship":
                yield name, ir.Expr(value.start, value.end, value), value, "relationship", owner

    def _call_kind(self, call: ir.Call, cls: ClassInfo) -> str:
        name = call.called
        symbol = self.program.resolve(call.func, cls.module, cls)
        if isinstance(symbol, External):
            if symbol.package in ("django", "marshmallow", "wtforms", "pydantic", "dataclasses", "attr", "attrs"):
                return ""
            name = symbol.name
        return "relationship" if name in RELATIONSHIP_NAMES else "column" if name in COLUMN_NAMES else ""

    def _columns(self, cls: ClassInfo) -> None:
        model = cls.model
        assert model is not None
        keys = self.keys.setdefault(model, [])
        primary = []
        for ancestor in reversed(cls.mro):
            for name, stmt, call, kind, owner in self._mapped(ancestor):
                if kind != "column":
                    continue
                column = Column(name, "", owner.module.site(call if call is not None else stmt))
                if isinstance(stmt, ir.Assign) and stmt.annotation is not None:
                    column.nullable = not {"Optional", "None"}.isdisjoint(identifiers(stmt.annotation))
                if call is not None:
                    self._column_arguments(call, owner, column, keys)
                if not column.type and isinstance(stmt, ir.Assign) and stmt.annotation is not None:
                    column.type = next((word for word in identifiers(stmt.annotation) if word not in WRAPPERS), "")
                if column.primary_key:
                    primary.append(name)
                model.columns[name] = column
            if ancestor in self._mappings:
                for name in self._mappings[ancestor].deferred & model.columns.keys():
                    model.columns[name].deferred = True
        model.deferred = frozenset(name for name, column in model.columns.items() if column.deferred)
        if primary:
            model.primary_key = primary[0] if len(primary) == 1 else ""
        if len(primary) > 1:  # each of them alone is not unique
            model.unique_together.append(frozenset(primary))
            for name in primary:
                model.columns[name].unique = False
        for ancestor in cls.mro:
            keys += self._composite_keys(ancestor)

    def _composite_keys(self, cls: ClassInfo) -> Iterator[tuple[str, str]]:
        """Yields column and table of each part of the `ForeignKeyConstraint`s in `__table_args__`."""
        for stmt in cls.bindings.get("__table_args__", ()):
            value = stmt.value if isinstance(stmt, ir.Assign) else None
            for item in value.items if isinstance(value, ir.Seq) else ():
                if isinstance(item, ir.Call) and identifiers(item.func)[-1:] == ["ForeignKeyConstraint"] and len(item.args) >= 2:
                    own, other = item.args[0], item.args[1]
                    if isinstance(own, ir.Seq) and isinstance(other, ir.Seq):
                        for column, target in zip(own.items, other.items, strict=False):
                            name = column.value if isinstance(column, ir.Const) else column.id if isinstance(column, ir.Name) else ""
                            yield str(name), self._referred(target, cls)

    def _column_arguments(self, call: ir.Call, cls: ClassInfo, column: Column, keys: list[tuple[str, str]]) -> None:
        for arg in call.args:
            inner = arg
            if isinstance(inner, ir.Call):
                name = inner.called
                if name == "ForeignKey" and inner.args:
                    keys.append((column.name, self._referred(inner.args[0], cls)))
                    column.references = keys[-1][1] or "?"
                    column.on_delete = _constant_text(dict(inner.keywords).get("ondelete"))
                elif name in COLUMN_NAMES:
                    column.site = cls.module.site(inner)
                    self._column_arguments(inner, cls, column, keys)
                else:
                    column.type = column.type or name
            elif isinstance(inner, (ir.Name, ir.Attr)):
                column.type = column.type or (inner.id if isinstance(inner, ir.Name) else inner.name)
        raises = any(k in ("raiseload", "deferred_raiseload") and isinstance(v, ir.Const) and v.value is True for k, v in call.keywords)
        column.deferred |= call.called == "deferred" and not raises
        first = call.args[0] if call.args else dict(call.keywords).get("name")
        column.stored_as = _constant_text(first) or column.stored_as
        for key, value in call.keywords:
            true = isinstance(value, ir.Const) and value.value is True
            if key == "sa_column" and isinstance(value, ir.Call):
                column.site = cls.module.site(value)
                self._column_arguments(value, cls, column, keys)
            elif key in ("index", "unique", "") and not isinstance(value, ir.Const):
                column.indexed = column.asks_for_index = True  # what cannot be read may be an index
            if key == "deferred":
                column.deferred = true and not raises
            elif key in ("group", "deferred_group"):
                column.deferred_group = _constant_text(value)
            elif key == "nullable":
                column.nullable = true
            elif key == "primary_key" and true:
                column.primary_key = column.unique = column.indexed = True
            elif key in ("unique", "index"):
                column.unique |= true and key == "unique"
                column.asks_for_index |= true and key == "index"
                column.indexed |= true
            elif key == "foreign_key" and isinstance(value, ir.Const) and isinstance(value.value, str):
                keys.append((column.name, value.value.rpartition(".")[0]))
                column.references, column.on_delete = keys[-1][1] or "?", _constant_text(dict(call.keywords).get("ondelete"))
        if not any(k == "nullable" for k, _ in call.keywords) and not column.primary_key and column.nullable is False:
            name = call.called
            column.nullable = name == "Column"

    def _tables(self, module: ModuleInfo) -> None:
        """Adds the tables that a module makes with `Table(…)`."""
        mapped = {id(mapping.table.call) for mapping in self._mappings.values() if mapping.table is not None}
        for variable, stmts in module.bindings.items():
            call = stmts[-1].value if isinstance(stmts[-1], ir.Assign) else None
            if not isinstance(call, ir.Call) or call.called != "Table" or id(call) in mapped:
                continue
            symbol = self.program.resolve(call.func, module)
            table = table_of(call, variable, module)
            if table is None or not isinstance(symbol, External) or symbol.package not in ("sqlalchemy", "flask_sqlalchemy"):
                continue
            owner = stand_in(variable, call, module)
            for item in call.args[1:]:
                if isinstance(item, ir.Call) and item.called == "Column" and item.args and isinstance(item.args[0], ir.Const):
                    column = Column(str(item.args[0].value), "", module.site(item))
                    self._column_arguments(item, owner, column, [])
                    table.columns[column.name] = column
            fill(table, call.args[1:], module)
            self.schema.tables.setdefault(table.name, table)

    def _referred(self, node: ir.Expr_, cls: ClassInfo) -> str:
        """Returns the table (or class) that the argument of ForeignKey names: "user.id", User.id or users.c.id."""
        if isinstance(node, ir.Const) and isinstance(node.value, str):
            return node.value.rpartition(".")[0].rpartition(".")[2]
        if isinstance(node, ir.Attr):
            if node.name != "c" and isinstance(node.value, ir.Attr) and node.value.name == "c":
                node = node.value
                table = table_behind(self.program, node.value, cls.module)
                if table is not None:
                    return table.name
            symbol = self.program.resolve(node.value, cls.module, cls)
            if isinstance(symbol, ClassInfo) and symbol.model is not None:
                return symbol.model.table
        return ""

    # -------------------------------------------------------------------------------------------- relations
    def _relations(self, cls: ClassInfo) -> None:
        model = cls.model
        assert model is not None
        for ancestor in reversed(cls.mro):
            if ancestor is not cls and ancestor.model is not None and not ancestor.model.abstract:
                for name, relation in ancestor.model.relations.items():
                    model.relations.setdefault(name, relation)
                continue
            for name, stmt, call, kind, owner in self._mapped(ancestor):
                if kind == "relationship" and call is not None:
                    annotation = stmt.annotation if isinstance(stmt, ir.Assign) else stmt.returns if isinstance(stmt, ir.Function) else None
                    self._relation(name, call, annotation, owner, model)

    def _relation(self, name: str, call: ir.Call, annotation: ir.Expr_ | None, cls: ClassInfo, model: Model) -> None:
        words = identifiers(annotation) if annotation is not None else []
        keywords = dict(call.keywords)
        nested = keywords.get("sa_relationship_kwargs")
        if isinstance(nested, ir.Map):
            for key, value in zip(nested.keys, nested.values, strict=True):
                if isinstance(key, ir.Const) and isinstance(key.value, str):
                    keywords.setdefault(key.value, value)
        target = self._target(call, keywords, words, cls, model)
        relation = Relation(name, model, target, Kind.REVERSE_FOREIGN_KEY, cls.module.site(call), query_name=name)
        relation.lazy = self._lazy(keywords.get("lazy"), call, words)
        relation.ordered, relation.inner = "order_by" in keywords, "innerjoin" in keywords
        relation.sorted_by = tuple(_sorted_by(keywords["order_by"])) if relation.ordered else ()
        relation.loaded_on_delete = not _stays_away_from_deletes(keywords)
        relation.recursive = "join_depth" in keywords
        relation.arranged = "collection_class" in keywords
        relation.conditioned = _asks_for_more(keywords.get("primaryjoin"))
        relation.kind = self._kind(relation, keywords, words)
        if relation.kind is Kind.FOREIGN_KEY:
            column = self._local_column(relation, keywords)
            if column is not None:
                relation.attname = column.name
                relation.nullable = column.nullable
        if "secondary" in keywords:
            relation.secondary = _constant_text(keywords["secondary"]) or next(reversed(identifiers(keywords["secondary"])), "")
        model.relations[name] = relation
        self._backref(relation, keywords, cls)
        if not COLLECTIONS.isdisjoint(words) or not MAPPINGS.isdisjoint(words):
            self._collections.add(relation)
        partner = keywords.get("back_populates")
        if isinstance(partner, ir.Const) and isinstance(partner.value, str):
            self._named_partners[relation] = partner.value

    def _lazy(self, node: ir.Expr_ | None, call: ir.Call, words: list[str]) -> str:
        if isinstance(node, ir.Const):
            names: dict[object, str] = {True: "select", False: "joined", None: "noload"}
            return node.value if isinstance(node.value, str) else names.get(node.value, "unknown")
        name = call.called
        if name == "dynamic_loader" or "DynamicMapped" in words:
            return "dynamic"
        if "WriteOnlyMapped" in words:
            return "write_only"
        return "select" if node is None else "unknown"

    def _kind(self, relation: Relation, keywords: dict[str, ir.Expr_], words: list[str]) -> Kind:
        uselist = keywords.get("uselist")
        flag = uselist.value if isinstance(uselist, ir.Const) else None
        if "secondary" in keywords:
            return Kind.MANY_TO_MANY if flag is not False else Kind.REVERSE_ONE_TO_ONE
        many = not COLLECTIONS.isdisjoint(words) or not MAPPINGS.isdisjoint(words)
        if flag is True or many:
            return Kind.REVERSE_FOREIGN_KEY
        if relation.target is None and "Mapped" in words:
            return Kind.FOREIGN_KEY  # `shop: Mapped["Shop"]` of a class that is mapped elsewhere: one row, if not more is known
        local = self._local_column(relation, keywords)
        if relation.target is relation.model or (relation.target is not None and relation.target in relation.model.bases):
            remote = keywords.get("remote_side")
            if local is not None and remote is not None and local.name in identifiers(remote):
                local = None  # the key is that of the rows on the other side
            local = local if remote is not None or words else None
        if local is not None:
            return Kind.FOREIGN_KEY
        named = [word for word in words if word not in WRAPPERS]  # `Mapped["Owner | None"]`
        if flag is False or (named and relation.target is not None and named[-1] == relation.target.name):
            referred = any(table == relation.model.table for _, table in self.keys.get(relation.target, ())) if relation.target is not None else False
            return Kind.REVERSE_ONE_TO_ONE if flag is False or referred or self.keys.get(relation.model) is not None else Kind.FOREIGN_KEY
        return Kind.REVERSE_FOREIGN_KEY

    def _local_column(self, relation: Relation, keywords: dict[str, ir.Expr_]) -> Column | None:
        """Returns the model's own foreign key column that a relationship uses, or None if the key is on the other side."""
        if relation.target is None:
            return _key_called_after(relation)
        tables = {relation.target.table, *(b.table for b in relation.target.bases)}
        if relation.target in self._named_elsewhere:
            squashed = relation.target.name.lower()
            tables |= {squashed, f"{squashed}s", f"{relation.target.table}s"}
        names = [column for column, table in self.keys.get(relation.model, ()) if table in tables]
        given = keywords.get("foreign_keys")
        joined = keywords.get("primaryjoin")
        if given is None and joined is not None and names:
            named = {word for node in walk(joined) if isinstance(node, (ir.Attr, ir.Name, ir.Const)) for word in identifiers(node)}
            joining = [name for name in names if name in named]
            if not joining and any(column in named for column, _ in self.keys.get(relation.target, ())):
                return None  # `primaryjoin=id == Book.sequel_of_id`: it is the other side's key
            names = joining or names
        if given is not None and not names:
            # a join that the table has no constraint for: `foreign_keys=[shop_id]` says which side refers to the other
            mentioned = set(identifiers(given)) - {relation.model.name}
            own = [name for name in mentioned if name in relation.model.columns]
            return relation.model.columns[min(own)] if own and len(own) == len(mentioned) else None
        if given is not None:
            mentioned = set(identifiers(given))
            own = [n for n in names if n in mentioned]
            if own:
                return relation.model.columns.get(own[0])
            if not mentioned & {n for n, _ in self.keys.get(relation.model, ())}:
                return None
        return relation.model.columns.get(names[0]) if names else _key_called_after(relation)

    def _target(self, call: ir.Call, keywords: dict[str, ir.Expr_], words: list[str], cls: ClassInfo, model: Model) -> Model | None:
        node = call.args[0] if call.args else keywords.get("argument")
        if isinstance(node, ir.Lambda):
            node = node.body
        if isinstance(node, ir.Const) and isinstance(node.value, str):
            return self.named(node.value.rpartition(".")[2], cls.module)
        if node is not None:
            symbol = self.program.resolve(node, cls.module, cls)
            if isinstance(symbol, ClassInfo):
                return symbol.model
            mappers = (each for each, mapping in self._mappings.items() if mapping.variable and mapping.module is cls.module)
            for each in mappers:
                if isinstance(node, ir.Name) and node.id == self._mappings[each].variable:
                    return each.model
            return self.named(node.id, cls.module) if isinstance(node, ir.Name) else None
        for word in reversed(words):
            if word not in WRAPPERS and word not in COLLECTIONS and word not in MAPPINGS:
                if word in ("Self", cls.name):
                    return model
                return self.named(word, cls.module)
        return None

    def named(self, name: str, module: ModuleInfo) -> Model | None:
        """Returns the mapped class of this name that is nearest to a module, or None."""
        found = self.by_name.get(name)
        if not found:
            return None
        folder = module.path.rpartition("/")[0]
        return max(found, key=lambda pair: (shared_folders(pair[0].module.path, folder), pair[0].module.path))[1]

    def _backref(self, relation: Relation, given: dict[str, ir.Expr_], cls: ClassInfo) -> None:
        node = given.get("backref")
        if node is None or relation.target is None:
            return
        keywords = dict(node.keywords) if isinstance(node, ir.Call) else {}
        name = self._text_of_class(node.args[0] if isinstance(node, ir.Call) and node.args else node, relation.model)
        if not name:
            return
        uselist = keywords.get("uselist")
        single = isinstance(uselist, ir.Const) and uselist.value is False
        kinds = {
            Kind.FOREIGN_KEY: Kind.REVERSE_ONE_TO_ONE if single else Kind.REVERSE_FOREIGN_KEY,
            Kind.REVERSE_FOREIGN_KEY: Kind.FOREIGN_KEY,
            Kind.REVERSE_ONE_TO_ONE: Kind.FOREIGN_KEY,
            Kind.MANY_TO_MANY: Kind.MANY_TO_MANY,
        }
        reverse = Relation(name, relation.target, relation.model, kinds[relation.kind], relation.site, query_name=name, inverse=relation)
        reverse.lazy = self._lazy(keywords.get("lazy"), node, []) if isinstance(node, ir.Call) else "select"
        reverse.ordered, reverse.inner = "order_by" in keywords, "innerjoin" in keywords
        reverse.sorted_by = tuple(_sorted_by(keywords["order_by"])) if reverse.ordered else ()
        reverse.loaded_on_delete = not _stays_away_from_deletes(keywords)
        reverse.conditioned = _asks_for_more({**given, **keywords}.get("primaryjoin"))
        if reverse.kind is Kind.FOREIGN_KEY:
            column = self._local_column(reverse, {**given, **keywords})
            if column is not None:
                reverse.attname, reverse.nullable = column.name, column.nullable
        relation.inverse = reverse
        relation.target.relations.setdefault(name, reverse)

    def _text_of_class(self, node: ir.Expr_, model: Model) -> str:
        """Returns a text, or what `cls.name` in a mixin means for the class of a model; nothing if that is not known."""
        match node:
            case ir.Attr(value=ir.Name(id="cls"), name=name):
                owner = next((cls for cls, mapped in self.by_name.get(model.name, ()) if mapped is model), None)
                found = owner.find(name) if owner is not None else None
                stmt = found[1][-1] if found is not None else None
                return _constant_text(stmt.value) if isinstance(stmt, ir.Assign) else ""
            case _:
                return _constant_text(node)

    def _partners(self, model: Model) -> None:
        for relation in model.relations.values():
            if relation.inverse is None and relation.target is not None and relation in self._named_partners:
                relation.inverse = relation.target.relations.get(self._named_partners[relation])
            if relation.kind is Kind.REVERSE_ONE_TO_ONE and relation.inverse in self._collections:
                relation.kind = Kind.FOREIGN_KEY  # in a column that a function of the project declares


def stand_in(name: str, node: ir.Node, module: ModuleInfo) -> ClassInfo:
    """Returns a class without a body, in whose place names are looked up that stand beside all classes."""
    return ClassInfo(ir.Class(node.start, node.end, name, [], [], [], []), module, name)


def returned(function: ir.Function) -> ir.Expr_ | None:
    """Returns what the last statement of a function's body that returns something gives, None if there is none."""
    return next((stmt.value for stmt in reversed(function.body) if isinstance(stmt, ir.Return)), None)


def _constant_text(node: ir.Expr_ | None) -> str:
    return node.value if isinstance(node, ir.Const) and isinstance(node.value, str) else ""


def _stays_away_from_deletes(keywords: dict[str, ir.Expr_]) -> bool:
    """Whether a relationship has nothing to do when a row goes: `viewonly=True`, `passive_deletes=True` (or "all")."""
    given = (keywords.get(name) for name in ("viewonly", "passive_deletes"))
    return any(isinstance(node, ir.Const) and bool(node.value) for node in given)


def _asks_for_more(joined: ir.Expr_ | None) -> bool:
    """Whether a `primaryjoin` is more than an equation of two columns: `and_(Author.id == Book.author_id, Author.active)`."""
    match joined:
        case ir.Lambda(body=body):
            return _asks_for_more(body)
        case ir.Const(value=str() as text):
            return _EQUATION.fullmatch(text.strip()) is None
        case ir.Compare(op=op):
            return op != "=="
        case _:
            return joined is not None


def _sorted_by(node: ir.Expr_) -> Iterator[str]:
    """Yields the columns that `order_by` of a relationship names, whatever else it sorts by: "Flag.word, Flag.id", `Flag.word.desc()`."""
    match node:
        case ir.Const(value=str() as text):
            found = (_SORTED.fullmatch(part.strip()) for part in text.split(","))
            yield from (match[1] for match in found if match is not None)
        case ir.Attr(name=name):
            yield name
        case ir.Call(func=ir.Attr(value=column, name="asc" | "desc"), args=[]) | ir.Call(func=ir.Name(id="asc" | "desc"), args=[column]):
            yield from _sorted_by(column)
        case ir.Seq(items=items):
            for item in items:
                yield from _sorted_by(item)
        case ir.Lambda(body=body):
            yield from _sorted_by(body)


def identifiers(node: ir.Expr_) -> list[str]:
    """Returns the names in an annotation in order of appearance, looking into quoted parts."""
    match node:
        case ir.Name():
            return [node.id]
        case ir.Attr():
            return [*identifiers(node.value), node.name]
        case ir.Const():
            return IDENTIFIER.findall(node.value) if isinstance(node.value, str) else ["None"] if node.value is None else []
        case ir.Index():
            return identifiers(node.value) + identifiers(node.index)
        case ir.Seq():
            return [word for item in node.items for word in identifiers(item)]
        case ir.Binary():
            return (identifiers(node.left) if node.left is not None else []) + identifiers(node.right)
        case ir.Call():
            return identifiers(node.func) + [word for arg in node.args for word in identifiers(arg)]
        case ir.Lambda():
            return identifiers(node.body)
        case _:
            return []


def _key_called_after(relation: Relation) -> Column | None:
    """Returns the foreign key that has the name of a relationship, if the table that it refers to is not known: `shop_id` for `shop`."""
    column = relation.model.columns.get(f"{relation.name}_id")
    unknown = column is not None and (column.references == "?" or (relation.target is None and bool(column.references)))
    return column if unknown else None
