"""Which rows of a collection the query of the rows may prefetch into a list: those that each row is asked for by the same conditions.

for author in Author.objects.all():                for author in Author.objects.prefetch_related(
    for book in author.books.filter(sold=True):            Prefetch("books", queryset=Book.objects.filter(sold=True), to_attr="sold_books")
        print(book.title)                              ):
                                                       for book in author.sold_books:
                                                           print(book.title)
"""

from __future__ import annotations

from ormlint.judge.askers import Askers, is_of_plain_rows, takes_more
from ormlint.judge.eager import Chain
from ormlint.judge.finding import PrefetchChosen
from ormlint.judge.once import once
from ormlint.judge.project import Project
from ormlint.judge.releases import PREFETCH_OBJECTS
from ormlint.judge.repetition import repeaters
from ormlint.run.log import Event, Op, QueryLog

_CHOOSING = frozenset({"filter", "exclude"})
_ASKED_FOR = frozenset({*_CHOOSING, "order_by", "all"})


def prefetch_of_chosen(project: Project, log: QueryLog, chain: Chain, event: Event) -> PrefetchChosen | None:
    """Returns the change that prefetches what an event asks of a collection, None if others have these rows or ask for something else."""
    relation, query, chosen = event.relation, chain.query, event.query
    if event.op is not Op.LAZY_COLLECTION or relation is None or chosen is None or not is_of_plain_rows(chain, event):
        return None
    if project.lacks(PREFETCH_OBJECTS) or chosen.sliced or chosen.steps or chosen.ways or not chosen.complete or chosen.distinct:
        return None
    if not _ASKED_FOR.issuperset(chosen.methods) or _CHOOSING.isdisjoint(chosen.methods):
        return None
    home = _askers(log).home(chain, event)
    loop = (event.row_loops or repeaters(event))[-1]
    if not all(map(takes_more, (query, *log.passing(home)))) or not _askers(log).are_of_these_rows(project, query, chosen.site, loop):
        return None
    return PrefetchChosen(query, home, relation, chosen)


@once
def _askers(log: QueryLog) -> Askers:
    events = (event for event in log.of(Op.LAZY_COLLECTION) if event.query is not None)
    return Askers(log, ((event.query.site, event) for event in events if event.query is not None))
