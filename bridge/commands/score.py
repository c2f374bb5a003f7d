"""`hitpoint score`: a clip goes in, music that hits its cuts comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hitpoint.bridge.commands.shared import (
    FILE,
    clip_options,
    composer_options,
    make_composer,
    output_options,
    soundfont_option,
    stage_bars,
    wish_options,
)
from hitpoint.bridge.errors import InputError, UsageError
from hitpoint.model.plan.wishes import parse_wishes

if TYPE_CHECKING:
    from hitpoint.model.job import BarStream, Outputs, Prepared, Take
    from hitpoint.model.video.types import Boundary


@click.command()
@clip_options
@click.option("-o", "out", type=FILE, help="The MIDI file.  [default: the clip's name with .mid, in this folder]")
@click.option(
    "--format",
    "formats",
    metavar="A,B",
    default="midi",
    show_default=True,
    help="What to write, named after the MIDI file: midi, rpp (REAPER), otio, edl (markers for Resolve), stems.",
)
@click.option("--wav", type=FILE, help="Also the sound, as a WAV.")
@click.option("--mux", type=FILE, help="Also the film with this music (.mp4, .mov, .mkv or .webm).")
@click.option("--report", type=FILE, help="Also a report: what was asked, what was met (JSON).")
@click.option("--plot", type=FILE, help="Also picture and music on one time axis (PNG).")
@wish_options
@click.option("--takes", type=click.IntRange(1, 99), default=1, show_default=True, help="How many; OUT-1, OUT-2, ...")
@composer_options
@click.option(
    "--composer",
    type=click.Choice(["cmt", "match"]),
    default="cmt",
    show_default=True,
    help="cmt composes; match takes the stretch of --library that fits the film best.",
)
@click.option("--library", type=FILE, help="With --composer match: a folder of MIDI files, or of shards.")
@soundfont_option
@output_options
def command(
    clip: Path,
    in_s: float,
    out_s: float | None,
    cuts: Path | None,
    out: Path | None,
    formats: str,
    wav: Path | None,
    mux: Path | None,
    report: Path | None,
    plot: Path | None,
    takes: int,
    checkpoint: Path | None,
    device: str | None,
    threads: int | None,
    composer: str,
    library: Path | None,
    soundfont: Path | None,
    force: bool,
    **wishes: str | None,
) -> None:
    """Write music for CLIP that hits its cuts: a MIDI file and, if asked, sound, film, report and plot."""
    from hitpoint.model import job
    from hitpoint.model.output.formats import check_formats, parse_formats, write_formats
    from hitpoint.model.video.types import Clip

    wished, named = parse_wishes(wishes), parse_formats(formats)
    base = out or Path(f"{clip.stem}.mid")
    outputs = job.Outputs(base if "midi" in named else None, wav, report, plot, mux)
    numbered = [outputs] if takes == 1 else [outputs.numbered(take + 1) for take in range(takes)]
    bases = [base] if takes == 1 else [base.with_name(f"{base.stem}-{take + 1}{base.suffix}") for take in range(takes)]
    check(clip, numbered, soundfont, force)
    for name in bases:
        check_formats(named, name, wished.instruments, force, soundfont)
    boundaries = given_cuts(cuts, clip, in_s, out_s)
    matcher = read_matcher(composer, library)
    stream = matcher or make_composer(checkpoint, device, threads)
    said = []
    with stage_bars() as progress:
        prepared = job.prepare([Clip(clip, in_s, out_s)], wished, boundaries, progress)
        composed = job.compose_takes(prepared, stream, takes, progress)
        for number, files in enumerate(numbered):
            take = replace(composed[number], composer=composer)
            job.write_outputs(take, prepared, files, force, soundfont, progress)
            more = write_formats(take, prepared, named, bases[number], files.wav, force, soundfont, progress)
            said.append(summary(take, prepared, files, more))
    for change in prepared.plan.changes:
        click.echo(f"note: {change}", err=True)
    click.echo("\n".join(said))


def check(clip: Path, numbered: list[Outputs], soundfont: Path | None, force: bool) -> None:
    """Raise, before any work, what would stop it later: the clip, the files to write, a missing program."""
    from hitpoint.model.output.mux import check_film_name, find_ffmpeg
    from hitpoint.model.output.render import BuiltInSynth
    from hitpoint.model.video.media import check_file

    check_file(clip)
    for outputs in numbered:
        outputs.check(force)
        if any(path.resolve() == clip.resolve() for path in outputs.paths()):
            raise UsageError(f"{clip} is the clip itself; give the output another name")
        if outputs.mux is not None:
            check_film_name(outputs.mux)
            find_ffmpeg()
        if outputs.mux is not None or outputs.wav is not None:
            BuiltInSynth(soundfont)


def read_matcher(composer: str, library: Path | None) -> BarStream | None:
    """The library that takes the composer's place, if it was asked for."""
    if (composer == "match") != (library is not None):
        raise UsageError("--composer match and --library FOLDER go together; name both or neither")
    if library is None:
        return None
    from hitpoint.model.compose.library.match import Matcher

    return Matcher.load(library)


def given_cuts(path: Path | None, clip: Path, in_s: float, out_s: float | None) -> tuple[Boundary, ...] | None:
    """The editor's cuts between `in_s` and `out_s`, which are seconds of the film, from `in_s` on; None without a file.

    How many are left out is said on standard error. Raises InputError where no cut lies inside the film.
    """
    if path is None:
        return None
    from hitpoint.model.video.analyse import probe
    from hitpoint.model.video.cuts_file import read_cuts

    media = probe(clip)
    cuts = read_cuts(path, media.fps)
    if not any(cut.time_s < media.duration_s for cut in cuts):
        raise InputError(
            f"{path.name} holds no cut inside the film (0.0-{media.duration_s:.1f} s), but {len(cuts)} outside it; "
            "export the list of this film, or leave --cuts out"
        )
    end_s = media.duration_s if out_s is None else min(out_s, media.duration_s)
    inside = [replace(cut, time_s=cut.time_s - in_s) for cut in cuts if in_s < cut.time_s < end_s]
    if len(inside) < len(cuts):
        left = f"{len(cuts) - len(inside)} of {len(cuts)} cuts in {path.name}"
        click.echo(f"note: {left} left out: outside {in_s:.1f}-{end_s:.1f} s of the film", err=True)
    return tuple(inside)


def summary(take: Take, prepared: Prepared, files: Outputs, more: Sequence[Path] = ()) -> str:
    """The files written, and in one line what is in them."""
    score = take.score
    tempi = [point.bpm for point in score.tempo_map.points]
    tempo = f"{min(tempi):.1f}" if max(tempi) - min(tempi) < 0.05 else f"{min(tempi):.1f} to {max(tempi):.1f}"
    facts = f"{len(score.bars)} bars of {score.genre} at {tempo} BPM, {len(prepared.plan.hits)} hit points"
    return "\n".join(
        [f"{facts}, composed in {take.generation_s:.1f} s", *(f"  {path}" for path in (*files.paths(), *more))]
    )
