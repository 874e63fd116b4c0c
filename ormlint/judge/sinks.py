"""Where rows end: what makes a program read their relations one by one.

code         for order in orders: order.customer.name
template     {% for order in orders %}{{ order.customer.name }}
serializer   OrderSerializer(orders, many=True).data, with a field for the customer
admin        list_display = ["customer"]
form         a choice per row, labelled by its `__str__`
graphql      a type with a field for the customer, and a list of it

The cure is the same everywhere, an eager load at the query. But who reads the finding looks for it in another place, and may want
to select or to silence it separately.
"""

from __future__ import annotations

import enum

from ormlint.judge.project import Project
from ormlint.judge.repetition import innermost, repeaters
from ormlint.run.log import Event
from ormlint.text import Site


class Sink(str, enum.Enum):
    """What consumes the rows of a query."""

    CODE = "code"
    TEMPLATE = "template"
    SERIALIZER = "serializer"
    ADMIN = "admin"
    FORM = "form"
    GRAPHQL = "graphql"


_PROGRAMS = (
    ("<library>/django/contrib/admin/", Sink.ADMIN),
    ("<library>/django_tables2/", Sink.TEMPLATE),
)


def sink_of(project: Project, event: Event) -> Sink:
    """Returns what a repeated event serves: the nearest around it that is not plain code, up to the loop that repeats it.

    Raises IndexError if no loop repeats it.
    """
    loop = innermost(repeaters(event))
    if loop.kind == "serializer":
        return Sink.SERIALIZER
    if loop.kind == "form":
        return Sink.FORM
    if loop.kind == "graphql":
        return Sink.GRAPHQL
    inside = [site for site in event.calls if loop.site.encloses(site) or loop.body.encloses(site)]
    calls = event.calls[event.calls.index(inside[0]) :] if inside else ()
    found = (_sink_at(project, site) for site in (event.site, *reversed(calls), loop.site))
    return next((sink for sink in found if sink is not Sink.CODE), Sink.CODE)


def _sink_at(project: Project, site: Site) -> Sink:
    if site.path in project.templates:
        return Sink.TEMPLATE
    if site in project.schema_fields:
        return Sink.SERIALIZER
    return next((sink for prefix, sink in _PROGRAMS if site.path.startswith(prefix)), Sink.CODE)
