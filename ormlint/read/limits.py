"""What readers and the run do before they start: garbage collection off, a fixed share of the stack, and memory for it in one piece."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

READING, CODING = 900, 5000
ROOM = 1 << 18
"""Words of memory for the frames of a deep recursion."""

Result = TypeVar("Result")


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


def with_room(function: Callable[[], Result]) -> Result:
    """Returns what a function returns that calls itself deeply, with the memory for its frames taken in one piece.

    CPython keeps frames in pieces of 16 KiB and gives each back as soon as it is empty, so a recursion that goes up and down across the
    border of two of them asks the system for memory every time: a twentieth of the time of a run. A frame that says it needs much gets a
    piece of twice its size, and those above it share the rest.
    """

    def below() -> Result:
        return function()

    below.__code__ = below.__code__.replace(co_stacksize=ROOM)
    return below()
