"""Which part of which film a command looks at, and whose cuts hold there: the same options wherever one does."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hitpoint.bridge.commands._shared import FILE
from hitpoint.bridge.errors import InputError, UsageError

if TYPE_CHECKING:
    from hitpoint.model.video.types import Boundary, Clip


@dataclass(frozen=True)
class ClipPart:
    """What was asked for. in_s, out_s: seconds of the film, None for its end. cuts: the editor's list of cuts.

    cuts_fps: frames a second of the list's timecodes where it does not say it. cuts_start: the list's timecode at the
    film's first frame. detector: of cuts, "quick" or "fine".
    """

    clip: Path
    in_s: float
    out_s: float | None
    cuts: Path | None
    cuts_fps: float | None
    cuts_start: str | None
    detector: str

    def clips(self) -> list[Clip]:
        """As analysis takes them."""
        from hitpoint.model.video.types import Clip

        return [Clip(self.clip, self.in_s, self.out_s)]

    def given_cuts(self) -> tuple[Boundary, ...] | None:
        """As the function of this name."""
        return given_cuts(self.cuts, self.clip, self.in_s, self.out_s, self.cuts_fps, self.cuts_start)


def clip_options(command: Callable[..., None]) -> Callable[..., None]:
    """Which part of which film, and whose cuts: the command gets them as its argument `part`."""

    @functools.wraps(command)
    def bundled(**values: Any) -> None:
        command(part=part_of(values), **values)

    options = (
        click.argument("clip", type=FILE),
        click.option(
            "--in", "in_s", type=click.FloatRange(0), default=0.0, metavar="SECONDS",
                     help="Where to begin, in the film's own time.  [default: 0]"
        ),
        click.option("--out", "out_s", type=click.FloatRange(0), metavar="SECONDS",
                     help="Where to end.  [default: the film's end]"),
        click.option("--cuts", type=FILE,
                     help="The editor's own cuts: EDL, OTIO, FCPXML, Final Cut Pro 7 XML, MLT, Kdenlive, AAF or JSON."),
        click.option("--cuts-fps", type=click.FloatRange(1, 1000), metavar="RATE",
                     help="Frames a second of the list's timecodes.  [default: the list's own, or the film's]"),
        click.option("--cuts-start", metavar="HH:MM:SS:FF",
                     help="The list's timecode at the film's first frame.  [default: the list's own start]"),
        click.option("--detector", type=click.Choice(["quick", "fine"]), default="quick", show_default=True,
                     help="Detector of cuts: our own, or TransNet V2 (slower; needs hitpoint[fine])."),
    )  # fmt: skip
    whole: Callable[..., None] = bundled
    for option in reversed(options):
        whole = option(whole)
    return whole


def part_of(values: dict[str, Any]) -> ClipPart:
    """The part from the options' values, which lose what is in it."""
    return ClipPart(**{each.name: values.pop(each.name) for each in fields(ClipPart)})


def given_cuts(
    path: Path | None,
    clip: Path,
    in_s: float,
    out_s: float | None,
    fps: float | None = None,
    start: str | None = None,
) -> tuple[Boundary, ...] | None:
    """The editor's cuts between `in_s` and `out_s`, which are seconds of the film, from `in_s` on; None without a file.

    fps: of the list's timecodes where it does not say it, by default the film's nominal rate. start: the list's
    timecode at the film's first frame, by default where its programme begins. What of the list was passed over and how
    many cuts are left out is said on standard error. Raises InputError where no cut lies inside the film.
    """
    if path is None:
        if fps is not None or start is not None:
            raise UsageError(
                "--cuts-fps and --cuts-start tell how to read a list; name it with --cuts, or leave them out"
            )
        return None
    from hitpoint.model.video.cuts_file import read_list
    from hitpoint.model.video.film import open_film
    from hitpoint.model.video.nominal import nominal_fps

    film = open_film(clip)
    media = film.media
    found = read_list(path, fps or nominal_fps(film) or media.fps, start, media.duration_s)
    cuts = found.cuts
    for note in (*found.notes, *found.unused(fps)):
        click.echo(f"note: {path.name}: {note}", err=True)
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
