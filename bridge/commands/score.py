"""`hitpoint score`: write music for a clip that hits its cuts."""

from __future__ import annotations

from typing import Any

import click

from hitpoint.bridge.commands._clip import ClipPart, clip_options
from hitpoint.bridge.commands._order import carry_out, order_of
from hitpoint.bridge.commands._progress import stage_bars
from hitpoint.bridge.commands._shared import (
    COMPOSER_SETTINGS,
    FILE,
    composer_options,
    make_composer,
    output_options,
    soundfont_option,
    wish_options,
)
from hitpoint.model.output.base import TARGETS_LUFS


@click.command()
@clip_options
@click.option("-o", "out", type=FILE, help="The MIDI file.  [default: the clip's name with .mid, in this folder]")
@click.option(
    "--format",
    "formats",
    metavar="A,B",
    default="midi",
    show_default=True,
    help="What to write, named after the MIDI file: midi, wav, mux (the film), report, plot, rpp (REAPER), otio, "
    "edl (markers for Resolve), stems, mixstems (with the film's own sound), chords (a sheet that --harmony reads), "
    "click, cues (CSV), cuepages (PDF), musicxml, or what another package adds.",
)
@click.option("--wav", type=FILE, help="Also write the sound, as a WAV file.")
@click.option("--mux", type=FILE, help="Also write the film with this music (.mp4, .mov, .mkv or .webm).")
@click.option("--report", type=FILE, help="Also write a report: what was asked for and what was met (JSON).")
@click.option("--plot", type=FILE, help="Also draw picture and music on one time axis (PNG).")
@wish_options
@click.option(
    "--lufs",
    type=click.Choice(["off", *(f"{target:g}" for target in TARGETS_LUFS)]),
    default="off",
    show_default=True,
    help="Bring what is heard to this integrated loudness (BS.1770); no true peak over -1 dBTP.",
)
@click.option("--duck-cc", is_flag=True, help="The MIDI file also goes down under speech, by channel volume (CC7).")
@click.option(
    "--takes", type=click.IntRange(1, 99), default=1, show_default=True, help="How many to write: OUT-1, OUT-2, ..."
)
@composer_options
@soundfont_option
@output_options
def command(part: ClipPart, **rest: Any) -> None:
    """Write music for CLIP that hits its cuts: a MIDI file and, if asked, sound, film, report and plot."""
    composer_flags = {name: rest.pop(name) for name in COMPOSER_SETTINGS}
    order = order_of(part, **rest)
    order.check()
    cuts = part.given_cuts()
    composer = make_composer(composer_flags)
    with stage_bars() as progress:
        carried = carry_out(order, cuts, composer, progress)
    for change in carried.changes:
        click.echo(f"note: {change}", err=True)
    click.echo("\n".join(carried.said))
