"""The machine: runs functions over abstract values and writes the query log.

Functions are run on demand, once per distinct abstract arguments; a function that nothing has called so far is run on its
own with unknown arguments, so that nothing depends on knowing the entry points. What a function does to its arguments
shows only in the runs whose caller supplies them; a row of unknown provenance is never reported.

Calls nest, and so do loops: the events of a function that is called in a loop are copied with the caller's loops
around them (`Machine.absorb`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.library import querysets
from ormlint.library.functions import gives_batches
from ormlint.library.sqlalchemy_api import PACKAGES
from ormlint.link import build_schema
from ormlint.link.names import ClassInfo, ConstRef, External, FunctionInfo, InstanceRef, ModuleInfo, Program
from ormlint.link.schema import Model, Orm
from ormlint.link.templates import TemplateInfo, Templates
from ormlint.run.contexts import is_spent
from ormlint.run.deepened import gained
from ormlint.run.enumerations import member
from ormlint.run.evaluate import evaluate
from ormlint.run.frame import Called, Flat, Frame, Summary
from ormlint.run.keeping import Keeping
from ormlint.run.log import (
    NOWHERE,
    READS,
    AdminList,
    Circumstances,
    Endpoint,
    Event,
    LoadPlan,
    Loop,
    Match,
    Op,
    Origin,
    QueryObject,
    Shape,
    Use,
    UseKind,
)
from ormlint.run.parameters import MANY_RUNS, Bindings, resolve_deps, symbolic
from ormlint.run.values import UNKNOWN, Constant, Instance, Row, Scalar, Sequence, Union, Value, deps_of, is_holder, key_of
from ormlint.run.ways import call_path, note_further_way, note_reentry, note_way, through
from ormlint.text import Site

if TYPE_CHECKING:
    from ormlint.link.template_tags import Extensions
    from ormlint.run.construction import Made
    from ormlint.run.decorators import PutIn
    from ormlint.run.externals import Described
    from ormlint.run.log import Tracked
    from ormlint.run.loops import Exits
    from ormlint.run.serializers import Shown
    from ormlint.run.tables import Shown as TableColumn
    from ormlint.run.traversal import Root

MAX_DEPTH = 14  # nested calls followed from one root
MAX_FLAT = 400  # events copied out of one call
MAX_CALL_PATH = 10
NO_TESTS: frozenset[tuple[str, str]] = frozenset()
MAX_NESTED = 5  # runs of one function of a framework within each other: a serializer in a serializer


@dataclass(slots=True)
class Counters:
    """Figures for the closing line."""

    functions: int = 0
    loops: set[Site] = field(default_factory=set)
    query_loops: set[Site] = field(default_factory=set)
    resolved: set[int] = field(default_factory=set)  # the calls of something known, by the ids of their nodes
    unresolved: set[int] = field(default_factory=set)  # those of something unknown, in one context at least
    queries: set[Site] = field(default_factory=set)


class Machine:
    """State of one run over a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.schema, self.django, self.sqlalchemy = build_schema(program)
        self.events: list[Event] = []
        self.queries: list[QueryObject] = []
        self.endpoints: list[Endpoint] = []
        self.admin_lists: list[AdminList] = []
        self.revealed: list[tuple[Site, str]] = []
        self.counters = Counters()
        self.memo: dict[tuple[int, object], Summary] = {}
        self.contexts: dict[int, int] = {}
        self.roots: set[int] = set()  # functions that nothing had called when they were run on their own
        self.tells = False  # whether a test has told of the columns of a row, see narrowing
        self.decisive: dict[int, frozenset[str]] = {}
        self.saving: dict[int, ClassInfo] = {}  # the classes of serializers that are given data to save
        self.made_objects: dict[tuple[int, object], Made] = {}  # by `__init__` and the keys of what it is given
        self.stack: list[tuple[int, object]] = []
        self.running: dict[int, int] = {}  # how often a function is on the stack
        self.recursive: set[str] = set()  # qualified names of the functions that call themselves
        self.rows_of: dict[QueryObject, Row] = {}  # the row whose related manager a query came from
        self.queryset_classes: dict[QueryObject, ClassInfo] = {}  # the project's QuerySet class of a query object
        self.entities: dict[QueryObject, tuple[Model | None, ...]] = {}  # what the tuples of a SQLAlchemy query hold
        self.entity_plans: dict[QueryObject, dict[Model, LoadPlan]] = {}  # what is loaded on the further entities of such a query
        self.handed_on: set[QueryObject] = set()  # statements of all that a function is given: `def select(*entities): return Select(*entities)`
        self.counting: set[QueryObject] = set()  # SQLAlchemy queries that select nothing but a count
        self.many_rows: set[QueryObject] = set()  # INSERT statements with values for more than one row
        self.wrapped: set[QueryObject] = set()  # results whose rows are tuples of one entity
        self.shown: set[Model] = set()  # models of rows that are formatted as texts
        self.used_loads: dict[QueryObject, dict[tuple[str, ...], None]] = {}  # paths that are loaded with a query and read from its rows
        self.executed: dict[QueryObject, Event] = {}  # the event that made a result
        self.result_of: dict[QueryObject, QueryObject] = {}  # the result that another one was made of
        self.member_reads: dict[Model, dict[str, frozenset[str] | None]] = {}  # what methods of rows read of them, None for what may be all
        self.schema_fields: dict[Site, str] = {}  # the places of fields that are read from rows, and their schemas
        self.expires_on_commit: tuple[bool, Site | None] | None = None  # and what makes the sessions; None: nobody has asked yet
        self.expired_at: dict[Site, int] = {}  # by commit, the number of events when it last expired lists of rows
        self.greenlets = 0  # calls under way that `AsyncSession.run_sync` runs: there an asynchronous session loads lazily
        self.session_places: set[tuple[str, str]] = set()  # expressions of a file that proved to be sessions
        self.serial: dict[QueryObject, int] = {}  # the order in which queries were made
        self.created: dict[QueryObject, tuple[Frame, tuple[Loop, ...]]] = {}
        self.merged: dict[tuple[QueryObject, QueryObject], QueryObject] = {}
        self.globals: dict[tuple[int, str], Value] = {}
        self.class_attributes: dict[tuple[int, str], Value] = {}
        self.instances: dict[int, Instance] = {}
        self.asked_attributes: set[tuple[int, str]] = set()  # attributes of classes whose setters were run
        self.bound_in_classes: frozenset[str] | None = None  # what bodies of classes bind, if anybody has asked
        self.set_attributes: dict[int, frozenset[str]] = {}  # the attributes of `self` that a method assigns
        self.record_fields: dict[int, dict[str, Value]] = {}  # by class: what is known of the fields of one that somebody else made
        self.some_model = Model("row", "?", Orm.DJANGO, NOWHERE)
        self.has_django = any(model.orm is Orm.DJANGO and not model.site.path.startswith("<") for model in self.schema)
        self.row_classes: dict[Model, ClassInfo] = {c.model: c for c in program.classes if c.model is not None}
        self.next_loop = 1
        self.recipes = 0  # the number of recipes so far that are equal to no other
        self.keep: list[object] = []  # values whose id() is part of a memo key
        self.managers: dict[tuple[int, str], Value] = {}
        self.settings: dict[str, object] = {}
        self.targets: dict[str, tuple[int, ...]] = {}  # versions of packages that the project runs on, as far as it says
        self.fed: dict[Sequence, dict[QueryObject, None]] = {}  # the queries whose rows, one by one, a container was filled from
        self.templates = Templates(program.templates.values())
        self.externals: dict[str, Described] = {}  # what is known of calling something outside the project, by its path
        self.imports: dict[int, Value] = {}  # what the import statements of functions bind
        self.keeps: dict[int, bool] = {}  # by `if`: whether it returns what a cache has
        self.guards: dict[int, tuple[bool, bool]] = {}  # by `if`: whether either branch fills the cache that its test looked up
        self.exits: dict[int, Exits] = {}  # by the body of a loop: how it ends
        self.walks: dict[int, tuple[bool, frozenset[str] | None, frozenset[tuple[str, str]]]] = {}  # by loop: held, columns, sieve of its use
        self.template_extensions: Extensions | None = None
        self.template_statements: dict[int, frozenset[str]] = {}  # the variables that a statement of a template reads, if that is all it does
        self.users: list[Row] | None = None  # the row of a user that sends requests, if the project has users
        self.on_request: dict[str, Row] = {}  # the rows that middleware puts on requests
        self.plain_rows: list[Row] = []  # rows of which it is known what is loaded on them, though not where they came from
        self.request: Instance | None = None  # what middleware puts on every request
        self.asked_of_request: set[str] = set()  # attributes whose middleware was run
        self.middleware: list[FunctionInfo] | None = None  # the functions that assign attributes of a request
        self.prefetches_on_request = False  # whether middleware prefetches relations of rows
        self.set_on_request: dict[int, frozenset[str]] = {}  # which attributes those are
        self.template_variables: dict[str, Value] | None = None  # what context processors give every template
        self.imported_templates: dict[str, Value] = {}
        self.serializer_fields: dict[object, list[Shown]] = {}
        self.inline_templates: dict[tuple[str, int], TemplateInfo] = {}
        self.written_out: dict[str, dict[str, frozenset[str]]] = {}  # by template and variable: the fields of a form that it writes out
        self.form_fields: dict[tuple[int, str], tuple[ModuleInfo, ir.Node]] = {}
        self.table_columns: dict[int, list[TableColumn]] = {}
        self.request_values: dict[str, Value] = {}  # what is kept on the object of a request, as far as anybody asked
        self.traversal_roots: dict[str, Root] | None = None  # by route: where the contexts of its views come from
        self.json_encoders: list[ClassInfo] | None = None  # that the project gives its applications
        self.keeping = Keeping()  # what is known of objects that keep others
        self.request_setters: dict[str, list[FunctionInfo]] | None = None  # by name: the functions that keep something there
        self.decorated: dict[int, tuple[PutIn, ...]] = {}  # by function: what its decorators give it
        self.put_in: dict[tuple[int, ...], PutIn] = {}  # by decorator and the classes it is given: what it gives the functions it decorates

    # ------------------------------------------------------------------------------------------------ events
    def record(self, frame: Frame, event: Event) -> Event:
        """Writes an event to the log, unless the frame only evaluates a value that is not part of the program's flow."""
        event.function = frame.qualname
        event.around = frame.around()
        frame.events.append(event)
        if not frame.muted:
            self.events.append(event)
        return event

    def event(self, frame: Frame, op: Op, node: ir.Node, **facts: object) -> Event:
        """Records an event at a node. `loops` are by default those the frame is in."""
        event = Event(op=op, site=frame.site(node.start, node.end), loops=tuple(frame.loops))
        for name, value in facts.items():
            setattr(event, name, value)
        if not event.text:
            event.text = text_of(node)
        if frame.left:
            event.loops = tuple(loop for loop in event.loops if loop.id not in frame.left)
            event.row_loops = tuple(loop for loop in event.row_loops if loop.id not in frame.left)
        if event.absolute and event.loops:
            event.calls, event.callees = call_path(frame, event.loops[0])
        if op is Op.COMMIT or event.relation is not None:
            event.way = frame.way
            note_reentry(frame, event, self.created, self.running)
        if op not in LEAVES_ROWS:
            frame.note_write()
        if frame.awaiting == 0:
            event.waits = not gives_coroutine(node) if event.orm is Orm.DJANGO else event.query is not None and event.query.style == "query"
        self.record(frame, event)
        if event.absolute and event.loops:
            note_way(frame, event)
        return event

    def use(
        self,
        frame: Frame,
        value: Value,
        kind: UseKind,
        node: ir.Node,
        *,
        operator: str = "",
        constant: object = None,
        columns: frozenset[str] | None = None,
        sought: Match | None = None,
        **facts: bool,
    ) -> None:
        """Notes what is done with a query object or a number it returned. `columns` are those that it reads, if these are all it reads."""
        tracked: Tracked
        if type(value) not in TRACKED:
            return
        if isinstance(value, QueryObject):
            tracked = value
        elif type(value) is Instance:
            if kind in ESCAPES and is_holder(value.cls):
                for held in value.attributes.values():
                    self.use(frame, held, kind, node, operator=operator)
            return
        elif isinstance(value, Scalar):
            tracked = value.source
        elif isinstance(value, Union):
            for option in value.options:
                self.use(frame, option, kind, node, operator=operator, constant=constant, columns=columns, sought=sought, **facts)
            return
        elif isinstance(value, Sequence) and value.source is not None and kind in ESCAPES:
            tracked = value.source
            columns = value.columns
            facts["sifted"], facts["made"] = value.sifted, True
        else:
            return
        site = frame.site(node.start, node.end)
        for known in tracked.uses:
            if known.kind is kind and known.site == site:
                known.columns = known.columns | columns if known.columns is not None and columns is not None else None
                known.sifted, known.made = known.sifted and facts.get("sifted", False), known.made and facts.get("made", False)
                known.either = known.either or facts.get("either", False)
                known.listed, known.sought = known.listed or facts.get("listed", False), sought if known.sought == sought else None
                return
        tracked.uses.append(Use(kind, site, operator, constant, columns=columns, sieve=NO_TESTS, length=None, sought=sought, **facts))

    def use_rows(self, frame: Frame, rows: Sequence, kind: UseKind, node: ir.Node, *, negated: bool = False, either: bool = False) -> None:
        """Notes what is done with the list of a query's rows, on the query."""
        if rows.source is not None:
            self.use(frame, rows.source, kind, node, negated=negated, certain=False, sifted=rows.sifted, either=either, listed=True)

    def use_as_parameter(self, frame: Frame, value: Value, node: ir.Node, lookup: str) -> None:
        """Notes that a value is given away, as the parameter of a query if a lookup is named: `filter(author__in=authors)`."""
        source = value.source if isinstance(value, Sequence) else None
        repeated = bool(lookup) and source is not None and self.is_repeated(frame, source)
        self.use(frame, value, UseKind.ARGUMENT, node, operator=lookup, repeated=repeated)

    def is_repeated(self, frame: Frame, query: QueryObject) -> bool:
        """Whether the frame stands in a loop that the query is made outside of, or was given the query."""
        made_by, loops = self.created[query]
        return made_by.events is not frame.events or len(frame.loops) > len(loops)  # a lambda has the events of its caller

    def new_query(self, frame: Frame, query: QueryObject) -> QueryObject:
        """Registers a query object that the frame makes now."""
        query.function = frame.qualname
        self.created[query] = (frame, tuple(frame.loops))
        self.serial[query] = len(self.serial)
        self.queries.append(query)
        return query

    # ------------------------------------------------------------------------------------------------- calls
    def run_function(
        self,
        function: FunctionInfo,
        env: dict[str, Value],
        key: object,
        *,
        depth: int,
        outer: Frame | None = None,
        caller: Frame | None = None,
        node: ir.Node | None = None,
        spent: bool = False,
    ) -> Summary | None:
        """Returns the summary of a function run with these arguments, or None if it may not be run (depth, recursion, too many contexts)."""
        identity = (id(function), key if not self.greenlets else ("greenlet", key))
        known = self.memo.get(identity)
        if known is not None:
            if caller is not None and (known.optional or known.reentered):
                note_further_way(caller, node, known, self.created, self.running)
            return known
        most = MAX_NESTED if function.module.is_library else 1
        if self.stack and self.stack[-1][0] == id(function):
            self.recursive.add(f"{function.module.name}:{function.qualname}")
        nested = self.running.get(id(function), 0)
        if depth > MAX_DEPTH or nested > most or (nested and identity in self.stack):
            return None
        contexts = self.contexts.get(id(function), 0)
        if not spent and not function.module.is_library and is_spent(function, env, contexts):
            return None
        self.contexts[id(function)] = contexts + 1
        self.keep.append(env)
        frame = Frame(function.module, f"{function.module.name}:{function.qualname}", function, function.owner, dict(env), outer, depth)
        frame.is_async = function.node.is_async
        frame.begun = len(self.serial)
        if caller is not None and node is not None:
            frame.caller, frame.call_site = caller, caller.site(node.start, node.end)
        if function.owner is not None and function.kind != "static method" and function.node.params:
            frame.self_value = env.get(function.node.params[0].name)
        self.begin(identity)
        try:
            summary = self._execute(function, frame)
        finally:
            self.end()
        summary.given, summary.gains = env, gained(frame, env)
        self.memo[identity] = summary
        return summary

    def begin(self, identity: tuple[int, object]) -> None:
        """Notes that a function, lambda or template runs from now on, by its id and what tells this run of it from others."""
        self.stack.append(identity)
        self.running[identity[0]] = self.running.get(identity[0], 0) + 1

    def end(self) -> None:
        """Notes that what was begun last has ended."""
        number, _ = self.stack.pop()
        self.running[number] -= 1

    def _execute(self, function: FunctionInfo, frame: Frame) -> Summary:
        from ormlint.run.statements import run_body

        self.counters.functions += 1
        frame.number = self.counters.functions
        run_body(self, frame, function.node.body)
        self._run_closures(frame)
        returned = frame.returned if frame.returned is not None else Constant(None)
        if function.node.is_generator:
            yielded = frame.yielded if frame.yielded is not None else UNKNOWN
            batches = yielded.batches if isinstance(yielded, Sequence) else gives_batches(function.name) and not isinstance(yielded, Row)
            returned = Sequence("generator", yielded, batches=batches)
        summary = Summary(returned, frame.events, frame.calls, writes=frame.writes > 0, external=frame.effects > 0, function=frame.qualname)
        summary.returns = frame.returns
        summary.optional, summary.reentered = frame.optional, frame.reentered
        summary.is_async = frame.is_async
        return summary

    def _run_closures(self, frame: Frame) -> None:
        """Runs the nested functions that the body defined but never called, as whoever gets them may call them."""
        for closure in frame.closures:
            from ormlint.run.calls import unknown_arguments

            if closure.function is not None and id(closure.function) not in frame.called:
                env, _, _ = symbolic(unknown_arguments(self, closure.function, frame), runs=MANY_RUNS + 1)
                self.keep.append(frame)
                key = (id(frame), *(key_of(v) for v in env.values()))
                self.run_function(closure.function, env, key, depth=frame.depth + 1, outer=frame)

    def absorb(self, frame: Frame, node: ir.Node, name: str, summary: Summary, bindings: Bindings) -> None:
        """Notes a call in a frame; if the frame is in a loop, copies the callee's events with the loops around them."""
        site = frame.site(node.start, node.end)
        loops = tuple(loop for loop in frame.loops if loop.id not in frame.left)
        around = frame.around()
        frame.calls.append(Called(site, name, summary, bindings, loops, around, frame.awaiting > 0, frame.events[-1] if frame.events else None))
        frame.effects += summary.external
        if summary.writes:
            frame.note_write()
        if not loops or frame.muted:
            return
        for flat in self.flatten(summary):
            event = flat.event
            way, hops = through(site, name, flat.calls, flat.names)
            copy = Event(
                op=event.op,
                site=event.site,
                model=event.model,
                orm=event.orm,
                query=event.query,
                row=event.row,
                relation=event.relation,
                use=event.use,
                method=event.method,
                loops=loops + flat.loops + event.loops,
                calls=way,
                callees=hops,
                depends=resolve_deps(flat.depends, bindings),
                text=event.text,
                constant=event.constant,
                assigned=event.assigned,
                column=event.column,
                path=event.path,
                obstacle=event.obstacle,
                since=event.since,
                key=event.key,
                through=event.through,
                sought=event.sought,
                reentered=event.reentered,
                row_loops=tuple(loop for loop in event.row_loops if loop.id > 0),
            )
            copy.parent = event
            copy.way = frame.way if event.op is Op.COMMIT else ()
            copy.function = event.function
            copy.around = within(flat.around, around)
            self.events.append(copy)
            frame.copied.append(copy)

    def mark(self, frame: Frame) -> tuple[int, ...]:
        """Returns a point in the log of a frame that `rewind` can go back to."""
        return len(frame.events), len(frame.calls), len(frame.copied), len(frame.emitted), len(self.events), len(self.queries)

    def rewind(self, frame: Frame, mark: tuple[int, ...]) -> None:
        """Forgets what the frame itself logged since a mark; what its callees logged stays, as they are not run again."""
        own, calls, copied, emitted, log, queries = mark
        gone = {id(e) for e in frame.events[own:]} | {id(e) for e in frame.copied[copied:]}
        self.events[log:] = [e for e in self.events[log:] if id(e) not in gone]
        self.queries[queries:] = [q for q in self.queries[queries:] if self.created[q][0] is not frame]
        frame.remembered.clear()
        del frame.events[own:], frame.calls[calls:], frame.copied[copied:], frame.emitted[emitted:]

    def flatten(self, summary: Summary, depth: int = 0) -> list[Flat]:
        """Returns the events of a call and of the calls it makes, each once, with the path of calls that leads to it."""
        if summary.flat is not None:
            return summary.flat
        summary.flat = []
        seen: set[tuple[Op, Site, Model | None]] = set()
        found: list[Flat] = []
        for event in summary.events:
            key = (event.op, event.site, event.model)
            if key not in seen and not event.absolute:
                seen.add(key)
                found.append(Flat(event, (), (), event.depends, (), event.around))
        if depth < MAX_CALL_PATH:
            for called in summary.calls:
                for flat in self.flatten(called.summary, depth + 1):
                    key = (flat.event.op, flat.event.site, flat.event.model)
                    if key not in seen and len(found) < MAX_FLAT:
                        seen.add(key)
                        depends = resolve_deps(flat.depends, called.bindings)
                        around = replace(within(flat.around, called.around), conditional=flat.around.conditional)
                        path, names = through(called.site, called.name, flat.calls, flat.names)
                        found.append(Flat(flat.event, path, names, depends, called.loops + flat.loops, around))
        summary.flat = found
        return found

    # ----------------------------------------------------------------------------------------------- globals
    def global_value(self, module: ModuleInfo, name: str) -> Value:
        """Returns the value of a global name of a module, evaluating its assignment if need be."""
        key = (id(module), name)
        if key in self.globals:
            return self.globals[key]
        self.globals[key] = UNKNOWN  # cut cycles
        symbol = self.program.lookup(name, module)
        value: Value
        if isinstance(symbol, (External, ClassInfo, FunctionInfo, ModuleInfo)):
            value = symbol
            if isinstance(symbol, External) and symbol.path.endswith("()"):
                value, modelled = self._called_external(symbol)
                if value is symbol and (modelled or symbol.package in PACKAGES):
                    evaluated = self._evaluate_binding(module, name, module.bindings.get(name))
                    value = evaluated if evaluated is not UNKNOWN else value
        elif isinstance(symbol, ConstRef):
            value = UNKNOWN if symbol.value is None and _is_filled_in(module, name) else Constant(symbol.value)
        else:
            value = self._evaluate_binding(module, name, module.bindings.get(name))
            if value is UNKNOWN and isinstance(symbol, InstanceRef):
                value = Instance(symbol.cls)
        self.globals[key] = value
        return value

    def _called_external(self, symbol: External) -> tuple[Value, bool]:
        """Returns what a call outside the project gave, and whether the table of functions may tell more of its arguments."""
        from ormlint.run.externals import FUNCTIONS, instance_of

        return instance_of(self, symbol), symbol.path.removesuffix("()") in FUNCTIONS

    def _evaluate_binding(self, module: ModuleInfo, name: str, stmts: list[ir.Stmt] | None) -> Value:
        for stmt in reversed(stmts or ()):
            if isinstance(stmt, ir.Import):
                symbol = self.program.import_target(stmt, module)
                target = self.program.find_module(self.program.absolute(stmt, module), module)
                made = symbol is None or isinstance(symbol, InstanceRef) or (isinstance(symbol, External) and symbol.path.endswith("()"))
                if made and target is not None and target is not module and stmt.name:
                    return self.global_value(target, stmt.name)
            elif isinstance(stmt, ir.Assign) and stmt.value is not None and not stmt.op:
                if any(isinstance(t, ir.Name) and t.id == name for t in stmt.targets):
                    frame = Frame(module, f"{module.name}:<module>", muted=True)
                    return evaluate(self, frame, stmt.value)
        return UNKNOWN

    def class_value(self, cls: ClassInfo, name: str) -> Value | None:
        """Returns the value of an attribute that a class body (or an ancestor's) assigns, or None if there is none."""
        found = cls.find(name)
        if found is None:
            return None
        owner, stmts = found
        key = (id(owner), name)
        if key in self.class_attributes:
            return self.class_attributes[key]
        self.class_attributes[key] = UNKNOWN
        stmt = stmts[-1]
        value: Value = UNKNOWN
        if isinstance(stmt, ir.Function):
            value = owner.functions.get(name, UNKNOWN)
        elif isinstance(stmt, ir.Class):
            value = owner.classes.get(name, UNKNOWN)
        elif isinstance(stmt, ir.Assign) and stmt.value is not None and not stmt.op:
            if any(isinstance(t, ir.Name) and t.id == name for t in stmt.targets):
                frame = Frame(owner.module, f"{owner.module.name}:{owner.qualname}", owner=owner, muted=True)
                frame.env = ClassEnv(self, owner, stmt.start)
                value = member(owner, evaluate(self, frame, stmt.value))
        self.class_attributes[key] = value
        return value

    def class_of(self, model: Model) -> ClassInfo | None:
        """Returns the class that a model was read from."""
        return self.row_classes.get(model)


