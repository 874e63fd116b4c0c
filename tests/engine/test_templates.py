"""Templates: found by name, described, and run where they are rendered."""

from __future__ import annotations

import pytest

from ormlint.ir import nodes as ir
from ormlint.link.names import Program
from ormlint.link.template_tags import Extensions
from ormlint.link.templates import Templates, template_names
from ormlint.read.django_template import lower_django
from ormlint.read.jinja_template import lower_jinja
from ormlint.read.python import lower_python
from ormlint.run import analyse
from ormlint.run.log import Event, Op

MODELS = """
from django.db import models

class Author(models.Model):
    name = models.CharField(max_length=80)

class Book(models.Model):
    title = models.CharField(max_length=80)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
"""


VIEW = """
from django.shortcuts import render
from shop.models import Book

def view(request):
    return render(request, "x.html", {"books": Book.objects.all()})
"""


def modules(files: dict[str, str]) -> list[ir.Module]:
    found = []
    for path, text in files.items():
        if path.endswith(".py"):
            found.append(lower_python(path, path.removesuffix(".py").replace("/", "."), text, False))
        else:
            found.append((lower_jinja if "jinja2" in path else lower_django)(path, text))
    return found


def templates(files: dict[str, str]) -> Templates:
    return Templates(modules(files))


def lazy_loads(files: dict[str, str]) -> list[Event]:
    analysis = analyse(modules({"shop/models.py": MODELS, **files}))
    assert analysis.problems == []
    return list(analysis.log.of(Op.LAZY_OBJECT))


def test_loaders_know_a_template_by_what_follows_a_template_directory() -> None:
    assert list(template_names("shop/templates/shop/list.html")) == ["shop/list.html"]
    assert list(template_names("jinja2/list.html")) == ["list.html"]
    assert list(template_names("a/templates/b/templates/c.html")) == ["b/templates/c.html", "c.html"]
    assert list(template_names("prompts/mail/x.j2")) == ["prompts/mail/x.j2", "mail/x.j2", "x.j2"]


def test_the_nearest_template_of_a_name_is_found() -> None:
    known = templates({"shop/templates/x.html": "", "blog/templates/x.html": "", "templates/x.html": ""})
    found = [known.find("x.html", near) for near in ("shop/views.py", "blog/views/pages.py", "other/views.py")]
    assert [info.path for info in found if info] == ["shop/templates/x.html", "blog/templates/x.html", "templates/x.html"]
    assert known.find("y.html", "shop/views.py") is None
    without = known.find("x.html", "shop/views.py", ["shop/templates/x.html", "templates/x.html"])
    assert without is not None
    assert without.path == "blog/templates/x.html"


def test_a_template_names_others_relative_to_itself() -> None:
    known = templates({"templates/shop/list.html": "", "templates/shop/parts/row.html": "", "templates/base.html": ""})
    page = known.find("shop/list.html", "")
    assert page is not None
    for name, path in (("./parts/row.html", "templates/shop/parts/row.html"), ("../base.html", "templates/base.html")):
        found = known.named_in(page, name)
        assert found is not None
        assert found.path == path


def test_the_scope_of_a_template_reaches_into_those_it_includes() -> None:
    known = templates(
        {
            "templates/a.html": '{% extends "b.html" %}{% block x %}{{ one }}{% include "c.html" %}{% endblock %}',
            "templates/b.html": "{{ two }}{% block x %}{% endblock %}",
            "templates/c.html": '{{ three|date }}{% include "a.html" %}',
            "templates/open.html": "{% include chosen %}",
        }
    )
    page, opened = known.find("a.html", ""), known.find("open.html", "")
    assert page is not None
    assert opened is not None
    assert {"one", "two", "three"} <= known.scope(page).names
    assert "filter:date" in known.scope(page).tags
    assert not known.scope(page).is_open
    assert known.scope(opened).is_open
    assert list(page.blocks) == ["x"]


