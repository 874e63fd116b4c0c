"""Under which name a Python file is imported.

A package begins where the chain of `__init__.py` files ends; its parent is a source root. Directories without
`__init__.py` are ambiguous: `apps/shop/models.py` is `apps.shop.models` if the project imports it by that name, and
`shop.models` if `apps` is on the path. The imports of the program decide. What settings put on `sys.path` is a source root,
even within a package, unless the program imports what stands there by its full name.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator

SOURCE_DIRECTORIES = frozenset({"src", "lib", "python"})
PROJECT_FILES = ("manage.py", "pyproject.toml", "setup.py", "setup.cfg")
STARTING = re.compile(r"(?:^|/)(?:manage|wsgi|asgi|conftest|[^/]*settings[^/]*)(?:/[^/]+)?\.py$")  # files that are run before the program's imports
EXTENDS_PATH = re.compile(rb"sys\.path\.(?:insert|append)\(")
TEXT = re.compile(rb"[\"']([\w./-]+)[\"']")
IMPORTED = re.compile(rb"\n[ \t]*(?:from|import)[ \t]+(\w+)(?:(?:\.|[ \t]+import[ \t]+)(\w+))?")
LONGEST_CALL = 300  # characters


class ModuleNames:
    """The import names of a project's Python files, given the paths of all its files relative to its root."""

    def __init__(self, paths: Iterable[str], read: Callable[[str], bytes]) -> None:
        known = frozenset(paths)
        self._python = sorted(path for path in known if path.endswith(".py"))
        self._packages = frozenset(directory_of(path) for path in self._python if path.endswith("/__init__.py"))
        directories = {directory_of(path) for path in self._python}
        self._projects = frozenset(d for d in directories if any((f"{d}/{name}" if d else name) in known for name in PROJECT_FILES))
        self._read = read
        self._children: dict[str, set[str]] = {}
        for path in (*self._python, *directories):
            self._children.setdefault(directory_of(path), set()).add(path.rpartition("/")[2].removesuffix(".py"))
        self._on_path = frozenset(self._short_named(set(self._put_on_path(directories))))
        bases = {self._base(d) for d in directories}
        unclear = {above for base in bases for above in self._unclear(base)}
        imported = self._imported(unclear)
        self._roots = {base: next((directory_of(d) for d in self._unclear(base) if d in imported), base) for base in bases}

    def name(self, path: str) -> str:
        """Returns the dotted name of a file: "shop.models", and for a package's `__init__.py` the package's own."""
        root = self._roots[self._base(directory_of(path))]
        parts = path[len(root) + 1 if root else 0 : -len(".py")].split("/")
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        return ".".join(parts)

    def _base(self, directory: str) -> str:
        """Returns the innermost directory above all the packages a directory belongs to."""
        base = directory
        climbed = directory
        while climbed:
            if climbed in self._projects or climbed in self._on_path:
                # `__init__.py` next to manage.py is a common accident and makes no package
                return climbed
            parent = directory_of(climbed)
            if climbed in self._packages:
                base = parent
            climbed = parent
        return base

    def _is_source_root(self, directory: str) -> bool:
        return not directory or directory in self._projects or directory in self._on_path or directory.rpartition("/")[2] in SOURCE_DIRECTORIES

    def _put_on_path(self, directories: set[str]) -> Iterator[str]:
        """Yields the directories that settings and the like put on the path: `sys.path.insert(0, os.path.join(BASE, "apps"))`."""
        above = {directory_of(d) for d in directories} | directories
        for path in self._python:
            if STARTING.search(path) is None:
                continue
            text = self._read(path)
            for call in EXTENDS_PATH.finditer(text):
                names = [name.decode() for name in TEXT.findall(_arguments(text, call.end()))]
                if names and not names[0].startswith("/"):
                    ending = "/".join(part for name in names for part in name.split("/") if part.strip("."))
                    found = [d for d in above if ending and (d == ending or d.endswith(f"/{ending}"))]
                    yield from sorted(found, key=lambda d: len(posixpath.commonpath([d, path])))[-1:]

    def _short_named(self, on_path: set[str]) -> Iterator[str]:
        """Yields those directories on the path whose modules are not rather imported as `site.shop` than as `shop`."""
        if not on_path:
            return
        full, short = dict.fromkeys(on_path, 0), dict.fromkeys(on_path, 0)
        for path in self._python:
            for name, child in IMPORTED.findall(b"\n" + self._read(path)):
                first, second = name.decode(), child.decode()
                for directory in on_path:
                    children = self._children.get(directory, set())
                    full[directory] += first == directory.rpartition("/")[2] and second in children
                    short[directory] += first in children
        yield from (directory for directory in on_path if short[directory] >= full[directory])

    def _unclear(self, base: str) -> Iterator[str]:
        """Yields a directory without `__init__.py` and those above it that may each be part of a module's name."""
        while not self._is_source_root(base):
            name = base.rpartition("/")[2]
            # in `shop/shop/models.py`, `import shop` means the inner one
            if name.isidentifier() and name not in self._children.get(base, ()):
                yield base
            base = directory_of(base)

    def _imported(self, directories: set[str]) -> set[str]:
        """Returns those directories that are imported by their name: `from apps import shop`, `import apps.shop`."""
        found: set[str] = set()
        names = {d.rpartition("/")[2] for d in directories}
        if not names:
            return found
        # a pattern that begins with a line end is far faster than one with `^`: the search can skip from one to the next
        statement = re.compile(rb"\n[ \t]*(?:from|import)[ \t]+(%s)(?:\.|[ \t]+import[ \t]+)(\w+)" % "|".join(sorted(names)).encode())
        for path in self._python:
            pairs = {(name.decode(), child.decode()) for name, child in statement.findall(b"\n" + self._read(path))}
            found |= {d for d in directories - found if any(d.rpartition("/")[2] == n and c in self._children.get(d, ()) for n, c in pairs)}
            if found == directories:
                break
        return found


def _arguments(text: bytes, start: int) -> bytes:
    """Returns what stands between a parenthesis that was just opened and the one that closes it."""
    depth = 1
    for at in range(start, min(start + LONGEST_CALL, len(text))):
        depth += (text[at] == ord("(")) - (text[at] == ord(")"))
        if depth == 0:
            return text[start:at]
    return b""


def directory_of(path: str) -> str:
    """Returns the directory part of a path with slashes, "" at the top."""
    return path.rpartition("/")[0]
