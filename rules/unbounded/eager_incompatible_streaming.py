"""ORM415: rows are to be fetched in batches, and something is loaded along that needs all of them."""

from collections.abc import Iterator

from ormlint.api import Label, Mark, Orm, Project, QueryLog, QueryObject, ReplaceLoader, Report, Severity, Site, rule
from ormlint.judge.collections import joined_collections
from ormlint.judge.describe import at, code, is_shown
from ormlint.judge.loading import loading_queries


@rule("ORM415", "eager-incompatible-streaming", severity=Severity.ERROR, stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query with `yield_per` that joins a collection or loads one with a subquery."""
    for query in loading_queries(log):
        if not query.batched or not query.complete:
            continue
        found = [(c.name, c.loaded, c.path) for c in joined_collections(query)]
        found += [
            (f"{query.model.name}.{name}", entry, (name,))
            for name, entry in query.plan.loaded.items()
            if query.model is not None and entry.certain and entry.method in ("subqueryload", "lazy=subquery")
        ]
        for name, loaded, path in found[:1]:
            yield Report(
                site=query.site,
                message=f"`yield_per` raises `InvalidRequestError` with {code(name)} loaded by `{loaded.method}`",
                help=f"load it with `selectinload`{at(project, loaded.site)}, which works in batches",
                cause=(query.site, path),
                labels=_labels(project, query, loaded.site),
                relations=("__".join(path),),
                intent=ReplaceLoader((loaded.site,), "selectinload") if loaded.method.endswith("load") else None,
            )


def _labels(project: Project, query: QueryObject, site: Site) -> tuple[Label, ...]:
    found = [Label(query.site, Mark.QUERY, "the query that is fetched in batches"), Label(site, Mark.ACCESS, "this loads the collection")]
    return tuple(label for label in found if is_shown(project, label.site))
