"""Load plans: pure operations on the tree of relations that a query loads."""

from __future__ import annotations

from msgspec.structs import replace

from ormlint.run.log import NOWHERE, Loaded, LoadKind, LoadPlan
from ormlint.run.values import EMPTY_PLAN
from ormlint.text import Site

EMPTY = EMPTY_PLAN
_joined: dict[tuple[int, int], tuple[LoadPlan, LoadPlan, LoadPlan]] = {}


def load(
    plan: LoadPlan,
    path: tuple[str, ...],
    kind: LoadKind,
    leaf: LoadPlan = EMPTY,
    *,
    custom: bool = False,
    to_attr: str = "",
    method: str = "",
    site: Site = NOWHERE,
    inner: bool = False,
) -> LoadPlan:
    """Returns the plan with a path loaded, and with it every prefix of the path.

    `leaf` is what the rows at the end of the path load themselves (a Prefetch queryset, the options below a relation); `method` and
    `site` tell what asks for it.
    """
    name, rest = path[0], path[1:]
    old = plan.loaded.get(name)
    below = old.plan if old is not None else EMPTY
    if rest:
        below = load(below, rest, kind, leaf, custom=custom, to_attr=to_attr, method=method, site=site, inner=inner)
        entry = replace(old, plan=below, certain=True) if old is not None else Loaded(kind, below, method=method, site=site, inner=inner)
    else:
        custom = custom or (old is not None and old.custom)
        entry = Loaded(kind, merge(below, leaf), True, custom, to_attr=to_attr, method=method, site=site, inner=inner)
    return replace(plan, loaded={**plan.loaded, name: entry})


def merge(left: LoadPlan, right: LoadPlan) -> LoadPlan:
    """Returns what two plans load together."""
    if not right.loaded and right.only is None and not right.deferred and not right.annotated:
        return left
    if not left.loaded and left.only is None and not left.deferred and not left.annotated:
        return right
    loaded = dict(left.loaded)
    for name, entry in right.loaded.items():
        old = loaded.get(name)
        loaded[name] = entry if old is None else replace(entry, plan=merge(old.plan, entry.plan), certain=old.certain or entry.certain)
    only = right.only if right.only is not None else left.only
    return LoadPlan(loaded, left.deferred | right.deferred, only, left.annotated | right.annotated)


def join(left: LoadPlan, right: LoadPlan) -> LoadPlan:
    """Returns the plan of a query that was built in one of two ways: certain is only what both load."""
    if left is right:
        return left
    key = (id(left), id(right))
    known = _joined.get(key)
    if known is not None and known[0] is left and known[1] is right:
        return known[2]
    loaded: dict[str, Loaded] = {}
    for name in {**left.loaded, **right.loaded}:
        a, b = left.loaded.get(name), right.loaded.get(name)
        if a is not None and b is not None:
            loaded[name] = replace(a, plan=join(a.plan, b.plan), certain=a.certain and b.certain, custom=a.custom or b.custom)
        else:
            one = a or b
            assert one is not None
            loaded[name] = replace(one, certain=False)
    only = left.only if left.only == right.only else None
    deferred = left.deferred & right.deferred
    if left.deferred is not right.deferred and left.deferred != right.deferred:
        deferred |= {name if name[:1] == "?" else f"?{name}" for name in left.deferred ^ right.deferred}
    joined = LoadPlan(loaded, deferred, only, left.annotated & right.annotated)
    _joined[key] = (left, right, joined)
    return joined


def without(plan: LoadPlan, kind: LoadKind) -> LoadPlan:
    """Returns the plan without the relations loaded in one way: `prefetch_related(None)`."""
    return replace(plan, loaded={name: entry for name, entry in plan.loaded.items() if entry.kind is not kind})


def is_separate(plan: LoadPlan, name: str) -> bool:
    """Whether a relation is loaded by a statement of its own, which gives each row that it leads to once; a join repeats them."""
    entry = plan.loaded.get(name)
    return entry is not None and entry.kind is LoadKind.SEPARATE
