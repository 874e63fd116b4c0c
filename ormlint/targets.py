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
    exist, unless `need_not_exist`.
    """
    wanted: dict[Path, list[str]] = {}
    roots: dict[Path, Root] = {}
    places = [Path(os.path.abspath(path)) for path in paths]
    for path, place in zip(paths, places, strict=True):
        if not need_not_exist and not place.exists():
            raise UsageError(f"there is no file or directory `{path}`")
        root = find_root(place if place.exists() else place.parent)
        roots[root.path] = root
    for place in places:
        owner = min((root for root in roots if place.is_relative_to(root)), key=lambda root: len(root.parts))
        relative = place.relative_to(owner).as_posix()
        wanted.setdefault(owner, []).append("" if relative == "." else relative)
    return tuple(Target(roots[owner], tuple(inside)) for owner, inside in wanted.items())
