"""A statement as libcst sees it, with the place of every node in the file.

libcst keeps white space, comments, commas and parentheses, which is what a small edit needs to know about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TypeVar

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, CodeSpan

Node = TypeVar("Node", bound=cst.CSTNode)
Function = cst.FunctionDef | cst.Lambda


class _Spans(ByteSpanPositionProvider):
    """Finds where nodes stand; a `MetadataWrapper` would visit the whole tree once more, for providers that nobody wants."""

    def of(self, module: cst.Module) -> Mapping[cst.CSTNode, CodeSpan]:
        self._gen_impl(module)
        return self._computed  # type: ignore[return-value]


class Statement:
    """A parsed statement whose text begins at offset `start` of its file."""

    def __init__(self, module: cst.Module, text: str, start: int) -> None:
        self.module = module
        self.text = text
        self._start = start
        self._spans = _Spans().of(module)
        self._characters = None if text.isascii() else _character_offsets(text)
        self._expressions: dict[tuple[int, int], cst.BaseExpression] | None = None

    @cached_property
    def _parents(self) -> dict[cst.CSTNode, cst.CSTNode]:
        return _parents(self.module)

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Returns where a node stands in the file, its own parentheses not included."""
        span = self._spans[node]
        first, last = span.start, span.start + span.length
        if self._characters is not None:
            first, last = self._characters[first], self._characters[last]
        return first + self._start, last + self._start

    def outer(self, node: cst.BaseExpression) -> tuple[int, int]:
        """Returns where an expression stands in the file, its own parentheses included."""
        start, end = self.span(node)
        if node.lpar:
            start, end = self.span(node.lpar[0])[0], self.span(node.rpar[-1])[1]
        return start, end

    def code(self, node: cst.CSTNode) -> str:
        """Returns the text of a node, its own parentheses not included."""
        start, end = self.span(node)
        return self.text[start - self._start : end - self._start]

    def whole_code(self, node: cst.BaseExpression) -> str:
        """Returns the text of an expression, its own parentheses included."""
        start, end = self.outer(node)
        return self.text[start - self._start : end - self._start]

    def expression(self, start: int, end: int) -> cst.BaseExpression | None:
        """Returns the expression that stands at these offsets, with or without its parentheses, or None.

        The offsets of a whole f-string may mean any expression in it, whose place is not known before Python 3.12.
        """
        if self._expressions is None:
            nodes = [node for node in self._spans if isinstance(node, cst.BaseExpression) and not _is_formatted(node)]
            self._expressions = {self.outer(node): node for node in nodes if node.lpar}
            self._expressions.update((self.span(node), node) for node in nodes)
        return self._expressions.get((start, end))

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Returns the node that a node is part of, None for the module."""
        return self._parents.get(node)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yields the nodes that a node is part of, from the inside out."""
        above = self._parents.get(node)
        while above is not None:
            yield above
            above = self._parents.get(above)

    def function(self, node: cst.CSTNode) -> Function | None:
        """Returns the innermost function around a node, or None at module or class level."""
        return next((above for above in self.ancestors(node) if isinstance(above, (cst.FunctionDef, cst.Lambda))), None)

    def within(self, node: cst.CSTNode, kind: type[Node]) -> Iterator[Node]:
        """Yields the nodes of a kind below a node, itself included, in the order of the text."""
        todo = [node]
        found: list[Node] = []
        while todo:
            current = todo.pop()
            if isinstance(current, kind):
                found.append(current)
            todo.extend(_parts(current))
        yield from sorted(found, key=self.span)


def _is_formatted(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.FormattedString) or (isinstance(node, cst.ConcatenatedString) and node.evaluated_value is None)


def _parents(module: cst.Module) -> dict[cst.CSTNode, cst.CSTNode]:
    """Returns what every node is part of; libcst's own provider visits the tree, which takes many times longer."""
    parents: dict[cst.CSTNode, cst.CSTNode] = {}
    todo: list[cst.CSTNode] = [module]
    while todo:
        node = todo.pop()
        for part in _parts(node):
            parents[part] = node
            todo.append(part)
    return parents


def _parts(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Returns the nodes that a node is made of, white space and punctuation left out: nobody looks for these, and they are most of all nodes."""
    kind = type(node)
    names = _FIELDS.get(kind)
    if names is None:
        names = _FIELDS[kind] = tuple(name for name in node.__dataclass_fields__ if not name.startswith(_SPACE))
    found = []
    for name in names:
        value = getattr(node, name)
        kind = type(value)
        if kind is tuple or kind is list:
            found += [item for item in value if _is_node(item)]
        elif _is_node(value):
            found.append(value)
    return found


_SPACE = ("whitespace", "leading_lines", "lines_after", "header", "footer", "trailing", "lpar", "rpar", "comma", "semicolon", "dot", "equal")
_FIELDS: dict[type, tuple[str, ...]] = {}
"""By class, the fields that may hold nodes which somebody looks for."""
_NODES: dict[type, bool] = {}
"""By class, whether its instances are nodes; to ask each of them takes long, as nodes have an abstract base."""


def _is_node(value: object) -> bool:
    kind = type(value)
    known = _NODES.get(kind)
    if known is None:
        known = _NODES[kind] = issubclass(kind, cst.CSTNode)
    return known


def parse_statement(text: str, start: int) -> Statement | None:
    """Returns the statement, or None if libcst cannot parse it or it is nested too deeply."""
    try:
        return Statement(cst.parse_module(text), text, start)
    except (cst.ParserSyntaxError, RecursionError):
        return None


def _character_offsets(text: str) -> list[int]:
    offsets: list[int] = []
    for number, character in enumerate(text):
        offsets.extend([number] * len(character.encode("utf-8", "surrogatepass")))
    return [*offsets, len(text)]
