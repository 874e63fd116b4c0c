"""`book.author.id` → `book.author_id`."""

from __future__ import annotations

from ormlint.fixes.source import Sources
from ormlint.judge.finding import Applicability, Fix, ReadKey


def read_key(sources: Sources, intent: ReadKey) -> Fix | None:
    """Returns the fix, None if one of the expressions is not written on one line as `row.relation.column`."""
    relation = intent.relation
    written = f"{relation.name}.{intent.column}"
    edits = []
    for site, relation_site in intent.sites:
        file = sources.file(site)
        start = relation_site.end - len(relation.name)
        if file is None or not relation.attname or file.text[start : site.end] != written:
            return None
        edits.append(file.edit(start, site.end, relation.attname))
    description = f"read the key from `{relation.attname}`"
    if relation.nullable:
        return Fix(Applicability.UNSAFE, description, tuple(edits), "where there is no row, an AttributeError becomes None")
    return Fix(Applicability.SAFE, description, tuple(edits))
