"""ORM113: the `__str__` or `__repr__` of a model reads a relation, so that every list of its rows shown as texts runs one query per row."""

from collections.abc import Iterator

from ormlint.api import Label, Mark, Op, Project, QueryLog, Report, Severity, rule
from ormlint.judge.describe import call_path, code, is_shown
from ormlint.judge.eager import missing_chains


@rule("ORM113", "str-touches-relation", severity=Severity.INFO, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every relation that the text of a row reads, where no list is seen to show such rows."""
    for chain in missing_chains(project, log, [event for event in log.texts if event.op is Op.LAZY_OBJECT]):
        event = chain.events[0]
        model = chain.query.model
        if model is None or not is_shown(project, event.site):
            continue
        method = next((loop.variable for loop in event.loops if loop.kind == "text"), "__str__")
        yield Report(
            site=event.site,
            message=f"`{model.name}.{method}` loads {code(event.text or chain.lookup)}, one query per row of any list",
            help=f'load `"{chain.lookup}"` wherever rows of `{model.name}` are listed, or leave it out of the text',
            cause=(event.site, chain.lookup),
            labels=(Label(event.site, Mark.ACCESS, f"this reads {code(chain.lookup)}"),),
            notes=call_path(project, event),
            relations=(chain.lookup,),
        )
