"""Writes that a loop sends one by one, and what stands between them and a bulk operation.

for book in books:
    book.sold = True
    book.save()           at once, with the fields that changed in view: nothing hinders
    sell(book)            saves it further on, where others sell one book: --preview only
    log(book)             overridden save(), receivers, a try around it: --preview only
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ormlint.judge.describe import calls_between, place
from ormlint.judge.finding import Severity, WriteTogether
from ormlint.judge.project import Project
from ormlint.judge.repetition import grows, innermost, is_done_once, repeaters, weight
from ormlint.judge.wide import is_wide
from ormlint.link.schema import Model
from ormlint.run.log import READS, Bound, Event, Loop, Op, QueryLog
from ormlint.text import Site

FARTHEST = 3  # calls between a loop and a write
_WRITES = frozenset({Op.SAVE, Op.CREATE, Op.GET_OR_CREATE, Op.DELETE, Op.UPDATE_ROWS, Op.DELETE_ROWS, Op.BULK_WRITE, Op.LINK, Op.INSERT, Op.EXECUTE})
_NAMED = frozenset({"update", "get_or_create", "update_or_create"})  # those whose fields are known
_OF_A_ROW = frozenset({"save", "delete", "create", "update", "save_base", "asave", "adelete", "acreate"})

Hindrance = Callable[[Event, Loop], tuple[str, ...]]
Test = Callable[[Event, Loop], bool]


def together(log: QueryLog, write: Write, method: str, *, plain: bool = False) -> WriteTogether | None:
    """Returns the change that sends the writes of a loop together, None where that takes a decision or they stand elsewhere."""
    event, loop = write.event, write.loop
    if write.takes_a_decision or event.model is None or loop.kind != "for" or not loop.body.encloses(event.site) or _reads_again(log, event, loop):
        return None
    return WriteTogether(event.site, loop, event.model, method, event.assigned if method in _NAMED else (), plain, event)


def _reads_again(log: QueryLog, write: Event, loop: Loop) -> bool:
    """Whether a round asks for rows of the model that it writes, the written row itself not counted."""
    own = write.row.query.site if write.row is not None else None
    for other in log.within(loop, *READS, Op.LAZY_COLLECTION):
        asked = other.query.model if other.query is not None else other.model
        if write.model in (asked, other.relation.target if other.relation is not None else None) and (other.query is None or other.query.site != own):
            return True
    return False


def _is_asked_for(project: Project, log: QueryLog, write: Event, loop: Loop) -> bool:
    """Whether a round asks for rows of the table that it has written to before, and would not find there what is yet to be written.

    # `mirror.save()`, and then `if not old.mirrors.exists(): old.delete()`
    # `order.save()`, and then `order.count_again()`
    """
    since = place(project, write, loop).end
    for other in log.within(loop, *READS, Op.LAZY_COLLECTION):
        if place(project, other, loop).start >= since and (_asks_for(other, write) or _by_a_method(project, other, loop, write)):
            return True
    return False


def _asks_for(other: Event, write: Event) -> bool:
    """Whether rows are asked for from the table that is written to, or for a link the linked ones; the written rows themselves do not count."""
    if write.op is Op.LINK:
        return write.relation is not None and other.relation is not None and other.relation in (write.relation, write.relation.inverse)
    own = write.row.query.site if write.row is not None else None
    asked = (other.query.model if other.query is not None else other.model, other.relation.target if other.relation is not None else None)
    return write.model is not None and write.model in asked and (other.query is None or other.query.site != own)


def _by_a_method(project: Project, other: Event, loop: Loop, write: Event) -> bool:
    """Whether a method of the saved row asks for rows."""
    called = next((callee.rpartition(":")[2].split(".") for _, callee in calls_between(project, other, loop)), [])
    return write.op is Op.SAVE and write.model is not None and write.model.name in called[:-1]


@dataclass(frozen=True, slots=True)
class Write:
    """A write that a loop repeats.

    `hindrance` are notes on why a bulk operation may not replace it, none if it does; `plain` tells that the loop itself shows
    which operation that is. `of_any_model` tells that the same place writes rows of several models, as in a view that others inherit from.
    `doubtful` tells that it is work of one time, of few rounds or that the round asks for what it has written.
    """

    event: Event
    loop: Loop
    site: Site
    calls: int
    hindrance: tuple[str, ...]
    plain: bool
    weight: Severity
    of_any_model: bool = False
    doubtful: bool = False

    @property
    def severity(self) -> Severity:
        """How much it costs, as far as something can be done about it."""
        return Severity.INFO if self.takes_a_decision else self.weight

    @property
    def preview(self) -> bool:
        """Whether little is gained for sure by writing the rows together, or it takes more than an edit."""
        return self.doubtful or self.takes_a_decision

    @property
    def takes_a_decision(self) -> bool:
        """Whether it takes a decision, and not an edit, to write the rows together."""
        around = self.event.around
        alone = self.plain and not self.hindrance and not self.calls and not self.of_any_model
        return not alone or around.isolated or around.error_path or around.external

    @property
    def cause(self) -> tuple[object, ...]:
        """What makes two writes one finding: the call or the place that leads to them, and in a row's own `save()` their table."""
        whole = self.calls or (self.of_any_model and self.event.site == self.site)
        return (self.site, self.loop.site, "" if whole else self.event.model or self.event.site)

    @property
    def counted_as(self) -> str:
        """What further writes behind the same call are called."""
        return "write" if self.calls else ""


