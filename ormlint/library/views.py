"""Names with which frameworks mark views: the decorators of Pyramid, aiohttp and Django REST Framework, and what they are given."""

from __future__ import annotations

CONTEXTS = frozenset({"view_config", "view_defaults"})
"""Decorators whose keyword `context` is the class of a view's first parameter."""

TEMPLATE_KEYWORDS = frozenset({"renderer", "template", "template_name"})
"""Keywords of decorators that name the template which shows what a view returns."""

ACTIONS = frozenset({"action", "list_route", "detail_route"})
"""Decorators of the extra actions of a view set."""

VERBS = {
    "list": "GET",
    "retrieve": "GET",
    "create": "POST",
    "update": "PUT",
    "partial_update": "PATCH",
    "destroy": "DELETE",
    **{verb: verb.upper() for verb in ("get", "post", "put", "patch", "delete")},
}
"""The methods of views by which verb they answer."""

PREFETCHING = frozenset({"prefetch_related_objects", "aprefetch_related_objects"})
"""Functions that prefetch relations of rows at hand."""
