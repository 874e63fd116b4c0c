"""ORM602: a relation that was not loaded is read from a row of an AsyncSession, which cannot load it then."""

from collections.abc import Iterator

from ormlint.api import Event, Label, Mark, Obstacle, Op, Project, QueryLog, Report, Severity, rule
from ormlint.judge.describe import call_path, code, is_shown, labels
from ormlint.judge.eager import Chain, advice_for, intent_for, unloadable_chains

ERRORS = {Obstacle.ASYNCHRONOUS: "MissingGreenlet", Obstacle.FORBIDDEN: "InvalidRequestError"}


@rule("ORM602", "async-lazy-load", severity=Severity.ERROR, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place that reads the first unloaded relation of a chain."""
    failures = (event for event in log.of(Op.FAILED_LOAD) if event.obstacle in ERRORS)
    for chain in unloadable_chains(project, log, failures):
        for event in {event.site: event for event in reversed(chain.events)}.values():
            yield Report(
                site=event.site,
                message=f"{code(event.text or chain.lookup)} is not loaded: reading it {_ends_in(event)}",
                help=advice_for(project, chain),
                cause=chain.cause,
                labels=(*_steps(project, chain), *labels(project, event, None, chain.query, f"this reads {code(chain.lookup)}", home=chain.home)),
                notes=(*call_path(project, event), *_other_ways(event)),
                relations=chain.relations,
                intent=intent_for(chain),
                preview=event.obstacle is Obstacle.FORBIDDEN,
            )


def _steps(project: Project, chain: Chain) -> tuple[Label, ...]:
    """Returns a label where the query is given other loads, else where it is last refined; none if that is where it is made."""
    query = chain.query
    loads = [entry.site for entry in query.plan.loaded.values() if any(step.encloses(entry.site) for step in query.steps)]
    if loads:
        first = min(loads, key=lambda site: (site.path, site.start))
        return (Label(first, Mark.QUERY, "the query is given other loads here"),) if is_shown(project, first) else ()
    return tuple(Label(site, Mark.QUERY, "the query is refined here") for site in query.steps[-1:] if is_shown(project, site))


def _ends_in(event: Event) -> str:
    if event.obstacle is Obstacle.FORBIDDEN:
        return f"raises `{ERRORS[event.obstacle]}`, as its mapping demands"
    return "from an `AsyncSession` raises `MissingGreenlet`"


def _other_ways(event: Event) -> tuple[str, ...]:
    """Returns a note on loading it at the place of the access, where the row is at hand in an async function."""
    if event.obstacle is Obstacle.ASYNCHRONOUS and event.around.asynchronous and not event.loops and event.relation is not None:
        return (f'`await session.refresh(row, ["{event.relation.name}"])` loads it for one row that is at hand',)
    return ()
