"""Which Django a project runs on at most, as the files that name its requirements say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Version = tuple[int, ...]

# fmt: off
FILES = (
    "pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "requirements*.txt", "requirements*.in", "requirements/*.txt", "requirements/*.in",
    "*.egg-info/requires.txt", "src/*.egg-info/requires.txt",
)
# fmt: on
_COMMENT = re.compile(r"(?:^|\s)#.*", re.MULTILINE)
_CLAUSE = r"(?:===?|~=|<=|>=|!=|<|>)\s*\d[\w.*]*"
_STATED = re.compile(rf"(?<![\w./-])django(?:\[[\w,\s-]*\])?\s*\(?({_CLAUSE}(?:\s*,\s*{_CLAUSE})*)", re.IGNORECASE)
_KEY = re.compile(r"""^\s*["']?django["']?\s*=\s*(?:\{[^}\n]*\bversion\s*=\s*)?["']([^"'\n]+)["']""", re.IGNORECASE | re.MULTILINE)
_PART = re.compile(r"(===?|~=|<=|>=|!=|<|>|\^|~|)\s*(\d[\d.]*(?:\*|[a-z]\w*)?)")


@dataclass(frozen=True, slots=True)
class Required:
    """The oldest and the newest series (1, 11) that requirements admit, () where they do not say."""

    oldest: Version = ()
    newest: Version = ()


def required_django(root: Path) -> Required:
    """Returns which releases of Django the requirements below a project's root admit.

    Of several statements the one that admits the newest counts; what is admitted without an end, from a release on that is
    newer than all the others name, has no newest.
    """
    found = [required for text in _texts(root) for required in _statements(text)]
    oldest = max((each.oldest for each in found), default=())
    newest = max((each.newest for each in found), default=())
    return Required(oldest, newest if newest >= oldest else ())


def _texts(root: Path) -> Iterator[str]:
    for pattern in FILES:
        for path in root.glob(pattern):
            try:
                yield _COMMENT.sub("", path.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError):
                continue


def _statements(text: str) -> Iterator[Required]:
    for pattern in (_STATED, _KEY):
        for stated in pattern.findall(text):
            parts = [(sign, _numbers(version), version.endswith("*")) for sign, version in _PART.findall(stated)]
            ends = [end for part in parts if (end := _end(*part))]
            begins = [version[:2] for sign, version, _ in parts if sign not in ("<", "<=", "!=")]
            yield Required(max(begins, default=()), min(ends, default=()))


def _numbers(version: str) -> Version:
    return tuple(int(number) for number in re.findall(r"\d+", re.split(r"[a-z]", version)[0]))


def _end(sign: str, version: Version, open_ended: bool) -> Version:
    """Returns the newest series that a clause admits, () if there is none."""
    major, minor, *patch = (*version, 0) if len(version) == 1 else version
    match sign:
        case ">=" | ">" | "!=":
            return ()
        case "<" if not any(patch):
            return (major, minor - 1) if minor else _last_of(major - 1)
        case "^":
            return _last_of(major)
        case "~=" if len(version) < 3:
            return _last_of(major)
        case _:
            return _last_of(major) if len(version) == 1 and (open_ended or sign == "~") else (major, minor)


def _last_of(major: int) -> Version:
    """Returns the last series of a major version: 1.11, 2.2, 3.2 and so on."""
    return (major, 11 if major == 1 else 2)
