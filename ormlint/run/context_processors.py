"""Context processors: functions named in `TEMPLATES` whose variables every template of Django has."""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.link.names import FunctionInfo
from ormlint.run.machine import Machine
from ormlint.run.values import Value


def everywhere(m: Machine) -> dict[str, Value]:
    """Returns the variables that the project's context processors give every template of Django; they are run once."""
    if m.template_variables is None:
        from ormlint.run.calls import unknown_arguments
        from ormlint.run.templates import variables

        m.template_variables = {}
        for path in context_processors(m.settings):
            module_name, _, name = path.rpartition(".")
            module = m.program.find_module(module_name, None)
            function = m.program.attribute(module, name) if module is not None and not module.is_library else None
            if isinstance(function, FunctionInfo):
                summary = m.run_function(function, unknown_arguments(m, function), "context processor", depth=1)
                m.template_variables.update(variables(m, summary.returned) if summary is not None else {})
    return m.template_variables


def context_processors(settings: dict[str, object]) -> Iterator[str]:
    """Yields the dotted paths of the functions that `TEMPLATES` names as context processors."""
    engines = settings.get("TEMPLATES")
    for engine in engines if isinstance(engines, list) else ():
        options = engine.get("OPTIONS") if isinstance(engine, dict) else None
        found = options.get("context_processors") if isinstance(options, dict) else None
        yield from (path for path in found if isinstance(path, str)) if isinstance(found, list) else ()
