"""Abstract values: what a Python expression may be, as far as queries are concerned.

    Unknown                             anything; remembers which loops it varies with
    Constant                            a literal
    ClassInfo FunctionInfo ModuleInfo External      names of the program (from `link`)
    Closure BoundMethod Method Super    things to call; a `Method` is one that a table describes
    Row                                 a model instance: where it came from and what is loaded
    QueryObject                         a queryset, Query, Select or Result (from `run.log`)
    Manager                             `Model.objects`, `row.books`
    Scalar                              a number or truth value that a query returned
    Sequence Mapping Instance           containers and objects
    Session                             a SQLAlchemy session or something that behaves like one
    Union                               one of a few

Values are immutable, except containers and instances, which only ever grow. `join` is the least upper bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from typing import Union as OneOf

from msgspec import Struct, field
from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library.functions import HOLDERS, HOLDING_MODULE
from ormlint.link.names import ClassInfo, External, FunctionInfo, ModuleInfo
from ormlint.link.schema import Model, Relation
from ormlint.run.log import Bound, Event, Length, Loaded, LoadPlan, Loop, Origin, QueryObject
from ormlint.run.parts import Pin

if TYPE_CHECKING:
    from ormlint.run.frame import Frame
from ormlint.text import Site

EMPTY: frozenset[int] = frozenset()
EMPTY_PLAN = LoadPlan()
MAX_UNION = 6


class Unknown(Struct, frozen=True):
    """Anything. `deps` are the ids of the loops whose variables it was made from; `present` tells that it is neither None nor false.

    `never` are constants that it surely is not, `among` those one of which it is, if they are known.
    """

    deps: frozenset[int] = EMPTY
    present: bool = False
    never: frozenset[Constant] = frozenset()
    among: frozenset[Constant] = frozenset()


UNKNOWN = Unknown()


class Constant(Struct, frozen=True):
    """A literal value."""

    value: str | int | float | bool | None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


NONE = Constant(None)


class Closure(Struct, frozen=True, eq=False):
    """A function or lambda defined inside another one; `frame` is where its free names live."""

    function: FunctionInfo | None
    frame: Frame
    body: ir.Lambda | None = None


class BoundMethod(Struct, frozen=True):
    """A project function with its first argument."""

    function: FunctionInfo
    self: Value


class Method(Struct, frozen=True):
    """A method that a table of the library describes: `receiver.name`."""

    receiver: Value
    name: str


class Super(Struct, frozen=True):
    """`super()` in a method of `owner`, bound to `self`."""

    owner: ClassInfo
    self: Value


class Row(Struct, frozen=True, eq=False):
    """A model instance.

    `origin` is None if it is not known where the row came from; then nothing that depends on what was loaded can be said.
    `births` are the loops in which a new row is met per round, outermost first. `plan` tells what is loaded on it.
    `fresh` is a row made by the program and not read from the database.
    """

    model: Model
    cls: ClassInfo | None = None
    origin: Origin | None = None
    plan: LoadPlan = EMPTY_PLAN
    births: tuple[Loop, ...] = ()
    fresh: bool = False
    assigned: tuple[str, ...] = ()
    constant: bool = True  # every value assigned so far is a constant
    awaited: bool = False  # read through `awaitable_attrs`
    single: bool = False  # found by a query for one row, or the program made it
    added: bool = False  # a new row that a session holds
    deleted: bool = False  # by a session, with the next flush
    expired: Site | None = None  # the commit since which nothing of it is loaded
    stale: bool = False  # a commit has expired it, and nothing has read it since, in a block that will close its session
    detached: Site | None = None  # where its session was opened, which is closed
    known: tuple[Pin, ...] = ()  # what the tests on the way tell of its columns: `assert task.state in OPEN`
    sought: bool = False  # a loop has picked it out of others for a value that it looked for


class Manager(Struct, frozen=True, eq=False):
    """`Model.objects` or, with a row, a related manager such as `author.books`. `cls` is the project's manager class."""

    model: Model
    cls: ClassInfo | None = None
    row: Row | None = None
    relation: Relation | None = None
    loaded: Loaded | None = None
    site: ir.Node | None = None
    queryset_cls: ClassInfo | None = None


class Scalar(Struct, frozen=True, eq=False):
    """A number or truth value that the database returned, or the length of rows; its uses are recorded there."""

    source: Event | Length


