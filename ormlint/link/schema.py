"""The schema: what the project's models look like to its database.

Built once per run from the linked program; read by the abstract interpreter, by rules and by fixes. Django and
SQLAlchemy models are the same thing here: a `Model` with columns and relations. A relation is always seen from the
model that has the attribute, so `Book.author` (to-one, forward) and `Author.books` (to-many, reverse) are two
relations that know each other through `inverse`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

from ormlint.text import Site


class Orm(str, enum.Enum):
    """The library a model or a query belongs to."""

    DJANGO = "django"
    SQLALCHEMY = "sqlalchemy"


class Kind(str, enum.Enum):
    """What kind of relation an attribute is; decides how it is loaded and what its loading costs."""

    FOREIGN_KEY = "foreign key"  # Django ForeignKey, SQLAlchemy many-to-one
    ONE_TO_ONE = "one-to-one"  # the side that has the column
    REVERSE_ONE_TO_ONE = "reverse one-to-one"  # the other side: at most one row, found by a query
    REVERSE_FOREIGN_KEY = "reverse foreign key"  # a collection
    MANY_TO_MANY = "many-to-many"
    GENERIC_FOREIGN_KEY = "generic foreign key"  # Django: target known only per row
    GENERIC_RELATION = "generic relation"
    PARENT_LINK = "parent link"  # multi-table inheritance: filled from the child's own columns


TO_ONE = frozenset({Kind.FOREIGN_KEY, Kind.ONE_TO_ONE, Kind.REVERSE_ONE_TO_ONE, Kind.GENERIC_FOREIGN_KEY, Kind.PARENT_LINK})


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a table, or a constraint that the database keeps with one.

    `columns` are the attributes in their order, "" for an expression. `partial` tells that it does not serve every look-up by its
    columns: it has a condition, is not a B-tree, or has an operator class or a collation. `name` is what the program calls it, "" if it
    does not say. `covering` tells that it holds further columns, so that a look-up need not read the table (`INCLUDE`). `condition` are
    the attributes that its condition names, "?" for one that cannot be read.
    """

    columns: tuple[str, ...]
    site: Site
    kind: str = "index"  # index | unique constraint | primary key | foreign key (the one that Django makes) | migration (which only that declares)
    unique: bool = False
    partial: bool = False
    name: str = ""
    covering: bool = False
    condition: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Column:
    """A column of a model's own table.

    `references` is the table that a foreign key of SQLAlchemy refers to, "?" if that is not known, "" if the column is none; `on_delete`
    is what its database does with the row when that of the other table is deleted: "CASCADE", "SET NULL", "". `deferred` columns of
    SQLAlchemy are not loaded with the rows unless a query asks for them; those of one `deferred_group` are loaded together.
    """

    name: str
    type: str  # last part of the field or type name as written: "CharField", "Integer"
    site: Site
    nullable: bool = False
    primary_key: bool = False
    unique: bool = False
    indexed: bool = False
    asks_for_index: bool = False  # `index=True`, `db_index=True`, which with SQLAlchemy makes one even where the column has an index by its nature
    stored_as: str = ""  # the name in the database, if it is another one
    references: str = ""
    on_delete: str = ""
    deferred: bool = False
    deferred_group: str = ""
    plain: bool = True  # Django: whether its class is one of Django's own, so that a row has what the database sends


@dataclass(slots=True, eq=False)
class Relation:
    """An attribute of `model` that leads to rows of `target`.

    `name` is the attribute, `query_name` what it is called in a Django lookup (`books` or `book`).
    `attname` is the attribute that holds the raw key (`author_id`), if this side has the column.
    `lazy` is the SQLAlchemy loader strategy of the mapping ("select", "joined", "selectin", "raise", "dynamic", …).
    `target` is None when it is not known (GenericForeignKey, unresolved string).
    """

    name: str
    model: Model
    target: Model | None
    kind: Kind
    site: Site
    query_name: str = ""
    attname: str = ""
    nullable: bool = True
    to_field: str = ""  # the target's column that the key refers to, when it is not the primary key
    through: Model | None = None
    lazy: str = "select"
    inverse: Relation | None = None
    ordered: bool = False
    optional: bool = False  # Django: a test decides if the model has it: `if settings.SCOPED: tenant = ForeignKey(…)`
    recursive: bool = False  # SQLAlchemy: has a `join_depth`, so that loading it goes on where it leads back to its own model
    secondary: str = ""  # SQLAlchemy: what the program calls the table between the two, or that table's name
    arranged: bool = False  # SQLAlchemy: its `collection_class` may arrange what is put into it by what is there
    sorted_by: tuple[str, ...] = ()  # SQLAlchemy: the columns of the target among what its `order_by` names
    inner: bool = False  # SQLAlchemy: the mapping says how it is joined, `innerjoin=True`, which leaves out rows that it leads nowhere from
    conditioned: bool = False  # SQLAlchemy: its `primaryjoin` asks for more than equal keys, so that a row with a key may have no row there
    constrained: bool = True  # Django: False for a key with `db_constraint=False`, whose row need not exist
    loaded_on_delete: bool = True  # SQLAlchemy loads it before it deletes the row; not if it is `viewonly` or has `passive_deletes`

    @property
    def to_one(self) -> bool:
        """Whether the attribute holds at most one row."""
        return self.kind in TO_ONE

    def __repr__(self) -> str:
        return f"<{self.model.name}.{self.name} → {self.target.name if self.target else '?'} {self.kind.value}>"


