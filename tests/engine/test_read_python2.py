"""What is valid Python 2 alone is read as if it were Python 3, and every place in it stays where it is."""

from __future__ import annotations

import pytest

from ormlint.ir import nodes as ir
from ormlint.ir.printer import print_module
from ormlint.read.errors import ReadError
from ormlint.read.python import lower_python
from ormlint.read.python2 import parse_python2
from tests.engine.read_spans import misplaced, shown

SOURCES = [
    ('print "a", b.c', "print('a', b.c)\n"),
    ("print >>log.err, 'é', b.c; print a", "print(log.err, 'é', b.c)\nprint(a)\n"),
    ("if a: print b; c.d\nelse: print", "if a:\n    print(b)\n    c.d\nelse:\n    print\n"),
    ("print [x.y for x in z],", "print(list<for x in z: emit x.y>)\n"),
    ("print (a) % b; print c", "(print(a) % b)\nprint(c)\n"),
    ("try: pass\nexcept (A, B), e: print e.f", "try:\nexcept (A, B) as e:\n    print(e.f)\n"),
    ("try: print\nexcept A, (b, c): print b", "try:\n    print\nexcept A:\n    print(b)\n"),
    ("raise E, 'text' % a.b", "raise E(('text' % a.b))\n"),
    ("raise E, None, trace", "raise E(None, trace)\n"),
    ("exec code.text in {}", "exec((code.text in {}))\n"),
    ("x = `a.b` + `c`", "x = (repr(a.b) + repr(c))\n"),
    ("x = a.b <> 0777", "x = (a.b != 511)\n"),
    ("x = 10L + 0x1fL + 0L; y = a.b", "x = ((10 + 31) + 0)\ny = a.b\n"),
    (r'x = ur"\d" + a.b' + "\nprint x", "x = ('\\\\d' + a.b)\nprint(x)\n"),
    (r'x = "C:\Users" + a.b', "x = ('C:\\\\Users' + a.b)\n"),
    ("f(async=True); a.async", "f(async_=True)\na.async_\n"),
    ("x = {1: lambda a: a.b, 2: 3}; print x", "x = {1: (lambda a: a.b), 2: 3}\nprint(x)\n"),
]


@pytest.mark.parametrize(("source", "expected"), SOURCES)
def test_python_2_is_lowered_and_leads_back_to_the_text(source: str, expected: str) -> None:
    module = lower_python("m.py", "m", source)
    assert print_module(module, places=False) == expected
    assert misplaced(module.body, 0, len(source)) == []
    for text in shown(source, module, ir.Attr):
        assert "." in text
        assert len(text) < 12


def test_a_pair_among_the_parameters_is_one_of_which_nothing_is_known() -> None:
    source = "x = sorted(y, key=lambda (k, v), z=1: v)\ndef f(self, (a, b)=(1, 2), *c): return a.d\n"
    printed = print_module(lower_python("m.py", "m", source), places=False)
    assert "lambda pair_" in printed
    assert "z = 1" in printed
    assert shown(source, lower_python("m.py", "m", source), ir.Attr) == ["a.d"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_tab_counts_for_eight_spaces_and_places_are_kept(end: str) -> None:
    text = end.join(["if é:", "        a.b", "\tprint '''", "\tno: print x", "''', c.d  # `", "\ttry: e.f", "\texcept A, e: g.h", ""])
    module = lower_python("m.py", "m", text)
    assert shown(text, module, ir.Attr) == ["a.b", "c.d", "e.f", "g.h"]


@pytest.mark.parametrize("source", ["x = = 1", "print x y", "x = 1", "", "except A, B, C: pass", "`", "raise , x", '"""', "(" * 3000, "print 'é"])
def test_what_is_no_python_2_is_refused(source: str) -> None:
    assert parse_python2(source) is None


def test_what_nobody_can_read_is_the_error_of_the_interpreter() -> None:
    with pytest.raises(ReadError) as caught:
        lower_python("m.py", "m", "print x\nx = = 1\n")
    assert (caught.value.kind, caught.value.line) == ("syntax", 1)
