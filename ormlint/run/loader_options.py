"""SQLAlchemy: loader options, from `joinedload(A.b)` to what a query then loads."""

from __future__ import annotations

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.library import sqlalchemy_api as api
from ormlint.link.schema import Model
from ormlint.run import plans
from ormlint.run.frame import Frame
from ormlint.run.log import LoadKind, LoadPlan, QueryObject
from ormlint.run.machine import Machine
from ormlint.run.queries import mapping_plan
from ormlint.run.values import Constant, Descriptor, Option, Sequence, Union, Value, varying
from ormlint.text import Site

KINDS = {
    "joinedload": LoadKind.JOIN,
    "contains_eager": LoadKind.JOIN,
    "joinedload_all": LoadKind.JOIN,
    "selectinload": LoadKind.SEPARATE,
    "subqueryload": LoadKind.SEPARATE,
    "subqueryload_all": LoadKind.SEPARATE,
    "immediateload": LoadKind.SEPARATE,
    "raiseload": LoadKind.RAISE,
    "noload": LoadKind.KNOWN,
}


NOTHING = Option((), ())
"""The option that a loader makes of an attribute which is not known."""


def loader(name: str, args: list[Value], site: Site, *, inner: bool = False) -> Option:
    """Returns the loader option that `joinedload(A.b)`, `load_only(A.x)` … make."""
    path: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    model = next((a.model for a in args if isinstance(a, Descriptor)), None)
    if name in ("load_only", "defer", "undefer", "undefer_group"):
        columns = tuple(a.name if isinstance(a, Descriptor) else str(a.value) for a in args if isinstance(a, (Descriptor, Constant)))
        return Option((), (name,), model, columns)
    for arg in args:
        step = arg.name if isinstance(arg, Descriptor) else str(arg.value) if isinstance(arg, Constant) and isinstance(arg.value, str) else ""
        for part in step.split("."):
            if part:
                path, kinds = (*path, part), (*kinds, name)
    return Option(path, kinds, model, sites=(site,) * len(path), inner=(inner,) * len(path))


def descriptor_method(
    m: Machine, f: Frame, node: ir.Call, receiver: Descriptor | Option, name: str, args: list[Value], keywords: dict[str, Value]
) -> Value:
    """Calls a method of a loader option (further hops) or of a mapped attribute (comparisons)."""
    if isinstance(receiver, Option):
        if name == "options":
            children = tuple(a for a in flat(args) if isinstance(a, Option))
            return replace(receiver, children=(*receiver.children, *children))
        if name in api.LOADERS:
            more = loader(name, args, f.site(node.start, node.end), inner="innerjoin" in keywords)
            if more.columns or not more.path:
                return replace(receiver, children=(*receiver.children, more))
            if receiver.columns:  # `load_only(Book.title).joinedload(Book.author)`
                receiver = Option((), (), receiver.model, children=(replace(receiver, children=()), *receiver.children))
            children = tuple(replace(child, hops=child.hops + len(more.path)) for child in receiver.children)
            path, kinds, sites = receiver.path + more.path, receiver.kinds + more.kinds, receiver.sites + more.sites
            return replace(receiver, path=path, kinds=kinds, children=children, sites=sites, inner=receiver.inner + more.inner)
        return receiver
    if name in ("of_type", "and_", "alias"):
        return receiver
    for value in args:
        m.use_as_parameter(f, value, node, name if name == "in_" else "")
    return varying(args)


def extend(f: Frame, node: ir.Expr_, grown: Option) -> None:
    """Lets the variables whose options an expression goes on from hold what it adds: before SQLAlchemy 2.0 they did so.

    # strategy = joinedload(Author.books)
    # strategy.joinedload(Book.publisher)
    """
    while isinstance(node, (ir.Call, ir.Attr)):
        node = node.func if isinstance(node, ir.Call) else node.value
    origin = f.env.get(node.id) if isinstance(node, ir.Name) else None
    if not isinstance(origin, Option) or not origin.path:
        return
    added = grown.children[len(origin.children) :]
    for name, old in list(f.env.items()):
        start = len(old.path) if isinstance(old, Option) else 0
        if not isinstance(old, Option) or not start or old.path != grown.path[:start] or old.sites != grown.sites[:start]:
            continue
        further = (
            added
            if start == len(grown.path)
            else (Option(grown.path[start:], grown.kinds[start:], children=added, sites=grown.sites[start:], inner=grown.inner[start:]),)
        )
        f.env[name] = replace(old, children=(*old.children, *further))


