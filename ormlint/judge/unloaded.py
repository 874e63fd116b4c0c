"""Relations that are read row after row and that the query of the rows does not load: the reports, by what consumes the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import filterfalse

from ormlint.judge.alternatives import may_lead_nowhere
from ormlint.judge.anew import advice_for_new_query
from ormlint.judge.branches import is_read_behind_tests, is_read_in_one_branch
from ormlint.judge.chosen import prefetch_of_chosen
from ormlint.judge.describe import call_path, calls_between, can_be_changed, code, is_shown, labels, per_model, place, place_of_column, places
from ormlint.judge.eager import (
    Chain,
    advice_for,
    intent_for,
    is_known,
    is_left_out_by_some,
    missing_chains,
    path_of,
    query_of,
    relations_along,
)
from ormlint.judge.figures import Figures, aggregates_over, existence_of
from ormlint.judge.finding import EagerLoad, Intent, Label, Mark, PrefetchChosen, Report
from ormlint.judge.handful import is_of_a_page, is_of_one_row
from ormlint.judge.homes import serves_others, ways_of, works_for_several
from ormlint.judge.identity import is_said_to_be_lazy, may_be_held, shared_along
from ormlint.judge.keys import read_for_their_key
from ormlint.judge.listing import is_filtered
from ormlint.judge.once import once
from ormlint.judge.payers import advice_for_page, advice_for_readers, is_cut_to_pages, is_paid_by_others, serves_several
from ormlint.judge.project import Project
from ormlint.judge.releases import CASES, FILTERED_AGGREGATES, PREFETCH_OBJECTS, SUBQUERIES, counted_by_group
from ormlint.judge.repetition import heaviest, innermost, is_search, prefetched_by_some, repeaters
from ormlint.judge.rounds import Rounds, is_part_of_write, rounds_of
from ormlint.judge.set_up import SetUp, set_up_of
from ormlint.judge.sinks import Sink, sink_of
from ormlint.judge.sources import also_from, one_per_access, other_queries
from ormlint.judge.worth import saves_little
from ormlint.link.schema import Kind, Model, Orm
from ormlint.run.log import READS, Bound, Event, Loop, Op, QueryLog
from ormlint.text import Site

# these run a statement of their own even on a prefetched collection
# fmt: off
IGNORING_PREFETCH = frozenset((
    "filter", "exclude", "complex_filter", "order_by", "reverse", "values", "values_list", "distinct", "annotate", "alias",
    "aggregate", "only", "defer", "extra", "using", "select_related", "prefetch_related", "select_for_update", "iterator",
    "aiterator", "get", "aget", "last", "alast", "latest", "alatest", "earliest", "aearliest", "in_bulk", "ain_bulk", "union",
    "intersection", "difference", "dates", "datetimes", "raw", "explain",
))
# fmt: on
_OPS = READS | {Op.LAZY_COLLECTION}
NEAR = 2  # calls between a loop and a query made anew that people see together
FARTHEST = 4  # calls between a loop and a relation that the rows of the loop may be asked to load
_AGGREGATES = frozenset({Op.COUNT, Op.EXISTS, Op.AGGREGATE})


@dataclass(frozen=True, slots=True)
class Remedy:
    """What findings advise: `load` gives the advice to load a chain and the change that does so, `where` names the place of its query."""

    load: Callable[[Project, Chain], tuple[str, Intent | None]]
    where: Callable[[Project, Chain], str]


AT_THE_QUERY = Remedy(
    load=lambda project, chain: _with_the_query(project, chain),
    where=query_of,
)


AMONG_OTHERS = Remedy(load=lambda project, chain: _with_the_owner(chain), where=AT_THE_QUERY.where)


def objects(project: Project, log: QueryLog, sink: Sink, remedy: Remedy = AT_THE_QUERY) -> Iterator[Report]:
    """Yields a report for every place where rows that end in `sink` have the first unloaded to-one relation of a chain read one by one."""
    rounds, set_up = rounds_of(log), set_up_of(project, log)
    prefetched = prefetched_by_some(log)
    spoken_for: dict[tuple[Site, str], tuple[object, ...]] = {}
    for chain in _chains_to_objects(project, log):
        if sink_of(project, chain.events[0]) is sink:
            known = AMONG_OTHERS if chain.carrier.site in prefetched else remedy
            for report in _object_reports(project, log, chain, sink, known, rounds, few=_are_few(set_up, chain)):
                yield replace(report, cause=spoken_for.setdefault((report.site, report.message), report.cause))


@once
def _chains_to_objects(project: Project, log: QueryLog) -> list[Chain]:
    """Returns the chains of to-one relations that are read row by row, whatever consumes the rows."""
    keys = read_for_their_key(log)
    others = (event for event in log.of(Op.LAZY_OBJECT) if event not in keys)
    return list(one_per_access(project, missing_chains(project, log, others)))


def _object_reports(project: Project, log: QueryLog, chain: Chain, sink: Sink, remedy: Remedy, rounds: Rounds, *, few: bool) -> Iterator[Report]:
    advice, intent = _remedied(project, log, chain, remedy)
    led_elsewhere = chain.events[0].assigned  # `book.author_id = key`: what the query loads is thrown away
    if led_elsewhere:
        advice = f"fetch the rows that {code(led_elsewhere[0])} leads to before the loop, and assign them instead of their keys"
    # callers that have the collection prefetched may do so here by a way that is not followed
    defeated = bool(led_elsewhere) or remedy is AMONG_OTHERS or rounds.defeat(chain)
    for site, event in _places(project, chain, sink).items():
        yield Report(
            site=site,
            message=f"{_what(project, event, chain, sink)} runs one query {_per(chain, event)}",
            help=advice,
            cause=_cause(chain, sink),
            labels=_labels(project, chain, event),
            notes=(*also_from(project, chain), *call_path(project, event), *_peers(project, chain)),
            others=other_queries(project, chain),
            relations=chain.relations,
            intent=None if defeated else _graded(intent, rounds.risk(chain) or _risk_of_keeping(chain)),
            severity=heaviest(project, chain.events),
            preview=defeated
            or few
            or is_of_one_row(event)
            or _is_uncertain(project, chain, rounds)
            or _is_in_branch_of_call(project, chain, sink, event)
            or is_read_behind_tests(chain)
            or _is_far(project, event)
            or saves_little(project, chain, event)
            or _is_work_of_its_own(rounds, event)
            or _is_shared(project, log, chain, rounds, event),
            rank=_may_give_one(chain),
        )


def _remedied(project: Project, log: QueryLog, chain: Chain, remedy: Remedy) -> tuple[str, Intent | None]:
    """Returns the advice of a remedy with its change; where others would pay for what the query loads, the advice for the readers alone."""
    if remedy is AT_THE_QUERY and is_cut_to_pages(chain):
        return advice_for_page(project, chain), None
    if remedy is AT_THE_QUERY and is_paid_by_others(project, log, chain):
        return advice_for_readers(project, log, chain), None
    return remedy.load(project, chain)


def _labels(project: Project, chain: Chain, event: Event) -> tuple[Label, ...]:
    """Returns the labels of an event, and where the further relations of the chain are read if that is somewhere else."""
    at, root = event.site, len(chain.whole_path) - len(chain.path)
    apart = [end for end in chain.ends if len(path_of(end)) > len(path_of(event)) and is_shown(project, end.site)]
    apart = [end for end in apart if not end.site.encloses(at) and not at.encloses(end.site)]
    paths = {path_of(end): end.site for end in apart}
    known = chain.whole_path if not apart else chain.whole_path[: root + len(path_of(event))]
    found = labels(project, event, innermost(repeaters(event)), chain.query, f"this reads {code('__'.join(known))}", home=chain.home)
    further = (Label(site, Mark.ACCESS, f"this reads {code('__'.join(chain.whole_path[: root + len(path)]))}") for path, site in paths.items())
    return (*found, *further)


def _may_give_one(chain: Chain) -> int:
    """Returns 1 if one of the ways to make the query asks for a row by its key, so that another query with the same cause speaks first."""
    return int(any(way.bound is Bound.ONE for way in ways_of(chain.query)))


def _is_uncertain(project: Project, chain: Chain, rounds: Rounds) -> bool:
    """Whether the relation of a chain may ask for nothing, or for little beside what the round asks anyhow."""
    event = chain.events[0]
    if chain.follows_a_query_per_round or event.around.guarded_by_cache or not is_known(chain) or is_left_out_by_some(chain):
        return True
    if may_lead_nowhere(chain) or _is_of_few_sought(chain) or _is_met_by_a_way_round(chain) or may_be_held(event) or is_said_to_be_lazy(event):
        return True
    if rounds.follow_a_fetch(chain.query, event) or rounds.bring_along(event):
        return True
    return _is_filled(chain) or _is_recursive(chain) or _calls_itself(project, event)


def _is_shared(project: Project, log: QueryLog, chain: Chain, rounds: Rounds, event: Event) -> bool:
    """Whether what a query is made to load is loaded for others too; who shows a page of rows cuts it from a query that he means."""
    if rounds.share(chain.carrier):
        return True
    if chain.carrier.orm is Orm.SQLALCHEMY and serves_others(log, chain.carrier, chain.home, path_of(chain.events[0])):
        return True
    if is_of_a_page(event) or not works_for_several(project, log, chain.home):
        return False
    return chain.carrier.orm is Orm.SQLALCHEMY or not is_paid_by_others(project, log, chain)  # of Django, the advice is for the readers then


def _is_in_branch_of_call(project: Project, chain: Chain, sink: Sink, event: Event) -> bool:
    """Whether a function that the loop calls reads a relation in some branch of its own, mostly taken for other rows than these."""
    if sink is not Sink.CODE or is_of_a_page(event) or not all(each.around.conditional for each in chain.events):
        return False
    return bool(calls_between(project, event, innermost(repeaters(event))))


def _are_few(set_up: SetUp, chain: Chain) -> bool:
    """Whether the rows of a chain are few, or the objects that they share: the program fills their own table, and people the other one."""
    shared, own = shared_along(chain.events[0]), chain.query.model
    if shared is not None and own is not None and set_up.is_written(own) and not set_up.is_written(shared):
        return True
    return set_up.gives_few(chain.query)


def _is_far(project: Project, event: Event) -> bool:
    """Whether so many calls lead to a read that other ways than the one followed are likely to have been taken."""
    return len(calls_between(project, event, innermost(repeaters(event)))) > FARTHEST


def _is_of_few_sought(chain: Chain) -> bool:
    """Whether a relation is read of those rows alone that a loop has picked for a value it looked for: for all others it would be loaded too."""
    return all(event.sought for event in chain.events)


def _is_met_by_a_way_round(chain: Chain) -> bool:
    """Whether rows are read where the function that asks for them has been called again: mostly no row gets there."""
    return all(event.reentered for event in chain.events)


def _is_filled(chain: Chain) -> bool:
    """Whether another function assigns the relation to the rows of the query, or the one that fetches them assigns a relation that leads to it.

    # `for book in books: book.author = authors[book.author_id]`, and where the books are shown, `book.author.country`
    """
    event, filled = chain.events[0], chain.query.filled
    if not filled:
        return False
    path, reader = path_of(event), _local(event.function)
    makers = {_local(query.function) for query in chain.query.lineage()} - {reader}
    return filled.get(path, reader) != reader or any(filled.get(path[:length]) in makers for length in range(1, len(path)))


def _local(function: str) -> str:
    return function.rpartition(":")[2]


def _graded(intent: Intent | None, risk: str) -> Intent | None:
    """Returns an intent with what the rounds of a loop do to what it loads."""
    return replace(intent, risk=risk) if risk and isinstance(intent, (EagerLoad, PrefetchChosen)) else intent


def _risk_of_keeping(chain: Chain) -> str:
    """Returns why rows that are collected first may not be read as soon as they are loaded, "" if the loop that meets them reads them.

    # `self.books = {book.id: book for book in …}`, and then `self.books[key].author` for some keys
    """
    return "" if any(_is_read_as_met(chain, event) for event in chain.events) else "the rows are collected, and read later as they are looked up"


def _is_read_as_met(chain: Chain, event: Event) -> bool:
    walks = [loop for loop in event.row_loops if loop.source is not None and loop.source.site == chain.query.site]
    if not walks or walks[-1].kind != "comprehension":
        return True
    return any(around.encloses(site) for around in (walks[-1].site, walks[-1].body) for site in (event.site, *event.calls))


def _with_the_owner(chain: Chain) -> tuple[str, None]:
    """Returns the advice for rows of a relation that some callers have prefetched, and which a query with more to load would fetch anew."""
    relation = chain.carrier.relation
    lookup = f"{relation.name}__{chain.lookup}" if relation is not None else chain.lookup
    return f'add `.prefetch_related("{lookup}")` to the queries whose rows come here, as other callers do', None


def _with_the_query(project: Project, chain: Chain) -> tuple[str, Intent | None]:
    """Returns the advice to load a chain with its query, or for the rows that need it if they were collected first."""
    gathered = _gathered_for(chain)
    if gathered is None or not can_be_changed(project, gathered.site):
        return advice_for(project, chain), intent_for(chain)
    where = project.at(gathered.site)
    return f"load {code(chain.lookup)} for the rows that were collected, with `prefetch_related_objects()` before the loop at {where}", None


def _gathered_for(chain: Chain) -> Loop | None:
    """Returns the loop that has collections read of those rows alone which another loop has put into a list; None if others have them read too.

    # `for order in Order.objects.all(): if order.ship(): shipped.append(order)`
    """
    if chain.query.orm is not Orm.DJANGO or all(hop.to_one for hop in relations_along(chain.carrier.model, chain.whole_path)):
        return None  # a join costs the others little
    loops = [next((loop for loop in event.row_loops if loop.picks), None) for event in chain.events]
    return loops[0] if all(loops) else None


def _places(project: Project, chain: Chain, sink: Sink) -> dict[Site, Event]:
    """Returns where a chain is reported: where its relation is read, for a serializer at the query whose rows it shows, for an admin in its file."""
    if sink is Sink.SERIALIZER and is_shown(project, chain.home):
        return {chain.home: chain.events[0]}
    return places(project, chain.events, place_of_column if sink is Sink.ADMIN else place)


def _cause(chain: Chain, sink: Sink) -> tuple[object, ...]:
    """Returns what makes two chains one finding; a view that shows the rows of a query for any model has queries of its own."""
    return (*chain.cause, chain.query.model) if sink is Sink.SERIALIZER and chain.query.generic else chain.cause


def _what(project: Project, event: Event, chain: Chain, sink: Sink) -> str:
    text = event.text or chain.lookup
    if text.endswith(")"):
        return f"evaluating {code(text)}"
    if sink is Sink.SERIALIZER:
        schema = next((project.schema_fields[site] for site in (event.site, *event.calls) if site in project.schema_fields), "")
        return f"showing {code('.'.join(path_of(event)))} in {code(schema or innermost(repeaters(event)).variable)}"
    return f"loading {code(text)}"


def _peers(project: Project, chain: Chain) -> tuple[str, ...]:
    """Returns a note on fetch modes, which Django has from 6.1 on: one further query for all rows, whatever is read of them."""
    if chain.query.orm is not Orm.DJANGO or project.target_django < (6, 1):
        return ()
    return ("`.fetch_mode(models.FETCH_PEERS)` on the query would load it for all rows at once, when the first is read",)


def _per(chain: Chain, event: Event) -> str:
    """Returns the number of queries; the identity map of SQLAlchemy spares those for a row that was met before, and so does a shared object."""
    relation, shared = event.relation, shared_along(event)
    if shared is not None:
        return f"per distinct `{shared.name}`"
    if relation is None or not relation.to_one:
        return per_model(chain.owner)
    if event.orm is Orm.SQLALCHEMY and relation.target is not None and relation.kind is not Kind.REVERSE_ONE_TO_ONE:
        return f"per distinct `{relation.target.name}`"
    return per_model(chain.owner)


def collections(project: Project, log: QueryLog, sink: Sink, remedy: Remedy = AT_THE_QUERY) -> Iterator[Report]:
    """Yields a report for every place where rows that end in `sink` have the first unloaded collection of a chain evaluated one by one."""
    rounds, set_up = rounds_of(log), set_up_of(project, log)
    spoken_for: dict[tuple[Site, tuple[str, ...]], tuple[object, ...]] = {}
    prefetched = prefetched_by_some(log)
    for chain, is_cured_by_prefetch in _chains_to_collections(project, log):
        if sink_of(project, chain.events[0]) is sink:
            known = AMONG_OTHERS if chain.carrier.site in prefetched else remedy
            few = _are_few(set_up, chain)
            found = _collection_reports(project, log, chain, sink, known, rounds, curable=is_cured_by_prefetch, few=few)
            yield from _one_per_place(found, spoken_for)


@once
def _chains_to_collections(project: Project, log: QueryLog) -> list[tuple[Chain, bool]]:
    """Returns the chains to collections that are evaluated row by row, whatever consumes the rows, and whether a prefetch cures each."""
    events = [event for event in log.events if event.op in _OPS and event.op not in _AGGREGATES and _is_unloaded_collection(event)]
    found: list[tuple[Chain, bool]] = []
    for is_cured_by_prefetch, chosen in ((True, filter(_can_be_prefetched, events)), (False, filterfalse(_can_be_prefetched, events))):
        found += [(chain, is_cured_by_prefetch) for chain in one_per_access(project, missing_chains(project, log, chosen))]
    return found


def _one_per_place(reports: Iterable[Report], spoken_for: dict[tuple[Site, tuple[str, ...]], tuple[object, ...]]) -> Iterator[Report]:
    """Yields reports, those on one collection at one place with one cause: `publish(event)` may walk `event.phases` and ask for some of them."""
    for report in reports:
        yield replace(report, cause=spoken_for.setdefault((report.site, report.relations), report.cause))


def figures(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place where a collection is counted, tested or added up by a query for each row.

    Not if the collection of the same rows is loaded too: then loading it in advance is what helps.
    """
    rounds, set_up = rounds_of(log), set_up_of(project, log)
    events = [event for event in log.events if event.op in _OPS and _is_unloaded_collection(event)]
    loaded = {_collection_of(event) for event in events if event.op not in _AGGREGATES and repeaters(event)}
    counted = [event for event in events if event.op in _AGGREGATES and _collection_of(event) not in loaded]
    known, walked = Figures(log), _models_walked(counted)
    for chain in one_per_access(project, missing_chains(project, log, counted)):
        defeated = rounds.defeat(chain)
        kept = not (defeated or rounds.risk(chain) or is_cut_to_pages(chain))
        for site, event in places(project, chain.events, place_of_column if _is_of_admin(project, chain) else place).items():
            yield Report(
                site=site,
                message=f"{code(f'{event.method}()')} of {code(event.text or chain.lookup)} runs one query {per_model(chain.owner)}",
                help=_advice_for_figure(project, log, chain, event),
                cause=chain.cause,
                labels=labels(project, event, innermost(repeaters(event)), chain.query, f"this asks about {code(chain.lookup)}", home=chain.home),
                notes=(*also_from(project, chain), *call_path(project, event)),
                others=other_queries(project, chain),
                relations=chain.relations,
                intent=known.intent(project, chain, event) if kept and event.orm is Orm.DJANGO and not _asks_for_others_too(event) else None,
                severity=heaviest(project, chain.events),
                preview=chain.follows_a_query_per_round
                or defeated
                or set_up.gives_few(chain.query)
                or is_of_one_row(event)
                or is_read_behind_tests(chain)
                or (works_for_several(project, log, chain.home) and not is_of_a_page(event))
                or len(walked[event.row_loops[-1].site if event.row_loops else event.site]) > 1  # of one among several models
                or _asks_for_others_too(event)
                or _is_part_of_write(project, rounds, event)
                or is_search(event, innermost(repeaters(event))),
            )


