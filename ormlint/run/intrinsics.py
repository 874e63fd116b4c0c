"""Intrinsics: what the stub programs need and Python cannot say. They import these names from `ormlint.intrinsics`.

is_unset(x)             whether x is known to be None or empty; what is not known counts as set
is_known(x)             whether x is a class, function or object that ormlint can look into
rows_of(x)              x.all() for a manager, x itself for anything else
ordered(x)              x in an order that the framework gives it, or that nothing depends on, if it is a query
show(template, context) renders a template; gives what it shows of its context
show_block(template, block, context) renders one block of a template whose base is not the project's
is_whole_template(name) whether the project has a template of this name and all that it extends
choice_fields(form)     the fields of a new form that choose among rows
show_cells(table, record) shows every column of a table of a record
value_at(row, path)     what a dotted path leads to, methods called on the way
key_at(row, path)       the key of the row that a dotted path leads to
represent(s, row)       shows every field of a serializer of a row
represent_each(s, rows) shows every field of a serializer of each of some rows
inside_greenlet(session) the session as a function sees it that `AsyncSession.run_sync` runs: it loads lazily
encode(x, cls, default) turns what JSON has no form for into what it has, by the application's encoder or the one given
read_fields(c, row)     fills a schema class from the attributes of a row
"""

from __future__ import annotations

from collections.abc import Callable

from ormlint.ir import nodes as ir
from ormlint.link.names import External
from ormlint.run.encoders import encode
from ormlint.run.forms import choice_fields
from ormlint.run.frame import Frame
from ormlint.run.introspection import FUNCTIONS as INTROSPECTION
from ormlint.run.log import QueryObject, UseKind
from ormlint.run.machine import Machine
from ormlint.run.queries import refined
from ormlint.run.schemas import adapter, read_fields
from ormlint.run.serializers import key_at, represent, represent_each, value_at
from ormlint.run.tables import show_cells
from ormlint.run.templates import show_block
from ormlint.run.values import UNKNOWN, Constant, Manager, Mapping, Rendered, Sequence, Session, Union, Unknown, Value, options

Function = Callable[[Machine, Frame, ir.Call, list[Value], dict[str, Value]], Value]


