"""Relations that are read row after row of which loading them in advance may save little, though every read may run a query.

perm.permission                       of a dozen permissions each is fetched once
for role in user.roles                the rows of one row
entries of a member in a club         one or two, all of that club
Series with one name                  one row, or two
library.folder.parent.root.actions    a load of five steps for what some rows need
for action in actions:                the first that fits ends it
    if action.role in roles: break
"""

from __future__ import annotations

from ormlint.judge.describe import calls_between
from ormlint.judge.eager import Chain, path_of, relations_along
from ormlint.judge.listing import asks_for_most_of_a_key, is_called, is_found_by_name, keys_named, refers_to_others
from ormlint.judge.project import Project
from ormlint.judge.repetition import grows, innermost, is_search, repeaters
from ormlint.link.schema import Kind, Model, Orm, Relation
from ormlint.run.log import Bound, Event, LoadPlan

LONGEST = 4  # steps of a load that people write
NEAR = 2  # calls between a loop and a read; what is done to a row farther away is mostly work of its own
_FEWEST = 6  # columns of a table that does more than to name things
_KINDS = frozenset(
    {"permission", "type", "kind", "status", "state", "priority", "unit", "level", "category", "currency", "realm", "gateway", "region", "webhook"}
)


def saves_little(project: Project, chain: Chain, event: Event) -> bool:
    """Whether few distinct rows are loaded or for few rows, by too long a way or where it is wanted, or the rounds end early."""
    if _steps(chain.query.plan, path_of(event)) > LONGEST or _is_of_one_name(chain, event) or _is_loaded_on_demand(chain, event):
        return True
    if _is_one_search(event) or _leads_to_one_of_a_pair(chain, event):
        return True
    if event.orm is not Orm.SQLALCHEMY or event.relation is None:
        return False
    if all(each.key is not None and each.column for each in chain.events):
        return True  # `book.author.id` alone: the row has that key, though in which column is not known
    far = len(calls_between(project, event, innermost(repeaters(event)))) > NEAR
    # an eager load of a dynamic collection, or of what is behind one, is refused
    dynamic = any(hop.lazy in ("dynamic", "write_only") for hop in relations_along(chain.query.model, path_of(event)[:-1]))
    if far or dynamic or _is_of_one_owner(chain, event) or (chain.owner is not None and _names_kinds(chain.owner)):
        return True
    return _leads_to_few(event.relation) or _is_read_by_some(chain) or (event.relation.to_one and chain.query.has("from_statement"))


def _leads_to_one_of_a_pair(chain: Chain, event: Event) -> bool:
    """Whether all rows lead to the very row that their query names together with another one, the two being part of a key of the table.

    # `for entry in Entry.objects.filter(member=member, club__name=name): print(entry.club)`, and `unique_together = ["member", "club", "since"]`
    """
    if event.relation is None or event.row is None or event.row.path or event.relation.attname not in (named := keys_named(chain.query)):
        return False
    names = {relation.name for relation in event.relation.model.relations.values() if relation.attname in named}
    model = event.relation.model
    keys = [*model.unique_together, *(frozenset(index.columns) for index in model.indexes if index.unique)]
    return len(named) > 1 and any(names <= key or named <= key for key in keys)


def _is_one_search(event: Event) -> bool:
    """Whether an event decides when its loop ends; a search in every round of another loop asks in each of them all the same."""
    loops = repeaters(event)
    return is_search(event, innermost(loops)) and not grows(loop for loop in loops if loop is not innermost(loops))


def _is_read_by_some(chain: Chain) -> bool:
    """Whether the other side of a one-to-one is read in some rounds only: joined, it would be for all rows."""
    optional = (event.relation is not None and event.relation.kind is Kind.REVERSE_ONE_TO_ONE for event in chain.events)
    return all(optional) and all(event.around.conditional for event in chain.events)


def _is_of_one_owner(chain: Chain, event: Event) -> bool:
    """Whether the reads are of the rows that one row has, mostly few if they are of others too: the roles of a user, not the lines of an order."""
    hops = relations_along(chain.query.model, path_of(event)[:-1])
    collections = [hop for hop in hops if not hop.to_one]
    own = chain.query.relation
    if own is not None and own.kind is Kind.MANY_TO_MANY and len(repeaters(event)) == 1:
        return not collections  # `self.roles.all()` of a dynamic relationship
    return chain.query.bound is Bound.ONE and len(collections) == 1 and collections[0].kind is Kind.MANY_TO_MANY


def _steps(plan: LoadPlan, path: tuple[str, ...]) -> int:
    """Returns how many steps of a path a query does not load."""
    for number, name in enumerate(path):
        if name not in plan.loaded:
            return len(path) - number
        plan = plan.loaded[name].plan
    return 0


def _is_loaded_on_demand(chain: Chain, event: Event) -> bool:
    """Whether one way to build the query loads what another function reads, which may take that way.

    # `if kind == DETAILED: query = query.options(…)`
    """
    query = event.row.query if event.row is not None else chain.query
    return query.function != event.function and any(_steps(way.plan, path_of(event)) == 0 for way in (chain.query, query, *query.ways))


def _is_of_one_name(chain: Chain, event: Event) -> bool:
    """Whether the reads are of rows of one name, or of one pair of keys, themselves, and not of a collection of them."""
    hops = relations_along(chain.query.model, path_of(event)[:-1])
    return (is_found_by_name(chain.query) or asks_for_most_of_a_key(chain.query)) and all(hop.to_one for hop in hops)


def _leads_to_few(relation: Relation) -> bool:
    """Whether the identity map soon holds all rows that a many-to-one leads to, those of a table of kinds, or nothing is known of them."""
    return relation.kind is Kind.FOREIGN_KEY and (_names_kinds(relation.target) if relation.target is not None else not relation.attname)


def _names_kinds(model: Model) -> bool:
    return not refers_to_others(model) and len(model.columns) <= _FEWEST and is_called(model, _KINDS)
