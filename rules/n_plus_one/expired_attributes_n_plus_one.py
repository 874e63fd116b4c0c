"""ORM114: rows are read after a commit that has expired them, and fetched again one by one."""

from collections.abc import Iterator

from ormlint.api import Label, Mark, Op, Orm, Project, QueryLog, Report, rule
from ormlint.judge.describe import call_path, code, is_shown, per_model, row_of
from ormlint.judge.repetition import innermost, repeaters, weight


@rule("ORM114", "expired-attributes-n-plus-one", stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every list of rows that a loop reads after a commit."""
    for event in log.of(Op.RELOAD):
        loops, query, since = repeaters(event), event.query, event.since
        if not loops or query is None or since is None or not is_shown(project, event.site) or not is_shown(project, since):
            continue
        found = (
            Label(query.site, Mark.QUERY, "the rows come from here"),
            Label(since, Mark.CALL, "this expires them"),
            Label(innermost(loops).site, Mark.LOOP, "the loop"),
            Label(event.site, Mark.ACCESS, "this fetches the row again"),
        )
        before = f"read what is needed of the {row_of(query)}s before the commit at {project.at(since)}"
        yield Report(
            site=event.site,
            message=f"reading {code(event.text)} after a commit runs one query {per_model(event.model)}",
            help=f"{before}, or make sessions with `expire_on_commit=False`",
            cause=(since, query.site),
            labels=tuple(label for label in found if is_shown(project, label.site)),
            notes=call_path(project, event),
            severity=weight(project, event, loops),
        )
