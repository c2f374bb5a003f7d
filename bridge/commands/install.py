"""`hitpoint install`: install the plugin for Blender or REAPER."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def command() -> None:
    """Install the plugin for Blender or REAPER."""


@command.command()
@click.option("--to", "destination", type=FOLDER, help="Folder for the extension's zip and its repository index.")
@click.option(
    "--blender", type=click.Path(path_type=Path, dir_okay=False), help="The Blender to install into.  [default: all]"
)
def blender(destination: Path | None, blender: Path | None) -> None:
    """Build the extension and install it into Blender."""
    from hitpoint.bridge.hosts.blender.install import install_blender

    for line in install_blender(destination, blender):
        click.echo(line)


@command.command()
@click.option("--resource-path", type=FOLDER, help="REAPER's resource folder, for a portable installation.")
def reaper(resource_path: Path | None) -> None:
    """Copy the scripts into REAPER's resource folder."""
    from hitpoint.bridge.hosts.reaper.install import install_reaper

    for line in install_reaper(resource_path):
        click.echo(line)
