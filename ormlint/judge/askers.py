"""Who asks rows for a collection of theirs: whether they are surely the rows of one query, which can bring along what is asked for.

for author in Author.objects.all():                for author in Author.objects.annotate(books_count=Count("books")):
    print(author.books.count())                        print(author.books_count)
"""

from __future__ import annotations

from collections.abc import Iterable

from ormlint.judge.describe import is_shown
from ormlint.judge.eager import Chain, is_loadable, path_of
from ormlint.judge.project import Project
from ormlint.judge.repetition import repeaters
from ormlint.link.schema import Kind
from ormlint.run.log import Bound, Event, Loop, QueryLog, QueryObject, Shape, UseKind
from ormlint.text import Site

# with these before or behind it, what is brought along is one attribute more of each row, and nothing else
_NARROWING = "all filter exclude order_by reverse select_related prefetch_related only defer using distinct annotate alias get_queryset"
_ENDING = "iterator aiterator count acount exists aexists first afirst last alast get aget contains acontains [:]"
_KEEPING = frozenset((*_NARROWING.split(), *_ENDING.split()))


class Askers:
    """The events of a log that ask for a collection, by the place that asks."""

    def __init__(self, log: QueryLog, asked: Iterable[tuple[Site, Event]]) -> None:
        self._log = log
        self._asked: dict[Site, list[Event]] = {}
        self._walked: dict[str, list[tuple[Site, QueryObject]]] | None = None  # by path: where queries are walked
        for site, event in asked:
            self._asked.setdefault(site, []).append(event)

    def home(self, chain: Chain, event: Event) -> Site:
        """Returns where the query is to be changed: in the function that walks the rows, if it passes there."""
        around = self._log.functions.around
        own = around((event.row_loops or repeaters(event))[-1].site)
        places = [place for place in (chain.query.site, *chain.query.trail) if around(place) == own]
        return chain.home if chain.home in places or not places else places[-1]

    def are_of_these_rows(self, project: Project, query: QueryObject, site: Site, loop: Loop) -> bool:
        """Whether a place asks the rows of a query that the loop around it walks, and no others."""
        if loop.source is None or loop.source.site != query.site or not (loop.site.encloses(site) or loop.body.encloses(site)):
            return False
        if not is_shown(project, site) or any(
            other.row is None or other.row.path or other.row.query.ways or other.row.query.site != query.site for other in self._asked[site]
        ):
            return False
        return site.path not in project.templates or all(other.site == query.site for other in self._walked_at(loop))

    def _walked_at(self, loop: Loop) -> Iterable[QueryObject]:
        """Returns the queries whose rows a loop of a template may walk."""
        if self._walked is None:
            self._walked = {}
            for query in self._log.queries:
                for use in query.uses:
                    if use.kind is UseKind.ITERATE:
                        self._walked.setdefault(use.site.path, []).append((use.site, query))
        return (query for site, query in self._walked.get(loop.site.path, ()) if loop.site.encloses(site))


def is_of_plain_rows(chain: Chain, event: Event) -> bool:
    """Whether an event asks for a collection of the very rows of a query, to which more can be added."""
    relation = event.relation
    if relation is None or chain.root is not None or path_of(event) != (relation.name,) or relation.target is None:
        return False
    return relation.kind in (Kind.REVERSE_FOREIGN_KEY, Kind.MANY_TO_MANY) and is_loadable(chain) and chain.query.bound is not Bound.ONE


def takes_more(query: QueryObject) -> bool:
    """Whether an attribute more can be given to the rows of a query, and changes neither what they are nor what is written."""
    plain = query.shape is Shape.ROWS and not (query.ways or query.combined or query.raw or query.locked or query.generic)
    if not plain or not query.complete or not _KEEPING.issuperset(query.methods):
        return False
    return all(use.kind is not UseKind.METHOD or use.operator in _KEEPING for use in query.uses)
