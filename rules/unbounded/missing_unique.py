"""ORM407: the result of a select that joins a collection is read without `.unique()`."""

from collections.abc import Iterator

from ormlint.api import Label, Mark, Orm, Project, QueryLog, QueryObject, ReadUnique, Report, Severity, Use, UseKind, rule
from ormlint.judge.collections import JoinedCollection, joined_collections
from ormlint.judge.describe import code, is_shown

# `.first()` and `.scalar()` do not raise (measured with SQLAlchemy 2.1)
RAISING = frozenset({"all", "fetchall", "fetchmany", "fetchone", "one", "one_or_none", "partitions", "scalar_one", "scalar_one_or_none"})


@rule("ORM407", "missing-unique", severity=Severity.ERROR, stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place that reads such a result."""
    for query in log.queries:
        if query.style != "result" or query.has("unique") or query.orm is not Orm.SQLALCHEMY or not query.complete:
            continue
        collections = joined_collections(query)
        for use in _reads(query) if collections else ():
            yield _report(project, query, use, collections[0])


def _reads(query: QueryObject) -> list[Use]:
    """Returns the uses that read a result. Where a list is made of it, a loop may be one over that list."""
    called = [use for use in query.uses if use.kind in (UseKind.METHOD, UseKind.DERIVE) and use.operator in RAISING]
    return called or [use for use in query.uses if use.kind is UseKind.ITERATE]


def _report(project: Project, query: QueryObject, use: Use, collection: JoinedCollection) -> Report:
    what = f"`.{use.operator}()`" if use.operator in RAISING else "iteration"
    labels = (
        Label(query.site, Mark.QUERY, "the query"),
        Label(collection.loaded.site, Mark.DECLARATION if collection.by_mapping else Mark.ACCESS, f"this joins {code(collection.name)}"),
        Label(use.site, Mark.ACCESS, "the result is read here"),
    )
    return Report(
        site=use.site,
        message=f"{what} raises `InvalidRequestError`: {code(collection.name)} is joined, its rows repeat",
        help="call `.unique()` on the result first",
        cause=(use.site,),
        labels=tuple(label for label in labels if is_shown(project, label.site)),
        relations=("__".join(collection.path),),
        intent=ReadUnique(query, use.site, use.operator if use.operator in RAISING else ""),
    )
