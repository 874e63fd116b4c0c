"""Who else would pay for what a query is made to load, and where only those pass who read it.

def order_for(user, number):                   serves the page of an order, its cancellation, its change of address:
    return Order.objects.get(…)                only the page reads `lines__partner`

def show(request, number):
    order = order_for(request.user, number)    so here: `prefetch_related_objects([order], "lines__partner")`
"""

from __future__ import annotations

import re

from ormlint.judge.describe import before, can_be_changed, joined
from ormlint.judge.eager import Chain, lookup_text, path_of, relations_along
from ormlint.judge.homes import DOWN, fetches_many, first_query, profiting_callers, profits, serves_others
from ormlint.judge.project import Project
from ormlint.judge.repetition import innermost, repeaters
from ormlint.link.schema import Kind, Orm
from ormlint.run.log import Bound, Event, Loop, QueryLog, QueryObject, UseKind
from ormlint.run.plans import is_separate

FEW = 2  # so many times as many readers as others make the query itself the place
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_paid_by_others(project: Project, log: QueryLog, chain: Chain) -> bool:
    """Whether what a chain loads would be loaded for many who do not read it, there being no place of the query that only its readers pass."""
    query = chain.carrier
    if query.orm is Orm.SQLALCHEMY:
        is_costly = query.bound is not Bound.ONE and not _is_joined(chain)
        return is_costly and serves_others(log, query, chain.home, chain.whole_path, as_many=True)
    own = log.functions.around(chain.home)
    walking = _walking(log, chain)
    if query.combined or query.generic or not own or own in walking:
        return False
    if query.parent is not None and any(use.kind is UseKind.STORE for use in query.parent.all_uses()):
        return False  # a function keeps it: what is made of it at a loop would fetch its rows once more
    if query.bound is not Bound.ONE:
        if serves_others(log, query, chain.home, chain.whole_path):
            return True
        shown = _is_joined(chain) and any(innermost(repeaters(event)).kind == "serializer" for event in chain.events)
        return not shown and any(_pays(project, log, chain, other, walking) for other in log.passing(chain.home) if other is not query)
    if "" in walking or _is_joined(chain):
        return False  # a join costs who asks for one row little
    starters = log.functions.started_by({own})
    profiting = starters & log.functions.started_by(walking)
    return 0 < len(profiting) <= FEW * len(starters - profiting)


def advice_for_readers(project: Project, log: QueryLog, chain: Chain) -> str:
    """Returns the imperative that loads a chain for the rows that are read alone."""
    if chain.carrier.orm is Orm.SQLALCHEMY:
        return _advice_to_pass_options(project, log, chain)
    event = chain.events[0]
    loop = innermost(repeaters(event))
    others = f", not with the query at {project.at(chain.home)}, which serves others too"
    if chain.carrier.trail and chain.carrier.trail[-1].path in project.templates:
        return f"give {project.shown(loop.site.path)} rows that are loaded with {lookup_text(chain)}{others}"
    if not can_be_changed(project, loop.site):
        where = f" in the view that renders {project.shown(loop.site.path)}"
    elif _walks(log, chain, loop) and _is_joined(chain):
        return f"add {lookup_text(chain)} to what the loop at {project.at(loop.site)} walks{others}"
    else:
        where = f" before the {'rows are shown' if loop.kind == 'serializer' else 'loop'} at {project.at(loop.site)}"
    rows = "page" if loop.bound is Bound.PAGE else _rows(chain)
    return f'call `prefetch_related_objects({rows}, "{chain.spelled}")`{where}{others}'


def is_cut_to_pages(chain: Chain) -> bool:
    """Whether all rows of a query are fetched and a page of them is shown: what the query loads, it loads for all.

    # `newest = {order.shop_id: order for order in orders}`, and then `Paginator(list(newest.values()), 25).get_page(number)`
    """
    query = chain.carrier
    if query.orm is not Orm.DJANGO or query.sliced or query.bound is not Bound.MANY or query.style != "queryset":
        return False
    loops = [innermost(repeaters(event)) for event in chain.events]
    return all(loop.bound is Bound.PAGE and (loop.source is None or not loop.source.sliced) for loop in loops)


