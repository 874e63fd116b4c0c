"""A collection that a statement joins, loaded by a statement of its own: `joinedload(Farm.animals)` → `selectinload(Farm.animals)`.

The `order_by` of every joined collection is part of the order of the statement, behind that of the query (sqlalchemy.orm.strategies, JoinedLoader):
without a join the rows of the query and of the collections that are left come in another order, unless each of these orders leaves no doubt.
A relationship with `innerjoin=True` leaves out rows whose collection is empty, by an option as well (measured on SQLAlchemy 2.1).
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.guards import risk_of_loading_more, risk_of_refining
from ormlint.fixes.imports import Refusal, spell_import
from ormlint.fixes.source import Sources
from ormlint.judge.finding import Applicability, Fix, ReplaceLoader
from ormlint.judge.orders import is_ordered
from ormlint.link.schema import Relation
from ormlint.run.log import Bound, QueryObject
from ormlint.text import Edit, Site

_LOADER_KEYWORDS = frozenset({"innerjoin", "alias"})  # those that only a join understands
_INNER = "the mapping has `innerjoin=True`: the join leaves out rows that have none of them"
_UNKNOWN = "it is not known what the query gives"
_SHARED = "the option stands in another place, where other queries may use it"
_UNORDERED = "nothing says which row of the query comes first, and without the join they may come in another order"
_COMPOSITE = "the key has several columns, which not every database can look up by a list"
_ARBITRARY = "nothing says in which order the rows of `{}` come, and without the join they may come in another one"


def replace_loader(sources: Sources, intent: ReplaceLoader) -> Fix | None:
    """Returns the fix, a display-only one if its name is taken, None if one of the places is not a call of a loader that it can stand for."""
    edits: list[Edit] = []
    description = f"load it with `{intent.by}`"
    if intent.replaced is not None and intent.replaced.inner:
        return Fix(Applicability.DISPLAY, description, (), _INNER)
    for site in intent.sites:
        found = _renamed(sources, site, intent.by)
        if found is None or isinstance(found, Refusal):
            return Fix(Applicability.DISPLAY, description, (), found.reason) if found is not None else None
        edits += (edit for edit in found if edit not in edits)
    risk = intent.reason or (_risk(sources, intent, intent.query) if intent.query is not None else "")
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, description, tuple(edits), risk)


def _risk(sources: Sources, intent: ReplaceLoader, query: QueryObject) -> str:
    """Returns why the rows of a query or those of its collections may come otherwise without the join, "" if they cannot."""
    risk = risk_of_loading_more(sources, query)
    if risk or query.model is None:
        return risk or _UNKNOWN
    for site in intent.sites:
        home = next((place for place in (query.site, *query.steps) if place.encloses(site)), None)
        if home is None or query.ways:
            return _SHARED
        risk = risk or risk_of_refining(query, home, joins=True)
    if query.bound is not Bound.ONE and not is_ordered(query, query.model):
        return _UNORDERED
    models = {query.model, *(relation.model for relation in intent.joined), *(relation.target for relation in intent.joined if relation.target)}
    if any(sum(column.primary_key for column in model.columns.values()) != 1 for model in models):
        return _COMPOSITE
    return risk or next((_ARBITRARY.format(f"{each.model.name}.{each.name}") for each in intent.joined if not _is_sorted(each)), "")


def _is_sorted(relation: Relation) -> bool:
    """Whether the mapping says in which order the rows of a collection come: it ends with a key at the latest."""
    target = relation.target
    if target is None or relation.arranged:
        return False
    unique = {column.name for column in target.columns.values() if column.unique and not column.nullable}
    return any(target.is_primary_key(name) or name in unique for name in relation.sorted_by)


def _renamed(sources: Sources, site: Site, name: str) -> list[Edit] | Refusal | None:
    file, statement = sources.file(site), sources.statement(site)
    call = statement.expression(site.start, site.end) if statement is not None else None
    if file is None or statement is None or not isinstance(call, cst.Call):
        return None
    if any(argument.star or (argument.keyword is not None and argument.keyword.value in _LOADER_KEYWORDS) for argument in call.args):
        return None
    match call.func:
        case cst.Attribute(attr=attribute) if attribute.value.endswith("load"):
            return [file.edit(*statement.span(attribute), name)]
        case cst.Name(value=old) as function if old.endswith("load"):
            spelling = spell_import(file, site.start, "sqlalchemy.orm", name)
            return [file.edit(*statement.span(function), spelling.text), *spelling.edits] if not isinstance(spelling, Refusal) else spelling
        case _:
            return None
