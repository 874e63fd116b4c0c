"""ORM220: a manager is tested, counted or walked instead of its rows."""

from collections.abc import Iterator

from ormlint.api import AppendMethod, Label, LoadPlan, Mark, Orm, Project, QueryLog, QueryObject, Report, Severity, Use, UseKind, rule
from ormlint.judge.describe import is_shown
from ormlint.judge.releases import CONTAINS

SAYS = {
    UseKind.TRUTH: "is always true, with rows or without",
    UseKind.LEN: "has no length: `len()` raises `TypeError`",
    UseKind.ITERATE: "cannot be walked: it raises `TypeError`",
    UseKind.CONTAINS: "cannot be searched: `in` raises `TypeError`",
    UseKind.INDEX: "has no elements: it raises `TypeError`",
}
CURE = {
    UseKind.TRUTH: "ask whether there is a row: `.exists()`",
    UseKind.LEN: "ask how many rows there are: `.count()`",
    UseKind.ITERATE: "walk the rows: `.all()`",
    UseKind.CONTAINS: "ask for the row: `.contains(…)`",
    UseKind.INDEX: "take it from the rows: `.all()`",
}


@rule("ORM220", "manager-truthiness", severity=Severity.ERROR, stable=False, orms=(Orm.DJANGO,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every manager that stands where its rows were meant."""
    lists = {name for query in log.queries for name in _lists(query.plan)}
    for query in log.queries:
        if query.style != "manager" or (query.relation is not None and query.relation.name in lists):
            continue
        for use in query.uses:
            if use.kind in SAYS and is_shown(project, use.site):
                yield Report(
                    site=use.site,
                    message=f"{_name(query)} {SAYS[use.kind]}",
                    help=_advice(project, use),
                    cause=(use.site,),
                    labels=(Label(use.site, Mark.ACCESS, "this asks the manager, not the database"),),
                    intent=_intent(query, use),
                )


def _lists(plan: LoadPlan) -> Iterator[str]:
    """Yields the attributes that hold prefetched lists, which may stand in the place of the manager."""
    for entry in plan.loaded.values():
        if entry.to_attr:
            yield entry.to_attr
        yield from _lists(entry.plan)


def _name(query: QueryObject) -> str:
    return f"the manager `{query.relation.name}`" if query.relation is not None else "a manager"


def _advice(project: Project, use: Use) -> str:
    if use.kind is UseKind.CONTAINS and project.lacks(CONTAINS):
        return "ask for the row: `.filter(pk=….pk).exists()`"
    return CURE[use.kind]


def _intent(query: QueryObject, use: Use) -> AppendMethod | None:
    if use.site.path.endswith(".py") and use.kind in (UseKind.TRUTH, UseKind.ITERATE):
        method = ".exists()" if use.kind is UseKind.TRUTH else ".all()"
        return AppendMethod(query.site, method, "so far the rows did not matter: what comes next may never have run")
    return None