@dataclass(slots=True, eq=False)
class Model:
    """A class that is mapped to a table (or, if abstract, lends its columns to such classes)."""

    name: str
    label: str  # "shop.Book" for Django, dotted path for SQLAlchemy: unique within the project
    orm: Orm
    site: Site
    bases: tuple[Model, ...] = ()
    abstract: bool = False
    proxy: bool = False
    columns: dict[str, Column] = field(default_factory=dict)
    relations: dict[str, Relation] = field(default_factory=dict)
    deferred: frozenset[str] = frozenset()  # the columns that the mapping does not load with a row
    primary_key: str = "id"
    unique_together: list[frozenset[str]] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)  # all of them, those of single columns included
    indexes_known: bool = True  # False if something that cannot be read may add more
    migrated: bool = False  # SQLAlchemy: a migration of Alembic creates its table, so that the database has what migrations make
    ordering: tuple[str, ...] = ()
    ordering_known: bool = True  # False if a class that cannot be read may set it
    ordering_site: Site | None = None
    overrides: frozenset[str] = frozenset()  # methods with an effect on writes that the class defines: save, delete, …
    unread_base: str = ""  # Django: the name of a base class out of sight, which may have methods of that kind and is watched by nobody knows whom
    has_objects: bool = False  # Django: whether the default manager is surely the one that is called `objects`
    has_plain_manager: bool = False  # Django: whether the default manager is surely Django's own, which gives all rows
    attributes: frozenset[str] = frozenset()  # Django: what the class and those it inherits from define by name
    polymorphic: bool = False  # Django: its manager gives instances of the subclasses (django-polymorphic, django-typed-models)
    has_base_manager: bool = False  # Django: `Meta.base_manager_name` names the manager that gives its rows to those that refer to them
    has_receivers: bool = False  # a signal receiver may run when a row is saved or deleted
    plain_rows: bool = True  # Django: False if something of the project may run when a row is made of what the database sends
    notes_rows: bool = False  # Django: something of the project that is run when a row is made does more than to give it attributes
    table: str = ""
    known_keys: list[frozenset[str]] | None = None  # what `keys` gives, once somebody has asked

    @property
    def concrete(self) -> frozenset[str]:
        """The names by which a row's own columns are read."""
        keys = (relation.attname for relation in self.relations.values() if relation.attname)
        return frozenset((*self.columns, *keys, self.primary_key, "pk")) - self.relations.keys()

    @property
    def keys(self) -> list[frozenset[str]]:
        """The sets of columns that only one row has a value of each for, the primary key last, which is empty if nobody declares it."""
        if self.known_keys is None:
            own = frozenset(name for name, column in self.columns.items() if column.primary_key)
            unique = [frozenset(index.columns) for index in self.indexes if index.unique and not index.partial and "" not in index.columns]
            self.known_keys = [*unique, *self.unique_together, own]
        return self.known_keys

    def relation(self, lookup: str) -> Relation | None:
        """Returns the relation that an attribute or a lookup name means, or None if it means none."""
        found = self.relations.get(lookup)
        if found is not None:
            return found
        return next((r for r in self.relations.values() if r.query_name == lookup), None)

    def is_primary_key(self, name: str) -> bool:
        """Whether an attribute or lookup name means the primary key."""
        return name == self.primary_key or (name == "pk" and self.orm is Orm.DJANGO)

    def __repr__(self) -> str:
        return f"<Model {self.label}>"


@dataclass(slots=True, eq=False)
class Table:
    """A table of SQLAlchemy that is made without a class: mostly the middle of a many-to-many relation."""

    name: str
    site: Site
    variable: str = ""  # what the program calls it
    columns: dict[str, Column] = field(default_factory=dict)
    indexes: list[Index] = field(default_factory=list)
    indexes_known: bool = True
    migrated: bool = False


@dataclass(slots=True, eq=False)
class Schema:
    """All models of the project, and the tables beside them."""

    models: dict[str, Model] = field(default_factory=dict)  # by label
    tables: dict[str, Table] = field(default_factory=dict)  # by name

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models.values())

    def named(self, name: str) -> Model | None:
        """Returns the model with this label, or with this class name if only one has it."""
        if name in self.models:
            return self.models[name]
        wanted = name.lower()
        found = [m for m in self.models.values() if m.name.lower() == wanted or m.label.lower() == wanted]
        return found[0] if len(found) == 1 else None
