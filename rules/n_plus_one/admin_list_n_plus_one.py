"""ORM108: the list of a Django admin reads a relation of row after row that it does not load."""

from collections.abc import Iterator
from dataclasses import replace

from ormlint.api import AdminList, Intent, Joins, Kind, ListSelectRelated, Mark, Model, Op, Orm, Project, QueryLog, Report, Site, rule
from ormlint.judge.describe import code
from ormlint.judge.eager import Chain, advice_for, intent_for, polymorphic_hop, relations_along, without_prefixes
from ormlint.judge.listing import SETTINGS, asks_for_any, is_called
from ormlint.judge.sinks import Sink
from ormlint.judge.unloaded import AT_THE_QUERY, Remedy, collections, objects


@rule("ORM108", "admin-list-n-plus-one", orms=(Orm.DJANGO,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every column of an admin's list that reads an unloaded relation."""
    remedy = Remedy(_load, _where)
    single = {page.shown.site for page in project.admin_lists if _has_one_row(log, page.model)}
    reports = [*objects(project, log, Sink.ADMIN, remedy), *collections(project, log, Sink.ADMIN, remedy)]
    missing: dict[Site, list[str]] = {}
    for report in reports:
        if isinstance(report.intent, ListSelectRelated):
            missing.setdefault(report.intent.page.site, []).extend(report.relations)
    for report in reports:
        intent = report.intent
        advice = _advice(intent.page, missing[intent.page.site]) if isinstance(intent, ListSelectRelated) else report.help
        # a column that names the relation says more than the `__str__` of the rows, wherever the two stand
        few = report.preview or any(label.site in single for label in report.labels)
        yield replace(report, help=advice, preview=few, rank=sum(label.mark is Mark.CALL for label in report.labels))


def _has_one_row(log: QueryLog, model: Model) -> bool:
    """Whether a table is called after settings, and the program asks for its row without saying which: `MapSettings.objects.first()`."""
    if not is_called(model, SETTINGS):
        return False
    return any(event.query is not None and event.query.model is model and asks_for_any(event) for event in log.of(Op.GET_ROW))


def _advice(page: AdminList, missing: list[str]) -> str:
    """Returns the change of a list's setting that joins everything that it reads and does not join."""
    if page.joins is Joins.NAMED and page.setting is not None:
        added = " and ".join(f'`"{path}"`' for path in without_prefixes(missing))
        return f"add {added} to `list_select_related` of `{page.name}`"
    names = ", ".join(f'"{path}"' for path in without_prefixes([*page.used, *missing]))
    if page.is_default and page.setting is None:
        return f"pass `list_select_related=[{names}]` to the `register()` of `{page.name}`"
    return f"set `list_select_related` of `{page.name}` to `[{names}]`"


def _list_of(project: Project, chain: Chain) -> AdminList | None:
    return next((page for page in project.admin_lists if page.shown.site == chain.query.site and page.model is chain.query.model), None)


def _load(project: Project, chain: Chain) -> tuple[str, Intent | None]:
    """Returns how a list comes to load a chain: by `list_select_related`, or in `get_queryset()` where that is not heeded or cannot join."""
    page = _list_of(project, chain)
    if page is None:
        return AT_THE_QUERY.load(project, chain)
    relations = relations_along(chain.query.model, chain.path)
    hops = polymorphic_hop(relations)
    joinable = bool(relations) and not hops and all(r.to_one and r.kind is not Kind.GENERIC_FOREIGN_KEY for r in relations)
    if page.own.site != page.site and (not joinable or page.joins is Joins.QUERYSET):
        return advice_for(project, chain), intent_for(chain)
    if not joinable:
        lookup = "__".join(chain.path[:hops]) if hops else chain.lookup
        return f'add `.prefetch_related("{lookup}")` to {_where(project, chain)}', None
    if _is_one_of_several(project, page) or (page.is_default and not page.takes_options):
        return f'register `{page.model.name}` with {_own_admin(page)} that has `list_select_related = ["{chain.lookup}"]`', None
    if page.joins is Joins.UNKNOWN:
        return f'return `"{chain.lookup}"` from `get_list_select_related()` of `{page.name}` too', None
    return "", ListSelectRelated(page, relations)


def _is_one_of_several(project: Project, page: AdminList) -> bool:
    """Whether several models have the same settings: `admin.site.register([Book, Author])`, or the same admin class."""
    return any(other is not page and other.site == page.site for other in project.admin_lists)


def _where(project: Project, chain: Chain) -> str:
    """Returns where the query of a list is to be changed: where it is built, or in the method that the admin lacks."""
    page = _list_of(project, chain)
    if page is None or page.own.site != page.site:
        return AT_THE_QUERY.where(project, chain)
    if _is_one_of_several(project, page):
        return f"the query, in a `get_queryset()` of {_own_admin(page)} for `{page.model.name}`"
    return f"the query, in a `get_queryset()` of {'its ModelAdmin' if page.is_default else code(page.name)}"


def _own_admin(page: AdminList) -> str:
    return "a ModelAdmin" if page.is_default else f"a subclass of `{page.name}`"
