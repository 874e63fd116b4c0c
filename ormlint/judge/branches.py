"""Relations that are read in a branch, which most of the rows may never get to.

Lists that several loops walk, of which those that have a relation read stand in a branch of their own:

films = list(session.scalars(select(Film)))
if with_cast:
    for film in films: print(film.title, len(film.roles))      loaded with the query, the roles would be loaded
for film in films: print(film.title)                           for who never asks for them, too

Functions that a loop calls, and which ask for something behind several tests:

def is_open(film): return film.free or film.club.open or film.guests.filter(…).exists()
for film in films: print(is_open(film))                        the guests of what few films?
"""

from __future__ import annotations

from ormlint.judge.eager import Chain
from ormlint.run.log import Event, QueryLog, UseKind

SEVERAL = 2  # tests in functions that a loop calls


def is_read_in_one_branch(log: QueryLog, chain: Chain) -> bool:
    """Whether the rows of a query are walked by loops that have a path read, all of them under a test that the query is not under, and by others."""
    query = chain.query
    walks = [use.site for use in query.all_uses() if use.kind is UseKind.ITERATE]
    if len(walks) < 2:
        return False
    reading = {loop.site for event in chain.events for loop in event.loops if loop.source is not None and loop.source.site == query.site}
    others = [site for site in walks if not any(loop.encloses(site) or site.encloses(loop) for loop in reading)]
    return bool(reading and others) and all(_is_in_a_branch(log, chain, event) for event in chain.events)


def _is_in_a_branch(log: QueryLog, chain: Chain, event: Event) -> bool:
    """Whether the loop over the rows that an event is in stands under a test which the statement that fetches them does not stand under."""
    loop = next((loop for loop in event.loops if loop.source is not None and loop.source.site == chain.query.site), None)
    loads = [load for load in log.evaluations(chain.query) if load.function == event.function]
    if loop is None or not loads or event.calls:
        return False
    outside = {test for test in event.way if not loop.body.encloses(test[0])}
    return all(not outside <= set(load.way) for load in loads)


def is_read_behind_tests(chain: Chain) -> bool:
    """Whether functions that the loop calls read a chain behind several tests of their own, which mostly leave few rows."""
    return all(event.tests >= SEVERAL for event in chain.events)
