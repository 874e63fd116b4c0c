"""What else a round of a loop does, which an eager load before the loop would not know of.

for part in parts:                         for order in orders:              for job in jobs:
    part.box.open = True                       order.lines.add(line)             job.steps
    part.box.save()                            if order.lines.exists(): …        session.commit()
    two parts share a box: joined,             asked before the loop,            expires what was
    each would have a copy of its own          the answer would be old           loaded along
"""

from __future__ import annotations

from collections.abc import Iterable

from ormlint.judge.between import CHANGES, MAKING, Between
from ormlint.judge.describe import built_at
from ormlint.judge.eager import Chain, path_of, relations_along
from ormlint.judge.identity import loaded_along, mapped_along
from ormlint.judge.once import once
from ormlint.judge.repetition import innermost, repeaters
from ormlint.link.schema import Kind, Model, Orm
from ormlint.run.log import NOWHERE, READS, Bound, Event, Loop, Op, QueryLog, QueryObject, Shape, UseKind
from ormlint.text import Site

SHARED = 2  # functions that may run the query of another one
CALLERS = 1  # calls in loops of a function that gives one row
_WRITING_METHODS = frozenset({"save", "delete", "save_base", "asave", "adelete", "full_clean", "clean"})


class Rounds:
    """The commits and writes of a log, by the loops that repeat them."""

    def __init__(self, log: QueryLog) -> None:
        self._position = {id(event): number for number, event in enumerate(log.events)}
        self._log = log
        self._between = Between(log, self._position)
        self._run_in: dict[Site, set[str]] | None = None
        self._called_at: dict[Site, set[Site]] = {}
        self._written: dict[Site, set[Model | str]] | None = None
        self._fetched: dict[Model | None, list[QueryObject]] | None = None
        self._collected: dict[tuple[Site, Model | None], int] | None = None
        self._kept: set[Site] = set()  # where queries stand whose rows are used elsewhere, so that something holds them
        self._recursive = {name.rpartition(":")[2] for name in log.recursive}

    def defeat(self, chain: Chain) -> bool:
        """Whether a round undoes the eager load of a chain or makes what it loaded out of date."""
        loop = innermost(repeaters(chain.events[0]))
        return self._expire(chain, loop) or self._save_copies(chain, loop) or self._change_before(chain, loop)

    def _expire(self, chain: Chain, loop: Loop) -> bool:
        if chain.query.orm is not Orm.SQLALCHEMY:
            return False
        first = chain.events[0]
        loops = [loop, *(around for around in first.loops if around is not loop and _walks(around, chain))]
        return any(self.commits(each) for each in loops) or any(_by_same_call(event, first, loop) for event in self._log.within(loop, Op.COMMIT))

    def bring_along(self, event: Event) -> bool:
        """Whether a round has fetched a row of the wanted model before, or has read another relation whose rows bring theirs along.

        # `session.get(Shop, order.shop_id)`, and then `order.shop`
        # `order.lines`, whose shops are `lazy="joined"`, and then `order.shop`
        # `order.shop.products` of all orders, and then `line.product` of their lines
        """
        wanted = event.relation.target if event.relation is not None else None
        if event.orm is not Orm.SQLALCHEMY or event.row is None or wanted is None:
            return False
        asked = self._position.get(id(event), 0)
        if event.relation is not None and event.relation.kind is Kind.FOREIGN_KEY and self._first_collected(event, wanted) < asked:
            return True
        for other in self._log.within(innermost(repeaters(event)), Op.LAZY_COLLECTION, Op.LAZY_OBJECT):
            same = other.row is not None and other.row == event.row and self._position[id(other)] < asked
            target = other.relation.target if same and other.relation is not None else None
            if target is not None and wanted in mapped_along(target):
                return True
        rows = self._log.within(innermost(repeaters(event)), Op.GET_ROW)
        return any(other.query is not None and other.query.model is wanted and self._position[id(other)] < asked for other in rows)

    def _first_collected(self, event: Event, wanted: Model) -> float:
        """Returns the position of the first event that loads a collection of a model that rows of the same query, or what they lead to, have."""
        if self._collected is None:
            self._collected = {}
            for other in self._log.of(Op.LAZY_COLLECTION):
                if other.row is not None and other.relation is not None:
                    self._collected.setdefault((other.row.query.site, other.relation.target), self._position[id(other)])
        site = event.row.query.site if event.row is not None else NOWHERE
        return self._collected.get((site, wanted), float("inf"))

    def have_loaded(self, event: Event, loop: Loop) -> bool:
        """Whether a round asks for a row by the key that it reads of this very row: `session.get(Shop, order.shop.id)`."""
        if event.orm is not Orm.SQLALCHEMY or event.op is not Op.GET_ROW or event.method != "get":
            return False
        loaded = self._log.within(loop, Op.LAZY_OBJECT)
        return any(
            other.key is not None and event.site.encloses(other.key) and other.relation is not None and other.relation.target is event.model
            for other in loaded
        )

    def follow_a_fetch(self, query: QueryObject, event: Event) -> bool:
        """Whether the function that a loop stands in holds many rows of the wanted model, fetched before by themselves or along with others.

        # `shops = session.scalars(select(Shop)).all()`, and then `order.shop` of the orders of these shops
        """
        relation, loop = event.relation, innermost(repeaters(event)).site
        if event.orm is not Orm.SQLALCHEMY or relation is None or relation.kind is not Kind.FOREIGN_KEY or relation.target is None:
            return False
        if self._fetched is None:
            self._fetched = self._held_rows()
        function = self._log.functions.around(loop)
        others = [each for each in self._fetched.get(relation.target, ()) if function and each.site != query.site]
        places = {place for each in others for place in (each.site, *each.trail) if place.path == loop.path and place.start < loop.start}
        return any(self._log.functions.around(place) == function for place in places & self._kept)

    def _held_rows(self) -> dict[Model | None, list[QueryObject]]:
        """Returns the queries that fetch many rows of each model; those that a loop walks at once, or nobody uses, are let go of."""
        found: dict[Model | None, list[QueryObject]] = {}
        evaluated = {each.query.site for each in self._log.of(Op.LOAD_ROWS) if each.query is not None}
        for query in self._log.queries:
            if query.site in evaluated and query.shape is Shape.ROWS and query.bound > Bound.ONE and query.orm is Orm.SQLALCHEMY:
                for model in (query.model, *loaded_along(query.plan, query.model)):
                    found.setdefault(model, []).append(query)
                used = [use.site for use in query.all_uses() if use.kind not in (UseKind.METHOD, UseKind.DERIVE, UseKind.DISCARD)]
                self._kept.update(place for place in (query.site, *query.trail) if any(not site.encloses(place) for site in used))
        return found

    def share(self, query: QueryObject) -> bool:
        """Whether a query of SQLAlchemy serves many: several functions run what another one builds, or many calls in loops ask a getter for its row.

        What the query loads, it loads for all of them.
        """
        if query.orm is Orm.DJANGO:
            return False
        if query.generic and query.own is NOWHERE:
            return query.bound is Bound.ONE  # a getter of the rows of all models
        if self._run_in is None:
            built = {query.site: query.function for query in reversed(self._log.queries)}
            self._run_in, self._called_at = {}, {}
            for event in self._log.of(*READS):
                if event.query is not None and event.function != built.get(event.query.site, event.function):
                    self._run_in.setdefault(event.query.site, set()).add(event.function)
                if event.query is not None and event.query.bound is Bound.ONE and event.calls:
                    self._called_at.setdefault(built_at(event.query), set()).add(event.calls[-1])
        several = len(self._run_in.get(query.site, ())) > SHARED and not query.generic
        return several or len(self._called_at.get(built_at(query), ())) > CALLERS

    def commits(self, loop: Loop) -> bool:
        """Whether every round ends a transaction, which expires all rows: `if sent: finish(order)`, `else: defer(order)`."""
        ends = [event for event in self._log.within(loop, Op.COMMIT) if not event.around.error_path]
        if any(not event.around.conditional for event in ends):
            return True
        certain = [event for event in ends if event.parent is None or not _as_run(event).way]
        return _cover([tuple(test for test in event.way if loop.body.encloses(test[0])) for event in certain])

    def may_commit(self, loop: Loop) -> bool:
        """Whether some rounds end a transaction, as those do that find a row to change."""
        return any(not event.around.error_path for event in self._log.within(loop, Op.COMMIT))

    def deletes(self, event: Event, loop: Loop) -> bool:
        """Whether a round deletes rows that a statement of it gives."""
        return any(
            other.row is not None and event.query is not None and other.row.query.site == event.query.site
            for other in self._log.within(loop, Op.DELETE)
        )

    def _save_copies(self, chain: Chain, loop: Loop) -> bool:
        """Whether a row that many lead to is saved in the loop, which reads it anew for each of them: the related row itself or one on the way to it.

        What a relation of the same name leads to may be that row as well: `Status.objects.get_or_create(order=order)[0].order.customer.save()`.
        """
        read = path_of(chain.events[0])
        hops = enumerate(relations_along(chain.query.model, read), 1)
        shared = {read[:length]: hop for length, hop in hops if hop.to_one and hop.kind is not Kind.ONE_TO_ONE}
        if not shared:
            return False
        for event in self._log.within(loop, Op.SAVE):
            if event.row is None and any(event.model is hop.target and f".{hop.name}.save(" in event.text for hop in shared.values()):
                return True
            if event.row is not None and event.row.query.site == chain.query.site and event.row.path in shared:
                return True
        return False

    def _change_before(self, chain: Chain, loop: Loop) -> bool:
        """Whether rows of the collection are linked, made, changed or deleted in the round before they are asked for."""
        first = chain.events[0]
        relation = first.relation
        if relation is None or relation.to_one:
            return False
        asked = self._position.get(id(first), 0)
        changes = (event for event in self._log.within(loop, *CHANGES) if self._begins(event) < asked)
        return any(event.relation is relation or (event.op is not Op.LINK and event.model is relation.target) for event in changes)

    def writes_before(self, event: Event, model: Model | None, loop: Loop) -> bool:
        """Whether a round has linked or written rows of the model before a statement asks for rows of it; one row may be another one."""
        if event.op is Op.GET_ROW or model is None:
            return False
        asked = self._position.get(id(event), 0)
        changes = (other for other in self._log.within(loop, *CHANGES) if self._begins(other) < asked)
        return any(model in (other.model, other.relation.through if other.relation is not None else None) for other in changes)

    def writes_in_same_function(self, event: Event, loop: Loop) -> bool:
        """Whether the function that a statement stands in writes as well, and so does what it does row by row."""
        return bool(event.function) and any(other.function == event.function for other in self._log.within(loop, *CHANGES, *MAKING, Op.EXECUTE))

    def writes_behind_same_call(self, event: Event, loop: Loop) -> bool:
        """Whether the call in a loop that leads to a statement writes too, or begins a transaction: what it asks is part of what it does to a row."""
        call = _call_in(event, loop)
        if call is None:
            return False
        work = self._log.within(loop, *CHANGES, *MAKING, Op.EXECUTE, Op.COMMIT, Op.BEGIN)
        return any(_call_in(other, loop) == call and not other.around.error_path for other in work)

    def are_recursive(self, callees: Iterable[str]) -> bool:
        """Whether one of the functions that are called, by the names that calls give them, calls itself."""
        return not self._recursive.isdisjoint(callees)

    def write_others(self, loop: Loop, event: Event) -> bool:
        """Whether the rounds of a loop write anything but the row that a statement gives: `book = Book.objects.get(pk=key); book.save()`."""
        work = self._log.within(loop, *CHANGES, *MAKING, Op.COMMIT, Op.BEGIN)
        return any(not other.around.error_path and (other.row is None or other.row.query is not event.query) for other in work)

    def _begins(self, event: Event) -> int:
        """Returns the position of an event, of one that a call leads to that within the function it stands in, which is run before the call ends."""
        position = self._position[id(event)]
        original = event.parent
        while original is not None:
            position = min(position, self._position.get(id(original), position))
            original = original.parent
        return position

    def risk(self, chain: Chain) -> str:
        """Returns what a round does to the rows loaded by an eager load of the chain, or with them, "" if nothing is known."""
        written = self._writes(chain)
        if written:
            return f"`{written}` rows are written while the rows are walked, which those loaded before do not show"
        written = self._between.written(chain)
        if written:
            return f"`{written}` rows are written between the query and the loop, which those loaded before do not show"
        return "`refresh()` would load it anew with every row" if self._refreshes(chain) else ""

    def _refreshes(self, chain: Chain) -> bool:
        """Whether a session refreshes a row that a collection is loaded below, which repeats the loads of the query that gave the row.

        # `for order in orders: … session.refresh(order)`: with selectinload(Order.lines) one more statement per order (measured with SQLAlchemy 2.1)
        """
        hops = relations_along(chain.query.model, chain.path)
        if chain.query.orm is not Orm.SQLALCHEMY or all(hop.to_one for hop in hops):
            return False
        refreshed = (event.row for event in self._log.of(Op.REFRESH) if event.loops and not event.assigned)
        return any(row is not None and row.query.site == chain.query.site and chain.path[: len(row.path)] == row.path for row in refreshed)

    def _writes(self, chain: Chain) -> str:
        """Returns the name of a model that is loaded along with the rows and written while they are walked, "" if there is none.

        # `for order in orders: order.save()` may make the first line of an order, which lines loaded with the orders lack
        """
        if self._written is None:
            self._written = {}
            for event in self._log.of(*CHANGES, *MAKING):
                written = event.relation.name if event.op is Op.LINK and event.relation is not None else event.model
                for loop in event.loops:
                    if loop.source is not None and written is not None:
                        self._written.setdefault(loop.source.site, set()).add(written)
        found = self._written.get(chain.query.site, set())
        for relation in relations_along(chain.query.model, chain.path):
            if relation.target is not None and (relation.target in found or relation.name in found):
                return relation.target.name
        return ""

    def makes(self, model: Model | None, loop: Loop) -> bool:
        """Whether a round may make a row of a model: who looked for one and found none."""
        return model is not None and any(event.model is model for event in self._log.within(loop, *MAKING))


