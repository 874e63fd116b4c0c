"""ORM402: the client chooses how many rows a page has, and nothing sets an end."""

from collections.abc import Iterator

from ormlint.api import AddAttribute, Endpoint, Label, Mark, Pages, Project, QueryLog, Report, rule
from ormlint.judge.describe import at, code, is_shown

MOST = 100
SIZES = {"max_page_size": "page_size", "max_limit": "default_limit"}
REASON = "somebody may ask for larger pages today"


@rule("ORM402", "client-controlled-page-size", stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every pagination class without an end to its pages that an endpoint with rows of a table has."""
    for endpoint in project.endpoints:
        pages, query = endpoint.pages, endpoint.query
        if pages is None or query is None or project.is_small(query.model):
            continue
        own = is_shown(project, pages.site)
        yield Report(
            site=pages.site if own else endpoint.site,
            message=f"{code(pages.name)} gives the client pages of any size, every row if it asks for them",
            help=_advice(project, pages, own=own),
            cause=(pages.name, pages.site),
            labels=_labels(project, pages, endpoint) if own else (),
            intent=AddAttribute(pages.site, pages.limit, MOST, SIZES.get(pages.limit, ""), REASON) if own else None,
        )


def _advice(project: Project, pages: Pages, *, own: bool) -> str:
    if own:
        return f"set `{pages.limit}` on {code(pages.name)}{at(project, pages.site)}"
    return f"paginate with a class of your own that derives from {code(pages.name)} and sets `{pages.limit}`"


def _labels(project: Project, pages: Pages, endpoint: Endpoint) -> tuple[Label, ...]:
    found = [Label(pages.site, Mark.QUERY, "this cuts the pages"), Label(endpoint.site, Mark.ACCESS, f"{code(endpoint.name)} has them")]
    return tuple(label for label in found if is_shown(project, label.site))
