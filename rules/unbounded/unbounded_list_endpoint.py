"""ORM401: an endpoint answers with all rows of a table that may grow."""

from collections.abc import Iterator

from ormlint.api import Endpoint, Label, Mark, Op, Project, QueryLog, QueryObject, Report, Severity, Site, Use, UseKind, rule
from ormlint.judge.describe import at, at_query, code, is_shown, joined, row_of
from ormlint.judge.listing import is_filtered, is_unlimited, limit_in_practice
from ormlint.judge.main_list import is_export, is_main

SMALL = frozenset({"ContentType", "Group", "Permission", "Site"})  # tables of Django's own that hold few rows
List = tuple[Endpoint, QueryObject]


@rule("ORM401", "unbounded-list-endpoint", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every endpoint with rows that nothing limits; of several lists it names one that not even a parent row limits."""
    counted = _counted_before(log)
    found: dict[Site, list[List]] = {}
    for endpoint in project.endpoints:
        if endpoint.query is not None and endpoint.query.site not in counted and _is_meant(project, endpoint, endpoint.query):
            found.setdefault(endpoint.site, []).append((endpoint, endpoint.query))
    for site, lists in found.items():
        endpoint, query = min(lists, key=lambda pair: (limit_in_practice(pair[1]) != "", not is_main(*pair)))
        limit = limit_in_practice(query)
        secondary = not is_main(endpoint, query)
        yield Report(
            site=site,
            message=f"{code(endpoint.name)} returns every {'matching ' if is_filtered(query) else ''}{row_of(query)}",
            help=_advice(project, endpoint, query),
            cause=_cause(endpoint, query),
            labels=_labels(project, endpoint, query),
            notes=((f"limited only by {limit}",) if limit else ()) + _other_lists(lists, query) + _settings_note(project, endpoint),
            severity=Severity.INFO if limit or secondary or endpoint.admin_only else Severity.WARNING,
            preview=bool(limit) or secondary or endpoint.declined or endpoint.admin_only,
        )


def _counted_before(log: QueryLog) -> set[Site]:
    """Returns where queries are built of which somebody asks whether there are too many rows: `if books.count() > 1000: …`."""
    found = set()
    for event in log.of(Op.COUNT):
        if event.query is not None and any(_is_threshold(use) for use in event.all_uses()):
            found.add(event.query.site)
    return found


def _is_threshold(use: Use) -> bool:
    return use.kind is UseKind.COMPARE and type(use.constant) is int and use.constant > 1


def _is_meant(project: Project, endpoint: Endpoint, query: QueryObject) -> bool:
    if not is_unlimited(query) or endpoint.paginated or endpoint.streams:
        return False
    if endpoint.admin_only and (limit_in_practice(query) or not is_main(endpoint, query)):
        return False
    if endpoint.methods and set(endpoint.methods) <= {"HEAD", "OPTIONS"}:
        return False
    if endpoint.shown_by_template and limit_in_practice(query):
        return False  # the page of one row shows what belongs to it
    if is_export(endpoint, query):
        return False
    return not project.is_small(query.model) and not _is_small_by_nature(project, query)


def _is_small_by_nature(project: Project, query: QueryObject) -> bool:
    return query.model is not None and query.model.name in SMALL and not is_shown(project, query.model.site)


def _cause(endpoint: Endpoint, query: QueryObject) -> tuple[object, ...]:
    """Returns what one edit cures: a view of Django for itself, else the query, however many endpoints answer with its rows."""
    return (endpoint.name.partition(".")[0], query.site) if endpoint.framework == "django" else (query.site,)


def _advice(project: Project, endpoint: Endpoint, query: QueryObject) -> str:
    if endpoint.framework == "drf" and endpoint.name.rpartition(".")[2] not in ("", "list", endpoint.name):
        return f"cut a page from the query{at_query(project, query)} with `self.paginate_queryset(…)`"
    if endpoint.framework == "drf":
        return f"set `pagination_class` on {code(endpoint.name)}{at(project, endpoint.site)}"
    if endpoint.framework == "django":
        return f"set `paginate_by`, or cut a page from the query{at_query(project, query)} with `Paginator`"
    return f"take a page with `.limit(…)` and `.offset(…)` on the query{at_query(project, query)}"


def _other_lists(lists: list[List], named: QueryObject) -> tuple[str, ...]:
    rows = dict.fromkeys(row_of(query) for _, query in lists if row_of(query) != row_of(named))
    return (f"the same holds for every {joined(rows)}",) if rows else ()


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
