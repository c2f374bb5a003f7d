"""`hitpoint cut`: cut clips to music, on its beats and where it turns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hitpoint.bridge.commands._progress import stage_bars
from hitpoint.bridge.commands._shared import FILE, counted, output_options, soundfont_option
from hitpoint.bridge.errors import InputError, UsageError

if TYPE_CHECKING:
    from hitpoint.model.cut.edit import Cutting
    from hitpoint.model.video.types import Clip

FILMS = (".mp4", ".mov", ".m4v", ".mkv", ".webm")


@click.command()
@click.argument("music", type=FILE)
@click.argument("clips", type=FILE, nargs=-1)
@click.option(
    "-o", "out", type=FILE, required=True,
    help="The edit: .otio or .edl for an editor, or the film itself: .mp4, .mov, .mkv, .webm.",
)  # fmt: skip
@click.option(
    "--fps", type=click.FloatRange(1, 1000), metavar="RATE", help="Frames a second of the edit.  [default: the clips']"
)
@click.option("--pace", type=float, default=1.0, show_default=True, help="How often it cuts: 2 is twice as often.")
@soundfont_option
@output_options
def command(
    music: Path,
    clips: tuple[Path, ...],
    out: Path,
    fps: float | None,
    pace: float,
    soundfont: Path | None,
    force: bool,
) -> None:
    """Cut CLIPS (films, or folders of them) to MUSIC: a MIDI file, or sound with hitpoint[audio].

    The edit is as long as the music to the frame. Every cut is on a beat; where the music turns, so does the look of
    the shots; where it is dense, they are short and move.
    """
    from hitpoint.model.cut.make import cut_clips
    from hitpoint.model.files import check_output

    _check_ending(out)
    check_output(out, force)
    films = clips_in(clips)
    if any(out.resolve() == each.resolve() for each in (music, *(film.path for film in films))):
        raise UsageError(f"{out} is one of the files that it is made of; give the output another name")
    with stage_bars() as progress:
        cutting = cut_clips(music, films, fps, pace, lambda share: progress("analyse", share))
        _write(cutting, out, force, soundfont, lambda share: progress("mux", share))
    for note in cutting.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{summary(cutting)}\n  {out}")


def clips_in(sources: tuple[Path, ...]) -> list[Clip]:
    """The clips that are named, and those in folders that are. Raises InputError where there are none."""
    from hitpoint.bridge.batch.films import read_films
    from hitpoint.model.video.types import Clip

    if not sources:
        raise UsageError("no clips are named; give films, or a folder of them, after the music")
    missing = [path for path in sources if not path.exists()]
    if missing:
        raise InputError(f"{missing[0]} does not exist; check its name and folder")
    return [Clip(path) for path in dict.fromkeys(film.path for film in read_films(sources, ()))]


def summary(cutting: Cutting) -> str:
    """One line on the edit."""
    looks = len({part.shot.look for part in cutting.parts})
    sections = counted(len(cutting.music.sections), "section")
    shots = f"{counted(len(cutting.parts), 'shot')} of {counted(looks, 'look')} on {sections}"
    return f"{shots}, {cutting.duration_s:.3f} s at {cutting.fps:.5g} fps ({cutting.frames} frames)"


def _check_ending(out: Path) -> None:
    from hitpoint.model.cut.write import LISTS

    endings = (*LISTS, *FILMS)
    if out.suffix.lower() not in endings:
        raise UsageError(f"{out.name} is of no kind that can be written; give it one of {', '.join(endings)}")


def _write(cutting: Cutting, out: Path, force: bool, soundfont: Path | None, progress: Callable[[float], None]) -> None:
    if out.suffix.lower() in FILMS:
        from hitpoint.model.cut.film import write_film

        write_film(cutting, out, force, soundfont, progress)
    else:
        from hitpoint.model.cut.write import write_list

        write_list(cutting, out, force)
