"""The calls on the way from a loop to what happens in its rounds, and the tests these calls stand under.

def total(shelf): return sum(book.price for book in shelf.books)     the books of a shelf, by a call that
for shelf in shelves:
    if shelf.is_open: print(total(shelf))                            only some of the shelves get to
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from ormlint.link.templates import TemplateInfo
from ormlint.run.frame import Frame, Summary
from ormlint.run.log import Event, Loop, Origin, QueryObject
from ormlint.text import Site


def call_path(frame: Frame, loop: Loop) -> tuple[tuple[Site, ...], tuple[str, ...]]:
    """Returns the calls between the frame that has a loop and this one, outermost first."""
    sites: list[Site] = []
    names: list[str] = []
    at: Frame | None = frame
    while at is not None and loop not in at.loops and at.call_site is not None:
        if not sites or sites[-1] != at.call_site:
            sites.append(at.call_site)
            names.append(at.function.qualname if at.function is not None else "")
        at = at.caller
    return tuple(reversed(sites)), tuple(reversed(names))


def is_reentered(frame: Frame, row: Origin, created: Mapping[QueryObject, tuple[Frame, object]], running: Mapping[int, int]) -> bool:
    """Whether the function that asked for a row has been called again on the way to where the row is met.

    # `for old in older(release): old.retire()`, and some way of retiring a build looks for what is older than that one
    """
    made_by = created[row.query][0] if row.query in created else None
    if made_by is None or running.get(id(made_by.function), 0) < 2:
        return False
    at: Frame | None = frame
    while at is not None and at is not made_by:
        if at.function is made_by.function:
            return True
        at = at.caller
    return False


def note_way(frame: Frame, event: Event) -> None:
    """Notes on an event about a row of a loop in another frame whether the calls between stand behind a look into a cache, or a test of the row.

    A test that stands in the loop itself picks some of its rows; farther away it mostly asks what is the same for all of them. How many
    tests the functions called on the way have is noted as well.
    """
    at, loop = frame, event.loops[-1]
    passed: list[Frame] = []
    guarded, conditional = event.around.guarded_by_cache, event.around.conditional
    while at.caller is not None and loop not in at.loops:
        passed.append(at)
        at = at.caller
        guarded = guarded or at.guarded > 0
    event.tests = sum(len(each.way) for each in passed if not isinstance(each.module, TemplateInfo))
    if passed and not conditional and at.conditional and at.loops[-1:] == [loop]:
        conditional = True
        for each in passed:
            each.optional[id(event)] = event
    if (guarded, conditional) != (event.around.guarded_by_cache, event.around.conditional):
        event.around = replace(event.around, guarded_by_cache=guarded, conditional=conditional)


def note_further_way(frame: Frame, summary: Summary) -> None:
    """Notes that a function has been run before for the same rows: one way without a test is enough."""
    for event in list(summary.optional.values()):
        at = frame
        passed = []
        while at.caller is not None and event.loops[-1] not in at.loops:
            passed.append(at)
            at = at.caller
        if at.conditional:
            for each in passed:
                each.optional[id(event)] = event
        else:
            del summary.optional[id(event)]
            event.around = replace(event.around, conditional=False)


def through(site: Site, name: str, path: tuple[Site, ...], names: tuple[str, ...]) -> tuple[tuple[Site, ...], tuple[str, ...]]:
    """Returns a path of calls with one more before it; what a framework's function calls in turn stands for that function."""
    return (path, names) if path and path[0] == site else ((site, *path), (name, *names))
