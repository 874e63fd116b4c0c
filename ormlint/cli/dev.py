"""`ormlint dev`: what each stage produced, for people who work on ormlint or its stubs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ormlint.cli.options import CONFIG
from ormlint.problem import UsageError

if TYPE_CHECKING:
    from ormlint.check import Examination
    from ormlint.text import Site

TARGET = click.argument("target", default=".")


@click.group("dev")
def command() -> None:
    """Shows what the stages of a run produce."""


@command.command()
@TARGET
@CONFIG
def ir(target: str, config_file: Path | None) -> int:
    """Prints a file in the intermediate language."""
    from ormlint.ir.printer import print_module

    examination, place, _ = _examination(target, config_file)
    modules = [module for module in examination.modules if examination.request.target.covers(module.path)]
    return _print((print_module(module) for module in modules), examination, f"no module at {place}")


@command.command()
@click.argument("target", default="")
@CONFIG
def schema(target: str, config_file: Path | None) -> int:
    """Prints the models of the project, of a file or directory, or the one model that is named."""
    from ormlint import dev

    exists = os.path.exists(target)
    examination, _, covers = _examination(target if exists else ".", config_file)
    if exists:
        return _print(dev.schema(examination.project, lambda model: not target or covers(model.site)), examination, "no models")
    lines = dev.schema(examination.project, lambda model: target.lower() in (model.name.lower(), model.label.lower()))
    return _print(lines, examination, f"no model `{target}`")


@command.command()
@TARGET
@CONFIG
def log(target: str, config_file: Path | None) -> int:
    """Prints the query log of a place: PATH or PATH:LINE."""
    from ormlint import dev

    examination, place, covers = _examination(target, config_file)
    return _print(dev.log(examination, covers), examination, f"no events at {place}")


@command.command()
@TARGET
@CONFIG
def calls(target: str, config_file: Path | None) -> int:
    """Prints the calls in a place that lead to the database: PATH or PATH:LINE."""
    from ormlint import dev

    examination, place, covers = _examination(target, config_file)
    return _print(dev.calls(examination, covers), examination, f"no calls at {place} lead to the database")


@command.command()
@click.argument("function", default="")
@CONFIG
def summary(function: str, config_file: Path | None) -> int:
    """Prints what functions ask of the database; FUNCTION is the end of a qualified name."""
    from ormlint import dev

    examination, _, _ = _examination(".", config_file)
    lines = dev.summary(examination, lambda name: not function or _dotted(name).endswith(_dotted(function)))
    return _print(lines, examination, f"no function `{function}` asks anything of the database")


def _dotted(name: str) -> str:
    """Returns `module:Class.method` or `folder/template.html` with a dot before every part."""
    return "." + name.replace(":", ".").replace("/", ".")


def _examination(target: str, config_file: Path | None) -> tuple[Examination, str, Callable[[Site], bool]]:
    """Returns the examination of the project at a target, what the target is called, and whether a site lies in it."""
    from ormlint.check import Examination
    from ormlint.cli.options import configuration
    from ormlint.request import Request
    from ormlint.targets import targets_of

    path, colon, number = target.rpartition(":")
    line = int(number) if colon and number.isdigit() and not os.path.exists(target) else 0
    (project,) = targets_of([(path if line else target) or "."])
    examination = Examination(Request(project, configuration(project, config_file)))

    def covers(site: Site) -> bool:
        if not project.covers(site.path):
            return False
        return not line or examination.project.position(site).line == line

    return examination, target, covers


def _print(lines: Iterable[str], examination: Examination, nothing: str) -> int:
    """Prints lines, then what went wrong; raises UsageError if there are no lines."""
    empty = True
    for line in lines:
        empty = False
        click.echo(line)
    for problem in examination.problems:
        click.echo(f"{problem.path}:{problem.line}: {problem.message}\n{problem.details}".rstrip(), err=True)
    if empty and not examination.problems:
        raise UsageError(nothing)
    return 2 if any(problem.kind == "internal" for problem in examination.problems) else 0
