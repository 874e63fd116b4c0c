"""Why a file cannot be read."""

from __future__ import annotations


class ReadError(Exception):
    """A text that cannot be read as the language it is in.

    Line and column are counted from 1, columns in characters; `kind` is that of the problem to report.
    """

    def __init__(self, message: str, line: int = 1, column: int = 1, kind: str = "syntax") -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.kind = message, line, column, kind
