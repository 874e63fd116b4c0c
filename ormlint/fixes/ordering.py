"""An order for the rows of a query, given where the expression that builds it still makes a query: `.order_by("pk")`."""

from __future__ import annotations

import libcst as cst

from ormlint.fixes import django_loads, sqlalchemy_loads
from ormlint.fixes.chain import chain_of, insert_links, quote_for
from ormlint.fixes.imports import Refusal, Spelling
from ormlint.fixes.source import Sources
from ormlint.judge.finding import Applicability, Fix, OrderRows
from ormlint.link.schema import Orm

_OTHER_ROWS = ("distinct", "from_self")  # the rows of a statement around this one have no order by it
_DESCRIPTION = "give the rows in the order of their key"
_REASON = "the rows come in another order than the database happens to give them in, and sorting a large table without an index takes time"


def order_rows(sources: Sources, intent: OrderRows) -> Fix | None:
    """Returns the fix, a display-only one if the query compares whole rows or is not understood, None if it is not found."""
    query = intent.query
    file, statement = sources.file(query.site), sources.statement(query.site)
    node = statement.expression(query.site.start, query.site.end) if statement is not None else None
    if file is None or statement is None or node is None:
        return None
    if query.distinct or query.has(*_OTHER_ROWS) or query.style == "related" or isinstance(node, cst.Name):
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), "the query is not one that an order can be added to as it stands")
    chain, start = chain_of(statement, node), 0
    ends = django_loads.ENDS
    if query.orm is Orm.SQLALCHEMY:
        place = sqlalchemy_loads.locate(statement, node, query.model.name if query.model is not None else "")
        if isinstance(place, Refusal) or place.entity is None or place.call is not None:
            return Fix(Applicability.DISPLAY, _DESCRIPTION, (), "what the query selects is not clear")
        chain, start, ends = place.chain, place.start, sqlalchemy_loads.ENDS
        spelling = Spelling(f".order_by({place.entity}.{intent.key})")
    else:
        quote = quote_for(file, statement, chain)
        spelling = Spelling(f".order_by({quote}{intent.key}{quote})")
        start = max((number + 1 for number, link in enumerate(chain.links[: chain.inner]) if link.is_attribute), default=0)
        if not start:
            return Fix(Applicability.DISPLAY, _DESCRIPTION, (), "the query does not begin at a manager")
    links = chain.links
    end = next((number for number in range(start, len(links)) if links[number].is_index or links[number].name in ends), len(links))
    edits = insert_links(file, statement, chain, min(end, chain.inner), [spelling.text])
    return Fix(Applicability.UNSAFE, f"add `{spelling.text}` to the query", tuple(edits), _REASON)
