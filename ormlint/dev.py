"""What each stage produced, written out for people: the schema, the query log, the calls, and why a place is reported or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from ormlint.check import Examination
from ormlint.judge.project import Project
from ormlint.link.schema import Column, Model, Relation
from ormlint.run.log import Bound, Event, LoadPlan, Loop, QueryObject, Use
from ormlint.text import Site

Wanted = Callable[[Site], bool]


def at(project: Project, site: Site) -> str:
    """Returns "path:line", also for places inside the stubs of the library."""
    return project.at(site) if site.path in project.lines else f"{site.path} (library)"


# ----------------------------------------------------------------------------------------------------------- schema
def schema(project: Project, wanted: Callable[[Model], bool]) -> Iterator[str]:
    """Yields the models that are wanted, with their columns and relations."""
    for model in sorted(project.schema, key=lambda model: model.label):
        if wanted(model):
            yield from _model(project, model)


def _model(project: Project, model: Model) -> Iterator[str]:
    kinds = "".join(f" {kind}" for kind in ("abstract", "proxy") if getattr(model, kind))
    bases = f"({', '.join(base.label for base in model.bases)})" if model.bases else ""
    yield f"{model.orm.value}{kinds} {model.label}{bases}  {at(project, model.site)}"
    for column in model.columns.values():
        flags = [flag.replace("_", " ") for flag in ("primary_key", "unique", "indexed", "nullable") if getattr(column, flag)]
        yield f"  {column.name}: {', '.join([column.type, *flags])}"
    for relation in model.relations.values():
        yield f"  {_relation(relation)}"
    if model.ordering:
        yield f"  ordering: {model.ordering}"
    for index in model.indexes:
        words = [index.kind, *(word for word in ("unique", "partial") if getattr(index, word) and word not in index.kind)]
        yield f"  ({', '.join(column or '…' for column in index.columns)}): {', '.join(words)}"


def _relation(relation: Relation) -> str:
    target = relation.target.label if relation.target else "?"
    parts = [relation.kind.value]
    if relation.nullable and relation.to_one:
        parts.append("nullable")
    if relation.lazy != "select":
        parts.append(f"lazy={relation.lazy}")
    if relation.query_name and relation.query_name != relation.name:
        parts.append(f"looked up as {relation.query_name}")
    if relation.through:
        parts.append(f"through {relation.through.label}")
    inverse = f" ⇄ {relation.inverse.name}" if relation.inverse else ""
    return f"{relation.name} → {target}{inverse}: {', '.join(parts)}"


# -------------------------------------------------------------------------------------------------------- query log
def log(examination: Examination, wanted: Wanted) -> Iterator[str]:
    """Yields the events that are wanted, in program order, with everything known about them."""
    analysis, project = examination.analysis, examination.project
    for event in analysis.log.events if analysis else ():
        if wanted(event.site):
            yield from _event(project, event)


def _event(project: Project, event: Event) -> Iterator[str]:
    subject = event.relation or event.model or ""
    yield f"{at(project, event.site)}  {event.op.value}  {event.text or event.method}  {subject}".rstrip()
    if event.function:
        yield f"    in {event.function}"
    for loop in event.loops:
        yield f"    {_loop(project, loop)}"
    for site, callee in zip(event.calls, event.callees, strict=False):
        yield f"    called {callee} at {at(project, site)}"
    if event.row is not None:
        path = "__".join(event.row.path)
        yield f"    row {f'{path} ' if path else ''}of {_query(project, event.row.query)}"
    if event.query is not None:
        yield f"    query {_query(project, event.query)}"
    around = [name.replace("_", " ") for name in event.around.__struct_fields__ if getattr(event.around, name)]
    if around:
        yield f"    around: {', '.join(around)}"
    yield from (f"    {_use(project, use)}" for use in event.uses)


def _loop(project: Project, loop: Loop) -> str:
    marks = [name.replace("_", " ") for name in ("first_only", "searches", "batches", "polls") if getattr(loop, name)]
    rows = f" over {loop.source!r}" if loop.source is not None and loop.source.model is None else ""
    rows = f" over {loop.source.model.label}" if loop.source is not None and loop.source.model is not None else rows
    limit = f" ≤ {loop.limit}" if loop.limit is not None and loop.bound is Bound.FEW else ""
    return f"loop {loop.kind}{rows} at {at(project, loop.site)}, {loop.bound.name.lower()}{limit}{''.join(f', {mark}' for mark in marks)}"


def _query(project: Project, query: QueryObject) -> str:
    model = query.model.label if query.model else "?"
    parts = [query.bound.name.lower(), query.shape.value, f"loads {_plan(query.plan)}"]
    parts += [name for name in ("locked", "sliced", "combined", "distinct", "raw", "cached") if getattr(query, name)]
    if not query.complete:
        parts.append("incomplete")
    chain = ".".join(query.methods)
    return f"{query.style} {model}{f'.{chain}' if chain else ''} at {at(project, query.site)}: {', '.join(parts)}"


def _plan(plan: LoadPlan) -> str:
    paths = ", ".join(plan.paths()) or "no relation"
    only = f", only {', '.join(sorted(plan.only))}" if plan.only is not None else ""
    deferred = f", defers {', '.join(sorted(plan.deferred))}" if plan.deferred else ""
    return f"{paths}{only}{deferred}"


def _use(project: Project, use: Use) -> str:
    constant = f" {use.operator} {use.constant!r}" if use.kind.value == "compare" else f" {use.operator}" if use.operator else ""
    return f"used: {use.kind.value}{constant} at {at(project, use.site)}"


# ----------------------------------------------------------------------------------------------- functions and calls
def summary(examination: Examination, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Yields what each function that is wanted asks of the database, one line per kind of event and place."""
    analysis, project = examination.analysis, examination.project
    events = [event for event in analysis.log.events if wanted(event.function)] if analysis else []
    for function, own in groupby(sorted(events, key=lambda event: (event.function, event.site)), key=lambda event: event.function):
        yield function or "(module level)"
        yield from dict.fromkeys(f"  {at(project, event.site)}  {event.op.value}  {event.text or event.method}" for event in own)


