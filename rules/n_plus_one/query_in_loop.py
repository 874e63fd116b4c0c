"""ORM103: a query that depends on the loop variable runs in every round although one could fetch all its rows."""

from collections.abc import Iterator

from ormlint.api import READS, Event, FetchBefore, Loop, Project, QueryLog, Report, Shape, rule
from ormlint.judge.apart import is_apart, model_of
from ormlint.judge.describe import call_path, calls_between, code, labels, per, place
from ormlint.judge.handful import walk_a_table
from ormlint.judge.lookups import FIGURES, advice
from ormlint.judge.owners import Owner, advice_for_owner, owner_of
from ormlint.judge.repetition import decides_to_go_on, innermost, is_deliberate, repeaters, weight, worth_counting
from ormlint.judge.rounds import Rounds, rounds_of
from ormlint.judge.set_up import set_up_of

PAGES = ("serializer", "template")  # a field or an include is a call too
FARTHEST = 4


@rule("ORM103", "query-in-loop")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query that a loop runs with parameters of its own round."""
    rounds, set_up = rounds_of(log), set_up_of(project, log)
    causes: dict[tuple[object, ...], tuple[object, ...]] = {}
    for event, loops, distance in _nearest_first(project, log):
        loop = innermost(loops)
        site = place(project, event, loop)
        # what a call in a loop leads to is one cause, and so is what one place asks, of several tables or in a loop within a loop
        asked = causes.setdefault((event.site, loops[0].site), _asked(event, loop))
        cause = causes.setdefault((site,) if distance else (event.site, loop.site), asked)
        owner = owner_of(event)
        intent = _intent(event, loop) if event.op not in FIGURES else None
        yield Report(
            site=site,
            message=f"{_subject(event)} runs one query {per(loop)}",
            help=_advice(project, event, loop, owner if intent is None else None),
            cause=cause,
            labels=labels(project, event, loop, loop.source, "this runs the query"),
            notes=call_path(project, event),
            relations=(owner.path,) if owner is not None else (),
            intent=intent if site == event.site else None,
            severity=weight(project, event, loops),
            preview=_is_decision(rounds, event, loop, distance)
            or not walk_a_table(project, loops)
            or _is_apart(project, rounds, event, loop)
            or all(loop.source is not None and set_up.gives_few(loop.source) for loop in loops),
            counted_as="query" if distance else "",
        )


def _advice(project: Project, event: Event, loop: Loop, owner: Owner | None) -> str:
    """Returns the advice to have the query of the rows bring along what a round asks for, or to ask for all rounds before the loop."""
    along = advice_for_owner(project, event, loop, owner) if owner is not None else ""
    model = model_of(event)
    return along or advice(project, event, loop, model.name if model is not None else "")


def _is_decision(rounds: Rounds, event: Event, loop: Loop, distance: int) -> bool:
    """Whether the query stands in a function that serves others too, or in rounds that change what the next one finds."""
    return distance > (loop.kind in PAGES) or rounds.write_others(loop, event)


def _is_apart(project: Project, rounds: Rounds, event: Event, loop: Loop) -> bool:
    # the loop of a base class walks the rows of every view: `for row in self.model.query: self.dump(row)`
    return is_apart(project, rounds, event, loop) or (loop.source is not None and loop.source.generic and not loop.body.encloses(event.site))


def _intent(event: Event, loop: Loop) -> FetchBefore | None:
    """Returns the change where the loop walks rows and sends the query itself, and an answer needs no row that the round makes."""
    model = event.query.model if event.query is not None else None
    walked = loop.source.model if loop.source is not None and loop.source.shape is Shape.ROWS else None
    if model is None or walked is None or loop.kind != "for" or not loop.body.encloses(event.site) or event.query is None or event.query.sliced:
        return None
    return FetchBefore(event.site, loop, model, walked)


def _asked(event: Event, loop: Loop) -> tuple[object, ...]:
    """Returns what makes two queries of a round one: they ask the same table for the same, in two branches or twice."""
    model = model_of(event)
    lookups = event.query.filters if event.query is not None else frozenset()
    known = model is not None and (lookups or event.method == "get")
    shown = event.site if loop.kind == "serializer" else loop.site  # many views show the same field
    return (shown, model if known else event.site, lookups, event.op in FIGURES)


def _nearest_first(project: Project, log: QueryLog) -> list[tuple[Event, tuple[Loop, ...], int]]:
    """Returns the repeated queries with the loops that decide and the number of calls between, the far ones left out."""
    found = []
    for event in log.events:
        loops = _loops_that_decide(event) if event.op in READS else ()
        if loops and not _is_deliberate(event, loops):
            distance = len(calls_between(project, event, innermost(loops)))
            if distance <= FARTHEST:
                found.append((event, loops, distance))
    return sorted(found, key=lambda item: item[2])


def _loops_that_decide(event: Event) -> tuple[Loop, ...]:
    """Returns the repeating loops whose variables decide what is asked for; a query about a row's own relation is not meant."""
    query = event.query
    if event.relation is not None or (query is not None and query.relation is not None):
        return ()
    decisive = event.depends | (query.parameters if query is not None else frozenset())
    return worth_counting(loop for loop in repeaters(event) if loop.id in decisive)


def _is_deliberate(event: Event, loops: tuple[Loop, ...]) -> bool:
    around = event.around
    if around.error_path or around.guarded_by_cache or (event.query is not None and is_deliberate(event.query)):
        return True
    if any(loop.batches and loop.id in event.depends for loop in event.loops):
        return True
    waiting = (loop for loop in event.loops if loop.kind == "while")
    return any(decides_to_go_on(event, loop) for loop in (*loops, *waiting))


def _subject(event: Event) -> str:
    # `session.execute(statement)` says nothing of what is asked for
    if event.text and not (event.query is not None and event.query.style == "result" and event.model is not None):
        return f"evaluating {code(event.text)}"
    return f"querying `{event.model.name}`" if event.model is not None else "this statement"
