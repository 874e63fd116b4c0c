"""What the terminal can show: colour, and the progress of long work."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from ormlint.report.ink import Ink

PATIENCE = 1.0  # seconds of silence before work counts as long


def has_colour(stream: TextIO) -> bool:
    """Whether a stream is written in colour: NO_COLOR turns it off, FORCE_COLOR turns it on, otherwise a terminal has it."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def ink_for(stream: TextIO) -> Ink:
    """Returns ink for a stream."""
    from ormlint.report.ink import Ink

    return Ink(has_colour(stream))


class Progress:
    """Shows the current stage on standard error once the work has gone on for a while."""

    def __init__(self) -> None:
        self._stage = "Working"
        self._status: AbstractContextManager[object] | None = None
        self._lock = threading.Lock()
        self._done = False
        self._timer = threading.Timer(PATIENCE, self._show)
        self._timer.daemon = True

    def start(self) -> None:
        """Begins to wait."""
        self._timer.start()

    def tell(self, stage: str) -> None:
        """Names the stage that begins now."""
        with self._lock:
            self._stage = stage
            if self._status is not None:
                self._status.update(stage)  # type: ignore[attr-defined]

    def stop(self) -> None:
        """Removes what is shown."""
        with self._lock:
            self._done = True
            self._timer.cancel()
            if self._status is not None:
                self._status.__exit__(None, None, None)
                self._status = None

    def _show(self) -> None:
        from rich.console import Console

        with self._lock:
            if not self._done:
                self._status = Console(stderr=True).status(self._stage)
                self._status.__enter__()


@contextmanager
def progress(wanted: bool) -> Iterator[Progress]:
    """Shows progress while the block runs, if it is wanted and standard error is a terminal."""
    shown = Progress()
    if wanted and sys.stderr.isatty():
        shown.start()
    try:
        yield shown
    finally:
        shown.stop()
