"""`hitpoint install`: install the plugin for Blender or REAPER."""

from __future__ import annotations

from pathlib import Path

import click

from hitpoint.bridge.errors import HitpointError
from hitpoint.bridge.hosts.base import HOSTS, Host

FOLDER = click.Path(path_type=Path, file_okay=False)
PROGRAM = click.Path(path_type=Path, dir_okay=False)


class Hosts(click.Group):
    """A command for each host that can be chosen, another package's too."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those that have a plugin."""
        return [name for name in HOSTS.names() if _has_plugin(name)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command that installs one host's plugin."""
        return _command(cmd_name, HOSTS.load(cmd_name)) if cmd_name in HOSTS.names() else None


def _has_plugin(name: str) -> bool:
    try:
        return HOSTS.load(name).install is not Host.install
    except HitpointError:
        return False  # `hitpoint install NAME` says why


def _command(name: str, kind: type[Host]) -> click.Command:
    """`install NAME`, with the options that the host names."""
    options = []
    for parameter, option, path in (("folder", kind.folder_option, FOLDER), ("program", kind.program_option, PROGRAM)):
        if option is not None:
            options.append(click.Option([option[0], parameter], type=path, help=option[1]))

    def run(folder: Path | None = None, program: Path | None = None) -> None:
        for line in kind().install(folder, program):
            click.echo(line)

    return click.Command(name, callback=run, params=list(options), help=(kind.install.__doc__ or "").partition("\n")[0])


@click.group(cls=Hosts)
def command() -> None:
    """Install the plugin for Blender or REAPER."""