rounds_of = once(Rounds)


def _walks(loop: Loop, chain: Chain) -> bool:
    """Whether a loop walks the rows of a chain's query."""
    return loop.source is not None and loop.source.site == chain.query.site


def _cover(ways: list[tuple[tuple[Site, bool], ...]]) -> bool:
    """Whether ways under tests are all ways: whatever the tests give, one of them is taken."""
    if () in ways:
        return True
    for test in {way[0][0] for way in ways}:
        both = ([way[1:] for way in ways if way[0] == (test, held)] for held in (True, False))
        if all(map(_cover, both)):
            return True
    return False


def _as_run(event: Event) -> Event:
    """Returns an event as the function has it that it stands in, whichever calls lead there."""
    while isinstance(event.parent, Event):
        event = event.parent
    return event


def _by_same_call(commit: Event, read: Event, loop: Loop) -> bool:
    """Whether a read stands behind the same call as a commit that its function always runs: `if ready: publish(book)`."""
    if _as_run(commit).way or commit.around.error_path:
        return False
    call = _call_in(commit, loop)
    return call is not None and call == _call_in(read, loop)


def _call_in(event: Event, loop: Loop) -> Site | None:
    """Returns the call in the body of a loop that leads to an event; None if it stands in the body itself."""
    return next((site for site in event.calls if loop.body.encloses(site)), None)


def is_part_of_write(callees: list[str]) -> bool:
    """Whether one of the functions called on the way is a row's `save()`, `delete()` or the like: a unit of work for one row."""
    return any("." in callee and callee.rsplit(".", 1)[-1] in _WRITING_METHODS for callee in callees)
