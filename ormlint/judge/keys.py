"""Rows that are loaded for nothing but their key, which the row that refers to them has: `book.author.id` is `book.author_id`.

To ask whether there is such a row is to ask for its key: `if book.editor:`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ormlint.judge.eager import path_of
from ormlint.judge.once import once
from ormlint.link.schema import Kind, Model, Orm, Relation
from ormlint.run.log import Event, Op, QueryLog
from ormlint.text import Site

Source = tuple[Site | None, tuple[str, ...]]


@once
def read_for_their_key(log: QueryLog) -> frozenset[Event]:
    """Returns the lazy loads of rows of which only the key is read, there and everywhere else where they come from the same query."""
    by_source: dict[Source, list[Event]] = {}
    needed: set[Source] = set()  # where more than the key is read, or a relation of the row
    for event in log.of(Op.LAZY_OBJECT, Op.LAZY_COLLECTION):
        path = path_of(event)
        site = event.row.query.site if event.row is not None else None
        needed |= {(site, path[:length]) for length in range(1, len(path))}
        if event.op is Op.LAZY_OBJECT:
            by_source.setdefault((site, path), []).append(event)
    found: list[Event] = []
    for source, events in by_source.items():
        if source not in needed and all(event.key is not None and has_key(event.relation) for event in events):
            found += events
    return frozenset(found)


def read_to_get_the_row(log: QueryLog) -> frozenset[Event]:
    """Returns the lazy loads of rows whose keys a session is asked for at once: it has them then, and would ask for them otherwise.

    # `session.get(Author, book.author.id)`, or `publish(author_id=book.author.id)`, which asks for the author by that key
    """
    asked: dict[tuple[str, Model | None], list[Site]] = {}
    for event in log.of(Op.GET_ROW):
        if event.orm is Orm.SQLALCHEMY and event.method == "get":
            for site in (event.site, *event.calls):
                asked.setdefault((site.path, event.model), []).append(site)
    return frozenset(event for event in log.of(Op.LAZY_OBJECT) if _is_key_for_one_of(asked, event))


def _is_key_for_one_of(asked: Mapping[tuple[str, Model | None], list[Site]], event: Event) -> bool:
    key, target = event.key, event.relation.target if event.relation is not None else None
    return key is not None and any(site.encloses(key) for site in asked.get((key.path, target), ()))


def are_present(events: Iterable[Event]) -> bool:
    """Whether the queries of the rows that are read choose those that have the relation: `Book.objects.exclude(editor=None)`."""
    return all(_has_to_be_there(event) for event in events)


def _has_to_be_there(event: Event) -> bool:
    if event.row is None or event.relation is None:
        return False
    place = (event.path[:-1], event.relation.name)
    pins = [way.pins for way in event.row.query.every_way()]
    return all(any((pin.path, pin.name) == place and pin.values == (None,) and not pin.among for pin in own) for own in pins)


def risk_of_reading(events: Iterable[Event]) -> str:
    """Returns why the rows of which keys are read may be others than those that the database has given, "" if they cannot.

    # `share = Share(event=event); event.save()`: now `share.event.id` is the key and `share.event_id` still None
    """
    return (
        ""
        if all(_is_fetched_there(event) for event in events)
        else "a row that the program has just made may have the related row and not yet its key"
    )


def _is_fetched_there(event: Event) -> bool:
    """Whether the row comes, by what its function alone says, from a query that is built there or walked there."""
    if event.row is None:
        return False
    if event.row.query.function == event.function:
        return True
    return any(loop.source in event.row.query.every_way() and loop.body.encloses(event.site) for loop in event.loops)


def has_key(relation: Relation | None) -> bool:
    """Whether a row has the primary key of the row that a relation leads to in a column of its own."""
    if relation is None or relation.target is None or relation.kind not in (Kind.FOREIGN_KEY, Kind.ONE_TO_ONE) or not relation.attname:
        return False
    if relation.conditioned:
        return False
    return not relation.to_field or relation.target.is_primary_key(relation.to_field)
