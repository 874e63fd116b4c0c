from __future__ import annotations

import msgspec
import pytest

from ormlint.ir import nodes as ir
from ormlint.ir.codec import CodecError, decode, encode, format_fingerprint
from ormlint.ir.printer import print_module, print_tree
from ormlint.read.python import lower_python

TEXT = """@d
class C(B, k=1):
    async def f(self, a: int = 1, *b, **c) -> str:
        async with a as x, y: await z
        for (p, q), in [u async for u in v if w]: yield from p
        return {1: None, **m}, {2}, [True, 1.5, 'é', b''], -x, not a, a if b else (c := lambda: f'{d}')
try: del a[1:2], b
except E as e: raise
while x < 1 <= y or z: break
x: int
x += f(*a, **b)
assert x  # noqa: ORM101
import a.b
from .. import c as d
__all__ = ['a']
"""


def test_a_decoded_module_equals_the_encoded_one_in_value_and_kind() -> None:
    module = lower_python("m.py", "m", TEXT, is_package=True)
    decoded = decode(encode(module))
    assert decoded == module
    assert repr(decoded) == repr(module)


def test_every_prefix_and_foreign_bytes_are_refused() -> None:
    data = encode(lower_python("m.py", "m", TEXT))
    for end in range(0, len(data), 7):
        with pytest.raises(CodecError):
            decode(data[:end])
    with pytest.raises(CodecError):
        decode(msgspec.msgpack.encode({"path": "m.py"}))


def test_node_tags_are_distinct_and_the_fingerprint_is_stable() -> None:
    kinds = [kind for kind in vars(ir).values() if isinstance(kind, type) and issubclass(kind, ir.Node) and kind is not ir.Node]
    tags = [kind.__struct_config__.tag for kind in kinds]
    assert None not in tags
    assert len(set(tags)) == len(kinds)
    assert format_fingerprint() == format_fingerprint()


def test_statements_are_printed_with_their_places() -> None:
    assert print_module(lower_python("m.py", "m", "for é in b:\n    c(é)\nelse:\n    d\n")) == (
        "1:1-4:6        for é in b:\n2:5-2:9            c(é)\n               else:\n4:5-4:6            d\n"
    )


def test_a_tree_shows_every_node() -> None:
    assert print_tree(lower_python("m.py", "m", "x = a.b[1]\n")) == (
        "1:1-1:11       Assign\n"
        "1:1-1:2          Name id='x'\n"
        "1:5-1:11         Index\n"
        "1:5-1:8            Attr name='b'\n"
        "1:5-1:6              Name id='a'\n"
        "1:9-1:10           Const value=1\n"
    )
