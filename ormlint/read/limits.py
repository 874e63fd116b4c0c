"""What every reader does before it starts: garbage collection off, and a fixed share of the stack."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_FRAMES = 900


@contextmanager
def without_gc() -> Iterator[None]:
    """Keeps the garbage collector off: reading makes very many objects and no cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def fixed_stack() -> Iterator[None]:
    """Leaves the same number of frames to a reader wherever it is called from: what can be read depends on the file alone."""
    depth = 0
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + _FRAMES)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
