"""What a file of the project holds, before anybody has looked into it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from ormlint.read.errors import ReadError

LARGEST_FILE = 5_000_000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read.

    `path` is relative to the project root, with slashes; `name` the dotted import name ("" for a template); `language` is
    python, django or jinja; `text` replaces what is on disk (a file being edited, or standard input); `data` is what is on disk, or why
    it cannot be read, if somebody has looked already.
    """

    path: str
    absolute: str
    name: str = ""
    is_package: bool = False
    language: str = "python"
    text: str | None = None
    data: bytes | ReadError | None = None


def content_of(file: SourceFile) -> bytes:
    """Returns the bytes of the file.

    Raises ReadError (kind "io") if it cannot be opened, is no regular file or is too large.
    """
    if file.text is not None:
        return file.text.encode("utf-8", "surrogatepass")
    if isinstance(file.data, ReadError):
        raise file.data
    if file.data is not None:
        return file.data
    try:
        with open(file.absolute, "rb", opener=_open_without_waiting) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ReadError("not a regular file", kind="io")
            if status.st_size > LARGEST_FILE:
                raise ReadError(f"larger than {LARGEST_FILE // 1_000_000} MB, not read", kind="io")
            return stream.read()
    except OSError as error:
        raise ReadError(f"cannot be read: {error.strerror or error}", kind="io") from error


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
