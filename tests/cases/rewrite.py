"""Rewrites what documents pin, in place; `ORMLINT_UPDATE=1 pytest` asks for it."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

from tests.cases.document import Case, Fence

UPDATING = os.environ.get("ORMLINT_UPDATE") == "1"


class Rewriter:
    """Collects new texts for fences and lines, and writes each document once."""

    def __init__(self) -> None:
        self._changes: dict[Path, dict[int, tuple[int, str]]] = defaultdict(dict)

    def replace_fence(self, case: Case, fence: Fence, text: str) -> None:
        """Replaces the text between the backticks."""
        self._changes[case.document][fence.first] = (fence.last, text)

    def replace_line(self, case: Case, number: int, text: str) -> None:
        """Replaces one line."""
        self._changes[case.document][number] = (number, f"{text}\n")

    def write(self) -> None:
        """Writes all documents that changed."""
        for document, changes in self._changes.items():
            lines = document.read_text(encoding="utf-8").splitlines(keepends=True)
            for first, (last, text) in sorted(changes.items(), reverse=True):
                lines[first - 1 : last] = [text]
            document.write_text("".join(lines), encoding="utf-8")
        self._changes.clear()
