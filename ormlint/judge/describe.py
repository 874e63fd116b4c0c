"""The words and labels of reports: one way to name a piece of code, a multiplicity, a call path.

message   loading `book.author` runs one query per `Book`
labels    the rows come from here → the loop → `byline` is called here → this reads `author`
note      call path: `byline` at shop/views.py:5 → `Author.name` at shop/models.py:12
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ormlint.judge.finding import Label, Mark
from ormlint.judge.project import Project
from ormlint.judge.repetition import innermost, repeaters
from ormlint.link.schema import Model, Orm
from ormlint.run.log import NOWHERE, Event, Loop, QueryLog, QueryObject, Use
from ormlint.text import Site

LONGEST_CODE = 40


_LOOPS = {"serializer": "{} shows every row", "form": "a choice for every row", "graphql": "{} shows every row of this list"}


def code(text: str) -> str:
    """Returns source text for a message: on one line, in backticks, the middle left out if it is long."""
    flat = " ".join(text.split()).replace("`", "'")
    if len(flat) > LONGEST_CODE:
        half = LONGEST_CODE // 2
        flat = f"{flat[:half]}…{flat[1 - half :]}"
    return f"`{flat}`"


def row_of(query: QueryObject | None) -> str:
    """Returns what one row of a query is called: "`Book` row" or "row"."""
    return f"`{query.model.name}` row" if query is not None and query.model is not None else "row"


def per(loop: Loop) -> str:
    """Returns the multiplicity of a loop: "per `Book`", "per `pk`", "per round of the loop"."""
    if loop.source is not None and loop.source.model is not None:
        return f"per `{loop.source.model.name}`"
    if loop.variable:
        return f"per {code(loop.variable)}"
    return "per round of the loop"


def per_model(model: Model | None) -> str:
    """Returns the multiplicity of work on every row of a model: "per `Book`", or "per row" if the model is not known."""
    return f"per `{model.name}`" if model is not None else "per row"


def is_shown(project: Project, site: Site) -> bool:
    """Whether a place is part of the project; the inside of a framework is not."""
    return site.path in project.lines


def at(project: Project, site: Site) -> str:
    """Returns " at path:line", or nothing for a place outside the project."""
    return f" at {project.at(site)}" if is_shown(project, site) else ""


def before(project: Project, loop: Site) -> str:
    """Returns "before the loop at path:line"; for a loop of a template, which asks nothing by itself, "in the view that renders path"."""
    return f"in the view that renders {project.shown(loop.path)}" if loop.path in project.templates else f"before the loop{at(project, loop)}"


def built_at(query: QueryObject) -> Site:
    """Returns the place of a query: where it becomes one of its own, if what begins it begins queries of many models."""
    return query.own if query.generic and query.own is not NOWHERE else query.site


def can_be_changed(project: Project, site: Site) -> bool:
    """Whether a place is one where people refine a query: not the inside of a framework, nor a template."""
    return is_shown(project, site) and site.path not in project.templates


def at_query(project: Project, query: QueryObject) -> str:
    """Returns " at path:line" for the last place that a query passes before it is used, or nothing for one outside the project."""
    trail = query.trail if query.orm is Orm.DJANGO else ()
    last = next((site for site in reversed(trail) if is_shown(project, site)), built_at(query))
    return at(project, last)


def is_of_another_function(log: QueryLog, query: QueryObject, site: Site) -> bool:
    """Whether a query of SQLAlchemy is built in another function than the one that uses its rows at a place, which others may use as well."""
    builder = log.functions.around(built_at(query))
    return query.orm is Orm.SQLALCHEMY and bool(builder) and builder != log.functions.around(site)


def place(project: Project, event: Event, loop: Loop) -> Site:
    """Returns where in a loop an event comes about: the event itself, or the call in the loop that leads to it.

    Of what happens inside a framework, the nearest place in the project is returned; of a loop inside a framework, that of the event.
    """
    way = [site for site in (*event.calls, event.site) if is_shown(project, site)]
    if loop.kind == "serializer" and loop.site in way[:-1]:  # the loop stands where the serializer is used: the field says more
        return next((site for site in way[way.index(loop.site) :] if site != loop.site), loop.site)
    outside = loop.body if not is_shown(project, loop.site) else None  # where the project calls the framework that has the loop
    inside = (site for site in way if site != outside and (loop.site.encloses(site) or loop.body.encloses(site)))
    known = [loop.site, *([event.row.query.site] if event.row is not None else ())]
    nearest = way[-1] if way else next((site for site in known if is_shown(project, site)), event.site)
    return next(inside, nearest)


def calls_between(project: Project, event: Event, loop: Loop) -> list[tuple[Site, str]]:
    """Returns the places and names of the calls that lead from a loop to an event; those inside a framework count as one."""
    way = list(zip(event.calls, event.callees, strict=True))
    inside = [number for number, (site, _) in enumerate(way) if loop.site.encloses(site) or loop.body.encloses(site)]
    if inside:
        way = way[inside[0] :]
    elif loop.site.encloses(event.site) or loop.body.encloses(event.site):
        return []
    own = loop.site if loop.kind == "serializer" else None
    return list({site: (site, callee) for site, callee in way if is_shown(project, site) and site != own}.values())


def place_of_column(project: Project, event: Event, loop: Loop) -> Site:
    """Returns where the column of a list comes about: the nearest place to the event in the file that the framework's loop works for."""
    way = [site for site in (*event.calls, event.site) if is_shown(project, site) and site.path == loop.body.path]
    return way[-1] if way else place(project, event, loop)