def writes_one_by_one(project: Project, log: QueryLog, events: Iterable[Event], hindrance: Hindrance, is_plain: Test) -> Iterator[Write]:
    """Yields the writes that loops repeat, the nearest first.

    Those more than three calls away, and those that fill a cache once, are left out.
    """
    found = []
    models: dict[Site, set[Model]] = {}
    listed = list(events)
    for event in listed:
        models.setdefault(event.site, set()).update([event.model] if event.model is not None else [])
    for event in listed:
        loops = repeaters(event)
        if not loops or event.around.guarded_by_cache:
            continue
        loop = innermost(loops)
        calls = calls_to_write(project, event, loop)
        if calls > FARTHEST:
            continue
        site, severity = place(project, event, loop), weight(project, event, loops)
        shared = len(models[event.site]) > 1
        doubtful = not grows(loops) or is_done_once(event) or _is_asked_for(project, log, event, loop)
        write = Write(event, loop, site, calls, hindrance(event, loop), is_plain(event, loop), severity, shared, doubtful)
        found.append(write)
    yield from sorted(found, key=lambda write: write.calls)


def calls_to_write(project: Project, event: Event, loop: Loop) -> int:
    """Returns the number of calls between a loop and a write; that of the row's own `save()` is none."""
    callees = [callee.rsplit(".", 1) for _, callee in calls_between(project, event, loop)]
    while callees and len(callees[-1]) > 1 and callees[-1][-1] in _OF_A_ROW:
        callees.pop()
    return len(callees)


def is_all_of_a_round(log: QueryLog, write: Write) -> bool:
    """Whether the rounds of a loop ask the database for nothing but the write, and all of them are made.

    # not so for `send(invoice)`, `if failed: return`, `invoice.save()`, nor where each round creates something else as well
    """
    event, loop = write.event, write.loop
    others = [other for other in log.within(loop, *_WRITES) if not (other.op is event.op and other.site == event.site)]
    if event.op is Op.LINK:  # what is linked may have to be fetched, and several links are several findings
        return not loop.searches and all(other.op is Op.LINK for other in others)
    return not (loop.searches or others or any(log.within(loop, *READS, Op.LAZY_OBJECT, Op.LAZY_COLLECTION)))


def walks_a_wide_query(project: Project, event: Event) -> bool:
    """Whether the rounds of an event walk rows of which there are many by what their query asks for, or what belongs to such rows."""
    return any(loop.source is not None and is_wide(project, loop.source) for loop in repeaters(event))


def created_in_round(log: QueryLog, model: Model | None, loop: Loop) -> tuple[str, ...]:
    """Returns a note if the same round creates a row of the model: what is written then can mostly be given to `create()`."""
    if model is not None and any(other.model is model for other in log.within(loop, Op.CREATE, Op.ADD)):
        return (f"the same round creates the `{model.name}`",)
    return ()


def varies_with(event: Event, loop: Loop) -> bool:
    """Whether a write is another one in every round of a loop, as far as is known."""
    return loop.id in event.depends or (event.query is not None and loop.id in event.query.parameters)


def stands_in(event: Event, loop: Loop) -> bool:
    """Whether a write stands in the loop itself, and not in a function that is called there, be it the `save()` of a row."""
    return loop.site.encloses(event.site) or loop.body.encloses(event.site)


def walks_its_rows(event: Event, loop: Loop) -> bool:
    """Whether the row that is written is the one that the loop walks: `for book in Book.objects.filter(…): book.save()`."""
    row, source = event.row, loop.source
    return row is not None and source is not None and not row.path and row.query.site == source.site


def fetches_its_row(event: Event, loop: Loop) -> bool:
    """Whether the row that is written is fetched in the loop itself, by a key of the round."""
    row = event.row
    return row is not None and not row.path and row.query.bound is Bound.ONE and loop.body.encloses(row.query.site)


def passed_over(model: Model | None, method: str) -> tuple[str, ...]:
    """Returns a note if a bulk operation would pass over what the project does when one row is written; none otherwise."""
    if model is None:
        return ()
    if method in model.overrides:
        return (f"`{model.name}` overrides `{method}()`, which a bulk operation would not call",)
    if model.polymorphic:
        return (f"`{model.name}` rows are of several classes, which bulk operations do not tell apart",)
    if model.has_receivers:
        return (f"signal receivers of `{model.name}` stand in the way of a bulk operation",)
    if model.unread_base:
        return (f"`{model.name}` derives from `{model.unread_base}`, whose source is not at hand and may do more when a row is written",)
    return ()
