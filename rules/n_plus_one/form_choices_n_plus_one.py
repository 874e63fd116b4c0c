"""ORM112: the choices of a form field are labelled by what a relation of each row says, and the field's query does not load it."""

from collections.abc import Iterator

from ormlint.api import Orm, Project, QueryLog, Report, rule
from ormlint.judge.eager import Chain, lookup_text
from ormlint.judge.finding import Intent
from ormlint.judge.repetition import innermost, repeaters
from ormlint.judge.sinks import Sink
from ormlint.judge.unloaded import AT_THE_QUERY, Remedy, collections, objects


@rule("ORM112", "form-choices-n-plus-one", stable=False, orms=(Orm.DJANGO,))
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every form field whose choices read an unloaded relation."""
    yield from objects(project, log, Sink.FORM, AT_THE_FIELD)
    yield from collections(project, log, Sink.FORM, AT_THE_FIELD)


def _advice(project: Project, chain: Chain) -> tuple[str, Intent | None]:
    loop = innermost(repeaters(chain.events[0]))
    if chain.query.site != loop.site or chain.query.model is None:
        return AT_THE_QUERY.load(project, chain)
    rows = f"{chain.query.model.name}.objects{lookup_text(chain).strip('`')}"
    return f'give the field rows that are loaded with it, in `__init__()`: `self.fields["{loop.variable}"].queryset = {rows}`', None


AT_THE_FIELD = Remedy(load=_advice, where=AT_THE_QUERY.where)
