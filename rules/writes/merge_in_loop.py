"""ORM317: rows are merged into the session one by one."""

from collections.abc import Iterator

from ormlint.api import Event, Loop, Op, Orm, Project, QueryLog, Report, rule
from ormlint.judge.bulk import stands_in, varies_with, writes_one_by_one
from ormlint.judge.describe import at, call_path, code, labels, per


@rule("ORM317", "merge-in-loop", orms=(Orm.SQLALCHEMY,), stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every `session.merge()` that a loop repeats with rows of its round."""
    for write in writes_one_by_one(project, log, log.of(Op.MERGE), lambda event, loop: (), _is_plain):
        event, loop = write.event, write.loop
        if not varies_with(event, loop):
            continue
        yield Report(
            site=write.site,
            message=f"{code(event.text or 'session.merge(…)')} runs one query {per(loop)}",
            help=_advice(event, at(project, loop.site)),
            cause=write.cause,
            labels=labels(project, event, loop, None, "this fetches the row that is there"),
            notes=call_path(project, event),
            severity=write.severity,
            preview=write.preview,
            counted_as=write.counted_as,
        )


def _is_plain(event: Event, loop: Loop) -> bool:
    """Whether it is known which rows have to be fetched."""
    return event.model is not None and stands_in(event, loop)


def _advice(event: Event, where: str) -> str:
    model = event.model
    if model is None:
        return f"fetch the rows with one statement before the loop{where} and keep them: `merge()` then finds them in the session"
    fetched = f"`session.scalars(select({model.name}).where({model.name}.{model.primary_key}.in_(…))).all()`"
    return f"fetch the rows with one {fetched} before the loop{where} and keep them: `merge()` then finds them in the session"
