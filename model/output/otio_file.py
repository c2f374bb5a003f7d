"""Score -> OpenTimelineIO (`.otio`): the film, the hit points and sections as markers, the sound if there is one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hitpoint.model.files import atomic
from hitpoint.model.music.score import Marker, Score
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.take import Prepared, Take
from hitpoint.model.video.edit import placed

if TYPE_CHECKING:
    from hitpoint.model.video.types import Clip

SOUND_RATE = 44_100
MARKER_COLORS = {"section": "GREEN", "cut": "RED", "fade": "PURPLE", "beat": "YELLOW"}

Json = dict[str, Any]


def write_otio(
    score: Score, clips: Sequence[Clip], fps: float, path: Path, wav: Path | None = None, force: bool = False
) -> None:
    """Write a timeline as long as the score, with one marker at each hit point and section.

    clips: the film, placed as `hitpoint.model.video.edit.placed` says.
    fps: frames a second of the timeline; times are kept to the nanosecond, not rounded to frames. wav: the sound, for
    an audio track. Raises UsageError as `hitpoint.model.files.atomic`.
    """
    about = {"hitpoint": {"seed": score.seed, "genre": score.genre, **score.about}}
    write_timeline(clips, score.duration_s, fps, path, score.markers, about, wav, force)


def write_timeline(
    clips: Sequence[Clip],
    length_s: float,
    fps: float,
    path: Path,
    markers: Sequence[Marker] = (),
    about: Json | None = None,
    sound: Path | None = None,
    force: bool = False,
) -> None:
    """Write a timeline of `length_s`: the clips, the sound (from its beginning) and the markers; the rest as
    `write_otio`. about: metadata of the timeline."""
    pictures = []
    at_s = 0.0
    for clip, start_s, shown_s in placed(clips, length_s):
        if round((start_s - at_s) * fps, 6) > 0:
            gap = _range(0.0, start_s - at_s, fps)
            pictures.append(_schema("Gap.1", "", source_range=gap, effects=[], markers=[], enabled=True))
        effects = [] if clip.rate == 1.0 else [_schema("LinearTimeWarp.1", clip.path.name, time_scalar=clip.rate)]
        pictures.append(_clip(clip.path, clip.in_s, shown_s, fps, effects))
        at_s = start_s + shown_s
    tracks = [_track("V1", "Video", pictures)]
    if sound is not None:
        tracks.append(_track("Hitpoint", "Audio", [_clip(sound, 0.0, length_s, SOUND_RATE, [])]))
    marked = [_marker(marker, fps) for marker in markers]
    stack = _schema("Stack.1", "tracks", children=tracks, markers=marked, effects=[], source_range=None, enabled=True)
    timeline = _schema("Timeline.1", path.stem, metadata=about, tracks=stack, global_start_time=None)
    with atomic(path, force) as part:
        part.write_text(json.dumps(timeline, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def _schema(schema: str, name: str, metadata: Json | None = None, **fields: Any) -> Json:
    return {"OTIO_SCHEMA": schema, "metadata": metadata or {}, "name": name, **fields}


def _time(seconds: float, rate: float) -> Json:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": round(seconds * rate, 9)}


def _range(start_s: float, length_s: float, rate: float) -> Json:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": _time(start_s, rate),
        "duration": _time(length_s, rate),
    }


def _clip(path: Path, in_s: float, length_s: float, rate: float, effects: list[Json]) -> Json:
    url = path.absolute().as_uri()
    media = _schema("ExternalReference.1", path.name, target_url=url, available_range=None, available_image_bounds=None)
    return _schema(
        "Clip.2",
        path.stem,
        source_range=_range(in_s, length_s, rate),
        effects=effects,
        markers=[],
        enabled=True,
        media_references={"DEFAULT_MEDIA": media},
        active_media_reference_key="DEFAULT_MEDIA",
    )


def _track(name: str, kind: str, children: list[Json]) -> Json:
    return _schema(
        "Track.1", name, kind=kind, children=children, effects=[], markers=[], source_range=None, enabled=True
    )


def _marker(marker: Marker, fps: float) -> Json:
    color = MARKER_COLORS.get(marker.kind, "ORANGE")
    return _schema("Marker.2", marker.text, color=color, marked_range=_range(marker.time_s, 0.0, fps), comment="")


class OtioOutput(Output):
    """An OpenTimelineIO timeline."""

    key = "otio"
    suffix = ".otio"

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """As `write_otio`."""
        fps = prepared.rhythm.media[0].fps
        write_otio(take.score, prepared.clips, fps, path, writing.wav, writing.force)
