"""The `hitpoint` command. A command is a file of `commands/`, imported when it runs, so that help answers at once."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import click

from hitpoint.bridge.errors import HitpointError, InputError, refusal

FOLDER = Path(__file__).parent / "commands"
FIRST = ("score", "analyse", "serve", "demo")
"""These stand first in the list of commands, for they are what most people come for; the others follow by name."""
_HEAD = re.compile(r'"""`hitpoint [a-z]+`: (.+?\.)(?:"""|\n| )')


def command_names() -> list[str]:
    """The commands: the files of `commands/` whose names do not begin with an underscore."""
    names = sorted(path.stem for path in FOLDER.glob("*.py") if not path.name.startswith("_"))
    return sorted(names, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))


def command_help(name: str) -> str:
    """One line on a command, from the first line of its file: nothing is imported."""
    with (FOLDER / f"{name}.py").open(encoding="utf-8") as file:
        found = _HEAD.match(file.readline())
    return "" if found is None else found[1][0].upper() + found[1][1:]


class LazyGroup(click.Group):
    """A group that knows its commands from their files, and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As `command_names`."""
        return command_names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command object, imported from `hitpoint.bridge.commands.<name>`."""
        if cmd_name not in command_names():
            return None
        module = importlib.import_module(f"hitpoint.bridge.commands.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the first lines of their files alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command_help(name)) for name in command_names()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hitpoint")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
def cli(debug: bool) -> None:
    """Music that hits your cuts: composed for the picture, as MIDI you can change."""


def main() -> None:
    """Run the command line; a HitpointError, and what the system refuses, become one line on standard error and an exit
    code."""
    try:
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except HitpointError as error:
        if "--debug" in sys.argv:
            raise
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if "--debug" in sys.argv:
            raise
        click.echo(f"error: {refusal(error)}", err=True)
        sys.exit(InputError.exit_code)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
