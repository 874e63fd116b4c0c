"""The configuration: `[tool.ormlint]` in pyproject.toml, or the same keys in `ormlint.toml`.

Every key is a field of `Config`, with underscores for dashes. A key that does not exist, a value of the wrong type and a
path that leads nowhere are errors, never ignored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from ormlint.problem import UsageError
from ormlint.source.ignore import DEFAULT_EXCLUDE
from ormlint.source.root import Root, own_table, read_toml
from ormlint.suggest import nearest

VERSION = re.compile(r"\d+(\.\d+)?$")


@dataclass(frozen=True, slots=True)
class Config:
    """The effective configuration of one project.

    `origins` tells for every key that does not have its default where its value was set.
    """

    select: tuple[str, ...] = ("ALL",)
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    include_tests: bool = False
    include_migrations: bool = False
    preview: bool = False
    unsafe_fixes: bool = False
    extend_safe_fixes: tuple[str, ...] = ()
    extend_unsafe_fixes: tuple[str, ...] = ()
    small_models: tuple[str, ...] = ()
    library: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    cache_dir: str = ".ormlint_cache"
    target_django: str = ""
    target_sqlalchemy: str = ""
    file: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

    def overridden(self, origin: str, **values: object) -> Config:
        """Returns this configuration with the values that are not None, which then come from `origin`."""
        given = {name: value for name, value in values.items() if value is not None}
        return replace(self, **given, origins={**self.origins, **dict.fromkeys(given, origin)})  # type: ignore[arg-type]

    def directories(self, root: Path, names: Iterable[str]) -> tuple[Path, ...]:
        """Returns configured paths, relative to the configuration file, as absolute ones."""
        base = self.file.parent if self.file is not None else root
        return tuple((base / name).resolve() for name in names)


SETTINGS = tuple(f.name for f in fields(Config) if f.name not in ("file", "origins"))


def key_of(name: str) -> str:
    """Returns how a field is called in a configuration file."""
    return name.replace("_", "-")


def load_config(root: Root, file: Path | None = None) -> Config:
    """Returns the configuration of a project: from `file` if given, otherwise from the one found with its root.

    Raises UsageError for a file that cannot be read and for every key or value that is not right.
    """
    source = file or root.configuration
    if source is None:
        return Config()
    table: object = read_toml(source)
    where = str(source)
    if source.name == "pyproject.toml":
        table = own_table(source) or {}
        where = f"{source} [tool.ormlint]"
    if not isinstance(table, dict):
        raise UsageError(f"{where}: must be a table")
    if source.name != "pyproject.toml" and isinstance(tool := table.get("tool"), dict) and "ormlint" in tool:
        raise UsageError(f"{where}: the keys below `[tool.ormlint]` stand at the top of a file that is ormlint's own: remove that line")
    values = {name: value for key, raw in table.items() for name, value in (_setting(where, key, raw),)}
    config = Config(file=source.resolve()).overridden(str(source), **values)
    for key in ("library", "rules"):
        for name, path in zip(getattr(config, key), config.directories(root.path, getattr(config, key)), strict=True):
            if not os.path.exists(path):
                raise UsageError(f"{where}: {key}: there is no file or directory `{name}` at {path}")
            if key == "library" and not os.path.isdir(path):
                raise UsageError(f"{where}: {key}: `{name}` must be a directory of stub programs")
    return config


def _setting(where: str, key: str, value: object) -> tuple[str, object]:
    """Returns the field's name and its checked value."""
    name = key.replace("-", "_")
    if name not in SETTINGS or "_" in key:
        raise UsageError(f"{where}: unknown key `{key}`{nearest(key.replace('_', '-'), map(key_of, SETTINGS))}")
    where = f"{where}: {key}"
    match name:
        case "per_file_ignores":
            return name, _per_file_ignores(where, value)
        case "include_tests" | "include_migrations" | "preview" | "unsafe_fixes":
            if not isinstance(value, bool):
                raise UsageError(f"{where}: must be true or false, not {_shown(value)}")
            return name, value
        case "cache_dir":
            if not isinstance(value, str) or not value:
                raise UsageError(f"{where}: must be a path, not {_shown(value)}")
            return name, value
        case "target_django" | "target_sqlalchemy":
            if not isinstance(value, str) or not VERSION.match(value):
                raise UsageError(f'{where}: must be a version such as "{"5.2" if name == "target_django" else "2.0"}", not {_shown(value)}')
            return name, value
        case _:
            return name, _strings(where, value)


def _strings(where: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{where}: must be a list of strings, not {_shown(value)}")
    return tuple(value)


def _per_file_ignores(where: str, value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise UsageError(f'{where}: must be a table from patterns to lists of rules, such as {{ "scripts/*" = ["ORM3"] }}, not {_shown(value)}')
    return {pattern: _strings(f"{where}: {pattern}", codes) for pattern, codes in value.items()}


def _shown(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            return "a table"
        case _:
            return repr(value)
