"""Text in which some bytes were replaced, and the way back: from places of the syntax tree of the one to characters of the other."""

from __future__ import annotations

import ast
import bisect
import re
import warnings
from dataclasses import dataclass
from typing import NamedTuple

from ormlint.read.lines import Source, line_starts


class Change(NamedTuple):
    """The bytes `start:end` of the text are replaced by `content`."""

    start: int
    end: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """A syntax tree of rewritten text, and the line offsets that lead from its positions into the original text."""

    tree: ast.Module
    offsets: list[int]


def read_rewritten(text: str, changes: list[Change], source: Source | None = None) -> Reading | None:
    """Returns the tree of a text, behind a byte order mark, with the changes made in order, or None if it is no valid Python.

    Places in the f-strings that are left count as exact, unless there is another `source`.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    places = Places.of(data_of(text), changes, len(mark))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(places.rewritten)
        except (SyntaxError, ValueError):
            return None
    return Reading(tree, MappedLines([source or Source.of(text, is_exact=True), *places.line_starts], places))


def data_of(text: str) -> bytes:
    """Returns the bytes that changes are about: those of the text behind a byte order mark."""
    return text.removeprefix("\ufeff").encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Places:
    """Leads from lines and byte columns of the rewritten text to characters of the original one.

    `pieces` are the beginnings of kept and of replaced stretches: (offset when rewritten, offset in the original, whether kept).
    """

    rewritten: bytes
    line_starts: list[int]
    pieces: list[tuple[int, int, bool]]
    characters: _Characters

    @classmethod
    def of(cls, data: bytes, changes: list[Change], shift: int) -> Places:
        """Returns the places of the bytes with the changes made; `shift` characters stand before them."""
        output, pieces, done, length = [], [(0, 0, True)], 0, 0
        for change in changes:
            output += [data[done : change.start], change.content]
            length += change.start - done
            pieces.append((length, change.start, False))
            length += len(change.content)
            pieces.append((length, change.end, True))
            done = change.end
        rewritten = b"".join([*output, data[done:]])
        starts = [0, *(match.end() for match in re.finditer(rb"\r\n?|\n", rewritten))]
        return cls(rewritten, starts, pieces, _Characters.of(data, shift))

    def offset(self, line: int, column: int) -> int:
        """Returns the character of the original text at a line and byte column of the rewritten one; of what was put in, where it was put."""
        place = self.line_starts[line - 1] + column
        start, original, is_kept = self.pieces[bisect.bisect_right(self.pieces, (place, len(self.rewritten) ** 2, True)) - 1]
        return self.characters.offset(original + place - start if is_kept else original)


@dataclass(frozen=True, slots=True)
class _Characters:
    """Turns byte offsets into character offsets, line by line; `shift` characters are added for a byte order mark."""

    data: bytes
    byte_starts: list[int]
    starts: list[int]
    shift: int

    @classmethod
    def of(cls, data: bytes, shift: int) -> _Characters:
        byte_starts = [0, *(match.end() for match in re.finditer(rb"\r\n?|\n", data))]
        return cls(data, byte_starts, line_starts(data.decode("utf-8", "surrogatepass")), shift)

    def offset(self, place: int) -> int:
        number = bisect.bisect_right(self.byte_starts, place) - 1
        return self.shift + self.starts[number] + len(self.data[self.byte_starts[number] : place].decode("utf-8", "ignore"))


class MappedLines(list[int]):
    """Line offsets of rewritten text that give character offsets of the original text."""

    def __init__(self, offsets: list[int], places: Places) -> None:
        super().__init__(offsets)
        self.places = places

    def __getitem__(self, number: int) -> int:  # type: ignore[override]
        if number == 0:
            return super().__getitem__(0)
        line = _MappedLine(number)
        line.places = self.places
        return line


class _MappedLine(int):
    places: Places

    def __add__(self, column: int) -> int:
        return self.places.offset(int(self), column)
