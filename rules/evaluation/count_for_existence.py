"""ORM202: rows are counted to learn whether there is one."""

from collections.abc import Iterator

from ormlint.api import Event, Model, Op, Orm, Project, QueryLog, QueryObject, ReplaceCountTest, Report, Severity, Site, Use, UseKind, rule
from ormlint.judge.again import asks_for_some, tests_before_loads
from ormlint.judge.describe import at, calls_between, code, is_shown, query_labels
from ormlint.judge.listing import gives_few, gives_one, tables_of_one_row
from ormlint.judge.repetition import (
    costs_nothing,
    grows,
    innermost,
    is_deliberate,
    is_done_once,
    prefetched_by_some,
    repeaters,
    starts_the_program,
    worth_counting,
)
from ormlint.judge.taken import Taken


@rule("ORM202", "count-for-existence")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every count whose number is only compared in ways that tell none from some."""
    prefetched = prefetched_by_some(log)
    loaded_afterwards = {event.site for event in tests_before_loads(project, log)}
    shown = {event.query for event in log.of(Op.COUNT) if any(use.kind not in (UseKind.TRUTH, UseKind.COMPARE) for use in event.all_uses())}
    single, taken, counts = tables_of_one_row(project, log), Taken(log), _counts(log)
    known = {event.site for event in log.of(Op.COUNT) if _counted(event) is not None}
    for event in log.of(Op.COUNT):
        query = event.query
        # `if books.count(): print(books.count())` wants the number
        if (
            query is None
            or event.site in loaded_afterwards
            or query in shown
            or query.site in prefetched
            or costs_nothing(query)
            or is_deliberate(query)
        ):
            continue
        if gives_one(query) or (query.sliced and (query.limit or 20) < 20):
            continue  # `Book.objects.filter(pk=pk).count()` counts one row at most, that of `books[:5]` five
        model = _counted(event)
        if _is_asked_per_round(project, event) or (model is None and event.site in known):
            continue
        uses = list(event.all_uses())
        if not uses or any(asks_for_some(use) is None for use in uses) or not is_shown(project, uses[0].site):
            continue
        yield Report(
            site=uses[0].site,
            message=f"counting {f'every `{model.name}`' if model else 'the rows'} only tells whether there is one",
            help=_advice(project, event),
            cause=(event.site, uses[0].site),
            labels=query_labels(project, query, uses, "this needs only a yes or no"),
            intent=_intent(event, uses[0]),
            severity=Severity.INFO if project.is_small(model) else Severity.WARNING,
            preview=gives_few(query)
            or query.model in single
            or query.relation is not None
            or taken.is_asked(query, uses[0].site)
            or _is_another(event.site, counts.get(query, []))
            or _is_asked_once(project, event),
        )


def _counted(event: Event) -> Model | None:
    return event.model or (event.query.model if event.query is not None else None)


def _counts(log: QueryLog) -> dict[QueryObject, list[Site]]:
    """Returns where the rows of each query object are counted for more than to learn whether there is one."""
    found: dict[QueryObject, list[Site]] = {}
    for event in log.of(Op.COUNT):
        if event.query is not None and any(asks_for_some(use) is None for use in event.all_uses()):
            found.setdefault(event.query, []).append(event.site)
    return found


def _is_another(count: Site, counts: list[Site]) -> bool:
    """Whether the same rows are counted before, so that `exists()` is a second query too: `if books.count() > 1 or not books.count()`."""
    return any(other.path == count.path and other.start < count.start for other in counts)


def _is_asked_per_round(project: Project, event: Event) -> bool:
    """Whether the loop that a count stands in asks for another one in every round: one query before the loop does away with the counts."""
    decisive = event.depends | (event.query.parameters if event.query is not None else frozenset())
    loops = worth_counting(loop for loop in repeaters(event) if loop.id in decisive)
    return grows(loops) and not calls_between(project, event, innermost(loops))


def _is_asked_once(project: Project, event: Event) -> bool:
    """Whether a command or what starts the program asks if a table has rows at all, as it does before it fills it."""
    query = event.query
    if query is None or not query.filters <= query.stated or query.relation is not None or event.loops:
        return False
    if query.orm is Orm.DJANGO:
        return is_done_once(event)
    return event.function in project.background or starts_the_program(event)


def _intent(event: Event, use: Use) -> ReplaceCountTest | None:
    """Returns the replacement of the test; a `not` in front of it stays where it is unless it is part of the test."""
    query = event.query
    if query is None or (query.orm is Orm.SQLALCHEMY and query.sliced):
        return None
    includes_not = use.kind is UseKind.TRUTH and use.negated and use.site.encloses(event.site) and use.site != event.site
    return ReplaceCountTest(query, event.site, use.site, negated=includes_not or not asks_for_some(use))


def _advice(project: Project, event: Event) -> str:
    where = at(project, event.site)
    if event.orm is Orm.DJANGO:
        return f"call `.exists()` instead of {code('.count()')}{where}"
    if event.query is not None and event.query.style == "query":
        return f"ask for `session.query(query.exists()).scalar()` instead of the count{where}"
    # `exists()` of a statement that counts would always be true
    rows = model.name if (model := _counted(event)) is not None else "…"
    return f"ask for `session.scalar(select({rows}).where(…).exists().select())`, with the same joins and conditions, instead of the count{where}"
