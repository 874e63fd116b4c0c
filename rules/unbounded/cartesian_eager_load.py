"""ORM406: one query joins two collections to its rows, whose rows multiply."""

from collections.abc import Iterator
from itertools import combinations

from ormlint.api import Label, Mark, Orm, Project, QueryLog, QueryObject, ReplaceLoader, Report, rule
from ormlint.judge.collections import MAPPING, JoinedCollection, holds_one, joined_by_statement, joined_collections, separated
from ormlint.judge.describe import at, code, is_shown
from ormlint.judge.loading import loading_queries

REPLACEABLE = frozenset({"joinedload"})
RISK = "it is one statement more, which pays where both collections hold several rows"
Pair = tuple[JoinedCollection, JoinedCollection]


@rule("ORM406", "cartesian-eager-load", orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query with two joined collections side by side; those of a mapping are reported once for all queries."""
    for query in loading_queries(log):
        yield from _with_itself(project, query)
        for joined in joined_by_statement(query):
            collections = [collection for collection in joined if not holds_one(collection.relation)]
            pairs = [pair for pair in combinations(collections, 2) if pair[0].is_beside(pair[1])]
            pair = next((p for p in pairs if not p[0].by_mapping or not p[1].by_mapping), pairs[0] if pairs else None)
            if pair is not None:
                yield _report(project, query, pair, pairs, joined)


def _report(project: Project, query: QueryObject, pair: Pair, pairs: list[Pair], joined: list[JoinedCollection]) -> Report:
    kept, other = sorted(pair, key=_changes_least)
    site = other.loaded.site if is_shown(project, other.loaded.site) else query.site
    verb = 'lazy="selectin"' if other.by_mapping else "`selectinload`"
    several = dict.fromkeys(c.name for p in pairs for c in p if c.path not in (kept.path, other.path))
    return Report(
        site=site,
        message=f"{code(kept.name)} and {code(other.name)} are joined to the same rows, which multiply",
        help=f"load {code(other.name)} with {verb}{at(project, site)}: one more statement, and no product",
        cause=(frozenset(collection.loaded.site for collection in pair),),
        labels=_labels(project, query, (kept, other)),
        notes=tuple(f"so is {code(name)}" for name in several),
        relations=("__".join(kept.path), "__".join(other.path)),
        intent=separated(query, other, _fork(kept, other), joined) if _replaceable(kept, other) else None,
        preview=_is_doubtful(query, kept, other),
    )


def _is_doubtful(query: QueryObject, kept: JoinedCollection, other: JoinedCollection) -> bool:
    """Whether the product may be small: of rows that the join chooses, of a mapping.

    Whoever declares both has seen their rows, mostly one or two of each; an option that is not understood may be none.
    """
    chosen = kept.loaded.method == "contains_eager" and query.has("filter", "filter_by", "where")
    opposite = kept.relation.target is other.relation.target  # what a row depends on, and what depends on it: mostly it has one of both
    return chosen or opposite or (kept.by_mapping and other.by_mapping) or not query.complete


def _changes_least(collection: JoinedCollection) -> int:
    """Returns how readily a collection is left joined: first what `contains_eager` takes from a join that may choose rows, last an option."""
    return 0 if collection.loaded.method == "contains_eager" else 1 if collection.by_mapping else 2


def _with_itself(project: Project, query: QueryObject) -> Iterator[Report]:
    """Yields a report for every collection that the query joins, and that is joined once more to be loaded."""
    if query.has("group_by", "distinct"):
        return
    for collection in joined_collections(query):
        twin = next((join for join in query.joins if join.relation is collection.relation), None)
        if (
            twin is not None
            and not holds_one(collection.relation)
            and len(collection.path) == 1
            and collection.loaded.method in ("joinedload", f"{MAPPING}joined")
        ):
            yield Report(
                site=query.site,
                message=f"{code(collection.name)} is joined twice, by `join` and to be loaded: its rows multiply",
                help="load it with `selectinload`, or with `contains_eager` if only the rows that the query asks for are wanted",
                cause=(query.site, collection.path),
                labels=_labels(project, query, (collection,)),
                relations=collection.path,
                intent=ReplaceLoader((collection.loaded.site,), "selectinload", RISK) if not collection.by_mapping else None,
                preview=query.has("filter", "filter_by", "where"),  # the join may choose one row of the collection
            )


def _fork(kept: JoinedCollection, other: JoinedCollection) -> int:
    """Returns the first step of the other path that the kept one does not share."""
    return next(number for number, (a, b) in enumerate(zip(kept.path, other.path, strict=False)) if a != b)


def _replaceable(kept: JoinedCollection, other: JoinedCollection) -> bool:
    return other.steps[_fork(kept, other)].method in REPLACEABLE


def _labels(project: Project, query: QueryObject, pair: tuple[JoinedCollection, ...]) -> tuple[Label, ...]:
    found = [Label(query.site, Mark.QUERY, "the query")]
    found += [Label(c.loaded.site, Mark.DECLARATION if c.by_mapping else Mark.ACCESS, f"this joins {code(c.name)}") for c in pair]
    return tuple(label for label in found if is_shown(project, label.site))
