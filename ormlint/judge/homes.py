"""Where a query is to be changed, so that all rows which profit pass there and as few others as possible.

class Shop:                                        the query begins here,
    @property                                      for all who ask for the orders of a shop
    def current(self): return self.orders.filter(…)

for order in shop.current.all(): order.customer    only this one reads `customer`: here it is to be loaded
for order in shop.current: order.cancel()

A query has a trail from where it begins to where it is evaluated: refinements, and the calls that return it. Its home is the first
place of the trail that no rows pass which can do without the relation, and no query of another model.
"""

from __future__ import annotations

from dataclasses import dataclass

from ormlint.judge.describe import can_be_changed
from ormlint.judge.once import once
from ormlint.judge.project import Project
from ormlint.link.schema import Model, Orm
from ormlint.run.log import Bound, LoadPlan, QueryLog, QueryObject, Shape, UseKind
from ormlint.text import Site

UP = 2  # calls by which rows are returned to who passes them on
DOWN = 4  # calls between who passes rows on and what reads them
SEVERAL = 3  # functions that call one which then works for each of them
Path = tuple[str, ...]
Way = tuple[Site, tuple[Site, ...]]


def own_place(project: Project, log: QueryLog, query: QueryObject, path: Path) -> Site | None:
    """Returns the first place on the trail of a query that only rows pass which have a path read; None if there is none.

    A template refines no query, and the inside of a framework is no place. Of SQLAlchemy it is not known which places come before
    the statement is executed.
    """
    if query.orm is not Orm.DJANGO or query.combined:
        return None
    return next((site for site in _trail(query) if can_be_changed(project, site) and _is_own(project, log, site, query, path)), None)


def last_place(project: Project, query: QueryObject) -> Site | None:
    """Returns the last place on the trail of a query where it can be changed, None if there is none."""
    if query.orm is not Orm.DJANGO or query.combined:
        return None
    return next((site for site in reversed(_trail(query)) if can_be_changed(project, site)), None)


def serves_others(log: QueryLog, query: QueryObject, home: Site, path: Path, *, as_many: bool = False) -> bool:
    """Whether the function that runs a query gives its rows to more callers that leave a path unread than to such that read it.

    # who shows the books of a shop reads their authors; who moves, counts or exports them does not
    With `as_many`, whether it gives them to as many at least.
    """
    profiting = profiting_callers(log, query, home, path)
    own = log.functions.around(home)
    return 0 < len(profiting) < len(log.functions.callers(own) - {own} - profiting) + as_many


def works_for_several(project: Project, log: QueryLog, home: Site) -> bool:
    """Whether the function that a query is to be changed in is called by so many others that what one of them needs is not known to be all they need.

    # `def recent(user): return Order.objects.filter(…)`, of which a page, a mail and an export take the orders
    """
    own = log.functions.around(home)
    return bool(own) and home.path not in project.templates and len(log.functions.own_callers(own)) >= SEVERAL


def profiting_callers(log: QueryLog, query: QueryObject, home: Site, path: Path) -> frozenset[str]:
    """Returns the functions that call the one which runs a query and have a path of its rows read; none if that one reads it too.

    A queryset of Django is changed where a caller uses it, unless a function gives its rows away in something else, such as a dict.
    """
    functions = log.functions
    own = functions.around(home)
    if not own or (query.orm is Orm.DJANGO and (query.trail or query.ways or query.bound is Bound.ONE or home != query.site)):
        return frozenset()
    walking: set[str] = set()
    for read, event in log.readings(query.site):
        if read[: len(path)] == path and event.row is not None and event.row.query.model is query.model:
            walking |= {functions.around(site) for site in (event.site, *(loop.site for loop in event.loops))}
    if own in walking:
        return frozenset()
    reading = frozenset().union(*(functions.lead_to(name, DOWN) for name in walking if name))
    return frozenset(caller for caller in functions.callers(own) - {own} if not functions.lead_to(caller, UP).isdisjoint(reading))


def last_places(project: Project, query: QueryObject) -> dict[Site, QueryObject]:
    """Returns the last places on the trails of a query, or of those that come together in it, each with the query that passes it.

    # `books = shop.current() if recent else Book.objects.all()`
    """
    found: dict[Site, QueryObject] = {}
    waiting, seen = [query], {query}
    while waiting:
        way = waiting.pop(0)
        last = last_place(project, way)
        if last is not None or not way.ways:
            found.setdefault(last or way.site, way)
            continue
        further = [each for each in way.ways if each not in seen]  # a loop merges the merged again
        seen.update(further)
        waiting = further + waiting
    return found or {query.site: query}


