"""Downloads and unpacks the pinned applications; nothing of them is built, installed or run.

    python bench/fetch.py                  # all of them
    python bench/fetch.py django           # those of one ORM
    python bench/fetch.py pretix --cache ~/bench
    python bench/fetch.py --pin NAME==VERSION --orm django    # prints an entry for archives.toml

pip has no command that fetches a source archive and leaves it alone: `pip download` runs the build backend to learn
the dependencies. So this asks pip's own finder and session, which brings the configured index, certificates,
proxy and credentials along. Tried with pip 23.0 to 26.3.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from archives import Archive, chosen, default_cache

SUFFIXES = {".py", ".pyi", ".html", ".htm", ".txt", ".jinja", ".jinja2", ".j2", ".toml", ".cfg", ".ini", ".xml", ".email"}


class Index:
    """The package index that pip is configured for."""

    def __init__(self, session: Any, finder: Any) -> None:
        self._session = session
        self._finder = finder

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[Index]:
        """Yields the index, with pip's session open."""
        from pip._internal.cli.cmdoptions import make_target_python
        from pip._internal.commands import create_command
        from pip._internal.models.format_control import FormatControl

        command = create_command("download")
        options, _ = command.parse_args(["--no-deps", "--quiet", "--disable-pip-version-check"])
        options.format_control = FormatControl({":all:"}, set())
        with command.main_context():
            session = command._build_session(options)
            target = make_target_python(options)
            yield cls(session, command._build_package_finder(options, session, target_python=target, ignore_requires_python=True))

    def download(self, name: str, version: str, folder: Path) -> Path:
        """Returns the path of a downloaded source archive.

        Raises LookupError if the index has none of this version, OSError if it cannot be had.
        """
        from pip._vendor.packaging.specifiers import SpecifierSet

        found = self._finder.find_best_candidate(name, SpecifierSet(f"=={version}", prereleases=True)).best_candidate
        if found is None:
            raise LookupError(f"the index has no source archive of {name} {version}")
        path = folder / PurePosixPath(found.link.filename).name
        part = path.with_name(path.name + ".part")
        folder.mkdir(parents=True, exist_ok=True)
        if found.link.is_file:
            shutil.copyfile(found.link.file_path, part)
        else:
            with (
                self._session.get(found.link.url_without_fragment, stream=True, headers={"Accept-Encoding": "identity"}) as answer,
                part.open("wb") as out,
            ):
                answer.raise_for_status()
                for chunk in answer.iter_content(1 << 20):
                    out.write(chunk)
        return part.replace(path)


def sha256(path: Path) -> str:
    """Returns the hash of a file as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def unpack(path: Path, folder: Path) -> int:
    """Writes the source files of an archive below a folder, without its top folder; returns how many.

    Only regular files with a name ormlint may read are taken; links, devices and names that lead out of the folder are not.
    """
    building = folder.with_name(folder.name + ".part")
    shutil.rmtree(building, ignore_errors=True)
    count = 0
    with tarfile.open(path) as archive:
        for member in archive:
            inside = PurePosixPath(member.name)
            parts = inside.parts[1:]
            if not member.isfile() or inside.suffix not in SUFFIXES or inside.is_absolute() or not parts or ".." in parts:
                continue
            content = archive.extractfile(member)
            assert content is not None
            target = building.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
            count += 1
    shutil.rmtree(folder, ignore_errors=True)
    building.rename(folder)
    return count


def fetch(archive: Archive, index: Index, cache: Path) -> str:
    """Brings one archive into the cache; returns what was done.

    Raises ValueError if the archive is not the pinned one, LookupError or OSError if it cannot be had.
    """
    folder = cache / "unpacked" / archive.folder
    if folder.is_dir():
        return "is there"
    path = index.download(archive.name, archive.version, cache / "downloads")
    if (digest := sha256(path)) != archive.sha256:
        path.unlink()
        raise ValueError(f"{path.name} has sha256 {digest}, pinned is {archive.sha256}")
    count = unpack(path, folder)
    path.unlink()
    return f"{count} files"


def pin(requirement: str, orm: str, cache: Path) -> str:
    """Returns the entry of archives.toml for "name==version".

    Raises ValueError if the requirement has another form, LookupError or OSError if the archive cannot be had.
    """
    name, separator, version = requirement.partition("==")
    if not separator:
        raise ValueError(f"{requirement!r} is not of the form NAME==VERSION")
    with Index.opened() as index:
        path = index.download(name, version, cache / "downloads")
    return f'[[archive]]\nname = "{name}"\nversion = "{version}"\nsha256 = "{sha256(path)}"\norm = "{orm}"\nabout = ""\n'


def main() -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="names of archives, or an ORM (default: all)")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where to keep them (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="only list what is pinned")
    parser.add_argument("--pin", metavar="NAME==VERSION", help="download a version and print its entry")
    parser.add_argument("--orm", choices=["django", "sqlalchemy"], default="django", help="for --pin")
    options = parser.parse_args()
    cache: Path = options.cache.expanduser()
    if options.pin:
        try:
            print(pin(options.pin, options.orm, cache))
        except (ValueError, LookupError, OSError) as problem:
            print(problem, file=sys.stderr)
            return 2
        return 0
    archives = chosen(options.names)
    if options.list:
        for archive in archives:
            print(f"{archive.orm:11} {archive.folder:32} {archive.about}")
        return 0
    return fetch_all(archives, cache)


def fetch_all(archives: list[Archive], cache: Path) -> int:
    """Fetches archives one after the other; returns 1 if one of them failed, else 0."""
    failed = 0
    with Index.opened() as index:
        for archive in archives:
            try:
                outcome = fetch(archive, index, cache)
            except (ValueError, LookupError, OSError, tarfile.TarError) as problem:
                failed, outcome = 1, f"failed: {problem}"
            print(f"{archive.folder:34} {outcome}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
