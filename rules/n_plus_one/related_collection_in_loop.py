"""ORM102: a to-many relation is evaluated for row after row of a query that does not load it."""

from collections.abc import Iterator
from itertools import filterfalse

from ormlint.api import READS, Event, Op, Orm, Project, QueryLog, Report, rule
from ormlint.judge.describe import at, call_path, code, labels, per_model, places
from ormlint.judge.eager import Chain, advice_for, intent_for, missing_chains, relations_along
from ormlint.judge.repetition import heaviest, innermost, repeaters
from ormlint.judge.sources import also_from, one_per_access

# these run a statement of their own even on a prefetched collection
# fmt: off
_IGNORE_PREFETCH = frozenset((
    "filter", "exclude", "complex_filter", "order_by", "reverse", "values", "values_list", "distinct", "annotate", "alias",
    "aggregate", "only", "defer", "extra", "using", "select_related", "prefetch_related", "select_for_update", "iterator",
    "aiterator", "get", "aget", "last", "alast", "latest", "alatest", "earliest", "aearliest", "in_bulk", "ain_bulk", "union",
    "intersection", "difference", "dates", "datetimes", "raw", "explain",
))
# fmt: on
_OPS = READS | {Op.LAZY_COLLECTION}
_AGGREGATES = {Op.COUNT: "Count", Op.EXISTS: "Exists", Op.AGGREGATE: "aggregate"}


@rule("ORM102", "related-collection-in-loop")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place where a loop evaluates the first unloaded collection of a chain."""
    events = [event for event in log.events if event.op in _OPS and _is_unloaded_collection(event)]
    for chain in one_per_access(project, missing_chains(project, filter(_can_be_prefetched, events))):
        yield from _reports(project, chain, advice_for(project, chain), curable=True)
    for chain in one_per_access(project, missing_chains(project, filterfalse(_can_be_prefetched, events))):
        yield from _reports(project, chain, "", curable=False)


def _is_unloaded_collection(event: Event) -> bool:
    # a query that bypasses the prefetched rows is another matter
    return event.relation is not None and not event.relation.to_one and not event.bypasses


def _can_be_prefetched(event: Event) -> bool:
    """Whether the prefetched rows would serve: `.all()` and what reads its cache, but no query made anew."""
    if event.op in _AGGREGATES:
        return False
    methods = {event.method, *(event.query.methods if event.query is not None else ())}
    if methods & {"first", "afirst"}:
        # `.first()` uses the prefetched rows if they have an order, otherwise it asks for the one with the lowest key
        return event.relation is not None and event.relation.ordered and not methods & _IGNORE_PREFETCH
    return not methods & _IGNORE_PREFETCH


def _reports(project: Project, chain: Chain, advice: str, *, curable: bool) -> Iterator[Report]:
    for site, event in places(project, chain.events).items():
        text = event.text or chain.lookup
        verb = "evaluating" if text.endswith(")") else "loading"
        yield Report(
            site=site,
            message=f"{verb} {code(text)} runs one query {per_model(chain.owner)}",
            help=advice if curable else _advice_for_new_query(project, chain, event),
            cause=chain.cause if curable else (*chain.cause, site),
            labels=labels(project, event, innermost(repeaters(event)), chain.query, f"this reads {code(chain.lookup)}"),
            notes=(*also_from(project, chain), *call_path(project, event)),
            relations=(chain.lookup,),
            intent=intent_for(chain) if curable else None,
            severity=heaviest(project, chain.events),
            preview=chain.follows_a_query_per_round,
        )


def _advice_for_new_query(project: Project, chain: Chain, event: Event) -> str:
    where = at(project, chain.query.site)
    lookup = chain.lookup
    if event.orm is Orm.SQLALCHEMY:
        return f"fetch these rows for the whole query{where} with one statement and group them by key"
    if event.op in _AGGREGATES:
        call = f'Count("{_counted(chain)}")' if event.op is Op.COUNT else f"{_AGGREGATES[event.op]}(…)"
        return f"compute it for all rows with `.annotate(…={call})` on the query{where}"
    return f'add `.prefetch_related(Prefetch("{lookup}", queryset=…, to_attr="…"))` to the query{where} and read that attribute'


def _counted(chain: Chain) -> str:
    """Returns the lookup that aggregates take: `book` for what is read as `author.book_set`."""
    relations = relations_along(chain.query.model, chain.path)
    return "__".join(relation.query_name or relation.name for relation in relations) or chain.lookup
