"""Where a project begins: the directory whose whole contents are analysed.

What lies in a directory that may not be looked at does not exist here: `os.path` says so, where `Path.exists()` raises PermissionError.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import tomli

from ormlint.problem import UsageError

MARKERS = ("pyproject.toml", "manage.py", ".git")
DISTRIBUTIONS = ("setup.py", "setup.cfg")
"""Markers outside packages, where `setup` is a module like others. A requirements.txt marks nothing: folders of documentation have one."""


@dataclass(frozen=True, slots=True)
class Root:
    """The project's directory, the configuration file that speaks for it, and what showed that it begins there."""

    path: Path
    configuration: Path | None
    marker: str


def find_root(start: Path) -> Root:
    """Returns the project that a file or directory belongs to.

    That is the nearest directory upwards with an `ormlint.toml` or a `pyproject.toml` with a table `[tool.ormlint]`; failing
    that, the nearest with a pyproject.toml, a manage.py, a .git or, outside packages, a setup.py or setup.cfg; failing that,
    the directory itself, outside any package.
    Raises UsageError if a pyproject.toml on the way is not valid TOML.
    """
    directory = start if os.path.isdir(start) else start.parent
    ancestors = (directory, *directory.parents)
    for candidate in ancestors:
        configuration = configuration_in(candidate)
        if configuration is not None:
            return Root(candidate, configuration, configuration.name)
    for candidate in ancestors:
        marker = next((name for name in (*MARKERS, *DISTRIBUTIONS) if os.path.exists(candidate / name)), None)
        if marker in DISTRIBUTIONS and os.path.exists(candidate / "__init__.py"):
            continue
        if marker is not None:
            return Root(candidate, None, marker)
    while os.path.exists(directory / "__init__.py") and directory.parent != directory:
        directory = directory.parent
    return Root(directory, None, "")


def configuration_in(directory: Path) -> Path | None:
    """Returns the configuration file of a directory, or None if there is none that speaks of ormlint."""
    own = directory / "ormlint.toml"
    if os.path.isfile(own):
        return own
    shared = directory / "pyproject.toml"
    return shared if os.path.isfile(shared) and own_table(shared) is not None else None


def own_table(pyproject: Path) -> object | None:
    """Returns the table `[tool.ormlint]` of a pyproject.toml, or None if there is none; raises UsageError like `read_toml`."""
    tool = read_toml(pyproject).get("tool")
    return tool.get("ormlint") if isinstance(tool, dict) else None


def read_toml(path: Path) -> dict[str, object]:
    """Returns the contents of a TOML file; raises UsageError if it cannot be read or is not valid."""
    try:
        return tomli.loads(path.read_text(encoding="utf-8"))
    except tomli.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
