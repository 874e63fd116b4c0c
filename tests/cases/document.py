"""Reads a Markdown document into literate cases.

    # Related objects of a row                      the document: its files are shared by every section
    `shop/models.py`:  + fence                      a file
    ## A property reads the relation                a section without sections of its own is one case
    <!-- runnable: django, 1 + N statements -->     also executed under the real ORM; `django 5.1`: from there on, `django < 6.1`: up to there
    toml fence                                      configuration
    `fill.py`: + fence                              its fill() makes the rows instead of the general one
    queries, diff, schema, snapshot fence           what is pinned

A file of an inner section replaces one of the same path further out. Line numbers are counted from 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

FILL = "fill.py"
PINS = ("queries", "diff", "schema", "snapshot")

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*$")
_FENCE = re.compile(r"(`{3,}|~{3,})\s*(.*?)\s*$")
_PATH = re.compile(r"`([^`\s]+)`:\s*$")
_RUNNABLE = re.compile(
    r"<!--\s*runnable:\s*(?P<orm>django|sqlalchemy)(?: (?P<before>< )?(?P<release>\d+\.\d+))?"
    r"(?:,\s*(?P<cost>.*?)\s*statements?)?(?P<same>, the same when fixed)?\s*-->\s*$"
)


class DocumentError(ValueError):
    """A document that breaks the form of a literate case."""


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block: the words after the backticks, its text, and the lines of its first and last line of text."""

    info: str
    text: str
    first: int
    last: int

    @property
    def language(self) -> str:
        """Returns the first word of the info string."""
        return self.info.split()[0] if self.info else ""

    @property
    def flags(self) -> frozenset[str]:
        """Returns the further words of the info string."""
        return frozenset(self.info.split()[1:])


@dataclass(frozen=True, slots=True)
class Runnable:
    """The mark that a case runs under the real ORM, with the releases from `since` on and below `before`.

    `cost` is its number of statements as a formula of N; `same` tells that a fix spares none of them.
    """

    orm: str
    cost: str
    line: int
    since: str = ""
    before: str = ""
    same: bool = False

    @property
    def library(self) -> str:
        """Returns the ORM as the mark names it, with the release."""
        return f"{self.orm} < {self.before}" if self.before else f"{self.orm} {self.since}".rstrip()

    def runs_under(self, version: str) -> bool:
        """Whether the case is made for an installed release of the ORM."""
        installed = _release(version)
        return installed >= _release(self.since) and (not self.before or installed < _release(self.before))


def _release(text: str) -> list[int]:
    return [int(part) for part in text.split(".")[:2] if part.isdigit()]


@dataclass(slots=True)
class Section:
    """A heading with what stands under it."""

    title: str
    level: int
    line: int
    parent: Section | None = None
    files: dict[str, Fence] = field(default_factory=dict)
    config: Fence | None = None
    pins: dict[str, Fence] = field(default_factory=dict)
    examples: list[Fence] = field(default_factory=list)
    runnable: Runnable | None = None
    sections: list[Section] = field(default_factory=list)

    def lineage(self) -> list[Section]:
        """Returns the sections around this one, outermost first, ending with this one."""
        return [*(self.parent.lineage() if self.parent else ()), self]


@dataclass(frozen=True, slots=True)
class Case:
    """A small project with its expectations."""

    document: Path
    title: str
    line: int
    files: dict[str, Fence]
    config: str
    pins: dict[str, Fence]
    runnable: Runnable | None

    @property
    def texts(self) -> dict[str, str]:
        """Returns the text of every file of the project, by path."""
        return {path: fence.text for path, fence in self.files.items() if path != FILL}

    @property
    def support(self) -> dict[str, str]:
        """Returns what only an execution needs: the case's own way to fill the tables, if it has one."""
        return {path: fence.text for path, fence in self.files.items() if path == FILL}

    @property
    def known_wrong(self) -> bool:
        """Whether the title says that what is pinned here is wrong."""
        return self.title.split(" › ")[-1].startswith(("FP ", "FN ", "FP:", "FN:"))


def read_sections(text: str) -> Section:
    """Returns the root of a document's sections. Raises DocumentError."""
    root = Section("", 0, 1)
    section = root
    path = ""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if fence := _FENCE.match(line):
            first = number
            while number < len(lines) and lines[number].rstrip() != fence[1]:
                number += 1
            if number == len(lines):
                raise DocumentError(f"line {first}: the fence is never closed")
            body = "".join(f"{part}\n" for part in lines[first:number])
            _add_fence(section, Fence(fence[2], body, first + 1, number), path)
            number += 1
            path = ""
        elif heading := _HEADING.match(line):
            level = len(heading[1])
            while section.level >= level and section.parent is not None:
                section = section.parent
            inner = Section(heading[2], level, number, section)
            section.sections.append(inner)
            section = inner
        elif marked := _RUNNABLE.match(line):
            section.runnable = _runnable(marked, number)
        elif "runnable:" in line and line.startswith("<!--"):
            raise DocumentError(f"line {number}: not a runnable mark: {line}")
        elif named := _PATH.search(line):
            path = named[1]
    return root


def _runnable(marked: re.Match[str], line: int) -> Runnable:
    bound = {"before" if marked["before"] else "since": marked["release"] or ""}
    return Runnable(marked["orm"], marked["cost"] or "", line, same=bool(marked["same"]), **bound)


def _add_fence(section: Section, fence: Fence, path: str) -> None:
    if path:
        if section.sections:
            raise DocumentError(f"line {fence.first}: `{path}` stands after a subsection")
        if path in section.files:
            raise DocumentError(f"line {fence.first}: `{path}` is given twice")
        section.files[path] = fence
    elif fence.language in PINS:
        if fence.language in section.pins:
            raise DocumentError(f"line {fence.first}: a second `{fence.language}` fence")
        section.pins[fence.language] = fence
    elif fence.language == "toml":
        section.config = fence
    elif fence.language in ("py", "python", "html", "jinja"):
        section.examples.append(fence)


def read_cases(document: Path, text: str | None = None) -> list[Case]:
    """Returns the cases of a document, in order. Raises DocumentError, also for a title that stands twice."""
    root = read_sections(document.read_text(encoding="utf-8") if text is None else text)
    cases = list(_cases_of(document, root))
    titles = [case.title for case in cases]
    for title in titles:
        if titles.count(title) > 1:
            raise DocumentError(f"two cases are called {title!r}")
    return cases


def _cases_of(document: Path, section: Section) -> list[Case]:
    if section.sections:
        if section.pins:
            raise DocumentError(f"line {section.line}: only a section without subsections may pin anything")
        return [case for inner in section.sections for case in _cases_of(document, inner)]
    lineage = section.lineage()
    for part in lineage:
        if part.examples:
            raise DocumentError(f"line {part.examples[0].first}: code without a path")
    files = {path: fence for part in lineage for path, fence in part.files.items()}
    if not files:
        raise DocumentError(f"line {section.line}: the case {section.title!r} has no files")
    config = "".join(part.config.text for part in lineage if part.config)
    named = lineage[2:] if len(lineage) > 2 else lineage[1:]
    title = " › ".join(part.title for part in named)
    return [Case(document, title, section.line, files, config, section.pins, section.runnable)]
