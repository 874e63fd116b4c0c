"""Finds the rules: ormlint's own, those of installed packages, and those in folders named in the configuration.

A rule module is any module that binds a `Rule`. No rule is ever named here.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from ormlint.judge.rule import Rule
from ormlint.problem import UsageError

ENTRY_POINTS = "ormlint.rules"


def load_rules(folders: Sequence[Path] = ()) -> tuple[Rule, ...]:
    """Returns all rules that can be found, sorted by code.

    Raises UsageError if somebody else's rules cannot be imported, or if two rules share a code, a name or an alias.
    """
    found = [*own_rules(), *installed_rules()]
    for folder in folders:
        found += folder_rules(folder)
    return _without_clashes(found)


def own_rules() -> Iterator[Rule]:
    """Yields the rules that come with ormlint."""
    for module in _modules_below(importlib.import_module("ormlint.rules")):
        yield from _rules_of(module)


def installed_rules() -> Iterator[Rule]:
    """Yields the rules of packages that announce some in the entry point group `ormlint.rules`."""
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            target = entry.load()
            modules = list(_modules_below(target)) if isinstance(target, ModuleType) else []
        except Exception as error:
            raise UsageError(f"the rules of the package behind the entry point `{entry.value}` cannot be imported: {error!r}") from error
        if not modules:
            raise UsageError(f"the entry point `{entry.value}` in the group {ENTRY_POINTS} must be a module or a package of rules")
        for module in modules:
            yield from _rules_of(module)


def folder_rules(folder: Path) -> Iterator[Rule]:
    """Yields the rules in the Python files of a folder and those below it; a file's folder is its family."""
    files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*.py") if not path.name.startswith("_"))
    for path in files:
        name = f"ormlint_local_rules.{path.parent.name}.{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise UsageError(f"{path}: is not a Python file with rules")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise UsageError(f"{path}: cannot be imported: {error!r}") from error
        yield from _rules_of(module)


def page_of(rule: Rule) -> Path | None:
    """Returns the file with the rule's documentation, or None if it has none."""
    source = sys.modules[rule.module].__file__
    page = Path(source).with_suffix(".md") if source else None
    return page if page is not None and page.is_file() else None


def _modules_below(module: ModuleType) -> Iterator[ModuleType]:
    yield module
    for info in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
        yield importlib.import_module(info.name)


def _rules_of(module: ModuleType) -> Iterator[Rule]:
    for value in vars(module).values():
        # a rule that is merely imported belongs to another module
        if isinstance(value, Rule) and value.module == module.__name__:
            yield value


def _without_clashes(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    taken: dict[str, Rule] = {}
    for rule in rules:
        for key in (rule.code, rule.name, *rule.aliases):
            other = taken.setdefault(key, rule)
            if other is not rule:
                raise UsageError(f"two rules are called `{key}`: {other.module} and {rule.module}")
    return tuple(sorted(rules, key=lambda rule: rule.code))
