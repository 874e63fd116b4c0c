"""What one run is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ormlint.config import Config
from ormlint.targets import Target

if TYPE_CHECKING:
    from ormlint.judge.layers import Layer


@dataclass(frozen=True, slots=True)
class Request:
    """What to check: a project, its configuration, and what the command line adds to it.

    `overrides` are texts by path that replace what is on disk.
    """

    target: Target
    config: Config
    layers: tuple[Layer, ...] = ()
    use_cache: bool = True
    jobs: int | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The project's directory."""
        return self.target.root.path
