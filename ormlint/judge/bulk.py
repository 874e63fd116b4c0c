"""Writes that a loop sends one by one, and what stands between them and a bulk operation.

for book in books:
    book.save()           at once: nothing hinders
    import_shelf(book)    creates rows two calls further on: nobody restructures what lies between, --preview only
    log(book)             overridden save(), receivers, a try around it: --preview only
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ormlint.judge.describe import calls_between, place
from ormlint.judge.finding import Severity
from ormlint.judge.project import Project
from ormlint.judge.repetition import innermost, repeaters, weight
from ormlint.link.schema import Model
from ormlint.run.log import Event, Loop
from ormlint.text import Site

NEAR = 1  # calls between a loop and a write that people see together
FARTHEST = 3
_OF_A_ROW = frozenset({"save", "delete", "create", "save_base", "asave", "adelete", "acreate"})

Hindrance = Callable[[Event, Loop], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Write:
    """A write that a loop repeats. `hindrance` are notes on why a bulk operation may not replace it, none if it does."""

    event: Event
    loop: Loop
    site: Site
    calls: int
    hindrance: tuple[str, ...]
    weight: Severity

    @property
    def severity(self) -> Severity:
        """How much it costs, as far as something can be done about it."""
        return Severity.INFO if self.preview else self.weight

    @property
    def preview(self) -> bool:
        """Whether it takes a decision, and not an edit, to write the rows together."""
        around = self.event.around
        return bool(self.hindrance) or self.calls > NEAR or around.isolated or around.error_path or around.external

    @property
    def cause(self) -> tuple[object, ...]:
        """What makes two writes one finding: the call that leads to them, or their place and table."""
        return (self.site, self.loop.site, "" if self.calls else self.event.model or self.event.site)

    @property
    def counted_as(self) -> str:
        """What further writes behind the same call are called."""
        return "write" if self.calls else ""


def writes_one_by_one(project: Project, events: Iterable[Event], hindrance: Hindrance) -> Iterator[Write]:
    """Yields the writes that loops repeat, the nearest first.

    Those more than three calls away, and those that fill a cache once, are left out.
    """
    found = []
    for event in events:
        loops = repeaters(event)
        if not loops or event.around.guarded_by_cache:
            continue
        loop = innermost(loops)
        calls = _calls(project, event, loop)
        if calls > FARTHEST:
            continue
        write = Write(event, loop, place(project, event, loop), calls, hindrance(event, loop), weight(project, event, loops))
        found.append(write)
    yield from sorted(found, key=lambda write: write.calls)


def _calls(project: Project, event: Event, loop: Loop) -> int:
    """Returns the number of calls between a loop and a write; that of the row's own, overridden `save()` is none."""
    callees = [callee.rsplit(".", 1) for _, callee in calls_between(project, event, loop)]
    while callees and len(callees[-1]) > 1 and callees[-1][-1] in _OF_A_ROW:
        callees.pop()
    return len(callees)


def passed_over(model: Model | None, method: str) -> tuple[str, ...]:
    """Returns a note if a bulk operation would pass over what the project does when one row is written; none otherwise."""
    if model is None:
        return ()
    if method in model.overrides:
        return (f"`{model.name}` overrides `{method}()`, which a bulk operation would not call",)
    if model.has_receivers:
        return (f"signal receivers of `{model.name}` stand in the way of a bulk operation",)
    return ()
