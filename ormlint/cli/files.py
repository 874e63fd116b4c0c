"""`ormlint files`: what is analysed, and why something is not."""

from __future__ import annotations

from pathlib import Path

import click

from ormlint.cli.options import CONFIG, PATHS


@click.command("files")
@PATHS
@CONFIG
@click.option("-v", "--verbose", is_flag=True, help="Show module names, languages and roles, and what is left out.")
def command(paths: tuple[str, ...], config_file: Path | None, verbose: bool) -> int:
    """Lists the files that are analysed, below PATHS (by default, the current directory)."""
    from ormlint.check import Examination
    from ormlint.cli.options import configuration
    from ormlint.request import Request
    from ormlint.source.roles import Role
    from ormlint.targets import targets_of

    for target in targets_of(paths or (".",)):
        examination = Examination(Request(target, configuration(target, config_file)))
        discovery, shown = examination.discovery, examination.shown
        for file in discovery.files:
            if target.covers(file.path):
                role = "" if file.role is Role.PROGRAM else f", {file.role.value}"
                click.echo(f"{shown(file.path)}  {file.module or 'template'}, {file.language}{role}" if verbose else shown(file.path))
        for skipped in discovery.skipped if verbose else ():
            if target.covers(skipped.path.rstrip("/")):
                click.echo(f"not analysed: {shown(skipped.path)}  {skipped.reason}")
        for problem in discovery.problems:
            click.echo(f"{shown(problem.path)}: error: {problem.message}", err=True)
        for place in target.wanted:
            reason = discovery.reason_against(place)
            if reason is not None:
                click.echo(f"not analysed: {shown(place or '.')}  {reason}")
    return 0