def _models_walked(events: Iterable[Event]) -> dict[Site, set[Model | None]]:
    """Returns the models of the rows whose collections are asked for, by the loop that walks them: `for row in self.model.objects.all()`."""
    found: dict[Site, set[Model | None]] = {}
    for event in events:
        if event.row is not None:
            found.setdefault(event.row_loops[-1].site if event.row_loops else event.site, set()).add(event.row.query.model)
    return found


def _is_of_admin(project: Project, chain: Chain) -> bool:
    return sink_of(project, chain.events[0]) is Sink.ADMIN


def _collection_of(event: Event) -> tuple[Site | None, tuple[str, ...]]:
    return (event.row.query.site if event.row is not None else None, path_of(event))


def _advice_for_figure(project: Project, log: QueryLog, chain: Chain, event: Event) -> str:
    query = query_of(project, chain)
    if event.orm is Orm.DJANGO and serves_several(project, log, chain, event):
        where = project.at(innermost(repeaters(event)).site)
        return f"ask once for all rows before the loop at {where}, which several callers give rows: `.annotate(…)` on a query for their keys"
    if event.orm is Orm.SQLALCHEMY:
        return f"select the figure for all rows of {query} with one `group_by()`, or as a `column_property()`"
    call = _figure(project, chain, event)
    if not call:
        return counted_by_group(event)
    if chain.root is not None:
        if project.lacks(PREFETCH_OBJECTS):
            return counted_by_group(event)
        way = "__".join(chain.root.path)
        return f'compute it for all rows: add `.prefetch_related(Prefetch("{way}", queryset=….annotate(…={call})))` to {query}'
    return f"compute it for all rows with `.annotate(…={call})` on {query}"


