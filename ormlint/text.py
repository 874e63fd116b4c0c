"""The one coordinate system of ormlint.

Every stage names a place as a pair of *character offsets* into the decoded text of a file. Offsets need no
knowledge of lines, can be compared, and are what an edit wants. Lines and columns exist only at the edges:
`ast` gives UTF-8 byte columns (converted in `read/`), people and editors want 1-based lines and columns
(converted here, when a report is written).
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import NamedTuple


class Position(NamedTuple):
    """A place as people name it: line and column, both counted from 1, columns in characters."""

    line: int
    column: int


class Site(NamedTuple):
    """A stretch of source: file (relative to the project root, with slashes) and character offsets."""

    path: str
    start: int
    end: int

    def encloses(self, other: Site) -> bool:
        """Whether the other site lies within this one."""
        return self.path == other.path and self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class LineIndex:
    """Converts between character offsets and positions of one file.

    `starts` holds the offset of the first character of every line.
    """

    starts: tuple[int, ...]
    length: int

    @classmethod
    def of(cls, text: str) -> LineIndex:
        """Builds the index of a text; `\\n`, `\\r\\n` and a lone `\\r` end a line, as for Python's tokenizer."""
        starts = [0]
        for number in range(len(text)):
            char = text[number]
            if char == "\n" or (char == "\r" and text[number + 1 : number + 2] != "\n"):
                starts.append(number + 1)
        return cls(tuple(starts), len(text))

    def position(self, offset: int) -> Position:
        """Returns the 1-based position of a character offset; offsets past the end are clamped."""
        offset = max(0, min(offset, self.length))
        line = bisect.bisect_right(self.starts, offset)
        return Position(line, offset - self.starts[line - 1] + 1)

    def offset(self, line: int, column: int = 1) -> int:
        """Returns the character offset of a 1-based position; a line past the end gives the end of the text."""
        if line > len(self.starts):
            return self.length
        return min(self.starts[line - 1] + column - 1, self.length)


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """The replacement of the characters `start:end` of one file by `content`; all edits of a fix refer to the same text."""

    path: str
    start: int
    end: int
    content: str


def apply_edits(text: str, edits: list[Edit]) -> str:
    """Returns the text with the edits of one file applied.

    Raises ValueError if two edits overlap.
    """
    pieces: list[str] = []
    done = 0
    for edit in sorted(set(edits)):
        if edit.start < done:
            raise ValueError(f"overlapping edits in {edit.path} at offset {edit.start}")
        pieces += (text[done : edit.start], edit.content)
        done = edit.end
    pieces.append(text[done:])
    return "".join(pieces)
