"""The query log: what the program would ask of its database.

This is the read model that rules judge. The abstract interpreter writes it; a log built by hand serves as well.
Nothing refers to syntax: a place is a `Site`, a loop is a `Loop`, a queryset is a `QueryObject` with all that was done to it.

    Event ──query──► QueryObject ──uses──► Use            which query object an event belongs to, and its life
      │──row────►  Origin(query, path)                    for work on a row: the query the row came from
      │──loops──►  (Loop, Loop, …)                        outermost first: what repeats the event
      └──calls──►  (Site, …)                              the calls between the outermost loop and the event
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from ormlint.link.failing_imports import Missing
from ormlint.link.schema import Model, Orm, Relation, Schema
from ormlint.problem import Problem
from ormlint.run.parts import Aggregate, Pin, Recipe, Statistics
from ormlint.run.reach import Functions
from ormlint.text import Site

NOWHERE = Site("", 0, 0)


class Op(str, enum.Enum):
    """What an event does to the database, one statement each unless said otherwise."""

    LOAD_ROWS = "load rows"  # a query object is evaluated: all its rows are fetched (plus one statement per prefetch)
    GET_ROW = "get row"  # at most one row: get(), first(), [0], one(), session.get()
    COUNT = "count"
    EXISTS = "exists"
    AGGREGATE = "aggregate"
    LAZY_OBJECT = "lazy object"  # a to-one relation of a row is read and was not loaded
    LAZY_COLLECTION = "lazy collection"  # a to-many relation of a row is evaluated and was not loaded
    LAZY_COLUMN = "lazy column"  # a deferred column of a row is read
    SAVE = "save"  # row.save()
    CREATE = "create"  # Model.objects.create(), Model(...).save()
    GET_OR_CREATE = "get or create"
    DELETE = "delete"  # row.delete(), session.delete(row)
    UPDATE_ROWS = "update rows"  # queryset.update()
    DELETE_ROWS = "delete rows"  # queryset.delete()
    BULK_WRITE = "bulk write"
    LINK = "link"  # row.m2m.add(), set(), remove(), clear()
    INSERT = "insert"  # session.execute(insert(Model))
    ADD = "add"  # session.add(row): no statement until the flush
    MERGE = "merge"  # session.merge(row): the row is fetched, unless the session holds it; written by the flush
    BEGIN = "begin"  # a block in a loop begins a transaction, or sets a savepoint: atomic(), session.begin_nested()
    FLUSH = "flush"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    REFRESH = "refresh"
    RELOAD = "reload"  # an attribute is read of a row that a commit has expired: the row is fetched again
    FAILED_LOAD = "failed load"  # what is not loaded is read where nothing can be loaded: the program stops there, see `obstacle`
    EXECUTE = "execute"  # raw SQL or a statement that is not understood further
    ENGINE = "engine"  # an engine is made, and with it a pool of connections: create_engine(). No statement
    SHARE = "share"  # coroutines that run at the same time work with one session, `column`. No statement of its own
    BLOCK = "block"  # an async function has the event loop wait for a statement, its own or one of a function it calls


class Obstacle(str, enum.Enum):
    """Why something that is not loaded cannot be loaded when it is read."""

    ASYNCHRONOUS = "asynchronous"  # the row belongs to an AsyncSession, and this is not awaited
    FORBIDDEN = "forbidden"  # raiseload, lazy="raise"
    EXPIRED = "expired"  # a commit has expired the row of an AsyncSession
    DETACHED = "detached"  # the session of the row is closed


READS = frozenset({Op.LOAD_ROWS, Op.GET_ROW, Op.COUNT, Op.EXISTS, Op.AGGREGATE})

CHANGED = "(…)"  # among the methods of a query: something that is not understood has changed it


class Bound(enum.IntEnum):
    """How many rows a query gives or how often a loop runs."""

    ONE = 1
    FEW = 2  # a constant known to be small, see `limit`
    PAGE = 3  # as many as a page has
    MANY = 4  # grows with the data


class UseKind(str, enum.Enum):
    """What is done with a query object or with the number or truth value that one of its methods returned."""

    ITERATE = "iterate"  # for, comprehension, list(), sorted(), * …: see `operator`, "break" for a loop that always ends in its first round
    LEN = "len"
    TRUTH = "truth"  # if, not, and/or, bool(), while, assert
    COMPARE = "compare"  # with a constant: see `operator`, `constant`
    CONTAINS = "contains"  # x in query
    INDEX = "index"  # query[3]: see `constant`
    AGGREGATE = "aggregate"  # consumed whole by sum(), min(), max()… in Python: see `operator` for which
    METHOD = "method"  # a method that runs a statement of its own: see `operator`
    DERIVE = "derive"  # another query object is made from it: filter(), all(), slice …
    ARGUMENT = "argument"  # passed to something that is not understood, or a parameter of a query: see `operator` ("author__in")
    RETURN = "return"  # returned, from a function that nobody in the project calls or whose caller goes on with it
    STORE = "store"  # kept in an attribute, a container, a context
    RENDER = "render"  # given to a template, a serializer or a response
    OTHER = "other"  # arithmetic, formatting …
    DISCARD = "discard"  # an expression statement


class Use(Struct, eq=False):
    """One thing that is done with a query object or a derived number."""

    kind: UseKind
    site: Site
    operator: str = ""
    constant: object = None
    negated: bool = False  # under `not`
    reflected: bool = False  # `0 < qs.count()`: the constant stands on the left
    certain: bool = True  # False if something else may stand there instead, such as None; for a truth test
    listed: bool = False  # it concerns the list that was made of a query's rows, not the query
    made: bool = False  # it concerns a list that was made from its rows, such as a comprehension gives, or that it may be itself
    either: bool = False  # something that is no query, None or a list, may stand there instead; for a truth test, `len()` and a search
    repeated: bool = False  # in a loop around which the query is made, or in another function; for a search, a loop and an argument
    columns: frozenset[str] | None = None  # the attributes it reads of each row; None if it may read all
    sieve: frozenset[tuple[str, str]] = frozenset()  # for a loop that uses but some of the rows: the columns that decide, and how they are compared
    sifted: bool = False  # it concerns a list of those rows alone that a comprehension let through
    again: bool = False  # on every way to it the rows of a result or an iterator have been taken already: there are none left
    held: bool = True  # False for a loop that is proven to keep neither its rows nor anything else for each of them
    length: Length | None = None  # for `len()`: the number it gives
    sought: Match | None = None  # for a search: the row that is looked for, or that row and the attribute of it that is


class Tracked(Struct, eq=False):
    """A value whose every use is recorded."""

    uses: list[Use] = field(default_factory=list)
    parent: Tracked | None = None  # the object of the callee this was returned from
    heirs: list[Tracked] = field(default_factory=list)  # what it became where two ways of control met

    def all_uses(self) -> Iterator[Use]:
        """Yields the uses here and in the functions the value was returned from."""
        yield from self.uses
        for heir in self.heirs:
            yield from heir.uses
        seen = self.parent
        while seen is not None:
            yield from (use for use in seen.uses if use.kind is not UseKind.RETURN)
            seen = seen.parent


class Length(Tracked, eq=False):
    """The number of rows that `len()` has counted."""

    depends: frozenset[int] = frozenset()


class LoadKind(str, enum.Enum):
    """How a relation is loaded along with the rows."""

    JOIN = "join"  # select_related, joinedload, contains_eager
    SEPARATE = "separate"  # prefetch_related, selectinload, subqueryload: one more statement
    KNOWN = "known"  # filled without a query: back-reference, assignment
    RAISE = "raise"  # raiseload, lazy="raise": reading it is an error, not a query


class LoadPlan(Struct, frozen=True):
    """Which relations and columns a query loads: a tree of relation names.

    `certain` is False for a relation that only some of the ways to this point load.
    `deferred` / `only` name columns (`only` is None when all are loaded); "?name" is deferred on some ways to this point, "?*" is one not known.
    `custom` marks a Prefetch with its own queryset; `to_attr` the attribute that then holds its list.
    `annotated` are the attributes that the rows have besides, as `annotate(…)` computes them.
    """

    loaded: dict[str, Loaded] = field(default_factory=dict)
    deferred: frozenset[str] = frozenset()
    only: frozenset[str] | None = None
    annotated: frozenset[str] = frozenset()

    def leaves_out(self, relation: Relation) -> bool:
        """Whether the rows may come without the key of a relation, so that it cannot be joined."""
        names = {relation.name, relation.attname}
        lacks = self.only is not None and bool(relation.attname) and not self.only & names
        return lacks or not self.deferred.isdisjoint({"?*", *names, *(f"?{name}" for name in names)})

    def paths(self, prefix: str = "") -> Iterator[str]:
        """Yields every loaded lookup path, parents before children."""
        for name, entry in self.loaded.items():
            yield prefix + name
            yield from entry.plan.paths(f"{prefix}{name}__")


class Loaded(Struct, frozen=True, eq=False):
    """One relation of a load plan.

    `method` is the loader that asks for it ("joinedload"), or the `lazy` of the mapping that does ("lazy=joined"), `site` where that stands.
    """

    kind: LoadKind
    plan: LoadPlan
    certain: bool = True
    custom: bool = False
    ordered: bool = False
    to_attr: str = ""
    method: str = ""
    site: Site = NOWHERE
    inner: bool = False  # it says how it joins: `joinedload(…, innerjoin=True)`

    def _told_apart_by(self) -> tuple[object, ...]:
        return self.kind, self.plan, self.certain, self.custom, self.ordered, self.to_attr, self.method

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loaded) and self._told_apart_by() == other._told_apart_by()

    def __hash__(self) -> int:
        return hash(self._told_apart_by())


class Shape(str, enum.Enum):
    """What iterating over a query object gives."""

    ROWS = "rows"  # model instances
    TUPLES = "tuples"  # values(), values_list(), column selects: nothing is ever loaded lazily
    UNKNOWN = "unknown"


class Join(Struct, frozen=True):
    """A relation that a query joins by name, `.join(Book.author)`, and the place of that."""

    relation: Relation
    site: Site


class Match(Struct, frozen=True):
    """A lookup by which a query asks for what belongs to a row: "author" of `Book.objects.filter(author=author)`, and where the row came from."""

    lookup: str
    row: Origin


class QueryObject(Tracked, eq=False):
    """A queryset, Query, Select or Result as the program holds it; also the source of rows.

    `site` is the expression that builds it, from the manager or session on, in its first statement; `steps` are the
    expressions of the later statements that refine it, in order.
    """

    model: Model | None = None
    orm: Orm = Orm.DJANGO
    site: Site = NOWHERE
    steps: tuple[Site, ...] = ()
    trail: tuple[Site, ...] = ()  # the steps and the calls that returned it to other functions, in order: what comes after `site`
    function: str = ""  # qualified name of the function that builds it
    plan: LoadPlan = field(default_factory=LoadPlan)
    shape: Shape = Shape.ROWS
    bound: Bound = Bound.MANY
    limit: int | None = None
    style: str = "queryset"  # queryset | manager | related | query | select | result | list
    relation: Relation | None = None  # for `row.books.all()`: the relation it reads
    methods: tuple[str, ...] = ()  # names of the methods of the chain, in order, of all statements
    locked: bool = False  # select_for_update / with_for_update
    sliced: bool = False
    paged: Site | None = None  # where it was cut at an offset that varies: one page of several; the query itself if a framework cuts it
    combined: bool = False  # union, intersection, difference
    distinct: bool = False
    raw: bool = False
    cached: bool = False  # the rows are already at hand: prefetched, or a list
    flat_column: str = ""  # for `values_list("pages", flat=True)` and `select(Book.pages)`: the only column
    owner: Origin | None = None  # for `row.books`: where that row came from
    filters: frozenset[str] = frozenset()  # lookups of filter(), get(), …; those of exclude() end in `__not`; "?name" as some ways ask, see merging
    stated: frozenset[str] = frozenset()  # those of `filters` whose value the program text states: `filter(name="")`
    pins: tuple[Pin, ...] = ()  # Django: the conditions that tell what a column of its rows is
    matches: tuple[Match, ...] = ()  # Django: those of the lookups of filter() and get() that are compared with rows
    ordering: tuple[str, ...] | None = None  # what it is sorted by, "-day" downwards, "?" for what is no column; None if it does not say
    parameters: frozenset[int] = frozenset()  # ids of the loops whose variables its parameters depend on
    varied: frozenset[int] = frozenset()  # Django: of those, the loops with which the value of a lookup varies
    sets: frozenset[int] = frozenset()  # Django: of those, the loops with which the list of an `__in` lookup varies
    unkeyed: frozenset[int] = frozenset()  # Django: of those, the loops with which the value of a lookup varies that is no key: `day__lt`
    joins: tuple[Join, ...] = ()  # SQLAlchemy: the relations that it joins; that alone loads nothing
    aggregates: tuple[Aggregate, ...] = ()  # Django: those that `annotate()` computes over collections
    dropped: frozenset[str] = frozenset()  # Django: prefetched relations that `iterator()` without a chunk size does not accept
    follows: bool = False  # Django: `select_related()` without arguments, which follows all relations that are not nullable
    batched: bool = False  # its rows are fetched in batches: `yield_per`, `iterator(chunk_size=…)`
    session: str = ""  # SQLAlchemy: the variable or attribute that it is run by, with the assignment that this has its value from; "" if not known
    asynchronous: bool = False  # run by an AsyncSession: what it does not load cannot be loaded lazily
    complete: bool = True  # False if something unknown may have changed what it loads
    ways: tuple[QueryObject, ...] = ()  # for one that stands for either of two, `if new: books = …` and `else: books = …`: those two
    generic: bool = False  # the same expression builds queries of other models too: `self.model.objects.all()`
    own: Site = NOWHERE  # of a generic query: where it becomes, or is run as, a query of its model alone
    recipe: Recipe | None = None  # what it asks for
    made_from: QueryObject | None = None  # the query object of which a method made it
    refined_by: frozenset[str] = frozenset()  # the methods that made others of it, and others of those; "query" if its SQL is read
    plain: bool = True  # Django: False if its class says itself what its truth, its number or its rows are
    loads_itself: bool = False  # Django: its class or manager says itself what `select_related()` and `prefetch_related()` do
    filled: dict[tuple[str, ...], str] = field(default_factory=dict)  # by path: which function assigns that relation to its rows in loops
    altered: set[tuple[str, ...]] = field(default_factory=set)  # Django: paths to the rows whose attributes the program assigns, () for its own

    def followed_to(self, site: Site) -> tuple[Site, ...]:
        """Returns the trail of a query that goes on at a place: `shop.books` and then `shop.books.all()` are one expression."""
        last = self.trail[-1] if self.trail else NOWHERE
        goes_on = (last.path, last.start) == (site.path, site.start) and last.end <= site.end
        return (*self.trail[:-1], site) if goes_on else (*self.trail, site)

    def every_way(self) -> tuple[QueryObject, ...]:
        """Returns the query object and those that it stands for, and so on to their ends, each once: a loop merges the merged again."""
        if not self.ways:
            return (self,)
        found = {self: None}
        waiting = [self]
        while waiting:
            further = [way for way in waiting.pop().ways if way not in found]
            found.update(dict.fromkeys(further))
            waiting += further
        return tuple(found)

    def lineage(self) -> Iterator[QueryObject]:
        """Yields the query object and those that it was made from or returned as, to the first."""
        seen: Tracked | None = self
        while isinstance(seen, QueryObject):
            yield seen
            seen = seen.parent or seen.made_from

    def has(self, *names: str) -> bool:
        """Whether one of these methods stands in the chain."""
        return any(name in self.methods for name in names)


class Loop(Struct, frozen=True):
    """Something that runs its body once per element.

    `id` is unique within a run. `source` is the query object whose rows it walks, if it is one.
    """

    id: int
    site: Site  # `for x in rows` without the body; the whole comprehension
    body: Site
    kind: str  # for | while | comprehension | callback | template | framework
    bound: Bound = Bound.MANY
    limit: int | None = None
    variable: str = ""
    source: QueryObject | None = None
    first_only: bool = False  # leaves unconditionally in the first round
    searches: bool = False  # may leave early on a condition
    batches: bool = False  # walks chunks, pages or offsets: one query per round is the point
    polls: bool = False  # waits in between: a worker, a retry, a poll
    yields: bool = False  # hands something on in some of its rounds, to who may want no more
    decisive: tuple[Site, ...] = ()  # of a search, the expressions in its body that decide if it has found what it looks for
    groups: bool = False  # walks keys with what is collected for each: `for shop, books in by_shop.items()`
    confines: bool = False  # each round sees the rows of one tenant alone, whose schema or scope it enters
    picks: bool = False  # walks a list that some rounds of another loop put rows into


class Origin(Struct, frozen=True):
    """Where a row came from: a query object and the lookup path from its rows to this row ("" for the rows themselves)."""

    query: QueryObject
    path: tuple[str, ...] = ()


class Circumstances(Struct, frozen=True):
    """What surrounds an event and may make it deliberate."""

    error_path: bool = False  # in an except block, or on a way that ends in raise
    conditional: bool = False  # under an if within the innermost loop
    guarded_by_cache: bool = False  # `if key not in cache:` or a memoised function around it
    isolated: bool = False  # in a try whose handler rolls back or goes on to the next element
    transaction: bool = False  # inside atomic() / begin()
    asynchronous: bool = False
    external: bool = False  # the same round also sends a mail, calls a service, queues a task …
    answered: bool = False  # in a try that catches ValueError, which the largest of no values raises: `max([])`


class Event(Tracked, eq=False):
    """One thing the program asks of the database. `uses` tells what becomes of a returned number or truth value."""

    op: Op = Op.EXECUTE
    site: Site = NOWHERE
    model: Model | None = None
    orm: Orm = Orm.DJANGO
    query: QueryObject | None = None
    row: Origin | None = None
    relation: Relation | None = None
    use: UseKind = UseKind.OTHER  # for LOAD_ROWS and LAZY_COLLECTION: what made it run
    method: str = ""  # the method or function that ran it
    loops: tuple[Loop, ...] = ()
    calls: tuple[Site, ...] = ()
    callees: tuple[str, ...] = ()  # names of the functions called at `calls`
    depends: frozenset[int] = frozenset()  # ids of loops whose variables decide what it asks for
    text: str = ""  # the expression as the user wrote it, shortened: "book.author"
    constant: bool = False  # for SAVE: every assignment before it in the loop is a constant; for UPDATE_ROWS: no value varies with a loop
    assigned: tuple[str, ...] = ()  # for SAVE: fields assigned since the row was read; for REFRESH: those that are named, "*" for unknown ones;
    # for LAZY_OBJECT: the key, if it is not the one that the row was read with
    # for UPDATE_ROWS: the fields that are set; for GET_OR_CREATE: the lookups that a row is looked for by; for LINK: the keyword arguments
    # for AGGREGATE: the functions and lookups that are asked for, "Sum", "price"
    column: str = ""
    path: tuple[str, ...] = ()  # lookup path of the relation from the rows of `row.query`: ("author", "country")
    function: str = ""  # qualified name of the function the event stands in
    absolute: bool = False  # `loops` are those around the row or query it works on, whoever calls the function
    row_loops: tuple[Loop, ...] = ()  # for work on a row: those of `loops` in which it is a new row per round
    sought: bool = False  # for work on a row: a loop has picked it out of others for a value that it looked for
    reentered: bool = False  # for work on a row: the function that asked for the row has been called again on the way, by what is done with it
    bypasses: bool = False  # the relation is prefetched, but this way of reading it runs a query all the same
    certain: bool = True  # False if on some ways to this point the relation is loaded
    through: str = ""  # the relation that the association proxy follows which is read: `order.product` may be `order.line.product`
    key: Site | None = (
        None  # for LAZY_OBJECT: the expression that reads of the row nothing but its primary key, `column`, or only asks for its presence
    )
    around: Circumstances = Circumstances()
    obstacle: Obstacle | None = None  # for FAILED_LOAD
    since: Site | None = None  # for RELOAD, and for FAILED_LOAD of an expired row: the commit; of a detached one: its session
    factory: Site | None = None  # for FAILED_LOAD of an expired row: the call that makes all asynchronous sessions of the program
    recipe: Recipe | None = None  # what a reading statement asks for, the arguments of its last method included
    earlier: tuple[Event, ...] = ()  # statements about the same rows that every way to this one has run, with nothing written in between
    unchanged: frozenset[int] = frozenset()  # ids of the loops in whose every round it asks the same and gets the same answer
    way: tuple[tuple[Site, bool], ...] = ()  # the tests that it (a commit: the call to it) stands under in its function, and whether they held
    tests: int = 0  # for work on a row of a loop: those of the functions that are called on the way from there, which it all stands under
    waits: bool = False  # the thread that runs it waits for the answer: nobody awaits it, and it is known that it gives no coroutine
    settings: tuple[tuple[str, object], ...] = ()  # for ENGINE: its keyword arguments, constants and names by what they are
    requests: str = ""  # for ENGINE: the view or dependency that makes one each time
    counted: tuple[tuple[Loop, ...], tuple[Loop, ...]] | None = None  # `loops` and those of them that count, once judging has asked

    def repeated_by(self, at_least: Bound = Bound.PAGE) -> Loop | None:
        """Returns the innermost loop that repeats the event at least that often, or None."""
        return next((loop for loop in reversed(self.loops) if loop.bound >= at_least and not loop.first_only), None)


class Pages(Struct, frozen=True):
    """A pagination class of REST framework that lets the client choose the size of the page without an end.

    `site` is the head of the class, NOWHERE for one of the framework's own; `limit` the attribute that would set an end.
    """

    name: str
    site: Site
    limit: str


class Endpoint(Struct, eq=False):
    """An HTTP endpoint, or another place where rows leave the program as a whole list.

    `name` is what people call it ("BookListView", "GET /books"). `query` is the query object whose rows it returns.
    `paginated` tells that a page is cut from the query by the framework, `shown_by_template` that the rows are part of a page
    for people.
    """

    name: str
    framework: str  # django | drf | fastapi | flask | ninja
    site: Site
    query: QueryObject | None = None
    rendered_at: Site | None = None
    paginated: bool = False
    streams: bool = False
    declined: bool = False  # its class says that it gives no pages: `paginate_by = None`
    methods: tuple[str, ...] = ()
    admin_only: bool = False
    shown_by_template: bool = False
    keys: tuple[str, ...] = ()  # the names of the list in the response or in the context of a template; none if it is the response
    pages: Pages | None = None  # what cuts a page, if the client may ask for one of any size


class Joins(str, enum.Enum):
    """What decides which relations the list of an admin joins."""

    QUERYSET = "queryset"  # the admin's own query has a select_related(): the list adds nothing to it
    AUTOMATIC = "automatic"  # list_select_related is False: whatever foreign keys are columns make it join
    EVERY = "every"  # list_select_related is True: the relations that are not nullable
    NAMED = "named"  # list_select_related names them
    UNKNOWN = "unknown"


class AdminList(Struct, eq=False):
    """The list of a model's rows in Django's admin.

    `site` is the head of the admin class, or the call that registers the model with the default one. `own` is what the admin's
    `get_queryset()` gives, `shown` the query that the list makes of it. `setting` is the value of `list_select_related` if the class
    itself or the call that registers it has one. `columns` are the names in `list_display`, `used` the lookup paths that the list joins and
    reads, or that `list_select_related` names. `per_page` is None if it is not known.
    """

    name: str
    site: Site
    model: Model
    own: QueryObject
    shown: QueryObject
    joins: Joins = Joins.AUTOMATIC
    setting: Site | None = None
    columns: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    per_page: int | None = None
    is_default: bool = False
    takes_options: bool = True  # `register()` takes settings as keyword arguments
    is_shared: bool = False  # the class is the admin of several models, or other admins inherit from it


class QueryLog:
    """All events of a run, in program order, with the query objects they concern.

    `texts` are those of showing the rows of every model as texts, which need not happen anywhere; `recursive` the qualified names of
    the functions that call themselves; `functions` tells who calls which.
    """

    def __init__(
        self,
        events: Iterable[Event] = (),
        queries: Iterable[QueryObject] = (),
        statistics: Statistics | None = None,
        texts: Iterable[Event] = (),
        recursive: Iterable[str] = (),
        functions: Functions | None = None,
    ) -> None:
        self.events = list(events)
        self.queries = list(queries)
        self.statistics = statistics or Statistics()
        self.texts = list(texts)
        self.recursive = frozenset(recursive)
        self.functions = functions or Functions()
        self.known: dict[object, object] = {}  # what judging has worked out, see judge/once.py
        self._by_op: dict[Op, list[Event]] = {}
        self._by_loop: dict[int, list[Event]] = {}
        self._passing: dict[Site, list[QueryObject]] = {}
        self._evaluated: dict[QueryObject, list[Event]] = {}
        self._read: dict[QueryObject, set[tuple[str, ...]]] = {}
        self._readings: dict[Site, list[tuple[tuple[str, ...], Event]]] = {}
        for event in self.events:
            self._by_op.setdefault(event.op, []).append(event)

    def within(self, loop: Loop, *ops: Op) -> Iterator[Event]:
        """Yields the events with one of these operations that a loop repeats, in program order."""
        if not self._by_loop:
            for event in self.events:
                for around in event.loops:
                    self._by_loop.setdefault(around.id, []).append(event)
        yield from (event for event in self._by_loop.get(loop.id, ()) if event.op in ops)

    def passing(self, site: Site) -> list[QueryObject]:
        """Returns the queries that are built by the expression at a place, refined by it or returned by the call that it is."""
        if not self._passing:
            for query in self.queries:
                ways = query.every_way() if query.ways else (query,)
                for place in {place for way in ways for place in (way.site, *way.trail)}:
                    self._passing.setdefault(place, []).append(query)
        return self._passing.get(site, [])

    def evaluations(self, query: QueryObject) -> list[Event]:
        """Returns the statements that fetch all rows of a query object."""
        if not self._evaluated:
            for event in self.of(Op.LOAD_ROWS, Op.LAZY_COLLECTION):
                if event.query is not None:
                    self._evaluated.setdefault(event.query, []).append(event)
        return self._evaluated.get(query, [])

    def relations_read(self, query: QueryObject) -> set[tuple[str, ...]]:
        """Returns the lookup paths of the relations that are read of the rows of a query object, and of which loading them would spare the query."""
        if not self._read:
            for event in self.of(Op.LAZY_OBJECT, Op.LAZY_COLLECTION, Op.LOAD_ROWS):
                as_it_is = event.query is None or event.op is Op.LAZY_OBJECT or {"all", "get_queryset"}.issuperset(event.query.methods)
                if event.relation is not None and event.row is not None and as_it_is:
                    path = event.path or (*event.row.path, event.relation.name)
                    self._read.setdefault(event.row.query, set()).add(path)
                    self._readings.setdefault(event.row.query.site, []).append((path, event))
        return self._read.get(query, set())

    def readings(self, site: Site) -> list[tuple[tuple[str, ...], Event]]:
        """Returns the events that read relations of rows of the queries built at a place, each with the lookup path of the relation."""
        self.relations_read(QueryObject())
        return self._readings.get(site, [])

    def of(self, *ops: Op) -> Iterator[Event]:
        """Yields the events with one of these operations, those of one after those of the other, as they first come in the log."""
        for events in [events for op, events in self._by_op.items() if op in ops]:
            yield from events


class Analysis(Struct, eq=False):
    """What the run stage knows about a program: its schema, its query log, its endpoints and its settings.

    `settings` holds what is constant in Django's settings modules, `problems` are the files or functions that the analysis failed on.
    """

    schema: Schema
    log: QueryLog
    endpoints: list[Endpoint] = field(default_factory=list)
    admin_lists: list[AdminList] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)
    revealed: list[tuple[Site, str]] = field(default_factory=list)  # calls of `reveal_type` and what they show
    problems: list[Problem] = field(default_factory=list)
    schema_fields: dict[Site, str] = field(default_factory=dict)  # the fields that are filled from attributes of rows, and their schemas
    member_reads: dict[Model, dict[str, frozenset[str] | None]] = field(default_factory=dict)  # see Project
    background: frozenset[str] = frozenset()  # qualified names of the functions that only commands and tasks run
    administered: frozenset[Model] = frozenset()  # the models of which admins alone make rows, by the classes of the program
    threadable: frozenset[str] = frozenset()  # qualified names of the async endpoints that run in a thread if they are plain functions
    missing: dict[str, list[Missing]] = field(default_factory=dict)  # what modules import of others that do not bind it, by path