def _figure(project: Project, chain: Chain, event: Event) -> str:
    """Returns the expression for a figure of all rows, "" if the project's Django has none.

    A join that chooses the rows would have `Count()` count those alone that it leaves.

    # `Author.objects.filter(books__sold=True).annotate(number=Count("books"))` counts the sold books
    """
    query, counted = chain.query, _counted(chain)
    joined = any(lookup == counted or lookup.startswith(f"{counted}__") for lookup in query.filters) or (query.distinct and is_filtered(query))
    if event.op is not Op.EXISTS and joined:
        return "" if project.lacks(SUBQUERIES) else "Subquery(…)"
    if event.op is Op.EXISTS and project.lacks(SUBQUERIES):
        return ""
    some = event.query is not None and is_filtered(event.query)
    if event.op is Op.EXISTS:
        return existence_of(relations_along(query.model, chain.path), some=some)
    if event.op is Op.AGGREGATE:
        return aggregates_over(project, event, counted, some=some)
    if not some:
        return f'Count("{counted}")'
    if project.lacks(FILTERED_AGGREGATES):
        return "" if project.lacks(CASES) else f'Count(Case(When(…, then="{counted}")))'
    return f'Count("{counted}", filter=Q(…))'


def _is_unloaded_collection(event: Event) -> bool:
    # a query that bypasses the prefetched rows is another matter
    return event.relation is not None and not event.relation.to_one and not event.bypasses


