"""Eager loads: all findings that want something loaded with one query get one fix, with all paths in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from ormlint.fixes.django_loads import SELECT, Lookup, add_lookups, lookup_of
from ormlint.fixes.guards import obstacle_of_refining, risk_of_eager_load
from ormlint.fixes.imports import Refusal
from ormlint.fixes.orders import risk_of_joining
from ormlint.fixes.routing import ROUTED, is_routed_by_model
from ormlint.fixes.source import Sources
from ormlint.fixes.sqlalchemy_loads import add_options
from ormlint.judge.eager import are_cut, path_of
from ormlint.judge.finding import Applicability, EagerLoad, Finding, Fix
from ormlint.judge.grading import Grading
from ormlint.judge.project import Project
from ormlint.link.schema import Orm, Relation
from ormlint.text import Site

_ALTERED = "the program changes rows that would be loaded once, and be the same objects wherever they are read"


@dataclass(frozen=True, slots=True)
class _Request:
    finding: Finding
    intent: EagerLoad
    lookup: Lookup | None  # None for SQLAlchemy
    risk: str


def plan_eager_loads(findings: list[Finding], sources: Sources, project: Project, grading: Grading) -> None:
    """Sets the fix of the findings whose intent is an eager load."""
    routed = cache(lambda: is_routed_by_model(sources, project.lines))
    groups: dict[tuple[Site, bool], list[_Request]] = {}
    for finding in findings:
        if isinstance(finding.intent, EagerLoad) and finding.intent.path:
            request = _request(finding, finding.intent, sources, routed)
            if isinstance(request, Refusal):
                finding.fix = _refused(request, finding.intent.path)
            else:
                # What is safe is not held back by what is not.
                unsafe = bool(grading.reason(finding.code, request.risk))
                groups.setdefault((finding.intent.home, unsafe), []).append(request)
    for requests in groups.values():
        for request, made in _fixes(requests, sources, project):
            request.finding.fix = _refused(made, request.intent.path) if isinstance(made, Refusal) else made


def _fixes(requests: list[_Request], sources: Sources, project: Project) -> Iterator[tuple[_Request, Fix | Refusal | None]]:
    """Yields what becomes of each request; what cannot be written does not hold back the rest."""
    made = _fix(requests, sources, project)
    if not isinstance(made, Refusal) or len(requests) == 1:
        yield from ((request, made) for request in requests)
        return
    alone = [(request, _fix([request], sources, project)) for request in requests]
    writable = [request for request, fix in alone if not isinstance(fix, Refusal)]
    together = _fix(writable, sources, project) if writable else made
    yield from ((request, fix if isinstance(fix, Refusal) else together) for request, fix in alone)


def _refused(refusal: Refusal, path: tuple[Relation, ...]) -> Fix:
    """Returns the fix that only says why there is none."""
    return Fix(Applicability.DISPLAY, f"load `{'.'.join(relation.name for relation in path)}` with the query", (), refusal.reason)


def _request(finding: Finding, intent: EagerLoad, sources: Sources, routed: Callable[[], bool]) -> _Request | Refusal:
    query = intent.query
    if query.orm is Orm.SQLALCHEMY:
        return _Request(finding, intent, None, intent.risk or risk_of_eager_load(sources, intent, joins=intent.path[0].to_one))
    lookup = lookup_of(sources, query, intent.path)
    if isinstance(lookup, Refusal):
        return lookup
    joins = lookup.method == SELECT
    obstacle = obstacle_of_refining(query, intent.home) if joins else ""
    if obstacle:
        return Refusal(obstacle)
    risk = intent.risk or risk_of_eager_load(sources, intent, joins=joins) or (risk_of_joining(intent.path) if joins else "")
    if joins and not risk and routed():
        risk = ROUTED
    if not joins and not risk and _are_altered(intent):
        risk = _ALTERED
    return _Request(finding, intent, lookup, risk)


def _are_altered(intent: EagerLoad) -> bool:
    """Whether attributes of rows are assigned that a prefetch gives one object each, and that are fetched anew for each read so far.

    # `for line in order.lines.all(): line.price += 1`, and then `[line.price for line in order.lines.all()]`
    # `for line in order.lines.all(): line.product.name += "!"`: the lines of one product would have one `product` together
    """
    names = tuple(relation.name for relation in intent.path)
    for event in intent.reads:
        first = path_of(event)
        if event.query is not None and event.query.altered:
            return True
        whole = next((names[:end] for end in range(len(first), len(names) + 1) if names[:end][-len(first) :] == first), names)
        known = {(*whole[: -len(first)], *first): intent.query.every_way(), first: event.row.query.every_way() if event.row is not None else ()}
        if any(path[: len(start)] == start for start, queries in known.items() for query in queries for path in query.altered):
            return True
    return False


def _fix(requests: list[_Request], sources: Sources, project: Project) -> Fix | Refusal | None:
    query, home = requests[0].intent.query, requests[0].intent.home
    file, statement = sources.file(home), sources.statement(home)
    if file is None or statement is None:
        return None
    if query.orm is Orm.SQLALCHEMY:
        cut = are_cut(event for request in requests for event in request.intent.reads)
        made = add_options(file, statement, query, [request.intent.path for request in requests], project.schema, cut=cut)
    else:
        made = add_lookups(sources, file, statement, query, home, [request.lookup for request in requests if request.lookup is not None])
    risks = [request.risk for request in requests if request.risk]
    match made:
        case Fix(applicability=Applicability.SAFE) if risks:
            return replace(made, applicability=Applicability.UNSAFE, reason=risks[0])
        case _:
            return made
