"""The `hitpoint` command. Each subcommand's module is imported only when it runs, so that help answers at once."""

from __future__ import annotations

import importlib
import sys

import click

from hitpoint.bridge.errors import HitpointError

COMMANDS = {
    "score": "Write music for a clip: MIDI, and if asked WAV, film, report and plot.",
    "analyse": "Show what the picture says: motion, visual beats, cuts and fades.",
    "serve": "Run the bridge: OSC in, live MIDI out.",
    "demo": "Score the example film and play it.",
    "ports": "List the MIDI ports.",
    "doctor": "Check this machine and say what is missing and how to get it.",
    "panic": "Silence every note on a MIDI port.",
    "install": "Install the plugin for Blender or REAPER.",
    "train": "Train a checkpoint.",
    "evaluate": "Compare generated music with real music, side by side.",
    "data": "Turn folders of MIDI files into training shards.",
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and one line of help, and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The command names in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command object, imported from `hitpoint.bridge.commands.<name>`."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"hitpoint.bridge.commands.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hitpoint")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
def cli(debug: bool) -> None:
    """Music that hits your cuts: composed for the picture, as MIDI you can change."""


def main() -> None:
    """Run the command line; a HitpointError becomes one line on standard error and its exit code."""
    try:
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except HitpointError as error:
        if "--debug" in sys.argv:
            raise
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
