"""Background: which functions only commands and tasks run, so that no request waits for them.

Command.handle ──► purge()          background
@shared_task     ──► send_all()        background, unless a view calls it as well
BookList.get     ──► titles()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial

from ormlint.library.functions import BACKGROUND_CLASSES, TASKS
from ormlint.link.names import ClassInfo, FunctionInfo, decorator_name
from ormlint.run.frame import Summary
from ormlint.run.installing import installing_functions
from ormlint.run.machine import Machine
from ormlint.run.reach import Functions, Place, Run
from ormlint.run.starting import is_in_background, names_to_start
from ormlint.run.values import Instance
from ormlint.run.written import calls_by_function


def functions_of(m: Machine, is_aside: Callable[[str], bool], callees: dict[str, set[str]]) -> Functions:
    """Returns the functions of the program and who calls them, but for those in files that are run last and what these call."""
    functions = (Place(_name(f), f.module.path, f.node.start, f.node.end, f.node.is_generator) for f in _own(m, is_aside))
    pages = (Place(template.title, template.path, 0, template.function.node.end) for template in m.templates.known()) if m.templates else ()
    installing = installing_functions(m.program, _own(m, is_aside))
    return Functions((*functions, *pages), callees, lambda: runs_of(m, is_aside), installing, lambda: calls_by_function(m.memo.values()))


def runs_of(m: Machine, is_aside: Callable[[str], bool]) -> list[Run]:
    """Returns what was run with which arguments, frameworks and templates included."""
    aside = {module.name for module in m.program.modules.values() if is_aside(module.path)}
    summaries = list(m.memo.values())
    numbers = {id(summary): number for number, summary in enumerate(summaries)}
    functions = {_name(function): function for function in m.program.functions if not function.module.is_library}
    names = cache(names_to_start)
    return [
        Run(
            summary.function,
            "" if summary.function.partition(":")[0] in aside else _starter(summary),
            tuple({numbers[id(call.summary)]: None for call in summary.calls if id(call.summary) in numbers}),
            partial(names, functions[summary.function], _receiver(summary)) if summary.function in functions else lambda is_tested: (),
        )
        for summary in summaries
    ]


def _starter(summary: Summary) -> str:
    """Returns the class of the object whose method a summary is of, else its function."""
    receiver = _receiver(summary)
    return f"{receiver.module.name}:{receiver.qualname}" if receiver is not None else summary.function


def _receiver(summary: Summary) -> ClassInfo | None:
    receiver = summary.given.get("self")
    return receiver.cls if isinstance(receiver, Instance) else None


def background_functions(m: Machine, is_aside: Callable[[str], bool], callees: dict[str, set[str]]) -> frozenset[str]:
    """Returns the qualified names of the functions that nothing calls but commands and tasks, and those they call.

    Calls in files that are run last, tests above all, do not count.
    """
    functions = _own(m, is_aside)
    called = {name for names in callees.values() for name in names}
    started: set[str] = set()
    others: set[str] = set()
    for function in functions:
        name = _name(function)
        if _is_job(function):
            started.add(name)
        elif name not in called:
            (started if is_in_background(function) else others).add(name)
    others |= {name for name in callees if name not in called and name not in started}
    return frozenset(_reached(callees, started) - _reached(callees, others))


def _own(m: Machine, is_aside: Callable[[str], bool]) -> list[FunctionInfo]:
    return [f for f in m.program.functions if not f.module.is_library and not is_aside(f.module.path)]


def calls_of(m: Machine, is_aside: Callable[[str], bool]) -> dict[str, set[str]]:
    """Returns the functions that every function was seen to call, those of frameworks included, and those that are defined in it."""
    aside = {module.name for module in m.program.modules.values() if is_aside(module.path)}
    found: dict[str, set[str]] = {}
    for summary in m.memo.values():
        if summary.function.partition(":")[0] not in aside:
            found.setdefault(summary.function, set()).update(call.summary.function for call in summary.calls)
    for outer, inner in _nested(_own(m, is_aside)):
        found.setdefault(outer, set()).add(inner)
    return found


def _nested(functions: Iterable[FunctionInfo]) -> Iterator[tuple[str, str]]:
    """Yields the names of functions with those of the functions defined in them, which whoever gets them may call."""
    for function in functions:
        yield from ((_name(function), _name(inner)) for inner in function.nested.values())
        yield from _nested(function.nested.values())


def _name(function: FunctionInfo) -> str:
    return f"{function.module.name}:{function.qualname}"


def _is_job(function: FunctionInfo) -> bool:
    """Whether a scheduler, a worker or a command line starts a function."""
    if any(decorator_name(decorator) in TASKS for decorator in function.node.decorators):
        return True
    return function.owner is not None and function.owner.derives_from(*BACKGROUND_CLASSES)


def _reached(callees: dict[str, set[str]], start: set[str]) -> set[str]:
    found = set(start)
    waiting = list(start)
    while waiting:
        for name in callees.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found
