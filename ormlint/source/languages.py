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

JINJA_BACKEND = re.compile(rb"\bbackends?\.(?:jinja2\.)?Jinja2\b")
ONLY_JINJA = re.compile(
    rb"\{%-|-%\}|\{\{-|-\}\}"  # `{%- if books -%}`
    rb"|\{%\s*(?:set|macro|import|from|call|do)\s"
    rb"|\{\{[^}|:]*\w\("  # `{{ price(book) }}`
    rb"|\{%\s*(?:if|elif|for)\s[^%]*\w\("
    rb"|[\s{]loop\.\w"
)
ONLY_DJANGO = re.compile(rb"\{%\s*(?:load|url)\s|\{[{%][^}]*\|\w+:|[\s{]forloop\.\w")


def is_template(path: str) -> bool:
    """Whether a file below the root is a template: by its ending, or by its ending and a template directory above it."""
    if path.endswith(JINJA_ENDINGS):
        return True
    return path.endswith(TEMPLATE_ENDINGS) and not TEMPLATE_DIRECTORIES.isdisjoint(path.split("/")[:-1])


class TemplateLanguages:
    """The languages of a project's templates, given the paths of its Python files.

    An ending like `.j2` or a directory `jinja2` decides. Everything else is written for the framework that the nearest
    Python code around the template imports; Django's is assumed where none is imported. A project of Django whose settings
    name a backend for Jinja has templates in both, which are told apart by what only one of them understands.
    """

    def __init__(self, python: Iterable[str], read: Callable[[str], bytes]) -> None:
        self._python = sorted(python, key=lambda path: (path.rpartition("/")[2] not in TELLING, path))
        self._read = read
        self._known: dict[str, str] = {}
        self._mixed: bool | None = None

    def language(self, path: str) -> str:
        """Returns "django" or "jinja"."""
        if path.endswith(JINJA_ENDINGS) or "jinja2" in path.split("/")[:-1]:
            return "jinja"
        around = self._around(directory_of(path))
        return "jinja" if around == "django" and self._has_jinja() and self._reads_as_jinja(path) else around

    def _has_jinja(self) -> bool:
        """Whether settings name a backend for Jinja."""
        if self._mixed is None:
            settings = (path for path in self._python if "settings" in path.removesuffix(".py").split("/")[-2:])
            self._mixed = any(JINJA_BACKEND.search(self._read(path)) for path in settings)
        return self._mixed

    def _reads_as_jinja(self, path: str) -> bool:
        text = self._read(path)
        return ONLY_JINJA.search(text) is not None and ONLY_DJANGO.search(text) is None

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
