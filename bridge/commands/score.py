"""`hitpoint score`: write music for a clip that hits its cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hitpoint.bridge.commands._clip import ClipPart, clip_options
from hitpoint.bridge.commands._progress import stage_bars
from hitpoint.bridge.commands._shared import (
    COMPOSER_SETTINGS,
    FILE,
    composer_options,
    counted,
    make_composer,
    output_options,
    soundfont_option,
    wish_options,
)
from hitpoint.bridge.errors import UsageError
from hitpoint.model.output.base import TARGETS_LUFS
from hitpoint.model.plan.wishes import parse_wishes

if TYPE_CHECKING:
    from hitpoint.model.output.base import Targets, Writing
    from hitpoint.model.take import Prepared, Take

NAMED = ("wav", "mux", "report", "plot")
"""Outputs that have an option of their own, which names the file."""


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
def command(
    part: ClipPart,
    out: Path | None,
    formats: str,
    takes: int,
    soundfont: Path | None,
    lufs: str,
    duck_cc: bool,
    force: bool,
    **rest: Any,
) -> None:
    """Write music for CLIP that hits its cuts: a MIDI file and, if asked, sound, film, report and plot."""
    from hitpoint.model import job
    from hitpoint.model.output.base import Writing, numbered, parse_formats, targets_of, write_outputs

    base = out or Path(f"{part.clip.stem}.mid")
    named = {name: path for name in NAMED if (path := rest.pop(name)) is not None}
    targets = {**targets_of(parse_formats(formats), base), **named}
    composer_flags = {name: rest.pop(name) for name in COMPOSER_SETTINGS}
    wishes = parse_wishes(rest)
    each_take = [targets] if takes == 1 else [numbered(targets, take + 1) for take in range(takes)]
    writing = Writing(force, soundfont, lufs=None if lufs == "off" else float(lufs), duck_cc=duck_cc)
    for files in each_take:
        check(part.clip, files, wishes.instruments, writing)
    boundaries = part.given_cuts()
    composer = make_composer(composer_flags)
    said = []
    with stage_bars() as progress:
        prepared = job.prepare(
            part.clips(), wishes, boundaries, progress, detector=part.detector, genres=composer.genres
        )
        composed = job.compose_takes(prepared, composer, takes, progress)
        for take, files in zip(composed, each_take, strict=True):
            paths = write_outputs(take, prepared, files, replace(writing, progress=progress))
            said.append(summary(take, prepared, paths))
    for change in (*prepared.plan.changes, *_sound_notes(targets, soundfont)):
        click.echo(f"note: {change}", err=True)
    click.echo("\n".join(said))


def _sound_notes(targets: Targets, soundfont: Path | None) -> list[str]:
    """What is to be said of the sound that was written, if any was."""
    from hitpoint.model.output.render import soundfont_note

    note = soundfont_note(soundfont) if {"wav", "mux", "stems"} & set(targets) else ""
    return [note] if note else []


def check(clip: Path, targets: Targets, instruments: tuple[int, ...], writing: Writing) -> None:
    """Raise, before any work, what would stop it later: the clip, the files to write, a missing program."""
    from hitpoint.model.output.base import check_outputs, paths_of
    from hitpoint.model.video.media import check_file

    check_file(clip)
    check_outputs(targets, instruments, writing)
    if any(path.resolve() == clip.resolve() for path in paths_of(targets, instruments)):
        raise UsageError(f"{clip} is the clip itself; give the output another name")


def summary(take: Take, prepared: Prepared, paths: Sequence[Path]) -> str:
    """One line on what was composed, and below it the files written."""
    score = take.score
    tempi = [point.bpm for point in score.tempo_map.points]
    tempo = f"{min(tempi):.1f}" if max(tempi) - min(tempi) < 0.05 else f"{min(tempi):.1f} to {max(tempi):.1f}"
    hits = counted(len(prepared.plan.hits), "hit point")
    facts = f"{counted(len(score.bars), 'bar')} of {score.genre} at {tempo} BPM, {hits}"
    return "\n".join([f"{facts}, composed in {take.generation_s:.1f} s", *(f"  {path}" for path in paths)])
