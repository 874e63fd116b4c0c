"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from ormlint.config import Config, load_config
from ormlint.targets import Target

PATHS = click.argument("paths", nargs=-1, metavar="[PATHS]...")
CONFIG = click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read the configuration from this file instead of the project's own.",
)


def split(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Returns the items of options that may be repeated and may hold several, separated by commas."""
    return tuple(item.strip() for value in values for item in value.split(",") if item.strip())


def selectors(name: str, text: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Returns an option for codes, names, prefixes and families of rules."""
    return click.option(name, multiple=True, callback=split, metavar="RULES", help=text)


def configuration(target: Target, config_file: Path | None) -> Config:
    """Returns the configuration of a project; raises UsageError if something is wrong with it."""
    return load_config(target.root, config_file)
