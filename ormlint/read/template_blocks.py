"""What Django and Jinja templates share: tags in the text, and bodies that tags enclose.

Templates are read tolerantly: a tag that is not closed ends with what it stands in, and one that closes nothing is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ormlint.ir import nodes as ir

Out = list[ir.Stmt]
CLOSINGS = {"%": "%}", "{": "}}", "#": "#}"}


class Tag(NamedTuple):
    """`{% name … %}` or, with an empty name, `{{ … }}`; `inner` and `inner_end` enclose what follows the name."""

    start: int
    end: int
    name: str
    inner: int
    inner_end: int


class Finder:
    """Finds the next occurrence of a string after ever later offsets, in linear time altogether."""

    def __init__(self, text: str, sought: str) -> None:
        self._text, self._sought, self._found = text, sought, -1

    def after(self, offset: int) -> int:
        """Returns where the string stands next, or the length of the text."""
        if self._found < offset:
            found = self._text.find(self._sought, offset)
            self._found = found if found >= 0 else len(self._text)
        return self._found


def find_markup(text: str, *, within_lines: bool) -> Iterator[tuple[int, int, str]]:
    """Yields start, end and kind (`%`, `{` or `#`) of all markup; Django's never spans lines."""
    opening, newline = Finder(text, "{"), Finder(text, "\n")
    closings = {kind: Finder(text, closing) for kind, closing in CLOSINGS.items()}
    start = opening.after(0)
    while start < len(text) - 3:
        kind = text[start + 1]
        position = start + 1
        if kind in closings:
            end = closings[kind].after(start + 2)
            if end < len(text) and not (within_lines and newline.after(start) < end):
                position = end + 2
                yield start, position, kind
        start = opening.after(position)


class Blocks:
    """One template being lowered: its tags, how far it has come, and which tags are open."""

    def __init__(self, text: str, tags: list[Tag]) -> None:
        self.text = text
        self._tags = tags
        self._position = 0
        self._open: list[str] = []
        self.closed = {tag.name[3:] for tag in tags if tag.name.startswith("end")}

    def statement(self, tag: Tag, out: Out) -> None:
        """Lowers one tag with all that it encloses."""
        raise NotImplementedError

    def template(self) -> Out:
        """Returns the whole template's statements."""
        out: Out = []
        while self._position < len(self._tags):
            out += self._block(())
            self._position += 1
        return out

    def _block(self, dividers: tuple[str, ...]) -> Out:
        """Lowers up to a divider or to a tag that closes something open, which is not consumed."""
        out: Out = []
        while self._position < len(self._tags):
            tag = self._tags[self._position]
            if tag.name in dividers or (tag.name.startswith("end") and tag.name[3:] in self._open):
                break
            self._position += 1
            self.statement(tag, out)
        return out

    def enclosed(self, name: str, *dividers: str) -> tuple[Out, Tag | None]:
        """Lowers the body of a tag, and returns it with the divider it ends at, or None if it ends otherwise."""
        self._open.append(name)
        body = self._block(dividers)
        self._open.pop()
        if self._position < len(self._tags):
            tag = self._tags[self._position]
            if tag.name in dividers:
                self._position += 1
                return body, tag
            if tag.name == f"end{name}":
                self._position += 1
        return body, None

    def reached(self) -> int:
        """Returns the end of what was consumed last."""
        return self._tags[self._position - 1].end

    def call(self, tag: Tag, name: str, args: list[ir.Expr_], keywords: list[tuple[str, ir.Expr_]] | None = None) -> ir.Call:
        """Returns the call that a tag stands for."""
        return ir.Call(tag.start, tag.end, ir.Name(tag.start, tag.start + 2, name), args, keywords or [])


def template_module(path: str, language: str, text: str, lines: list[int], body: Out, comments: list[ir.Comment]) -> ir.Module:
    """Returns a template as a module: one function `render(context)` with this body."""
    render = ir.Function(0, len(text), "render", [ir.Param(0, 0, "context")], body, [])
    return ir.Module(path, "", language, [render], lines, len(text), comments)
