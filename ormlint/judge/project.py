"""The project's facts that rules may ask for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ormlint.link.schema import Model, Schema
from ormlint.run.log import AdminList, Endpoint
from ormlint.text import LineIndex, Position, Site


@dataclass(slots=True, eq=False)
class Suppression:
    """One rule that one comment silences: `# ormlint: ignore[ORM101, ORM103]` makes two.

    `selector` is what the comment names ("" for all rules), `codes` are the rules this means; there are none if nothing is
    called that. `directive` is what stands after `ormlint:`, or noqa. `lines` are the lines it speaks of, None for the whole file.
    """

    site: Site
    directive: str
    selector: str
    codes: frozenset[str]
    lines: frozenset[int] | None
    used: bool = False
    judged: bool = False  # all the rules it names have run

    @property
    def known(self) -> bool:
        """Whether the comment is one that ormlint understands."""
        return bool(self.codes)


@dataclass(slots=True, eq=False)
class Project:
    """Read model of the linked program."""

    root: str
    schema: Schema
    endpoints: list[Endpoint] = field(default_factory=list)
    admin_lists: list[AdminList] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)  # values of Django's settings module, where constant
    target_django: tuple[int, ...] = ()  # the newest version the project may run on; () if it does not say
    target_sqlalchemy: tuple[int, ...] = ()
    small_models: frozenset[str] = frozenset()  # names or labels of models with few rows, from the configuration
    lines: dict[str, LineIndex] = field(default_factory=dict)
    templates: frozenset[str] = frozenset()  # the paths of `lines` that are templates
    schema_fields: dict[Site, str] = field(default_factory=dict)  # the fields that are filled from attributes of rows, and their schemas
    member_reads: dict[Model, dict[str, frozenset[str] | None]] = field(default_factory=dict)  # the columns that methods of rows read, None: all
    background: frozenset[str] = frozenset()  # qualified names of the functions that only commands and tasks run
    administered: frozenset[Model] = frozenset()  # the models of which admins alone make rows, by the classes of the program
    threadable: frozenset[str] = frozenset()  # qualified names of the async endpoints that run in a thread if they are plain functions
    suppressions: list[Suppression] = field(default_factory=list)
    indexes_foreign_keys: bool = False  # the database makes an index for every foreign key by itself
    viewpoint: str = ""  # the directory that paths in messages are relative to, "" for the root
    excludes: Callable[[Site], str] = lambda site: ""  # why what concerns a place is not reported, wherever else it stands

    def position(self, site: Site) -> Position:
        """Returns where a site begins, as people name it."""
        return self.lines[site.path].position(site.start)

    def at(self, site: Site) -> str:
        """Returns "path:line" of a site, for messages."""
        return f"{self.shown(site.path)}:{self.position(site).line}"

    def shown(self, path: str) -> str:
        """Returns how the path of one of the project's files is written for people: relative to where they stand."""
        if self.viewpoint in ("", self.root):
            return path
        return os.path.relpath(os.path.join(self.root, path), self.viewpoint).replace(os.sep, "/")

    def is_concerned(self, sites: Iterable[Site]) -> bool:
        """Whether findings that point at all of these places are wanted."""
        return not any(self.excludes(site) for site in dict.fromkeys(sites))

    def lacks(self, release: tuple[int, ...]) -> bool:
        """Whether the project runs on a Django older than a release, as far as it says."""
        return bool(self.target_django) and self.target_django < release

    def is_small(self, model: Model | None) -> bool:
        """Whether the configuration or the framework says that a model has few rows."""
        return model is not None and not self.small_models.isdisjoint((model.name, model.label))
