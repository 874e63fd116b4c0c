from __future__ import annotations

import random
import re

import pytest

from ormlint.ir import nodes as ir
from ormlint.ir.codec import encode
from ormlint.ir.printer import print_module
from ormlint.read.django_template import lower_django
from ormlint.read.errors import ReadError
from tests.engine.read_spans import misplaced, shown

OUTPUTS = [
    ("a", "a"),
    (" a.b.0.c ", "a.b[0].c"),
    ("a|f", "filter:f(a)"),
    ("a.b|f:c.d|g:'x y' ", "filter:g(filter:f(a.b, c.d), 'x y')"),
    ("a | f", "filter:f(a)"),
    ('"é \\"q\\""', "'é \"q\"'"),
    ("_('text')|f", "filter:f('text')"),
    ("-12", "-12"),
    ("1.5", "1.5"),
    ("1e3", "1000.0"),
    ("True", "True"),
    ("None", "None"),
    ("a|f:", "a"),
    ("a b c", "a"),
    ("!?", "?"),
    ("a|", "a"),
    ("é.ü", "é.ü"),
    ("forloop.counter0", "forloop.counter0"),
    ("block.super", "block.super"),
]

TAGS = [
    ("{% for a in b.c %}{{ a }}{% endfor %}", "template for a in b.c:\n    __output__(a)\n"),
    ("{% for k, v in a.items %}{% empty %}{{ b }}{% endfor %}", "template for (k, v) in a.items:\nelse:\n    __output__(b)\n"),
    ("{% for k,v in a|dictsort:'x' reversed %}{% endfor %}", "template for (k, v) in filter:dictsort(a, 'x'):\n"),
    ("{% if a %}{{ b }}{% endif %}", "if a:\n    __output__(b)\n"),
    (
        "{% if a %}{{ b }}{% elif c %}{{ d }}{% else %}{{ e }}{% endif %}",
        "if a:\n    __output__(b)\nelse:\n    if c:\n        __output__(d)\n    else:\n        __output__(e)\n",
    ),
    ("{% if a or b and not c %}{% endif %}", "if (a or (b and (not c))):\n"),
    ("{% if a == 1 and b not in c|f or d is not None %}{% endif %}", "if (((a == 1) and (b not in filter:f(c))) or (d is not None)):\n"),
    ("{% if not a.b > 2 %}{% endif %}", "if (not (a.b > 2)):\n"),
    ("{% with a=b.c d='e' %}{{ a }}{% endwith %}", "a = b.c\nd = 'e'\n__output__(a)\n"),
    ("{% with b.c|f as a %}{{ a }}{% endwith %}", "a = filter:f(b.c)\n__output__(a)\n"),
    ("{% include 'x.html' %}", "include('x.html')\n"),
    ("{% include a.b with c=d.e f=1 only %}", "include(a.b, c=d.e, f=1, only=True)\n"),
    ("{% extends 'x.html' %}", "extends('x.html')\n"),
    ("{% block a %}{{ b }}{% endblock a %}", "def block:a():\n    __output__(b)\nblock('a')\n"),
    ("{% partialdef p %}{{ a }}{% endpartialdef %}{% partial p %}", "def block:p():\n    __output__(a)\nblock('p')\n"),
    ("{% regroup a.b by c.d as e %}", "e = regroup(a.b, 'c.d')\n"),
    (
        "{% blocktranslate with n=a.b count c=d.e trimmed %}{{ n }}{% plural %}{{ c }}{% endblocktranslate %}",
        "n = a.b\nc = d.e\n__output__(n)\n__output__(c)\n",
    ),
    ("{% ifchanged a.b %}{{ c }}{% else %}{{ d }}{% endifchanged %}", "if tag:ifchanged(a.b):\n    __output__(c)\nelse:\n    __output__(d)\n"),
    ("{% url 'name' a.b slug=c.d %}", "tag:url('name', a.b, slug=c.d)\n"),
    ("{% url 'name' a.b as link %}", "link = tag:url('name', a.b)\n"),
    ("{% get_list for a.b as c %}", "c = tag:get_list(a.b)\n"),
    ("{% flag 'f' %}{{ a }}{% else %}{{ b }}{% endflag %}", "if tag:flag('f'):\n    __output__(a)\nelse:\n    __output__(b)\n"),
    (
        "{% cache 500 x a.b %}{{ c }}{% endcache %}",
        "if (tag:cache(500, x, a.b) not in __fragments__):\n    __output__(c)\n    __fragments__[tag:cache(500, x, a.b)] = ?\n",
    ),
    ("{% load static %}{% csrf_token %}{% autoescape off %}{{ a }}{% endautoescape %}", "__output__(a)\n"),
    ("{% comment 'x' %}{{ a }}{% if %}{% endcomment %}{{ b }}", "__output__(b)\n"),
    ("{% verbatim %}{{ a }}{% endverbatim %}{{ b }}", "__output__(b)\n"),
    ("{% verbatim x %}{% endverbatim %}{{ a }}{% endverbatim x %}{{ b }}", "__output__(b)\n"),
    ("{# {{ a }} #}{{ b }}", "__output__(b)\n"),
]

