"""Where the nodes of `ast` stand, in characters.

`ast` gives lines and UTF-8 byte columns. `line_offsets` returns a list to be indexed by line number such that
`offsets[line] + column` is the character offset of that place: a plain number for an ASCII line, a `WideLine` (which
converts the column that is added to it) for a line with wider characters. So the common case costs one addition, and
the lowering functions know nothing of encodings.

Line 0 does not exist in `ast`; its place in the list holds the `Source`, the state that lowering one file needs.
"""

from __future__ import annotations

import re
import sys
from itertools import accumulate, repeat
from operator import add
from typing import cast

_LINE_END = re.compile(r"\r\n?|\n")


class Source(int):
    """The state of lowering one file.

    `yields` tells whether a `yield` was seen in the function being lowered, `is_exact` whether positions inside
    f-strings can be trusted: before Python 3.12 `ast` computes them after the fact, and often wrong.
    """

    text: str
    yields: bool
    is_exact: bool

    @classmethod
    def of(cls, text: str, is_exact: bool = sys.version_info >= (3, 12)) -> Source:
        """Returns the state to begin with."""
        source = cls(0)
        source.text, source.yields, source.is_exact = text, False, is_exact
        return source


class WideLine(int):
    """The offset of a line that holds non-ASCII characters; adding a byte column gives a character offset."""

    data: bytes

    def __add__(self, column: int) -> int:
        return int(self) + len(self.data[:column].decode("utf-8", "ignore"))


def line_starts(text: str) -> list[int]:
    """Returns the offset of the first character of every line; `\\n`, `\\r\\n` and a lone `\\r` end a line."""
    if "\r" in text:
        return [0, *(match.end() for match in _LINE_END.finditer(text))]
    lengths = map(len, text.split("\n"))
    return [0, *accumulate(map(add, lengths, repeat(1)))][:-1]


def line_offsets(text: str, starts: list[int]) -> list[int]:
    """Returns the list described above for the lines that begin at `starts`."""
    offsets: list[int] = [Source.of(text), *starts]
    if text.startswith("\ufeff"):
        offsets[1] = 1
    if text.isascii():
        return offsets
    ends = [*starts[1:], len(text)]
    for number, (start, end) in enumerate(zip(offsets[1:], ends, strict=True), 1):
        line = text[start:end]
        if not line.isascii():
            wide = WideLine(start)
            wide.data = line.encode("utf-8", "surrogatepass")
            offsets[number] = wide
    return offsets


def source_of(offsets: list[int]) -> Source:
    """Returns the state kept in the place of line 0."""
    return cast(Source, offsets[0])
