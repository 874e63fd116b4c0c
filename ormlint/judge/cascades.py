"""What the unit of work of SQLAlchemy loads before it deletes a row: what it cascades to, and what has the row's key."""

from __future__ import annotations

from ormlint.judge.eager import is_loaded
from ormlint.link.schema import Kind, Orm, Relation
from ormlint.run.log import Event, Loop, Op, QueryLog

_ON_OTHER_SIDE = (Kind.REVERSE_FOREIGN_KEY, Kind.REVERSE_ONE_TO_ONE, Kind.MANY_TO_MANY)


def loaded_first(event: Event) -> list[str]:
    """Returns the relations that SQLAlchemy loads before it deletes a row, to cascade or to clear the keys."""
    if event.orm is not Orm.SQLALCHEMY or event.model is None:
        return []
    found = [relation for relation in event.model.relations.values() if _is_loaded_on_delete(relation)]
    return [relation.name for relation in found if event.row is None or not is_loaded(event.row.query.plan, (*event.row.path, relation.name))]


def _is_loaded_on_delete(relation: Relation) -> bool:
    return relation.kind in _ON_OTHER_SIDE and relation.lazy != "write_only" and relation.loaded_on_delete


def asks_anew(event: Event, names: list[str]) -> bool:
    """Whether one of the relations cannot be loaded along: `lazy="dynamic"`."""
    return event.model is not None and any(event.model.relations[name].lazy == "dynamic" for name in names)


def are_deleted_before(log: QueryLog, event: Event, loop: Loop, names: list[str]) -> bool:
    """Whether a statement of the round deletes the related rows: what is loaded of them before would be deleted, or lose its key, once more."""
    targets = [event.model.relations[name].target for name in names] if event.model is not None else []
    return any(other.model is not None and other.model in targets for other in log.within(loop, Op.DELETE_ROWS))
