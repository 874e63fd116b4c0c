"""ORM315: all rows of a collection are loaded to put one more into it."""

from collections.abc import Iterator

from ormlint.api import Event, Kind, Label, Mark, Op, Orm, Project, QueryLog, Report, SetOtherSide, UseKind, rule
from ormlint.judge.describe import call_path, code, is_shown
from ormlint.judge.repetition import repeaters

PUTS = frozenset({"append", "add", "extend", "insert"})


@rule("ORM315", "append-loads-collection", stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every collection that is loaded for nothing but to get another row, whose key leads back."""
    loads = [event for event in log.of(Op.LOAD_ROWS, Op.LAZY_COLLECTION) if event.query is not None and event.query.style == "list"]
    read: dict[tuple[object, ...], set[object]] = {}
    for event in loads:
        read.setdefault(_collection(event), set()).add(event.site)
    seen = set()
    for event in loads:
        if event.site in seen or not _only_grows(event) or len(read[_collection(event)]) > 1 or repeaters(event):
            continue
        seen.add(event.site)
        assert event.relation is not None
        assert event.relation.inverse is not None
        target = event.relation.target.name if event.relation.target is not None else "row"
        yield Report(
            site=event.site,
            message=f"{code(event.text)} is loaded whole to put one more `{target}` into it",
            help=f"set `{event.relation.inverse.name}` of the new `{target}` and `session.add()` it",
            cause=(event.site,),
            labels=_labels(project, event),
            notes=call_path(project, event),
            relations=("__".join(event.path),),
            intent=SetOtherSide(event.site, event.relation, event.row.query.site) if event.row is not None and not event.row.path else None,
        )


def _collection(event: Event) -> tuple[object, ...]:
    return (event.relation, event.row.query if event.row is not None else None)


def _only_grows(event: Event) -> bool:
    """Whether nothing is done with a collection but putting rows into it that could be given the key instead."""
    relation, query = event.relation, event.query
    if relation is None or query is None or relation.kind is not Kind.REVERSE_FOREIGN_KEY or relation.inverse is None or relation.arranged:
        return False
    uses = list(query.all_uses())
    return bool(uses) and event.certain and all(use.kind is UseKind.METHOD and use.operator in PUTS for use in uses)


def _labels(project: Project, event: Event) -> tuple[Label, ...]:
    found = [Label(event.row.query.site, Mark.QUERY, "the row comes from here")] if event.row is not None else []
    found.append(Label(event.site, Mark.ACCESS, "this loads the collection"))
    return tuple(label for label in found if is_shown(project, label.site))
