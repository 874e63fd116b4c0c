"""Statements that ask for rows which the same function asks for a second time.

books = Book.objects.filter(shelf=shelf)
if books.exists():            asks whether there are rows
    n = books.count()         asks how many there are
    for book in books:        loads them: both answers could have been had from here
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from ormlint.judge.describe import is_shown
from ormlint.judge.once import once
from ormlint.judge.project import Project
from ormlint.judge.repetition import is_deliberate, only_uses, prefetched_by_some, repeaters
from ormlint.link.schema import Orm
from ormlint.run.log import READS, Event, Op, QueryLog, QueryObject, Use, UseKind
from ormlint.text import Site

LOADS = (Op.LOAD_ROWS, Op.LAZY_COLLECTION)
_FROM_ROWS = (Op.COUNT, Op.EXISTS, Op.GET_ROW)
_FIRST = frozenset({"first", "afirst", "[]"})
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
# what a comparison with the constant asks for: some row (True) or none (False)
_ASKS_FOR_SOME = {(">", 0): True, ("!=", 0): True, (">=", 1): True, ("==", 0): False, ("<", 1): False, ("<=", 0): False}


def asks_for_some(use: Use) -> bool | None:
    """Returns whether a use of a number asks for some row (True) or for none (False); None if it needs the number."""
    if use.kind is UseKind.TRUTH:
        return True
    if use.kind is not UseKind.COMPARE or type(use.constant) is not int:
        return None
    operator = _MIRRORED.get(use.operator, use.operator) if use.reflected else use.operator
    return _ASKS_FOR_SOME.get((operator, use.constant))


def repeated_statements(project: Project, log: QueryLog, *ops: Op) -> Iterator[tuple[Event, Event]]:
    """Yields the statements with one of these operations, each with every earlier one about the same rows that is not deliberate.

    Collections of the rows of a loop are left out: fetched in advance, neither of the two is a statement. So are rows that are loaded
    only for a figure, unless it can be read off the rows that the earlier statement has loaded.
    """
    for event in log.of(*ops):
        query = event.query
        if not event.earlier or query is None or not is_shown(project, event.site) or event.around.error_path or is_deliberate(query):
            continue
        if is_of_each_row(event):
            continue
        for other in event.earlier:
            if other.query is None or not is_shown(project, other.site) or is_deliberate(other.query) or other.site == event.site:
                continue
            if not is_figure(event) or _is_read_off(event, other):
                yield event, other


def answered_before(project: Project, log: QueryLog) -> dict[Event, Event]:
    """Returns the statements whose answer the program has had already, each with the earlier one that gave it."""
    prefetched = prefetched_by_some(log)
    needless = set(tests_before_loads(project, log))
    found: dict[Event, Event] = {}
    for event, other in repeated_statements(project, log, *READS, Op.LAZY_COLLECTION):
        query = event.query
        if event not in needless and query is not None and query.site not in prefetched and _is_answered(event, other):
            found.setdefault(event, other)
    return found


def _is_answered(event: Event, other: Event) -> bool:
    """Whether what a statement asks is known from an earlier one about the same rows."""
    if event.method == "get" and event.orm is Orm.SQLALCHEMY:
        return False  # the identity map has the row
    if event.query is not None and other.query is not None and has_another_session(event.query, other.query):
        return False
    if event.op is other.op or (event.op in LOADS and other.op in LOADS):
        return event.recipe is not None and other.recipe is not None and event.recipe.key == other.recipe.key
    if other.op not in LOADS or event.op not in _FROM_ROWS or is_figure(other):
        return False  # rows that are loaded for a figure of their own are better not loaded
    return event.op is not Op.GET_ROW or (event.method in _FIRST and is_first_of(event, other))


def has_another_session(query: QueryObject, other: QueryObject) -> bool:
    """Whether two queries of one function are run by two of its sessions: neither sees what the other has not committed."""
    return query.function == other.function and bool(query.session and other.session) and query.session != other.session


def is_of_each_row(event: Event) -> bool:
    """Whether a statement asks for the collection of row after row of a loop, which could be fetched in advance."""
    return event.relation is not None and event.row is not None and bool(repeaters(event)) and may_be_prefetched(event)


def is_first_of(event: Event, load: Event) -> bool:
    """Whether a statement asks for one of the very rows, in the same order, that another has loaded."""
    return event.recipe is not None and load.recipe is not None and isinstance(event.recipe.key, tuple) and event.recipe.key[0] == load.recipe.key


def is_figure(event: Event) -> bool:
    """Whether rows are loaded only to be counted, tested or added up, which the database does better."""
    return event.op in LOADS and event.query is not None and bool(only_uses(event.query, UseKind.LEN, UseKind.TRUTH, UseKind.AGGREGATE))


def _is_read_off(event: Event, other: Event) -> bool:
    """Whether rows are loaded for their number, or to learn whether there are any, after the same rows have been loaded for more than that."""
    if (
        event.query is None
        or not only_uses(event.query, UseKind.LEN, UseKind.TRUTH)
        or other.op not in LOADS
        or other.use is not UseKind.ITERATE
        or is_figure(other)
    ):
        return False
    return event.recipe is not None and other.recipe is not None and event.recipe.key == other.recipe.key


@once
def read_off_rows(project: Project, log: QueryLog) -> set[Site]:
    """Returns where queries are built whose rows are loaded for a figure, though the same rows have been loaded before."""
    return {event.query.site for event in answered_before(project, log) if event.query is not None and is_figure(event)}


def may_be_prefetched(event: Event) -> bool:
    """Whether a statement asks for nothing but a collection as it is."""
    return event.query is None or all(name in ("all", "get_queryset") for name in event.query.methods)


@once
def tests_before_loads(project: Project, log: QueryLog) -> dict[Event, Event]:
    """Returns the statements that only ask whether there are rows which are then loaded, each with the one that loads them."""
    found: dict[Event, Event] = {}
    for event, other in repeated_statements(project, log, *LOADS, Op.GET_ROW):
        if other.op in LOADS and event.op is not Op.GET_ROW:
            continue  # rows that are loaded twice: that the first time is a test matters little
        if _only_asks_whether(other) and follows(other, event):
            found.setdefault(other, event)
    return found


@once
def loaded_only_to_test(project: Project, log: QueryLog) -> set[Site]:
    """Returns where queries are built whose rows are loaded to be tested, before one of them is fetched by another query."""
    return {test.query.site for test in tests_before_loads(project, log) if test.op in LOADS and test.query is not None}


def counts_before_loads(project: Project, log: QueryLog) -> dict[Event, Event]:
    """Returns the counts of rows that are then loaded, each with the statement that loads them; not those that decide what is done."""
    found: dict[Event, Event] = {}
    for event, other in repeated_statements(project, log, *LOADS):
        uses = list(other.all_uses())
        decides = any(use.kind in (UseKind.COMPARE, UseKind.TRUTH) for use in uses)
        if other.op is Op.COUNT and uses and not decides and event.way == other.way:
            found.setdefault(other, event)
    return found


def _only_asks_whether(event: Event) -> bool:
    if event.op is Op.EXISTS and event.method not in ("contains", "acontains"):
        return True
    uses = answers(event) if event.op is Op.COUNT or is_figure(event) else []
    return bool(uses) and all(asks_for_some(use) is not None for use in uses)


def answers(event: Event) -> list[Use]:
    """Returns what is done with the number or truth value that a statement was run for."""
    if event.op not in LOADS or event.query is None:
        return list(event.all_uses())
    found: list[Use] = []
    for use in event.query.all_uses():
        found += uses_of_length(use) if use.kind is UseKind.LEN else [use] if use.kind is not UseKind.DERIVE else []
    return found


def uses_of_length(use: Use) -> list[Use]:
    """Returns what is done with the number that `len()` gives; for one that nobody follows, the `len()` itself."""
    return list(use.length.all_uses()) if use.length is not None and use.length.uses else [use]


def follows(test: Event, event: Event) -> bool:
    """Whether an event happens whenever a test before it found a row: on the same way, or under no other condition than the test."""
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(test.way, event.way, strict=False)))
    own, others = test.way[shared:], event.way[shared:]
    # `if mine and books.exists():` asks under the condition `mine`, and its body stands under both
    if not all(any(condition.encloses(part) for condition, _ in others) for part, _ in own):
        return False
    asked = {use.site: (asks_for_some(use) is not False) is not use.negated for use in answers(test)}
    return all(_is_condition(test, condition, held, asked) for condition, held in others)


def _is_condition(test: Event, condition: Site, held: bool, asked: dict[Site, bool]) -> bool:
    """Whether a branch is the one that is taken if the test finds a row."""
    found = [some for site, some in asked.items() if condition.encloses(site)]
    if condition.encloses(test.site) or found:
        return held is (found[0] if found else True)
    return False


def loaded_by(query: QueryObject | None) -> str:
    """Returns what the rows are called: "`Book` rows" or "rows"."""
    return f"`{query.model.name}` rows" if query is not None and query.model is not None else "rows"