MALFORMED = [
    ("{{ }}{{}}{% %}{{ a }", ""),
    ("{{ a\n}} {% if\nb %}", ""),
    ("{% for a in b %}{{ a }}", "template for a in b:\n    __output__(a)\n"),
    ("{% endfor %}{% else %}{{ a }}{% endif %}", "__output__(a)\n"),
    ("{% if a %}{% for b in c %}{{ b }}{% endif %}{{ d }}{% endfor %}", "if a:\n    template for b in c:\n        __output__(b)\n__output__(d)\n"),
    ("{% for %}{{ a }}{% endfor %}", "template for ? in ?:\n    __output__(a)\n"),
    ("{% for a in %}{% endfor %}", "template for a in ?:\n"),
    ("{% if %}{{ a }}{% endif %}", "if ?:\n    __output__(a)\n"),
    ("{% if a and %}{% endif %}", "if (a and ?):\n"),
    ("{% regroup a %}{% with %}{% endwith %}{% include %}{% block %}{% endblock %}", "include()\ndef block:():\n"),
    ("{% comment %}{{ a }}", ""),
    ("%} }} #} {{{ a }}}", "__output__(?)\n"),
]


def pseudo(text: str) -> str:
    head, *body = print_module(lower_django("t.html", text), places=False).splitlines(keepends=True)
    assert head == "def render(context):\n"
    return "".join(line[4:] for line in body)


@pytest.mark.parametrize(("source", "expected"), OUTPUTS)
def test_outputs(source: str, expected: str) -> None:
    assert pseudo(f"<p>{{{{{source}}}}}</p>") == f"__output__({expected})\n"


@pytest.mark.parametrize(("source", "expected"), TAGS)
def test_tags(source: str, expected: str) -> None:
    assert pseudo(source) == expected


@pytest.mark.parametrize(("source", "expected"), MALFORMED)
def test_something_is_made_of_malformed_templates(source: str, expected: str) -> None:
    assert pseudo(source) == expected


def test_spans_are_character_offsets() -> None:
    text = "é\r\n{% for ü in a.ß reversed %}\r\n\t{{ ü.b|f:c.d }}{% endfor %}{% if x.y %}{% elif z.w %}{% endif %}"
    module = lower_django("t.html", text)
    assert shown(text, module, ir.Attr) == ["a.ß", "ü.b", "c.d", "x.y", "z.w"]
    assert shown(text, module, ir.Loop) == ["{% for ü in a.ß reversed %}\r\n\t{{ ü.b|f:c.d }}{% endfor %}"]
    assert shown(text, module, ir.If) == ["{% if x.y %}{% elif z.w %}{% endif %}", "{% elif z.w %}{% endif %}"]
    assert [name for name in shown(text, module, ir.Name) if name not in ("{{", "{%")] == ["ü", "a", "f", "ü", "c", "x", "z"]
    assert (module.language, module.lines, module.length) == ("django", [0, 3, 32], len(text))


def test_suppression_comments_are_kept() -> None:
    text = "{# plain #}\n{# ormlint: ignore[ORM101] few #}{% comment %}{# ormlint: ignore #}{% endcomment %}"
    comments = lower_django("t.html", text).comments
    assert comments == [ir.Comment(12, " ormlint: ignore[ORM101] few")]


def test_deep_nesting_is_an_error() -> None:
    with pytest.raises(ReadError):
        lower_django("t.html", "{% if a %}" * 2000)


@pytest.mark.parametrize("source", ["{{ a%s }}" % (".b" * 10_000), "{{ a%s }}" % ("|b" * 10_000), "{% if a" + " == a" * 10_000 + " %}"])
def test_long_chains_are_cut(source: str) -> None:
    assert len(encode(lower_django("t.html", source))) < 10_000


def test_any_order_of_tags_is_read_with_spans_inside_their_parents() -> None:
    pieces = re.findall(r"\{[%{].*?[%}]\}|[^{]+", "".join(source for source, _ in [*TAGS, *MALFORMED]))
    chance = random.Random(11)
    for _ in range(500):
        text = "".join(chance.choices(pieces, k=20))
        assert misplaced(lower_django("t.html", text).body, 0, len(text)) == [], text
