"""What a query would have to load along with its rows, and how that is written.

    events of one query   author            author__country      publisher
    chains                author__country (both events)          publisher

The access to a relation that was not loaded is an event of its own for every hop. One `select_related("author__country")`
cures both, so they are one chain, reported at its first hop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ormlint.judge.describe import at, built_at, code, is_shown, joined
from ormlint.judge.finding import EagerLoad
from ormlint.judge.homes import last_place, last_places, own_place, ways_of
from ormlint.judge.project import Project
from ormlint.judge.releases import ITERATOR_PREFETCHES
from ormlint.judge.repetition import decides_to_go_on, innermost, repeaters
from ormlint.link.schema import Kind, Model, Orm, Relation
from ormlint.run.log import NOWHERE, Bound, Event, LoadKind, LoadPlan, Origin, QueryLog, QueryObject
from ormlint.run.plans import is_separate
from ormlint.text import Site


@dataclass(frozen=True, slots=True)
class Chain:
    """Relations that the rows of one query lack: `path` as far as it is needed, `events` that read its first unloaded hop.

    `ends` has one event for each further hop that is read too.
    `home` is the place where the query is to be changed, `others` are those of further queries whose rows meet the same accesses. `root`
    is set if the query cannot be changed at all: the query that can load the chain instead, and the way from its rows to those of `query`.
    """

    query: QueryObject
    path: tuple[str, ...]
    events: tuple[Event, ...]
    home: Site
    others: tuple[Site, ...] = ()
    root: Origin | None = None
    ends: tuple[Event, ...] = ()

    @property
    def carrier(self) -> QueryObject:
        """The query that is to load the chain."""
        return self.root.query if self.root is not None else self.query

    @property
    def whole_path(self) -> tuple[str, ...]:
        """The path from the rows of the carrier."""
        return (*self.root.path, *self.path) if self.root is not None else self.path

    @property
    def follows_a_query_per_round(self) -> bool:
        """Whether the row itself is fetched anew in each round: then that query is the waste, and what it loads along saves little."""
        return self.query.bound is Bound.ONE and all(self._leads_to_one(event) for event in self.events)

    @property
    def is_of_one_row(self) -> bool:
        """Whether all accesses are to one row and what it leads to: a loop over something else asks, and what it asks differs per round."""
        hops = relations_along(self.query.model, path_of(self.events[0])[:-1])
        return self.query.bound is Bound.ONE and all(hop.to_one for hop in hops)

    def _leads_to_one(self, event: Event) -> bool:
        """Whether an event works on a row of the query or on the one row that it leads to: `book.author`."""
        hops = event.row.path if event.row is not None else ()
        known = relations_along(self.query.model, hops)
        return event.row is not None and len(known) == len(hops) and all(hop.to_one for hop in known)

    @property
    def lookup(self) -> str:
        """The path as Django writes it: "author__country"."""
        return "__".join(self.whole_path)

    @property
    def relations(self) -> tuple[str, ...]:
        """The names of what is missing: the lookup, and what else `relation_names` gives."""
        if self.root is not None:
            return (self.lookup, "__".join(self.path))
        return relation_names(self.query, self.path, len(path_of(self.events[0])) - 1)

    @property
    def spelled(self) -> str:
        """The path as an eager load of the query spells it: a collection by the attribute that a `Prefetch` of that query keeps it in."""
        names: list[str] = []
        plan = self.carrier.plan
        for name in self.whole_path:
            entries = plan.loaded.items() if name not in plan.loaded else ()
            key = next((key for key, entry in entries if entry.to_attr == name), name)
            names.append(key.removeprefix("to_attr:"))
            plan = plan.loaded[key].plan if key in plan.loaded else LoadPlan()
        return "__".join(names)

    @property
    def cause(self) -> tuple[object, ...]:
        """What makes two chains one finding: the place of the query, its model and the first relation it lacks.

        # `select(self.model)` in a generic repository is one place of queries for many models
        """
        model = self.query.model.label if self.query.model is not None else ""
        return (self.home if self.is_narrowed else built_at(self.query), model, path_of(self.events[0]))

    @property
    def is_narrowed(self) -> bool:
        """Whether it is not where the query begins that it is to be changed, but further on, where others do not get it."""
        return self.carrier.orm is Orm.DJANGO and self.home in self.carrier.trail

    @property
    def owner(self) -> Model | None:
        """The model whose rows lack the first relation; None if it is not known.

        A collection on the way there multiplies the rows: for `books__publisher` of authors there is one access per `Book`.
        """
        hops = relations_along(self.query.model, path_of(self.events[0])[:-1])
        return next((hop.target for hop in reversed(hops) if not hop.to_one), self.query.model)


def path_of(event: Event) -> tuple[str, ...]:
    """Returns the lookup path of the relation that an event reads, from the rows of the query that gave its row."""
    if event.path or event.row is None or event.relation is None:
        return event.path
    return (*event.row.path, event.relation.name)


def is_attributable(event: Event) -> bool:
    """Whether it is certain which query the row came from and that it does not load the relation; else rules are silent.

    A relation that some of the ways to a place load counts as loaded there if the place itself is reached on some ways only.
    """
    return event.row is not None and event.row.query.complete and event.relation is not None and (event.certain or not event.around.conditional)


def missing_chains(project: Project, log: QueryLog, events: Iterable[Event]) -> Iterator[Chain]:
    """Yields the chains of relations that repeated events read one by one; events that may be reported speak first for a chain."""
    yield from _chained(project, log, (event for event in events if is_attributable(event) and _is_worth_it(event)))


def unloadable_chains(project: Project, log: QueryLog, events: Iterable[Event]) -> Iterator[Chain]:
    """Yields the chains of relations whose reading fails, however often it happens."""
    yield from _chained(project, log, (event for event in events if is_attributable(event)))


def _chained(project: Project, log: QueryLog, events: Iterable[Event]) -> Iterator[Chain]:
    by_query: dict[tuple[object, Site], dict[tuple[str, ...], list[Event]]] = {}
    own: dict[tuple[QueryObject, tuple[str, ...]], Site | None] = {}
    for event in sorted(events, key=lambda event: not concerns(project, event)):
        if event.row is not None:
            path = path_of(event)
            query = _lacking(event.row.query, path)
            root = _root_of(project, query)
            carrier, whole = (root.query, (*root.path, *path)) if root is not None else (query, path)
            if (carrier, whole) not in own:
                own[carrier, whole] = own_place(project, log, carrier, whole)
            home = own[carrier, whole] or _else_at(project, event, carrier)
            key = ((*_changed_at(event, query), query.model), home)
            by_query.setdefault(key, {}).setdefault(path, []).append(event)
    for (_, home), read in by_query.items():
        for path, first in _chains(read):
            row = read[first][0].row
            assert row is not None
            query = _lacking(row.query, first)
            certain = _certain_part(query.model, path)
            if len(certain) >= len(first):
                yield Chain(
                    query,
                    certain,
                    tuple(read[first]),
                    home,
                    root=_root_of(project, query),
                    ends=tuple(read[path[:n]][0] for n in range(len(first) + 1, len(path) + 1) if path[:n] in read),
                )


def _certain_part(model: Model | None, path: tuple[str, ...]) -> tuple[str, ...]:
    """Returns a path up to the first relation that the model may not have, which no query could name then."""
    for number in range(1, len(path) + 1):
        if any(hop.optional for hop in relations_along(model, path[:number])):
            return path[: number - 1]
    return path


def _lacking(query: QueryObject, path: tuple[str, ...]) -> QueryObject:
    """Returns the query itself or, if it stands for several of which the first loads a path, one of them that does not."""
    if not query.ways or not is_loaded(query.ways[0].plan, path):
        return query
    return next((_lacking(way, path) for way in query.ways[1:] if not is_loaded(way.plan, path)), query)


def _changed_at(event: Event, query: QueryObject) -> tuple[Site, Site]:
    """Returns the place of a query and, if it is a query for many models throughout, that of the loop which uses its rows."""
    site, loops = built_at(query), repeaters(event)
    return (site, innermost(loops).site) if loops and query.generic and query.own is NOWHERE else (site, NOWHERE)


def _root_of(project: Project, query: QueryObject) -> Origin | None:
    """Returns the query that loads along what the rows of another one lack, if that one stands in a template, which cannot refine it.

    # `{% for order in customer.orders.all %}{{ order.shop }}`: the query that gave `customer` can load "orders__shop"
    """
    found: Origin | None = None
    path: tuple[str, ...] = ()
    while query.site.path in project.templates and query.orm is Orm.DJANGO and query.style == "related" and not query.steps:
        owner = query.owner
        if owner is None or query.relation is None or not set(query.methods) <= {"all"} or not owner.query.complete:
            return None
        path = (*owner.path, query.relation.name, *path)
        query = owner.query
        found = Origin(query, path)
    return found


def concerns(project: Project, event: Event) -> bool:
    """Whether an event may be reported: not if it comes about in a test, or works on rows that only a test fetches."""
    query = [event.row.query.site] if event.row is not None else []
    return project.is_concerned((event.site, *query, *event.calls, *(loop.site for loop in event.loops)))


def _is_worth_it(event: Event) -> bool:
    """Whether a loop repeats an event as often as it has rounds: not on a way to an error, nor in search of one row."""
    loops = repeaters(event)
    if not loops or event.around.error_path or any(decides_to_go_on(event, loop) for loop in loops):
        return False
    # `for pk in keys: task = Task.objects.select_for_update().get(pk=pk)` and `if not task.is_taken(): return task`
    return not (event.row is not None and event.row.query.locked and innermost(loops).searches)


def _chains(read: dict[tuple[str, ...], list[Event]]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yields the deepest paths, each with its first hop that is read too and belongs to no chain before it.

    A collection on the way begins a new chain: walking it is a cause of its own.
    """
    passed = {path[:-1] for path in read if path[:-1] in read and _is_to_one(read[path[:-1]])}
    claimed: set[tuple[str, ...]] = set()
    for leaf in sorted((path for path in read if path not in passed), key=len, reverse=True):
        first = leaf
        while first[:-1] in passed - claimed:
            first = first[:-1]
            claimed.add(first)
        yield leaf, first


