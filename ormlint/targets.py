"""From the paths on the command line to the projects they belong to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ormlint.problem import UsageError
from ormlint.source.root import Root, find_root


@dataclass(frozen=True, slots=True)
class Target:
    """A project, and the places in it that are asked about, relative to its root ("" for all of it)."""

    root: Root
    wanted: tuple[str, ...]

    def covers(self, path: str) -> bool:
        """Whether a file of the project lies at or below one of the places asked about."""
        return any(not place or path == place or path.startswith(f"{place}/") for place in self.wanted)


def targets_of(paths: Sequence[str], *, need_not_exist: bool = False) -> tuple[Target, ...]:
    """Returns the projects that the paths lie in, in the order in which they are first named.

    A project inside another one that is asked about too belongs to the outer one. Raises UsageError for a path that does not
    exist or may not be looked at, unless `need_not_exist`: then one in a directory that is not there, where nothing marks a project,
    belongs to the project of the current directory, even if it lies outside.
    """
    wanted: dict[Path, list[str]] = {}
    roots: dict[Path, Root] = {}
    places = [Path(os.path.abspath(path)) for path in paths]
    for path, place in zip(paths, places, strict=True):
        if not need_not_exist:
            _look_at(path)
        root = find_root(place)
        if need_not_exist and not root.marker and (root.path.parent == root.path or not os.path.isdir(root.path)):
            root = find_root(Path.cwd())
        roots[root.path] = root
    for place in places:
        around = [root for root in roots if place.is_relative_to(root)]
        owner = min(around or roots, key=lambda root: len(root.parts))
        relative = Path(os.path.relpath(place, owner)).as_posix()
        wanted.setdefault(owner, []).append("" if relative == "." else relative)
    return tuple(Target(roots[owner], tuple(inside)) for owner, inside in wanted.items())


def _look_at(path: str) -> None:
    """Raises UsageError if there is nothing at a path, or nothing that may be looked at."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"there is no file or directory `{path}`") from error
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {error.strerror}") from error