class Sequence(Struct, eq=False):
    """A list, tuple, set, generator or iterator. `items` are the elements of a display or tuple whose length is known."""

    kind: str
    element: Value = UNKNOWN
    items: tuple[Value, ...] | None = None
    bound: Bound = Bound.MANY
    limit: int | None = None
    source: QueryObject | None = None
    deps: frozenset[int] = EMPTY
    batches: bool = False
    column: str = ""  # for a generator over rows of `source`: the only column it reads
    columns: frozenset[str] | None = None  # made of nothing but these attributes of the rows of `source`; None if it may hold the rows
    sifted: bool = False  # made of some of the rows of `source`, which its columns decide
    picked: bool = False  # some rounds of a loop put a row into it


class Mapping(Struct, eq=False):
    """A dict. `known` holds entries with constant keys, `element` joins all others."""

    known: dict[str, Value] = field(default_factory=dict)
    key: Value = UNKNOWN
    element: Value | None = None
    source: QueryObject | None = None


_CLASS_KEY = "class "


def entry_name(key: Value) -> str | None:
    """Returns the name of the entry that a dict keeps apart under a key: a text or a class of the program; None for other keys."""
    if isinstance(key, ClassInfo):
        return f"{_CLASS_KEY}{key.module.name}:{key.qualname}"
    return key.value if isinstance(key, Constant) and isinstance(key.value, str) else None


def any_entry(mapping: Mapping) -> Value | None:
    """Returns what a key that is not known may find in a dict, as far as its other keys are no texts; None if they all are."""
    found = mapping.element
    for name, value in mapping.known.items():
        if name.startswith(_CLASS_KEY):
            found = value if found is None else join(found, value)
    return found


class Rendered(Mapping, eq=False):
    """The text of a template, as the entries of the context that it shows: what becomes of them is known from the template."""


class Instance(Struct, eq=False):
    """An object of a project class (or of a class of the library's stubs)."""

    cls: ClassInfo
    attributes: dict[str, Value] = field(default_factory=dict)
    initialised: bool = False
    deps: frozenset[int] = EMPTY
    model: Model | None = None


def is_holder(cls: ClassInfo) -> bool:
    """Whether objects of a class only hold the query that they are given, so that all that is done with it can be seen."""
    return cls.name in HOLDERS and cls.module.name == HOLDING_MODULE


class Session(Struct, frozen=True):
    """A SQLAlchemy session, scoped session or something used as one."""

    is_async: bool = False
    births: tuple[Loop, ...] = ()  # the loops in which it is a new session per round
    made_in: int = 0  # the number of the frame that opened it
    proven: bool = True  # its type is known: False for what is but used as one, of whichever kind


class Descriptor(Struct, frozen=True):
    """A mapped attribute on the class: `Book.author`, `Book.title` (SQLAlchemy), used to build queries and loader options."""

    model: Model
    name: str
    relation: Relation | None = None


class Option(Struct, frozen=True, eq=False):
    """A loader option: which path it loads and how.

    `children` are options for the rows at the end of the path, or for those that have `hops` further steps behind them.
    """

    path: tuple[str, ...]
    kinds: tuple[str, ...]
    model: Model | None = None
    columns: tuple[str, ...] = ()
    children: tuple[Option, ...] = ()
    hops: int = 0
    sites: tuple[Site, ...] = ()  # of the call that makes each step of the path
    inner: tuple[bool, ...] = ()  # by step: whether the call says how it joins, `innerjoin=True`

    def _told_apart_by(self) -> tuple[object, ...]:
        return self.path, self.kinds, self.model, self.columns, self.children, self.hops

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Option) and self._told_apart_by() == other._told_apart_by()

    def __hash__(self) -> int:
        return hash(self._told_apart_by())


class Native(Struct, frozen=True, eq=False):
    """A function of the library that is written in Python within ormlint."""

    name: str
    call: Callable[..., Value]
    bound: Value | None = None


class Union(Struct, frozen=True, eq=False):
    """One of a few values."""

    options: tuple[Value, ...]


Value = OneOf[
    Unknown,
    Constant,
    Closure,
    BoundMethod,
    Method,
    Super,
    Row,
    Manager,
    Scalar,
    Sequence,
    Mapping,
    Instance,
    Session,
    Descriptor,
    Option,
    Native,
    Union,
    QueryObject,
    ClassInfo,
    FunctionInfo,
    ModuleInfo,
    External,
]


CONSTANT_TYPES = frozenset({Constant, ClassInfo, External, FunctionInfo, ModuleInfo, Closure, Descriptor, Option, Session, type(None)})
"""Kinds of values that are the same in every round of every loop."""


def options(value: Value) -> tuple[Value, ...]:
    """Returns the alternatives of a value."""
    return value.options if isinstance(value, Union) else (value,)


