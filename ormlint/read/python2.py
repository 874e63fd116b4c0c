"""Python 2, rewritten to Python 3 that means the same to ormlint.

Old programs are mostly valid Python 3, but for a statement here and there: `print x`, `except E, error:`, `raise E, "text"`, `exec code`, a
backtick, `<>`, `0777`, `10L`, `ur""`, a pair among the parameters, a tab that counts for eight spaces. The text is cut into tokens, since no
parser at hand knows them; what the rewritten text says is left to `ast`, which refuses whatever was misunderstood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ormlint.read.rewritten import Change, Reading, data_of, read_rewritten

_TOKEN = re.compile(
    rb'(?P<string>[uUbB]?[rR]?(?:"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\''
    rb'|"(?:[^"\\\r\n]|\\\r\n|\\.)*"|\'(?:[^\'\\\r\n]|\\\r\n|\\.)*\'))'
    rb"|(?P<number>0[xXoObB][0-9a-fA-F]+[lL]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[lLjJ]?)"
    rb"|(?P<name>[A-Za-z_\x80-\xff][\w\x80-\xff]*)"
    rb"|(?P<space>[ \t\f]+|\\\r?\n|#[^\r\n]*)"
    rb"|(?P<end>\r\n?|\n)"
    rb"|(?P<sign><>|>>=|>>|==|!=|<=|>=|.)",
    re.DOTALL,
)
_OCTAL = re.compile(rb"0\d*[1-7]\d*[lL]?\Z")
_ESCAPE = re.compile(rb"\\(?:[uUN]|x(?![0-9a-fA-F]{2}))")
_INDENT = re.compile(rb"[ \f]*\t[ \t\f]*")
_WIDTH_OF_TAB = 8
_NO_STATEMENT = frozenset({b"(", b"=", b".", b",", b")", b":", b"==", b"in", b"is"})  # behind `print` where that is a name


class _Token(NamedTuple):
    kind: str
    text: bytes
    start: int
    end: int
    depth: int  # brackets around it


def parse_python2(text: str) -> Reading | None:
    """Returns the tree of the text as Python 3, or None if the text is not valid Python 2 either."""
    changes = sorted(_changes(data_of(text)))
    return read_rewritten(text, changes) if changes else None


def _changes(data: bytes) -> Iterator[Change]:
    for indent, line in _lines(data):
        if _INDENT.match(data, indent, line[0].start):
            yield Change(indent, line[0].start, b" " * len(data[indent : line[0].start].expandtabs(_WIDTH_OF_TAB)))
        for token in line:
            yield from _change_of_token(token)
        yield from _async_names(line)
        yield from _pairs(line)
        quotes = [token for token in line if token.text == b"`"]
        for number, quote in enumerate(quotes):
            yield Change(quote.start, quote.end, b")" if number % 2 else b"repr(")
        for statement in _statements(line):
            yield from _changes_of_statement(statement)


def _lines(data: bytes) -> Iterator[tuple[int, list[_Token]]]:
    """Yields the tokens of every logical line that has any, and where its indentation begins."""
    line: list[_Token] = []
    depth = begin = 0
    for match in _TOKEN.finditer(data):
        kind = match.lastgroup or ""
        if kind == "end" and depth == 0:
            if line:
                yield begin, line
            line, begin = [], match.end()
        elif kind in ("string", "number", "name", "sign"):
            depth = max(depth - (match[0] in b")]}"), 0) if kind == "sign" else depth
            line.append(_Token(kind, match[0], *match.span(), depth))
            depth += kind == "sign" and match[0] in b"([{"
        elif kind == "end" and not line:
            begin = match.end()
    if line:
        yield begin, line


def _change_of_token(token: _Token) -> Iterator[Change]:
    text, start, end = token.text, token.start, token.end
    if token.kind == "sign":
        if text == b"<>":
            yield Change(start, end, b"!=")
    elif token.kind == "number":
        digits = text if text[:2].lower() == b"0x" and text[-1:] not in b"lL" else text.rstrip(b"lL")
        digits = b"0o" + digits[1:] if _OCTAL.match(digits) else digits
        if digits != text:
            yield Change(start, end, digits)
    elif token.kind == "string":
        prefix = text[: min(place for quote in (b'"', b"'") if (place := text.find(quote)) >= 0)].lower()
        if prefix == b"ur":
            yield Change(start, start + 1, b"")
        elif not prefix and _ESCAPE.search(text):  # text in bytes, where `\u` means nothing
            yield Change(start, start, b"r")


def _async_names(line: list[_Token]) -> Iterator[Change]:
    for token, following in zip(line, [*line[1:], None], strict=True):
        if token.text == b"async" and (following is None or following.text not in (b"def", b"for", b"with")):
            yield Change(token.start, token.end, b"async_")


def _pairs(line: list[_Token]) -> Iterator[Change]:
    """Yields a name for every pair among the parameters of a function: `lambda (key, value): …`; what it holds is then not known."""
    number = 0
    while number < len(line):
        token = line[number]
        number += 1
        if token.text == b"lambda":
            inside, before = token.depth, b"("
        elif token.text == b"def" and number + 1 < len(line) and line[number + 1].text == b"(":
            inside, before = token.depth + 1, b"("
            number += 2
        else:
            continue
        while number < len(line) and line[number].depth >= inside and line[number].text not in (b":",):
            if line[number].text == b"(" and line[number].depth == inside and before in (b"(", b","):
                close = next((i for i in range(number, len(line)) if line[i].text == b")" and line[i].depth == inside), number)
                yield Change(line[number].start, line[close].end, b"pair_%d" % line[number].start)
                number = close
            before = line[number].text
            number += 1


def _statements(line: list[_Token]) -> Iterator[list[_Token]]:
    """Yields the simple statements of a line, and the heads of compound ones without their colon."""
    statement: list[_Token] = []
    lambdas = 0
    for token in line:
        if token.depth == 0 and token.text == b"lambda":
            lambdas += 1
        if token.depth == 0 and token.text == b":" and lambdas:
            lambdas -= 1
        elif token.depth == 0 and token.text in (b";", b":"):
            yield statement
            statement = []
            continue
        statement.append(token)
    yield statement


def _changes_of_statement(statement: list[_Token]) -> Iterator[Change]:
    if len(statement) < 2:
        return
    first, second, last = statement[0], statement[1], statement[-1]
    comma = next((token for token in statement if token.text == b"," and token.depth == 0), None)
    if first.text in (b"print", b"exec"):
        if second.text not in _NO_STATEMENT:
            arrow = second.text == b">>"
            yield Change(second.start if arrow else first.end, second.end if arrow else first.end, b"(")
            yield Change(last.end, last.end, b")")
    elif first.text == b"raise" and comma is not None and comma is not second:
        yield Change(comma.start, comma.end, b"(")
        yield Change(last.end, last.end, b")")
    elif first.text == b"except" and comma is not None:
        yield Change(comma.start, comma.end, b" as ") if last is statement[statement.index(comma) + 1] else Change(comma.start, last.end, b"")


__all__ = ["parse_python2"]
