"""Queries of rounds that one query before the loop may not replace.

for key in keys: Book.objects.get(pk=key)                              three keys, or three thousand
for shop, ids in by_shop.items(): Book.objects.filter(id__in=ids)      comes in groups already
for day in days: Book.objects.filter(sold__lt=day)                     no key to look the rows up by
for name in names:                                                     a search, which ends with the first that fits
    if book := Book.objects.filter(name=name).first(): return book
"""

from __future__ import annotations

from ormlint.judge.describe import calls_between, is_shown
from ormlint.judge.identity import loaded_along
from ormlint.judge.lookups import FIGURES, has_no_key
from ormlint.judge.owners import owner_of
from ormlint.judge.project import Project
from ormlint.judge.repetition import is_search
from ormlint.judge.rounds import Rounds, is_part_of_write
from ormlint.link.schema import Model, Orm
from ormlint.run.log import Event, Loop, Op, Shape

_CHUNKS = frozenset({"iterator", "aiterator", "yield_per"})


def is_apart(project: Project, rounds: Rounds, event: Event, loop: Loop) -> bool:
    """Whether one query for all rounds may not be had, would do harm, or asks who knows which table."""
    if model_of(event) is None:
        return True
    if (
        has_no_key(event)
        or _counts_another_span(event, loop)
        or _asks_for_group(event, loop)
        or _is_search(event, loop)
        or _is_chunked(event)
        or _is_of_any_model(project, event)
    ):
        return True
    if rounds.writes_before(event, model_of(event), loop) or _is_expired(rounds, event, loop):
        return True
    if loop.source is None:
        return True  # a list of who knows what is as often one of a few as one of many
    along = loaded_along(loop.source.plan, loop.source.model) if event.orm is Orm.SQLALCHEMY and event.method == "get" else ()
    if any(model is event.model for model in along) or rounds.have_loaded(event, loop):
        return True  # `session.get(Person, bill.payer_id)` asks nothing if the payer is one of `bill.guests`, which are loaded
    way = [callee for _, callee in calls_between(project, event, loop)]
    return bool(way) and (_is_unit_of_work(rounds, event, loop, way) or rounds.are_recursive(way) or _is_recursive(event, loop))


def model_of(event: Event) -> Model | None:
    """Returns the model whose rows a statement asks for, None if it is not known."""
    return event.model or (event.query.model if event.query is not None else None)


def _asks_for_group(event: Event, loop: Loop) -> bool:
    """Whether one query fetches what is collected for a key, or asks by nothing but lists of keys."""
    lookups = event.query.filters if event.query is not None else frozenset[str]()
    lists = [name for name in lookups if name.endswith("__in")]
    if lookups and len(lists) == len(lookups):
        return True
    if event.query is not None and loop.id in event.query.sets:
        return True  # `filter(shop=shop, book__in=books_of(day))`: the sets overlap, or none of them has a key of its own
    return loop.groups and event.op is Op.LOAD_ROWS and (not lookups or "*" in lookups or bool(lists))


def _counts_another_span(event: Event, loop: Loop) -> bool:
    """Whether a figure is one of rows that are chosen by more than keys of the round: no `GROUP BY` has them.

    # `Sale.objects.filter(region=shop.region, day__gte=shop.opened).count()`
    """
    return event.op in FIGURES and event.query is not None and loop.id in event.query.unkeyed and owner_of(event) is None


def _is_search(event: Event, loop: Loop) -> bool:
    """Whether a round asks for one row, or for what ends the search, and may be the last one for what it finds."""
    return (event.op is Op.GET_ROW and (loop.searches or loop.yields)) or is_search(event, loop)


def _is_chunked(event: Event) -> bool:
    """Whether the rows of a round are too many to hold those of all rounds at once."""
    return bool(_CHUNKS & {event.method, *(event.query.methods if event.query is not None else ())})


def _is_of_any_model(project: Project, event: Event) -> bool:
    """Whether each round may ask another table: `content_type.model_class().objects.filter(…)`."""
    model = model_of(event)
    return model is not None and not model.columns and not is_shown(project, model.site)


def _is_unit_of_work(rounds: Rounds, event: Event, loop: Loop, way: list[str]) -> bool:
    """Whether a function that is called per row asks in order to write: in a row's `save()`, to change or make the row that it looks for."""
    if is_part_of_write(way) or rounds.writes_behind_same_call(event, loop):
        return True
    if event.op in (Op.GET_ROW, Op.EXISTS) and rounds.makes(model_of(event), loop):
        return True
    return event.op in (Op.GET_ROW, Op.EXISTS, Op.LOAD_ROWS) and rounds.writes_in_same_function(event, loop)


def _is_recursive(event: Event, loop: Loop) -> bool:
    """Whether the function that has the loop calls itself there: each level of a tree asks for the next one."""
    return loop.source is not None and bool(event.function) and loop.source.function == event.function


def _is_expired(rounds: Rounds, event: Event, loop: Loop) -> bool:
    """Whether rows fetched before the loop would be fetched again one by one, as a round ends a transaction.

    # `os.remove(part.path)`, `session.delete(part)`: where files are removed, what removes the others mostly commits
    """
    rows = event.op in (Op.LOAD_ROWS, Op.GET_ROW) and event.query is not None and event.query.shape is Shape.ROWS
    return rows and event.orm is Orm.SQLALCHEMY and (rounds.may_commit(loop) or (event.around.external and rounds.deletes(event, loop)))
