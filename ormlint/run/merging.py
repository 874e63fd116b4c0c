"""Joining values that need the machine: query objects built in two ways become one."""

from __future__ import annotations

from itertools import takewhile

from ormlint.link.names import ClassInfo, External
from ormlint.link.schema import Orm
from ormlint.run import plans
from ormlint.run.log import QueryObject, Use, UseKind
from ormlint.run.machine import Machine
from ormlint.run.values import Constant, Instance, Mapping, Row, Sequence, Union, Unknown, Value, join, options, varying
from ormlint.text import Site


def join_values(m: Machine, left: Value, right: Value) -> Value:
    """Returns a value that stands for either; query objects of one model are merged, their certain loads being those of both."""
    if left is right:
        return left
    kinds = type(left), type(right)
    if kinds == (QueryObject, QueryObject):
        return _merge_queries(m, left, right)  # type: ignore[arg-type]
    if kinds == (Row, Row) and left.model is right.model:  # type: ignore[union-attr]
        return _merge_rows(m, left, right)  # type: ignore[arg-type]
    joined = _merge_options(m, (*options(left), *options(right))) if Union in kinds else join(left, right)
    if not _UNTRACKED.issuperset(kinds):
        _let_go(left, joined)
        _let_go(right, joined)
    return joined


_UNTRACKED = frozenset({Unknown, Constant, Row, Instance, External, Mapping})


def _let_go(value: Value, joined: Value) -> None:
    """Notes on the queries whose rows a value holds, and what stands for it from here on does not tell of, that they may be used anyhow.

    # `rows = list(books) if books else load()`
    """
    kept = {id(source) for source in map(_source_of, options(joined))}
    for option in options(value):
        source = _source_of(option)
        if source is not None and id(source) not in kept:
            source.uses.append(Use(UseKind.OTHER, source.site))


def _source_of(value: Value) -> QueryObject | None:
    return value.source if isinstance(value, Sequence) else None


def _merge_options(m: Machine, values: tuple[Value, ...]) -> Value:
    """Returns a union in which query objects of one model and kind, and rows of one model, have become one."""
    kept: list[Value] = []
    for value in values:
        for position, other in enumerate(kept):
            if _mergeable(other, value):
                kept[position] = join_values(m, other, value)
                break
        else:
            kept.append(value)
    merged = kept[0]
    for value in kept[1:]:
        merged = join(merged, value)
    return merged


def _mergeable(left: Value, right: Value) -> bool:
    if isinstance(left, QueryObject) and isinstance(right, QueryObject):
        return left.model is right.model and left.style == right.style and left.shape == right.shape
    return (
        isinstance(left, Row) and isinstance(right, Row) and left.model is right.model and left.origin == right.origin and left.births == right.births
    )


def _merge_rows(m: Machine, left: Row, right: Row) -> Value:
    if left.origin is None or right.origin is None:
        if left.fresh and right.fresh:
            return left if left.expired is None else right
        known, other = (left, right) if left.origin is not None else (right, left)
        if other.fresh and known.origin is not None:  # `books.append(Book())` does not make unknown what was fetched
            return join(left, right)
        return Row(left.model, left.cls, None, plans.EMPTY, known.births, assigned=tuple(dict.fromkeys(left.assigned + right.assigned)))
    if left.origin == right.origin and left.births == right.births:
        assigned = tuple(dict.fromkeys(left.assigned + right.assigned))
        constant = left.constant and right.constant
        plan = plans.join(left.plan, right.plan)
        single, sought = left.single and right.single, left.sought and right.sought
        return Row(left.model, left.cls, left.origin, plan, left.births, False, assigned, constant, single=single, sought=sought)
    return join(left, right)


