"""ORM110: a related row is loaded only to read its key, which the row at hand has in a column of its own."""

from collections.abc import Collection, Iterator

from ormlint.api import Event, Orm, Project, QueryLog, ReadKey, Report, Severity, rule
from ormlint.judge.describe import call_path, code, is_shown, joined, labels, per_model
from ormlint.judge.eager import concerns, is_attributable, relation_names
from ormlint.judge.identity import may_be_held
from ormlint.judge.keys import are_present, read_for_their_key, read_to_get_the_row, risk_of_reading
from ormlint.judge.repetition import innermost, repeaters, weight


@rule("ORM110", "fk-id-through-relation")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every lazy load of a row of which the program reads the key alone."""
    keys = read_for_their_key(log)
    wanted = read_to_get_the_row(log)
    of_one_row: dict[object, list[Event]] = {}
    for event in log.events:
        if event in keys and is_attributable(event) and not event.around.error_path and concerns(project, event) and is_shown(project, event.site):
            of_one_row.setdefault(_row_read(event), []).append(event)
    for events in of_one_row.values():
        yield _report(project, events, wanted)


def _row_read(event: Event) -> object:
    """Returns what makes two reads one: the first keeps the row for the others of its round."""
    assert event.row is not None
    loops = repeaters(event)
    return (event.row.query.site, event.path, event.function, innermost(loops).site if loops else None)


def _report(project: Project, events: list[Event], wanted: Collection[Event]) -> Report:
    event = next((event for event in events if event.column), events[0])  # its key says more than the question whether it is there
    relation, row, key = event.relation, event.row, event.key
    assert relation is not None
    assert row is not None
    assert key is not None
    loops = repeaters(event)
    held = f"{event.through}.{relation.attname}" if event.through else relation.attname  # a proxy has no column beside it
    per = f" {per_model(relation.model)}" if loops else ""
    sites = tuple(dict.fromkeys((other.key, other.site) for other in (event, *events) if other.key is not None))
    risk = risk_of_reading(events)
    editable = all(site.path.endswith(".py") and site.path == read.path for site, read in sites) and not any(other.through for other in events)
    further = dict.fromkeys(project.at(site) for site, _ in sites[1:])
    return Report(
        site=key,
        message=_message(event, held, per),
        help=f"read {code(held)} instead of {code('.'.join(filter(None, [relation.name, event.column])))}",
        cause=(key,),
        labels=labels(project, event, innermost(loops) if loops else None, row.query, f"this loads {code(relation.name)}"),
        notes=(*call_path(project, event), *((f"so does {joined(further)}",) if further else ())),
        relations=relation_names(row.query, event.path, len(event.path) - 1),
        intent=ReadKey(sites, relation, are_present(events), risk) if editable else None,
        severity=weight(project, event, loops) if loops else Severity.INFO,
        preview=bool(risk) or may_be_held(event) or event in wanted or (not loops and event.orm is Orm.SQLALCHEMY),
    )


def _message(event: Event, held: str, per: str) -> str:
    if event.column:
        return f"{code(event.text + '.' + event.column)} runs one query{per} for a key that is in {code(held)}"
    return f"{code(event.text)} runs one query{per} to see if there is one, which {code(held)} tells"
