"""Parts of what a query asks for, as the query log keeps them."""

from __future__ import annotations

from msgspec import Struct

from ormlint.text import Site

Literal = str | int | float | bool | None


class Aggregate(Struct, frozen=True):
    """An aggregate over a collection that a query computes for each row, `Count("books__notes")`; `collection` is the path that it joins."""

    function: str
    lookup: str
    collection: tuple[str, ...]
    distinct: bool
    site: Site


class Pin(Struct, frozen=True):
    """A condition that tells what a column of every row of a query is, or is not: `filter(state="open")`, `exclude(author__name=None)`.

    `path` leads from the rows to the one that has the column or the foreign key, over relations to one.
    """

    path: tuple[str, ...]
    name: str
    values: tuple[Literal, ...]
    among: bool = True  # the column is one of the values; False if it is none of them
