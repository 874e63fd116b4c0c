from __future__ import annotations

import random
import re

import pytest

from ormlint.ir import nodes as ir
from ormlint.ir.codec import encode
from ormlint.ir.printer import print_module
from ormlint.read.errors import ReadError
from ormlint.read.jinja_template import lower_jinja
from tests.engine.read_spans import misplaced, shown

OUTPUTS = [
    ("a", "a"),
    (" a.b['c'].0.d ", "a.b['c'][0].d"),
    ("a.b(1, *c, d=e, **f)", "a.b(1, *c, d=e, **f)"),
    ("a|f|g(1, b=c)", "filter:g(filter:f(a), 1, b=c)"),
    ("a.b|f + c|g", "(filter:f(a.b) + filter:g(c))"),
    ("a ~ b.c ~ 'd'", "text(a, b.c, 'd')"),
    ("a if b else c", "(a if b else c)"),
    ("a if b", "(a if b else None)"),
    ("a or b and not c", "(a or (b and (not c)))"),
    ("a < b == c", "((a < b) and (b == c))"),
    ("a not in b", "(a not in b)"),
    ("a is defined", "test:defined(a)"),
    ("a is not divisibleby 3 or b", "((not test:divisibleby(a, 3)) or b)"),
    ("a is sameas(b)", "test:sameas(a, b)"),
    ("-1 + -a ** 2 // 3", "(-1 + ((-(a ** 2)) // 3))"),
    ("1.5, 1_000, 'é\\'', 'a' 'b', true, None", "(1.5, 1000, \"é'\", 'a', True, None)"),
    ("[a, {'k': b.c,}, (), (d,)]", "[a, {'k': b.c}, (), (d,)]"),
    ("a[1:], a[:b], a[::2], a[1, 2]", "(a[1:], a[:b], a[::2], a[(1, 2)])"),
    ("loop.index", "loop.index"),
]

TAGS = [
    ("{% for a in b.c() %}{{ a }}{% endfor %}", "template for a in b.c():\n    __output__(a)\n"),
    ("{% for k, v in a.items() %}{% else %}{{ b }}{% endfor %}", "template for (k, v) in a.items():\nelse:\n    __output__(b)\n"),
    ("{% for a in b if a.c recursive %}{{ a }}{% endfor %}", "template for a in b:\n    if a.c:\n        __output__(a)\n"),
    ("{% for a in b %}{% continue %}{% break %}{% endfor %}", "template for a in b:\n    continue\n    break\n"),
    (
        "{%- if a -%}{{- b -}}{%+ elif c %}{{ d }}{% else %}{{ e }}{% endif -%}",
        "if a:\n    __output__(b)\nelse:\n    if c:\n        __output__(d)\n    else:\n        __output__(e)\n",
    ),
    ("{% set a, b.c = d, 1 %}", "(a, b.c) = (d, 1)\n"),
    ("{% set a %}{{ b }}{% endset %}", "__output__(b)\na = ?\n"),
    ("{% with a=b.c, d=1 %}{{ a }}{% endwith %}", "a = b.c\nd = 1\n__output__(a)\n"),
    ("{% include ['a', b] ignore missing %}", "include(['a', b])\n"),
    ("{% extends a.b if c else 'd' %}", "extends(a.b)\n"),
    ("{% block a scoped %}{{ b }}{% endblock a %}", "def block:a():\n    __output__(b)\nblock('a')\n"),
    ("{% macro m(a, b=1) %}{{ a.c }}{% endmacro %}", "def m(a, b = 1):\n    __output__(a.c)\n"),
    ("{% call(a) m(b) %}{{ a }}{% endcall %}", "def caller:0(a):\n    __output__(a)\nm(b, caller=caller:0)\n"),
    ("{% macro m(a) %}{{ caller(a) }}{% endmacro %}", "def m(a, k:caller = None):\n    __output__(caller(a))\n"),
    ("{% set a.b = c %}", "a['b'] = c\n"),
    ("{% call m() %}{{ a }}{% endcall %}", "m()\n__output__(a)\n"),
    ("{% import 'a' as b %}", "b = import('a')\n"),
    ("{% from 'a' import b, c as d with context %}", "b = import('a').b\nd = import('a').c\n"),
    ("{% do a.append(b.c) %}", "a.append(b.c)\n"),
    ("{% trans n=a.b, count=c %}{{ n }}{% pluralize %}{{ count }}{% endtrans %}", "n = a.b\ncount = c\n__output__(n)\n__output__(count)\n"),
    ("{% autoescape false %}{% filter upper %}{{ a }}{% endfilter %}{% endautoescape %}", "__output__(a)\n"),
    ("{% raw %}{{ a }}{% if %}{% endraw %}{{ b }}", "__output__(b)\n"),
    ("{% cache 'k' %}{{ a }}{% endcache %}", "tag:cache()\n__output__(a)\n"),
    ("{# {{ a }}\n #}{{ b\n.c }}", "__output__(b.c)\n"),
]

