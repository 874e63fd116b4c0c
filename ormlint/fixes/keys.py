"""`book.author.id` → `book.author_id`."""

from __future__ import annotations

from ormlint.fixes.source import Sources
from ormlint.judge.finding import Applicability, Fix, ReadKey


def read_key(sources: Sources, intent: ReadKey) -> Fix | None:
    """Returns the fix, None if the expression is not written on one line as `row.relation.column`."""
    file = sources.file(intent.site)
    relation = intent.relation
    written = f"{relation.name}.{intent.column}"
    start = intent.relation_site.end - len(relation.name)
    if file is None or not relation.attname or file.text[start : intent.site.end] != written:
        return None
    edits = (file.edit(start, intent.site.end, relation.attname),)
    description = f"read the key from `{relation.attname}`"
    if relation.nullable:
        return Fix(Applicability.UNSAFE, description, edits, "where there is no row, an AttributeError becomes None")
    return Fix(Applicability.SAFE, description, edits)
