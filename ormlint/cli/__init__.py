"""The command line. Every command is imported when it is called, so that `ormlint --version` loads next to nothing."""

from __future__ import annotations

import importlib
import traceback
from typing import NoReturn

import click

from ormlint import __version__
from ormlint.problem import UsageError

INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it
COMMANDS = ("check", "rule", "config", "files", "dev")


class Program(click.Group):
    """The program: its commands live in modules of this package, and its errors end with exit code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names of the commands in the order in which help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns a command, or None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"ormlint.cli.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> NoReturn:
        """Runs a command and exits: 0 clean, 1 findings, 2 an error of usage, of the configuration or of ormlint itself, 130 interrupted."""
        try:
            code = super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            click.echo("ormlint: interrupted", err=True)
            code = INTERRUPTED
        except UsageError as error:
            click.echo(f"ormlint: error: {error}", err=True)
            code = 2
        except Exception:
            # whatever fails here is a bug, and the exit code must not look like findings
            traceback.print_exc()
            click.echo("ormlint: internal error: please report this with the lines above", err=True)
            code = 2
        ctx.exit(code if isinstance(code, int) else 0)


@click.command(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ormlint", message="%(prog)s %(version)s")
def main() -> None:
    """Finds the database queries a Django or SQLAlchemy program will waste, before it runs."""