def _can_be_prefetched(event: Event) -> bool:
    """Whether the prefetched rows would serve: `.all()` and what reads its cache, but no query made anew."""
    methods = {event.method, *(event.query.methods if event.query is not None else ())}
    if methods & {"first", "afirst"}:
        # `.first()` uses the prefetched rows if they have an order, otherwise it asks for the one with the lowest key
        return event.relation is not None and event.relation.ordered and not methods & IGNORING_PREFETCH
    return not methods & IGNORING_PREFETCH


def _collection_reports(
    project: Project, log: QueryLog, chain: Chain, sink: Sink, remedy: Remedy, rounds: Rounds, *, curable: bool, few: bool
) -> Iterator[Report]:
    advice, intent = _remedied(project, log, chain, remedy) if curable else ("", None)
    defeated = remedy is AMONG_OTHERS or rounds.defeat(chain)
    # in a page or a serializer a condition is mostly one for all rows
    of_some = sink is Sink.CODE and all(event.around.conditional for event in chain.events)
    risk = rounds.risk(chain) or _risk_of_keeping(chain) or ("only some rounds read what would be loaded for all rows" if of_some else "")
    kept = not curable and sink is Sink.CODE and not (defeated or rounds.risk(chain))
    kept = kept and not (is_cut_to_pages(chain) or is_paid_by_others(project, log, chain))
    found = _places(project, chain, sink) if curable or sink is not Sink.SERIALIZER else {event.site: event for event in reversed(chain.events)}
    for site, event in found.items():
        cure = advice or advice_for_new_query(project, log, chain, event, remedy.where(project, chain))
        if not cure:
            continue
        if kept:
            intent = prefetch_of_chosen(project, log, chain, event)
        yield Report(
            site=site,
            message=f"{_what(project, event, chain, sink)} runs one query {_per(chain, event)}",
            help=cure,
            cause=_cause(chain, sink) if curable else (*_cause(chain, sink), site),
            labels=labels(project, event, innermost(repeaters(event)), chain.query, f"this reads {code(chain.lookup)}", home=chain.home),
            notes=(*also_from(project, chain), *call_path(project, event)),
            others=other_queries(project, chain),
            relations=chain.relations,
            intent=None if defeated else _graded(intent, risk),
            severity=heaviest(project, chain.events),
            preview=chain.follows_a_query_per_round
            or defeated
            or few
            or is_of_one_row(event)
            or of_some
            or _is_of_few_sought(chain)
            or _is_met_by_a_way_round(chain)
            or (sink is Sink.CODE and is_read_in_one_branch(log, chain))
            or is_read_behind_tests(chain)
            or not is_known(chain)
            or is_left_out_by_some(chain)
            or _descends(chain)
            or event.around.guarded_by_cache
            or _takes_few(event)
            or saves_little(project, chain, event)
            or _is_work_of_its_own(rounds, event)
            or _is_shared(project, log, chain, rounds, event)
            or _is_far(project, event)
            or _is_in_unit_of_work(project, event)
            or (not curable and (_asks_for_others_too(event) or _is_deliberate(project, chain, rounds, event))),
            rank=_may_give_one(chain),
        )


