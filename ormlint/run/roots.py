"""Roots: what nothing has called so far is run on its own, in a fixed order."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk, words_of
from ormlint.library.functions import TEMPLATE_ENDINGS
from ormlint.link.names import FunctionInfo
from ormlint.problem import Problem
from ormlint.run.calls import unknown_arguments
from ormlint.run.frame import Frame, Summary
from ormlint.run.machine import Machine
from ormlint.run.parameters import MANY_RUNS, symbolic
from ormlint.run.statements import run_body
from ormlint.run.values import key_of

MOST_TESTS = 20  # tests that are run because they name one thing that nothing else calls


def run_all(
    m: Machine,
    comes_last: Callable[[str], bool],
    left_out: Callable[[str], bool],
    then: Callable[[], list[Problem]],
    progress: Callable[[int, int], None] | None = None,
) -> list[Problem]:
    """Runs every function of the project that was not run yet with unknown arguments, and every module's body; returns failures inside ormlint.

    The number of contexts of a function is limited, so what is of less concern comes last: tests know the types that a program leaves open.
    Of those only the ones that may tell something new are run, see `_telling`. `then` runs what comes before them.
    """
    last = {module.path: comes_last(module.path) for module in m.program.modules.values()}
    modules = sorted((module for module in m.program.modules.values() if not left_out(module.path)), key=lambda module: last[module.path])
    functions = list(_own_functions(m, left_out))
    problems = _run_each(m, [fn for fn in functions if not last[fn.module.path]], progress)
    problems += then()
    first = [fn for fn in functions if not last[fn.module.path]]
    problems += _run_each(m, list(_telling(m, first, [fn for fn in functions if last[fn.module.path]])), progress)
    for module in modules:
        try:
            run_body(m, Frame(module, f"{module.name}:<module>"), module.tree.body)
        except Exception as failure:
            problems.append(internal_error(module.path, 1, "<module>", failure))
    return problems


def _telling(m: Machine, functions: list[FunctionInfo], tests: list[FunctionInfo]) -> Iterator[FunctionInfo]:
    """Yields the tests that name something which nothing else calls: a function with parameters, a class with such methods, a template.

    What the rest of the program calls needs no test to know its arguments; and rows that a test has made or asked for are of no concern.
    Of many tests of one thing the first are enough.
    """
    alone = (fn for fn in functions if id(fn) in m.roots and m.contexts[id(fn)] == 1 and len(fn.node.params) > (fn.owner is not None))
    names = {fn.name if fn.owner is None else fn.owner.name for fn in alone if fn.owner is None or fn.owner.model is None}
    times: Counter[str] = Counter()
    words = words_of(" ".join((*names, *TEMPLATE_ENDINGS)))
    telling = {path for path, module in {test.module.path: test.module for test in tests}.items() if not words.isdisjoint(words_of(module.tree))}
    for test in tests:
        if test.module.path not in telling:
            continue
        told = {name for node in walk(test.node.body) if (name := _named(m, node, names, test.module.path))}
        if any(times[name] < MOST_TESTS for name in told):
            times.update(told)
            yield test


def _named(m: Machine, node: ir.Node, names: set[str], path: str) -> str:
    """Returns which of these functions and classes an expression of a test names, or which template that nothing has rendered so far; "" for none."""
    match node:
        case ir.Name(id=name) | ir.Attr(value=ir.Name(), name=name):  # `find(…)`, or of a module: `services.find(…)`
            return name if name in names else ""
        case ir.Const(value=str(text)) if text.endswith(TEMPLATE_ENDINGS) and m.templates:
            template = m.templates.find(text, path)
            return text if template is not None and id(template.function) not in m.contexts else ""
        case _:
            return ""


def run_makers(m: Machine, left_out: Callable[[str], bool]) -> list[Problem]:
    """Runs the functions that define decorated ones, as `make_app` does the routes of an application; returns failures inside ormlint."""
    return _run_each(m, [fn for fn in _own_functions(m, left_out) if _defines_decorated(fn.node.body)], None)


def _own_functions(m: Machine, left_out: Callable[[str], bool]) -> Iterator[FunctionInfo]:
    skipped = {module.path for module in m.program.modules.values() if left_out(module.path)}
    return (function for function in m.program.functions if not function.module.is_library and function.module.path not in skipped)


def _defines_decorated(body: list[ir.Stmt]) -> bool:
    return any((isinstance(s, ir.Function) and bool(s.decorators)) or (isinstance(s, ir.If) and _defines_decorated(s.body)) for s in body)


def _run_each(m: Machine, functions: list[FunctionInfo], progress: Callable[[int, int], None] | None) -> list[Problem]:
    """Runs those of the functions that nothing has called so far; returns failures inside ormlint."""
    problems: list[Problem] = []
    for number, function in enumerate(functions):
        if progress is not None and number % 200 == 0:
            progress(number, len(functions))
        if m.contexts.get(id(function)):
            continue
        m.roots.add(id(function))
        try:
            run_root(m, function)
        except Exception as failure:  # reported as an internal error with its place; the rest of the project is still analysed
            line = 1
            for at, start in enumerate(function.module.tree.lines, 1):
                if start <= function.node.start:
                    line = at
            problems.append(internal_error(function.module.path, line, function.qualname, failure))
    return problems


def run_root(m: Machine, function: FunctionInfo) -> Summary | None:
    """Returns the summary of a function run on its own, with unknown arguments."""
    env, _, _ = symbolic(unknown_arguments(m, function), runs=MANY_RUNS + 1)
    return m.run_function(function, env, tuple(key_of(v) for v in env.values()), depth=0)


def internal_error(path: str, line: int, where: str, failure: Exception) -> Problem:
    """Returns the report of a failure inside ormlint."""
    return Problem(path, line, 1, f"internal error while running `{where}`: {type(failure).__name__}: {failure}", "internal", traceback.format_exc())
