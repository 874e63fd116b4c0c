"""Tables that are set up once: people make their rows in the admin alone, and few of them fit a filter.

class Rate(Model): name, price, countries        nobody but the admin writes it, it has neither a time nor a text nor a file,
Rate.objects.filter(countries=country)           and belongs to no row of a table that fills with use: the rates of a country are a handful
"""

from __future__ import annotations

from ormlint.judge.listing import is_filtered
from ormlint.judge.once import once
from ormlint.judge.project import Project
from ormlint.link.schema import Kind, Model, Orm
from ormlint.run.log import Bound, Op, QueryLog, QueryObject

_OF_CONTENT = ("DateTime", "Text", "File", "Image", "Email", "Markup", "Markdown", "HTML", "Stream")
_WRITES = (Op.CREATE, Op.GET_OR_CREATE, Op.BULK_WRITE, Op.INSERT)
_OWN_KEY = (Kind.FOREIGN_KEY, Kind.ONE_TO_ONE)


class SetUp:
    """Which tables of a project are set up once."""

    def __init__(self, project: Project, log: QueryLog) -> None:
        self._project = project
        self._log = log
        self._known: dict[Model, bool] = {}
        self._written: frozenset[Model] | None = None

    def gives_few(self, query: QueryObject) -> bool:
        """Whether a query chooses among the rows of such a table, or takes those that one row has of it."""
        if query.orm is not Orm.DJANGO or query.model is None or query.bound is not Bound.MANY:
            return False
        return (is_filtered(query) or query.relation is not None) and self.holds(query.model)

    def holds(self, model: Model) -> bool:
        """Whether a table is set up once, and so is every other one whose rows its rows belong to."""
        known = self._known.get(model)
        if known is None:
            self._known[model] = False  # tables that belong to each other
            known = self._known[model] = self._is_set_up(model)
        return known

    def _is_set_up(self, model: Model) -> bool:
        if model not in self._project.administered or model in self._writes():
            return False
        if any(word in column.type for column in model.columns.values() for word in _OF_CONTENT):
            return False
        owners = [r for r in model.relations.values() if r.kind in _OWN_KEY and not r.nullable]
        return all(owner.target is None or self.holds(owner.target) for owner in owners)

    def _writes(self) -> frozenset[Model]:
        """Returns the models of which the program makes rows, other than in tests, migrations and commands."""
        if self._written is None:
            events = (
                event for event in self._log.of(*_WRITES) if self._project.is_concerned((event.site,)) and "/management/" not in event.site.path
            )
            models = (event.model or (event.query.model if event.query is not None else None) for event in events)
            self._written = frozenset(model for model in models if model is not None)
        return self._written


@once
def set_up_of(project: Project, log: QueryLog) -> SetUp:
    """Returns which tables are set up once, for all rules that ask."""
    return SetUp(project, log)
