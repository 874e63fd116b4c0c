"""Finds the files of a project, and knows why something in it is not one.

Everything below the root is walked in sorted order, so that results do not depend on the file system. A symbolic link
that leads back into the project is not followed: its target is found anyway, and would be analysed twice.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ormlint.problem import Problem
from ormlint.source.ignore import DEFAULT_EXCLUDE, Ignored, Patterns
from ormlint.source.languages import TemplateLanguages, is_template
from ormlint.source.modules import ModuleNames
from ormlint.source.roles import Role, role_of


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the program. `path` is relative to the root, with slashes; `module` is "" for a template."""

    path: str
    absolute: str
    module: str
    is_package: bool
    language: str  # python | django | jinja
    role: Role


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or directory that is not analysed (a directory's path ends in a slash), and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a project consists of."""

    files: tuple[Found, ...]
    skipped: tuple[Skipped, ...]
    problems: tuple[Problem, ...]

    def reason_against(self, path: str) -> str | None:
        """Returns why a path below the root is not analysed, or None if it or something below it is."""
        inside = f"{path}/" if path else ""
        if any(file.path == path or file.path.startswith(inside) for file in self.files):
            return None
        for skipped in self.skipped:
            if path == skipped.path.rstrip("/") or (skipped.path.endswith("/") and path.startswith(skipped.path)):
                return skipped.reason
        return "holds no Python file and no template"


@dataclass(slots=True)
class _Walk:
    root: Path
    excluded: Patterns
    entries: list[tuple[str, str]] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)  # other files whose presence says something
    skipped: list[Skipped] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    visited: set[str] = field(default_factory=set)

    def directory(self, absolute: str, path: str, ignored: Ignored) -> None:
        self.visited.add(os.path.realpath(absolute))
        try:
            with os.scandir(absolute) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self.problems.append(Problem(path.rstrip("/") or ".", 1, 1, f"cannot be listed: {error.strerror}", "io"))
            return
        if any(entry.name == ".gitignore" for entry in entries):
            ignored = ignored.entering(Path(absolute), path)
        for entry in entries:
            self.entry(entry, path + entry.name, ignored)

    def entry(self, entry: os.DirEntry[str], path: str, ignored: Ignored) -> None:
        try:
            is_directory = entry.is_dir()
        except OSError as error:
            if error.errno != errno.ELOOP:
                self.out_of_sight(path, ignored, error)
                return
            is_directory = False  # a link that leads nowhere, like one whose target is gone
        if not is_directory and not is_source(path):
            self.marks.append(path)
            return
        reason = self.reason(entry, path, is_directory, ignored)
        if reason is not None:
            self.skipped.append(Skipped(f"{path}/" if is_directory else path, reason))
        elif is_directory:
            self.directory(entry.path, f"{path}/", ignored)
        else:
            self.entries.append((path, entry.path))

    def out_of_sight(self, path: str, ignored: Ignored, error: OSError) -> None:
        """Reports a link to a place that may not be looked at, unless it is left out, be it a file or a directory."""
        if not self.excluded.verdict(path, True) and ignored.source(path, True) is None:
            self.problems.append(Problem(path, 1, 1, f"cannot be read: {error.strerror}", "io"))

    def reason(self, entry: os.DirEntry[str], path: str, is_directory: bool, ignored: Ignored) -> str | None:
        """Returns why an entry is left out, or None."""
        if self.excluded.verdict(path, is_directory):
            return "excluded by the configuration"
        source = ignored.source(path, is_directory)
        if source is not None:
            return f"ignored by {source}"
        if is_directory and os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
            return "a virtual environment"
        if entry.is_symlink():
            target = os.path.realpath(entry.path)
            if target in self.visited or Path(target).is_relative_to(self.root):
                return "a link to another place in the project"
        return None


def discover(root: Path, exclude: Sequence[str] = DEFAULT_EXCLUDE, extend_exclude: Sequence[str] = (), also: Sequence[str] = ()) -> Discovery:
    """Returns the files of the project at `root`, sorted by path.

    `also` names paths below the root that count as files although they need not exist (text given on standard input).
    Directories that cannot be listed become problems.
    """
    root = root.resolve()
    walk = _Walk(root, Patterns((*exclude, *extend_exclude), "the configuration"))
    walk.directory(str(root), "", Ignored.above(root))
    known = {path for path, _ in walk.entries}
    entries = sorted([*walk.entries, *((path, str(root / path)) for path in also if path not in known)])
    return Discovery(tuple(_classified(entries, walk.marks)), tuple(walk.skipped), tuple(walk.problems))


def is_source(path: str) -> bool:
    """Whether a path has the form of a Python file or of a template."""
    return path.endswith(".py") or is_template(path)


def _classified(entries: list[tuple[str, str]], marks: list[str]) -> Iterator[Found]:
    locations = dict(entries)

    def read(path: str) -> bytes:
        try:
            return Path(locations[path]).read_bytes()
        except OSError:
            # the reader reports it; here the file just says nothing
            return b""

    python = [path for path, _ in entries if path.endswith(".py")]
    names = ModuleNames([*python, *marks], read)
    languages = TemplateLanguages(python, read)
    for path, absolute in entries:
        if path.endswith(".py"):
            is_package = path.endswith("__init__.py") and path.rpartition("/")[2] == "__init__.py"
            yield Found(path, absolute, names.name(path), is_package, "python", role_of(path))
        else:
            yield Found(path, absolute, "", False, languages.language(path), role_of(path))
