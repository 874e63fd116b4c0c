"""Source with syntax newer than the running interpreter, rewritten to older syntax that means the same to ormlint.

libcst parses what the interpreter cannot. Type parameters and `type` statements are dropped, `except*` becomes `except`,
and f-strings and t-strings become calls of a marker whose arguments are their expressions, turned back into f-strings
in the syntax tree. All the rest of the text stays as it is, so every place in it can be mapped back exactly.

libcst recurses without a limit and would bring the interpreter down on absurd nesting: such text is refused first.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

from ormlint.read.lines import Source
from ormlint.read.pieces import Piece, refused_pieces
from ormlint.read.rewritten import Change, Reading, data_of, read_rewritten

_MARKER = "__ormlint_text__"
_DEEPEST, _LONGEST_LINE = 200, 10_000
_BRACKET = re.compile(r"[\[({]|[\])}]")
_STAR_OF_EXCEPT = re.compile(rb"except(?:[ \t\f]|\\\r?\n)*(\*)")


def parse_newer_syntax(text: str) -> Reading | None:
    """Returns the tree of the text as older syntax, or None if the text is not valid newer syntax either."""
    if not _is_safe_to_parse(text):
        return None
    data = data_of(text)
    # in pieces first, which leaves the f-strings of the others as they are: libcst takes a hundred times as long as the interpreter
    for pieces, source in ((list(refused_pieces(data)), Source.of(text)), ([Piece(data, 0)], None)):
        changes = [_changes_in(piece) for piece in pieces]
        reading = read_rewritten(text, list(chain.from_iterable(changes)), source) if changes and all(changes) else None
        if reading is not None:
            return Reading(ast.fix_missing_locations(_Unmark().visit(reading.tree)), reading.offsets)
    return None


def _is_safe_to_parse(text: str) -> bool:
    depth = 0
    for match in _BRACKET.finditer(text):
        depth = depth + 1 if match[0] in "[({" else max(depth - 1, 0)
        if depth > _DEEPEST:
            return False
    return all(len(line) <= _LONGEST_LINE for line in text.splitlines())


def _changes_in(piece: Piece) -> list[Change]:
    return [Change(start + piece.shift, end + piece.shift, content) for start, end, content in _find_changes(piece.data)]


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
