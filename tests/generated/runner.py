"""Runs generated programs under a real ORM: one process per set of models, one fork of it per program."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cases.execution import HOSTS, write_files

SIZES = (0, 9)  # so many that the rows which a condition leaves have related ones


@dataclass(frozen=True)
class Outcome:
    """What one function of a program printed and how many statements it sent, without rows and with several."""

    name: str
    outputs: tuple[str, ...]
    statements: tuple[int, ...]


class Zygote:
    """A process that has the models imported and the tables filled, and forks for each program."""

    def __init__(self, orm: str, files: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        root = Path(self._folder.name).resolve()
        write_files(root, files)
        command = [sys.executable, str(HOSTS / "zygote.py"), orm, str(root), json.dumps(SIZES)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self.close)

    @classmethod
    def of(cls, orm: str, files: Mapping[str, str]) -> Zygote:
        """Returns the process for these models, started if there is none yet."""
        key = (orm, tuple(sorted(files.items())))
        if key not in _alive:
            _alive[key] = cls(orm, files)
        return _alive[key]

    def run(self, entry: str, files: Mapping[str, str]) -> list[Outcome]:
        """Returns what the functions `case_…` of a module did. Raises RuntimeError if the process failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"entry": entry, "files": dict(files)}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the host has ended"}')
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return [Outcome(name, tuple(outputs), tuple(statements)) for name, outputs, statements in answer["cases"]]

    def close(self) -> None:
        """Ends the process and removes its files."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=10)
        self._folder.cleanup()


_alive: dict[tuple[str, tuple[tuple[str, str], ...]], Zygote] = {}
