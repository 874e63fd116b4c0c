"""ORM214: the rows of a queryset are copied into a list for a loop that walks them once."""

from collections.abc import Iterator

from ormlint.api import Op, Orm, Project, QueryLog, QueryObject, Report, Severity, Use, UseKind, WalkQuery, rule
from ormlint.judge.describe import at_query, is_shown, query_labels
from ormlint.judge.repetition import is_deliberate

COPIES = frozenset({"list", "tuple"})
WRITES = (Op.SAVE, Op.CREATE, Op.GET_OR_CREATE, Op.DELETE, Op.UPDATE_ROWS, Op.DELETE_ROWS, Op.BULK_WRITE, Op.LINK)


@rule("ORM214", "needless-materialisation", severity=Severity.INFO, stable=False, orms=(Orm.DJANGO,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every list that is made of a queryset in the head of a loop."""
    written = {loop.source for event in log.of(*WRITES) for loop in event.loops}
    for query in log.queries:
        walk = _walk_of_copy(query)
        if walk is None or query in written or query.cached or is_deliberate(query) or query.has("iterator") or not is_shown(project, walk.site):
            continue
        yield Report(
            site=walk.site,
            message="the list copies rows that the queryset holds for the loop anyway",
            help=f"walk the queryset{at_query(project, query)} itself",
            cause=(query.site, walk.site),
            labels=query_labels(project, query, [walk], "the list is walked once"),
            intent=WalkQuery(query, walk.site),
        )


def _walk_of_copy(query: QueryObject) -> Use | None:
    """Returns the loop over a list that is made right there, if nothing else is done with the rows."""
    if query.orm is not Orm.DJANGO or query.style == "select":
        return None
    copies = {use.site for use in query.uses if use.kind is UseKind.DERIVE and use.operator in COPIES}
    walks = [use for use in query.all_uses() if use.kind is not UseKind.DERIVE]
    return walks[0] if len(walks) == 1 and walks[0].kind is UseKind.ITERATE and walks[0].site in copies else None
