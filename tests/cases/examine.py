"""Sends a small project through ormlint, in this process."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ormlint.check import Examination, result_of
from ormlint.config import load_config
from ormlint.fixes import rewrite
from ormlint.judge.finding import Applicability, Finding, Severity
from ormlint.report.result import Result
from ormlint.request import Request
from ormlint.run.log import Analysis
from ormlint.source.root import Root, configuration_in
from ormlint.targets import Target
from ormlint.text import Site
from tests.cases.execution import write_files
from tests.cases.expectation import Found

MOST_ROUNDS = 10
Files = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Examined:
    """What ormlint says about a project."""

    result: Result
    analysis: Analysis

    def line(self, site: Site) -> int:
        """Returns the line of a site."""
        return self.result.project.position(site).line

    def place(self, site: Site) -> str:
        """Returns "path:line" of a site; the inside of a framework is just named."""
        return f"{site.path}:{self.line(site)}" if site.path in self.result.project.lines else f"({site.path})"

    def found(self) -> list[Found]:
        """Returns the findings, as far as expectations speak of them."""
        return [
            Found(finding.site.path, self.line(finding.site), finding.code, finding.name, finding.message, finding.severity is Severity.INFO)
            for finding in self.result.findings
        ]

    def revealed(self) -> dict[tuple[str, int], str]:
        """Returns what `reveal_type()` said, by path and line."""
        return {(site.path, self.line(site)): text for site, text in self.analysis.revealed}


class RefusalError(AssertionError):
    """ormlint could not examine a project, or failed."""


def examine(files: Mapping[str, str], config: str = "") -> Examined:
    """Returns what ormlint says about files by path. Raises RefusalError if any of them could not be analysed."""
    return _examine(tuple(sorted(files.items())), config)


@lru_cache(maxsize=4096)
def _examine(files: Files, config: str) -> Examined:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        write_files(root, dict(files))
        if config:
            (root / "ormlint.toml").write_text(config, encoding="utf-8")
        place = Root(root, configuration_in(root), "")
        request = Request(Target(place, ("",)), load_config(place), use_cache=False, jobs=1)
        examination = Examination(request)
        examination.project.viewpoint = str(root)
        result = result_of(examination)
        result.texts = {path: result.texts[path] for path in result.texts}
    if result.problems or examination.analysis is None:
        problems = (f"{problem.path}:{problem.line}: {problem.message}\n{problem.details}" for problem in result.problems)
        raise RefusalError("\n".join(problems))
    return Examined(result, examination.analysis)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A project after fixing: its files, and how many findings were fixed."""

    files: dict[str, str]
    count: int


def fixed(files: Mapping[str, str], config: str, *, unsafe: bool) -> Fixed:
    """Returns the files after applying fixes until there is nothing left to apply. Raises RefusalError if that does not end."""
    done = 0
    texts = dict(files)
    for _ in range(MOST_ROUNDS):
        result = examine(texts, config).result
        changed = rewrite(result.findings, result.texts.__getitem__, unsafe)
        if not changed.texts:
            return Fixed(texts, done)
        texts |= changed.texts
        done += len(changed.applied)
    raise RefusalError(f"still fixing after {MOST_ROUNDS} rounds")


def offers(finding: Finding, *, unsafe: bool) -> bool:
    """Whether the fix of a finding would be applied."""
    if finding.fix is None:
        return False
    return finding.fix.applicability in ((Applicability.SAFE, Applicability.UNSAFE) if unsafe else (Applicability.SAFE,))


def new_findings(before: list[Found], after: list[Found]) -> Iterator[str]:
    """Yields the findings that were not there before, wherever they stand."""
    known = Counter((found.code, found.path, found.message) for found in before)
    for found in after:
        key = (found.code, found.path, found.message)
        if not known[key]:
            yield str(found)
        known[key] -= 1
