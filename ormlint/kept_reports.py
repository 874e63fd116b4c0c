"""What was written about the same inputs before is written again: the reports of earlier runs, found by what they depend on.

A report depends on the request and on everything that a run reads (`inputs.py`), on ormlint itself with the packages that it is made
of, on the interpreter, and on how it is to be written. All of that is in its key, by content: nothing here knows of times or versions of
files. Rules that are not ormlint's own may read what they like, so with any of them nothing is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import sys
import zlib
from collections.abc import Sequence
from importlib.metadata import entry_points, version
from pathlib import Path

import msgspec

import ormlint
from ormlint.cache_directory import prepare, replaced
from ormlint.inputs import Inputs

MOST = 16
"""Reports that are kept: those for whole projects, single files and other ways of writing stand side by side."""
_MAGIC = b"ormlint report 1\n"
_MADE_OF = ("libcst", "msgspec", "pathspec", "tomli", "click", "rich")
_ENTRY_POINTS = "ormlint.rules"


class Report(msgspec.Struct, array_like=True, frozen=True):
    """What a run wrote and how it ended: the lines of the report, those beside it on standard error, the exit code."""

    lines: list[str]
    asides: list[str]
    code: int


def own_fingerprint() -> bytes:
    """Returns a hash of ormlint, its rules, the packages it is made of and the interpreter."""
    digest = hashlib.blake2b(digest_size=20)
    packages = {place: version(place) for place in _MADE_OF}
    digest.update(repr((ormlint.__version__, sys.version, sys.platform, packages)).encode())
    for folder in (*ormlint.__path__, *importlib.import_module("ormlint.rules").__path__):
        for directory, inside, names in os.walk(folder):
            inside.sort()
            for name in sorted(names):
                if name.endswith((".py", ".md")):
                    path = os.path.join(directory, name)
                    with open(path, "rb") as file:
                        content = file.read()
                    digest.update(f"{path} {len(content)}:".encode("utf-8", "surrogateescape"))
                    digest.update(content)
    return digest.digest()


class KeptReports:
    """The reports that one cache directory keeps. Reading them never fails; at worst there is none."""

    def __init__(self, inputs: Sequence[Inputs], how: object) -> None:
        """Looks for the report about some inputs; `how` it is written must have a representation that tells all of it."""
        self._inputs = inputs
        self._how = how
        request = inputs[0].request
        (self._directory,) = request.config.directories(request.root, [request.config.cache_dir])
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        """The file of this report."""
        if self._path is None:
            digest = hashlib.blake2b(own_fingerprint(), digest_size=20)
            digest.update(repr(self._how).encode("utf-8", "surrogatepass"))
            for each in self._inputs:
                digest.update(each.digest())
            self._path = self._directory / f"report-{digest.hexdigest()}.bin"
        return self._path

    def get(self) -> Report | None:
        """Returns the report, or None if there is none or it is damaged."""
        try:
            data = self.path.read_bytes()
        except OSError:
            return None
        start = len(_MAGIC) + 4
        content = data[start:]
        if data[: len(_MAGIC)] != _MAGIC or zlib.crc32(content) != int.from_bytes(data[len(_MAGIC) : start], "little"):
            return None
        try:
            report = msgspec.msgpack.decode(zlib.decompress(content), type=Report)
        except (msgspec.MsgspecError, zlib.error):
            return None
        with contextlib.suppress(OSError):
            os.utime(self.path)  # those that were asked for last are kept
        return report

    def put(self, report: Report) -> None:
        """Keeps the report, if the directory can be written."""
        content = zlib.compress(msgspec.msgpack.encode(report), 1)
        with contextlib.suppress(OSError):
            prepare(self._directory)
            replaced(self.path, [_MAGIC, zlib.crc32(content).to_bytes(4, "little"), content])
            self._prune()

    def _prune(self) -> None:
        found = sorted(self._directory.glob("report-*.bin"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in found[MOST:]:
            path.unlink()


def may_be_kept(inputs: Sequence[Inputs]) -> bool:
    """Whether all that a report about some inputs depends on is known, and the cache is wanted."""
    if not inputs or any(each.request.config.rules or not each.request.use_cache for each in inputs):
        return False
    return not entry_points(group=_ENTRY_POINTS)
