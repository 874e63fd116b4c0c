"""What is advised where a collection is asked for anew, so that rows fetched in advance would not serve: `author.books.filter(…)`."""

from __future__ import annotations

from ormlint.judge.eager import Chain, in_chunks
from ormlint.judge.project import Project
from ormlint.judge.releases import PREFETCH_OBJECTS
from ormlint.judge.repetition import innermost, repeaters
from ormlint.link.schema import Orm
from ormlint.run.log import Event, Op, QueryLog

_AS_IT_IS = frozenset({"all", "get_queryset"})
_IN_ORDER = frozenset({"order_by", "reverse"})
_DONE_IN_PYTHON = _AS_IT_IS | _IN_ORDER | {"values", "values_list"}  # what Python does as well with all rows at hand


def advice_for_new_query(project: Project, log: QueryLog, chain: Chain, event: Event, where: str) -> str:
    """Returns the imperative that has the rows of a chain bring along what an event asks for; `where` names the query that can.

    It is "" if the project's Django prefetches nothing but whole collections, and some of the rows are asked for.
    """
    if event.orm is Orm.SQLALCHEMY:
        return f"fetch these rows for all rows of {where} with one statement and group them by key"
    methods = event.query.methods if event.query is not None else ()
    anew = next((name for name in methods if name not in _AS_IT_IS), "")
    if anew and event.op is Op.LAZY_COLLECTION and _DONE_IN_PYTHON.issuperset(methods) and event.query is not None and not event.query.sliced:
        in_order = not _IN_ORDER.isdisjoint(methods) and not _is_sorted_so_anyhow(event)
        instead = f"sort `.all()` in Python in the place of `.{anew}(…)`" if in_order else f"read `.all()` instead of `.{anew}(…)`"
        prefetch = f'`.prefetch_related("{chain.spelled}")`'
        return f"{_adding(project, chain, prefetch, where)}, and {instead}, which asks anew"
    if project.lacks(PREFETCH_OBJECTS):
        return ""
    prefetch = f'`.prefetch_related(Prefetch("{chain.spelled}", queryset=…, to_attr="…"))`'
    return f"{_adding(project, chain, prefetch, where)} and read that attribute{_where_the_rows_have_it(log, event)}"


def _adding(project: Project, chain: Chain, call: str, where: str) -> str:
    """Returns the imperative to make a call on the query of a chain; a template, which can make none, is given other rows."""
    if chain.home.path in project.templates:
        return f"give the template rows of a query with {call} in the place of those{where.removeprefix('the query')}"
    return f"add {call} to {where}{in_chunks(project, chain.carrier)}"


def _is_sorted_so_anyhow(event: Event) -> bool:
    """Whether rows are asked for in the order that their model has them in: prefetched ones come in it too."""
    query = event.query
    return query is not None and query.model is not None and "reverse" not in query.methods and query.ordering == query.model.ordering


def _where_the_rows_have_it(log: QueryLog, event: Event) -> str:
    """Returns what is to be said of an attribute that the rows of one caller have, where a function reads them that serves several."""
    function = log.functions.around(event.site)
    loop = log.functions.around(innermost(repeaters(event)).site)
    return " where the rows have it" if function not in ("", loop) and len(log.functions.callers(function)) > 1 else ""
