"""What `prefetch_related()` loads: lookups as texts, and `Prefetch` objects with querysets and attributes of their own."""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.link.schema import Kind, Model, Relation
from ormlint.run import plans
from ormlint.run.frame import Frame
from ormlint.run.log import Loaded, LoadKind, LoadPlan, QueryObject
from ormlint.run.machine import Machine
from ormlint.run.values import NONE, Constant, Instance, Sequence, Union, Value
from ormlint.text import Site

METHOD = "prefetch_related"


def prefetched_along(m: Machine, f: Frame, plan: LoadPlan, model: Model | None, args: list[Value], node: ir.Call) -> LoadPlan:
    """Returns a load plan with what the arguments of `prefetch_related()` add to it or, with None, without any prefetch."""
    for arg, site in zip(args, places_of(f, node, args), strict=True):
        if isinstance(arg, Constant) and arg.value is None:
            return plans.without(plan, LoadKind.SEPARATE)
        for path in paths_in(arg):
            names = _prefetch_path(plan, model, path)
            plan = plans.load(_with_defaults(m, f, plan, model, names, node), names, LoadKind.SEPARATE, method=METHOD, site=site)
        items = arg.items if isinstance(arg, Sequence) and arg.items is not None else (arg,)
        for item in items:
            for option in item.options if isinstance(item, Union) else (item,):
                if isinstance(option, Instance) and option.cls.name == "Prefetch":
                    plan = _prefetch(m, f, plan, model, option, node, site)
    return plan


def places_of(f: Frame, node: ir.Call, args: list[Value]) -> list[Site]:
    """Returns the place of each of the last arguments of a call; that of the whole call for those that are not spelled out one by one."""
    own = node.args[len(node.args) - len(args) :] if len(node.args) >= len(args) else []
    if own and not any(isinstance(arg, ir.Star) for arg in own):
        return [f.site(arg.start, arg.end) for arg in own]
    return [f.site(node.start, node.end)] * len(args)


def lookups_of(args: list[Value]) -> Iterator[str]:
    """Yields the paths of lookups that are spelled out as texts or in a Prefetch."""
    for arg in args:
        yield from paths_in(arg)
        lookup = arg.attributes.get("lookup") if isinstance(arg, Instance) and arg.cls.name == "Prefetch" else None
        if isinstance(lookup, Constant) and isinstance(lookup.value, str):
            yield lookup.value


def leads_nowhere(m: Machine, plan: LoadPlan, model: Model | None, text: str) -> bool:
    """Whether a lookup names what a model of the project has not: such a query fails, and what its rows lack does not matter."""
    for part in text.split("__"):
        entry = plan.loaded.get(f"to_attr:{part}")
        relation = model.relation(entry.to_attr if entry is not None else part) if model is not None else None
        cls = m.class_of(model) if model is not None else None
        if relation is None:
            open_to_others = cls is None or cls.module.is_library or any(external.package != "django" for external in cls.externals)
            return not open_to_others and cls is not None and cls.find(part) is None
        below = plan.loaded.get(f"to_attr:{part}" if entry is not None else relation.name)
        plan, model = below.plan if below is not None else plans.EMPTY, relation.target
    return False


def default_plan(m: Machine, f: Frame, node: ir.Node, relation: Relation | None) -> LoadPlan:
    """Returns what the rows of a collection load by themselves: what `get_queryset` of their model's default manager adds.

    To a single row behind a relation leads the base manager, which is a plain one.
    """
    from ormlint.run.attributes import default_manager
    from ormlint.run.django import manager_query

    if relation is None or relation.to_one or relation.target is None:
        return plans.EMPTY
    cls = m.class_of(relation.target)
    manager = default_manager(m, cls, relation.target) if cls is not None else None
    if manager is None or manager.cls is None or manager.cls.method("get_queryset") is None:
        return plans.EMPTY
    return manager_query(m, f, node, manager).plan


