"""`hitpoint live`: music without end that follows a camera, a film or OSC, live."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from hitpoint.bridge.commands._shared import FILE, some_wish_options
from hitpoint.bridge.config.flags import config_options
from hitpoint.bridge.live.studio import CONTROL

WISHES = (
    "genre", "instruments", "tempo", "key", "control", "density", "energy", "accents", "mood", "valence", "harmony",
    "harmony-strength", "lead", "motif", "humanise", "swing", "dynamics", "colours", "seed",
)  # fmt: skip


@click.command()
@click.argument("source", required=False)
@click.option("--config", type=FILE, help="Configuration file to use.")
@click.option("--alias", "aliases", multiple=True, help="Preset of OSC aliases to use, as in serve.")
@some_wish_options(*WISHES, control=CONTROL)
@config_options
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.", expose_value=False)
def command(source: str | None, config: Path | None, aliases: tuple[str, ...], **flags: Any) -> None:
    """Play music that follows SOURCE: camera, camera:1, a film or a pipe, played in real time.

    Without SOURCE, what is seen comes over OSC: /hitpoint/feature with motion, cut, valence or energy and a number.
    Ends with a cadence: with the film, by Ctrl-C or /hitpoint/stop; at once when that is said twice.
    """
    from hitpoint.bridge.config.settings import load_config
    from hitpoint.bridge.live.conductor import Conductor
    from hitpoint.bridge.live.sources import Source
    from hitpoint.bridge.process.serve import serve
    from hitpoint.model.plan.wishes.options import names_file, parse_wishes

    wishes = {key: flags.pop(key.replace("-", "_")) for key in WISHES}
    asked = {key: value for key, value in wishes.items() if value is not None}
    parse_wishes(asked)
    settings = replace(load_config(config, aliases=list(aliases) or None, **flags), revive=False)
    files = {key: str(Path(value).absolute()) for key, value in asked.items() if names_file(key, str(value))}
    pairs = [part for pair in (asked | files).items() for part in pair]
    conductor = Conductor(Source(source) if source else None, pairs, settings.token)
    conductor.prepare()
    try:
        serve(settings, guest=conductor)
    finally:
        conductor.close()
    if conductor.error is not None:
        raise conductor.error
