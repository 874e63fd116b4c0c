"""ORM105: a prefetched collection is read in a way that ignores the prefetched rows and runs a query for each row all the same."""

from collections import defaultdict
from collections.abc import Iterator

from ormlint.api import READS, Event, Op, Orm, PickFromPrefetched, Project, QueryLog, Relation, Report, rule
from ormlint.judge.describe import at, call_path, code, labels, per_model, places
from ormlint.judge.eager import Chain, missing_chains
from ormlint.judge.releases import PREFETCH_OBJECTS
from ormlint.judge.repetition import heaviest, innermost, repeaters
from ormlint.judge.sinks import Sink, sink_of
from ormlint.judge.sources import also_from, one_per_access, other_queries
from ormlint.text import Site

_SORTING = frozenset(("order_by", "reverse", "first", "last", "latest", "earliest", "afirst", "alast", "alatest", "aearliest"))
_COLUMNS = frozenset(("values", "values_list"))
_FIGURES = frozenset(("aggregate", "aaggregate", "annotate"))
_SELECTING = frozenset(("filter", "exclude", "get", "aget"))
_KEEPING = frozenset(("all", "get_queryset"))


@rule("ORM105", "prefetch-bypassed", orms=(Orm.DJANGO,), stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place where a loop asks again for what was prefetched."""
    events = [event for event in log.of(*READS, Op.LAZY_COLLECTION) if event.bypasses and event.relation is not None and not event.relation.to_one]
    asked: dict[Site, set[Relation | None]] = defaultdict(set)
    for event in log.of(*READS, Op.LAZY_COLLECTION):
        if event.query is not None:
            asked[event.query.site].add(event.relation)
    for chain in one_per_access(project, missing_chains(project, log, events)):
        for site, event in _places(project, chain).items():
            yield Report(
                site=site,
                message=f"{code(f'{event.text}.{_method(event)}()')} ignores the prefetched rows: one query {per_model(chain.owner)}",
                help=_advice(project, chain, event),
                cause=(*chain.cause, site),
                labels=labels(project, event, innermost(repeaters(event)), chain.query, "this asks the database again", home=chain.home),
                notes=(*also_from(project, chain), *call_path(project, event)),
                others=other_queries(project, chain),
                relations=(chain.lookup,),
                intent=PickFromPrefetched(event) if event.query is not None and len(asked[event.query.site]) == 1 else None,
                severity=heaviest(project, chain.events),
                preview=chain.follows_a_query_per_round,
            )


def _places(project: Project, chain: Chain) -> dict[Site, Event]:
    """Returns where a collection is asked for again: for a serializer in its method, which the loop does not contain."""
    found: dict[Site, Event] = {}
    for event in chain.events:
        if sink_of(project, event) is Sink.SERIALIZER:
            found.setdefault(event.site, event)
        else:
            found.update((site, event) for site in places(project, [event]) if site not in found)
    return found


def _method(event: Event) -> str:
    """Returns the first method that the cache of prefetched rows does not serve."""
    methods = (*(event.query.methods if event.query is not None else ()), event.method)
    return next((name for name in methods if name and name not in _KEEPING), "all")


def _advice(project: Project, chain: Chain, event: Event) -> str:
    methods = {event.method, *(event.query.methods if event.query is not None else ())}
    rows = code(f"{event.text}.all()")
    prefetch = f'`Prefetch("{chain.lookup}", queryset=…, to_attr="…")` on the query{at(project, chain.query.site)}'
    if project.lacks(PREFETCH_OBJECTS):
        return f"{'sort' if methods & _SORTING else 'pick from'} {rows} in Python"
    if methods & _SELECTING:
        return f"pick from {rows} in Python, or load these rows with {prefetch} and read that attribute"
    if methods & _FIGURES:
        return f"compute it from {rows} in Python, or for all rows with `.annotate(…)` on the query{at(project, chain.query.site)}"
    if methods & _SORTING:
        return f"sort {rows} in Python, or order the rows of {prefetch}"
    if methods & _COLUMNS:
        return f"read the columns of {rows} in Python"
    return f"use {rows}, or load these rows with {prefetch} and read that attribute"