def _shared(left: tuple[Site, ...], right: tuple[Site, ...]) -> tuple[Site, ...]:
    """Returns the beginning that two trails have in common."""
    return tuple(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _merge_queries(m: Machine, left: QueryObject, right: QueryObject) -> Value:
    key = (left, right)
    known = m.merged.get(key)
    if known is not None:
        return known
    for empty, other in ((left, right), (right, left)):
        if empty.has("none") and left.model is right.model:  # `books = Book.objects.none()` … `books = Book.objects.filter(…)`
            return other
    if left.model is not right.model or left.style != right.style or left.shape != right.shape:
        return join(left, right) if left.model is not None and right.model is not None else varying((left, right))
    first, later = (left, right) if left.site == right.site or left.site.start <= right.site.start else (right, left)
    merged = QueryObject(
        parent=first,
        model=left.model,
        orm=left.orm,
        site=first.site,
        function=first.function,
        plan=plans.join(left.plan, right.plan),
        steps=tuple(dict.fromkeys((*first.steps, *(() if later.site == first.site else (later.site,)), *later.steps))),
        trail=_shared(left.trail, right.trail) if left.site == right.site else (),
        shape=left.shape,
        bound=max(left.bound, right.bound),
        limit=left.limit if left.limit == right.limit else None,
        style=left.style,
        relation=left.relation if left.relation is right.relation else None,
        methods=tuple(dict.fromkeys(left.methods + right.methods)),
        locked=left.locked or right.locked,
        sliced=left.sliced or right.sliced or left.bound is not right.bound,
        combined=left.combined or right.combined,
        distinct=left.distinct or right.distinct,
        raw=left.raw or right.raw,
        cached=left.cached and right.cached,
        owner=left.owner if left.owner == right.owner else None,
        filters=_asked_for(left, right),
        stated=left.stated | right.stated,
        pins=tuple(pin for pin in left.pins if pin in right.pins),
        matches=tuple(match for match in left.matches if match in right.matches),
        parameters=left.parameters | right.parameters,
        follows=left.follows or right.follows,
        varied=left.varied | right.varied,
        sets=left.sets | right.sets,
        unkeyed=left.unkeyed | right.unkeyed,
        complete=left.complete and right.complete,
        ways=(first, later),
    )
    if (left.owner is None) != (right.owner is None):
        merged.complete = False
    m.merged[key] = merged
    left.heirs.append(merged)
    right.heirs.append(merged)
    m.created[merged] = m.created.get(first) or m.created[later]
    row = m.rows_of.get(left) or m.rows_of.get(right)
    if row is not None:
        m.rows_of[merged] = row
    cls = _common_class(m.queryset_classes.get(left), m.queryset_classes.get(right))
    if cls is not None:
        m.queryset_classes[merged] = cls
    _keep_columns(m, merged, left, right)
    m.queries.append(merged)
    return merged


def _asked_for(left: QueryObject, right: QueryObject) -> frozenset[str]:
    """Returns what two ways to build a query ask for; of SQLAlchemy also what each asks for alone, "?name".

    What one of them asks for besides what the other does is "??name".
    # `if key: books = books.filter(Book.id == key)`: without a key there are all books
    """
    both, either = left.filters & right.filters, left.filters | right.filters
    if left.orm is not Orm.SQLALCHEMY:
        return both | (either & {"*"})
    mark = "??" if left.filters <= right.filters or right.filters <= left.filters else "?"
    return both | {lookup if lookup == "*" else f"{mark}{lookup.lstrip('?')}" for lookup in either - both}


def as_asked(query: QueryObject, function: str) -> frozenset[str]:
    """Returns what a query asks for that a function is given by the one that builds it: the caller has said what it wants, so "??name" is "?name"."""
    if any(way.function == function for way in query.every_way()):
        return query.filters
    return frozenset(lookup[1:] if lookup.startswith("??") else lookup for lookup in query.filters)


def _keep_columns(m: Machine, merged: QueryObject, left: QueryObject, right: QueryObject) -> None:
    """Notes what the rows of a merged query hold beside its model, where that is the same on both ways."""
    entities = m.entities.get(left)
    if entities is not None and entities == m.entities.get(right):
        m.entities[merged] = entities
        loaded = m.entity_plans.get(left, {}), m.entity_plans.get(right, {})
        if loaded[0] or loaded[1]:
            from ormlint.run.queries import mapping_plan

            further = [model for model in entities[1:] if model is not None]
            m.entity_plans[merged] = {model: plans.join(*(plan.get(model) or mapping_plan(model) for plan in loaded)) for model in further}
    for kept in (m.counting, m.wrapped):
        if left in kept and right in kept:
            kept.add(merged)


def _common_class(left: ClassInfo | None, right: ClassInfo | None) -> ClassInfo | None:
    """Returns whichever of two QuerySet classes the other one is or derives from."""
    if left is None or right is None:
        return None
    return left if left in right.mro else right if right in left.mro else None
