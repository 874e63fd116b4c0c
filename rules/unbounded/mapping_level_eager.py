"""ORM408: the mapping loads a collection along with every query for its model."""

from collections import defaultdict
from collections.abc import Iterator

from ormlint.api import Label, LoadPlan, Mark, Model, Orm, Project, QueryLog, Relation, Report, Severity, Site, rule
from ormlint.judge.collections import MAPPING
from ormlint.judge.describe import code, is_shown
from ormlint.judge.loading import loading_queries

HOW = {
    "joined": "repeats the row of its parent for each of its own",
    "selectin": "takes one more statement for every 500 rows",
    "subquery": "runs the query a second time, as a subquery",
    "immediate": "takes one more statement per row",
}


@rule("ORM408", "mapping-level-eager", severity=Severity.INFO, stable=False, orms=(Orm.SQLALCHEMY,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every collection whose `lazy` loads it always."""
    queries = _queries(log)
    for model in project.schema:
        for relation in model.relations.values():
            if relation.model is model and not relation.to_one and relation.lazy in HOW and is_shown(project, relation.site):
                yield _report(project, model, relation, queries[relation.site])


def _report(project: Project, model: Model, relation: Relation, sites: set[Site]) -> Report:
    shown = sorted(site for site in sites if is_shown(project, site))
    example = tuple(Label(site, Mark.QUERY, "so does this query") for site in shown[:1])
    number = "1 query" if len(shown) == 1 else f"{len(shown)} queries"
    return Report(
        site=relation.site,
        message=f"every query for {code(model.name)} loads {code(relation.name)}, as `lazy={relation.lazy!r}` says",
        help=f"leave out `lazy`, and load {code(relation.name)} with `selectinload` in the queries whose rows are asked for it",
        cause=(relation.site,),
        labels=(*example, Label(relation.site, Mark.DECLARATION, "the mapping says so")),
        notes=(f"the collection {HOW[relation.lazy]}", *((f"{number} of the project load it so",) if shown else ())),
        relations=(relation.name,),
    )


def _queries(log: QueryLog) -> dict[Site, set[Site]]:
    """Returns the places of the queries that load a relation only because of its mapping, by the relation's declaration."""
    found: dict[Site, set[Site]] = defaultdict(set)
    for query in loading_queries(log):
        for declared in _by_mapping(query.plan):
            found[declared].add(query.site)
    return found


def _by_mapping(plan: LoadPlan) -> Iterator[Site]:
    for entry in plan.loaded.values():
        if entry.method.startswith(MAPPING):
            yield entry.site
        yield from _by_mapping(entry.plan)
