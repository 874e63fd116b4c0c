"""ORM204: a query asks whether there are rows, and the next one loads them."""

from collections.abc import Iterator

from ormlint.api import Event, Label, LoadFirst, Mark, Op, Orm, Project, QueryLog, Report, Severity, UseKind, rule
from ormlint.judge.again import answers, loaded_by, tests_before_loads
from ormlint.judge.describe import at, code, is_shown
from ormlint.judge.repetition import prefetched_by_some

RAISING = frozenset({"latest", "earliest"})  # which of the rows they take needs the name of the field


@rule("ORM204", "exists-then-load")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every test for rows that are loaded whenever there are some."""
    prefetched = prefetched_by_some(log)
    for test, load in tests_before_loads(project, log).items():
        query = test.query
        if query is None or query.site in prefetched:
            continue
        rows = loaded_by(query)
        yield Report(
            site=test.site,
            message=f"{_test(test)} runs one query more before the same {rows} are loaded",
            help=_advice(project, load),
            cause=(test.site,),
            labels=tuple(
                label
                for label in (Label(test.site, Mark.QUERY, "this asks whether there are rows"), Label(load.site, Mark.ACCESS, "this loads them"))
                if is_shown(project, label.site)
            ),
            intent=_intent(test, load),
            severity=Severity.INFO if project.is_small(query.model) else Severity.WARNING,
        )


def _intent(test: Event, load: Event) -> LoadFirst | None:
    uses = answers(test)
    if test.query is None or len(uses) != 1 or test.site.path != load.site.path:
        return None
    return LoadFirst(test.query, test.site, uses[0].site, load)


def _test(test: Event) -> str:
    if test.method:
        return code(f"{test.method}()")
    return "this truth test" if test.use is UseKind.TRUTH else "`len()`"


def _or_none(load: Event) -> str:
    """Returns the method that gives the row or None in the place of the one that is called."""
    if load.orm is Orm.SQLALCHEMY:
        return "one_or_none" if load.method.startswith("one") else "first"
    if load.method in ("last", "alast"):
        return load.method
    return "afirst" if load.method in ("afirst", "aget") else "first"


def _advice(project: Project, load: Event) -> str:
    where = at(project, load.site)
    if load.op is Op.GET_ROW:
        if load.method.removeprefix("a") in RAISING:
            return f"load the row{where} with `.{load.method}(…)` first, and catch `DoesNotExist` instead of asking"
        return f"load the row{where} with `.{_or_none(load)}()` first and test it for `None`"
    if load.orm is Orm.DJANGO:
        return f"test the queryset whose rows are used{where}: `if rows:` loads them once for both"
    return f"load the rows{where} first and test the list"
