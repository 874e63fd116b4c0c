"""Which figures of collections the query of the rows may compute: those that each row is asked for as it is met, by nobody with other rows.

for author in Author.objects.all():                for author in Author.objects.annotate(books_count=Count("books")):
    print(author.books.count())                        print(author.books_count)
"""

from __future__ import annotations

from ormlint.judge.askers import Askers, is_of_plain_rows, takes_more
from ormlint.judge.eager import Chain
from ormlint.judge.finding import AnnotateFigure
from ormlint.judge.project import Project
from ormlint.judge.releases import CASES, FILTERED_AGGREGATES, SUBQUERIES
from ormlint.judge.repetition import repeaters
from ormlint.link.schema import Kind, Model, Relation
from ormlint.run.log import Event, Op, QueryLog, QueryObject

_METHODS = {Op.COUNT: "count", Op.EXISTS: "exists"}
_MULTIPLYING = frozenset({"distinct", "annotate", "alias"})


class Figures:
    """The figures that a log asks of collections, by the place that asks."""

    def __init__(self, log: QueryLog) -> None:
        self._log = log
        self._askers = Askers(log, ((event.site, event) for event in log.of(*_METHODS)))

    def intent(self, project: Project, chain: Chain, event: Event) -> AnnotateFigure | None:
        """Returns the change that computes a figure with the query of the rows, None if others have these rows or ask for more."""
        relation, query = event.relation, chain.query
        if event.op not in _METHODS or relation is None or not is_of_plain_rows(chain, event) or not _is_whole(event):
            return None
        assert relation.target is not None
        home = self._askers.home(chain, event)
        passing = self._log.passing(home)
        if not all(map(takes_more, (query, *passing))):
            return None
        alike = [other for other in chain.events if other.op is event.op and _is_whole(other)]
        loops = {other.site: (other.row_loops or repeaters(other))[-1] for other in alike}
        if not all(self._askers.are_of_these_rows(project, query, site, loop) for site, loop in loops.items()):
            return None
        alone = all(_is_alone(each) for each in (query, *passing))
        if project.lacks(SUBQUERIES) and (event.op is Op.EXISTS or not alone or not relation.target.has_plain_manager):
            return None
        return AnnotateFigure(query, home, relation, _METHODS[event.op], tuple(loops.items()), alone)


def aggregates_over(project: Project, event: Event, collection: str, *, some: bool) -> str:
    """Returns what `aggregate()` asks of a collection of one row as `annotate()` asks it of all, "" if the project's Django cannot.

    # `Sum("lines__price", filter=Q(…)), …=Max("lines__day")`; `some` tells that not all rows of the collection are meant
    """
    if some and project.lacks(CASES):
        return ""
    found: list[str] = []
    for function, name in zip(event.assigned[::2], event.assigned[1::2], strict=True) if event.assigned else (("…", "…"),):
        lookup = collection if function == "Count" and name in ("*", "pk") else f"{collection}__{name}"
        if some and project.lacks(FILTERED_AGGREGATES):
            found.append(f'{function}(Case(When(…, then="{lookup}")))')
        else:
            found.append(f'{function}("{lookup}", filter=Q(…))' if some else f'{function}("{lookup}")')
    return ", …=".join(found)


def existence_of(path: tuple[Relation, ...], *, some: bool) -> str:
    """Returns what asks for all rows whether they have any row in the collection that a path leads to."""
    inverse = path[-1].inverse if path else None
    if inverse is None or inverse.to_field or not all(hop.to_one for hop in path[:-1]):
        return 'Exists(….filter(…=OuterRef("pk")))'
    own = "__".join((*(hop.name for hop in path[:-1]), "pk"))
    return f'Exists({inverse.model.name}.objects.filter({inverse.query_name or inverse.name}=OuterRef("{own}"){", …" if some else ""}))'


def _is_whole(event: Event) -> bool:
    """Whether all rows of a collection are asked about."""
    return event.query is None or ({"all", "count", "exists", "acount", "aexists"}.issuperset(event.query.methods) and not event.query.sliced)


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
