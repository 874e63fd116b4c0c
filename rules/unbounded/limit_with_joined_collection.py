"""ORM405: a query with a limit joins a collection to its rows."""

from collections.abc import Iterator

from ormlint.api import Event, Label, Mark, Orm, Project, QueryLog, QueryObject, Report, Severity, rule
from ormlint.judge.collections import JoinedCollection, joined_collections, separated
from ormlint.judge.describe import at, code, is_shown
from ormlint.judge.loading import loading_events

LIMITED_BY_CALL = frozenset({"first", "first_or_404"})  # of a Query: they add LIMIT 1


@rule("ORM405", "limit-with-joined-collection", severity=Severity.INFO, stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every joined collection of a limited query: an error if the limit cuts the collection itself."""
    for event, query in loading_events(log):
        if query.raw or query.combined or query.has("from_self"):
            continue
        joined = joined_collections(query)
        for collection in _outermost(joined):
            if collection.loaded.method == "contains_eager":
                if _is_limited(event, query) and not _is_one_row(query, collection):
                    yield _cut(project, query, collection)
            elif query.sliced and query.limit != 1 and not collection.by_mapping:
                yield _wrapped(project, query, collection, joined)


def _outermost(collections: list[JoinedCollection]) -> list[JoinedCollection]:
    """Returns the collections that do not stand within another one, whose cure is theirs too."""
    return [one for one in collections if all(one.is_beside(other) or len(one.path) <= len(other.path) for other in collections)]


def _is_limited(event: Event, query: QueryObject) -> bool:
    return query.sliced or (query.style == "query" and event.method in LIMITED_BY_CALL)


def _is_one_row(query: QueryObject, collection: JoinedCollection) -> bool:
    """Whether the query asks for one row of the collection, which no limit can cut."""
    target = collection.relation.target
    return target is None or any(f"{target.name}.{key}" in query.filters for key in (target.primary_key, *_unique(collection)))


def _unique(collection: JoinedCollection) -> list[str]:
    target = collection.relation.target
    return [column.name for column in target.columns.values() if column.unique] if target is not None else []


def _cut(project: Project, query: QueryObject, collection: JoinedCollection) -> Report:
    return Report(
        site=query.site,
        message=f"the limit counts rows of the join, and cuts {code(collection.name)}",
        help=f"load {code(collection.name)} with `selectinload`{at(project, collection.loaded.site)}, or limit a subquery of the parents",
        cause=(query.site, collection.path),
        labels=_labels(project, query, collection),
        relations=("__".join(collection.path),),
        severity=Severity.ERROR,
    )


def _wrapped(project: Project, query: QueryObject, collection: JoinedCollection, joined: list[JoinedCollection]) -> Report:
    return Report(
        site=query.site,
        message=f"joining {code(collection.name)} makes a subquery of the limited query",
        help=f"load it with `selectinload`{at(project, collection.loaded.site)}: one more statement, and two simple ones",
        cause=(query.site, collection.path),
        labels=_labels(project, query, collection),
        relations=("__".join(collection.path),),
        intent=separated(query, collection, len(collection.path) - 1, joined) if collection.loaded.method == "joinedload" else None,
    )


def _labels(project: Project, query: QueryObject, collection: JoinedCollection) -> tuple[Label, ...]:
    found = [Label(query.site, Mark.QUERY, "the limited query"), Label(collection.loaded.site, Mark.ACCESS, "this joins the collection")]
    return tuple(label for label in found if is_shown(project, label.site))
