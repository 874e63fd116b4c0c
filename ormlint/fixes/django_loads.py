"""`select_related` and `prefetch_related`, added to the expression that builds a queryset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import libcst as cst

from ormlint.fixes.chain import Chain, append_argument, chain_of, insert_links, quote_for
from ormlint.fixes.guards import calls_of, has_arguments
from ormlint.fixes.imports import Refusal
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import Applicability, Fix
from ormlint.link.schema import Kind, Model, Relation
from ormlint.run.log import QueryObject
from ormlint.run.plans import is_separate
from ormlint.text import Edit, Site

SELECT, PREFETCH = "select_related", "prefetch_related"

# What gives no queryset of model instances any more, or one that takes no further loads.
_END_NAMES = """
    values values_list dates datetimes union intersection difference iterator count exists aggregate in_bulk get first last earliest latest
    contains explain create get_or_create update_or_create bulk_create bulk_update update delete none raw
    aiterator acount aexists aaggregate ain_bulk aget afirst alast aearliest alatest acontains aexplain
    acreate aget_or_create aupdate_or_create abulk_create abulk_update aupdate adelete
"""
ENDS = frozenset(_END_NAMES.split())
SHORTCUTS = frozenset({"get_object_or_404", "aget_object_or_404", "get_list_or_404", "aget_list_or_404"})


@dataclass(frozen=True, slots=True)
class Lookup:
    """A path of relations as a lookup of one of the two methods; `written` is how it is written if not as a text: `Prefetch(…)`."""

    method: str
    path: str
    written: str = ""

    def code(self, quote: str) -> str:
        """Returns how it is written as an argument."""
        return self.written or f"{quote}{self.path}{quote}"

    def covers(self, other: Lookup) -> bool:
        """Whether this lookup loads all that the other one loads."""
        if self.written or other.written:
            return self == other
        return self.method == other.method and (self.path == other.path or self.path.startswith(f"{other.path}__"))


def lookup_of(sources: Sources, query: QueryObject, path: Iterable[Relation]) -> Lookup | Refusal:
    """Returns the lookup that loads a path with a query, or why none can."""
    hops = [relation for relation in path if relation.kind is not Kind.PARENT_LINK]  # always joined
    if not hops:
        return Refusal("a parent link is always loaded")
    if any(hop.kind is Kind.GENERIC_FOREIGN_KEY for hop in hops[:-1]):
        return Refusal("the rows behind a generic foreign key are of different models")
    if query.combined:
        return Refusal("a combined query (`union()` and the like) takes no further loads: add them to each part")
    plan = query.plan
    for hop in hops:
        if any(entry.to_attr and hop.name in (name, entry.to_attr) for name, entry in plan.loaded.items()):
            return Refusal(f"`{hop.name}` is loaded by a `Prefetch` with `to_attr`: add the load to its queryset")
        if hop.name not in plan.loaded:
            break
        plan = plan.loaded[hop.name].plan
    separate = is_separate(query.plan, hops[0].name)
    # `select_related()` without arguments would be ended by one with names
    if not query.follows and not separate and all(hop.to_one and hop.kind is not Kind.GENERIC_FOREIGN_KEY for hop in hops):
        return _joined(query, hops)
    obstacle = obstacle_of_prefetching(sources, query)
    return Refusal(obstacle) if obstacle else Lookup(PREFETCH, "__".join(hop.name for hop in hops))


def obstacle_of_prefetching(sources: Sources, query: QueryObject) -> str:
    """Returns why a query cannot prefetch anything, "" if it can."""
    if query.has("iterator", "aiterator") or any(use.operator in ("iterator", "aiterator") for use in query.uses):
        if not has_arguments(sources, query, "iterator", "aiterator") and not _streams(sources, query):
            return "`iterator()` needs a `chunk_size` before it can prefetch"
    return ""


def _streams(sources: Sources, query: QueryObject) -> list[Edit]:
    """Returns the edits that give every `iterator()` of a query the `chunk_size` that it has by default, and has to be told of to prefetch."""
    edits: list[Edit] = []
    for place in dict.fromkeys((query.site, *query.steps, *(use.site for use in query.uses))):
        file, statement = sources.file(place), sources.statement(place)
        if file is not None and statement is not None:
            calls = [call for call in calls_of(sources, place, "iterator") if not call.args]
            edits += [file.insert(statement.span(call)[1] - 1, "chunk_size=2000") for call in calls]
    return list(dict.fromkeys(edits))


def _joined(query: QueryObject, hops: list[Relation]) -> Lookup | Refusal:
    if query.raw or query.has("raw"):
        return Refusal("`raw()` takes no `select_related()`")
    if any(way.plan.leaves_out(hops[0]) for way in query.every_way()):
        return Refusal(f"the query defers `{hops[0].name}`, which a join needs")
    # A reverse one-to-one is selected by its query name, but prefetched by the name of the attribute.
    return Lookup(SELECT, "__".join((hop.query_name or hop.name) if hop.kind is Kind.REVERSE_ONE_TO_ONE else hop.name for hop in hops))


def add_lookups(
    sources: Sources, file: SourceFile, statement: Statement, query: QueryObject, home: Site, lookups: list[Lookup]
) -> Fix | Refusal | None:
    """Returns the fix that adds lookups to a query at its home, without a verdict on its safety except where its form decides.

    Returns None if there is nothing to add, a refusal if the query's expression takes none.
    """
    node = statement.expression(home.start, home.end)
    if node is None:
        return None
    wanted = [lookup for lookup in dict.fromkeys(lookups) if not any(other != lookup and other.covers(lookup) for other in lookups)]
    chain = chain_of(statement, node)
    if isinstance(chain.root, cst.Call) and isinstance(chain.root.func, cst.Name) and chain.root.func.value in SHORTCUTS and chain.root.args:
        chain = chain_of(statement, chain.root.args[0].value)
    if not chain.links[: chain.inner] and isinstance(chain.root, cst.Name) and query.model is not None and chain.root.value == query.model.name:
        return _on_the_class(file, statement, chain, query.model, wanted)
    streams = ("iterator", "aiterator")
    if home != query.site and query.has(*streams) and not any(link.name in streams for link in chain.links):
        return Refusal("the call gives an iterator: load the relation before")
    places = (query.site, *query.steps)
    if any(lookup.method == SELECT for lookup in wanted) and any(not call.args for site in places for call in calls_of(sources, site, SELECT)):
        return Refusal("`select_related()` without arguments follows every relation that is not nullable; name them all instead")
    if any(_clears(call) for site in query.steps for method in (SELECT, PREFETCH) for call in calls_of(sources, site, method)):
        return Refusal("a later statement clears what the query loads")
    own = next((path for lookup in wanted if lookup.method == PREFETCH for path in _with_own_queryset(query, lookup, home)), "")
    if own:
        return Refusal(f"`{own}` is prefetched later with a queryset of its own, which Django refuses behind another lookup through it")
    made = _Addition(file, statement, chain).add(wanted)
    if made is None or all(lookup.method == SELECT for lookup in wanted) or has_arguments(sources, query, *streams):
        return made
    return replace(made, edits=(*made.edits, *_streams(sources, query)))


def _with_own_queryset(query: QueryObject, lookup: Lookup, home: Site) -> Iterator[str]:
    """Yields the paths that a lookup goes through and that the query prefetches elsewhere than at a place, by a queryset of its own."""
    for way in query.every_way():
        plan, hops = way.plan, lookup.path.split("__")
        for number, hop in enumerate(hops, 1):
            entry = plan.loaded.get(hop)
            if entry is None:
                break
            if entry.custom and not entry.to_attr and not home.encloses(entry.site):
                yield "__".join(hops[:number])
            plan = entry.plan


def methods_of(chain: Chain) -> tuple[int, int]:
    """Returns where in a chain the methods of a queryset of model instances begin, and before which link they end."""
    links = chain.links
    start = max((number + 1 for number, link in enumerate(links[: chain.inner]) if link.is_attribute), default=0)
    ends = (
        number for number in range(start, len(links)) if links[number].is_index or (links[number].call is not None and links[number].name in ENDS)
    )
    return start, next(ends, len(links))


def _clears(call: cst.Call) -> bool:
    return len(call.args) == 1 and isinstance(call.args[0].value, cst.Name) and call.args[0].value.value == "None"


def _takes_more(call: cst.Call) -> bool:
    """Whether further lookups may be added to the arguments: not to `None`, nor to what may be None or nothing at run time."""
    if any(argument.star for argument in call.args):
        return False
    return len(call.args) != 1 or isinstance(call.args[0].value, (cst.BaseString, cst.Call))


def _on_the_class(file: SourceFile, statement: Statement, chain: Chain, model: Model, wanted: list[Lookup]) -> Fix | Refusal:
    argument = statement.parent(chain.root)
    if not isinstance(argument, cst.Arg):
        return Refusal(f"the rows come from the default manager of `{model.name}`: give a queryset that loads the relation")
    links = [".objects", *_links(wanted, quote_for(file, statement, chain))]
    edits = tuple(insert_links(file, statement, chain, 0, ["".join(links)]))
    unknown = "" if model.has_objects else f"the default manager of `{model.name}` may have another name"
    return Fix(Applicability.DISPLAY if unknown else Applicability.SAFE, f"pass `{model.name}{''.join(links)}`", edits, unknown)


def _links(wanted: list[Lookup], quote: str) -> list[str]:
    links = []
    for method in (SELECT, PREFETCH):
        paths = ", ".join(lookup.code(quote) for lookup in wanted if lookup.method == method)
        if paths:
            links.append(f".{method}({paths})")
    return links


@dataclass(slots=True)
class _Addition:
    """The edits that add lookups to one chain."""

    file: SourceFile
    statement: Statement
    chain: Chain
    edits: list[Edit] = field(default_factory=list)
    reason: str = ""

    def add(self, wanted: list[Lookup]) -> Fix | None:
        """Returns the fix, or None if the chain loads it all."""
        links, (start, end) = self.chain.links, methods_of(self.chain)
        position = min(end, self.chain.inner)
        quote = quote_for(self.file, self.statement, self.chain)
        missing: list[Lookup] = []
        for method in (SELECT, PREFETCH):
            mine = [lookup for lookup in wanted if lookup.method == method]
            found = [number for number in range(start, end) if links[number].call is not None and links[number].name == method]
            if not mine or not found:
                missing += mine
                continue
            call = links[found[-1]].call
            assert call is not None
            if not _takes_more(call):
                if method == SELECT and any(argument.star for argument in call.args):
                    self.reason = "`select_related(*…)` with nothing to unpack follows every relation, which a further call ends"
                position = max(position, found[-1] + 1)
                missing += mine
            else:
                self._extend(call, mine, quote)
        if missing:
            self.edits += insert_links(self.file, self.statement, self.chain, position, _links(missing, quote))
        if not self.edits:
            return None
        description = f"add `{''.join(_links(wanted, quote))}` to the query"
        return Fix(Applicability.UNSAFE if self.reason else Applicability.SAFE, description, tuple(self.edits), self.reason)

    def _extend(self, call: cst.Call, wanted: list[Lookup], quote: str) -> None:
        """Adds lookups to the arguments of a call; a literal that is the beginning of one gives way to it."""
        literals = [argument.value for argument in call.args if isinstance(argument.value, cst.SimpleString)]
        only_literals = len(literals) == len(call.args)
        added: list[str] = []
        for lookup in wanted:
            present = {str(literal.evaluated_value): literal for literal in literals}
            if any(Lookup(lookup.method, path).covers(lookup) for path in present):
                continue
            shorter = [path for path in present if lookup.covers(Lookup(lookup.method, path))]
            # A `Prefetch` with a queryset must come before the lookups through it.
            if shorter and only_literals:
                literal = present[max(shorter, key=len)]
                literals.remove(literal)
                self.edits.append(self.file.edit(*self.statement.span(literal), f"{literal.prefix}{literal.quote}{lookup.path}{literal.quote}"))
            else:
                added.append(lookup.code(quote))
        if added:
            self.edits += append_argument(self.file, self.statement, call, added)
