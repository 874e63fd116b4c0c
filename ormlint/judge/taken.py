"""Tests whether there is a row that stand before one is created, or in the methods that keep a value unique: mostly there is none, or one.

if store.query(Tag).filter_by(name=name).count(): raise Taken(name)      and then store.add(Tag(name))
def save(self): if not Account.objects.filter(default=True).count(): self.default = True
if not Tag.objects.all(): Tag.objects.create(name="first")                not so: all but once the whole table is there
"""

from __future__ import annotations

from ormlint.judge.listing import is_filtered
from ormlint.link.schema import Model
from ormlint.run.log import Op, QueryLog, QueryObject
from ormlint.text import Site

_CREATING = (Op.CREATE, Op.ADD, Op.INSERT, Op.GET_OR_CREATE, Op.BULK_WRITE)
_KEEPING = frozenset({"__init__", "save", "clean", "full_clean", "validate_unique", "validate_constraints"})


class Taken:
    """Which tests of a log ask whether something is taken."""

    def __init__(self, log: QueryLog) -> None:
        self._around = log.functions.around
        self._created: dict[Model, set[Site]] = {}
        for event in log.of(*_CREATING):
            if event.model is not None:
                self._created.setdefault(event.model, set()).update((event.site, *event.calls))

    def is_asked(self, query: QueryObject, test: Site) -> bool:
        """Whether a test for certain rows comes before some are created, or stands in a method of the model that keeps its rows in order."""
        model = query.model
        if model is None or not (is_filtered(query) or query.relation is not None):
            return False
        function = self._around(test)
        owner, _, name = function.rpartition(":")[2].rpartition(".")
        if owner == model.name and name in _KEEPING:
            return True
        later = (site for site in self._created.get(model, ()) if site.path == test.path and site.start > test.start)
        return bool(function) and any(self._around(site) == function for site in later)
