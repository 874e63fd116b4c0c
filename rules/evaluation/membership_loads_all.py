"""ORM207: all rows of a query are fetched to look for one thing among them."""

from collections.abc import Iterator

from ormlint.api import Orm, Project, QueryLog, QueryObject, ReplaceMembershipTest, Report, Severity, Shape, Use, rule
from ormlint.judge.describe import at_query, query_labels, row_of
from ormlint.judge.listing import lists_kinds, parent_named
from ormlint.judge.lists import searched, searched_once_tested
from ormlint.judge.releases import CONTAINS
from ormlint.judge.repetition import repeaters
from ormlint.judge.wide import is_wide


@rule("ORM207", "membership-loads-all")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query whose rows are loaded for a single `in`."""
    for query, search in searched(project, log).items():
        if query.shape is Shape.UNKNOWN or (query.orm is Orm.SQLALCHEMY and query.relation is not None):
            continue
        yield Report(
            site=search.site,
            message=f"`in` loads every {row_of(query)} to look for one",
            help=_advice(project, query, search),
            cause=(search.site,),
            labels=query_labels(project, query, [search], "this asks for one of them"),
            intent=_intent(project, query, search),
            severity=Severity.INFO if project.is_small(query.model) else Severity.WARNING,
            preview=search.either or search.site in searched_once_tested(log) or not is_wide(project, query) or _is_small_by_nature(log, query),
        )


def _is_small_by_nature(log: QueryLog, query: QueryObject) -> bool:
    """Whether the rows are those of one row, asked for once, or of a table of kinds: mostly few, and one statement either way.

    # `group in user.groups.all()`, `select(Book).where(Book.shop_id == shop.id)`, `code in Language.objects.values_list("code", flat=True)`
    """
    if query.model is not None and lists_kinds(query.model):
        return True
    if query.orm is Orm.SQLALCHEMY:
        return bool(parent_named(query))
    return query.relation is not None and not any(repeaters(event) for event in log.evaluations(query))


def _intent(project: Project, query: QueryObject, search: Use) -> ReplaceMembershipTest | None:
    if query.orm is not Orm.DJANGO or project.lacks(CONTAINS) or search.columns or search.site.path in project.templates:
        return None
    return ReplaceMembershipTest(query, search.site, search.sought)


def _advice(project: Project, query: QueryObject, search: Use) -> str:
    where = at_query(project, query)
    column = next(iter(search.columns), "") if search.columns else query.flat_column
    if query.orm is Orm.DJANGO and not column and project.lacks(CONTAINS):
        return f"call `.filter(pk=….pk).exists()` on the query{where}"
    if query.orm is Orm.DJANGO and not column and search.site.path in project.templates:
        return f"ask the query{where} with `.contains(…)` in the view, and give the template the answer"
    if query.orm is Orm.DJANGO and not column:
        return f"call `.contains(…)` on the query{where}"
    named = f" by `{column}`" if column else ""
    return f"filter the query{where}{named} and ask whether there is a row"