def _is_in_unit_of_work(project: Project, event: Event) -> bool:
    """Whether what the loop calls is a row's `save()` or the like, or the very function it stands in, so that each level asks for the next one."""
    way = [callee for _, callee in calls_between(project, event, innermost(repeaters(event)))]
    return is_part_of_write(way) or _calls_itself(project, event)


def _is_work_of_its_own(rounds: Rounds, event: Event) -> bool:
    """Whether a row of SQLAlchemy is read behind a call that writes too, and mostly in those rounds alone that have something to write."""
    return event.orm is Orm.SQLALCHEMY and rounds.writes_behind_same_call(event, innermost(repeaters(event)))


def _calls_itself(project: Project, event: Event) -> bool:
    """Whether what the loop calls is the very function that it stands in."""
    loop = innermost(repeaters(event))
    own = loop.source.function.rpartition(":")[2] if loop.source is not None else ""
    return bool(own) and own in [callee for _, callee in calls_between(project, event, loop)][:1]


def _is_deliberate(project: Project, chain: Chain, rounds: Rounds, event: Event) -> bool:
    """Whether a query made anew is meant so: of one row, read in chunks (`iterator()`), or part of a unit of work."""
    chunked = {"iterator", "aiterator"} & {event.method, *(event.query.methods if event.query is not None else ())}
    return chain.is_of_one_row or bool(chunked) or _is_part_of_write(project, rounds, event)