def ways_of(query: QueryObject) -> tuple[QueryObject, ...]:
    """Returns the queries that one stands for which is made in several ways, else the query itself."""
    return tuple(way for way in query.every_way() if not way.ways)


def _trail(query: QueryObject) -> tuple[Site, ...]:
    """Returns the places that all rows of a query pass, in order.

    Behind a function that keeps the query it returns none counts: who is given it again has rows that are fetched already.
    """
    if query.parent is not None and any(use.kind is UseKind.STORE for use in query.parent.all_uses()):
        return (query.site,)
    return query.trail if len({way.site for way in ways_of(query)}) > 1 else (query.site, *query.trail)


def _is_own(project: Project, log: QueryLog, site: Site, query: QueryObject, path: Path) -> bool:
    """Whether all queries that pass a place are of one model, and those that fetch many rows have the path read or load it."""
    traffic = _traffic(project, site, log)
    if any(model is not query.model for model in traffic.models):
        return False
    profiting = _profiting(site, path[: first_query(query.model, path)], log)
    if traffic.fetching & _loading(site, path, log):
        return False  # who needs it loads it where the query is used
    if query in traffic.passing:
        profiting = profiting | {(query.site, query.trail)}
    return traffic.fetching <= profiting and all(not ways.isdisjoint(profiting) for ways in traffic.callers)


@dataclass(frozen=True, slots=True)
class _Traffic:
    """The queries that pass a place, and their models.

    A function that runs with several arguments has a query for each: on one way, from its place along its trail, they are one query.
    `fetching` are the ways of those that fetch many rows, `callers` the ways that each expression which goes on with them is given.
    """

    passing: frozenset[QueryObject]
    models: frozenset[Model]
    fetching: frozenset[Way]
    callers: tuple[frozenset[Way], ...]


@once
def _traffic(project: Project, site: Site, log: QueryLog) -> _Traffic:
    passing = log.passing(site)
    callers: dict[tuple[str, int], set[Way]] = {}  # by where the expression begins
    for other in passing:
        further = _next_place(other, site)
        if further is not None and project.is_concerned((further,)):
            callers.setdefault((further.path, further.start), set()).add((other.site, other.trail))
    return _Traffic(
        frozenset(passing),
        frozenset(other.model for other in passing if other.model is not None),
        frozenset((other.site, other.trail) for other in passing if fetches_many(project, log, other)),
        tuple(map(frozenset, callers.values())),
    )


@once
def _profiting(site: Site, path: Path, log: QueryLog) -> frozenset[Way]:
    """Returns the ways of the queries that pass a place and whose rows have a path read."""
    return frozenset((other.site, other.trail) for other in log.passing(site) if profits(log, other, path))


@once
def _loading(site: Site, path: Path, log: QueryLog) -> frozenset[Way]:
    """Returns the ways of the queries that pass a place, and of which a method behind it has them load a path."""
    return frozenset((other.site, other.trail) for other in log.passing(site) if other.trail[-1:] not in ((), (site,)) and _loads(other.plan, path))


def _next_place(query: QueryObject, site: Site) -> Site | None:
    """Returns where a query goes on behind a place that it has passed, None if it ends there."""
    trail = (query.site, *query.trail)
    position = trail.index(site) + 1 if site in trail else len(trail)
    return trail[position] if position < len(trail) else None


def first_query(model: Model | None, path: Path) -> int:
    """Returns how long the beginning of a path is that has to be read so that loading the path is no query too many."""
    length = 1
    for number, name in enumerate(path, 1):
        relation = model.relation(name) if model is not None else None
        if relation is None:
            return len(path)
        if not relation.to_one:
            length = number
        model = relation.target
    return length


def fetches_many(project: Project, log: QueryLog, query: QueryObject) -> bool:
    """Whether many rows of a query are fetched in the program, tests left aside."""
    if query.bound is Bound.ONE or query.shape is not Shape.ROWS or query.cached or query.style in ("list", "manager"):
        return False
    return any(project.is_concerned((event.site, *event.calls)) for event in log.evaluations(query))


def profits(log: QueryLog, query: QueryObject, path: Path) -> bool:
    """Whether the rows of a query have a path read, or loaded in another way."""
    return any(read[: len(path)] == path for read in log.relations_read(query)) or _loads(query.plan, path)


def _loads(plan: LoadPlan, path: Path) -> bool:
    for name in path:
        entry = plan.loaded.get(name)
        if entry is None:
            return False
        plan = entry.plan
    return True
