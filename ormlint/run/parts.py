"""Parts of what a query asks for, as the query log keeps them, and what was examined for it."""

from __future__ import annotations

from dataclasses import dataclass

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


class Recipe(Struct, frozen=True):
    """What a query asks for, so that two of them can be proven to ask the same: equal keys, equal statements.

    `key` is made of the expressions that build it, every name with the assignment that it got its value from; `rows` leaves out what
    only changes the order of the rows or what is loaded along with them. `names` are the variables and attributes it was built
    from. An expression of which nothing is known has a key of its own and is not `known`: it is equal to nothing else.
    """

    key: object
    rows: object
    names: frozenset[str] = frozenset()
    known: bool = True


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was examined, so that "nothing found" can be told from "nothing understood"."""

    files: int = 0
    templates: int = 0
    lines: int = 0
    models: int = 0
    relations: int = 0
    functions: int = 0
    queries: int = 0
    loops: int = 0
    loops_over_queries: int = 0
    calls: int = 0
    calls_resolved: int = 0
