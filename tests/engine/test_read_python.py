from __future__ import annotations

import ast
import gc
import random
import sys
import sysconfig
import warnings
from pathlib import Path

import pytest

from ormlint.ir import nodes as ir
from ormlint.ir.printer import print_module
from ormlint.read.errors import ReadError
from ormlint.read.python import lower_python
from tests.engine.read_spans import misplaced, nodes, shown

EXPRESSIONS = [
    ("a.b.c", "a.b.c"),
    ("'text'", None),
    ("x = b'bytes', 1j, ..., 10**0, -1, -1.5, True, None", "x = (?, ?, ?, (10 ** 0), -1, -1.5, True, None)"),
    ("x = '\\ud800'", "x = ?"),
    ("x = 99999999999999999999, -9223372036854775809, 18446744073709551615", "x = (?, ?, 18446744073709551615)"),
    ("f(a, *b, c=1, **d)", "f(a, *b, c=1, **d)"),
    ("a[0], a[1:2], a[::3], a[b, 1:]", "(a[0], a[1:2], a[::3], a[(b, 1:)])"),
    ("[1], (2,), {3}, {4: 5, **d}", "([1], (2,), {3}, {4: 5, **d})"),
    ("a and b or not c", "((a and b) or (not c))"),
    ("a < b", "(a < b)"),
    ("a < b is not c not in d", "((a < b) and (b is not c) and (c not in d))"),
    ("a + b * -c", "(a + (b * (-c)))"),
    ("~a @ b // c", "(((~a) @ b) // c)"),
    ("a if b else c", "(a if b else c)"),
    ("(x := y).z", "(x := y).z"),
    ("lambda a, /, b=1, *c, d=2, **e: a", "(lambda /a, b = 1, *c, k:d = 2, **e: a)"),
    ("[u for u in v]", "list<for u in v: emit u>"),
    ("{u for u in v if a if b}", "set<for u in v: if a: if b: emit u>"),
    ("{k: v for k, v in d}", "dict<for (k, v) in d: emit k: v>"),
    ("(u.x for t in ts for u in t.us if u)", "generator<for t in ts: for u in t.us: if u: emit u.x>"),
    ("[u async for u in v]", "list<async for u in v: emit u>"),
    ("f'{a.b!r:>{w}} text {c}'", "text(a.b, w, c)"),
    ("f'text'", "text()"),
    ("'a' f'{b}' 'c'", "text(b)"),
    ("f'{f\"{a}\"}'", "text(text(a))"),
    ("print(f'{x=}')", "print(text(x))"),
]

STATEMENTS = [
    ("x = y = 1", "x = y = 1\n"),
    ("x: int", "x: int\n"),
    ("x: 'Later' = 1", "x: 'Later' = 1\n"),
    ("x += 1; y **= 2", "x += 1\ny **= 2\n"),
    ("a, *b = c", "(a, *b) = c\n"),
    ("del a, b[0]", "del a, b[0]\n"),
    ("assert a, b", "assert a\n"),
    ("raise\nraise A from b", "raise\nraise A\n"),
    ("import a.b, c.d as e", "import a.b as a\nimport c.d as e\n"),
    ("from . import x", "from . import x as x\n"),
    ("from ..a.b import c as d, e", "from ..a.b import c as d\nfrom ..a.b import e as e\n"),
    ("from m import *", "from m import * as *\n"),
    ("pass\n...\n'text'\n1", ""),
    ("def f():\n global a\n nonlocal_ = 1", "def f():\n    nonlocal_ = 1\n"),
    ("if a: b\nelif c: d\nelse: e", "if a:\n    b\nelse:\n    if c:\n        d\n    else:\n        e\n"),
    ("for a, b in c:\n d\n break\nelse: e", "for (a, b) in c:\n    d\n    break\nelse:\n    e\n"),
    ("while a:\n continue\nelse: b", "while a:\n    continue\nelse:\n    b\n"),
    ("with a as b, c: d", "with a as b, c:\n    d\n"),
    (
        "try: a\nexcept (B, C) as d: e\nexcept: f\nelse: g\nfinally: h",
        "try:\n    a\nexcept (B, C) as d:\n    e\nexcept:\n    f\nelse:\n    g\nfinally:\n    h\n",
    ),
    ("try: a\nexcept* B: c", "try:\n    a\nexcept B:\n    c\n"),
    ("@d(1)\nclass C(B, metaclass=M):\n 'doc'\n x = 1", "@d(1)\nclass C(B, metaclass=M):\n    x = 1\n"),
    ("def f(a, /, b: int = 1, *, c=2) -> str: return a", "def f(/a, b: int = 1, k:c = 2) -> str:\n    return a\n"),
    ("def f():\n 'doc'", "def f():  # documented\n"),
    (
        "async def f():\n async with a: await b\n async for c in d: e",
        "async def f():\n    async with a:\n        (await b)\n    async for c in d:\n        e\n",
    ),
]

