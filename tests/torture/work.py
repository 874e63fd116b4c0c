"""A piece of work: what its query asks for, and the statements that waste it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tests.generated.layout import Chain

ADMIN = "the admin asks the query"
DECLARED = "no query is changed"


class Gain(enum.Enum):
    """What the fixed program has to show."""

    QUERIES = "it sends fewer statements"
    ROWS = "it prints the same"
    REPAIR = "it prints another thing, or fails no more"


@dataclass(frozen=True)
class Work:
    """Statements in which `{q}` stands for the query, to be fixed by `fixer`, and the rules that report them.

    `above` stands before the function with the statements, at the level of the file, and may hold `{q}`, too; `{n}` is another number in every
    file. `variable` is that of the loop over the rows, "" without one. `models` is the number of the models' options. `lacks` says why there
    is no query whose shape could change, "" if there is one. `unfit` are shapes in which the program would not run, with the reason. `files` are
    further files; those with `{n}` in their path are made for every file anew.
    `place` is what the files of the programs are called after, and `needs` a package without which they do not run.
    """

    fixer: str
    codes: tuple[str, ...]
    chain: Chain
    text: str
    variable: str = ""
    above: str = ""
    imports: str = ""
    models: int = 0
    gain: Gain = Gain.QUERIES
    lacks: str = ""
    files: tuple[tuple[str, str], ...] = ()
    unfit: tuple[tuple[str, str], ...] = ()
    place: str = "work"
    needs: str = ""

    @property
    def lines(self) -> list[str]:
        """The statements of the function."""
        return self.text.strip("\n").split("\n")

    @property
    def head(self) -> list[str]:
        """The lines before the function."""
        return self.above.strip("\n").split("\n") if self.above else []
