"""ORM118: an eager load is asked for, and lost."""

from collections.abc import Iterator

from ormlint.api import AddKeyword, AssignQuery, Label, Mark, Project, QueryLog, QueryObject, Report, Severity, UseKind, rule
from ormlint.judge.describe import code, is_shown, joined

EAGER = frozenset({"select_related", "prefetch_related", "options"})
REFUSES_SINCE = (5, 0)
CHUNK = "2000"  # what Django itself takes for an iterator without prefetches


@rule("ORM118", "eager-load-discarded", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every prefetch that `iterator()` does not carry out, and for every query with a load that nobody keeps."""
    for query in log.queries:
        if query.dropped and query.methods[-1:] == ("iterator",):
            yield _dropped(project, query)
        elif query.methods and query.methods[-1] in EAGER and any(use.kind is UseKind.DISCARD for use in query.uses):
            yield _unassigned(project, query)


def _dropped(project: Project, query: QueryObject) -> Report:
    site = query.steps[-1] if query.steps else query.site
    old = project.target_django and project.target_django < REFUSES_SINCE
    what = "ignores it" if old else "raises `ValueError`"
    return Report(
        site=site,
        message=f"{joined(code(name) for name in sorted(query.dropped))} is prefetched, and `iterator()` without `chunk_size` {what}",
        help=f"give it a chunk size, `.iterator(chunk_size={CHUNK})`: one more statement per chunk",
        cause=(site,),
        labels=_labels(project, query, "this cannot prefetch"),
        relations=tuple(sorted(query.dropped)),
        intent=AddKeyword(site, "chunk_size", CHUNK, ""),
        severity=Severity.WARNING if old else Severity.ERROR,
    )


def _unassigned(project: Project, query: QueryObject) -> Report:
    site = query.steps[-1] if query.steps else query.site
    return Report(
        site=site,
        message=f"`.{query.methods[-1]}(…)` returns a new query, which nobody keeps",
        help="assign what it returns, or remove the call",
        cause=(site,),
        labels=_labels(project, query, "this loads nothing"),
        intent=AssignQuery(site) if query.steps else None,
    )


def _labels(project: Project, query: QueryObject, text: str) -> tuple[Label, ...]:
    found = [Label(query.site, Mark.QUERY, "the query is built here")] if query.steps else []
    found.append(Label(query.steps[-1] if query.steps else query.site, Mark.ACCESS, text))
    return tuple(label for label in found if is_shown(project, label.site))
