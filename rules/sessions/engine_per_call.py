"""ORM609: an engine, and with it a pool of connections, is made again and again."""

from collections.abc import Iterator

from ormlint.api import Event, Loop, Op, Orm, Project, QueryLog, Report, rule
from ormlint.judge.describe import call_path, code, is_shown, labels, per, place
from ormlint.judge.repetition import innermost, repeaters


@rule("ORM609", "engine-per-call", stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place that makes an engine per request, or the same one in every round of a loop."""
    for event in {event.site: event for event in log.of(Op.ENGINE) if _is_repeated(event)}.values():
        loop = _loop(event)
        site = place(project, event, loop) if loop is not None else event.site
        if not is_shown(project, site):
            continue
        often = per(loop) if loop is not None else "per request"
        yield Report(
            site=site,
            message=f"{code(event.text)} makes an engine with a pool of its own {often}",
            help="make one engine for the program, in a module or a function with `@lru_cache`, and only sessions here",
            cause=(event.site,),
            labels=labels(project, event, loop, None, "the connections of the last one are not used again"),
            notes=(f"{code(event.requests.rpartition(':')[2])} is called for each request",) if loop is None else call_path(project, event),
        )


def _is_repeated(event: Event) -> bool:
    """Whether the same engine is made again, which is not meant to have no pool or kept in a cache."""
    if ("poolclass", "NullPool") in event.settings or event.around.guarded_by_cache or event.around.error_path:
        return False
    return bool(event.requests) or _loop(event) is not None


def _loop(event: Event) -> Loop | None:
    """Returns the innermost loop that makes the same engine in each round; none if it makes one for each of several databases."""
    loops = repeaters(event)
    return innermost(loops) if loops and not any(loop.id in event.depends for loop in event.loops) else None
