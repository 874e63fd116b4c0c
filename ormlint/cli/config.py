"""`ormlint config`: the effective configuration, and where each value comes from."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ormlint.cli.options import CONFIG, PATHS


@click.command("config")
@PATHS
@CONFIG
def command(paths: tuple[str, ...], config_file: Path | None) -> int:
    """Shows the configuration of the project that PATHS (by default, the current directory) lie in."""
    from ormlint.cli.options import configuration
    from ormlint.config import SETTINGS, key_of
    from ormlint.targets import targets_of

    for target in targets_of(paths or (".",)):
        config = configuration(target, config_file)
        found_by = f"it holds {target.root.marker}" if target.root.marker else "no project file was found above"
        click.echo(f"# project root: {target.root.path} ({found_by})")
        for name in SETTINGS:
            click.echo(f"{key_of(name)} = {_toml(getattr(config, name))}  # {config.origins.get(name, 'default')}")
    return 0


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case dict():
            entries = ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {_toml(inner)}" for key, inner in value.items())
            return f"{{ {entries} }}" if entries else "{}"
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            raise TypeError(f"a configuration value of type {type(value).__name__}")
