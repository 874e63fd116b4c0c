"""Queries for what belongs to the row of a round, which the query of the rows could load or compute along.

Vote.objects.filter(book=self).count()        Count("votes") of the query of the books
Profile.objects.get(user=post.author)         select_related("author__profile") of the query of the posts
"""

from __future__ import annotations

from dataclasses import dataclass

from ormlint.judge.describe import at
from ormlint.judge.eager import in_chunks, relations_along
from ormlint.judge.figures import aggregates_over
from ormlint.judge.homes import last_place
from ormlint.judge.lookups import FIGURES
from ormlint.judge.project import Project
from ormlint.judge.releases import CASES, FILTERED_AGGREGATES, PREFETCH_OBJECTS, counted_by_group
from ormlint.link.schema import Model, Orm, Relation
from ormlint.run.log import Event, Loop, Match, Op, Origin, QueryObject


@dataclass(frozen=True, slots=True)
class Owner:
    """The row that a query asks about, and the relations that lead from it to what the query asks for."""

    row: Origin
    relations: tuple[Relation, ...]

    @property
    def path(self) -> str:
        """The lookup path from the rows of the owner's query: "author__profile"."""
        return "__".join((*self.row.path, *(relation.name for relation in self.relations)))


def owner_of(event: Event) -> Owner | None:
    """Returns the row whose own the rows are that a statement asks for, None unless exactly one is known."""
    query = event.query
    if query is None or len(query.matches) != 1:
        return None
    relations = _reversed(query.model, query.matches[0])
    return Owner(query.matches[0].row, relations) if relations else None


def _reversed(model: Model | None, match: Match) -> tuple[Relation, ...]:
    """Returns the relations back from what a lookup compares, nearest first: "feed__shelf" of books gives those to feeds and to books."""
    target = _row_model(match.row)
    names = match.lookup.removesuffix("__exact").split("__")
    hops = relations_along(model, tuple(names)) or _by_key(model, names)
    if not hops or hops[-1].target is not target or any(hop.inverse is None for hop in hops):
        return ()
    return tuple(hop.inverse for hop in reversed(hops) if hop.inverse is not None)


def _row_model(row: Origin) -> Model | None:
    if not row.path:
        return row.query.model
    hops = relations_along(row.query.model, row.path)
    return hops[-1].target if hops else None


def _by_key(model: Model | None, names: list[str]) -> tuple[Relation, ...]:
    """Returns the relations of a lookup that names the key of the last one: "book__pk", "book_id"."""
    *init, last = names
    hops = relations_along(model, tuple(init))
    owner = hops[-1].target if hops else model if not init else None
    if owner is None:
        return ()
    if hops and owner.is_primary_key(last):
        return hops
    key = next((relation for relation in owner.relations.values() if last and relation.attname == last), None)
    return (*hops, key) if key is not None else ()


def advice_for_owner(project: Project, event: Event, loop: Loop, owner: Owner) -> str:
    """Returns the imperative that has the query of the rows of a loop load or compute what each round asks for, "" if it cannot."""
    query = loop.source
    if query is None or owner.row.query.site != query.site or event.orm is not Orm.DJANGO or not _is_open(query):
        return ""
    where = f"the query{at(project, last_place(project, query) or query.site)}"  # a property or method may give its rows to others too
    to_one = all(hop.to_one for hop in (*relations_along(query.model, owner.row.path), *owner.relations))
    if event.op in FIGURES and event.query is not None and (event.query.distinct or event.query.has("dates", "datetimes")):
        return ""  # `sales.dates("sold", "day").count()`: distinct values, of which there are fewer than rows
    if event.op in FIGURES and not owner.row.path:
        collection = "__".join(relation.query_name or relation.name for relation in owner.relations)
        counted, some = f'"{collection}"', event.query is not None and len(event.query.filters) > 1
        if event.op is Op.AGGREGATE:
            figure = aggregates_over(project, event, collection, some=some)
            return f"compute it for all rows with `.annotate(…={figure})` on {where}" if figure else counted_by_group(event)
        if some:
            if project.lacks(CASES):
                return counted_by_group(event)
            counted = f"Case(When(…, then={counted}))" if project.lacks(FILTERED_AGGREGATES) else f"{counted}, filter=…"
        return f"compute it for all rows with `.annotate(…=Count({counted}))` on {where}"
    if len(owner.relations) > 1:
        return ""
    if event.op is Op.GET_ROW:
        read = owner.path.replace("__", ".")
        return f'add `.select_related("{owner.path}")` to {where} and read `{read}` of its rows' if to_one else ""
    if event.op is Op.LOAD_ROWS and not to_one:
        if project.lacks(PREFETCH_OBJECTS) or (event.query is not None and event.query.sliced):
            return ""
        keeps = f'`.prefetch_related(Prefetch("{owner.path}", queryset=…, to_attr="…"))`'
        return f"add {keeps} to {where}{in_chunks(project, query)} and read that attribute"
    return ""


def _is_open(query: QueryObject) -> bool:
    """Whether something can be added to a query."""
    return query.complete and not (query.combined or query.generic or query.raw or query.style == "list")