def _takes_few(event: Event) -> bool:
    """Whether a statement takes the first or last of many rows, all of which an eager load would fetch: `book.notes.order_by("-day")[:3]`."""
    picks = event.op is Op.GET_ROW and event.method not in ("get", "aget")
    return picks or (event.query is not None and event.query.sliced)


def _asks_for_others_too(event: Event) -> bool:
    """Whether what is asked of a collection varies with more than the row: `for day in days: room.bookings.filter(day=day)`."""
    own = {loop.id for loop in event.row_loops}
    if event.query is not None and event.query.orm is Orm.DJANGO and event.query.varied & {loop.id for loop in event.loops}:
        return True  # `shop.orders.filter(day__lt=shop.closed)`: no queryset of a `Prefetch` is another one for each row
    return bool(own) and not (event.depends | (event.query.parameters if event.query is not None else frozenset())) <= own


def _descends(chain: Chain) -> bool:
    """Whether a chain follows one relation of a model to itself again and again, which no eager load does to the end."""
    hops = list(relations_along(chain.query.model, path_of(chain.events[0])))
    if chain.query.relation is not None and chain.events[0].function == chain.query.function:
        hops.append(chain.query.relation)  # `def publish(part): for child in part.children.all(): publish(child)`
    return len(hops) > len(set(map(id, hops)))


def _is_recursive(chain: Chain) -> bool:
    """Whether a function that follows a relation of a model to itself is called again by what it finds: mostly it ends there."""
    event = chain.events[0]
    hops = relations_along(chain.query.model, path_of(event))
    return len(hops) > len(set(map(id, hops))) and event.callees[-1:] != () and event.callees[-1] in event.callees[:-1]


def _is_part_of_write(project: Project, rounds: Rounds, event: Event) -> bool:
    """Whether a query made anew belongs to a unit of work for one row: its `save()`, a call that writes, or what several calls lead to."""
    loop = innermost(repeaters(event))
    callees = [callee for _, callee in calls_between(project, event, loop)]
    return len(callees) > NEAR or is_part_of_write(callees) or (bool(callees) and rounds.writes_behind_same_call(event, loop))


def _counted(chain: Chain) -> str:
    """Returns the lookup that aggregates take: `book` for what is read as `author.book_set`."""
    relations = relations_along(chain.query.model, chain.path)
    return "__".join(relation.query_name or relation.name for relation in relations) or "__".join(chain.path)
