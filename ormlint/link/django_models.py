"""Reads Django models from the linked classes.

Source of the facts: django.db.models.base.ModelBase and django.db.models.fields.related (4.2 to 6.1): abstract parents
lend copies of their fields, concrete parents are joined through a parent link, proxies share everything, reverse
relations are named by `related_name` or `<model>_set` / `<model>`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ormlint.ir import nodes as ir
from ormlint.link.django_indexes import own_indexes, read_constraints
from ormlint.link.names import ClassInfo, ConstRef, External, FunctionInfo, ModuleInfo, Program, shared_folders
from ormlint.link.row_makers import does_more
from ormlint.link.schema import Column, Kind, Model, Orm, Relation, Schema
from ormlint.text import Site

MODEL_BASES = frozenset(
    {
        "Model",
        "AbstractUser",
        "AbstractBaseUser",
        "PermissionsMixin",
        "MPTTModel",
        "MP_Node",
        "NS_Node",
        "AL_Node",
        "ClusterableModel",
        "PolymorphicModel",
        "TimeStampedModel",
        "SafeDeleteModel",
        "TranslatableModel",
        "TitleSlugDescriptionModel",
        "SoftDeletableModel",
    }
)
DJANGO_PACKAGES = frozenset(
    {
        "django",
        "mptt",
        "treebeard",
        "modelcluster",
        "polymorphic",
        "model_utils",
        "django_extensions",
        "safedelete",
        "parler",
        "wagtail",
        "taggit",
        "guardian",
        "simple_history",
        "oauth2_provider",
        "social_django",
        "reversion",
        "cms",
        "filer",
        "easy_thumbnails",
    }
)
POLYMORPHIC = frozenset({"PolymorphicModel", "TypedModel"})  # their querysets give instances of the subclasses
USERS = ("AbstractBaseUser", "AbstractUser")
OVERRIDING = {
    "MPTTModel": ("save", "delete"),
    "MP_Node": ("save", "delete"),
    "NS_Node": ("save", "delete"),
    "AL_Node": ("save", "delete"),
    "SafeDeleteModel": ("save", "delete"),
    "SoftDeletableModel": ("delete",),
    "TranslatableModel": ("save", "delete"),
    "ClusterableModel": ("save",),
}
"""Which methods with an effect on writes the model classes of other packages define."""
KNOWN_PACKAGES = frozenset(
    {"django", "builtins", "abc", "typing", "typing_extensions", "enum"}
)  # whose classes do no more than a row's own statements
WRITE_METHODS = frozenset({"save", "delete", "asave", "adelete", "save_base", "full_clean"})
SIGNALS = frozenset({"pre_save", "post_save", "pre_delete", "post_delete", "m2m_changed"})
INIT_SIGNALS = frozenset({"pre_init", "post_init"})
MAKING = frozenset({"__init__", "__new__", "from_db", "__getattribute__"})  # methods that see a row being made, or what is read of it
_BEARING = ("__init__", "__new__", "from_db")
KINDS = {
    "ForeignKey": Kind.FOREIGN_KEY,
    "ParentalKey": Kind.FOREIGN_KEY,
    "OneToOneField": Kind.ONE_TO_ONE,
    "ManyToManyField": Kind.MANY_TO_MANY,
    "GenericForeignKey": Kind.GENERIC_FOREIGN_KEY,
    "GenericRelation": Kind.GENERIC_RELATION,
    "TaggableManager": Kind.MANY_TO_MANY,
    "ClusterTaggableManager": Kind.MANY_TO_MANY,
}


@dataclass(slots=True)
class FieldSpec:
    """A field as a class body declares it."""

    name: str
    type: str
    kind: Kind | None
    call: ir.Call
    cls: ClassInfo
    plain: bool = True  # its class is one of Django's own
    optional: bool = False  # it stands under an `if` of the class body that has no other field of this name

    def keyword(self, name: str) -> ir.Expr_ | None:
        """Returns the expression of a keyword argument, or None."""
        return next((value for key, value in self.call.keywords if key == name), None)

    def flag(self, name: str) -> bool:
        """Whether a keyword argument is the constant True."""
        value = self.keyword(name)
        return isinstance(value, ir.Const) and value.value is True

    def text(self, name: str, position: int = 99) -> str:
        """Returns an argument that is a constant string, or ""."""
        value = self.keyword(name) or (self.call.args[position] if len(self.call.args) > position else None)
        return value.value if isinstance(value, ir.Const) and isinstance(value.value, str) else ""


def field_kind(name: str) -> Kind | None:
    """Returns the kind of relation that a field class of this name makes, or None for a plain column."""
    if name in KINDS:
        return KINDS[name]
    for ending in ("OneToOneField", "ManyToManyField", "ForeignKey", "OneToOneKey"):
        if name.endswith(ending):
            return KINDS.get(ending, Kind.ONE_TO_ONE)
    return None


def _is_djangos(symbol: object) -> bool:
    """Whether a field class is one of Django's own, which gives a row what the database sends."""
    if isinstance(symbol, ClassInfo):
        return symbol.module.is_library
    return isinstance(symbol, External) and symbol.package == "django"


