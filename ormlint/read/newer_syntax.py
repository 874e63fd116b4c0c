"""Source with syntax newer than the running interpreter, rewritten to older syntax that means the same to ormlint.

libcst parses what the interpreter cannot. Type parameters and `type` statements are dropped, `except*` becomes `except`,
and f-strings and t-strings become calls of a marker whose arguments are their expressions, turned back into f-strings
in the syntax tree. All the rest of the text stays as it is, so every place in it can be mapped back exactly.

libcst recurses without a limit and would bring the interpreter down on absurd nesting: such text is refused first.
"""

from __future__ import annotations

import ast
import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ormlint.read.lines import Source, line_starts

_MARKER = "__ormlint_text__"
_DEEPEST, _LONGEST_LINE = 200, 10_000
_BRACKET = re.compile(r"[\[({]|[\])}]")
_STAR_OF_EXCEPT = re.compile(rb"except(?:[ \t\f]|\\\r?\n)*(\*)")


class Change(NamedTuple):
    """The bytes `start:end` of the text are replaced by `content`."""

    start: int
    end: int
    content: bytes


@dataclass(frozen=True, slots=True)
class OlderSyntax:
    """A syntax tree of rewritten text, and the line offsets that lead from its positions into the original text."""

    tree: ast.Module
    offsets: list[int]


