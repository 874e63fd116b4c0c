"""In which language a file is written: Python, or the template language its project renders it with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ormlint.source.modules import directory_of

TEMPLATE_DIRECTORIES = frozenset({"templates", "jinja2"})
TEMPLATE_ENDINGS = (".html", ".htm", ".txt", ".xml")
JINJA_ENDINGS = (".jinja", ".jinja2", ".j2")
TELLING = ("settings.py", "models.py", "urls.py", "apps.py", "views.py", "app.py", "main.py", "__init__.py")
FRAMEWORK = re.compile(rb"\n[ \t]*(?:from|import)[ \t]+(django|flask|quart|fastapi|starlette|jinja2|litestar|sanic)\b")


def is_template(path: str) -> bool:
    """Whether a file below the root is a template: by its ending, or by its ending and a template directory above it."""
    if path.endswith(JINJA_ENDINGS):
        return True
    return path.endswith(TEMPLATE_ENDINGS) and not TEMPLATE_DIRECTORIES.isdisjoint(path.split("/")[:-1])


class TemplateLanguages:
    """The languages of a project's templates, given the paths of its Python files.

    An ending like `.j2` or a directory `jinja2` decides. Everything else is written for the framework that the nearest
    Python code around the template imports; Django's is assumed where none is imported.
    """

    def __init__(self, python: Iterable[str], read: Callable[[str], bytes]) -> None:
        self._python = sorted(python, key=lambda path: (path.rpartition("/")[2] not in TELLING, path))
        self._read = read
        self._known: dict[str, str] = {}

    def language(self, path: str) -> str:
        """Returns "django" or "jinja"."""
        if path.endswith(JINJA_ENDINGS) or "jinja2" in path.split("/")[:-1]:
            return "jinja"
        return self._around(directory_of(path))

    def _around(self, directory: str) -> str:
        known = self._known.get(directory)
        if known is None:
            known = self._below(directory) or (self._around(directory_of(directory)) if directory else "django")
            self._known[directory] = known
        return known

    def _below(self, directory: str) -> str:
        """Returns the language of the first framework imported below a directory, or "" if none is."""
        inside = f"{directory}/" if directory else ""
        for path in self._python:
            if path.startswith(inside):
                if path.endswith("manage.py"):
                    return "django"
                imported = FRAMEWORK.search(b"\n" + self._read(path))
                if imported is not None:
                    return "django" if imported[1] == b"django" else "jinja"
        return ""
