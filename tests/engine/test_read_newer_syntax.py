"""These are about the interpreters that lack the syntax; on newer ones `ast` itself must come to the same."""

from __future__ import annotations

import sys

import pytest

from ormlint.ir import nodes as ir
from ormlint.ir.printer import print_module
from ormlint.read import newer_syntax
from ormlint.read.errors import ReadError
from ormlint.read.lines import source_of
from ormlint.read.newer_syntax import parse_newer_syntax
from ormlint.read.pieces import refused_pieces
from ormlint.read.python import lower_python
from ormlint.read.statements import lower_block
from tests.engine.read_spans import misplaced, shown

SOURCES = [
    ('x = f"é{y["a"]}"', "x = text(y['a'])\n"),
    ('f"{a!r:{b["c"]}} {"d"}"', "text(a, b['c'], 'd')\n"),
    ("f'{'\\n'.join(o.x for o in xs)}'", "text('\\n'.join(generator<for o in xs: emit o.x>))\n"),
    ('f"{x.y  # why\n}" + z.w', "(text(x.y) + z.w)\n"),
    ('f"{f"{f"{a.b}"}"}"', "text(text(text(a.b)))\n"),
    ('x = "a" f"{y["b"]}" \'c\' f"{(z, 1)}{ {1: 2} }"', "x = text(y['b'], (z, 1), {1: 2})\n"),
    ('f"{x:{y}}{z!r}{w = }{v["k"]}"', "text(x, y, z, w, v['k'])\n"),
    ("type X[T] = int; y = é(z)", "y = é(z)\n"),
    ("def f[T: int](a: T) -> T: return g.h", "def f(a: T) -> T:\n    return g.h\n"),
    ("class C[*Ts, **P](B): q = 1", "class C(B):\n    q = 1\n"),
    ("try: pass\nexcept* A as b: c.d", "try:\nexcept A as b:\n    c.d\n"),
    ("def f[T](): pass\ntry: pass\nexcept (A, B): p.q", "def f():\ntry:\nexcept (A, B):\n    p.q\n"),
]
NEWEST = [
    ("try: pass\nexcept A, B: p.q", "try:\nexcept (A, B):\n    p.q\n"),
    ('t"é{x!r:>{w}}" + z', "(text(x, w) + z)\n"),
]


def lowered_by_libcst(text: str) -> ir.Module:
    older = parse_newer_syntax(text)
    assert older is not None
    assert source_of(older.offsets).text == text
    return ir.Module("m.py", "m", "python", lower_block(older.tree.body, older.offsets), [0], len(text))


@pytest.mark.parametrize(("source", "expected"), [*SOURCES, *NEWEST])
def test_newer_syntax_is_lowered_on_every_interpreter(source: str, expected: str) -> None:
    module = lower_python("m.py", "m", source)
    assert print_module(module, places=False) == expected
    assert misplaced(module.body, 0, len(source)) == []


@pytest.mark.parametrize(("source", "expected"), [*SOURCES, *NEWEST])
def test_the_rewritten_text_leads_back_to_the_original(source: str, expected: str) -> None:
    module = lowered_by_libcst(source)
    assert print_module(module, places=False) == expected
    assert misplaced(module.body, 0, len(source)) == []
    for text in shown(source, module, ir.Attr):
        assert "." in text
        assert len(text) < 30
    for name in shown(source, module, ir.Name):
        assert name.isidentifier()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the interpreter lacks the syntax")
@pytest.mark.parametrize("source", [source for source, _ in SOURCES])
def test_libcst_and_the_interpreter_agree(source: str) -> None:
    assert lowered_by_libcst(source).body == lower_python("m.py", "m", source).body


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_places_are_kept_across_lines_marks_and_wide_characters(mark: str, end: str) -> None:
    text = mark + end.join(["é = 1; type X = '日本'; a.b", 'f"""', '  日本{é["k"]}', '"""; c.d', "type Y = X", "e.f", ""])
    assert shown(text, lowered_by_libcst(text), ir.Attr) == ["a.b", "c.d", "e.f"]
    assert shown(text, lower_python("m.py", "m", text), ir.Index) == ['é["k"]']


def test_what_neither_can_parse_is_the_interpreters_error() -> None:
    with pytest.raises(ReadError) as caught:
        lower_python("m.py", "m", 'x = f"{y["a"]}"\nx = = 1\n')
    assert caught.value.kind == "syntax"


@pytest.mark.parametrize(
    "source", ["x = = 1", "x = 1", "(" * 5000, "[" * 3000 + "]" * 3000 + " type X = 1", "-" * 20_000 + "x", "\udcff = f(type X)"]
)
def test_what_is_no_newer_syntax_is_refused_without_harm(source: str) -> None:
    assert parse_newer_syntax(source) is None


def test_the_interpreter_of_the_newest_syntax_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newer_syntax, "_find_changes", lambda data: pytest.fail("libcst was asked"))
    monkeypatch.setattr("ormlint.read.python._MAY_BE_NEWER", False)
    with pytest.raises(ReadError):
        lower_python("m.py", "m", "x = = 1")


PIECES = """\
@decorated
# the decorator's
class Box[T](Base):
    size = 1

    def open(self): return f"{self.lid.size}"
    @property
    def shut(self):
        return f"{self.key["é"].hole}"
    try:
        type Y = int
    except A:
        pass

if x: z = 2
elif y: z = f"{w["k"]}"
"""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the interpreter has the syntax")
def test_only_the_statements_that_the_interpreter_refuses_are_read_by_libcst() -> None:
    refused = [piece.data.decode() for piece in refused_pieces(PIECES.encode())]
    expected = ["@decorated", "if 1:\n    @property", "if 1:\n    try:", "if x"]
    assert [text[: len(start)] for text, start in zip(refused, expected, strict=True)] == expected
    assert refused[0].endswith("class Box[T](Base):\n    pass\n")


def test_places_in_pieces_lead_back() -> None:
    module = lowered_by_libcst(PIECES)
    assert shown(PIECES, module, ir.Attr) == ["self.lid.size", "self.lid", 'self.key["é"].hole', "self.key"]
    assert shown(PIECES, module, ir.Index)[-1] == 'w["k"]'


def test_what_stands_in_a_string_is_no_statement() -> None:
    text = 'type X = int\nTEXT = """\ntype Y = int\n"""\na.b'
    assert print_module(lowered_by_libcst(text), places=False) == "TEXT = '\\ntype Y = int\\n'\na.b\n"