def _is_to_one(events: list[Event]) -> bool:
    return all(event.relation is not None and event.relation.to_one for event in events)


def relations_along(model: Model | None, path: tuple[str, ...]) -> tuple[Relation, ...]:
    """Returns the relations that a lookup path names; none if one of them is not known."""
    found: list[Relation] = []
    for name in path:
        relation = model.relation(name) if model is not None else None
        if relation is None:
            return ()
        found.append(relation)
        model = relation.target
    return tuple(found)


def relation_names(query: QueryObject, path: tuple[str, ...], first: int) -> tuple[str, ...]:
    """Returns the names of what a path reads from its hop `first` on: the lookup, the path from the rows that lack it, `Author.country`.

    The last is for SQLAlchemy, which has no paths. The rows that lack it are those of the innermost loop: of
    `books__author__country` they are the books.
    """
    lookup, hops = "__".join(path), relations_along(query.model, path)
    if query.orm is Orm.DJANGO or len(path) == 1:
        behind = next((number for number in range(len(hops) - 1, 0, -1) if not hops[number - 1].to_one), 0)
        return (lookup, "__".join(path[behind:])) if behind else (lookup,)
    return (lookup, *(f"{hop.model.name}.{hop.name}" for hop in hops[first:]))


def without_prefixes(paths: list[str]) -> list[str]:
    """Returns lookup paths without those that a longer one loads along."""
    return [path for path in dict.fromkeys(paths) if not any(other.startswith(f"{path}__") for other in paths)]


