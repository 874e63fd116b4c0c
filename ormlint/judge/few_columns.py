"""Which columns are read of the rows of a query, where they are few of all that are loaded."""

from __future__ import annotations

from ormlint.judge.lists import lists_of_rows, searched, sent_back, width
from ormlint.judge.project import Project
from ormlint.judge.sieves import sifted_in_python
from ormlint.link.schema import Model
from ormlint.run.log import QueryLog, QueryObject, Shape, Use, UseKind
from ormlint.text import Site

WIDE = frozenset({"TextField", "JSONField", "BinaryField", "Text", "UnicodeText", "JSON", "JSONB", "LargeBinary", "HStore", "HStoreField"})
MOST_NAMED = 4  # columns of which a list of names is still shorter than the rows
ENOUGH = {1: 3, 2: 5}  # how many columns a model has for one or two of them to be few


def few_columns(project: Project, log: QueryLog) -> dict[QueryObject, tuple[str, ...]]:
    """Returns the queries of whose rows only few columns are read, here and wherever else the same code builds them, with the columns."""
    others = searched(project, log).keys() | sent_back(project, log).keys() | sifted_in_python(project, log).keys()
    reads = {query: _few_read(project, query, uses) for query, uses in lists_of_rows(project, log) if query not in others}
    made = _by_place(log)
    return {query: columns for query, columns in reads.items() if columns and all(reads.get(other) == columns for other in made[query.site])}


def unread_large_columns(project: Project, log: QueryLog) -> dict[QueryObject, tuple[str, ...]]:
    """Returns the queries whose rows are loaded with columns that can be large and that nothing reads, with these; those of few columns left out."""
    found = {query: _unread(project, query, uses) for query, uses in lists_of_rows(project, log)}
    few, made = few_columns(project, log), _by_place(log)
    return {
        query: columns
        for query, columns in found.items()
        if columns and query not in few and all(found.get(other) == columns for other in made[query.site])
    }


def _few_read(project: Project, query: QueryObject, uses: list[Use]) -> tuple[str, ...]:
    found = _read(project, query, uses)
    return tuple(sorted(found)) if query.model is not None and _are_few(query.model, found) else ()


def _unread(project: Project, query: QueryObject, uses: list[Use]) -> tuple[str, ...]:
    found = _read(project, query, uses)
    return _large(query.model, found) if query.model is not None and found else ()


def _large(model: Model, read: frozenset[str]) -> tuple[str, ...]:
    """Returns the columns besides these that are loaded with a row and can be large."""
    return tuple(name for name, column in model.columns.items() if column.type in WIDE and name not in read and not column.deferred)


def _read(project: Project, query: QueryObject, uses: list[Use]) -> frozenset[str]:
    """Returns the columns that are read of each row, by itself or by its methods; none if it may be all."""
    empty: frozenset[str] = frozenset()
    model = query.model
    if model is None or query.shape is not Shape.ROWS or query.generic or not query.complete:
        return empty
    if query.relation is not None and all(name in ("all", "get_queryset") for name in query.methods):
        return empty  # fetched in advance the collection costs nothing, with columns of its own it is a query per row
    if query.plan.only is not None or query.plan.deferred != model.deferred or query.combined or query.locked:
        return empty
    walked = any(use.kind is UseKind.ITERATE for use in uses)
    if not walked or any(use.columns is None and use.kind not in (UseKind.LEN, UseKind.TRUTH) for use in uses):
        return empty
    found = frozenset().union(*(use.columns for use in uses if use.columns))
    own = model.concrete | query.plan.annotated
    by_members = [project.member_reads.get(model, {}).get(name) for name in found - own]
    if None in by_members:
        return empty
    return (found & own).union(*(names for names in by_members if names is not None))


def _are_few(model: Model, read: frozenset[str]) -> bool:
    """Whether the columns are few of all there are, or leave out some that can be large."""
    files = any(name in model.columns and model.columns[name].type.endswith(("FileField", "ImageField")) for name in read)
    if not read or files or len(read) > MOST_NAMED:
        return False
    total = width(model)
    if len(read) in ENOUGH:
        return total >= ENOUGH[len(read)]
    return bool(_large(model, read)) and total >= 2 * len(read)


def _by_place(log: QueryLog) -> dict[Site, list[QueryObject]]:
    """Returns the queries with whose rows something is done by the place of the expression that builds them, in whatever call.

    What a function returns is left out where its callers are known: what they do with the rows is told of their own.
    """
    found: dict[Site, list[QueryObject]] = {}
    taken = {query.parent for query in log.queries if query.parent is not None}
    for query in log.queries:
        kinds = {use.kind for use in query.all_uses()} - {UseKind.DERIVE, UseKind.METHOD}
        if kinds and not (kinds == {UseKind.RETURN} and query in taken):
            found.setdefault(query.site, []).append(query)
    return found
