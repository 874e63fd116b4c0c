"""What every reader does before it starts: garbage collection off, and a fixed share of the stack."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

READING, CODING = 900, 5000


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
def fixed_stack(frames: int) -> Iterator[None]:
    """Leaves the same number of frames to what follows, wherever it is called from.

    So what can be read (with `READING` frames) depends on the file alone, and whatever can be read can be encoded and
    decoded (with `CODING` frames), since a frame never makes more than a few levels of nodes.
    """
    depth = 0
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + frames)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
