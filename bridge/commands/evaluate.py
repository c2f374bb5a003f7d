"""`hitpoint evaluate`: compare generated music with real music, side by side."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hitpoint.bridge.commands._shared import output_options


@click.command()
@click.argument("shards", type=click.Path(path_type=Path))
@click.argument("films", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--checkpoint", type=click.Path(path_type=Path), default=None, help="Another checkpoint.")
@click.option("--library", type=click.Path(path_type=Path), help="Match with this folder of MIDI files or shards, too.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Pieces a film and genre.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), default=None, help="Also write every figure here."
)
@output_options
def command(
    shards: Path,
    films: tuple[Path, ...],
    checkpoint: Path | None,
    library: Path | None,
    seeds: int,
    json_path: Path | None,
    force: bool,
) -> None:
    """Compose FILMS in every genre in several ways, and measure all beside held-out music of SHARDS."""
    from hitpoint.bridge.commands._progress import progress_bar
    from hitpoint.model.compose.cmt.composer import CmtComposer
    from hitpoint.model.compose.library.match import read_library
    from hitpoint.model.data.build import load
    from hitpoint.model.files import atomic, check_output
    from hitpoint.model.training.evaluate import as_text, evaluate
    from hitpoint.model.video.analyse import analyse
    from hitpoint.model.video.types import Clip

    if json_path:
        check_output(json_path, force)
    shard, composer = load(shards), CmtComposer.load(checkpoint)
    own = None if library is None else read_library(library)
    rhythms = [analyse([Clip(film)]) for film in films]
    with progress_bar("composing") as progress:
        rows = evaluate(composer, shard, rhythms, library=own, seeds=seeds, progress=progress)
    click.echo(as_text(rows))
    if json_path:
        with atomic(json_path, force) as part:
            part.write_text(json.dumps({row.name: row.pieces for row in rows}, indent=1))
