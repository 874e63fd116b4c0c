"""The calls on the way from a loop to what happens in its rounds, and the tests these calls stand under.

def total(shelf): return sum(book.price for book in shelf.books)     the books of a shelf, by a call that
for shelf in shelves:
    if shelf.is_open: print(total(shelf))                            only some of the shelves get to
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.link.templates import TemplateInfo
from ormlint.run.frame import Frame, Summary
from ormlint.run.log import Event, Loop, QueryObject
from ormlint.text import Site

Created = Mapping[QueryObject, tuple[Frame, object]]
"""By query, the frame that made it."""


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


def note_reentry(frame: Frame, event: Event, created: Created, running: Mapping[int, int]) -> None:
    """Notes on an event about a row whether the function that asked for the row has been called again on the way to where it is met.

    # `for old in older(release): old.retire()`, and some way of retiring a build looks for what is older than that one
    """
    for at in _frames_behind(frame, event, created, running):
        event.reentered = True
        if at.reentered is None:
            at.reentered = {}
        at.reentered[id(event)] = event


def _frames_behind(frame: Frame, event: Event, created: Created, running: Mapping[int, int]) -> list[Frame]:
    """Returns the frames between this one and that which asked for a row, if one of them runs the same function, none otherwise."""
    made_by = created[event.row.query][0] if event.row is not None and event.row.query in created else None
    if made_by is None or running.get(id(made_by.function), 0) < 2:
        return []
    passed: list[Frame] = []
    again = False
    at: Frame | None = frame
    while at is not None and at is not made_by:
        passed.append(at)
        again = again or at.function is made_by.function
        at = at.caller
    return passed if again else []


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


def note_further_way(frame: Frame, node: ir.Node | None, summary: Summary, created: Created, running: Mapping[int, int]) -> None:
    """Notes that a function has been run before for the same rows: one way without a test is enough, and one that leads there directly."""
    for event in list(summary.reentered.values()) if summary.reentered else ():
        event.reentered = False
        note_reentry(frame, event, created, running)
        if not event.reentered and node is not None and event.loops:
            _lead_directly(frame, node, summary, event)
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


def _lead_directly(frame: Frame, node: ir.Node, summary: Summary, event: Event) -> None:
    """Has the path of an event be that of this call, and not the way round that led there first."""
    called = summary.function.partition(":")[2]
    if called in event.callees:
        inside = len(event.callees) - event.callees[::-1].index(called)
        sites, names = call_path(frame, event.loops[0])
        event.calls = (*sites, frame.site(node.start, node.end), *event.calls[inside:])
        event.callees = (*names, called, *event.callees[inside:])


def through(site: Site, name: str, path: tuple[Site, ...], names: tuple[str, ...]) -> tuple[tuple[Site, ...], tuple[str, ...]]:
    """Returns a path of calls with one more before it; what a framework's function calls in turn stands for that function."""
    return (path, names) if path and path[0] == site else ((site, *path), (name, *names))
