"""ORM401: an endpoint answers with all rows of a table that may grow."""

from collections.abc import Iterator

from ormlint.api import Bound, Endpoint, Label, Mark, Project, QueryLog, QueryObject, Report, Severity, Shape, rule
from ormlint.judge.describe import at, code, is_shown, row_of


@rule("ORM401", "unbounded-list-endpoint")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every endpoint whose rows nothing limits."""
    for endpoint in project.endpoints:
        query = endpoint.query
        if query is None or not _is_unbounded(query) or endpoint.paginated or endpoint.streams or endpoint.admin_only:
            continue
        if project.is_small(query.model) or set(endpoint.methods) & {"HEAD", "OPTIONS"} == set(endpoint.methods) != set():
            continue
        parent = _parent_filter(query)
        yield Report(
            site=endpoint.site,
            message=f"{code(endpoint.name)} returns every {row_of(query)}",
            help=_advice(project, endpoint, query),
            cause=(endpoint.site, query.site),
            labels=_labels(project, endpoint, query),
            notes=((f"limited only by the number of rows per {code(parent)}",) if parent else ()) + _settings_note(project, endpoint),
            severity=Severity.INFO if parent else Severity.WARNING,
        )


def _is_unbounded(query: QueryObject) -> bool:
    return query.bound is Bound.MANY and query.shape in (Shape.ROWS, Shape.TUPLES) and query.complete and not query.cached


def _parent_filter(query: QueryObject) -> str:
    """Returns the relation to the parent whose rows alone are listed: `Book.objects.filter(author=author)`; "" if there is none."""
    if query.relation is not None:
        return query.relation.model.name
    relations = query.model.relations.values() if query.model is not None else ()
    for lookup in sorted(query.filters):
        name = lookup.split("__")[0]
        for relation in relations:
            if relation.to_one and name in (relation.name, relation.attname) and not lookup.endswith(("__isnull", "__in")):
                return relation.name
    return ""


def _advice(project: Project, endpoint: Endpoint, query: QueryObject) -> str:
    if endpoint.framework == "drf":
        return f"set `pagination_class` on {code(endpoint.name)}{at(project, endpoint.site)}"
    if endpoint.framework == "django":
        return f"set `paginate_by`, or cut a page from the query{at(project, query.site)} with `Paginator`"
    return f"take a page with `.limit(…)` and `.offset(…)` on the query{at(project, query.site)}"


def _settings_note(project: Project, endpoint: Endpoint) -> tuple[str, ...]:
    """Returns a note if the project sets a pagination class that cuts no pages for want of a size."""
    settings = project.settings.get("REST_FRAMEWORK")
    if endpoint.framework != "drf" or not isinstance(settings, dict):
        return ()
    if settings.get("DEFAULT_PAGINATION_CLASS") and not settings.get("PAGE_SIZE"):
        return ("`DEFAULT_PAGINATION_CLASS` has no effect without `PAGE_SIZE` in `REST_FRAMEWORK`",)
    return ()


def _labels(project: Project, endpoint: Endpoint, query: QueryObject) -> tuple[Label, ...]:
    found = [Label(query.site, Mark.QUERY, "the rows come from here")]
    if endpoint.rendered_at is not None:
        found.append(Label(endpoint.rendered_at, Mark.ACCESS, "the rows leave here"))
    return tuple(label for label in found if is_shown(project, label.site))
