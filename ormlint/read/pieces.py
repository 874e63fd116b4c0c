"""The statements of a text that the running interpreter refuses, each alone, so that the rest of it need not be read by slower means.

    import re                       accepted
    class Box[T]:                   refused: the header of the class
        def open(self): …           accepted
        def shut(self): match[f"{self.key["a"]}"]       refused: one method

Where a statement begins is told by indentation alone, so a text in brackets or quotes may be cut in the middle. Then the piece in which it
begins can be parsed by nobody, and it takes a reader of the whole text.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import NamedTuple

_LINE = re.compile(rb"[^\r\n]*(?:\r\n?|\n|\Z)")
_INDENT = re.compile(rb"[ \t]*")
_GOES_ON = re.compile(rb"""[#)\]}'"]|(?:else|elif|except|finally)\b""")  # what no statement begins with
_CLASS = re.compile(rb"class\b")
_INSIDE = b"if 1:\n"


class Piece(NamedTuple):
    """A refused statement, made a text of its own; a byte of `data` at n is one of the whole text at n + `shift`."""

    data: bytes
    shift: int


def refused_pieces(data: bytes) -> Iterator[Piece]:
    """Yields the smallest statements that the interpreter refuses, in order; of classes their headers and the statements of their bodies."""
    yield from _refused(data, 0, len(data), b"")


def _refused(data: bytes, start: int, end: int, indent: bytes) -> Iterator[Piece]:
    opening = _INSIDE if indent else b""
    for first, last in _statements(data, start, end, indent):
        text = opening + data[first:last]
        if _is_accepted(text):
            continue
        body = _body_of_class(data, first, last, indent)
        if body is None:
            yield Piece(text, first - len(opening))
            continue
        place, inner = body
        header = opening + data[first:place] + inner + b"pass\n"
        if not _is_accepted(header):
            yield Piece(header, first - len(opening))
        yield from _refused(data, place, last, inner)


def _statements(data: bytes, start: int, end: int, indent: bytes) -> Iterator[tuple[int, int]]:
    """Yields where the statements begin and end that stand at this indentation; decorators and branches belong to theirs."""
    first, is_decorated = start, True
    for place in _line_starts(data, start, end):
        own = _INDENT.match(data, place, end)
        assert own is not None
        if own[0] != indent or data[own.end() : own.end() + 1] in (b"", b"\r", b"\n") or _GOES_ON.match(data, own.end(), end):
            continue
        if not is_decorated:
            yield first, place
            first = place
        is_decorated = data[own.end() : own.end() + 1] == b"@"
    if first < end:
        yield first, end


def _body_of_class(data: bytes, start: int, end: int, indent: bytes) -> tuple[int, bytes] | None:
    """Returns where the body of a class begins and how it is indented; None if that is not told by a header of one line."""
    starts = list(_line_starts(data, start, end))
    for number, place in enumerate(starts[:-1]):
        if _CLASS.match(data, place + len(indent), end):
            following = starts[number + 1]
            inner = _INDENT.match(data, following, end)
            is_whole = data[place:following].rstrip().endswith(b":")
            return (following, inner[0]) if inner is not None and is_whole and len(inner[0]) > len(indent) else None
        if data[place + len(indent) : place + len(indent) + 1] not in (b"@", b"#", b"\r", b"\n", b""):
            return None
    return None


def _line_starts(data: bytes, start: int, end: int) -> Iterator[int]:
    while start < end:
        yield start
        line = _LINE.match(data, start, end)
        assert line is not None
        start = line.end()


def _is_accepted(text: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            return False
    return True
