"""Rows that are loaded as a list for one purpose: to look for something in it, or to give it to another query.

author in Author.objects.filter(active=True)                 searched
Book.objects.filter(author__in=[a.id for a in authors])      sent back
[a.id for a in authors]                                      what is read of each row
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.judge.again import has_another_session
from ormlint.judge.describe import is_shown
from ormlint.judge.once import once
from ormlint.judge.project import Project
from ormlint.judge.repetition import asked_per_round, costs_nothing, is_deliberate, prefetched_by_some
from ormlint.link.schema import Model
from ormlint.run.log import Bound, Event, Op, QueryLog, QueryObject, Use, UseKind
from ormlint.text import Site

LISTS = frozenset({"list", "tuple", "set", "all", "fetchall"})
WRITES = (Op.SAVE, Op.CREATE, Op.GET_OR_CREATE, Op.DELETE, Op.UPDATE_ROWS, Op.DELETE_ROWS, Op.BULK_WRITE, Op.LINK, Op.INSERT, Op.COMMIT)


def lists_of_rows(project: Project, log: QueryLog, at_least: int | None = None) -> Iterator[tuple[QueryObject, list[Use]]]:
    """Yields the queries that load as many rows as there are, once and for no other query to be made of them, with what is done with the rows.

    With `at_least`, a limit to so many rows or more counts as none.
    """
    yield from _lists_of_rows(project, at_least, log)


@once
def _lists_of_rows(project: Project, at_least: int | None, log: QueryLog) -> list[tuple[QueryObject, list[Use]]]:
    found: list[tuple[QueryObject, list[Use]]] = []
    left_alone = asked_per_round(log) | prefetched_by_some(log)
    loaded = {event.query for event in log.of(Op.LOAD_ROWS, Op.LAZY_COLLECTION)}
    for query in log.queries:
        if query.site in left_alone or costs_nothing(query) or is_deliberate(query):
            continue
        if (query.bound is not Bound.MANY or query.sliced) and (at_least is None or (query.limit or 0) < at_least):
            continue
        if (query in loaded or query.style == "result") and not query.has("iterator", "using", "db_manager") and is_shown(project, query.site):
            uses = [use for use in query.all_uses() if use.kind is not UseKind.DERIVE]
            if all(use.kind is not UseKind.DERIVE or use.operator in LISTS for use in query.all_uses()):
                found.append((query, uses))
    return found


@once
def searched(project: Project, log: QueryLog) -> dict[QueryObject, Use]:
    """Returns the queries whose rows are only loaded to look for one thing among them, each with the search."""
    found = {}
    for query, uses in lists_of_rows(project, log):
        search = _only(uses, UseKind.CONTAINS)
        if search is not None:
            found[query] = search
    return found


@once
def searched_once_tested(log: QueryLog) -> frozenset[Site]:
    """Returns the searches among the rows that `or` gives: they may be those of its first query, which the test has loaded already.

    # `return shop.editors.all() or User.objects.filter(chief=True)`, and `user in editors(shop)`
    """
    found: set[Site] = set()
    for query in log.queries:
        uses = [*query.all_uses()]
        tested = {use.site for use in uses if use.kind is UseKind.TRUTH}
        if any(use.kind is UseKind.OTHER and use.site in tested for use in uses):  # it was tested, and went on
            found.update(use.site for use in uses if use.kind is UseKind.CONTAINS)
    return frozenset(found)


def sent_back(project: Project, log: QueryLog) -> dict[QueryObject, Use]:
    """Returns the queries whose rows are only loaded to be the parameter of another query, each with that use."""
    found = {}
    models = {(query.steps or (query.site,))[-1]: query.model for query in log.queries}
    run = [query for query in log.queries if query.session]
    elsewhere = {query.site for query in log.queries if query.has("using", "db_manager")}
    for query, uses in lists_of_rows(project, log):
        given = _only(uses, UseKind.ARGUMENT)
        if given is None or not (given.operator.endswith("__in") or given.operator == "in_"):
            continue
        if any(site.encloses(given.site) or given.site.encloses(site) for site in elsewhere):
            continue  # of another database, which cannot look into this one
        if models.get(given.site) is query.model:
            continue  # its own rows, chosen before they are changed: MySQL does not accept the subquery in an UPDATE
        if any(has_another_session(query, other) and any(site.encloses(given.site) for site in (other.site, *other.steps)) for other in run):
            continue
        is_list = any(use.kind is UseKind.DERIVE and use.operator in LISTS for use in query.all_uses())
        if (is_list or len(uses) > 1) and not _changes_meanwhile(log, query, given):
            found[query] = given
    return found


def width(model: Model) -> int:
    """Returns how many columns are loaded with a row of a model, the key that nobody declares included."""
    return len(model.columns) - len(model.deferred) + (model.primary_key not in model.columns)


def _only(uses: list[Use], kind: UseKind) -> Use | None:
    """Returns the only use if it is of this kind, besides the comprehension in it that takes a column of the rows."""
    own = [use for use in uses if use.kind is kind]
    others = [use for use in uses if use.kind is not kind]
    if len(own) != 1 or own[0].repeated or len(others) > 1:
        return None
    reads = own[0].columns
    if others and (reads is None or len(reads) != 1 or others[0].kind is not UseKind.ITERATE or others[0].columns != reads):
        return None
    return own[0] if others or reads is None else None


def _changes_meanwhile(log: QueryLog, query: QueryObject, given: Use) -> bool:
    """Whether the function writes rows of the same model, so that the list may be what was there before."""
    return any(event.site.path == given.site.path and _writes(event, query) for event in log.of(*WRITES) if event.function == query.function)


def _writes(event: Event, query: QueryObject) -> bool:
    return event.model is None or event.model is query.model or event.op in (Op.COMMIT, Op.LINK)