def may_differ(value: Value, depth: int = 0) -> bool:
    """Whether two rounds of a loop may have different ones of a few values: `state = "old" if author.age > 50 else "young"`."""
    if isinstance(value, Mapping) and depth < 3:
        return any(may_differ(item, depth + 1) for item in (*value.known.values(), value.element) if item is not None)
    return isinstance(value, Union)


def deps_of(value: Value | None, depth: int = 0) -> frozenset[int]:
    """Returns the ids of the loops that a value varies with."""
    kind = type(value)
    if kind in CONSTANT_TYPES:
        return EMPTY
    if kind is Unknown:
        return value.deps  # type: ignore[union-attr]
    match value:
        case Instance():
            return value.deps
        case Row():
            births = value.births
            return EMPTY if not births else frozenset((births[0].id,)) if len(births) == 1 else frozenset([loop.id for loop in births])
        case Sequence():
            found = value.deps
            if depth < 3:
                for item in value.items if value.items is not None else (value.element,):
                    found |= deps_of(item, depth + 1)
            return found
        case Mapping() if depth < 3:
            found = deps_of(value.element, depth + 1)
            for item in value.known.values():
                found |= deps_of(item, depth + 1)
            return found
        case QueryObject():
            return value.parameters
        case Manager():
            return deps_of(value.row)
        case Scalar():
            return value.source.depends
        case BoundMethod():
            return deps_of(value.self)
        case Method():
            return deps_of(value.receiver, depth + 1) if depth < 3 else EMPTY
        case Union():
            return frozenset().union(*(deps_of(o, depth + 1) for o in value.options)) if depth < 4 else EMPTY
        case _:
            return EMPTY


def varying(values: Iterable[Value | None]) -> Unknown:
    """Returns an unknown value that varies with whatever the given values vary with."""
    deps = EMPTY
    for value in values:
        if type(value) not in CONSTANT_TYPES:
            more = deps_of(value)
            if more:
                deps |= more
    return Unknown(deps) if deps else UNKNOWN


def join(left: Value, right: Value) -> Value:
    """Returns a value that stands for either; at most a few alternatives are kept apart."""
    if left is right:
        return left
    kind = type(left)
    if kind is Unknown or type(right) is Unknown:
        return varying((left, right))
    if kind is type(right):
        if left == right:
            return left
        if isinstance(left, Row) and isinstance(right, Row) and _same_row(left, right):
            kept = right if left.sought else left
            return kept if left.known == right.known else replace(kept, known=())
        if isinstance(left, Sequence) and isinstance(right, Sequence):
            return join_sequences(left, right)
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            return _join_mappings(left, right)
        if isinstance(left, Manager) and isinstance(right, Manager) and left.model is right.model and left.row is None and right.row is None:
            return left
    merged: list[Value] = []
    for option in (*options(left), *options(right)):
        if isinstance(option, Unknown):
            return varying((left, right))
        for known in merged:
            if _same(option, known):
                break
        else:
            merged.append(option)
    if len(merged) > MAX_UNION:
        return varying((left, right))
    return merged[0] if len(merged) == 1 else Union(tuple(merged))


def only_queries(value: Value) -> bool:
    """Whether a value is a query or a list of its rows, or one of several queries; not if something else may stand there instead."""
    return not isinstance(value, Union) or all(isinstance(option, QueryObject) for option in value.options)


def _same(left: Value, right: Value) -> bool:
    if left is right:
        return True
    if isinstance(left, Row) and isinstance(right, Row):
        return left.known == right.known and _same_row(left, right)
    return type(left) is type(right) and left == right


def _same_row(left: Row, right: Row) -> bool:
    same = left.model is right.model and left.plan is right.plan and left.births == right.births and left.assigned == right.assigned
    same = same and left.expired == right.expired and left.detached == right.detached and left.stale == right.stale
    if not same or left.origin is right.origin:
        return same
    return left.origin is not None and right.origin is not None and left.origin == right.origin


def join_sequences(left: Sequence, right: Sequence) -> Sequence:
    """Returns a sequence that stands for either; elements at one place of two of the same length are joined."""
    if not left.items and left.items is not None:
        return right
    if not right.items and right.items is not None:
        return left
    items = None
    if left.items is not None and right.items is not None and len(left.items) == len(right.items):
        items = tuple(join(a, b) for a, b in zip(left.items, right.items, strict=True))
    element = join(element_of(left), element_of(right))
    source = left.source if left.source is right.source else None
    (bound, limit), (other, further) = _size(left), _size(right)
    most = None if limit is None or further is None else max(limit, further)
    both = Sequence(left.kind, element, items, max(bound, other), most, source, left.deps | right.deps, left.batches and right.batches)
    both.picked = left.picked or right.picked
    return both


