"""Looking through trees of the intermediate language: node by node, or first of all whether it is worth it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache

import msgspec

from ormlint.ir import nodes as ir
from ormlint.ir.codec import encode

_PLAIN = frozenset({"int", "str", "bool", "list[int]", "list[str]", "Union[list[str], None]", "Union[str, int, float, bool, None]"})
_WORD = re.compile(rb"[A-Za-z_]\w*")
_LETTERS = 64  # greater lengths may


def walk(found: object) -> Iterator[ir.Node]:
    """Yields the nodes in a node or a list of statements, parents before children, in the order of the text."""
    stack: list[object] = [found]
    while stack:
        item = stack.pop()
        if isinstance(item, (list, tuple)):
            stack.extend(reversed(item))
            continue
        if isinstance(item, ir.Node):
            yield item
        names = _CHILDREN.get(type(item))
        if names is None:
            names = _CHILDREN[type(item)] = _children(item)
        stack.extend([getattr(item, name) for name in names])


_CHILDREN: dict[type, tuple[str, ...]] = {}


def _children(item: object) -> tuple[str, ...]:
    """Returns the fields of a structure that may hold nodes, last first; what is none has none."""
    kind = type(item)
    if not issubclass(kind, msgspec.Struct):
        return ()
    return tuple(name for name in reversed(kind.__struct_fields__) if _annotation(kind, name) not in _PLAIN)


def _annotation(kind: type[msgspec.Struct], name: str) -> str:
    return next(str(base.__annotations__[name]) for base in kind.__mro__ if name in getattr(base, "__annotations__", {}))


def mentions(module: ir.Module, words: Collection[str]) -> bool:
    """Whether one of these short words stands in a module, as a name or as a text of its own.

    It is looked for in the encoded module, which takes a hundredth of the time of a walk.
    """
    return _pattern(frozenset(words)).search(encode(module)) is not None


def words_of(found: ir.Module | str) -> set[bytes]:
    """Returns the words of a text or module: names, what texts are made of. Those in the very first characters of a module may be lacking.

    Like `mentions` it looks in the encoded module. There a long word stands behind a byte with its length, which may look like a letter.
    """
    words = set(_WORD.findall(found.encode() if isinstance(found, str) else encode(found)))
    return words | {word[1:] for word in words if len(word) > _LETTERS}


@cache
def _pattern(words: frozenset[str]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(re.escape(msgspec.msgpack.encode(word)) for word in sorted(words)))
