"""Whether rows are written between the query that loads them along and the place that reads them.

    books = list(Book.objects.all())
    rename_authors()                          writes `Author`, itself or by what it calls
    for book in books: print(book.author)     asks for the author as it is now; loaded with the books, it is as it was

What stands between is told by the text of the functions that load the rows and that read them, on the way that they take from one to the
other. What a generator gives is read while whoever walks it goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ormlint.judge.eager import Chain, relations_along
from ormlint.link.schema import Model, Relation
from ormlint.run.log import Event, Loop, Op, QueryLog
from ormlint.text import Site

MAKING = (Op.CREATE, Op.GET_OR_CREATE, Op.ADD, Op.MERGE, Op.INSERT)
CHANGES = (Op.LINK, Op.CREATE, Op.GET_OR_CREATE, Op.DELETE, Op.DELETE_ROWS, Op.BULK_WRITE, Op.UPDATE_ROWS, Op.SAVE)
_END = 1 << 60


@dataclass(frozen=True, slots=True)
class _Window:
    """A part of a function that is run between the two: from `start` to `end`, and the loops around the end.

    `run` are the positions of the two in the log, if the function runs both.
    """

    function: str
    start: int = 0
    end: int = _END
    loops: tuple[Loop, ...] = ()
    run: tuple[int, int] = (_END, 0)

    def holds(self, site: Site) -> bool:
        """Whether something that stands in the function is run between the two."""
        return self.start <= site.start < self.end or any(loop.body.encloses(site) for loop in self.loops)


class Between:
    """What is written between loading rows and reading their relations. `position` is that of the events in the log, by their ids."""

    def __init__(self, log: QueryLog, position: Mapping[int, int]) -> None:
        self._log = log
        self._position = position
        self._loading: dict[Site, list[Event]] = {}  # by query, what fetches its rows
        self._writing: dict[str, list[Event]] = {}  # by function, what it writes

    def written(self, chain: Chain) -> str:
        """Returns the name of a model that is loaded along with the rows and written before all of it is read, "" if none is."""
        relations = relations_along(chain.query.model, chain.path)
        for read in chain.events:
            for window in self._windows(chain, read):
                name = self._written_in(window, relations)
                if name:
                    return name
        return ""

    def _written_in(self, window: _Window, relations: Collection[Relation]) -> str:
        own = (event for event in self._writing.get(window.function, ()) if window.holds(event.site) or self._is_run_in(window, event))
        name = _changed(own, relations)
        for call in self._log.functions.calls_in(window.function) if not name else ():
            if window.holds(call.site) or self._is_run_in(window, call.after):
                name = name or _changed(call.events(), relations)
        return name

    def _is_run_in(self, window: _Window, event: Event | None) -> bool:
        return event is not None and window.run[0] <= self._position.get(id(event), -1) < window.run[1]

    def _windows(self, chain: Chain, read: Event) -> Iterator[_Window]:
        asked = self._position.get(id(read), 0)
        loads = [event for event in self._loads_of(chain.query.site) if self._position[id(event)] < asked]
        if not loads:
            return
        load, functions = loads[-1], self._log.functions
        walked = next((loop for loop in reversed(read.loops) if loop.source is not None and loop.source.site == chain.query.site), None)
        places = [*read.calls, read.site]
        place = next((each for each in places if walked is None or walked.site.encloses(each) or walked.body.encloses(each)), read.site)
        reader = read.function if place is read.site else functions.around(place)
        loaded, trail = load.site, (*chain.query.trail, *(load.query.trail if load.query is not None else ()))
        is_given = reader != load.function and not any(functions.around(step) == reader for step in trail)
        begins = [loaded] if reader == load.function else [step for step in trail if functions.around(step) == reader and step.end <= place.start]
        start = max((site.end for site in begins), default=0)
        around = tuple(loop for loop in read.loops if loop.kind != "framework" and not any(loop.body.encloses(site) for site in (loaded, *begins)))
        lasts = walked is not None and walked.kind == "callback"  # `map()` calls when somebody asks for the next
        run = (self._position[id(load)], asked) if reader == load.function else (_END, 0)
        yield _Window(reader, start, _END if lasts else place.start, around, run)
        if reader != load.function:
            calls = [call for call in functions.calls_in(load.function) if call.site.start >= loaded.end]
            until = min((call.site.start for call in calls if functions.leads_to(call.function, reader)), default=_END) if is_given else _END
            yield _Window(load.function, loaded.end, until)
        if functions.is_generator(reader):
            for caller in functions.own_callers(reader):
                called = [call.site.end for call in functions.calls_in(caller) if call.function == reader]
                yield _Window(caller, min(called, default=0))

    def _loads_of(self, site: Site) -> list[Event]:
        """Returns the statements that fetch the rows of a query, as the log has them."""
        if not self._loading:
            for event in sorted(self._log.of(Op.LOAD_ROWS), key=lambda event: self._position[id(event)]):
                if event.query is not None:
                    self._loading.setdefault(event.query.site, []).append(event)
            for event in self._log.of(*CHANGES, *MAKING):
                self._writing.setdefault(event.function, []).append(event)
        return self._loading.get(site, [])


def _changed(events: Iterable[Event], relations: Collection[Relation]) -> str:
    """Returns the name of the first model that relations lead to and that one of the events writes, "" if none does."""
    targets: set[Model | None] = {relation.target for relation in relations} - {None}
    names = {relation.name for relation in relations}
    for event in events:
        if event.op not in CHANGES and event.op not in MAKING:
            continue
        if event.model is not None and event.model in targets:
            return event.model.name
        if event.op is Op.LINK and event.relation is not None and event.relation.name in names:
            return event.relation.target.name if event.relation.target is not None else event.relation.name
    return ""
