"""Templates of the project: found by name as their loaders find them, with what they define and which variables they read.

A loader looks for `shop/list.html` below the directories `templates` or `jinja2` of the project and its apps. Which of them
come first is a matter of settings; here the one nearest to the code that asks for it wins. A name that is found nowhere may begin with that
of a package, for a loader with a prefix: `rooms/list.html` is `app/rooms/templates/list.html` then.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.link.names import FunctionInfo, ModuleInfo, shared_folders

DIRECTORIES = frozenset({"templates", "jinja2"})
_BY_NAME = frozenset({"include", "extends", "import"})  # pseudo-functions whose argument names another template


@dataclass(slots=True, eq=False)
class TemplateInfo(ModuleInfo):
    """A template: a module whose one function renders it."""

    title: str = ""  # the name that loaders know it by
    blocks: dict[str, ir.Function] = field(default_factory=dict)
    extends: ir.Expr_ | None = None
    names: frozenset[str] = frozenset()  # variables that its own text mentions
    tags: frozenset[str] = frozenset()  # tags and filters it uses: "tag:url", "filter:date"
    others: tuple[ir.Expr_, ...] = ()  # the templates it includes, extends or imports
    render: FunctionInfo | None = None

    @property
    def is_django(self) -> bool:
        """Whether it is written in Django's language, not in Jinja's."""
        return self.tree.language == "django"

    @property
    def function(self) -> FunctionInfo:
        """The function that renders it."""
        assert self.render is not None
        return self.render

    def __repr__(self) -> str:
        return f"<template {self.title}>"


@dataclass(frozen=True, slots=True)
class Scope:
    """The variables that rendering a template may read, those of the templates it includes or extends among them.

    `is_open` tells that there may be others: something is included by a name that is not spelled out, or a tag takes all of them.
    """

    names: frozenset[str]
    tags: frozenset[str]
    is_open: bool


class Templates:
    """All templates of a program."""

    def __init__(self, trees: Iterable[ir.Module]) -> None:
        self._trees = {tree.path: tree for tree in trees}
        self._scopes: dict[TemplateInfo, Scope] = {}
        self._known: dict[str, TemplateInfo] = {}
        self._by_name: dict[str, list[str]] = {}
        self._nearest: dict[tuple[str, str], str] = {}
        for path in self._trees:
            for name in template_names(path):
                self._by_name.setdefault(name, []).append(path)

    def __bool__(self) -> bool:
        return bool(self._trees)

    @cached_property
    def _of_packages(self) -> dict[str, list[str]]:
        """The templates by the names that loaders with a prefix know them by: `rooms/list.html` for `app/rooms/templates/list.html`."""
        found: dict[str, list[str]] = {}
        for path in self._trees:
            parts = path.split("/")
            for at in [number for number, part in enumerate(parts[:-1]) if part in DIRECTORIES]:
                for start in range(at):
                    found.setdefault("/".join((*parts[start:at], *parts[at + 1 :])), []).append(path)
        return found

    def known(self) -> list[TemplateInfo]:
        """Returns the templates that something has named so far."""
        return list(self._known.values())

    def find(self, name: str, near: str, without: Collection[str] = ()) -> TemplateInfo | None:
        """Returns the template with this name that is nearest to a file, or None; `without` are paths that may not be it."""
        if not without and (name, near) in self._nearest:
            return self._info(self._nearest[name, near])
        taken = set(without)
        wanted = posixpath.normpath(name).lstrip("/")
        named = self._by_name.get(wanted) or self._of_packages.get(wanted) or []
        paths = [path for path in named if path not in taken]
        if not paths:
            return None
        folder = posixpath.dirname(near)
        found = max(paths, key=lambda path: (shared_folders(path, folder), -path.count("/"), path))
        if not taken:
            self._nearest[name, near] = found
        return self._info(found)

    def named_in(self, template: TemplateInfo, name: str, without: Collection[str] = ()) -> TemplateInfo | None:
        """Returns the template that another one names, which may be relative to it: `{% include "./row.html" %}`."""
        if name.startswith(("./", "../")):
            name = posixpath.join(posixpath.dirname(template.title), name)
        return self.find(name, template.path, without)

    def scope(self, template: TemplateInfo) -> Scope:
        """Returns the variables that rendering a template may read."""
        known = self._scopes.get(template)
        if known is not None:
            return known
        names: set[str] = set()
        tags: set[str] = set()
        is_open = False
        seen = {template.path}
        left = [template]
        while left:
            info = left.pop()
            names |= info.names
            tags |= info.tags
            for expr in info.others:
                if not isinstance(expr, ir.Const) or not isinstance(expr.value, str):
                    is_open = True
                    continue
                other = self.named_in(info, expr.value, (info.path,))
                if other is not None and other.path not in seen:
                    seen.add(other.path)
                    left.append(other)
        scope = self._scopes[template] = Scope(frozenset(names), frozenset(tags), is_open)
        return scope

    def reached(self, template: TemplateInfo) -> Iterator[TemplateInfo]:
        """Yields a template and those that it includes, extends or imports by names that are spelled out."""
        seen = {template.path}
        left = [template]
        while left:
            info = left.pop()
            yield info
            named = (expr.value for expr in info.others if isinstance(expr, ir.Const) and isinstance(expr.value, str))
            for other in (self.named_in(info, name, (info.path,)) for name in named):
                if other is not None and other.path not in seen:
                    seen.add(other.path)
                    left.append(other)

    def _info(self, path: str) -> TemplateInfo:
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = describe(self._trees[path])
        return known


def template_names(path: str) -> Iterator[str]:
    """Yields the names that loaders may know a template file by: what follows a template directory; elsewhere any end of its path."""
    parts = path.split("/")
    below = [number + 1 for number, part in enumerate(parts[:-1]) if part in DIRECTORIES]
    for start in below or range(len(parts)):
        yield "/".join(parts[start:])


def describe(tree: ir.Module) -> TemplateInfo:
    """Returns what a template defines and reads."""
    info = TemplateInfo(tree, title=next(template_names(tree.path)))
    function = tree.body[0]
    assert isinstance(function, ir.Function)
    info.render = FunctionInfo(function, info, info.title)
    names: set[str] = set()
    tags: set[str] = set()
    others: list[ir.Expr_] = []
    for node in walk(function.body):
        if isinstance(node, ir.Call) and isinstance(node.func, ir.Name):
            if node.func.id in _BY_NAME and node.args:
                others.append(node.args[0])
                if node.func.id == "extends":
                    info.extends = node.args[0]
            if ":" in node.func.id:
                tags.add(node.func.id)
        elif isinstance(node, ir.Name):
            names.add(node.id)
        elif isinstance(node, ir.Function) and node.name.startswith("block:"):
            info.blocks.setdefault(node.name.removeprefix("block:"), node)
    info.names, info.tags, info.others = frozenset(names), frozenset(tags), tuple(others)
    return info