class DjangoModels:
    """Adds all Django models of a program to a schema."""

    def __init__(self, program: Program, schema: Schema) -> None:
        self.program = program
        self.schema = schema
        migrated = {name.rpartition(".migrations")[0] for name in program.by_name if name.endswith(".migrations")}
        # an app in an app: without a configuration of its own it has the name of its package
        self.apps = {**{name: name.rpartition(".")[2] for name in migrated}, **dict(self._app_labels())}
        self._names: dict[Relation, tuple[str, str]] = {}  # related_name and related_query_name as given
        self.by_label: dict[str, list[tuple[ClassInfo, Model]]] = {}
        self.by_name: dict[str, list[tuple[ClassInfo, Model]]] = {}

    def build(self) -> None:
        """Finds the models, then their fields, then resolves relations and adds their reverse sides."""
        found = [c for c in self.program.classes if self.is_model(c)]
        for cls in found:
            self._declare(cls)
        for cls in found:
            assert cls.model is not None
            self._inherit(cls, cls.model)
        for cls in found:
            assert cls.model is not None
            self._fields(cls, cls.model)
        for cls in found:
            assert cls.model is not None
            self._parents(cls, cls.model)
        for cls in found:
            assert cls.model is not None
            for relation in list(cls.model.relations.values()):
                self._reverse(relation)
        for cls in sorted(found, key=lambda c: len(c.mro)):
            assert cls.model is not None
            self._share(cls, cls.model)
        self._receivers()

    # ----------------------------------------------------------------------------------------------- models
    def is_model(self, cls: ClassInfo) -> bool:
        """Whether a class is a Django model: by ancestry, or by its fields where an ancestor is out of sight."""
        if cls.module.is_library and cls.module.name == "django.db.models" and cls.name == "Model":
            return False
        for ancestor in cls.mro[1:]:
            if ancestor.module.is_library and ancestor.module.name == "django.db.models" and ancestor.name == "Model":
                return True
        for external in cls.externals:
            if external.package == "django" and external.name in MODEL_BASES and ".forms" not in external.path:
                return True
            if external.package in DJANGO_PACKAGES and external.name in MODEL_BASES and "orm" not in external.path.split("."):
                return True
        if any(e.package not in ("builtins", "sqlalchemy", "typing", "enum") for e in cls.externals) or None in cls.bases:
            return any(self._is_django_field(spec) for c in cls.mro for spec in self._specs(c))
        return False

    def _is_django_field(self, spec: FieldSpec) -> bool:
        symbol = self.program.resolve(spec.call.func, spec.cls.module, spec.cls)
        return isinstance(symbol, External) and symbol.path.startswith("django.db.models") and symbol.name not in ("Model", "Manager")

    def _declare(self, cls: ClassInfo) -> None:
        meta = cls.classes.get("Meta")
        abstract = _const(meta, "abstract") is True
        label = _const(meta, "app_label")
        app = label if isinstance(label, str) else self.app_of(cls.module)
        model = Model(cls.name, f"{app}.{cls.name}", Orm.DJANGO, cls.site, abstract=abstract, proxy=_const(meta, "proxy") is True)
        number = 2
        while model.label in self.schema.models:
            model.label = f"{app}.{cls.name}@{number}"
            number += 1
        model.table = f"{app}_{cls.name}".lower()
        self.schema.models[model.label] = model
        cls.model = model
        self.by_label.setdefault(f"{app}.{cls.name}".lower(), []).append((cls, model))
        self.by_name.setdefault(cls.name.lower(), []).append((cls, model))

    def _inherit(self, cls: ClassInfo, model: Model) -> None:
        model.bases = tuple(c.model for c in cls.mro[1:] if c.model is not None)
        known = all(external.package in KNOWN_PACKAGES for external in cls.externals)
        ordering = _ordering(cls)
        model.ordering = ordering or ()
        model.ordering_site = _ordering_site(cls) if ordering else None
        model.ordering_known = ordering is not None or known
        own = [name for c in cls.mro if not c.module.is_library for name in c.functions if name in WRITE_METHODS]
        model.overrides = frozenset(own).union(*(OVERRIDING.get(external.name, ()) for external in cls.externals))
        model.unread_base = _unread_base(cls)
        model.has_base_manager = any("base_manager_name" in c.classes["Meta"].bindings for c in cls.mro if "Meta" in c.classes)
        project = [c for c in cls.mro if not c.module.is_library]
        model.plain_rows = known and not any(self._is_changed(c) or not MAKING.isdisjoint(c.functions) for c in project)
        model.notes_rows = any(does_more(c.functions[name].node.body) for c in project for name in _BEARING if name in c.functions)
        model.polymorphic = any(external.name in POLYMORPHIC for external in cls.externals)
        manager = self._default_manager(cls)
        model.has_objects = known and manager in ("objects", None)
        model.has_plain_manager = known and manager is None
        model.attributes = frozenset(name for c in cls.mro for name in c.bindings)

    def _default_manager(self, cls: ClassInfo) -> str | None:
        """Returns the name of a model's default manager: of the first that it declares, "" if `Meta` names one; None if it is Django's own."""
        if any("default_manager_name" in c.classes["Meta"].bindings for c in cls.mro if "Meta" in c.classes):
            return ""
        for ancestor in (c for c in cls.mro if not c.module.is_library):
            for name, stmts in ancestor.bindings.items():
                if isinstance(stmts[-1], ir.Assign) and isinstance(stmts[-1].value, ir.Call) and self._makes_manager(stmts[-1].value, ancestor):
                    return name
        return None

    def _makes_manager(self, call: ir.Call, cls: ClassInfo) -> bool:
        """Whether a call gives a manager: `Books()`, `BookQuerySet.as_manager()`, `Manager.from_queryset(BookQuerySet)()`."""
        func = call.func
        if isinstance(func, ir.Call):
            return isinstance(func.func, ir.Attr) and func.func.name == "from_queryset"
        if isinstance(func, ir.Attr) and func.name == "as_manager":
            return True
        symbol = self.program.resolve(func, cls.module, cls)
        names = (
            [c.name for c in symbol.mro] + [e.name for e in symbol.externals]
            if isinstance(symbol, ClassInfo)
            else [func.name if isinstance(func, ir.Attr) else func.id if isinstance(func, ir.Name) else ""]
        )
        return any(name.endswith("Manager") for name in names) and field_kind(names[0]) is None

    def app_of(self, module: ModuleInfo) -> str:
        """Returns the label of the app that a module belongs to."""
        parts = module.name.split(".")
        for length in range(len(parts), 0, -1):
            label = self.apps.get(".".join(parts[:length]))
            if label:
                return label
        if "models" in parts:
            at = len(parts) - 1 - parts[::-1].index("models")
            return parts[at - 1] if at else ""
        return parts[-2] if len(parts) > 1 else parts[-1]

    def _app_labels(self) -> Iterator[tuple[str, str]]:
        for cls in self.program.all_classes():
            if cls.derives_from("AppConfig"):
                name, label = _const(cls, "name"), _const(cls, "label")
                package = cls.module.name.rpartition(".")[0]
                if isinstance(name, str):
                    yield name, label if isinstance(label, str) else name.rpartition(".")[2]
                if isinstance(label, str) and package:
                    yield package, label

    # ----------------------------------------------------------------------------------------------- fields
    def _specs(self, cls: ClassInfo) -> Iterator[FieldSpec]:
        for name, stmts in cls.bindings.items():
            stmt = stmts[-1]
            if isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Call) and not stmt.op:
                symbol = self.program.resolve(stmt.value.func, cls.module, cls)
                kind_name = ""
                if isinstance(symbol, External):
                    kind_name = symbol.name
                elif isinstance(symbol, ClassInfo):
                    kind_name = next((e.name for e in symbol.externals if field_kind(e.name)), symbol.name)
                if kind_name.endswith(("Field", "Key", "TaggableManager")) or kind_name in KINDS:
                    optional = len(stmts) == 1 and stmt not in cls.node.body
                    yield FieldSpec(name, kind_name, field_kind(kind_name), stmt.value, cls, _is_djangos(symbol), optional)

    def _fields(self, cls: ClassInfo, model: Model) -> None:
        """Gives a model its own fields and copies of those of its abstract parents."""
        for ancestor in reversed(cls.mro):
            if ancestor is not cls and (ancestor.model is None or not ancestor.model.abstract):
                continue
            for spec in self._specs(ancestor):
                if spec.kind is None:
                    self._column(spec, model)
                else:
                    self._relation(spec, cls, model)
        for ancestor in (c for c in cls.mro if not c.module.is_library):
            fields = {spec.name for spec in self._specs(ancestor)}
            for name in (ancestor.bindings.keys() | ancestor.functions.keys()) & model.columns.keys() - fields:
                model.columns[name].plain = False  # a property, or a field of a class of the project
        pk = next((c.name for c in model.columns.values() if c.primary_key), None)
        model.primary_key = pk or "id"
        own_indexes(model)
        read_constraints(cls, model)

    def _column(self, spec: FieldSpec, model: Model) -> None:
        unique = spec.flag("unique") or spec.flag("primary_key")
        model.columns[spec.name] = Column(
            spec.name,
            spec.type,
            spec.cls.module.site(spec.call),
            spec.flag("null"),
            spec.flag("primary_key"),
            unique,
            unique or spec.flag("db_index"),
            spec.flag("db_index"),
            plain=spec.plain,
        )

    def _relation(self, spec: FieldSpec, cls: ClassInfo, model: Model) -> None:
        assert spec.kind is not None
        to = spec.keyword("to") or (spec.call.args[0] if spec.call.args else None)
        target = None if spec.kind is Kind.GENERIC_FOREIGN_KEY else self.target(to, spec.cls, model)
        relation = Relation(spec.name, model, target, spec.kind, spec.cls.module.site(spec.call), query_name=spec.name)
        relation.optional = spec.optional
        relation.nullable = spec.flag("null") or spec.kind is Kind.GENERIC_FOREIGN_KEY
        relation.to_field = spec.text("to_field")
        constraint = spec.keyword("db_constraint")
        relation.constrained = constraint is None or (isinstance(constraint, ir.Const) and constraint.value is True)
        if spec.kind in (Kind.FOREIGN_KEY, Kind.ONE_TO_ONE):
            relation.attname = f"{spec.name}_id"
            unique = spec.kind is Kind.ONE_TO_ONE or spec.flag("unique")
            bare = spec.keyword("db_index")
            indexed = unique or not (isinstance(bare, ir.Const) and bare.value is False)
            asks, key = spec.flag("db_index"), spec.flag("primary_key")
            column = Column(relation.attname, spec.type, relation.site, relation.nullable, key, unique, indexed, asks, plain=spec.plain)
            column.references = target.table if target is not None else "?"
            model.columns[relation.attname] = column
        through = spec.keyword("through")
        if through is not None:
            relation.through = self.target(through, spec.cls, model)
        related = spec.text("related_name", 1 if spec.kind is Kind.MANY_TO_MANY else 2)
        if related:
            app = model.label.partition(".")[0].lower()
            related = related.replace("%(class)s", model.name.lower()).replace("%(app_label)s", app).replace("%(model_name)s", model.name.lower())
        spec_query = spec.text("related_query_name", 2 if spec.kind is Kind.MANY_TO_MANY else 3)
        self._names[relation] = (related, spec_query)
        model.relations[spec.name] = relation

    def _parents(self, cls: ClassInfo, model: Model) -> None:
        """Adds the parent link of multi-table inheritance; a proxy has none."""
        if model.proxy or model.abstract:
            return
        for ancestor in cls.mro[1:]:
            parent = ancestor.model
            if parent is None or parent.abstract:
                continue
            if not parent.proxy:
                name = f"{parent.name.lower()}_ptr"
                explicit = next((r for r in model.relations.values() if r.kind is Kind.ONE_TO_ONE and r.target is parent), None)
                if explicit is None:
                    link = Relation(name, model, parent, Kind.PARENT_LINK, model.site, query_name=name, attname=f"{name}_id", nullable=False)
                    model.relations.setdefault(name, link)
                    child = Relation(
                        model.name.lower(), parent, model, Kind.REVERSE_ONE_TO_ONE, model.site, query_name=model.name.lower(), inverse=link
                    )
                    parent.relations.setdefault(child.name, child)
                model.primary_key = parent.primary_key
            return

    def _reverse(self, relation: Relation) -> None:
        """Adds the reverse side of a relation to its target."""
        target, source = relation.target, relation.model
        if target is None or source.abstract or relation.inverse is not None or relation.kind is Kind.GENERIC_RELATION:
            return
        kinds = {Kind.FOREIGN_KEY: Kind.REVERSE_FOREIGN_KEY, Kind.ONE_TO_ONE: Kind.REVERSE_ONE_TO_ONE, Kind.MANY_TO_MANY: Kind.MANY_TO_MANY}
        kind = kinds.get(relation.kind)
        related, query_name = self._names.get(relation, ("", ""))
        if kind is None or related.endswith("+"):
            return
        if kind is Kind.MANY_TO_MANY and target is source:
            return
        lower = source.name.lower()
        default = lower if kind is Kind.REVERSE_ONE_TO_ONE else f"{lower}_set"
        name = related or default
        reverse = Relation(name, target, source, kind, relation.site, query_name=query_name or related or lower, inverse=relation)
        reverse.optional = relation.optional
        reverse.ordered = bool(source.ordering)
        reverse.through = relation.through
        relation.inverse = reverse
        target.relations.setdefault(name, reverse)

    def _share(self, cls: ClassInfo, model: Model) -> None:
        """Lets children and proxies see what their concrete parents have, reverse relations included."""
        for ancestor in cls.mro[1:]:
            parent = ancestor.model
            if parent is not None and not parent.abstract:
                for name, column in parent.columns.items():
                    model.columns.setdefault(name, column)
                for name, relation in parent.relations.items():
                    if relation.target is not model or relation.kind is not Kind.REVERSE_ONE_TO_ONE:
                        model.relations.setdefault(name, relation)
                if model.proxy:
                    model.primary_key = parent.primary_key

    # ---------------------------------------------------------------------------------------------- targets
    def target(self, node: ir.Expr_ | None, cls: ClassInfo, model: Model) -> Model | None:
        """Returns the model that the first argument of a relation field means, or None."""
        if node is None:
            return None
        if isinstance(node, ir.Const) and isinstance(node.value, str):
            return self.named(node.value, cls.module, model)
        if (node.name if isinstance(node, ir.Attr) else node.id if isinstance(node, ir.Name) else "") == "AUTH_USER_MODEL":
            return self.user()
        match node:
            case ir.Call(args=[ir.Const(value=str() as app), ir.Const(value=str() as name)]) if node.called == "get_model_name":
                return self.named(f"{app}.{name}", cls.module, model)  # of swapper
        symbol = self.program.resolve(node, cls.module, cls)
        if isinstance(symbol, ClassInfo):
            return symbol.model
        if isinstance(symbol, ConstRef) and isinstance(symbol.value, str):
            return self.named(symbol.value, cls.module, model)
        if isinstance(symbol, External):
            if symbol.name == "AUTH_USER_MODEL" or symbol.path.endswith("get_user_model()"):
                return self.user()
            return self.named(symbol.name, cls.module, model) if symbol.package not in ("builtins", "django") else None
        return None

    def named(self, text: str, module: ModuleInfo, model: Model | None) -> Model | None:
        """Returns the model that a lazy reference means: "self", "Model" in the same app, or "app.Model"."""
        if text == "self":
            return model
        if "." in text:
            found = self.by_label.get(".".join(text.split(".")[-2:]).lower(), [])
        else:
            app = model.label.partition(".")[0] if model else self.app_of(module)
            found = self.by_label.get(f"{app}.{text}".lower(), []) or [
                pair for pair in self.by_name.get(text.lower(), []) if pair[0].module is module or len(self.by_name[text.lower()]) == 1
            ]
        if not found:
            return None
        folder = module.path.rpartition("/")[0]
        return max(found, key=lambda pair: (shared_folders(pair[0].module.path, folder), pair[0].module.path))[1]

    def user(self) -> Model | None:
        """Returns the model that AUTH_USER_MODEL names; without a setting the only one of the project that can be it, else auth.User."""
        for module in self.program.modules.values():
            for stmt in module.bindings.get("AUTH_USER_MODEL", ()):
                if isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Const) and isinstance(stmt.value.value, str):
                    found = self.named(stmt.value.value, module, None)
                    if found is not None:
                        return found
        declared = [pair for known in self.by_label.values() for pair in known if not pair[0].module.is_library]
        users = [model for cls, model in declared if not model.abstract and cls.derives_from(*USERS)]
        pairs = self.by_label.get("auth.user")
        return users[0] if len(users) == 1 else pairs[0][1] if pairs else None

    # ---------------------------------------------------------------------------------------------- signals
    def _receivers(self) -> None:
        """Marks the models whose saving or deleting runs receivers of the project."""
        for function in self.program.functions:
            for node in function.node.decorators:
                if isinstance(node, ir.Call) and self._is_receiver(node.func, function):
                    self._mark(node, function.module)
            if function.name == "ready":
                for stmt in function.node.body:
                    self._connect(stmt, function.module)
        for module in self.program.modules.values():
            for stmt in module.tree.body:
                self._connect(stmt, module)

    def _is_changed(self, cls: ClassInfo) -> bool:
        """Whether a decorator may make another class of one, or put attributes on it."""
        symbols = (self.program.resolve(node.func if isinstance(node, ir.Call) else node, cls.module) for node in cls.node.decorators)
        return any(not isinstance(symbol, External) or symbol.package not in {*KNOWN_PACKAGES, "functools"} for symbol in symbols)

    def _is_receiver(self, node: ir.Expr_, function: FunctionInfo) -> bool:
        symbol = self.program.resolve(node, function.module)
        return isinstance(symbol, External) and symbol.path == "django.dispatch.receiver"

    def _connect(self, stmt: ir.Stmt, module: ModuleInfo) -> None:
        match stmt:
            case ir.Expr(value=ir.Call(func=ir.Attr(name="connect", value=ir.Name(id=signal) | ir.Attr(name=signal)))) if (
                signal in SIGNALS | INIT_SIGNALS
            ):
                assert isinstance(stmt.value, ir.Call)
                self._mark(stmt.value, module, frozenset({signal}))
            case ir.Assign(targets=[ir.Attr(value=ir.Name() | ir.Attr() as owner, name=name)]):
                self._patch(owner, name, module)
            case ir.Expr(value=ir.Call(func=ir.Attr(name="add_to_class", value=owner), args=[ir.Const(value=str(name)), _])):
                self._patch(owner, name, module)
            case ir.Expr(value=ir.Call(func=ir.Name(id="setattr"), args=[ir.Name() | ir.Attr() as owner, ir.Const(value=str(name)), _])):
                self._patch(owner, name, module)
            case _:
                pass

    def _patch(self, owner: ir.Expr_, name: str, module: ModuleInfo) -> None:
        """Notes that a statement puts something on a class by which its rows are made, or in the place of a column."""
        cls = self.program.resolve(owner, module)
        if not isinstance(cls, ClassInfo) or cls.model is None:
            return
        for model in self.schema:
            if (model is cls.model or cls.model in model.bases) and (name in MAKING or name in model.columns):
                model.plain_rows = False

    def _mark(self, call: ir.Call, module: ModuleInfo, names: frozenset[str] = SIGNALS) -> None:
        if names is SIGNALS and call.args:
            named = call.args[0].items if isinstance(call.args[0], ir.Seq) else [call.args[0]]
            names = frozenset(n.name if isinstance(n, ir.Attr) else n.id if isinstance(n, ir.Name) else "" for n in named)
        making = not names.isdisjoint(INIT_SIGNALS)
        for model in self._senders(call, module) or (self.schema if making else ()):
            model.has_receivers = model.has_receivers or not names.isdisjoint(SIGNALS)
            model.plain_rows = model.plain_rows and not making
            model.notes_rows = model.notes_rows or making

    def _senders(self, call: ir.Call, module: ModuleInfo) -> list[Model]:
        """Returns the models whose signals a call asks for, all if it names none."""
        sender = next((v for k, v in call.keywords if k == "sender"), None)
        if sender is None:
            return list(self.schema)
        symbol = self.program.resolve(sender, module)
        found = symbol.model if isinstance(symbol, ClassInfo) else None
        if found is None and isinstance(sender, ir.Const) and isinstance(sender.value, str):
            found = self.named(sender.value, module, None)
        return [found] if found is not None else []


