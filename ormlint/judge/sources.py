"""Rows of several queries that meet in one loop: one finding, at the query where the eager load belongs.

rows = Book.objects.all()                  two queries give the rows,
if mine: rows = user.books.all()           one access reads their relation:
for book in rows: book.publisher           the query that gives more rows and is nearer speaks for the other
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ormlint.judge.describe import is_shown, joined
from ormlint.judge.eager import Chain, concerns, intent_for, path_of
from ormlint.judge.project import Project
from ormlint.judge.repetition import innermost, repeaters
from ormlint.run.log import Bound, Event, QueryObject
from ormlint.text import Site

MOST_NAMED = 3
_FAR = 1_000_000_000

Access = tuple[Site, Site, Site, int, str]
Rivals = dict[int, Event]  # the chains that have an access, by number, with the event of each


def one_per_access(project: Project, chains: Iterable[Chain]) -> Iterator[Chain]:
    """Yields the chains with every access in only one of them; `others` of a chain are the queries that it speaks for."""
    found = list(chains)
    by_access: dict[Access, Rivals] = {}
    for number, chain in enumerate(found):
        for event in chain.events:
            by_access.setdefault(_access(event), {}).setdefault(number, event)
    speaker = {access: _speaker(project, found, rivals) for access, rivals in by_access.items()}
    for number, chain in enumerate(found):
        own = [access for access in dict.fromkeys(map(_access, chain.events)) if speaker[access] == number]
        if own:
            spoken_for = {found[rival].home: None for access in own for rival in by_access[access] if rival != number}
            yield replace(chain, events=tuple(event for event in chain.events if _access(event) in own), others=tuple(spoken_for))


def _access(event: Event) -> Access:
    """Returns what makes two accesses one: the place, the loop and the relation, whichever query the row is from.

    The loop of a framework is another one for everything in the project that it works for.
    """
    relation, loop = event.relation, innermost(repeaters(event))
    return (
        event.site,
        loop.site,
        loop.body,
        id(relation.model) if relation is not None else 0,
        relation.name if relation is not None else "",
    )


def _speaker(project: Project, chains: list[Chain], rivals: Rivals) -> int:
    """Returns the number of the chain whose query can carry the eager load, gives many rows and is nearest to the loop.

    # for author in authors: for book in author.books.all(): book.publisher
    a `select_related` on `author.books.all()` would undo that `authors` prefetches the books, so `authors` comes first
    """
    many = [len(path_of(event)) for number, event in rivals.items() if _gives_many(chains[number].query)]
    longest = max(many, default=0)

    def reluctance(number: int) -> tuple[bool, bool, bool, bool, int, int]:
        query, event = chains[number].query, rivals[number]
        inner = query.relation is not None and len(path_of(event)) < longest
        mute = not concerns(project, event)
        return (mute, intent_for(chains[number]) is None, not _gives_many(query), inner, _distance(query.site, event), number)

    return min(rivals, key=reluctance)


def _gives_many(query: QueryObject) -> bool:
    return query.bound > Bound.ONE and not query.has("none")


def _distance(site: Site, event: Event) -> int:
    loop = innermost(repeaters(event)).site
    if loop.encloses(site):
        return 0
    return abs(loop.start - site.start) if loop.path == site.path else _FAR


def other_queries(project: Project, chain: Chain) -> tuple[Site, ...]:
    """Returns the places of the other queries whose rows meet the same accesses, without those of tests."""
    others = (site for site in chain.others if site not in (chain.home, chain.query.site))
    return tuple(dict.fromkeys(site for site in others if is_shown(project, site) and project.is_concerned((site,))))


def also_from(project: Project, chain: Chain) -> tuple[str, ...]:
    """Returns a note that names the other queries whose rows meet the same accesses; none if there are none."""
    places = list(dict.fromkeys(map(project.at, other_queries(project, chain))))
    if not places:
        return ()
    named = joined(places) if len(places) <= MOST_NAMED else f"{', '.join(places[:MOST_NAMED])} and {len(places) - MOST_NAMED} more queries"
    return (f"rows come from {named} too",)
