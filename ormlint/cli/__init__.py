"""The command line. Every command is imported when it is called, so that `ormlint --version` loads next to nothing."""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import NoReturn

import click

from ormlint import __version__
from ormlint.problem import UsageError

COMMANDS = {"check": "check", "rule": "rule", "config": "config", "files": "files", "dev": "dev"}


class LazyGroup(click.Group):
    """A group whose commands live in modules of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names of the commands in the order in which help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns a command, or None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"ormlint.cli.{COMMANDS[cmd_name]}")
        command = module.command
        assert isinstance(command, click.Command)
        return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ormlint", message="%(prog)s %(version)s")
def cli() -> None:
    """Finds the database queries a Django or SQLAlchemy program will waste, before it runs."""


def main(args: list[str] | None = None) -> NoReturn:
    """Runs the command line and exits: 0 clean, 1 findings, 2 an error of usage, of the configuration or of ormlint itself."""
    try:
        code = cli.main(args, prog_name="ormlint", standalone_mode=False)
    except UsageError as error:
        click.echo(f"ormlint: error: {error}", err=True)
        code = 2
    except click.ClickException as error:
        error.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except Exception:
        # whatever fails here is a bug, and the exit code must not look like findings
        traceback.print_exc()
        click.echo("ormlint: internal error: please report this with the lines above", err=True)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)
