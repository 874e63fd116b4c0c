"""Functions that were run with so many different arguments that they are not run for further ones.

def find(session, name):                          the fiftieth caller of `find` still sends the query that any call of it sends,
    return session.scalars(select(Book)…)         though what it gets is not known any more

What stands under a condition or behind a way out may not be meant for that caller, and is left out.
"""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.link.names import FunctionInfo
from ormlint.run.blocking import is_unconditional
from ormlint.run.calls import unknown_arguments
from ormlint.run.contexts import most_contexts
from ormlint.run.frame import Frame, Summary
from ormlint.run.log import Circumstances
from ormlint.run.machine import Machine
from ormlint.run.parameters import MANY_RUNS, Bindings, symbolic
from ormlint.run.values import Row, Value, deps_of, key_of, options
from ormlint.text import Site


def absorb_spent(m: Machine, f: Frame, node: ir.Node, function: FunctionInfo, given: dict[str, Value]) -> None:
    """Notes in a frame what a call does whatever it is given, if the function was run with too many other arguments."""
    if not f.loops or f.muted or function.module.is_library or m.contexts.get(id(function), 0) < most_contexts(function):
        return
    if any(isinstance(option, Row) and option.fresh for value in given.values() for option in options(value)):
        return  # saving a new row is another statement than saving any row
    env, _, _ = symbolic(unknown_arguments(m, function), runs=MANY_RUNS + 1)
    key = ("spent", *(key_of(value) for value in env.values()))
    summary = m.run_function(function, env, key, depth=f.depth + 1, spent=True)
    if summary is None:
        return
    bindings: Bindings = {-(min(number, 63) + 1): deps_of(value) for number, value in enumerate(given.values())}
    m.absorb(f, node, function.qualname, _certain(summary), bindings)


def _certain(summary: Summary) -> Summary:
    """Returns what a call does on every way through the function and those that it calls."""
    if summary.certain is None:
        found = summary.certain = Summary(summary.returned, writes=summary.writes, external=summary.external, function=summary.function)
        way_out = min((site.end for site, _ in summary.returns), default=None)
        found.events = [event for event in summary.events if _is_certain(event.around, event.site, way_out)]
        calls = (called for called in summary.calls if _is_certain(called.around, called.site, way_out))
        found.calls = [called._replace(summary=_certain(called.summary)) for called in calls]
    return summary.certain


def _is_certain(around: Circumstances, site: Site, way_out: int | None) -> bool:
    return is_unconditional(around) and (way_out is None or site.start < way_out)
