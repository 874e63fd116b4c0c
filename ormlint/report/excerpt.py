"""Source excerpts: the lines that labels point at, with the labels under them.

   |
12 |     books = Book.objects.all()
   |             ^^^^^^^^^^^^^^^^^^ the rows come from here
   ┊
14 |         print(book.author.name)
   |               ^^^^^^^^^^^ this reads `author`
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ormlint.judge.finding import Label
from ormlint.judge.project import Project
from ormlint.report.ink import OF_MARK, Ink

TAB = 4
LONGEST_LINE = 140
CONTEXT = 20  # characters kept before a label in a line that is cut


@dataclass(frozen=True, slots=True)
class Underline:
    """A stretch of one line (columns from 0, in characters, end exclusive), and what it means."""

    start: int
    end: int
    label: Label


def excerpt(labels: Sequence[Label], project: Project, texts: Mapping[str, str], ink: Ink, at_first: str) -> Iterator[str]:
    """Yields the lines of an excerpt: one block per file in the order of the labels, each in the order of its lines.

    A block of another file than `at_first`, and every block after it, begins with the path. Places whose text is not at hand are left out.
    """
    paths = list(dict.fromkeys(label.site.path for label in labels if label.site.path in texts))
    underlined = {path: _by_line([label for label in labels if label.site.path == path], project, texts[path]) for path in paths}
    numbers = [number for lines in underlined.values() for number in lines]
    if not numbers:
        return
    width = len(str(max(numbers)))
    gutter = " " * width
    for position, path in enumerate(paths):
        lines = underlined[path]
        if position or path != at_first:
            yield ink("blue", f"{gutter}--> ") + f"{project.shown(path)}:{min(lines)}"
        yield ink("blue", f"{gutter} |")
        previous = 0
        for number in sorted(lines):
            if previous and number == previous + 2:
                yield _source(project, texts[path], path, number - 1, width, ink)
            elif previous and number > previous + 2:
                yield ink("blue", f"{gutter} ┊")
            previous = number
            yield from _annotated(lines[number], project, texts[path], path, number, width, ink)
    yield ink("blue", f"{gutter} |")


def _by_line(labels: list[Label], project: Project, text: str) -> dict[int, list[Underline]]:
    """Returns the labels by line; one that spans several lines is drawn under the first of them."""
    found: dict[int, list[Underline]] = {}
    for label in labels:
        index = project.lines[label.site.path]
        begin, end = index.position(label.site.start), index.position(max(label.site.end, label.site.start + 1))
        content = _content(text, index.offset(begin.line), index.offset(begin.line + 1))
        last = end.column - 1 if end.line == begin.line else len(content.rstrip())
        found.setdefault(begin.line, []).append(Underline(begin.column - 1, max(last, begin.column), label))
    return found


def _content(text: str, start: int, end: int) -> str:
    return text[start:end].rstrip("\r\n")


def _line(project: Project, text: str, path: str, number: int) -> str:
    index = project.lines[path]
    return _content(text, index.offset(number), index.offset(number + 1))


def _source(project: Project, text: str, path: str, number: int, width: int, ink: Ink) -> str:
    shown = _expanded(_cut(_line(project, text, path, number), 0)[0])
    return (ink("blue", f"{number:>{width}} |") + f" {shown}").rstrip()


def _annotated(underlines: list[Underline], project: Project, text: str, path: str, number: int, width: int, ink: Ink) -> Iterator[str]:
    line = _line(project, text, path, number)
    shown, dropped = _cut(line, min(underline.start for underline in underlines))
    yield ink("blue", f"{number:>{width}} |") + f" {_expanded(shown)}"
    for underline in sorted(underlines, key=lambda u: (u.start, u.end)):
        start = underline.start - dropped
        before = _cells(_expanded(shown[:start]))
        length = max(1, _cells(_expanded(shown[: underline.end - dropped])) - before)
        drawn = ink(OF_MARK[underline.label.mark], f"{'^' * length} {underline.label.text}".rstrip())
        yield ink("blue", f"{' ' * width} |") + f" {' ' * before}{drawn}"


def _cut(line: str, first: int) -> tuple[str, int]:
    """Returns a long line cut around its first label, and by how many characters columns move to the left."""
    if len(line) <= LONGEST_LINE:
        return line, 0
    start = max(0, first - CONTEXT)
    piece = line[start : start + LONGEST_LINE]
    if start + LONGEST_LINE < len(line):
        piece += "…"
    return ("…" + piece, start - 1) if start else (piece, 0)


def _expanded(text: str) -> str:
    return text.expandtabs(TAB)


def _cells(text: str) -> int:
    """Returns how many terminal cells a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
