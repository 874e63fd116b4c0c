"""Writes the query log and the schema as text that a person can review.

queries   1    load rows    Book          shop/report.py:5   + author
          N    lazy object  Book.author   shop/report.py:6   via byline
          │    │            │             │                  └ loaded relations; calls; conditions
          │    │            │             └ where it runs
          │    │            └ model or relation
          │    └ operation
          └ how often: 1, ≤4, page, N, N×N

    schema    shop.Book
            author → Author  foreign key  ⇄ books
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ormlint.link.schema import Model, Schema
from ormlint.run.log import Bound, Event, Loop, QueryLog
from ormlint.text import Site

Place = Callable[[Site], str]


def dump_log(log: QueryLog, place: Place) -> str:
    """Returns one line per event, in program order, in aligned columns."""
    rows = [(multiplicity(event.loops), event.op.value, _subject(event), place(event.site), "  ".join(_remarks(event))) for event in log.events]
    return _aligned(dict.fromkeys(rows))


def multiplicity(loops: Iterable[Loop]) -> str:
    """Returns how often something inside these loops runs: "1", "≤4", "page", "N", "N×N"."""
    factors = []
    for loop in loops:
        if loop.first_only or loop.bound is Bound.ONE:
            continue
        factors.append({Bound.FEW: f"≤{loop.limit or '?'}", Bound.PAGE: "page", Bound.MANY: "N"}[loop.bound])
    return "×".join(factors) or "1"


def _subject(event: Event) -> str:
    if event.relation is not None:
        return f"{event.relation.model.name}.{event.relation.name}"
    name = event.model.name if event.model else "?"
    return f"{name}.{event.column}" if event.column else name


def _remarks(event: Event) -> Iterator[str]:
    if event.query is not None and event.row is None:
        yield from (f"+ {path}" for path in sorted(event.query.plan.paths()))
    if event.callees:
        yield "via " + " → ".join(event.callees)
    around = event.around
    named = {
        "conditional": around.conditional,
        "on error": around.error_path,
        "guarded by a cache": around.guarded_by_cache,
        "isolated": around.isolated,
    }
    yield from (name for name, holds in named.items() if holds)


def dump_schema(schema: Schema) -> str:
    """Returns the project's own models with their relations, both in order of name."""
    lines: list[str] = []
    own = (model for model in schema if not model.site.path.startswith("<"))
    for model in sorted(own, key=lambda model: model.label):
        lines.append(model.label + "".join(f"  {word}" for word in _nature(model)))
        rows = [
            (
                f"  {name} → {relation.target.name if relation.target else '?'}",
                relation.kind.value,
                f"⇄ {relation.inverse.name}" if relation.inverse else "",
                relation.lazy if relation.lazy != "select" else "",
            )
            for name, relation in sorted(model.relations.items())
        ]
        lines += _aligned(rows).splitlines()
    return "".join(f"{line}\n" for line in lines)


def _nature(model: Model) -> Iterator[str]:
    if model.bases:
        yield f"({', '.join(base.name for base in model.bases)})"
    if model.abstract:
        yield "abstract"
    if model.proxy:
        yield "proxy"


def _aligned(rows: Iterable[tuple[str, ...]]) -> str:
    rows = list(rows)
    widths = [max((len(cell) for cell in column), default=0) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)