class ClassEnv(dict[str, Value]):
    """The names visible at a place of a class body: its own attributes that are bound above, evaluated on demand."""

    def __init__(self, machine: Machine, cls: ClassInfo, place: int) -> None:
        super().__init__()
        self.machine = machine
        self.cls = cls
        self.place = place

    def get(self, name: str, default: Value | None = None) -> Value | None:  # type: ignore[override]
        """Returns the value of an attribute of the class body."""
        if dict.__contains__(self, name):
            return self[name]
        bound = self.cls.bindings.get(name)
        if bound is not None and bound[0].start < self.place:
            return self.machine.class_value(self.cls, name)
        return default


LEAVES_ROWS = READS | {Op.LAZY_OBJECT, Op.LAZY_COLLECTION, Op.LAZY_COLUMN, Op.RELOAD, Op.FAILED_LOAD, Op.BEGIN, Op.ENGINE, Op.SHARE}


def gives_coroutine(node: ir.Node) -> bool:
    """Whether a call is one of an asynchronous method of a queryset or a row: `books.acount()`."""
    func = node.func if isinstance(node, ir.Call) else None
    return isinstance(func, (ir.Attr, ir.Name)) and (func.name if isinstance(func, ir.Attr) else func.id) in querysets.COROUTINES


def _is_filled_in(module: ModuleInfo, name: str) -> bool:
    """Whether a function of the module gives a global another value: `global engine`, `engine = create_engine(…)`."""
    functions = [stmt for stmt in module.tree.body if isinstance(stmt, (ir.Function, ir.Class))]
    return any(isinstance(node, ir.Assign) and any(isinstance(t, ir.Name) and t.id == name for t in node.targets) for node in walk(functions))


