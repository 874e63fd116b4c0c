"""Which queries of a log fetch rows, and what of them does."""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.link.schema import Orm
from ormlint.run.log import Event, Op, QueryLog, QueryObject


def loading_events(log: QueryLog) -> Iterator[tuple[Event, QueryObject]]:
    """Yields the events in which a query of SQLAlchemy fetches the rows of a model, with the query."""
    for event in log.of(Op.LOAD_ROWS, Op.GET_ROW):
        query = event.query
        if query is not None and query.orm is Orm.SQLALCHEMY and query.model is not None and query.relation is None:
            yield event, query


def loading_queries(log: QueryLog) -> Iterator[QueryObject]:
    """Yields the queries of SQLAlchemy that fetch rows of a model, each once."""
    yield from dict.fromkeys(query for _, query in loading_events(log))
