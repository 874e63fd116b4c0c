"""A frame: one execution of a function body, with its variables, loops and circumstances."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, field

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, FunctionInfo, ModuleInfo
from ormlint.run.log import Circumstances, Event, LoadPlan, Loop, QueryObject
from ormlint.run.parameters import Bindings
from ormlint.run.values import Closure, Value
from ormlint.text import Site

if TYPE_CHECKING:
    from ormlint.run.detaching import Closing

Env = dict[str, Value]
_NEW = tuple.__new__  # what a named tuple calls, without the call of a function around it
CIRCUMSTANCES: dict[tuple[bool, ...], Circumstances] = {}
"""Those that there have been so far, by all that tells them apart: there are a few dozen, and each is needed thousands of times."""


class Flat(NamedTuple):
    """An event of a call as the call sees it: the calls that lead to it and their names, what it depends on, the loops between."""

    event: Event
    calls: tuple[Site, ...]
    names: tuple[str, ...]
    depends: frozenset[int]
    loops: tuple[Loop, ...]
    around: Circumstances


class Called(NamedTuple):
    """A call that a frame made."""

    site: Site
    name: str
    summary: Summary
    bindings: Bindings
    loops: tuple[Loop, ...]
    around: Circumstances
    awaited: bool = False
    after: Event | None = None  # the last event of the frame before it


class Summary(Struct, eq=False):
    """What calling a function with certain arguments gives and does.

    `events` are those of its own body; `calls` the calls it makes, so that a caller's loop can be put around all of it.
    """

    returned: Value
    events: list[Event] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    flat: list[Flat] | None = None
    writes: bool = False  # after it the same query may give other rows
    external: bool = False  # it does something outside the program and the database
    returns: list[tuple[Site, Value]] = field(default_factory=list)  # what each return statement gives
    function: str = ""  # qualified name
    is_async: bool = False
    given: dict[str, Value] = field(default_factory=dict)  # the arguments of the first such call
    optional: dict[int, Event] = field(default_factory=dict)  # what only some calls on the way to it keep from happening in every round of its loop
    reentered: dict[int, Event] | None = None  # what is done with rows behind another call of the function that asked for them
    gains: dict[str, LoadPlan] = field(default_factory=dict)  # by parameter, what the row that was given loads behind it, if it is more
    certain: Summary | None = None  # what of it happens on every way through the function, once somebody has asked


class Flow(Struct, eq=False):
    """What is certain at a point of a frame, whichever way led there.

    `evaluated` are the query objects whose rows are at hand, `asked` the statements run so far by the rows that they ask for, `taken` the
    results and iterators whose rows, which they give once, have been taken.
    """

    evaluated: set[QueryObject] = field(default_factory=set)
    asked: dict[object, tuple[Event, ...]] = field(default_factory=dict)
    taken: set[QueryObject] = field(default_factory=set)

    def fork(self) -> Flow:
        """Returns a copy for one of several ways."""
        return Flow(set(self.evaluated), dict(self.asked), set(self.taken))

    def meet(self, other: Flow) -> Flow:
        """Returns what is certain where two ways meet."""
        asked = {}
        for key, events in self.asked.items():
            known = other.asked.get(key, ())
            both = events if known is events else tuple(event for event in events if event in known)
            if both:
                asked[key] = both
        return Flow(self.evaluated & other.evaluated, asked, self.taken & other.taken)


class Frame(Struct, eq=False):
    """The state of one execution. `env` is replaced, never shared, when control flow splits."""

    module: ModuleInfo
    qualname: str
    function: FunctionInfo | None = None
    owner: ClassInfo | None = None
    env: Env = field(default_factory=dict)
    outer: Frame | None = None  # where a nested function is defined
    depth: int = 0
    loops: list[Loop] = field(default_factory=list)
    flow: Flow = field(default_factory=Flow)
    events: list[Event] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    copied: list[Event] = field(default_factory=list)  # events of calls, with this frame's loops around them
    returned: Value | None = None
    returns: list[tuple[Site, Value]] = field(default_factory=list)
    left_at: int = -1  # where the first `return` stands that was reached
    yielded: Value | None = None
    emitted: list[Value] = field(default_factory=list)
    optional: dict[int, Event] = field(default_factory=dict)  # what happens in some rounds of a loop because of tests that its calls stand under
    reentered: dict[int, Event] | None = None  # what is done with rows behind another call of the function that asked for them
    breaks: list[Env] = field(default_factory=list)
    closures: list[Closure] = field(default_factory=list)
    called: set[int] = field(default_factory=set)  # ids of closures that were called
    is_async: bool = False
    is_page: bool = False  # a template that is rendered
    muted: bool = False
    conditional: int = 0
    branch_depth: int = 0
    forked: Env | None = None  # the variables when the innermost branch began
    error_path: int = 0
    left: frozenset[int] = frozenset()  # ids of the loops that the way taken now always leaves
    remembered: dict[tuple[object, int], tuple[Value, Value, Site]] = field(
        default_factory=dict
    )  # cached properties by object and function: the object, what it gave, and where it was read first
    fallbacks: dict[int, bool] = field(default_factory=dict)  # by `except`: whether it makes up for what a dict filled before lacks
    effects: int = 0  # calls so far that do something outside the program and the database
    writes: int = 0  # events and calls so far after which the same query may give other rows
    bindings: int = 0  # assignments so far
    versions: dict[str, int] = field(default_factory=dict)  # by variable, ".attribute" or "[]": the assignment that changed it last
    skipped: Flow | None = None  # what is certain behind the last `and` or `or` if only its first part was evaluated
    way: tuple[tuple[Site, bool], ...] = ()  # the tests of the branches it is in, and whether they held
    guarded: int = 0
    refuted: object = None  # the last `if` of which the test is known not to hold
    isolated: int = 0
    answered: int = 0
    transaction: int = 0
    expirations: int = 0  # commits so far that expired rows
    closing: Closing | None = None  # the innermost block that closes a session of its own
    stale: bool = False  # a commit in such a block has expired rows
    awaited: ir.Node | None = None  # the call that is awaited, from its evaluation on
    awaiting: int = 0  # what runs now is awaited
    loop_ids: dict[tuple[int, int], Loop] = field(default_factory=dict)
    number: int = 0  # unique within a run
    begun: int = 0  # the number of queries that had been made when it began
    self_value: Value | None = None
    caller: Frame | None = None
    call_site: Site | None = None

    @property
    def evaluated(self) -> set[QueryObject]:
        """The query objects whose rows are at hand, whichever way led here."""
        return self.flow.evaluated

    def note_binding(self, name: str) -> None:
        """Notes that a variable, an attribute (".name") or an entry ("[]") may have another value from here on."""
        self.bindings += 1
        self.versions[name] = self.bindings

    def note_write(self) -> None:
        """Notes that the same query may give other rows from here on."""
        self.writes += 1
        self.flow.asked.clear()

    def site(self, start: int, end: int) -> Site:
        """Returns a place in the frame's module; for the inside of a framework, the place in the project that called it."""
        if self.module.is_library and self.call_site is not None:
            return self.call_site
        return _NEW(Site, (self.module.tree.path, start, end))

    def around(self) -> Circumstances:
        """Returns the circumstances of an event that happens now."""
        deeds = (self.error_path > 0, self.conditional > 0, self.guarded > 0, self.isolated > 0)
        now = (*deeds, self.transaction > 0, self.is_async, False, self.answered > 0)
        known = CIRCUMSTANCES.get(now)
        if known is None:
            known = CIRCUMSTANCES[now] = Circumstances(*now)
        return known