def flat(args: list[Value]) -> list[Value]:
    """Returns arguments with the elements of lists in their place."""
    found: list[Value] = []
    for arg in args:
        if isinstance(arg, Sequence):
            found += arg.items if arg.items is not None else [arg.element]
        elif isinstance(arg, Union):
            found += arg.options
        else:
            found.append(arg)
    return found


def apply_options(plan: LoadPlan, model: Model | None, args: list[Value]) -> tuple[LoadPlan, bool]:
    """Returns a plan with loader options applied, and whether all options were understood."""
    complete = True
    for arg in flat(args):
        for option in arg.options if isinstance(arg, Union) else (arg,):
            if isinstance(option, Option) and option != NOTHING:
                plan = apply_option(plan, option, model)
            else:
                complete = False
    return plan, complete


def apply_option(plan: LoadPlan, option: Option, model: Model | None) -> LoadPlan:
    """Returns a plan with one loader option applied."""
    here = [child for child in option.children if child.hops == len(option.path)]
    for child in here:
        plan = apply_option(plan, replace(child, hops=0), model)
    if not option.path:
        return _with_columns(plan, option.kinds[0], frozenset(option.columns), model) if option.columns else plan
    name, kind = option.path[0], KINDS.get(option.kinds[0])
    relation = model.relations.get(name) if model is not None else None
    target = relation.target if relation is not None else None
    rest = Option(option.path[1:], option.kinds[1:], target, children=option.children, sites=option.sites[1:], inner=option.inner[1:])
    old = plan.loaded.get(name)
    if name == "*":
        for other in model.relations if model is not None and kind is not None else ():
            if other not in plan.loaded:
                assert kind is not None
                plan = plans.load(plan, (other,), kind, method=option.kinds[0], site=option.sites[0])
        return plan
    below = old.plan if old is not None else mapping_plan(target) if target is not None else plans.EMPTY
    below = apply_option(below, rest, target)
    if kind is None:
        if option.kinds[0] == "lazyload":
            return replace(plan, loaded={n: e for n, e in plan.loaded.items() if n != name})
        return plans.load(plan, (name,), old.kind, below, method=old.method, site=old.site, inner=old.inner) if old is not None else plan
    cleared = replace(plan, loaded={n: e for n, e in plan.loaded.items() if n != name})
    return plans.load(cleared, (name,), kind, below, method=option.kinds[0], site=option.sites[0], inner=option.inner[0])


def _with_columns(plan: LoadPlan, kind: str, named: frozenset[str], model: Model | None) -> LoadPlan:
    """Returns a plan that loads the columns which an option names, or leaves them out; `undefer("*")` means all of them."""
    if kind == "defer":
        return replace(plan, deferred=plan.deferred | named)
    if kind == "undefer_group":
        columns = model.columns if model is not None else {}
        named = frozenset(name for name in plan.deferred if name not in columns or columns[name].deferred_group in named)
    left = frozenset() if "*" in named else plan.deferred - named
    if kind == "load_only":
        return replace(plan, only=named | ({model.primary_key} if model is not None else frozenset()), deferred=left)
    return replace(plan, only=plan.only | named if plan.only is not None and "*" not in named else None, deferred=left)


def of_other_entities(m: Machine, query: QueryObject, args: list[Value]) -> tuple[dict[Model, LoadPlan], list[Value]]:
    """Returns the plans that options give the further entities of `select(A, B)`, and the options that are left for the first."""
    others = {model: m.entity_plans.get(query, {}).get(model) or mapping_plan(model) for model in m.entities.get(query, ())[1:] if model is not None}
    left: list[Value] = []
    for arg in flat(args):
        if isinstance(arg, Option) and arg.model in others and arg.model is not query.model:
            assert arg.model is not None
            others[arg.model] = apply_option(others[arg.model], arg, arg.model)
        else:
            left.append(arg)
    return others, left