def calls(examination: Examination, wanted: Wanted) -> Iterator[str]:
    """Yields the calls on the way to an event, with the function called and how many events lie behind it."""
    analysis, project = examination.analysis, examination.project
    found: dict[tuple[Site, str], int] = {}
    for event in analysis.log.events if analysis else ():
        for site, callee in zip(event.calls, event.callees, strict=False):
            if wanted(site):
                found[site, callee] = found.get((site, callee), 0) + 1
    for (site, callee), number in sorted(found.items()):
        yield f"{at(project, site)}  {callee}  {number} events"


# ---------------------------------------------------------------------------------------------------------- explain
def explain(examination: Examination, path: str, line: int) -> Iterator[str]:
    """Yields why a line is reported or not: what was found, what was left out and why, and what was understood of it."""
    reason = examination.discovery.reason_against(path)
    if reason is not None:
        yield f"{examination.shown(path)} is not analysed: {reason}"
        return
    judgement, project = examination.judgement, examination.project
    for problem in examination.problems:
        if problem.path in ("", path):
            yield f"could not be analysed: {problem.message}"
    if path not in project.lines:
        return
    covers = _on_line(project, path, line)
    reported = [finding for finding in judgement.findings if any(map(covers, finding.places))]
    for finding in reported:
        yield f"reported: {finding.code} {finding.message} at {project.at(finding.site)}"
    for dropped in judgement.dropped:
        if any(map(covers, (dropped.report.site, *(label.site for label in dropped.report.labels)))):
            yield f"not reported: {dropped.rule.code} {dropped.report.message}: {dropped.reason}"
    understood = list(_understood(examination, covers))
    yield from dict.fromkeys(understood)
    if not reported and not understood:
        yield "nothing on this line was understood to touch the database: no query, no row of a known query, no loop around one"


def _understood(examination: Examination, covers: Wanted) -> Iterator[str]:
    analysis, project = examination.analysis, examination.project
    if analysis is None:
        return
    for query in analysis.log.queries:
        if covers(query.site) or any(map(covers, query.steps)):
            yield f"query: {_query(project, query)}"
        else:
            yield from (f"query: {_query(project, query)}\n    {_use(project, use)}" for use in query.uses if covers(use.site))
    loops = {loop.id: loop for event in analysis.log.events for loop in event.loops if covers(loop.site)}
    yield from (_loop(project, loop) for loop in loops.values())
    for event in analysis.log.events:
        if covers(event.site) or any(map(covers, event.calls)):
            first, *more = _event(project, event)
            alone = [] if event.repeated_by() is not None else ["    no loop of unknown length repeats it"]
            yield "\n".join((f"event: {first}", *more, *alone))
    yield from _declared(project, covers)


def _declared(project: Project, covers: Wanted) -> Iterable[str]:
    for model in project.schema:
        if covers(model.site):
            yield f"model: {model.label}"
        yield from _columns(model.label, model.columns, covers)
        for relation in model.relations.values():
            if relation.model is model and covers(relation.site):
                yield f"relation: {model.label}.{_relation(relation)}"
    for table in project.schema.tables.values():
        yield from _columns(table.name, table.columns, covers)


def _columns(owner: str, columns: dict[str, Column], covers: Wanted) -> Iterable[str]:
    return (f"column: {owner}.{name}" for name, column in columns.items() if covers(column.site))


def _on_line(project: Project, path: str, line: int) -> Wanted:
    index = project.lines[path]
    start, end = index.offset(line), index.offset(line + 1)

    def covers(site: Site) -> bool:
        # what begins far above is a body around the line and says nothing about it
        begins = index.position(site.start).line if site.path == path else 0
        return site.path == path and site.start < end and start < max(site.end, site.start + 1) and line - begins < 20

    return covers