def is_loaded(plan: LoadPlan, path: tuple[str, ...]) -> bool:
    """Whether a load plan certainly loads every hop of a path under the relation's own name."""
    for name in path:
        entry = plan.loaded.get(name)
        if entry is None or not entry.certain or entry.to_attr:
            return False
        plan = entry.plan
    return True


def is_known(chain: Chain) -> bool:
    """Whether the path leads somewhere from the rows of the query that is to load it, as far as its models are known.

    Of SQLAlchemy it may begin at another entity of the query.
    """
    model = chain.carrier.model if chain.carrier.orm is Orm.DJANGO else None
    for name in chain.whole_path:
        if model is None:
            return True
        relation = model.relation(name)
        if relation is None:
            return False
        model = relation.target
    return True


def is_loadable(chain: Chain) -> bool:
    """Whether an eager load can be added to the query: not to a combined one, nor to relations that load themselves."""
    query = chain.carrier
    hops = relations_along(query.model, chain.whole_path)
    return not (query.combined or query.generic or query.style == "list" or any(map(_loads_itself, (chain.events[0].relation, *hops))))


def _loads_itself(relation: Relation | None) -> bool:
    return relation is not None and relation.lazy in ("dynamic", "write_only")


def intent_for(chain: Chain) -> EagerLoad | None:
    """Returns the change of the query that cures a chain, or None if it cannot be made or a relation is not known."""
    relations = relations_along(chain.carrier.model, chain.whole_path)
    if polymorphic_hop(relations) or not is_loadable(chain):
        return None
    return EagerLoad(chain.carrier, relations, chain.home, reads=chain.events) if relations else None


def polymorphic_hop(relations: tuple[Relation, ...]) -> int:
    """Returns the number of relations up to the first that leads to rows of several classes, 0 if none does.

    A join gives instances of the base; only a query of its own gives those of the subclasses, whose relations differ.
    """
    leads = (number for number, relation in enumerate(relations, 1) if relation.target is not None and relation.target.polymorphic)
    return next(leads, 0)


