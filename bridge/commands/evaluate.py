"""`hitpoint evaluate`: compare generated music with real music, by figures and by ear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hitpoint.bridge.commands._shared import FILE, output_options
from hitpoint.bridge.errors import UsageError

if TYPE_CHECKING:
    from hitpoint.model.compose.cmt.composer import CmtComposer
    from hitpoint.model.data.build import Shard
    from hitpoint.model.training.listen import Film


@click.command()
@click.argument("paths", nargs=-1, required=True, type=FILE, metavar="[SHARDS] FILMS...")
@click.option("--checkpoint", type=FILE, default=None, help="Another checkpoint.")
@click.option("--library", type=FILE, help="Also score with this folder of MIDI files or shards.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Pieces for each film and genre.")
@click.option("--json", "json_path", type=FILE, default=None, help="File to write every figure to as well (JSON).")
@click.option(
    "--listen", type=FILE, help="Folder for a page that plays blinded pairs and counts choices, instead of the tables."
)
@output_options
def command(
    paths: tuple[Path, ...],
    checkpoint: Path | None,
    library: Path | None,
    seeds: int,
    json_path: Path | None,
    listen: Path | None,
    force: bool,
) -> None:
    """Compose FILMS in every genre in several ways, and measure all beside held-out music of SHARDS.

    Without SHARDS only what an ear takes from the music is measured, beside what the package knows of real music.
    """
    from hitpoint.bridge.commands._progress import progress_bar
    from hitpoint.model.compose.cmt.composer import CmtComposer
    from hitpoint.model.compose.library.match import read_library
    from hitpoint.model.data.build import load
    from hitpoint.model.files import atomic
    from hitpoint.model.training.evaluation.comparison import as_text
    from hitpoint.model.training.evaluation.evaluate import evaluate

    check(listen, json_path, force)
    shard = load(paths[0]) if paths[0].is_dir() else None
    films = seen(paths if shard is None else paths[1:])
    composer = CmtComposer.load(checkpoint)
    own = None if library is None else read_library(library)
    if listen is not None:
        click.echo(pairs(listen, films, composer, shard, own, seeds, force))
        return
    with progress_bar("composing") as progress:
        rhythms = [film.rhythm for film in films]
        rows = evaluate(composer, shard, rhythms, library=own, seeds=seeds, progress=progress)
    click.echo(as_text(rows))
    if json_path:
        with atomic(json_path, force) as part:
            part.write_text(json.dumps({row.name: row.pieces for row in rows}, indent=1))


def check(listen: Path | None, json_path: Path | None, force: bool) -> None:
    """Check, before any work, for anything that would stop it later."""
    from hitpoint.model.files import check_output
    from hitpoint.model.output.render import BuiltInSynth
    from hitpoint.model.training.listen import check_listening

    if listen is not None and json_path is not None:
        raise UsageError("--listen writes no figures; leave --json out, or run both one after the other")
    if json_path:
        check_output(json_path, force)
    if listen is not None:
        check_listening(listen, force)
    BuiltInSynth()


def seen(paths: tuple[Path, ...]) -> list[Film]:
    """The films, analysed."""
    from hitpoint.model.training.listen import Film
    from hitpoint.model.video.analyse import analyse
    from hitpoint.model.video.types import Clip

    if not paths:
        raise UsageError("name at least one film after the shards")
    return [Film(path, analyse([Clip(path)])) for path in paths]


def pairs(
    folder: Path,
    films: list[Film],
    composer: CmtComposer,
    shard: Shard | None,
    library: Shard | None,
    seeds: int,
    force: bool,
) -> str:
    """Write the listening page; returns a line or two on what was written."""
    from hitpoint.bridge.commands._progress import progress_bar
    from hitpoint.model.training.listen import key_path, write_listening

    with progress_bar("composing") as progress:
        count = write_listening(
            folder, films, composer, shard=shard, library=library, seeds=seeds, force=force, progress=progress
        )
    return f"{count} pairs\n  {folder / 'index.html'}  open it in a browser\n  {key_path(folder)}  keep it apart"
