"""`hitpoint analyse`: show what a clip's picture says: motion, visual beats, cuts, fades and mood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hitpoint.bridge.commands._clip import ClipPart, clip_options
from hitpoint.bridge.commands._mood import mood_json, mood_text
from hitpoint.bridge.commands._progress import stage_bars
from hitpoint.bridge.commands._shared import FILE, counted, output_options

if TYPE_CHECKING:
    from hitpoint.model.video.types import VisualRhythm

SCHEMA = "hitpoint.analysis/1"


@click.command()
@clip_options
@click.option(
    "--json", "json_path", type=FILE, help="Also write every figure, frame by frame (JSON); - for standard output."
)
@click.option("--plot", type=FILE, help="Also film, motion, visual beats, cuts, fades and mood on one time axis (PNG).")
@output_options
def command(
    part: ClipPart,
    json_path: Path | None,
    plot: Path | None,
    force: bool,
) -> None:
    """Show what CLIP's picture says: motion, visual beats, cuts, fades and mood."""
    from hitpoint.model.files import atomic, check_output
    from hitpoint.model.video.analyse import analyse

    to_stdout = json_path == Path("-")
    for path in (json_path, plot):
        if path is not None and path != Path("-"):
            check_output(path, force)
    clips = part.clips()
    boundaries = part.given_cuts()
    with stage_bars() as progress:
        rhythm = analyse(clips, boundaries, lambda share: progress("analyse", share), part.detector)
        if plot is not None:
            from hitpoint.model.output.plot import plot_rhythm

            plot_rhythm(rhythm, clips, plot, force)
    for note in rhythm.notes:
        click.echo(f"note: {note}", err=True)
    figures = json.dumps(as_json(rhythm), allow_nan=False)
    if to_stdout:
        click.echo(figures)
        return
    if json_path is not None:
        with atomic(json_path, force) as file:
            file.write_text(figures + "\n", encoding="utf-8")
    click.echo(as_text(rhythm))


def as_json(rhythm: VisualRhythm) -> dict[str, Any]:
    """Everything in the rhythm. Times are seconds from the in point; motion is a share of the width a second."""
    media = rhythm.media[0]
    return {
        "schema": SCHEMA,
        "clip": {
            "path": str(media.path),
            "sha256": media.sha256,
            "duration_s": media.duration_s,
            "fps": media.fps,
            "frames": media.frames,
            "width": media.width,
            "height": media.height,
        },
        "duration_s": rhythm.duration_s,
        "boundaries": [{"time_s": b.time_s, "kind": b.kind, "weight": round(b.weight, 4)} for b in rhythm.boundaries],
        "beats": [
            {
                "time_s": b.time_s,
                "saliency": round(b.saliency, 4),
                "kind": b.kind,
                "confidence": round(b.confidence, 4),
            }
            for b in rhythm.beats
        ],
        "shots": list(rhythm.shots),
        "times_s": [round(float(time_s), 6) for time_s in rhythm.times_s],
        "motion": [round(float(value), 6) for value in rhythm.motion],
        "saliency": [round(float(value), 6) for value in rhythm.saliency],
        "notes": list(rhythm.notes),
        **mood_json(rhythm),
    }


def as_text(rhythm: VisualRhythm) -> str:
    """A few lines for a reader: length, cuts, fades, visual beats, mood."""
    from hitpoint.model.video.types import LOUD_BEAT

    media = rhythm.media[0]
    picture = f"{media.width}x{media.height} at {media.fps:.3f} frames a second"
    lines = [f"{media.path.name}: {rhythm.duration_s:.2f} s of {picture}"]
    for kind in ("cut", "fade"):
        times = [boundary.time_s for boundary in rhythm.boundaries if boundary.kind == kind]
        lines.append(
            f"  {counted(len(times), kind)}" + ("" if not times else ": " + " ".join(f"{t:.2f}" for t in times))
        )
    loud = sum(beat.saliency >= LOUD_BEAT for beat in rhythm.beats)
    beats = f"{counted(len(rhythm.beats), 'visual beat')} ({loud} of them sure)"
    lines.append(f"  {beats}, {counted(len(rhythm.shots), 'shot')} of {counted(len(set(rhythm.shots)), 'kind')}")
    lines += mood_text(rhythm)
    return "\n".join(lines)
