"""The project's facts that rules may ask for."""

from __future__ import annotations

from dataclasses import dataclass, field

from ormlint.link.schema import Model, Schema
from ormlint.run.log import Endpoint
from ormlint.text import LineIndex, Position, Site


@dataclass(slots=True, eq=False)
class Project:
    """Read model of the linked program."""

    root: str
    schema: Schema
    endpoints: list[Endpoint] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)  # values of Django's settings module, where constant
    small_models: frozenset[str] = frozenset()  # names or labels of models with few rows, from the configuration
    lines: dict[str, LineIndex] = field(default_factory=dict)

    def position(self, site: Site) -> Position:
        """Returns where a site begins, as people name it."""
        return self.lines[site.path].position(site.start)

    def at(self, site: Site) -> str:
        """Returns "path:line" of a site, for messages."""
        return f"{site.path}:{self.position(site).line}"

    def is_small(self, model: Model | None) -> bool:
        """Whether the configuration or the framework says that a model has few rows."""
        return model is not None and not self.small_models.isdisjoint((model.name, model.label))