def advice_for(project: Project, chain: Chain) -> str:
    """Returns the imperative that cures a chain, with the lookup and the place of the query."""
    query = chain.carrier
    where = where_of(project, chain)
    if query.combined and not _loads_itself(chain.events[0].relation):
        return f"add {lookup_text(chain)} to every query that is combined{where}"
    if _loads_itself(chain.events[0].relation):
        return _one_query_instead(chain, where)
    if query.orm is Orm.DJANGO and query.style == "list":
        return f'load it for all rows at once with `prefetch_related_objects(rows, "{chain.lookup}")`, rows{where}'
    if query.orm is Orm.DJANGO and chain.home.path in project.templates:
        return f"give the template rows of a query with {lookup_text(chain)} in the place of those{where}"
    lookup = lookup_text(chain)
    chunks = in_chunks(project, query) if lookup.startswith("`.prefetch_related(") else ""
    return f"add {lookup} to {query_of(project, chain)}{_with_the_key(chain)}{chunks}"


def in_chunks(project: Project, query: QueryObject) -> str:
    """Returns what is to be done besides where rows come from an `iterator()` that prefetches nothing, "" where it does.

    Since Django 4.1 one with a `chunk_size` prefetches; without it they are ignored (says its documentation), and an error since 5.0 (measured).
    """
    if query.orm is not Orm.DJANGO or query.batched or query.methods[-1:] != ("iterator",):
        return ""
    if project.lacks(ITERATOR_PREFETCHES):
        return ", in the place of its `.iterator()`, which prefetches nothing"
    return ", and give its `.iterator()` a `chunk_size`"


def _with_the_key(chain: Chain) -> str:
    """Returns what is to be done besides where `only()` or `defer()` leaves out the key that a join needs, "" where it is there."""
    hops = relations_along(chain.carrier.model, chain.whole_path)
    if not hops or not hops[0].attname or not chain.carrier.plan.leaves_out(hops[0]):
        return ""
    return f", and `{hops[0].name}` to its `.only()`" if chain.carrier.plan.only is not None else f", and take `{hops[0].name}` out of its `.defer()`"


def is_left_out_by_some(chain: Chain) -> bool:
    """Whether one of several ways to make a query leaves out the key of the relation, with which it cannot be joined.

    # `if "author" not in fields: books = books.defer("author")`
    """
    hops = relations_along(chain.carrier.model, chain.whole_path)
    if not hops or not hops[0].attname or chain.carrier.orm is not Orm.DJANGO:
        return False
    doubtful = {"?*", f"?{hops[0].name}", f"?{hops[0].attname}"}
    ways = ways_of(chain.carrier)
    return bool(doubtful & chain.carrier.plan.deferred) or (len(ways) > 1 and any(way.plan.leaves_out(hops[0]) for way in ways))


def query_of(project: Project, chain: Chain) -> str:
    """Returns what is to be changed, "the query at path:line", or the queries that come together only when they are used and lack the path."""
    query = chain.carrier
    if query.orm is Orm.DJANGO and not (chain.is_narrowed or query.combined):
        places = last_places(project, query)
        begun = [site for site, way in places.items() if is_shown(project, site) and not is_loaded(way.plan, chain.whole_path)]
        # in another file queries of other models begin there too
        if len(begun) > 1 and not (query.generic and any(site.path != chain.home.path for site in begun)):
            return f"the queries at {joined(project.at(site) for site in begun)}"
    return f"the query{where_of(project, chain)}"


def where_of(project: Project, chain: Chain) -> str:
    """Returns the place of the query of a chain as it follows "the query": " at path:line", or nothing outside the project."""
    loops = repeaters(chain.events[0])
    if chain.carrier.generic and loops and chain.home == innermost(loops).site:
        return f" that gives the rows used at {project.at(chain.home)}" if is_shown(project, chain.home) else ""
    admin = next((page for page in project.admin_lists if page.site == chain.home == page.own.site), None)
    if admin is not None and not admin.is_default:  # the query is Django's
        return f", in a `get_queryset()` of {code(admin.name)}"
    return at(project, chain.home)


def _else_at(project: Project, event: Event, query: QueryObject) -> Site:
    """Returns where a query is to be changed that has no place of its own.

    An expression that builds queries of several models takes no loads of one of them: where the query becomes one of its own or is
    first refined in the file that walks its rows is the place, or else where it becomes one of its own, or what walks the rows. Of a
    row that no loop asks for, the file that reads it counts.
    """
    if not query.generic:
        return last_place(project, query) or next(iter(last_places(project, query)))
    loops = repeaters(event)
    walks = (innermost(loops).site,) if loops else ()
    path = walks[0].path if walks else event.site.path
    own = (query.own,) if query.own.path == path else ()
    known = (step for step in query.steps if step.path == path and step not in walks)
    return next((site for site in (*own, *known, query.own, *walks, query.site) if is_shown(project, site)), query.site)


