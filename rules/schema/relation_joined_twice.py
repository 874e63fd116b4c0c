"""ORM514: a query joins a relation, and joins it once more to load it."""

from collections.abc import Iterator

from ormlint.api import Join, Label, Mark, Orm, Project, QueryLog, QueryObject, Relation, Report, Severity, Site, rule
from ormlint.judge.describe import code, is_shown
from ormlint.judge.loading import loading_queries


@rule("ORM514", "relation-joined-twice", stable=False, severity=Severity.INFO, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every to-one relation that a query joins, and that `joinedload` joins again; a collection is ORM406."""
    for query in loading_queries(log):
        for join in query.joins:
            loader = _loader(query, join.relation)
            if loader is not None and join.relation.to_one and is_shown(project, join.site):
                yield _report(project, query, join, loader)


def _loader(query: QueryObject, relation: Relation) -> Site | None:
    """Returns the `joinedload` that every way to a query gives it for a relation of its own rows; None if there is none."""
    if query.model is None or query.model.relations.get(relation.name) is not relation:
        return None
    entry = query.plan.loaded.get(relation.name)
    return entry.site if entry is not None and entry.certain and entry.method == "joinedload" else None


def _report(project: Project, query: QueryObject, join: Join, loader: Site) -> Report:
    name = f"{join.relation.model.name}.{join.relation.name}"
    own = any(part.encloses(loader) for part in (query.site, *query.steps))
    found = (Label(join.site, Mark.QUERY, "the query joins it here"), Label(loader, Mark.ACCESS, "this joins it once more"))
    return Report(
        site=loader if own and is_shown(project, loader) else join.site,
        message=f"{code(name)} is joined twice, by `join` and to be loaded",
        help=f"load it from the first join, `contains_eager({name})`{'' if own else ': give this query an option of its own'}",
        cause=(join.site, loader),
        labels=tuple(label for label in found if is_shown(project, label.site)),
        relations=(join.relation.name,),
    )
