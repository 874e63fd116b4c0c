"""The same code in every layout that people write it in.

A chain is drawn as links and spelled on one line, over several in parentheses, with backslashes, with comments between …
A file is then given its line endings, its indentation and its end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st

INLINE, PARENTHESES, COMMENTS, BACKSLASHES, ARGUMENTS, HANGING, PARENTHESIZED = (
    "inline",
    "parentheses",
    "comments",
    "backslashes",
    "arguments",
    "hanging",
    "parenthesized",
)
STYLES = (INLINE, PARENTHESES, COMMENTS, BACKSLASHES, ARGUMENTS, HANGING, PARENTHESIZED)


@dataclass(frozen=True)
class Link:
    """One step of a chain: a method with its arguments; an attribute if they are None; an index if it has no name."""

    name: str
    arguments: tuple[str, ...] | None = ()

    def spelled(self) -> str:
        if not self.name:
            return f"[{self.arguments[0] if self.arguments else ''}]"
        return f".{self.name}" if self.arguments is None else f".{self.name}({', '.join(self.arguments)})"


@dataclass(frozen=True)
class Chain:
    """What a chain begins with, and its links."""

    root: str
    links: tuple[Link, ...] = ()

    def then(self, *links: Link) -> Chain:
        return replace(self, links=(*self.links, *links))


def spell(chain: Chain, style: str, indent: str) -> str:
    """Returns the chain's text, for a statement whose own indentation is `indent`."""
    deeper = indent + "    "
    steps = [link.spelled() for link in chain.links]
    methods = [number for number, link in enumerate(chain.links) if link.name]
    if style == PARENTHESIZED:
        return f"({chain.root}{''.join(steps)})"
    if style == ARGUMENTS and any(link.arguments for link in chain.links if link.name):
        return chain.root + "".join(_over_lines(link, indent) for link in chain.links)
    if style in (INLINE, ARGUMENTS) or not methods:
        return chain.root + "".join(steps)
    broken = {PARENTHESES: methods, COMMENTS: methods, BACKSLASHES: methods, HANGING: methods[-1:]}[style]
    lines = [chain.root]
    for number, step in enumerate(steps):
        if number in broken:
            lines.append(step)
        else:
            lines[-1] += step
    if style == BACKSLASHES:
        return f" \\\n{deeper}".join(lines)
    if style == COMMENTS:
        commented = [f"{line}  # {word}" for line, word in zip(lines, ("the rows", "as they come,", "one by one", "and so on"), strict=False)]
        lines = [*commented, *lines[len(commented) :]]
        lines.insert(1, "# of all there are")
    inner = f"\n{deeper}".join(lines)
    return f"({inner})" if style == HANGING else f"(\n{deeper}{inner}\n{indent})"


def _over_lines(link: Link, indent: str) -> str:
    if not link.name or not link.arguments:
        return link.spelled()
    arguments = "".join(f"{indent}    {argument},\n" for argument in link.arguments)
    return f".{link.name}(\n{arguments}{indent})"


@dataclass(frozen=True)
class FileLayout:
    """What a whole file looks like."""

    tabs: bool = False
    crlf: bool = False
    final_newline: bool = True

    def applied(self, text: str) -> str:
        if self.tabs:
            text = "".join(_tabbed(line) for line in text.splitlines(keepends=True))
        if not self.final_newline:
            text = text.rstrip("\n")
        return text.replace("\n", "\r\n") if self.crlf else text


def _tabbed(line: str) -> str:
    body = line.lstrip(" ")
    width = len(line) - len(body)
    return "\t" * (width // 4) + " " * (width % 4) + body


def file_layouts() -> st.SearchStrategy[FileLayout]:
    """Draws the look of a file, mostly the usual one."""
    usual = st.just(FileLayout())
    return st.one_of(usual, st.builds(FileLayout, st.booleans(), st.booleans(), st.booleans()))