def lookup_text(chain: Chain) -> str:
    """Returns the call that loads a chain, in backticks, in the words of its ORM."""
    relations = relations_along(chain.carrier.model, chain.whole_path)
    if chain.query.orm is Orm.DJANGO:
        known = relations or tuple(event.relation for event in chain.events[:1] if event.relation is not None)
        hops = polymorphic_hop(relations)
        if hops:
            return f'`.prefetch_related("{"__".join(chain.whole_path[:hops])}")`'
        joinable = all(relation.to_one and relation.kind is not Kind.GENERIC_FOREIGN_KEY for relation in known)
        joinable = joinable and not is_separate(chain.carrier.plan, chain.whole_path[0])
        # one that names a relation ends what `select_related()` without arguments follows
        method = "select_related" if joinable and not (chain.carrier.raw or chain.carrier.follows) else "prefetch_related"
        return f'`.{method}("{chain.spelled}")`'
    steps: list[str] = []
    owner, plan = chain.query.model, chain.carrier.plan
    for name in chain.path:
        relation = owner.relation(name) if owner is not None else None
        loader = loader_of(relation, chain.carrier if not steps else None, plan, cut=are_cut(chain.events))
        steps.append(f"{loader}({owner.name if owner is not None else '…'}.{name})")
        owner, plan = (relation.target if relation is not None else None), below(plan, name)
    return f"`.options({'.'.join(steps)})`"


def below(plan: LoadPlan, name: str) -> LoadPlan:
    """Returns what a plan loads behind a relation."""
    return plan.loaded[name].plan if name in plan.loaded else LoadPlan()


def are_cut(reads: Iterable[Event]) -> bool:
    """Whether some of the queries whose rows are read have a limit: what is loaded with one is loaded with all that are made of it."""
    queries = [event.row.query for event in reads if event.row is not None]
    return any(query.limit is not None or query.sliced or query.paged is not None for query in queries)


def loader_of(relation: Relation | None, query: QueryObject | None, plan: LoadPlan, *, cut: bool = False) -> str:
    """Returns the loader option for a relation, of a query if it is the first of a path; `plan` is what the rows are loaded with so far.

    `cut` tells that others are made of the query which have a limit.

    # `selectinload(Book.author)`, or `joinedload(Book.author, innerjoin=True)`, and `joinedload(Book.author).…` in one query are an error;
    # `defaultload(Book.author).…` goes on from either
    # joined to `select(Shop).group_by(Shop.id)`, the columns of the owner are neither grouped nor aggregated
    # `select(Shop).from_statement(text("…"))` takes no joins: `joinedload` is without effect (measured with SQLAlchemy 2.1)
    # `contains_eager` takes what the query joins anyway, but of the rows behind a `uselist=False` that the conditions find
    # with `uselist=False` there may be several rows all the same, of which a `limit()` would cut the page
    """
    joined = (relation is None or relation.to_one) and not (query is not None and query.has("group_by", "from_statement"))
    if joined and query is not None and relation is not None and relation.kind is Kind.REVERSE_ONE_TO_ONE:
        joined = query.limit is None and not query.sliced and query.paged is None and not cut
    loader = "joinedload" if joined else "selectinload"
    entry = plan.loaded.get(relation.name) if relation is not None else None
    if entry is not None and entry.certain and entry.kind in (LoadKind.JOIN, LoadKind.SEPARATE) and entry.method.isidentifier():
        return loader if entry.method == loader and not entry.inner else "defaultload"
    return "contains_eager" if joined and relation is not None and query is not None and _is_joined_for_all(query, relation) else loader


def _is_joined_for_all(query: QueryObject, relation: Relation) -> bool:
    """Whether a query joins a relation to one where it begins, so that nothing is made of it that does not.

    # `select(Book).join(Book.author)`; whatever the conditions are, a row that is found is joined to its author
    """
    joins = [join for join in query.joins if join.relation is relation]
    if query.model is None or query.ways or query.combined or relation.kind is Kind.REVERSE_ONE_TO_ONE:
        return False
    return len(joins) == 1 and query.site.encloses(joins[0].site) and query.model.relations.get(relation.name) is relation


def _one_query_instead(chain: Chain, where: str) -> str:
    relation = chain.events[0].relation
    target = relation.target.name if relation is not None and relation.target is not None else "…"
    return f"fetch the rows of {code(target)} for all rows of the query{where} with one `in_()` and group them by key"