@pytest.mark.parametrize(
    ("kind", "name", "function"),
    [
        ("filter", "cents", "to_cents"),
        ("filter", "plain", "plain"),
        ("filter", "given", "plain"),
        ("tag", "card", "card"),
        ("tag", "price", "price_tag"),
        ("global", "helper", "plain"),
        ("filter", "mapped", "plain"),
        ("filter", "put", "plain"),
    ],
)
def test_extensions_are_known_however_they_are_registered(kind: str, name: str, function: str) -> None:
    text = """
register = template.Library()

@register.filter(name="cents")
@stringfilter
def to_cents(value): pass

@register.filter
def plain(value): pass

register.filter("given", plain)

@register.inclusion_tag("card.html", takes_context=True)
def card(context): pass

@register.simple_tag(name="price")
def price_tag(): pass

def create_app():
    env.globals.update(helper=plain)
    env.filters.update({"mapped": plain})
    env.filters["put"] = plain
"""
    extensions = Extensions(Program(modules({"shop/templatetags/money.py": text})))
    found = extensions.find(kind, name, "shop/templates/x.html")
    assert found is not None
    assert found.function.name == function
    if name == "card":
        assert found.takes_context
        assert (found.kind, found.template) == ("inclusion", "card.html")
    assert extensions.find(kind, "nothing", "shop/templates/x.html") is None


def test_a_base_that_many_views_render_is_run_for_all_of_them() -> None:
    count = 150
    views = "from django.shortcuts import render\nfrom shop.models import Book\n"
    files = {"templates/base.html": "{% block content %}{% endblock %}"}
    for number in range(count):
        views += f'def view_{number}(request):\n    return render(request, "page_{number}.html", {{"books": Book.objects.filter(pk__gt={number})}})\n'
        text = '{% extends "base.html" %}{% block content %}{% for book in books %}{{ book.author.name }}{% endfor %}{% endblock %}'
        files[f"templates/page_{number}.html"] = text
    events = lazy_loads({"shop/views.py": views, **files})
    assert {event.site.path for event in events} == {f"templates/page_{number}.html" for number in range(count)}


def test_a_template_that_includes_itself_ends() -> None:
    tree = '{% for book in books %}{{ book.author.name }}{% include "x.html" %}{% endfor %}'
    assert lazy_loads({"shop/views.py": VIEW, "templates/x.html": tree})


def test_an_override_extends_the_template_it_overrides() -> None:
    events = lazy_loads(
        {
            "shop/views.py": VIEW,
            "shop/templates/x.html": '{% extends "x.html" %}{% block title %}{% endblock %}',
            "templates/x.html": "{% block title %}{% endblock %}{% for book in books %}{{ book.author.name }}{% endfor %}",
        }
    )
    assert {event.site.path for event in events} == {"templates/x.html"}


def test_the_call_path_names_what_is_rendered_and_included() -> None:
    views = VIEW.replace("    return", "    for book in Book.objects.all():\n        return").replace('"books": Book.objects.all()', '"book": book')
    events = lazy_loads({"shop/views.py": views, "templates/x.html": '{% include "y.html" %}', "templates/y.html": "{{ book.author.name }}"})
    paths = [list(zip((site.path for site in event.calls), event.callees, strict=True)) for event in events]
    assert [("shop/views.py", "x.html"), ("templates/x.html", "y.html")] in paths


def test_loops_of_two_files_at_one_offset_are_told_apart() -> None:
    loop = "{% for book in books %}{{ book.author.name }}{% endfor %}"
    head = "{% block content %}"
    base = " " * len(head) + loop + head + "{% endblock %}"
    events = lazy_loads(
        {
            "shop/views.py": VIEW,
            "templates/base.html": base,
            "templates/x.html": head + loop + '{% endblock %}{% extends "base.html" %}',
        }
    )
    assert {(event.site.path, event.loops[0].site.path) for event in events} == {
        ("templates/base.html", "templates/base.html"),
        ("templates/x.html", "templates/x.html"),
    }
