"""The directory of the cache, and how files come into it: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

_TAG = """Signature: 8a477f597d28d172789f06886806bc55
# This file marks a cache directory of ormlint; see https://bford.info/cachedir/
"""


def prepare(directory: Path) -> None:
    """Makes a directory that backups and Git leave alone. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in (("CACHEDIR.TAG", _TAG), (".gitignore", "*\n")):
        file = directory / name
        if not file.exists():
            file.write_text(content, encoding="utf-8")


def replaced(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Writes a file in the place of the one there may be. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(prefix=f"{path.name.partition('-')[0]}-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
