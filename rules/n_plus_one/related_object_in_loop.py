"""ORM101: a to-one relation is read from row after row of a query that does not load it."""

from collections.abc import Iterator

from ormlint.api import Event, Kind, Op, Orm, Project, QueryLog, Report, rule
from ormlint.judge.describe import call_path, code, labels, per_model, places
from ormlint.judge.eager import Chain, advice_for, intent_for, missing_chains
from ormlint.judge.repetition import heaviest, innermost, repeaters
from ormlint.judge.sources import also_from, one_per_access


@rule("ORM101", "related-object-in-loop")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every place where a loop reads the first unloaded relation of a chain."""
    for chain in one_per_access(project, missing_chains(project, log.of(Op.LAZY_OBJECT))):
        for site, event in places(project, chain.events).items():
            yield Report(
                site=site,
                message=f"loading {code(event.text or chain.lookup)} runs one query {_per(chain, event)}",
                help=advice_for(project, chain),
                cause=chain.cause,
                labels=labels(project, event, innermost(repeaters(event)), chain.query, f"this reads {code(chain.lookup)}"),
                notes=(*also_from(project, chain), *call_path(project, event), *_peers(project, chain)),
                relations=(chain.lookup,),
                intent=intent_for(chain),
                severity=heaviest(project, chain.events),
                preview=chain.follows_a_query_per_round,
            )


def _peers(project: Project, chain: Chain) -> tuple[str, ...]:
    """Returns a note on fetch modes, which Django has from 6.1 on: one further query for all rows, whatever is read of them."""
    if chain.query.orm is not Orm.DJANGO or project.target_django < (6, 1):
        return ()
    return ("`.fetch_mode(models.FETCH_PEERS)` on the query would load it for all rows at once, when the first is read",)


def _per(chain: Chain, event: Event) -> str:
    """Returns the number of queries; the identity map of SQLAlchemy spares those for a row that was met before."""
    relation = event.relation
    if event.orm is Orm.SQLALCHEMY and relation is not None and relation.target is not None and relation.kind is not Kind.REVERSE_ONE_TO_ONE:
        return f"per distinct `{relation.target.name}`"
    return per_model(chain.owner)
