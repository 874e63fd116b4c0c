"""What a fix changes, as a unified diff."""

from __future__ import annotations

import difflib


def render(path: str, before: str, after: str) -> str:
    """Returns the unified diff between two texts of a file, with the line ends of the texts."""
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), path, path)
    return "".join(line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n" for line in lines)
