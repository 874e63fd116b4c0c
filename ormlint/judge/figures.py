"""Which figures of collections the query of the rows may compute: those that each row is asked for as it is met, by nobody with other rows.

for author in Author.objects.all():                for author in Author.objects.annotate(books_count=Count("books")):
    print(author.books.count())                        print(author.books_count)
"""

from __future__ import annotations

from collections.abc import Iterable

from ormlint.judge.describe import is_shown
from ormlint.judge.eager import Chain, is_loadable, path_of
from ormlint.judge.finding import AnnotateFigure
from ormlint.judge.project import Project
from ormlint.judge.releases import SUBQUERIES
from ormlint.judge.repetition import repeaters
from ormlint.link.schema import Kind, Model
from ormlint.run.log import Bound, Event, Loop, Op, QueryLog, QueryObject, Shape, UseKind
from ormlint.text import Site

_METHODS = {Op.COUNT: "count", Op.EXISTS: "exists"}
# with these before or behind it, an annotation is one attribute more of each row, and nothing else
_NARROWING = "all filter exclude order_by reverse select_related prefetch_related only defer using distinct annotate alias get_queryset"
_ENDING = "iterator aiterator count acount exists aexists first afirst last alast get aget contains acontains [:]"
_KEEPING = frozenset((*_NARROWING.split(), *_ENDING.split()))
_MULTIPLYING = frozenset({"distinct", "annotate", "alias"})


class Figures:
    """The figures that a log asks of collections, by the place that asks."""

    def __init__(self, log: QueryLog) -> None:
        self._log = log
        self._asked: dict[Site, list[Event]] = {}
        self._walked: dict[str, list[tuple[Site, QueryObject]]] | None = None  # by path: where queries are walked
        for event in log.of(*_METHODS):
            self._asked.setdefault(event.site, []).append(event)

    def intent(self, project: Project, chain: Chain, event: Event) -> AnnotateFigure | None:
        """Returns the change that computes a figure with the query of the rows, None if others have these rows or ask for more."""
        relation, query = event.relation, chain.query
        if event.op not in _METHODS or relation is None or chain.root is not None or path_of(event) != (relation.name,):
            return None
        if relation.kind not in (Kind.REVERSE_FOREIGN_KEY, Kind.MANY_TO_MANY) or relation.target is None or not _is_whole(event):
            return None
        home = self._home(chain, event)
        passing = self._log.passing(home)
        if not is_loadable(chain) or query.bound is Bound.ONE or not all(map(_takes_annotations, (query, *passing))):
            return None
        alike = [other for other in chain.events if other.op is event.op and _is_whole(other)]
        loops = {other.site: (other.row_loops or repeaters(other))[-1] for other in alike}
        if not all(self._is_of_these_rows(project, query, site, loop) for site, loop in loops.items()):
            return None
        alone = all(_is_alone(each) for each in (query, *passing))
        if project.lacks(SUBQUERIES) and (event.op is Op.EXISTS or not alone or not relation.target.has_plain_manager):
            return None
        return AnnotateFigure(query, home, relation, _METHODS[event.op], tuple(loops.items()), alone)

    def _home(self, chain: Chain, event: Event) -> Site:
        """Returns where the query is to be changed: in the function that walks the rows, if it passes there."""
        around = self._log.functions.around
        own = around((event.row_loops or repeaters(event))[-1].site)
        places = [place for place in (chain.query.site, *chain.query.trail) if around(place) == own]
        return chain.home if chain.home in places or not places else places[-1]

    def _is_of_these_rows(self, project: Project, query: QueryObject, site: Site, loop: Loop) -> bool:
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


def _is_whole(event: Event) -> bool:
    """Whether all rows of a collection are asked about."""
    return event.query is None or ({"all", "count", "exists", "acount", "aexists"}.issuperset(event.query.methods) and not event.query.sliced)


def _takes_annotations(query: QueryObject) -> bool:
    """Whether an annotation adds an attribute to the rows of a query, and changes neither what they are nor what is written."""
    plain = query.shape is Shape.ROWS and not (query.ways or query.combined or query.raw or query.locked or query.generic)
    if not plain or not query.complete or not _KEEPING.issuperset(query.methods):
        return False
    return all(use.kind is not UseKind.METHOD or use.operator in _KEEPING for use in query.uses)


def _is_alone(query: QueryObject) -> bool:
    """Whether the rows of a query are those of its table, each once, in an order that groups keep, and it joins no collection."""
    model = query.model
    if model is None or query.distinct or not _MULTIPLYING.isdisjoint(query.methods) or query.aggregates or not model.has_plain_manager:
        return False
    if query.relation is not None and query.relation.kind is not Kind.REVERSE_FOREIGN_KEY:
        return False
    if query.ordering is None and (model.ordering or not model.ordering_known):
        return False  # `Count` makes groups, and groups are not sorted by `Meta.ordering` (measured on Django 5.2)
    ordering = query.ordering or ()
    return "?" not in ordering and not any(_joins_many(model, lookup.lstrip("-")) for lookup in (*query.filters, *ordering))


def _joins_many(model: Model, lookup: str) -> bool:
    """Whether a lookup leads over a collection, as far as its names are known."""
    here: Model | None = model
    for name in lookup.split("__"):
        if here is None:
            return True
        relation = here.relation(name) or next((each for each in here.relations.values() if each.attname and each.attname == name), None)
        if relation is None:
            return name not in here.columns and not here.is_primary_key(name)
        if not relation.to_one or relation.kind is Kind.GENERIC_FOREIGN_KEY:
            return True
        if relation.attname == name:
            return False
        here = relation.target
    return False
