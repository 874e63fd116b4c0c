"""The nearest valid name for one that is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(wrong: str, right: Iterable[str]) -> str:
    """Returns a suggestion for the end of an error message: "; did you mean `select`?", or "" if nothing is near."""
    found = difflib.get_close_matches(wrong, list(right), n=1, cutoff=0.6)
    return f"; did you mean `{found[0]}`?" if found else ""
