"""Assertions about the spans of modules."""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir


def nodes(value: object) -> Iterator[ir.Node]:
    """Yields all nodes in a tree."""
    if isinstance(value, ir.Node):
        yield value
        for name in value.__struct_fields__:
            yield from nodes(getattr(value, name))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from nodes(item)


def misplaced(value: object, low: int, high: int) -> list[ir.Node]:
    """Returns the nodes that do not lie within their parents; decorators stand before their function."""
    if isinstance(value, ir.Node):
        if not low <= value.start <= value.end <= high:
            return [value]
        found = []
        for name in value.__struct_fields__:
            start = low if name == "decorators" else value.start
            found += misplaced(getattr(value, name), start, value.end)
        return found
    if isinstance(value, (list, tuple)):
        return [node for item in value for node in misplaced(item, low, high)]
    return []


def shown(text: str, module: ir.Module, kind: type[ir.Node]) -> list[str]:
    """Returns the source of every node of a kind, in order."""
    return [text[node.start : node.end] for node in nodes(module.body) if type(node) is kind]