def is_unset(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns whether a value is known to be None, zero or empty."""
    value = args[0] if args else UNKNOWN
    return Constant((isinstance(value, Constant) and not value.value) or (isinstance(value, Sequence) and value.items == ()))


def is_known(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns whether a value is something of the project or the library."""
    return Constant(bool(args) and not any(isinstance(option, (Unknown, External, Constant)) for option in options(args[0])))


def is_set(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns whether a value is known not to be None, zero or empty."""
    value = args[0] if args else UNKNOWN
    empty = (isinstance(value, Constant) and not value.value) or (isinstance(value, Sequence) and value.items == ())
    return Constant(not empty and not any(isinstance(option, (Unknown, External)) for option in options(value)))


def inside_greenlet(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns a session that loads lazily and for which nobody waits, for an asynchronous one."""
    value = args[0] if args else UNKNOWN
    return Session(proven=False) if isinstance(value, Session) and value.is_async else value


def rows_of(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns the rows of a manager, or the value itself."""
    value = args[0] if args else UNKNOWN
    if isinstance(value, Manager):
        from ormlint.run.django import manager_method

        return manager_method(m, f, node, value, "all", [], {})
    return value


def ordered(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns a query with an order, anything else as it is."""
    value = args[0] if args else UNKNOWN
    return refined(m, f, node, value, "order_by") if isinstance(value, QueryObject) else value


def show(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Renders a template; returns what it shows: the entries of its context without the queries that it does not walk."""
    from ormlint.run.templates import render_template

    context = args[1] if len(args) > 1 else UNKNOWN
    render_template(m, f, node, args[0] if args else UNKNOWN, context)
    if isinstance(context, Mapping):
        return Rendered({name: value for name, value in context.known.items() if _is_walked(m, value)}, context.key, context.element)
    return context


def _is_walked(m: Machine, value: Value) -> bool:
    """Whether a template walks the rows of a value, as far as that can be seen."""
    query = value.source if isinstance(value, Sequence) else value
    if isinstance(value, Union):
        return any(_is_walked(m, option) for option in value.options)
    if not isinstance(query, QueryObject):
        return True
    in_templates = [use for use in query.uses if use.site.path in m.program.templates]
    return any(use.kind is UseKind.RENDER for use in query.uses) or any(
        use.kind not in (UseKind.METHOD, UseKind.TRUTH, UseKind.LEN) for use in in_templates
    )


def is_whole_template(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns whether a value names a template of the project, which extends none that is not."""
    from ormlint.run.templates import alternatives, calling_file

    for names in alternatives(args[0]) if args and m.templates else ():
        template = next((found for found in (m.templates.find(name, calling_file(f)) for name in names) if found is not None), None)
        taken = []
        while template is not None and template.extends is not None:
            taken.append(template.path)
            base = template.extends
            template = m.templates.named_in(template, base.value, taken) if isinstance(base, ir.Const) and isinstance(base.value, str) else None
        if template is not None:
            return Constant(True)
    return Constant(False)


def as_text(position: int) -> Function:
    """Returns a function that gives back one of its arguments: the text is not known, but what it is made of."""

    def give(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        value = args[position] if len(args) > position else UNKNOWN
        m.use(f, value, UseKind.ARGUMENT, node)
        for entry in _entries(value):
            m.use(f, entry, UseKind.ARGUMENT, node)
        return value

    return give


def _entries(value: Value) -> tuple[Value, ...]:
    if isinstance(value, Mapping):
        return tuple(value.known.values())
    return value.items or () if isinstance(value, Sequence) else ()


def argument(position: int) -> Function:
    """Returns a function that gives back one of its arguments, or an empty dict if it is not there."""

    def give(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        return args[position] if len(args) > position else Mapping()

    return give


def rendered(context: int | None) -> Function:
    """Returns a function that renders the template it is given first; `context` is the place of the context, None for the keywords."""

    def give(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
        found = Mapping(keywords) if context is None else args[context] if len(args) > context else keywords.get("context", UNKNOWN)
        return show(m, f, node, [*args[:1], found], {})

    return give


def local_variables(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns `locals()`: a dict of the variables so far."""
    return Mapping(dict(f.env))


FUNCTIONS: dict[str, Function] = {
    "builtins.locals": local_variables,
    "aiohttp_jinja2.render_string": rendered(2),
    "aiohttp_jinja2.render_template": rendered(2),
    "quart.render_template": rendered(None),
    "quart.templating.render_template": rendered(None),
    "django.template.Context": argument(0),
    "django.template.context.Context": argument(0),
    "django.template.RequestContext": argument(1),
    "django.template.context.RequestContext": argument(1),
    "ormlint.intrinsics.is_unset": is_unset,
    "ormlint.intrinsics.is_known": is_known,
    "ormlint.intrinsics.is_set": is_set,
    "ormlint.intrinsics.rows_of": rows_of,
    "ormlint.intrinsics.ordered": ordered,
    "ormlint.intrinsics.inside_greenlet": inside_greenlet,
    "ormlint.intrinsics.show": show,
    "ormlint.intrinsics.show_block": show_block,
    "ormlint.intrinsics.is_whole_template": is_whole_template,
    "ormlint.intrinsics.choice_fields": choice_fields,
    "ormlint.intrinsics.show_cells": show_cells,
    "ormlint.intrinsics.key_at": key_at,
    "ormlint.intrinsics.read_fields": read_fields,
    "ormlint.intrinsics.encode": encode,
    "ormlint.intrinsics.represent": represent,
    "ormlint.intrinsics.represent_each": represent_each,
    "ormlint.intrinsics.value_at": value_at,
    **INTROSPECTION,
    "json.dumps": as_text(0),
    "pydantic.TypeAdapter": adapter,
    "django.core.serializers.serialize": as_text(1),
}
