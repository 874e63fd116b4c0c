"""Who calls the functions of a program: where each stands, and which ones lead to it.

def books(session): return session.scalars(select(Book)).all()     called by `shelf` and by `export`
def shelf(session): return render(books(session))                  leads to `books`, and so does what calls it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ormlint.text import Site

if TYPE_CHECKING:
    from ormlint.run.log import Event


class Place(msgspec.Struct, frozen=True):
    """A function of the program: its qualified name and where it stands, and whether who calls it runs it bit by bit."""

    name: str
    path: str
    start: int
    end: int
    is_generator: bool = False


class MadeCall(NamedTuple):
    """A call that a function makes: where it stands, the function it leads to, what it does there if it writes anything.

    `after` is the last event of the function before it: a lambda is called elsewhere than it stands.
    """

    site: Site
    function: str
    events: Callable[[], Iterable[Event]]
    after: Event | None = None


class Run(msgspec.Struct, frozen=True):
    """One run of a function with certain arguments: the numbers of the runs that it calls.

    `starter` is what starts it if nothing calls it: the class whose object it is a method of, else the function itself; "" for what only
    tests start. `names` gives those of which each must stand somewhere for anything to start it, none if frameworks may, by whether tests call it.
    """

    function: str
    starter: str
    calls: tuple[int, ...] = ()
    names: Callable[[bool], tuple[str, ...]] = lambda is_tested: ()


class Functions:
    """The functions of a program, by who calls them.

    `callees` are the qualified names that each function was seen to call, `runs` gives what was run with which arguments, `installing` are
    the functions that migrations and system checks start, `calls` gives the calls that each function makes.
    """

    def __init__(
        self,
        places: Iterable[Place] = (),
        callees: Mapping[str, Iterable[str]] | None = None,
        runs: Callable[[], Sequence[Run]] = tuple,
        installing: frozenset[str] = frozenset(),
        calls: Callable[[], Mapping[str, Sequence[MadeCall]]] = dict,
    ) -> None:
        self._places = list(places)
        self._callees = callees or {}
        self._find_runs = runs
        self._installing = installing
        self._find_calls = calls
        self._started: dict[frozenset[str], frozenset[str]] = {}

    def around(self, site: Site) -> str:
        """Returns the qualified name of the innermost function that a place stands in, "" outside of all."""
        inside = [place for place in self._by_path.get(site.path, ()) if place.start <= site.start < place.end]
        return max(inside, key=lambda place: place.start).name if inside else ""

    def calls_in(self, name: str) -> Sequence[MadeCall]:
        """Returns the calls that a function makes itself."""
        return self._calls.get(name, ())

    def is_generator(self, name: str) -> bool:
        """Whether a function gives one thing after the other, and goes on when it is asked for the next."""
        return name in self._generators

    def leads_to(self, start: str, end: str) -> bool:
        """Whether a function is another one or calls it, itself or by others."""
        return start in self.lead_to(end, len(self._places))

    def callers(self, name: str) -> frozenset[str]:
        """Returns the functions that were seen to call one."""
        return self._callers.get(name, frozenset())

    def own_callers(self, name: str) -> frozenset[str]:
        """Returns the functions and pages of the project, other than itself, that were seen to call one."""
        return frozenset(caller for caller in self.callers(name) if caller != name and self._paths.get(caller))

    def called_from(self, name: str) -> frozenset[str]:
        """Returns the paths of the files with the functions that were seen to call one, "" for a caller that is not the project's."""
        return frozenset(self._paths.get(caller, "") for caller in self.callers(name))

    def lead_to(self, name: str, steps: int) -> frozenset[str]:
        """Returns a function and those that call it, themselves or by others, in at most so many steps."""
        found = nearest = frozenset({name})
        for _ in range(steps):
            if not nearest:
                break
            nearest = frozenset(caller for callee in nearest for caller in self.callers(callee)) - found
            found |= nearest
        return found

    def started_by(self, names: Iterable[str]) -> frozenset[str]:
        """Returns what starts the runs that lead to one of these functions: views by their classes, commands, what nobody calls."""
        wanted = frozenset(names)
        known = self._started.get(wanted)
        if known is None:
            known = self._started[wanted] = frozenset(run.starter for run in self._first_runs(wanted)) - {""}
        return known

    def only_installs(self, name: str) -> bool:
        """Whether nothing starts what leads to a function but migrations and system checks."""
        started = self.started_by({name}) if self._installing else frozenset()
        return bool(started) and started <= self._installing

    def names_to_start(self, name: str) -> list[tuple[str, ...]]:
        """Returns for each run that starts what leads to a function the names of which each must stand somewhere, none for one that needs none.

        Tests do not count: what only they call is started by its own names, or not at all.
        """
        return [run.names(run.function in self._tested) for run in self._first_runs(frozenset({name}), tests=False) if run.starter]

    def _first_runs(self, wanted: frozenset[str], *, tests: bool = True) -> list[Run]:
        """Returns the runs that lead to one of these functions and that nothing calls, or nothing but tests."""
        waiting = sorted(number for name in wanted for number in self._runs_of.get(name, ()))
        seen = set(waiting)
        found = []
        while waiting:
            number = waiting.pop()
            callers = [caller for caller in self._callers_of_runs.get(number, ()) if tests or self._runs[caller].starter]
            if not callers:
                found.append(self._runs[number])
            waiting += [caller for caller in callers if caller not in seen]
            seen.update(callers)
        return found

    @cached_property
    def _calls(self) -> Mapping[str, Sequence[MadeCall]]:
        return self._find_calls()

    @cached_property
    def _generators(self) -> frozenset[str]:
        return frozenset(place.name for place in self._places if place.is_generator)

    @cached_property
    def _tested(self) -> frozenset[str]:
        return frozenset(self._runs[callee].function for run in self._runs if not run.starter for callee in run.calls)

    @cached_property
    def _runs(self) -> Sequence[Run]:
        return self._find_runs()

    @cached_property
    def _runs_of(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, run in enumerate(self._runs):
            found.setdefault(run.function, []).append(number)
        return found

    @cached_property
    def _callers_of_runs(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for number, run in enumerate(self._runs):
            for callee in run.calls:
                found.setdefault(callee, []).append(number)
        return found

    @cached_property
    def _paths(self) -> dict[str, str]:
        return {place.name: place.path for place in self._places}

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
