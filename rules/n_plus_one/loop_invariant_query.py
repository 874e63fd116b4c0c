"""ORM104: a query asks the same in every round of a loop, and nothing the loop does can change the answer."""

from collections.abc import Iterator

from ormlint.api import READS, AskBefore, Event, Loop, Orm, Project, QueryLog, Report, rule
from ormlint.judge.describe import at, code, is_shown, labels, per
from ormlint.judge.repetition import costs_nothing, decides_to_go_on, innermost, is_deliberate, repeaters, weight, worth_counting


@rule("ORM104", "loop-invariant-query", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every statement that a loop repeats unchanged."""
    for event in log.of(*READS):
        loops = _loops_that_change_nothing(event)
        if not loops or not is_shown(project, event.site) or _is_deliberate(event, loops):
            continue
        loop = innermost(loops)
        yield Report(
            site=event.site,
            message=f"{code(event.text)} runs the same query {per(loop)}",
            help=f"run it once before the loop{at(project, loop.site)} and keep the result in a variable",
            cause=(event.site, loop.site),
            labels=labels(project, event, loop, loop.source, "this gives the same in every round"),
            intent=AskBefore(event, loops),
            severity=weight(project, event, loops),
        )


def _loops_that_change_nothing(event: Event) -> tuple[Loop, ...]:
    """Returns the repeating loops that a query is invariant in, if it is so in the innermost of all."""
    loops = repeaters(event)
    found = worth_counting(loop for loop in loops if loop.id in event.unchanged and loop.id not in event.depends)
    return found if found and loops[-1] is found[-1] else ()


def _is_deliberate(event: Event, loops: tuple[Loop, ...]) -> bool:
    query, around = event.query, event.around
    if query is None or is_deliberate(query) or costs_nothing(query) or around.error_path or around.guarded_by_cache:
        return True
    if event.orm is Orm.SQLALCHEMY and event.method == "get":
        return True  # the identity map has the row after the first round
    return any(loop.kind == "while" or decides_to_go_on(event, loop) for loop in loops)
