"""`hitpoint suggest`: suggest a genre and a mood for a clip, and say why."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hitpoint.bridge.commands._clip import ClipPart, clip_options
from hitpoint.bridge.commands._progress import stage_bars
from hitpoint.bridge.commands._shared import FILE, output_options
from hitpoint.bridge.errors import InputError

if TYPE_CHECKING:
    from hitpoint.model.mood.shares import Source
    from hitpoint.model.mood.suggest import Suggestion
    from hitpoint.model.video.types import Clip, VisualRhythm

SCHEMA = "hitpoint.suggestion/1"


def _semantics(value: str) -> str | Path:
    """off, scenes, or the folder of a CLIP network. Raises BadParameter for anything else."""
    kind, colon, folder = value.partition(":")
    if kind == "clip" and folder:
        return Path(folder)
    if colon or value not in ("off", "scenes"):
        raise click.BadParameter(f"there is no {value!r}; choose off, scenes or clip:FOLDER")
    return value


@click.command()
@clip_options
@click.option(
    "--describe", default="", metavar="TEXT", help="The film in your own words; @FILE reads them from a file."
)
@click.option(
    "--semantics",
    metavar="off|scenes|clip:FOLDER",
    callback=lambda _context, _parameter, value: _semantics(value),
    default="off",
    show_default=True,
    help="Also look at what the picture shows: by the scene network (hitpoint[semantics]), or by a CLIP network of "
    "your own, exported to ONNX (hitpoint[clip]).",
)
@click.option("--json", "json_path", type=FILE, help="Also every share (JSON); - for standard output.")
@output_options
def command(
    part: ClipPart,
    describe: str,
    semantics: str | Path,
    json_path: Path | None,
    force: bool,
) -> None:
    """Suggest a genre and a mood for CLIP, from its picture, its names and your words, and say why."""
    from hitpoint.model import job
    from hitpoint.model.files import atomic, check_output
    from hitpoint.model.mood.clip_network import check_clip
    from hitpoint.model.mood.scenes import check_scenes
    from hitpoint.model.plan.suggested import suggested
    from hitpoint.model.video.analyse import analyse

    if json_path is not None and json_path != Path("-"):
        check_output(json_path, force)
    if semantics == "scenes":
        check_scenes()
    if isinstance(semantics, Path):
        check_clip(semantics)
    words = read_words(describe)
    clips = part.clips()
    boundaries = part.given_cuts()
    with stage_bars() as progress:
        rhythm = analyse(clips, boundaries, lambda share: progress("analyse", share), part.detector)
        seen = None if semantics == "off" else shown_in(clips[0], rhythm, semantics)
    found = suggested(rhythm, words, job.names(clips), [] if seen is None else [seen])
    figures = as_json(found)
    if json_path == Path("-"):
        click.echo(json.dumps(figures, allow_nan=False))
        return
    if json_path is not None:
        with atomic(json_path, force) as file:
            file.write_text(json.dumps(figures, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    click.echo(f"genre {found.genre} ({found.genre_share:.2f}), mood {found.mood} ({found.mood_share:.2f}), "
               f"about {found.tempo_bpm:.0f} BPM")  # fmt: skip
    for reason in found.why:
        click.echo(f"  {reason}")


def as_json(found: Suggestion) -> dict[str, Any]:
    """The suggestion with every share, 0..1."""
    return {
        "schema": SCHEMA,
        "genre": found.genre,
        "genre_share": found.genre_share,
        "mood": found.mood,
        "mood_share": found.mood_share,
        "tempo": found.tempo_bpm,
        "why": list(found.why),
        "genres": {name: round(share, 4) for name, share in found.genres.items()},
        "moods": {name: round(share, 4) for name, share in found.moods.items()},
    }


def shown_in(clip: Clip, rhythm: VisualRhythm, semantics: str | Path) -> Source | None:
    """What frames of a film show: one a second to the CLIP network in a folder, the middle of each shot to the scene
    network.
    """
    from hitpoint.model.mood.clip_network import from_clip, times_of
    from hitpoint.model.mood.scenes import MOST_FRAMES, from_scenes
    from hitpoint.model.video.stills import stills

    if isinstance(semantics, Path):
        return from_clip(semantics, stills(clip, times_of(rhythm.duration_s)))
    edges_s = [0.0, *(boundary.time_s for boundary in rhythm.boundaries), rhythm.duration_s]
    middles_s = [(start_s + end_s) / 2 for start_s, end_s in pairwise(edges_s)]
    return from_scenes(stills(clip, middles_s[:: max(1, -(-len(middles_s) // MOST_FRAMES))]))


def read_words(text: str) -> str:
    """The description itself, or what stands in the file named after an @, as much as is looked at of it."""
    from hitpoint.model.mood.types import LONGEST_TEXT

    if not text.startswith("@"):
        return text
    path = Path(text[1:])
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(LONGEST_TEXT + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give a text file after the @") from None
