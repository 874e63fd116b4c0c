"""Twin indexes: whether the database has both of two that a model declares on the same columns.

key = Column(String, index=True)      Index("ix_page_key", "key")        a naming convention may call both the same, so that there is but one
day = Column(Date, index=True)        op.create_index("idx_page_day", "page", ["day"])        the migrations make but one
"""

from __future__ import annotations

from ormlint.link.schema import Index, Model, Table

Owner = Model | Table


def are_made(owner: Owner, index: Index, other: Index) -> bool:
    """Whether the database has both, as far as is known: a table that migrations create has no index that they do not make.

    # `day = Column(Date, index=True)` and `Index("idx_day", "day")`, and all that stands in a migration is `op.create_index("idx_day", …)`
    """
    if not owner.migrated:
        return True
    made = {found.name or found.site for found in owner.indexes if found.kind == "migration" and found.columns == index.columns}
    return len(made) > (other.kind != "primary key" and other.columns == index.columns)


def may_be_the_same(owner: Owner, index: Index, other: Index) -> bool:
    """Whether a convention may give the index that a column asks for the name of the one spelled out, so that there is but one.

    # `key = Column(String, index=True)` and `Index("ix_page_key", "key")`
    """
    if bool(index.name) == bool(other.name):
        return False
    table = owner.table if isinstance(owner, Model) else owner.name
    own = "".join(("ix", table, *index.columns))
    return "".join(_words(index.name or other.name)) == "".join(_words(own))


def may_have_more(owner: Owner, index: Index) -> bool:
    """Whether an index is called after a further column of its table, which the database may have it include: `ix_page_key_size`."""
    words = _words(index.name)
    own = {word for name in index.columns for word in _words(name)}
    others = {name for name in owner.columns if len(name) > 2 and own.isdisjoint(_words(name))}
    return any(set(_words(name)) <= set(words) for name in others)


def _words(name: str) -> list[str]:
    return [word for word in name.lower().split("_") if word]