MALFORMED = [
    ("{{ }}{{ a b }}{{ a + }}{{ ) }}{{ a. }}{{ a[ }}", "__output__(?)\n__output__(a)\n__output__(?)\n__output__(?)\n__output__(?)\n__output__(?)\n"),
    ("{% for %}{{ a }}{% endfor %}", "template for ? in ?:\n    __output__(a)\n"),
    ("{% if %}{% elif ! %}{% endif %}", "if ?:\nelse:\n    if ?:\n"),
    ("{% for a in b %}{{ a }}", "template for a in b:\n    __output__(a)\n"),
    ("{% endfor %}{% else %}{{ a }}{% endif %}", "__output__(a)\n"),
    ("{% set %}{% endset %}{% set a = %}{% with %}{% endwith %}", "? = ?\na = ?\n"),
    ("{% macro %}{% endmacro %}{% call %}{% endcall %}{% import %}{% from %}{% block %}{% endblock %}", "def ():\n?\ndef block:():\nblock('')\n"),
    ("{{ a {% b", ""),
    ("{%}{%%}{%-%}{{-}}{##}", "__output__(?)\n"),
]


def pseudo(text: str) -> str:
    head, *body = print_module(lower_jinja("t.html", text), places=False).splitlines(keepends=True)
    assert head == "def render(context):\n"
    return "".join(line[4:] for line in body)


@pytest.mark.parametrize(("source", "expected"), OUTPUTS)
def test_outputs(source: str, expected: str) -> None:
    assert pseudo(f"<p>{{{{ {source} }}}}</p>") == f"__output__({expected})\n"


@pytest.mark.parametrize(("source", "expected"), TAGS)
def test_tags(source: str, expected: str) -> None:
    assert pseudo(source) == expected


@pytest.mark.parametrize(("source", "expected"), MALFORMED)
def test_something_is_made_of_malformed_templates(source: str, expected: str) -> None:
    assert pseudo(source) == expected


def test_spans_are_character_offsets() -> None:
    text = "é\r\n{%- for ü in a.ß -%}\r\n\t{{ ü.b|f(c.d) }}{% endfor %}{% if x.y %}{% elif z.w() %}{% endif %}"
    module = lower_jinja("t.html", text)
    assert shown(text, module, ir.Attr) == ["a.ß", "ü.b", "c.d", "x.y", "z.w"]
    assert shown(text, module, ir.Loop) == ["{%- for ü in a.ß -%}\r\n\t{{ ü.b|f(c.d) }}{% endfor %}"]
    assert shown(text, module, ir.Call)[-1] == "z.w()"
    assert module.language == "jinja"


def test_suppression_comments_are_kept() -> None:
    comments = lower_jinja("t.html", "{# plain #}\n{#- ormlint: ignore[ORM101] few -#}{% raw %}{# ormlint: ignore #}{% endraw %}").comments
    assert comments == [ir.Comment(12, " ormlint: ignore[ORM101] few")]


@pytest.mark.parametrize("source", ["{% if a %}" * 2000, "{{ " + "(" * 2000 + "}}"])
def test_deep_nesting_is_an_error(source: str) -> None:
    with pytest.raises(ReadError):
        lower_jinja("t.html", source)


@pytest.mark.parametrize("piece", [".b", "|f", " + b", "()"])
def test_long_chains_are_cut(piece: str) -> None:
    assert len(encode(lower_jinja("t.html", "{{ a" + piece * 10_000 + " }}"))) < 10_000


def test_any_order_of_tags_is_read_with_spans_inside_their_parents() -> None:
    pieces = re.findall(r"\{[%{].*?[%}]\}|[^{]+", "".join(source for source, _ in [*TAGS, *MALFORMED]))
    chance = random.Random(11)
    for _ in range(500):
        text = "".join(chance.choices(pieces, k=20))
        assert misplaced(lower_jinja("t.html", text).body, 0, len(text)) == [], text


def test_any_order_of_tokens_is_read() -> None:
    tokens = re.findall(r"\S+", "a b . , : ( ) [ ] { } | is not in if else or and = == ** * - ~ 1 2.5 'x' as import with")
    chance = random.Random(13)
    for _ in range(2000):
        text = (
            f"{{% {chance.choice(['for', 'if', 'set', 'with', 'macro', 'call', 'from', 'import', 'do'])} {' '.join(chance.choices(tokens, k=8))} %}}"
        )
        assert misplaced(lower_jinja("t.html", text).body, 0, len(text)) == [], text
