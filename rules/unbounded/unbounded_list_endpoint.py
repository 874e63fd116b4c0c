"""ORM401: an endpoint answers with all rows of a table that may grow."""

from collections.abc import Iterator

from ormlint.api import Bound, Endpoint, Label, Mark, Model, Project, QueryLog, QueryObject, Report, Severity, Shape, rule
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
            message=f"{code(endpoint.name)} returns every {'matching ' if _is_filtered(query) else ''}{row_of(query)}",
            help=_advice(project, endpoint, query),
            cause=(endpoint.site, query.site),
            labels=_labels(project, endpoint, query),
            notes=((f"limited only by the number of rows per {code(parent)}",) if parent else ()) + _settings_note(project, endpoint),
            severity=Severity.INFO if parent else Severity.WARNING,
        )


def _is_unbounded(query: QueryObject) -> bool:
    if query.bound is not Bound.MANY or query.shape is Shape.UNKNOWN or query.raw or query.cached or not query.complete:
        return False
    return not _groups(query) and not _names_its_rows(query)


def _is_filtered(query: QueryObject) -> bool:
    return bool(query.filters) or query.has("filter", "filter_by", "where", "exclude", "join")


def _groups(query: QueryObject) -> bool:
    """Whether the rows are groups of rows, of which there are fewer: `values("year").annotate(…)`, `group_by()`, distinct values."""
    methods = query.methods
    if query.has("group_by", "dates", "datetimes") or (query.shape is Shape.TUPLES and query.distinct):
        return True
    values = [position for position, name in enumerate(methods) if name in ("values", "values_list")]
    return bool(values) and "annotate" in methods[values[0] :]


def _names_its_rows(query: QueryObject) -> bool:
    """Whether the rows are those that somebody lists one by one: `filter(pk__in=keys)`."""
    model = query.model
    for lookup in query.filters:
        name, _, operator = lookup.partition("__")
        if model is not None and operator == "in" and (model.is_primary_key(name) or (name in model.columns and model.columns[name].unique)):
            return True
    return False


def _parent_filter(query: QueryObject) -> str:
    """Returns the relation to the parent whose rows alone are listed: `Book.objects.filter(author=author)`; "" if there is none."""
    if query.relation is not None:
        return query.relation.model.name
    return next((parent for lookup in sorted(query.filters) if (parent := _one_related(query.model, lookup))), "")


def _one_related(model: Model | None, lookup: str) -> str:
    """Returns the relation whose one row a lookup names: `author`, `author_id`, `author__pk`, `chapters__author`; "" if it names none."""
    found = ""
    for part in lookup.removesuffix("__exact").split("__"):
        if model is None:
            return ""
        if found and model.is_primary_key(part):
            return found
        column = next((r for r in model.relations.values() if r.attname == part), None)
        relation = column or model.relation(part)
        if relation is None:
            return ""
        found, model = relation.name, relation.target
    return found


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