def places(project: Project, events: Iterable[Event], find: Callable[[Project, Event, Loop], Site] = place) -> dict[Site, Event]:
    """Returns the first of the repeated events for every place in which they come about, in their order."""
    found: dict[Site, Event] = {}
    for event in events:
        found.setdefault(find(project, event, innermost(repeaters(event))), event)
    return found


def labels(project: Project, event: Event, loop: Loop | None, query: QueryObject | None, access: str, home: Site = NOWHERE) -> tuple[Label, ...]:
    """Returns the labels of an event: query, loop, calls, access; places outside the project are left out.

    `home` is the place where the query is to be changed, if that is known.
    """
    found = []
    if query is not None and query.orm is Orm.DJANGO and home in query.trail:
        found += [Label(query.site, Mark.QUERY, "the query begins here"), Label(home, Mark.QUERY, "the rows come from here")]
    elif query is not None:
        found.append(Label(built_at(query), Mark.QUERY, "the rows come from here"))
    if event.query is not None and event.relation is not None and event.query is not query and not event.query.site.encloses(event.site):
        if not event.site.encloses(event.query.site) and (query is None or event.query.site != query.site):
            found.append(Label(event.query.site, Mark.QUERY, "the query per row is built here"))
    if loop is not None:
        found.append(Label(loop.site, Mark.LOOP, _LOOPS.get(loop.kind, "the loop").format(code(loop.variable))))
    found += [Label(site, Mark.CALL, f"{code(callee)} is called here") for site, callee in _hops(event)]
    found.append(Label(event.site, Mark.ACCESS, access))
    return tuple(label for label in found if is_shown(project, label.site))


def _hops(event: Event) -> list[tuple[Site, str]]:
    """Returns the calls that lead to an event, without those by which a framework gets to its loop or to the access."""
    inside = {event.site, *(loop.site for loop in event.loops if loop.kind in ("serializer", "text"))}
    return [(site, callee) for site, callee in zip(event.calls, event.callees, strict=True) if site not in inside]


def query_labels(project: Project, query: QueryObject, uses: Iterable[Use], text: str) -> tuple[Label, ...]:
    """Returns the labels of a query that is judged by its uses: where it is built, where it is used."""
    found = [Label(built_at(query), Mark.QUERY, "the query is built here"), *(Label(use.site, Mark.ACCESS, text) for use in uses)]
    return tuple(label for label in found if is_shown(project, label.site))


def call_path(project: Project, event: Event) -> tuple[str, ...]:
    """Returns a note that names every call on the way to an event with its place; none if the way is direct."""
    hops = [f"{code(callee)} at {project.at(site)}" for site, callee in _hops(event) if is_shown(project, site)]
    return (f"call path: {' → '.join(hops)}",) if hops else ()


def joined(words: Iterable[str]) -> str:
    """Returns words as an enumeration: "a", "a and b", "a, b and c"."""
    *init, last = words
    return f"{', '.join(init)} and {last}" if init else last