def _size(sequence: Sequence) -> tuple[Bound, int | None]:
    """Returns how many elements a sequence has: of a display it is known."""
    return (sequence.bound, sequence.limit) if sequence.items is None else (Bound.FEW, len(sequence.items))


def _join_mappings(left: Mapping, right: Mapping) -> Mapping:
    known = dict(left.known)
    for name, value in right.known.items():
        known[name] = join(known[name], value) if name in known else value
    element = left.element if right.element is None else right.element if left.element is None else join(left.element, right.element)
    return Mapping(known, join(left.key, right.key), element, left.source if left.source is right.source else None)


def element_of(sequence: Sequence) -> Value:
    """Returns what an element of a sequence may be."""
    if sequence.items is None:
        return sequence.element
    if not sequence.items:
        return Unknown(sequence.deps)
    found = sequence.items[0]
    for item in sequence.items[1:]:
        found = join(found, item)
    return found


_KEYS_OF_THEIR_OWN = frozenset({Session, External, Descriptor, Option})
_BY_IDENTITY = frozenset({QueryObject, ClassInfo, FunctionInfo, ModuleInfo, Closure, Native, Scalar})


def plan_key(plan: LoadPlan) -> object:
    """Returns something hashable that is equal for load plans with the same content, made at the same places."""
    if plan is EMPTY_PLAN:
        return None
    loaded = (
        frozenset(
            [
                (name, each.kind, each.certain, each.custom, each.ordered, each.to_attr, each.method, each.site, plan_key(each.plan))
                for name, each in plan.loaded.items()
            ]
        )
        if plan.loaded
        else None
    )
    return (loaded, plan.deferred, plan.only, plan.annotated) if plan.deferred or plan.only is not None or plan.annotated else loaded


def key_of(value: Value, depth: int = 0) -> object:
    """Returns something hashable that is equal for values which a function cannot tell apart."""
    kind = type(value)
    if kind is Unknown:
        told = value.deps if depth == 0 else bool(value.deps)  # type: ignore[union-attr]
        if value.never or value.among:  # type: ignore[union-attr]
            return (told, value.never, value.among)  # type: ignore[union-attr]
        return (told, "present") if value.present else told  # type: ignore[union-attr]
    if kind is Constant:
        return (type(value.value), value.value)  # type: ignore[union-attr]
    if kind in _KEYS_OF_THEIR_OWN:
        return value
    if kind in _BY_IDENTITY:
        return id(value)
    match value:
        case Row():
            if value.detached is not None:
                return (id(value.model), "detached", id(value.origin), value.detached, plan_key(value.plan), value.stale, len(value.births))
            if value.expired is not None:
                return (id(value.model), "expired", id(value.origin), value.expired, value.assigned)
            if value.origin is None:
                return (id(value.model), value.fresh, bool(value.births), plan_key(value.plan), value.known)
            origin = (id(value.origin.query), value.origin.path, len(value.origin.query.pins))  # an assignment takes pins away
            return (id(value.model), origin, plan_key(value.plan), tuple(loop.id for loop in value.births), value.fresh, value.sought, value.known)
        case Sequence():
            if depth > 2:
                return "seq"
            items = tuple(key_of(i, depth + 1) for i in value.items) if value.items is not None else key_of(value.element, depth + 1)
            return (value.kind, items, value.bound, id(value.source), value.picked)
        case Mapping():
            if depth > 2:
                return "map"
            known = tuple((name, key_of(item, depth + 1)) for name, item in value.known.items())
            return ("map", known, key_of(value.element, depth + 1) if value.element is not None else None)
        case Instance():
            if depth > 2:
                return id(value.cls)
            return (id(value.cls), bool(value.deps), tuple((name, key_of(item, depth + 1)) for name, item in value.attributes.items()))
        case Manager():
            return (
                "manager",
                id(value.model),
                id(value.cls),
                key_of(value.row) if value.row is not None else None,
                value.relation and value.relation.name,
            )
        case BoundMethod():
            return ("bound", id(value.function), key_of(value.self, depth + 1) if depth < 3 else None)
        case Method():
            return ("method", value.name, key_of(value.receiver, depth + 1) if depth < 3 else None)
        case Union():
            return tuple(key_of(o, depth + 1) for o in value.options)
        case Super():
            return ("super", id(value.owner), key_of(value.self, depth + 1))
        case _:
            return id(value)
