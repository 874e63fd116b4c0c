"""Which pagination class of REST framework a view has, and whether the client may ask it for a page of any size.

Read in rest_framework.pagination 3.18: without `max_page_size` and `max_limit`, the number in the URL is taken as it is.
"""

from __future__ import annotations

from ormlint.link.names import ClassInfo
from ormlint.run.log import NOWHERE, Pages
from ormlint.run.machine import Machine
from ormlint.run.values import Constant
from ormlint.text import Site

LIMITS = {"PageNumberPagination": "max_page_size", "CursorPagination": "max_page_size", "LimitOffsetPagination": "max_limit"}
DECIDES = ("get_page_size", "get_limit", "paginate_queryset")


def endless_pages(m: Machine, view: ClassInfo) -> Pages | None:
    """Returns the pagination class of a view if the client chooses the size of its pages and nothing limits it."""
    cls = m.class_value(view, "pagination_class")
    if not isinstance(cls, ClassInfo) or cls.externals:
        return None
    kind = next((c.name for c in cls.mro if c.module.is_library and c.name in LIMITS), "")
    if not kind or any(name in c.functions for c in cls.mro if not c.module.is_library for name in DECIDES):
        return None
    chosen = kind == "LimitOffsetPagination" or _constant(m, cls, "page_size_query_param")
    if not chosen or _constant(m, cls, LIMITS[kind]) is not None:
        return None
    head = Site(cls.module.path, cls.node.start, cls.node.start + len(f"class {cls.name}"))
    return Pages(cls.name, NOWHERE if cls.module.is_library else head, LIMITS[kind])


def _constant(m: Machine, cls: ClassInfo, name: str) -> object:
    """Returns the value of a class attribute, None if it has none; what is no constant counts as set."""
    value = m.class_value(cls, name)
    return value.value if isinstance(value, Constant) else None if value is None else name
