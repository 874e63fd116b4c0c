"""Who calls the functions of a program: where each stands, and which ones lead to it.

def books(session): return session.scalars(select(Book)).all()     called by `shelf` and by `export`
def shelf(session): return render(books(session))                  leads to `books`, and so does what calls it
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec

from ormlint.text import Site


class Place(msgspec.Struct, frozen=True):
    """A function of the program: its qualified name and where it stands."""

    name: str
    path: str
    start: int
    end: int


class Functions:
    """The functions of a program, by who calls them.

    `callees` are the qualified names that each function was seen to call.
    """

    def __init__(self, places: Iterable[Place] = (), callees: Mapping[str, Iterable[str]] | None = None) -> None:
        self._places = list(places)
        self._callees = callees or {}

    def around(self, site: Site) -> str:
        """Returns the qualified name of the innermost function that a place stands in, "" outside of all."""
        inside = [place for place in self._by_path.get(site.path, ()) if place.start <= site.start < place.end]
        return max(inside, key=lambda place: place.start).name if inside else ""

    def callers(self, name: str) -> frozenset[str]:
        """Returns the functions that were seen to call one."""
        return self._callers.get(name, frozenset())

    def lead_to(self, name: str, steps: int) -> frozenset[str]:
        """Returns a function and those that call it, themselves or by others, in at most so many steps."""
        found = nearest = frozenset({name})
        for _ in range(steps):
            nearest = frozenset(caller for callee in nearest for caller in self.callers(callee)) - found
            found |= nearest
        return found

    @cached_property
    def _by_path(self) -> dict[str, list[Place]]:
        found: dict[str, list[Place]] = {}
        for place in self._places:
            found.setdefault(place.path, []).append(place)
        return found

    @cached_property
    def _callers(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for caller, callees in self._callees.items():
            for callee in callees:
                found.setdefault(callee, set()).add(caller)
        return {callee: frozenset(callers) for callee, callers in found.items()}
