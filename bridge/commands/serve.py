"""`hitpoint serve`: run the bridge: OSC in, live MIDI out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hitpoint.bridge.config.flags import config_options


@click.command()
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Configuration file to use.")
@click.option("--root", "roots", multiple=True, help="Folder that clips may be read from; repeatable.")
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    help="Preset of OSC aliases to use: reaper, ardour, qlab, touchosc, resolume, touchdesigner, max.",
)
@click.option("--revived", is_flag=True, hidden=True)
@click.option("--while-open", is_flag=True, help="End when standard input is closed: with the program that started it.")
@config_options
def command(
    config: Path | None,
    roots: tuple[str, ...],
    aliases: tuple[str, ...],
    revived: bool,
    while_open: bool,
    **flags: Any,
) -> None:
    """Run the bridge: OSC in, live MIDI out. Ends with Ctrl-C."""
    from hitpoint.bridge.config.settings import load_config
    from hitpoint.bridge.process.serve import serve

    settings = load_config(config, roots=list(roots) or None, aliases=list(aliases) or None, **flags)
    serve(settings, revived, while_open)
