"""A file in the making: how its head imports, the query as it is written, and the statements of its function `main`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from tests.generated.layout import spell
from tests.torture.work import Work

INDENTATION = "    "
# Stand before and behind what a fixer may change, in a form that nobody would write them in again.
BEFORE = "ODD  = {'a' :1 ,\"b\":2  ,}   # kept  as it is"
BEHIND = "def  odd( book , ship=None,tag = 1 ) :  # kept, too\n    return  [ book for book in (ship,tag) ]"


@dataclass(frozen=True)
class Inapplicable:
    """Why a piece of work cannot have a shape."""

    reason: str


@dataclass(frozen=True)
class Program:
    """A piece of work in a shape; `files` are further files that it needs, by name, in the same package."""

    work: Work
    models: tuple[str, ...]
    package: str
    number: int
    query: str = ""
    above: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    imports: str = ""
    names: dict[str, str] = field(default_factory=dict)
    opening: str = "def main({argument}):"
    around: tuple[str, ...] = ()  # lines, each a level deeper, that stand around the statements
    behind: tuple[str, ...] = ()  # lines of the file behind the function
    files: dict[str, str] = field(default_factory=dict)
    finish: tuple[Callable[[str], str], ...] = ()
    encoding: str = "utf-8"

    @property
    def argument(self) -> str:
        """The argument of `main`."""
        return "session" if self.package == "fleet" else ""

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"{self.work.place}_{self.number}.py"

    def text(self) -> str:
        """Returns the file."""
        lines = [self.opening.format(argument=self.argument)]
        depth = 1
        for line in self.around:
            lines.append(INDENTATION * depth + line)
            depth += 1
        lines += [INDENTATION * depth + line if line else "" for line in self.lines]
        body = "\n".join([*(("", "", *self.above, "", "") if self.above else ("", "")), *lines, *self.behind]) + "\n"
        text = f"{BEFORE}\n{self.renamed(body)}\n\n{BEHIND}\n"
        library = "from sqlalchemy import select\n" if self.package == "fleet" else ""
        own = f"{self.work.imports}\n" if self.work.imports else ""
        imports = self.imports or f"from {self.package}.models import {', '.join(self.models)}\n"
        text = ("\n".join([*self.head, ""]) * bool(self.head) + library + own + imports + "\n" + text).replace("{n}", str(self.number))
        for change in self.finish:
            text = change(text)
        return text

    def renamed(self, body: str) -> str:
        """Returns code with the models called as the file calls them."""
        for name, other in self.names.items():
            body = re.sub(rf"(?<![\w.'\"]){name}\b", other, body)
        return body

    def finished(self, *changes: Callable[[str], str]) -> Program:
        """Returns the program with its text changed at last."""
        return replace(self, finish=(*self.finish, *changes))


def begun(work: Work, models: tuple[str, ...], package: str, number: int) -> Program:
    """Returns the plainest form of a piece of work."""
    program = Program(work, models, package, number)
    return asked(program, spell(work.chain, "inline", INDENTATION))


def asked(program: Program, query: str, before: Iterable[str] = ()) -> Program:
    """Returns the program with its query written in a certain way, behind some lines."""
    work = program.work
    above, lines = _filled(work.head, query, before), _filled(work.lines, query, before)
    return replace(program, query=query, above=above, lines=lines)


def indentation_of(work: Work) -> str:
    """Returns what the line of the query is indented with, in the file."""
    for line in work.head:
        if "{q}" in line:
            return _indented(line)
    return INDENTATION + next((_indented(line) for line in work.lines if "{q}" in line), "")


def _filled(lines: list[str], query: str, before: Iterable[str]) -> tuple[str, ...]:
    at = next((number for number, line in enumerate(lines) if "{q}" in line), None)
    if at is None:
        return tuple(lines)
    depth = _indented(lines[at])
    filled = [line.replace("{q}", query) for line in lines]
    return (*filled[:at], *(depth + line for line in before), *filled[at:])


def _indented(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