def advice_for_page(project: Project, chain: Chain) -> str:
    """Returns the imperative that loads a chain for the rows of a page alone."""
    where = before(project, innermost(repeaters(chain.events[0])).site)
    more = f"the query at {project.at(chain.home)} fetches more rows than the page has"
    return f'call `prefetch_related_objects(page, "{chain.spelled}")` {where}: {more}'


def _advice_to_pass_options(project: Project, log: QueryLog, chain: Chain) -> str:
    """Returns the imperative for a function whose other callers leave unread what some of them have read: these give it the options."""
    readers = profiting_callers(log, chain.carrier, chain.home, chain.whole_path)
    own = f"`{_short(log.functions.around(chain.home))}()`"
    from_whom = joined(sorted({f"`{_short(reader)}()`" for reader in readers}))
    option = lookup_text(chain).replace("`.options(", "`", 1).removesuffix(")`")
    where = project.at(chain.home)
    return f"have {own} take loader options for its query at {where}, and give it {option}` from {from_whom}: its other callers do not read it"


def _short(function: str) -> str:
    return function.rpartition(":")[2]


def serves_several(project: Project, log: QueryLog, chain: Chain, event: Event) -> bool:
    """Whether the loop of an event stands in a function that several others give rows to, each from a query of its own."""
    functions = log.functions
    loop = innermost(repeaters(event)).site
    around, own = functions.around(loop), functions.around(chain.home)
    return can_be_changed(project, loop) and "" not in (around, own) and own != around and len(functions.callers(around) - {around}) > 1


def _walking(log: QueryLog, chain: Chain) -> frozenset[str]:
    """Returns the functions with the loops that have the rows of a chain read; "" is one if a loop stands outside of all."""
    return frozenset(log.functions.around(innermost(repeaters(event)).site) for event in chain.events)


def _pays(project: Project, log: QueryLog, chain: Chain, other: QueryObject, walking: frozenset[str]) -> bool:
    begun = chain.whole_path[: first_query(chain.carrier.model, chain.whole_path)]
    if other.model is not chain.carrier.model or not fetches_many(project, log, other) or profits(log, other, begun):
        return False
    functions = log.functions
    leading = frozenset().union(*(functions.lead_to(name, DOWN) for name in walking if name))
    leading |= {functions.around(event.site) for event in log.evaluations(chain.carrier)}
    fetching = [event for event in log.evaluations(other) if event.use not in (UseKind.TRUTH, UseKind.LEN)]
    return bool(fetching) and leading.isdisjoint(functions.around(event.site) for event in fetching)


def _is_joined(chain: Chain) -> bool:
    hops = relations_along(chain.carrier.model, chain.whole_path)
    to_one = bool(hops) and all(hop.to_one and hop.kind is not Kind.GENERIC_FOREIGN_KEY for hop in hops)
    return to_one and not is_separate(chain.carrier.plan, chain.whole_path[0])


def _walks(log: QueryLog, chain: Chain, loop: Loop) -> bool:
    """Whether it is a loop that evaluates the query which a chain is of, and nothing else does: made anew, it is fetched once all the same."""
    query = chain.carrier
    if loop.source is not query or query.style == "list" or query.cached or len(path_of(chain.events[0])) > 1:
        return False
    return len({event.site for event in log.evaluations(query)}) == 1


def _rows(chain: Chain) -> str:
    """Returns how code may call the rows of a chain: "rows", "[order]"."""
    model = chain.carrier.model
    return "rows" if chain.carrier.bound is not Bound.ONE or model is None else f"[{_WORDS.sub('_', model.name).lower()}]"
