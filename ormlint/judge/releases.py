"""The releases of Django from which on there is what an advice names, and what helps before."""

from ormlint.library.django_releases import (
    BULK_UPDATE,
    CASES,
    CHUNK_SIZES,
    CONTAINS,
    FILTERED_AGGREGATES,
    ITERATOR_PREFETCHES,
    PREFETCH_OBJECTS,
    SUBQUERIES,
    UPDATE_CONFLICTS,
)
from ormlint.run.log import Event, Op

__all__ = [
    "BULK_UPDATE",
    "CASES",
    "CHUNK_SIZES",
    "CONTAINS",
    "FILTERED_AGGREGATES",
    "ITERATOR_PREFETCHES",
    "PREFETCH_OBJECTS",
    "SUBQUERIES",
    "UPDATE_CONFLICTS",
    "counted_by_group",
]


def counted_by_group(event: Event) -> str:
    """Returns how to compute a figure of some of the rows for all owners where nothing but whole collections can be aggregated."""
    model = f"{event.model.name}.objects" if event.model is not None else "…"
    figure = 'Count("pk")' if event.op is Op.COUNT else "…"
    return f"compute it for all rows with one `{model}.filter(…).values(…).annotate(…={figure})` before the loop and look it up"
