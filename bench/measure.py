"""Runs a command and tells how long it took and how much memory it needed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ORMLINT = [sys.executable, "-m", "ormlint"]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished command: exit status, output, wall-clock seconds, and MiB of its largest process (0 where unknown)."""

    status: int
    output: str
    errors: str
    seconds: float
    mebibytes: float


def run(command: list[str], folder: Path) -> Run:
    """Returns the finished run of a command in a folder, whatever its exit status."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=errors, stdin=subprocess.DEVNULL)
        memory = 0.0
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            memory = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)  # bytes on macOS, KiB elsewhere
        else:
            process.wait()
        seconds = time.perf_counter() - start
        texts = []
        for stream in (output, errors):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    return Run(process.returncode, texts[0], texts[1], seconds, memory)


def share(part: float, whole: float) -> str:
    """Returns a share as text: "87 %", or "-" of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "-"
