"""ORM209: the first row of a result is taken, and the database sends them all."""

from collections.abc import Iterator

from ormlint.api import AppendMethod, Bound, Event, Label, Mark, Op, Orm, Project, QueryLog, QueryObject, Report, Shape, TakeFirst, rule
from ormlint.judge.collections import risk_of_limiting
from ormlint.judge.describe import at_query, is_shown

TAKES_FIRST = frozenset({"first", "scalar", "fetchone", "first_or_404"})


@rule("ORM209", "first-without-limit", stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every result of which only the first row is taken, where nothing limits the statement."""
    for event in log.of(Op.GET_ROW):
        query = event.query
        if query is None or query.style != "result" or event.method not in TAKES_FIRST or not _gives_many(query):
            continue
        yield Report(
            site=event.site,
            message=f"{_what(event)} adds no LIMIT: all rows are fetched to take one",
            help=f"add `.limit(1)` to the statement{at_query(project, query)}",
            cause=(event.site,),
            labels=_labels(project, event, query),
            intent=_limit(event, query),
        )


def _limit(event: Event, query: QueryObject) -> AppendMethod | TakeFirst | None:
    """Returns the limit: in the statement if it stands there, else where it is sent, since others may send it too."""
    if query.ways:
        return None
    risk = risk_of_limiting(query)
    if event.site.encloses(query.site) and not query.steps:
        return AppendMethod(query.site, ".limit(1)", risk)
    return TakeFirst(event.site, query, reason=risk)


def _gives_many(query: QueryObject) -> bool:
    """Whether a statement selects rows of a model, as many as there are."""
    if query.has("where", "filter", "filter_by") and not query.has("order_by"):
        return False  # the condition may leave one row, by a rule that the models do not tell
    selects = query.model is not None and query.shape is Shape.ROWS and not query.raw and not query.combined
    return selects and query.bound is Bound.MANY and not query.sliced and not query.locked and not query.batched


def _what(event: Event) -> str:
    return "`session.scalar()`" if event.method == "scalar" and event.text.endswith(".scalar(…)") else f"`.{event.method}()` of a result"


def _labels(project: Project, event: Event, query: QueryObject) -> tuple[Label, ...]:
    found = [Label(query.site, Mark.QUERY, "the statement"), Label(event.site, Mark.ACCESS, "only one row is taken")]
    return tuple(label for label in found if is_shown(project, label.site))
