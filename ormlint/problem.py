"""What went wrong with a file, or inside ormlint; reported always, and never a reason to stop the rest."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be analysed, or a failure inside ormlint; never hidden."""

    path: str
    line: int
    column: int
    message: str
    kind: str  # syntax | encoding | io | internal
    details: str = field(default="", compare=False)


class UsageError(Exception):
    """What the user has to correct before a run makes sense: an option, a path, a configuration value. Ends with exit code 2."""