GENERATORS = [
    ("def f(): yield", ["f"]),
    ("def f(): x = yield from y", ["f"]),
    ("def f():\n def g(): yield 1", ["g"]),
    ("def f():\n def g(): pass\n yield 1", ["f"]),
    ("def f():\n yield 1\n def g(): pass", ["f"]),
    ("def f(): return lambda: (yield)", []),
    ("def f(a=lambda: (yield)): pass", []),
]

MATCHES = [
    ("match f(a):\n case 1: b\n case _: c", "f(a)\nif ?:\n    b\nelse:\n    c\n"),
    ("match a:\n case B() | C(): d\n case [x, *y]: z", "a\nif ?:\n    d\nelse:\n    if ?:\n        x = ?\n        y = ?\n        z\n"),
    ("match a:\n case {'k': v, **rest}: b", "a\nif ?:\n    rest = ?\n    v = ?\n    b\n"),
    ("match a:\n case B() as c if c.d: e", "a\nif ?:\n    c = a\n    if c.d:\n        e\n"),
    ("match a:\n case B(c=d, e=F(g=1), h=_): i", "a\nif ?:\n    d = ?\n    d = a.c\n    a.e\n    a.e.g\n    a.h\n    i\n"),
    ("match a.b:\n case c: d", "a.b\nc = ?\nd\n"),
    ("match a:\n case x if y: b\n case _: c", "a\nif ?:\n    x = a\n    if y:\n        b\nelse:\n    c\n"),
]


def pseudo(text: str) -> str:
    return print_module(lower_python("m.py", "m", text), places=False)


@pytest.mark.parametrize(("source", "expected"), EXPRESSIONS)
def test_expressions(source: str, expected: str | None) -> None:
    assert pseudo(source) == (f"{expected}\n" if expected is not None else "")


@pytest.mark.parametrize(("source", "expected"), STATEMENTS)
def test_statements(source: str, expected: str) -> None:
    assert pseudo(source) == expected


@pytest.mark.parametrize(("source", "expected"), MATCHES)
def test_match_becomes_branches_with_unknown_tests(source: str, expected: str) -> None:
    assert pseudo(source) == expected


@pytest.mark.parametrize(("source", "expected"), GENERATORS)
def test_a_function_is_a_generator_if_its_own_body_yields(source: str, expected: list[str]) -> None:
    module = lower_python("m.py", "m", source)
    assert [node.name for node in nodes(module.body) if isinstance(node, ir.Function) and node.is_generator] == expected


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_type_aliases_and_parameters_are_dropped() -> None:
    assert pseudo("type X[T] = list[T]\ndef f[T](a: T): pass\nclass C[T](B): pass") == "def f(a: T):\nclass C(B):\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("__all__ = ['a', 'b']", ["a", "b"]),
        ("__all__ = ('a',)", ["a"]),
        ("__all__: list[str] = ['a']\n__all__ += ['b']", ["a", "b"]),
        ("__all__ = []", []),
        ("__all__ = ['a'] + other", None),
        ("__all__ = ['a']\n__all__ += other.__all__", None),
        ("def f(): __all__ = ['a']", None),
        ("x = 1", None),
    ],
)
def test_exports(source: str, expected: list[str] | None) -> None:
    assert lower_python("m.py", "m", source).exports == expected


def test_the_comments_that_speak_to_us_are_kept() -> None:
    text = """x = "# ormlint: ignore"  # ormlint: ignore[ORM101] écrit
y = '''
# noqa
''' # NOQA: ORM101
z = 'it\\'s # noqa' # plain
w = r'\\' # noqa'
"""
    comments = lower_python("m.py", "m", text).comments
    assert [comment.text for comment in comments] == [" ormlint: ignore[ORM101] écrit", " NOQA: ORM101"]
    assert all(text[comment.start] == "#" for comment in comments)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_spans_are_character_offsets(end: str, mark: str) -> None:
    text = mark + end.join(["é = '🎉'; ünï.cödé(x)", "if é:", "\ta.b  # 日本", "\tf('日本', g.h)", ""])
    module = lower_python("m.py", "m", text)
    assert shown(text, module, ir.Attr) == ["ünï.cödé", "a.b", "g.h"]
    assert shown(text, module, ir.Const) == ["'🎉'", "'日本'"]
    assert [text[start - 1] for start in module.lines[1:]] == [end[-1]] * 4
    assert module.length == len(text)


def test_a_form_feed_ends_no_line() -> None:
    assert lower_python("m.py", "m", "a\n\fb\x0c.c\n").lines == [0, 2, 8]


