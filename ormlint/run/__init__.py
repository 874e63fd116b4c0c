"""Stage 3: runs the program over abstract values and returns its query log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ormlint.ir.nodes import Module
from ormlint.link.failing_imports import missing_names
from ormlint.link.names import Program
from ormlint.link.schema import Model
from ormlint.read.limits import fixed_stack, with_room, without_gc
from ormlint.run.evaluate import IN_TEMPLATES
from ormlint.run.log import NOWHERE, Analysis, Event, Op, QueryLog, QueryObject
from ormlint.run.parts import Statistics
from ormlint.text import Site

RUNNING = 6000
"""Levels of Python calls that running a program may need: fourteen nested calls of it, each some nested statements deep."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the configuration tells the run."""

    library: tuple[Module, ...] = ()  # the user's own stub modules
    targets: tuple[tuple[str, tuple[int, ...]], ...] = ()  # the versions of packages that the project runs on
    comes_last: Callable[[str], bool] = lambda path: False  # whether what a file has is run after all the rest
    left_out: Callable[[str], bool] = lambda path: False  # whether what a file has is only run if something else calls it
    progress: Callable[[int, int], None] | None = None  # called with (functions run, functions in all)


def analyse(modules: Iterable[Module], options: Options | None = None) -> Analysis:
    """Links the modules of a project, runs everything in them, and returns the schema, the query log and the endpoints."""
    with without_gc(), fixed_stack(RUNNING):
        return with_room(lambda: _analyse(modules, options or Options()))


def _analyse(modules: Iterable[Module], options: Options) -> Analysis:
    from ormlint.library.stubs import load_stubs
    from ormlint.link.administered import administered
    from ormlint.run.admin import run_admin
    from ormlint.run.background import background_functions, calls_of, functions_of
    from ormlint.run.blocking import blocking
    from ormlint.run.endpoints import answering_functions, find_endpoints, find_views, prepare_settings, run_inherited, threadable_functions
    from ormlint.run.engines import note_repetitions
    from ormlint.run.graphql import run_graphql
    from ormlint.run.machine import Machine
    from ormlint.run.roots import run_all, run_makers
    from ormlint.run.template_expressions import MEANINGS
    from ormlint.run.texts import run_texts

    IN_TEMPLATES.update(MEANINGS)
    found = list(modules)
    machine = Machine(Program(found, (*load_stubs(), *options.library)))
    machine.targets = dict(options.targets)
    prepare_settings(machine)
    problems = run_makers(machine, options.left_out)
    views = find_views(machine)
    machine.endpoints, failures = find_endpoints(machine, views)
    problems += failures
    problems += run_all(machine, options.comes_last, options.left_out, lambda: run_inherited(machine, views), options.progress)
    problems += run_admin(machine)
    problems += run_graphql(machine)
    texts, failures = run_texts(machine)
    problems += failures
    _mark_generic(machine.queries, machine.events)
    note_repetitions(machine, answering_functions(views))
    machine.events += blocking(machine)
    counters = machine.counters
    statistics = Statistics(
        files=sum(1 for x in found if x.language == "python"),
        templates=sum(1 for x in found if x.language != "python"),
        lines=sum(len(x.lines) for x in found),
        models=sum(1 for x in machine.schema if not x.site.path.startswith("<")),
        relations=sum(len(x.relations) for x in machine.schema if not x.site.path.startswith("<")),
        functions=sum(1 for x in machine.program.functions if not x.module.is_library),
        queries=len(counters.queries),
        loops=len(counters.loops),
        loops_over_queries=len(counters.query_loops),
        calls=len(counters.resolved | counters.unresolved),
        calls_resolved=len(counters.resolved),
    )
    callees = calls_of(machine, options.comes_last)
    functions = functions_of(machine, options.comes_last, callees)
    log = QueryLog(machine.events, machine.queries, statistics, texts, machine.recursive, functions)
    lists = (machine.endpoints, machine.admin_lists)
    background = background_functions(machine, options.comes_last, callees)
    in_admin = administered(machine.program, machine.schema, machine.saving.values(), lambda path: options.comes_last(path) or options.left_out(path))
    analysis = Analysis(
        machine.schema, log, *lists, machine.settings, machine.revealed, problems, machine.schema_fields, machine.member_reads, background, in_admin
    )
    analysis.threadable = threadable_functions(machine, views)
    analysis.missing = missing_names(machine.program)
    return analysis


def _mark_generic(queries: Iterable[QueryObject], events: Iterable[Event]) -> None:
    """Marks the queries whose expression builds queries of several models, and where one becomes a query of its model alone."""
    models: dict[Site, set[Model]] = {}
    for query in queries:
        if query.model is not None:
            for site in (query.site, *query.steps):
                models.setdefault(site, set()).add(query.model)
    run: dict[QueryObject, set[Site]] = {}
    for event in events:
        if event.query is not None and event.query.model is not None and event.op in (Op.LOAD_ROWS, Op.GET_ROW):
            run.setdefault(event.query, set()).add(event.site)
            models.setdefault(event.site, set()).add(event.query.model)
    for query in queries:
        query.generic = len(models.get(query.site, ())) > 1
        if query.generic:
            found = [site for site in run.get(query, ()) if len(models[site]) == 1]
            query.own = _first_of_its_own(query, found[0], models) if len(found) == 1 else NOWHERE


def _first_of_its_own(query: QueryObject, run: Site, models: dict[Site, set[Model]]) -> Site:
    """Returns the first step in the file that runs a query which no query of another model takes, else where it is run."""
    return next((step for step in query.steps if step.path == run.path and len(models[step]) == 1), run)