TRACKED = frozenset({QueryObject, Scalar, Union, Sequence, Instance})
ESCAPES = frozenset({UseKind.ARGUMENT, UseKind.RETURN, UseKind.STORE, UseKind.RENDER, UseKind.OTHER, UseKind.INDEX, UseKind.ITERATE, UseKind.DISCARD})


def text_of(node: ir.Node) -> str:
    """Returns a short form of an expression, as a user would name it."""
    match node:
        case ir.Name():
            return node.id
        case ir.Attr():
            return f"{text_of(node.value)}.{node.name}"
        case ir.Call(func=ir.Name(id=name)) if ":" in name:  # of a template: `books|length`, `{% card %}`
            kind, _, tail = name.partition(":")
            return f"{{% {tail} %}}" if kind == "tag" else f"{text_of(node.args[0])}|{tail}"
        case ir.Call():
            return f"{text_of(node.func)}()" if not node.args and not node.keywords else f"{text_of(node.func)}(…)"
        case ir.Index():
            return f"{text_of(node.value)}[…]"
        case ir.Await():
            return text_of(node.value)
        case ir.Const():
            return repr(node.value)
        case _:
            return "…"


def within(inner: Circumstances, outer: Circumstances) -> Circumstances:
    """Returns the circumstances of something that happens in a call, those of the call included."""
    if inner == outer:
        return inner
    return Circumstances(*(getattr(inner, name) or getattr(outer, name) for name in Circumstances.__struct_fields__))


def mentions(deps: frozenset[int], loops: tuple[Loop, ...]) -> bool:
    """Whether a value varies with one of these loops."""
    return any(loop.id in deps for loop in loops)


__all__ = ["Callable", "Counters", "Machine", "Origin", "Orm", "Shape", "deps_of", "mentions", "text_of"]