def parse_newer_syntax(text: str) -> OlderSyntax | None:
    """Returns the tree of the text as older syntax, or None if the text is not valid newer syntax either."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    data = text[len(mark) :].encode("utf-8", "surrogatepass")
    if not _is_safe_to_parse(text):
        return None
    changes = _find_changes(data)
    if not changes:
        return None
    places = _Places.of(data, changes, len(mark))
    try:
        tree = ast.parse(places.rewritten)
    except (SyntaxError, ValueError):
        return None
    return OlderSyntax(ast.fix_missing_locations(_Unmark().visit(tree)), MappedLines([Source.of(text, is_exact=True), *places.line_starts], places))


def _is_safe_to_parse(text: str) -> bool:
    depth = 0
    for match in _BRACKET.finditer(text):
        depth = depth + 1 if match[0] in "[({" else max(depth - 1, 0)
        if depth > _DEEPEST:
            return False
    return all(len(line) <= _LONGEST_LINE for line in text.splitlines())


def _find_changes(data: bytes) -> list[Change]:
    """Returns the changes in order; none if libcst cannot parse the text."""
    import libcst
    from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

    try:
        wrapper = MetadataWrapper(libcst.parse_module(data.decode("utf-8", "surrogatepass")), unsafe_skip_copy=True)
    except (libcst.ParserSyntaxError, libcst.CSTValidationError, UnicodeError, RecursionError):
        return []
    spans = {node: (span.start, span.start + span.length) for node, span in wrapper.resolve(ByteSpanPositionProvider).items()}
    changes: list[Change] = []
    todo: list[Any] = [wrapper.module]
    while todo:
        node = todo.pop()
        found = _changes_of(node, spans, data)
        if found is None:
            todo.extend(node.children)
        else:
            changes += found.changes
            todo += found.remaining
    return sorted(changes)


class _Found(NamedTuple):
    changes: list[Change]
    remaining: list[Any]  # the nodes in which to look further


def _changes_of(node: Any, spans: dict[Any, tuple[int, int]], data: bytes) -> _Found | None:
    """Returns the changes that one node of libcst calls for, or None if it calls for none."""
    match type(node).__name__:
        case "TypeAlias":
            start, end = spans[node]
            if type(node.semicolon).__name__ == "Semicolon":  # which libcst counts as part of the statement
                end = data.rindex(b";", start, end)
            return _Found([Change(start, end, b"pass")], [])
        case "TypeParameters":
            return _Found([Change(*spans[node], b"")], [])
        case "FormattedString" | "TemplatedString" | "ConcatenatedString":
            return _text_changes(node, spans)
        case "ExceptHandler" | "ExceptStarHandler":
            return _handler_changes(node, spans, data)
        case "Subscript":
            return _subscript_changes(node, spans)
        case "Annotation" if type(node.annotation).__name__ == "StarredElement":
            start = spans[node.annotation][0]
            return _Found([Change(start, start + 1, b"")], [node.annotation.value])
        case _:
            return None


def _text_changes(node: Any, spans: dict[Any, tuple[int, int]]) -> _Found | None:
    """`f"a {x["k"]:>{w}} b"` becomes `__ormlint_text__((x["k"]),(w),)`."""
    strings = list(_strings(node))
    if all(type(string).__name__ == "SimpleString" for string in strings):
        return _Found([], [])
    expressions = [expression for string in strings for expression in _expressions(string)]
    start, end = spans[node]
    changes, opening = [], f"{_MARKER}(("
    for expression in expressions:
        first, last = spans[expression]  # without the parentheses
        if expression.lpar:
            first, last = spans[expression.lpar[0]][0], spans[expression.rpar[-1]][1]
        changes.append(Change(start, first, opening.encode()))
        start, opening = last, "),("
    changes.append(Change(start, end, b"),)" if expressions else f"{_MARKER}()".encode()))
    return _Found(changes, expressions)


def _strings(node: Any) -> Iterator[Any]:
    if type(node).__name__ == "ConcatenatedString":
        yield from _strings(node.left)
        yield from _strings(node.right)
    else:
        yield node


def _expressions(string: Any) -> Iterator[Any]:
    if type(string).__name__ == "SimpleString":
        return
    todo = list(reversed(string.parts))
    while todo:
        part = todo.pop()
        if hasattr(part, "expression"):
            yield part.expression
            todo += reversed(part.format_spec or ())


def _handler_changes(node: Any, spans: dict[Any, tuple[int, int]], data: bytes) -> _Found:
    changes = []
    star = _STAR_OF_EXCEPT.match(data, spans[node][0])
    if star and type(node).__name__ == "ExceptStarHandler":
        changes.append(Change(star.start(1), star.end(1), b" "))
    if type(node.type).__name__ == "Tuple" and not node.type.lpar:  # `except A, B:`
        start, end = spans[node.type]
        changes += [Change(start, start, b"("), Change(end, end, b")")]
    return _Found(changes, list(node.children))


def _subscript_changes(node: Any, spans: dict[Any, tuple[int, int]]) -> _Found | None:
    if not any(getattr(element.slice, "star", None) for element in node.slice):
        return None
    start, end = spans[node.lbracket][1], spans[node.rbracket][0]
    has_comma = type(node.slice[-1].comma).__name__ == "Comma"
    return _Found([Change(start, start, b"("), Change(end, end, b")" if has_comma else b",)")], list(node.children))


class _Unmark(ast.NodeTransformer):
    """Turns calls of the marker back into f-strings."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not (isinstance(node.func, ast.Name) and node.func.id == _MARKER):
            return node
        # formatted, so that nobody takes the texts for known that were left out
        parts: list[ast.expr] = [ast.copy_location(ast.FormattedValue(value, ord("s")), value) for value in node.args]
        return ast.copy_location(ast.JoinedStr(parts), node)


@dataclass(frozen=True, slots=True)
class _Places:
    """Leads from lines and byte columns of the rewritten text to characters of the original one.

    `pieces` are the beginnings of kept and of replaced stretches: (offset when rewritten, offset in the original, whether kept).
    """

    rewritten: bytes
    line_starts: list[int]
    pieces: list[tuple[int, int, bool]]
    characters: _Characters

    @classmethod
    def of(cls, data: bytes, changes: list[Change], shift: int) -> _Places:
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

    def __init__(self, offsets: list[int], places: _Places) -> None:
        super().__init__(offsets)
        self.places = places

    def __getitem__(self, number: int) -> int:  # type: ignore[override]
        if number == 0:
            return super().__getitem__(0)
        line = _MappedLine(number)
        line.places = self.places
        return line


class _MappedLine(int):
    places: _Places

    def __add__(self, column: int) -> int:
        return self.places.offset(int(self), column)
