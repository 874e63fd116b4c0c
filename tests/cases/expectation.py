"""What the comments in a case's files expect.

    print(book.author)  # error: [ORM101] "`book.author`"
    # error: [ORM102]
    list(author.books.all())
    print(book.price)  # info: [ORM210]         of severity info
    reveal_type(books)  # revealed: query of Book

A comment on a line of its own speaks of the next line of code. In templates the comment is `{# error: … #}`.
The text, if there is one, is part of the finding's message; the rule is named by code or by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ERROR = re.compile(r"""(?:\#|\{\#)\s*(?P<word>error|info):\s*\[(?P<rule>[\w-]+)\](?:\s*"(?P<text>[^"]*)")?""")
_REVEALED = re.compile(r"#\s*revealed:\s*(?P<text>.*?)\s*$")
_COMMENT_LINE = re.compile(r"\s*(?:#|\{#)")


@dataclass(frozen=True, slots=True, order=True)
class Expected:
    """A finding that must be there."""

    path: str
    line: int
    rule: str
    text: str = ""
    minor: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: [{self.rule}]" + " info" * self.minor + (f' "{self.text}"' if self.text else "")


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A finding, as far as expectations can speak of it."""

    path: str
    line: int
    code: str
    name: str
    message: str
    minor: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: [{self.code}]{' info' * self.minor} {self.message}"

    def satisfies(self, expected: Expected) -> bool:
        """Whether this is the finding that was expected."""
        if (self.path, self.line, self.minor) != (expected.path, expected.line, expected.minor):
            return False
        return expected.rule in (self.code, self.name) and expected.text in self.message


def expected_findings(path: str, text: str) -> list[Expected]:
    """Returns the findings that the comments of a file expect, in order of lines."""
    lines = text.splitlines()
    return [
        Expected(path, _spoken_of(lines, number), match["rule"], match["text"] or "", match["word"] == "info")
        for number, line in enumerate(lines, 1)
        for match in _ERROR.finditer(line)
    ]


def expected_types(path: str, text: str) -> dict[tuple[str, int], str]:
    """Returns what `reveal_type()` must say, by path and line."""
    lines = text.splitlines()
    return {(path, _spoken_of(lines, number)): match["text"] for number, line in enumerate(lines, 1) if (match := _REVEALED.search(line))}


def _spoken_of(lines: list[str], number: int) -> int:
    while number <= len(lines) and _COMMENT_LINE.match(lines[number - 1]):
        number += 1
    return number


def differences(expected: list[Expected], found: list[Found]) -> list[str]:
    """Returns a line for every finding that is missing and every one that was not expected; empty if all agree."""
    left = sorted(found)
    lines = []
    for wanted in sorted(expected):
        match = next((item for item in left if item.satisfies(wanted)), None)
        if match is None:
            lines.append(f"- missing     {wanted}")
        else:
            left.remove(match)
    lines += [f"+ unexpected  {item}" for item in left]
    return lines
