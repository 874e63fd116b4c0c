"""ORM110: a related row is loaded only to read its key, which the row at hand has in a column of its own."""

from collections.abc import Iterator

from ormlint.api import Event, Orm, Project, QueryLog, ReadKey, Report, Severity, rule
from ormlint.judge.describe import call_path, code, is_shown, labels, per_model
from ormlint.judge.eager import concerns, is_attributable
from ormlint.judge.identity import may_be_held
from ormlint.judge.keys import read_for_their_key
from ormlint.judge.repetition import innermost, repeaters, weight


@rule("ORM110", "fk-id-through-relation")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every lazy load of a row of which the program reads the key alone."""
    keys = read_for_their_key(log)
    for event in log.events:
        if event in keys and is_attributable(event) and not event.around.error_path and concerns(project, event) and is_shown(project, event.site):
            yield _report(project, event)


def _report(project: Project, event: Event) -> Report:
    relation, row, key = event.relation, event.row, event.key
    assert relation is not None
    assert row is not None
    assert key is not None
    loops = repeaters(event)
    per = f" {per_model(relation.model)}" if loops else ""
    editable = key.path.endswith(".py") and event.site.path == key.path
    return Report(
        site=key,
        message=f"{code(event.text + '.' + event.column)} runs one query{per} for a key that is in {code(relation.attname)}",
        help=f"read {code(relation.attname)} instead of {code(f'{relation.name}.{event.column}')}",
        cause=(key,),
        labels=labels(project, event, innermost(loops) if loops else None, row.query, f"this loads {code(relation.name)}"),
        notes=call_path(project, event),
        relations=("__".join(event.path),),
        intent=ReadKey(key, event.site, relation, event.column) if editable else None,
        severity=weight(project, event, loops) if loops else Severity.INFO,
        preview=may_be_held(event) or (not loops and event.orm is Orm.SQLALCHEMY),
    )
