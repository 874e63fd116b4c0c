"""What was read once need not be lowered again: a cache of encoded modules, found by content.

One file, the pack, holds all entries: thousands of little files cost more to open than to decode, while rewriting the
pack of 250,000 lines (10 MB) takes some 20 ms. It is data (msgspec), never code, and is replaced atomically; whatever
in it is damaged counts as absent. Entries that no run has used for a while fall out: a pack keeps what the
last run used and, up to a limit, what earlier runs used, so that switching branches to and fro stays cheap.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import zlib
from functools import cache
from pathlib import Path

import msgspec

import ormlint
from ormlint.cache_directory import prepare, replaced
from ormlint.ir.codec import format_fingerprint

_MAGIC = b"ormlint pack 1\n"
_KEPT_BYTES = 32_000_000


class _Index(msgspec.Struct, array_like=True):
    """For every entry its key, length and checksum, in the order of the data that follows."""

    entries: list[tuple[bytes, int, int]]


@cache
def reader_fingerprint() -> str:
    """Returns a short hash of everything but the file that decides what a file is lowered to: version, readers, format."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(f"{ormlint.__version__} {format_fingerprint()}".encode())
    package = Path(__file__).parent
    for source in sorted([*package.glob("read/*.py"), *package.glob("ir/*.py")]):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def entry_key(data: bytes, path: str, name: str, is_package: bool, language: str) -> bytes:
    """Returns the key of a file with this content in this place, for the running Python and this version of ormlint."""
    digest = hashlib.blake2b(data, digest_size=16)
    place = (path, name, is_package, language, sys.version_info[:2], reader_fingerprint())
    digest.update(repr(place).encode("utf-8", "surrogatepass"))
    return digest.digest()


class Cache:
    """The cache in one directory. Reading it never fails; at worst it is empty."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._old: dict[bytes, memoryview] = {}
        self._used: dict[bytes, bytes | memoryview] = {}
        self._has_news = False
        self._checksums: dict[bytes, int] = {}
        self._load()

    @property
    def path(self) -> Path:
        """The pack; other interpreters and versions of ormlint have their own."""
        return self._directory / f"modules-{sys.version_info[0]}{sys.version_info[1]}-{reader_fingerprint()}.pack"

    def get(self, key: bytes) -> memoryview | None:
        """Returns what is stored for a key, or None if there is nothing or it is damaged."""
        content = self._old.get(key)
        if content is None or zlib.crc32(content) != self._checksums[key]:
            return None
        self._used[key] = content
        return content

    def put(self, key: bytes, content: bytes) -> None:
        """Stores the content for a key; it is on disk after `save`."""
        self._used[key] = content
        self._checksums[key] = zlib.crc32(content)
        self._has_news = True

    def save(self) -> str | None:
        """Writes the pack if there is anything new in it; returns a warning if that is impossible."""
        if not self._has_news:
            return None
        try:
            prepare(self._directory)
            self._write()
        except OSError as error:
            return f"nothing can be cached in {self._directory}: {error.strerror or error}"
        self._has_news = False
        self._prune()
        return None

    def _load(self) -> None:
        try:
            data = memoryview(self.path.read_bytes())
        except OSError:
            return
        start = len(_MAGIC) + 4
        if len(data) < start or data[: len(_MAGIC)] != _MAGIC:
            return
        end = start + int.from_bytes(data[len(_MAGIC) : start], "little")
        try:
            index = msgspec.msgpack.decode(data[start:end], type=_Index)
        except msgspec.MsgspecError:
            return
        for key, length, checksum in index.entries:
            start, end = end, end + length
            if end > len(data):
                break
            self._old[key] = data[start:end]
            self._checksums[key] = checksum

    def _write(self) -> None:
        kept = dict(self._used)
        room = max(_KEPT_BYTES, sum(map(len, kept.values())))
        for key, content in self._old.items():
            if key not in kept:
                room -= len(content)
                if room < 0:
                    break
                kept[key] = content
        index = msgspec.msgpack.encode(_Index([(key, len(content), self._checksums[key]) for key, content in kept.items()]))
        replaced(self.path, [_MAGIC, len(index).to_bytes(4, "little"), index, *kept.values()])

    def _prune(self) -> None:
        """Removes the packs of other versions of ormlint, which would be of use only after going back."""
        for pack in self._directory.glob("modules-*.pack"):
            if not pack.stem.endswith(reader_fingerprint()):
                with contextlib.suppress(OSError):
                    pack.unlink()
