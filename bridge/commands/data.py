"""`hitpoint data`: turn folders of MIDI files into training shards."""

from __future__ import annotations

from pathlib import Path

import click

from hitpoint.bridge.commands._shared import output_options
from hitpoint.bridge.errors import UsageError


@click.group(name="data")
def command() -> None:
    """Turn folders of MIDI files into training shards."""


@command.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The shard folder to write.")
@click.option("--exclude", multiple=True, metavar="SOURCE", help="Leave out this source (manifest.json); repeatable.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes that read files.")
@click.option("--scheduler", metavar="ADDRESS", help="Read them on a Dask cluster, such as tcp://10.0.0.5:8786.")
@output_options
def build(
    folders: tuple[Path, ...], out: Path, exclude: tuple[str, ...], workers: int, scheduler: str | None, force: bool
) -> None:
    """Read every MIDI file below FOLDERS and write a shard folder with a report."""
    if (out / "pieces.json").exists() and not force:
        raise UsageError(f"{out} holds shards already; add --force to replace them, or choose another folder")
    from hitpoint.bridge.commands._progress import progress_bar
    from hitpoint.model.data.build import build as build_shards

    reading = None
    if scheduler is not None:
        from hitpoint.bridge.batch.reading import on_cluster

        reading = on_cluster(scheduler)
    with progress_bar("reading MIDI") as progress:
        report = build_shards(
            folders, out, excluded_sources=exclude, workers=workers, progress=progress, reading=reading
        )
    left_out = report["left_out"]
    assert isinstance(left_out, list)
    click.echo(f"{report['taken']} pieces of {report['songs']} songs in {out}; {len(left_out)} files left out")
    for row in left_out[:20]:
        click.echo(f"  left out: {row['reason']}")
    if len(left_out) > 20:
        click.echo(f"  … and {len(left_out) - 20} more, all in {out / 'report.json'}")
