"""Keys of which a row has one or another: a comment on a book or on an author, an answer to a survey or to an order.

for comment in book.comments.all():          these comments have a book; the other keys of a comment may be
    comment.author                           null in all of them, and reading a null key asks for nothing
"""

from __future__ import annotations

from ormlint.judge.eager import Chain, path_of, relations_along
from ormlint.link.schema import Kind, Orm, Relation


def may_lead_nowhere(chain: Chain) -> bool:
    """Whether the rows of a chain were found by one nullable key and the relation it reads hangs on another one."""
    read = chain.events[0].relation
    if read is None or not _is_optional(read):
        return False
    return any(key is not read and key.model is read.model and _is_optional(key) for key in _keys_found_by(chain, read))


def _is_optional(relation: Relation) -> bool:
    # whoever writes `Column(ForeignKey(…))` has not said that the key may be null
    return relation.nullable and relation.model.orm is Orm.DJANGO and relation.kind in (Kind.FOREIGN_KEY, Kind.ONE_TO_ONE)


def _keys_found_by(chain: Chain, read: Relation) -> list[Relation]:
    """Returns the foreign keys of the read relation's model by which its rows came: those of collections on the way, and of filters."""
    hops = relations_along(chain.query.model, path_of(chain.events[0])[:-1])
    collection = hops[-1] if hops else chain.query.relation
    found = [collection.inverse] if collection is not None and collection.inverse is not None else []
    if not hops:
        named = {lookup.partition("__")[0] for lookup in chain.query.filters}
        found += [key for key in read.model.relations.values() if not named.isdisjoint((key.name, key.attname))]
    return found
