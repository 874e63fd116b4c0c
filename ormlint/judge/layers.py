"""What each place that may say so says about the rules to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says about the rules to run; `origin` names it in error messages.

    A layer with `select` starts anew, whatever earlier layers said.
    """

    origin: str
    select: Sequence[str] | None = None
    extend_select: Sequence[str] = ()
    ignore: Sequence[str] = ()
