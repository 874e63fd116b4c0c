"""What calls write, by the functions that make them.

def settle(orders):
    close_all()            writes `Order`, as `archive()` does that it calls
    for order in orders: …
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ormlint.run.frame import Summary
from ormlint.run.log import Event
from ormlint.run.reach import MadeCall


def calls_by_function(summaries: Iterable[Summary]) -> dict[str, Sequence[MadeCall]]:
    """Returns the calls that each function makes, with whatever arguments it was run."""
    found: dict[str, dict[tuple[int, ...], MadeCall]] = {}
    for summary in summaries:
        known = found.setdefault(summary.function, {})
        for call in summary.calls:
            site, called = call.site, call.summary
            known.setdefault((site.start, site.end, id(called), id(call.after)), MadeCall(site, called.function, _events_of(called), call.after))
    return {function: list(known.values()) for function, known in found.items()}


def _events_of(summary: Summary) -> Callable[[], Iterator[Event]]:
    return lambda: _events_behind(summary)


def _events_behind(summary: Summary) -> Iterator[Event]:
    """Yields what a call that writes does, itself and by the calls it makes."""
    waiting, seen = [summary], {id(summary)}
    while waiting:
        at = waiting.pop()
        if not at.writes:
            continue
        yield from at.events
        for call in at.calls:
            if id(call.summary) not in seen:
                seen.add(id(call.summary))
                waiting.append(call.summary)
