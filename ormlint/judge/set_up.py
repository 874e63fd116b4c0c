"""Tables that are set up once: people make their rows in the admin alone, and few of them fit a filter.

class Rate(Model): name, price, countries        nobody but the admin writes it, it has neither a time nor a text nor a file, and neither
Rate.objects.filter(countries=country)           belongs to a table that fills with use nor has such a one: the rates of a country are a handful
Product.objects.filter(category=category)        a catalogue that orders refer to: many
"""

from __future__ import annotations

from functools import cached_property

from ormlint.judge.listing import is_filtered
from ormlint.judge.once import once
from ormlint.judge.project import Project
from ormlint.judge.repetition import grows, is_done_once, repeaters
from ormlint.judge.wide import is_wide
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
        self._made: dict[Model, bool] = {}
        self._calm: dict[Model, bool] = {}

    def gives_few(self, query: QueryObject) -> bool:
        """Whether a query chooses among the rows of such a table, or takes those that one row has of it."""
        if query.orm is not Orm.DJANGO or query.model is None or query.bound is not Bound.MANY:
            return False
        chosen = query.relation is not None or (is_filtered(query) and not is_wide(self._project, query))  # a flag fits most rows
        return chosen and self.holds(query.model)

    def holds(self, model: Model) -> bool:
        """Whether a table is set up once."""
        return self._is_made(model) and self._is_calm(model)

    def is_written(self, model: Model) -> bool:
        """Whether the program itself makes rows of a table, other than by what people fill in: admins, forms, serializers."""
        return model in self._written

    def _is_made(self, model: Model) -> bool:
        """Whether people make the rows of a table by hand, and those of every other one that its rows belong to."""
        known = self._made.get(model)
        if known is None:
            self._made[model] = True  # tables that belong to each other
            has_content = any(word in column.type for column in model.columns.values() for word in _OF_CONTENT)
            owners = [r.target for r in model.relations.values() if r.kind in _OWN_KEY and not r.nullable]
            known = not has_content and self._is_by_hand(model) and all(owner is None or self._is_made(owner) for owner in owners)
            self._made[model] = known
        return known

    def _is_calm(self, model: Model) -> bool:
        """Whether no table has rows that belong to those of this one, or to theirs in turn, which fills with use."""
        known = self._calm.get(model)
        if known is None:
            self._calm[model] = True
            known = self._calm[model] = all(self._is_by_hand(other) and self._is_calm(other) for other in self._belonging.get(model, ()))
        return known

    @cached_property
    def _belonging(self) -> dict[Model, list[Model]]:
        """The tables whose rows must have a row of a table, by that table."""
        found: dict[Model, list[Model]] = {}
        for model in self._project.schema:
            for relation in model.relations.values() if not model.abstract else ():
                if relation.kind in _OWN_KEY and relation.target is not None and not relation.nullable:
                    found.setdefault(relation.target, []).append(model)
        return found

    def _is_by_hand(self, model: Model) -> bool:
        return model in self._project.administered and model not in self._written

    @cached_property
    def _written(self) -> frozenset[Model]:
        """The models of which the program makes rows, other than in tests and migrations, or one at a time in commands."""
        events = (event for event in self._log.of(*_WRITES) if self._project.is_concerned((event.site,)))
        lasting = (event for event in events if not is_done_once(event) or grows(repeaters(event)))
        models = (event.model or (event.query.model if event.query is not None else None) for event in lasting)
        return frozenset(model for model in models if model is not None)


@once
def set_up_of(project: Project, log: QueryLog) -> SetUp:
    """Returns which tables are set up once, for all rules that ask."""
    return SetUp(project, log)
