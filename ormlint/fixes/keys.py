"""`book.author.id` → `book.author_id`."""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import chain_of
from ormlint.fixes.source import Sources
from ormlint.judge.finding import Applicability, Fix, ReadKey
from ormlint.text import Site


def read_key(sources: Sources, intent: ReadKey) -> Fix | None:
    """Returns the fix, None if one of the expressions is not written on one line as `row.relation.column`."""
    relation = intent.relation
    written = f"{relation.name}.{intent.column}"
    edits = []
    risk = intent.risk
    for site, relation_site in intent.sites:
        file = sources.file(site)
        start = relation_site.end - len(relation.name)
        if file is None or not relation.attname or file.text[start : site.end] != written:
            return None
        edits.append(file.edit(start, site.end, relation.attname))
        risk = risk or _risk_of_a_parameter(sources, site)
    description = f"read the key from `{relation.attname}`"
    if relation.nullable:
        return Fix(Applicability.UNSAFE, description, tuple(edits), "where there is no row, an AttributeError becomes None")
    if relation.target is not None and relation.target.has_base_manager:
        risk = "`Meta.base_manager_name` names a manager for related rows, which may not give the row"
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, description, tuple(edits), risk)


def _risk_of_a_parameter(sources: Sources, site: Site) -> str:
    """Returns why a row that the function around it is given may be another for another caller, "" if it is not given the row."""
    statement = sources.statement(site)
    node = statement.expression(site.start, site.end) if statement is not None else None
    if statement is None or node is None:
        return "the row is not understood"
    root = chain_of(statement, node).root
    function = statement.function(node)
    if isinstance(root, cst.Name) and function is not None:
        parameters = {parameter.name.value for parameter in statement.within(function.params, cst.Param)}
        if root.value in parameters:
            return "callers may give a row that they have just made, which has the related row and not yet its key"
    return ""
