"""What a run reads of a project: its files and what they hold, each read once, and what the files beside them say of it.

The same request for the same inputs comes to the same result, whoever runs it: `digest` tells whether they are the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import cached_property

from ormlint.read.contents import SourceFile, content_of
from ormlint.read.errors import ReadError
from ormlint.request import Request
from ormlint.source.discovery import Discovery, discover
from ormlint.source.drivers import has_only_mysql
from ormlint.source.requirements import Required, required_django


class Inputs:
    """The inputs of one request; each is looked up when it is first asked for."""

    def __init__(self, request: Request) -> None:
        self.request = request

    @cached_property
    def discovery(self) -> Discovery:
        """The files of the project."""
        config = self.request.config
        root = self.request.root.resolve()
        stubs = [f"/{path.relative_to(root).as_posix()}" for path in config.directories(root, config.library) if path.is_relative_to(root)]
        return discover(root, config.exclude, (*config.extend_exclude, *stubs), tuple(self.request.overrides))

    @cached_property
    def files(self) -> list[SourceFile]:
        """The files with what they hold."""
        return [
            SourceFile(
                file.path,
                file.absolute,
                file.module,
                file.is_package,
                file.language,
                text := self.request.overrides.get(file.path),
                _looked_up(file.absolute) if text is None else None,
            )
            for file in self.discovery.files
        ]

    @cached_property
    def required_django(self) -> Required:
        """Which releases of Django the requirements of the project admit."""
        return required_django(self.request.root)

    @cached_property
    def has_only_mysql(self) -> bool:
        """Whether MySQL is the only database that the requirements of the project have drivers for."""
        return has_only_mysql(self.request.root)

    def digest(self) -> bytes:
        """Returns a hash of the request and of everything outside ormlint that its result depends on, custom rules left aside."""
        request = self.request
        digest = hashlib.blake2b(digest_size=20)
        told = (os.getcwd(), request.target, request.config, request.layers, self.required_django, self.has_only_mysql, self.discovery.problems)
        _add(digest, map(repr, told))
        _add(digest, (repr(self.discovery.reason_against(place)) for place in request.target.wanted))
        for file in self.files:
            _add(digest, [repr((file.path, file.absolute, file.name, file.is_package, file.language, file.text is None))])
            try:
                content = content_of(file)
            except ReadError as error:
                _add(digest, [repr((error.line, error.column, error.message, error.kind))])
            else:
                digest.update(b"%d:" % len(content))
                digest.update(content)
        for folder in request.config.directories(request.root, request.config.library):
            for path in sorted(folder.rglob("*.py")):
                _add(digest, [str(path), repr(_looked_up(str(path)))])
        return digest.digest()


def _looked_up(path: str) -> bytes | ReadError:
    try:
        return content_of(SourceFile(path, path))
    except ReadError as error:
        return error


def _add(digest: hashlib.blake2b, parts: Iterable[str]) -> None:
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(encoded))
        digest.update(encoded)