def _with_defaults(m: Machine, f: Frame, plan: LoadPlan, model: Model | None, path: tuple[str, ...], node: ir.Call) -> LoadPlan:
    """Returns a load plan with what the collections along a path load by themselves; those that it has already are complete."""
    for length, (relation, entry) in enumerate(_hops(plan, model, path), 1):
        own = default_plan(m, f, node, relation) if entry is None else plans.EMPTY
        if own is not plans.EMPTY:
            plan = plans.load(plan, path[:length], LoadKind.SEPARATE, own, method=METHOD, site=f.site(node.start, node.end))
    return plan


def _hops(plan: LoadPlan, model: Model | None, path: tuple[str, ...]) -> Iterator[tuple[Relation, Loaded | None]]:
    """Yields the relations that a path of a plan names, each with the plan's entry for it; ends where one is not known."""
    for name in path:
        entry = plan.loaded.get(name)
        relation = model.relation(entry.to_attr if entry is not None and entry.to_attr else name) if model is not None else None
        if relation is None:
            return
        yield relation, entry
        plan, model = entry.plan if entry is not None else plans.EMPTY, relation.target


def _prefetch_path(plan: LoadPlan, model: Model | None, text: str) -> tuple[str, ...]:
    """Returns the path of a prefetch, which may go on from the attribute of an earlier Prefetch."""
    names: list[str] = []
    for part in text.split("__"):
        entry = plan.loaded.get(f"to_attr:{part}")
        relation = model.relation(entry.to_attr if entry is not None else part) if model is not None else None
        name = f"to_attr:{part}" if entry is not None else relation.name if relation is not None else part
        names.append(name)
        model = relation.target if relation is not None else None
        below = plan.loaded.get(name)
        plan = below.plan if below is not None else plans.EMPTY
    return tuple(names)


def _prefetch(m: Machine, f: Frame, plan: LoadPlan, model: Model | None, prefetch: Instance, node: ir.Call, site: Site) -> LoadPlan:
    """Adds a `Prefetch(lookup, queryset, to_attr)` to a plan."""
    lookup = prefetch.attributes.get("lookup")
    if not isinstance(lookup, Constant) or not isinstance(lookup.value, str):
        return plan
    path = _prefetch_path(plan, model, lookup.value)
    queryset = prefetch.attributes.get("queryset")
    to_attr = prefetch.attributes.get("to_attr")
    custom = isinstance(queryset, QueryObject)
    plan = _with_defaults(m, f, plan, model, path[:-1], node)
    if isinstance(queryset, QueryObject):
        leaf = _with_way_back(queryset)
    else:
        last = list(_hops(plan, model, path))[len(path) - 1 :] if queryset in (None, NONE) else []
        leaf = default_plan(m, f, node, last[0][0]) if last else plans.EMPTY
    if isinstance(to_attr, Constant) and isinstance(to_attr.value, str):
        path, attribute = (*path[:-1], f"to_attr:{to_attr.value}"), path[-1]
        return plans.load(plan, path, LoadKind.SEPARATE, leaf, custom=True, to_attr=attribute, method=METHOD, site=site)
    return plans.load(plan, path, LoadKind.SEPARATE, leaf, custom=custom, method=METHOD, site=site)


def _with_way_back(queryset: QueryObject) -> LoadPlan:
    """Returns what the rows of a queryset load: those of a related manager know the row that it belongs to, wherever they are fetched.

    # `Prefetch("book", queryset=author.books.all())`: the `author` of each book is that very one, and what it lacks is read once
    """
    back = queryset.relation.inverse if queryset.relation is not None and queryset.relation.kind is Kind.REVERSE_FOREIGN_KEY else None
    return plans.load(queryset.plan, (back.name,), LoadKind.KNOWN) if back is not None else queryset.plan


def paths_in(arg: Value) -> list[str]:
    """Returns the lookup paths that a value spells out as texts."""
    if isinstance(arg, Constant) and isinstance(arg.value, str):
        return [arg.value]
    if isinstance(arg, Sequence):
        items = arg.items if arg.items is not None else (arg.element,)
        return [p for item in items for p in paths_in(item)]
    return []
