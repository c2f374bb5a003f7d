"""`hitpoint associate`: learn from your finished films which music goes with which look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hitpoint.bridge.commands._progress import progress_bar
from hitpoint.bridge.commands._shared import FILE, counted, output_options
from hitpoint.bridge.errors import UsageError

if TYPE_CHECKING:
    from hitpoint.model.associate.association import Association

MUSIC_ALONE = ("band", "pop909_5", "real5", "games")
"""Data sets of shards whose songs are mined: those with loudness and parts."""


@click.command()
@click.argument("films", type=FILE, nargs=-1, required=True)
@click.option("-o", "out", type=FILE, required=True, help="The file to write (.npz), for --association.")
@click.option("--plot", type=FILE, help="Also draw which look goes with which sound (PNG).")
@output_options
def command(films: tuple[Path, ...], out: Path, plot: Path | None, force: bool) -> None:
    """Learn from FILMS (or folders of them), each NAME.mp4 with its music as NAME.mid, what you put under what.

    A film without a NAME.mid is learnt from its own sound, of which less can be told (`pip install 'hitpoint[audio]'`).

    `hitpoint score --composer library --select association --association FILE` then chooses as you did. A folder of
    shards (`hitpoint data build`) in place of films: from music alone, as what comes with Hitpoint was learnt.
    """
    from hitpoint.model.associate.plot import plot as draw
    from hitpoint.model.associate.plot import strongest
    from hitpoint.model.files import check_output

    if out.suffix.lower() != ".npz":
        raise UsageError(f"{out.name} must end in .npz; name it so")
    for path in (out, *([plot] if plot is not None else [])):
        check_output(path, force)
    shards = [path for path in films if (path / "pieces.json").is_file()]
    if shards and len(films) > 1:
        raise UsageError("a folder of shards is learnt from by itself; name it alone, or films")
    with progress_bar("learning") as progress:
        found, notes = _of_shards(shards[0], progress) if shards else _of_films(films, progress)
    found.save(out, force)
    if plot is not None:
        draw(found, plot, force)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    how = "the harmonium" if found.harmonium is not None else "canonical correlation, as there are few"
    click.echo(f"{found.about['segments']} segments of {counted(int(found.about['songs']), 'piece')}, by {how}")
    for line in strongest(found):
        click.echo(f"  {line}")
    click.echo(f"  {out}")


def _of_films(films: tuple[Path, ...], progress: Callable[[float], None]) -> tuple[Association, tuple[str, ...]]:
    from hitpoint.bridge.batch.films import read_films
    from hitpoint.model.associate.mine import about, mined
    from hitpoint.model.associate.pairs import songs_of_pairs

    paths = [film.path for film in read_films(films, ())]
    songs, notes = songs_of_pairs(paths, progress)
    return mined(songs, about(songs, "films"), noise=0.0), notes


def _of_shards(folder: Path, progress: Callable[[float], None]) -> tuple[Association, tuple[str, ...]]:
    from hitpoint.model.associate.mine import about, mined, songs_of
    from hitpoint.model.data.build import load

    songs = songs_of(load(folder), "train", MUSIC_ALONE, progress)
    return mined(songs, about(songs, "music alone")), ()
