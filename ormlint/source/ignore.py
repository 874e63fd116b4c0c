"""Which files are left out: the patterns of the configuration and of the .gitignore files.

Both are matched as Git matches them. A nested .gitignore speaks before those of the directories above it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pathspec import GitIgnoreSpec

DEFAULT_EXCLUDE = (
    ".git",
    ".hg",
    ".svn",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    ".direnv",
    ".eggs",
    "*.egg-info",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".ormlint_cache",
    "__pycache__",
    "__pypackages__",
    "site-packages",
    "node_modules",
    "bower_components",
    "build",
    "dist",
)


class Patterns:
    """A list of gitignore patterns that hold below one directory."""

    def __init__(self, lines: Iterable[str], source: str, prefix: str = "") -> None:
        self.source = source
        self.prefix = prefix
        self._spec = GitIgnoreSpec.from_lines(lines)

    def verdict(self, path: str, is_directory: bool) -> bool | None:
        """Returns whether the patterns exclude a path below the root, or None if they do not speak of it."""
        return self._spec.check_file(path[len(self.prefix) :] + ("/" if is_directory else "")).include


class Ignored:
    """The .gitignore files that hold in one directory, outermost first."""

    def __init__(self, chain: tuple[tuple[Patterns, str], ...] = ()) -> None:
        self._chain = chain

    @classmethod
    def above(cls, root: Path) -> Ignored:
        """Returns the .gitignore files between a project root and the repository that holds it, without the root's own."""
        if os.path.exists(root / ".git"):
            return cls()
        for repository in root.parents:
            if os.path.exists(repository / ".git"):
                break
        else:
            return cls()
        found = cls()
        between = [repository, *(d for d in reversed(root.parents) if repository in d.parents)]
        for directory in between:
            patterns = _gitignore(directory, directory.name + "/.gitignore", "")
            if patterns is not None:
                found = cls((*found._chain, (patterns, root.relative_to(directory).as_posix() + "/")))
        return found

    def entering(self, directory: Path, path: str) -> Ignored:
        """Returns what holds in a directory below the root, whose path ends in a slash (the root's own is empty)."""
        patterns = _gitignore(directory, f"{path}.gitignore", path)
        return self if patterns is None else Ignored((*self._chain, (patterns, "")))

    def source(self, path: str, is_directory: bool) -> str | None:
        """Returns the .gitignore file that excludes a path below the root, or None if none does."""
        for patterns, offset in reversed(self._chain):
            verdict = patterns.verdict(offset + path, is_directory)
            if verdict is not None:
                return patterns.source if verdict else None
        return None


def _gitignore(directory: Path, source: str, prefix: str) -> Patterns | None:
    try:
        lines = (directory / ".gitignore").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return Patterns(lines, source, prefix)