def _unread_base(cls: ClassInfo) -> str:
    """Returns the name of an ancestor of which it is not known what it does when a row is written, "" if all of them are known."""
    for external in cls.externals:
        if external.package not in KNOWN_PACKAGES and external.name not in MODEL_BASES:
            return external.name
    own = (ancestor for ancestor in cls.mro if not ancestor.module.is_library)
    unresolved = (node for ancestor in own for node, base in zip(ancestor.node.bases, ancestor.bases, strict=True) if base is None)
    return next((_last_name(node) for node in unresolved), "")


def _last_name(node: ir.Expr_) -> str:
    if isinstance(node, ir.Call):
        node = node.func
    return node.name if isinstance(node, ir.Attr) else node.id if isinstance(node, ir.Name) else "?"


def _const(cls: ClassInfo | None, name: str) -> object:
    """Returns the constant that a class body gives a name, or None."""
    stmts = cls.bindings.get(name) if cls is not None else None
    if stmts and isinstance(stmts[-1], ir.Assign) and isinstance(stmts[-1].value, ir.Const):
        return stmts[-1].value.value
    return None


def _ordering(cls: ClassInfo) -> tuple[str, ...] | None:
    """Returns `Meta.ordering` as it holds for a model, "?" for what is no constant; None if no class that can be read sets it.

    A `Meta` of its own hides those of abstract parents, but not the ordering of a parent that has a table.
    """
    hidden = False
    for ancestor in cls.mro:
        if hidden:
            if ancestor.model is not None and not ancestor.model.abstract:
                return _ordering(ancestor)
            continue
        meta = ancestor.classes.get("Meta")
        if meta is None:
            continue
        ordering = meta.bindings.get("ordering")
        if ordering and isinstance(ordering[-1], ir.Assign):
            value = ordering[-1].value
            items = value.items if isinstance(value, ir.Seq) else [value]
            return tuple(str(i.value) if isinstance(i, ir.Const) else "?" for i in items)
        hidden = not meta.node.bases
    return None


def _ordering_site(cls: ClassInfo) -> Site | None:
    """Returns where the nearest `Meta.ordering` of a model stands."""
    metas = ((ancestor, ancestor.classes["Meta"]) for ancestor in cls.mro if "Meta" in ancestor.classes)
    return next((ancestor.module.site(meta.bindings["ordering"][-1]) for ancestor, meta in metas if "ordering" in meta.bindings), None)
