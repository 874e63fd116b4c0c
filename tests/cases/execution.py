"""Executes runnable cases under the real ORM, many at a time, and keeps what they cost."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cases.growth import SIZES, formula

HOSTS = Path(__file__).with_name("hosts")
_MAIN = re.compile(r"^(async )?def main\(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Run:
    """One execution: its statements, in order, and what it printed."""

    log: tuple[str, ...]
    output: str

    @property
    def statements(self) -> int:
        """Returns how many statements were sent."""
        return len(self.log)


@dataclass(frozen=True, slots=True)
class Execution:
    """The executions of a case with 3 and with 7 rows, or the traceback of its failure."""

    runs: tuple[Run, ...] = ()
    error: str = ""

    @property
    def cost(self) -> str:
        """Returns the number of statements as a formula of N. Raises ValueError if there is none."""
        return formula(*(run.statements for run in self.runs))


@dataclass(frozen=True, slots=True)
class Program:
    """The files of a case, to be executed under one ORM."""

    orm: str
    files: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, orm: str, files: Mapping[str, str]) -> Program:
        """Makes a program of texts by path."""
        return cls(orm, tuple(sorted(files.items())))

    @property
    def entry(self) -> str:
        """Returns the name of the module that has `main()`. Raises LookupError if there is not just one."""
        found = [path for path, text in self.files if path.endswith(".py") and _MAIN.search(text)]
        if len(found) != 1:
            raise LookupError(f"a runnable case has one `main()`, this one has {len(found)}")
        return found[0].removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def write_files(root: Path, files: Mapping[str, str]) -> None:
    """Writes files below a directory; folders with Python files become packages."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        for folder in target.relative_to(root).parents if path.endswith(".py") else ():
            if folder != Path() and f"{folder}/__init__.py" not in files:
                (root / folder / "__init__.py").touch()


class Laboratory:
    """Executes programs in one subprocess per ORM and remembers the results."""

    def __init__(self) -> None:
        self._done: dict[Program, Execution] = {}

    def execute(self, programs: Iterable[Program]) -> None:
        """Executes those programs that were not executed before, the ORMs side by side."""
        wanted = [program for program in dict.fromkeys(programs) if program not in self._done]
        if not wanted:
            return
        orms = sorted({program.orm for program in wanted})
        with ThreadPoolExecutor(len(orms)) as pool:
            for done in pool.map(lambda orm: _execute_under(orm, [program for program in wanted if program.orm == orm]), orms):
                self._done.update(done)

    def result(self, program: Program) -> Execution:
        """Returns what a program did, executing it if need be."""
        self.execute([program])
        return self._done[program]


def _execute_under(orm: str, programs: list[Program]) -> dict[Program, Execution]:
    with tempfile.TemporaryDirectory() as folder:
        jobs = []
        for number, program in enumerate(programs):
            root = Path(folder).resolve() / str(number)
            write_files(root, dict(program.files))
            jobs.append({"id": number, "root": str(root), "entry": program.entry, "sizes": SIZES})
        host = HOSTS / f"{orm}_host.py"
        done = subprocess.run([sys.executable, str(host)], input=json.dumps(jobs), capture_output=True, text=True, check=False)
    if done.returncode:
        return dict.fromkeys(programs, Execution(error=f"{host.name} failed:\n{done.stderr}"))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {programs[answer["id"]]: _execution(answer) for answer in answers}


def _execution(answer: dict[str, Any]) -> Execution:
    runs = tuple(Run(tuple(run["log"]), run["output"]) for run in answer.get("runs", ()))
    return Execution(runs, answer.get("error", ""))
