"""Comments that silence findings.

    rows = Book.objects.all()  # ormlint: ignore[ORM101] the shop has nine books
    # ormlint: ignore[related-object-in-loop]      on a line of its own: the statement below
    # ormlint: ignore-file[ORM1]                   the whole file
    # noqa: ORM101                                 only codes of ormlint's rules count; a bare noqa silences all

A comment speaks of its line, and of the whole statement (or the head of a block) whose first or last line that is. It is
honoured at any place a finding points at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ormlint.ir import nodes as ir
from ormlint.judge.project import Project, Suppression
from ormlint.judge.rule import Rule
from ormlint.judge.select import meaning
from ormlint.text import LineIndex, Site

OWN = re.compile(r"ormlint:\s*(?P<directive>[\w-]+)?\s*(?:\[(?P<selectors>[^\]]*)\])?")
NOQA = re.compile(r"\bnoqa\b(?P<codes>:\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?", re.IGNORECASE)
SELECTOR = re.compile(r"[^\s,]+")
LONGEST_PLACE = 20  # lines; what is longer than that is a body, and is spoken of at its first line


def suppressions(modules: Iterable[ir.Module], texts: Mapping[str, str], rules: Sequence[Rule]) -> list[Suppression]:
    """Returns what the comments of the modules silence, in the order of the text."""
    return [found for module in modules if module.comments for found in _in_module(module, texts[module.path], rules)]


def is_suppressed(places: Iterable[Site], code: str, comments: Mapping[str, Sequence[Suppression]], project: Project) -> bool:
    """Whether a comment at one of the places silences a rule; marks every such comment as used.

    `comments` are the suppressions by path.
    """
    found = False
    for place in places:
        for comment in comments.get(place.path, ()):
            if code in comment.codes and (comment.lines is None or not comment.lines.isdisjoint(_lines(place, project))):
                comment.used = found = True
    return found


def _lines(place: Site, project: Project) -> range:
    index = project.lines[place.path]
    first = index.position(place.start).line
    last = index.position(max(place.start, place.end - 1)).line
    return range(first, (last if last - first < LONGEST_PLACE else first) + 1)


def _in_module(module: ir.Module, text: str, rules: Sequence[Rule]) -> Iterator[Suppression]:
    index = LineIndex(tuple(module.lines), module.length)
    for comment in module.comments:
        lines: frozenset[int] | None = _spoken_of(module, text, index, comment)
        own = OWN.search(comment.text)
        noqa = NOQA.search(comment.text)
        if own is not None:
            directive = own["directive"] or ""
            names = SELECTOR.finditer(own["selectors"] or "")
            if directive == "ignore-file":
                lines = None
            if own["selectors"] is None or directive not in ("ignore", "ignore-file"):
                yield _suppression(module, comment, own.span(), directive, "", rules, lines)
                continue
            for name in names:
                offset = own.start("selectors")
                yield _suppression(module, comment, (offset + name.start(), offset + name.end()), directive, name[0], rules, lines)
        elif noqa is not None and noqa["codes"] is None:
            yield _suppression(module, comment, noqa.span(), "noqa", "", rules, lines)
        elif noqa is not None:
            for name in re.finditer(r"[A-Z]+[0-9]+", noqa["codes"].upper()):
                if _may_be_ours(name[0], rules):
                    offset = noqa.start("codes")
                    yield _suppression(module, comment, (offset + name.start(), offset + name.end()), "noqa", name[0], rules, lines)


def _suppression(
    module: ir.Module,
    comment: ir.Comment,
    span: tuple[int, int],
    directive: str,
    selector: str,
    rules: Sequence[Rule],
    lines: frozenset[int] | None,
) -> Suppression:
    text_start = comment.start + (2 if module.language != "python" else 1)
    site = Site(module.path, text_start + span[0], text_start + span[1])
    meant = meaning(selector or "ALL", rules)[1] if directive in ("ignore", "ignore-file", "noqa") else ()
    return Suppression(site, directive, selector, frozenset(rule.code for rule in meant), lines)


def _may_be_ours(code: str, rules: Sequence[Rule]) -> bool:
    """Whether a code has the letters of some rule's: `# noqa: E501` speaks to others."""
    return code.rstrip("0123456789") in {rule.code.rstrip("0123456789") for rule in rules}


# ------------------------------------------------------------------------------------------- which lines are meant
def _spoken_of(module: ir.Module, text: str, index: LineIndex, comment: ir.Comment) -> frozenset[int]:
    line = index.position(comment.start).line
    if not text[index.offset(line) : comment.start].strip():
        line = _next_line_of_code(text, index, line)
    statement = _statement(module.body, index, line)
    return frozenset((line, *statement)) if statement and line in (statement[0], statement[-1]) else frozenset({line})


def _next_line_of_code(text: str, index: LineIndex, line: int) -> int:
    """Returns the first line after a comment line that holds neither only a comment nor nothing."""
    for number in range(line + 1, len(index.starts) + 1):
        content = text[index.offset(number) : index.offset(number + 1)].strip()
        if content and not content.startswith(("#", "{#")):
            return number
    return line


def _statement(block: Sequence[ir.Stmt], index: LineIndex, line: int) -> range:
    """Returns the lines of the innermost statement around a line; of a compound one only the head."""
    for statement in block:
        lines = _extent(statement, index)
        if line not in lines:
            continue
        blocks = [inner for inner in _blocks(statement) if inner]
        for inner in blocks:
            found = _statement(inner, index, line)
            if found:
                return found
        body = min((_extent(inner[0], index)[0] for inner in blocks), default=lines[-1] + 1)
        head = range(lines[0], max(body, lines[0] + 1))
        return head if line in head else range(0)
    return range(0)


def _extent(statement: ir.Stmt, index: LineIndex) -> range:
    return range(index.position(statement.start).line, index.position(max(statement.start, statement.end - 1)).line + 1)


def _blocks(statement: ir.Stmt) -> Iterator[Sequence[ir.Stmt]]:
    match statement:
        case ir.If() | ir.Loop() | ir.While():
            yield statement.body
            yield statement.orelse
        case ir.With() | ir.Function() | ir.Class():
            yield statement.body
        case ir.Try():
            yield statement.body
            for handler in statement.handlers:
                yield handler.body
            yield statement.orelse
            yield statement.final
        case _:
            return
