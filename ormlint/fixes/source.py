"""A file that is to be edited: its text, its statements, and the syntax trees of those that matter.

Reading a program is the business of `read/`; here only the places of a few findings matter. So the file is cut into
top-level statements and members of classes by line numbers, and only those that an edit touches are parsed with libcst.
Offsets are character offsets into the text as it was read, a byte order mark included.
"""

from __future__ import annotations

import ast
import bisect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ormlint.fixes.statement import Statement, parse_statement
from ormlint.read.errors import ReadError
from ormlint.read.lines import line_starts
from ormlint.read.python import parse
from ormlint.text import Edit, Site


@dataclass(frozen=True, slots=True)
class Lines:
    """A stretch of whole lines `start:end` that holds one statement, or several that share a line.

    `nodes` is empty if the running interpreter is too old for the statement's syntax.
    """

    start: int
    end: int
    nodes: tuple[ast.stmt, ...]


class SourceFile:
    """The text of one Python file and, on demand, its structure."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._statements: dict[int, Statement | None] = {}

    @cached_property
    def newline(self) -> str:
        """The line ending of the file: that of its first line, `\\n` if it has one line only."""
        end = min((at for at in (self.text.find("\r"), self.text.find("\n")) if at >= 0), default=-1)
        if end < 0 or self.text[end] == "\n":
            return "\n"
        return "\r\n" if self.text.startswith("\r\n", end) else "\r"

    @cached_property
    def starts(self) -> list[int]:
        """The offset of the first character of every line."""
        return line_starts(self.text)

    @cached_property
    def body(self) -> list[Lines]:
        """The top-level statements in order; empty if the file is no valid Python."""
        try:
            return list(self._by_lines(parse(self.text).body))
        except ReadError:
            return _by_libcst(self.text)

    def line_of(self, offset: int) -> int:
        """Returns the number of the line an offset is in, counted from 1."""
        return bisect.bisect_right(self.starts, offset)

    def statement(self, offset: int) -> Statement | None:
        """Returns the parsed statement around an offset, or None if there is none or libcst cannot parse it.

        It is a top-level one, or a member of a top-level class: classes are too large to be parsed for one of their methods.
        """
        unit, opening = self._unit(offset)
        if unit is None:
            return None
        if unit.start not in self._statements:
            text = opening + self.text[unit.start : unit.end]
            self._statements[unit.start] = parse_statement(text, unit.start - len(opening))
        return self._statements[unit.start]

    def _unit(self, offset: int) -> tuple[Lines | None, str]:
        """Returns the stretch of lines to parse for an offset, and what must stand before it."""
        top = _around(self.body, offset)
        if top is None or len(top.nodes) != 1 or not isinstance(top.nodes[0], ast.ClassDef):
            return top, ""
        owner = top.nodes[0]
        member = _around(list(self._by_lines(owner.body)), offset)
        if member is None or _first_line(member.nodes[0]) == owner.lineno:
            return top, ""
        return member, f"class _:{self.newline}"

    def edit(self, start: int, end: int, content: str) -> Edit:
        """Returns an edit of this file."""
        return Edit(self.path, start, end, content)

    def insert(self, offset: int, content: str) -> Edit:
        """Returns an edit that inserts text."""
        return Edit(self.path, offset, offset, content)

    def rest_of_line(self, offset: int) -> str:
        """Returns what follows an offset on its line, without the line ending."""
        line = self.line_of(offset)
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        return self.text[offset:end].rstrip("\r\n")

    def indentation(self, offset: int) -> str | None:
        """Returns the white space before an offset if nothing else stands before it on its line, else None."""
        before = self.text[self.starts[self.line_of(offset) - 1] : offset].lstrip("\ufeff")
        return before if not before.strip() else None

    def list_indentation(self, offset: int) -> str | None:
        """Returns the indentation of an element of a list with one element per line, None if the list is written otherwise."""
        line = self.line_of(offset)
        if line > 1 and self.text[self.starts[line - 2] : self.starts[line - 1]].rstrip("\r\n").endswith("\\"):
            return None
        return self.indentation(offset)

    def _by_lines(self, nodes: list[ast.stmt]) -> Iterator[Lines]:
        ends = [*self.starts[1:], len(self.text)]
        group: list[ast.stmt] = []
        for node in nodes:
            if group and _first_line(node) > _last_line(group[-1]):
                yield Lines(self._start(group[0]), ends[_last_line(group[-1]) - 1], tuple(group))
                group = []
            group.append(node)
        if group:
            yield Lines(self._start(group[0]), ends[_last_line(group[-1]) - 1], tuple(group))

    def _start(self, node: ast.stmt) -> int:
        start = self.starts[_first_line(node) - 1]
        return start + 1 if start == 0 and self.text.startswith("\ufeff") else start


class Sources:
    """The files of a project, read on demand; `given` are the new variables that fixes of them have, each with the expression it is for."""

    def __init__(self, texts: Callable[[str], str]) -> None:
        self._texts = texts
        self.given: dict[tuple[int, str], object] = {}
        self._files: dict[str, SourceFile | None] = {}
        self._pages: dict[str, SourceFile | None] = {}
        self._found: dict[re.Pattern[str], str] = {}

    def file(self, site: Site) -> SourceFile | None:
        """Returns the file a site is in, or None if it is no Python file of the project."""
        if site.path not in self._files:
            self._files[site.path] = self._open(site.path)
        return self._files[site.path]

    def with_file(self, file: SourceFile) -> Sources:
        """Returns the same files but one, which stands in the place of that of its path."""
        other = Sources(self._texts)
        other._files[file.path] = file
        return other

    def page(self, site: Site) -> SourceFile | None:
        """Returns the template a site is in, whose text alone is of use; None if it is in a Python file."""
        if site.path not in self._pages:
            self._pages[site.path] = None if site.path.endswith(".py") else self._read(site.path)
        return self._pages[site.path]

    def found(self, pattern: re.Pattern[str], paths: Iterable[str]) -> str:
        """Returns what a pattern first finds in the Python files of the project, whose paths are given; "" if nothing."""
        if pattern not in self._found:
            files = (self.file(Site(path, 0, 0)) for path in paths)
            self._found[pattern] = next((match[0] for file in files if file is not None and (match := pattern.search(file.text))), "")
        return self._found[pattern]

    def statement(self, site: Site) -> Statement | None:
        """Returns the parsed top-level statement a site is in, or None if it cannot be had."""
        file = self.file(site)
        return file.statement(site.start) if file is not None else None

    def _open(self, path: str) -> SourceFile | None:
        return self._read(path) if path.endswith(".py") else None

    def _read(self, path: str) -> SourceFile | None:
        try:
            return SourceFile(path, self._texts(path))
        except (KeyError, OSError):  # a library's stub, or a file that has gone
            return None


def _around(units: list[Lines], offset: int) -> Lines | None:
    position = bisect.bisect_right(units, offset, key=lambda unit: unit.start) - 1
    return units[position] if position >= 0 and offset < units[position].end else None


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _by_libcst(text: str) -> list[Lines]:
    import libcst as cst

    skipped = 1 if text.startswith("\ufeff") else 0
    try:
        module = cst.parse_module(text[skipped:])
    except cst.ParserSyntaxError:
        return []
    found: list[Lines] = []
    start = skipped + len(module.with_changes(body=[], footer=[]).code)
    line = text.count("\n", 0, start)
    for statement in module.body:
        code = module.code_for_node(statement)
        try:
            nodes = parse(code).body
        except ReadError:
            nodes = []
        for node in nodes:
            ast.increment_lineno(node, line)
        found.append(Lines(start, start + len(code), tuple(nodes)))
        start, line = start + len(code), line + code.count("\n")
    return found