def test_a_definition_begins_at_its_keyword() -> None:
    text = "@a\n@b.c\nasync def f(): pass\n@d\nclass C: pass\n"
    module = lower_python("m.py", "m", text)
    assert shown(text, module, ir.Function) == ["async def f(): pass"]
    assert shown(text, module, ir.Class) == ["class C: pass"]
    assert shown(text, module, ir.Attr) == ["b.c"]


def test_a_loop_spans_its_statement_and_a_parameter_its_default() -> None:
    text = "x = 1\nfor a in b:\n    c\nelse:\n    d\ndef f(a: int = 1, *, b=g()): pass"
    module = lower_python("m.py", "m", text)
    assert shown(text, module, ir.Loop) == ["for a in b:\n    c\nelse:\n    d"]
    assert shown(text, module, ir.Param) == ["a: int = 1", "b=g()"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = f'{a.b} {c.d!r:>{e.f}}'", ["a.b", "c.d", "e.f"]),
        ("x = f'é{a.b}' 'text' f'{c.d}'", ["a.b", "c.d"]),
    ],
)
def test_expressions_in_simple_fstrings_are_where_they_stand(source: str, expected: list[str]) -> None:
    assert shown(source, lower_python("m.py", "m", source), ir.Attr) == expected


@pytest.mark.parametrize("source", ["f'''\n  {a.b}\n {\n c.d}'''", "f'{x}{f\"{a.b}\"}{(a, b)}'", "f'{ {1: a.b}[1] }'", "(f'{a}'\n f'''{\nb.c}''')"])
def test_nothing_in_an_fstring_lies_outside_of_it(source: str) -> None:
    module = lower_python("m.py", "m", source)
    assert misplaced(module.body, 0, len(source)) == []


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [("x = 1\ny = = 2", 2, 5), ("é = 'é' ö ü", 1, 9), ("def f(:", 1, 7), ("if x:\npass", 2, 1), ("return )", 1, 8), ("print 'x' 'y' z", 1, 1)],
)
def test_a_syntax_error_names_its_place(source: str, line: int, column: int) -> None:
    with pytest.raises(ReadError) as caught:
        lower_python("m.py", "m", source)
    assert (caught.value.line, caught.value.column, caught.value.kind) == (line, column, "syntax")
    assert caught.value.message


def test_nul_characters_are_an_error() -> None:
    with pytest.raises(ReadError):
        lower_python("m.py", "m", "x = 1\0")


@pytest.mark.parametrize(
    "source", ["-" * 3000 + "x", "x" + ".y" * 3000, "x" + ".y()" * 3000, "if a: b\n" + "elif a: b\n" * 3000, "(" * 5000 + ")" * 5000]
)
def test_absurd_nesting_is_an_error(source: str) -> None:
    with pytest.raises(ReadError):
        lower_python("m.py", "m", source)


def deep(levels: int, source: str) -> ir.Module:
    return deep(levels - 1, source) if levels else lower_python("m.py", "m", source)


def test_what_can_be_read_does_not_depend_on_the_callers_depth() -> None:
    source = "x" + ".y()" * 400
    limit = sys.getrecursionlimit()
    assert deep(500, source) == lower_python("m.py", "m", source)
    assert sys.getrecursionlimit() == limit


def test_long_chains_of_one_operator_are_not_deep() -> None:
    source = " + ".join(f"a{number}.b" for number in range(500))
    module = lower_python("m.py", "m", source)
    assert [name.id for name in nodes(module.body) if isinstance(name, ir.Name)] == [f"a{number}" for number in range(500)]
    assert misplaced(module.body, 0, len(source)) == []
    assert print_module(module).count("(") == 499


def test_short_chains_keep_their_association() -> None:
    assert pseudo("a - b - c - d") == "(((a - b) - c) - d)\n"


def test_reading_warns_of_nothing_and_leaves_the_collector_as_it_was() -> None:
    assert gc.isenabled()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lower_python("m.py", "m", "x = '\\d'\nassert (x, 1)\nx is 1")
    assert gc.isenabled()


def library_sample() -> list[Path]:
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py"))
    return random.Random(7).sample([file for file in files if "site-packages" not in file.parts], 300)


def test_the_standard_library_can_be_read_and_every_span_lies_in_its_parent() -> None:
    read = 0
    for file in library_sample():
        with open(file, encoding="utf-8", errors="replace", newline="") as stream:
            text = stream.read()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        module = lower_python(str(file), "m", text)
        assert misplaced(module.body, 0, len(text)) == [], file
        for name in nodes(module.body):
            if type(name) is ir.Name and text[name.start : name.end].isascii() and "{" not in text[name.start : name.end]:
                assert text[name.start : name.end] == name.id, (file, name)
        read += 1
    assert read > 200
