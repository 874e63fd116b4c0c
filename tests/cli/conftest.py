"""A command line with an engine that is told what to find.

The imaginary engine logs a lazy load for every attribute `author`, and the rule HSE101 reports each. So these tests are about
the command line alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import ormlint.run
from ormlint.api import Event, Op, QueryLog, Schema, Site
from ormlint.cli import main
from ormlint.ir import nodes as ir
from ormlint.run.log import Analysis
from ormlint.run.parts import Statistics

RULE = '''
from ormlint.api import Label, Mark, Op, Report, rule

@rule("HSE101", "house-author")
def check(project, log):
    """Reports every author."""
    for event in log.of(Op.LAZY_OBJECT):
        label = Label(event.site, Mark.ACCESS, "this reads `author`")
        yield Report(event.site, "loading `author` runs one query per row", "load `author`", (event.site,), (label,), relations=("author",))

@rule("HSE102", "house-preview", stable=False)
def check_more(project, log):
    for event in log.of(Op.LAZY_OBJECT):
        yield Report(event.site, "loading `author` is worth a thought", "think", (event.site,))
'''

Run = Callable[..., Result]


def attributes(node: object) -> Iterator[ir.Attr]:
    """Yields the attributes called `author` anywhere below a node."""
    if isinstance(node, list | tuple):
        for item in node:
            yield from attributes(item)
    elif isinstance(node, ir.Node):
        if isinstance(node, ir.Attr) and node.name == "author":
            yield node
        for name in node.__struct_fields__:
            yield from attributes(getattr(node, name))


def analyse(modules: Sequence[ir.Module], options: object) -> Analysis:
    events = [
        Event(op=Op.LAZY_OBJECT, site=Site(module.path, found.start, found.end), text="book.author")
        for module in modules
        for found in attributes(module.body)
    ]
    return Analysis(Schema(), QueryLog(events, (), Statistics(files=len(modules), queries=len(events))))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Puts the imaginary engine in the place of the real one."""
    monkeypatch.setattr(ormlint.run, "analyse", analyse, raising=False)
    monkeypatch.setattr(ormlint.run, "Options", lambda **given: given, raising=False)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def project(tmp_path: Path, engine: pytest.MonkeyPatch) -> Path:
    """A project in the current directory with one finding in `shop/views.py`."""
    (tmp_path / "lint").mkdir()
    (tmp_path / "lint/house.py").write_text(RULE)
    (tmp_path / "ormlint.toml").write_text('rules = ["lint"]\nselect = ["HSE1", "ORM0"]\nextend-exclude = ["lint"]\n')
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").touch()
    (tmp_path / "shop/views.py").write_text("def show(book):\n    return book.author\n")
    (tmp_path / "shop/other.py").write_text("x = 1\n")
    engine.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run() -> Run:
    """Calls the command line."""

    def call(*args: str, text: str | None = None) -> Result:
        return CliRunner().invoke(main, list(args), input=text)

    return call
