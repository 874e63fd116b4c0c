"""The applications the benchmarks run on: pinned source archives, and the folder they are unpacked to."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import tomli

HERE = Path(__file__).resolve().parent
PINS = HERE / "archives.toml"


@dataclass(frozen=True, slots=True)
class Archive:
    """A source archive of the package index, pinned by version and hash."""

    name: str
    version: str
    sha256: str
    orm: str
    about: str = ""

    @property
    def folder(self) -> str:
        """Name of the folder it is unpacked to."""
        return f"{self.name}-{self.version}"


def read_pins(path: Path = PINS) -> list[Archive]:
    """Returns the pinned archives.

    Raises TypeError if an entry lacks a key or has one too many.
    """
    return [Archive(**entry) for entry in tomli.loads(path.read_text(encoding="utf-8"))["archive"]]


def chosen(names: list[str]) -> list[Archive]:
    """Returns the pinned archives with these names or of these ORMs, all of them if no name is given.

    Ends the program with status 2 on a name that means none.
    """
    pins = read_pins()
    for name in names:
        if not any(name in (pin.name, pin.orm) for pin in pins):
            print(f"no pinned archive is called {name!r}; choose among: django, sqlalchemy, {', '.join(pin.name for pin in pins)}", file=sys.stderr)
            raise SystemExit(2)
    return [pin for pin in pins if not names or pin.name in names or pin.orm in names]


def default_cache() -> Path:
    """Returns the folder for downloads when none is given: below the user's cache folder, never inside the project."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(base) / "ormlint-bench"


def unpacked(archive: Archive, cache: Path) -> Path:
    """Returns the folder of an unpacked archive.

    Ends the program with status 2 if it has not been fetched.
    """
    folder = cache / "unpacked" / archive.folder
    if not folder.is_dir():
        print(f"{archive.folder} is not in {cache}; run: python bench/fetch.py {archive.name}", file=sys.stderr)
        raise SystemExit(2)
    return folder
