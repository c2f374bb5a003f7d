"""One small timeline, written by hand in the syntax of each format: what the table of cases is made of."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

FPS = 25
HOUR = 3600


@dataclass(frozen=True)
class Clip:
    """Seconds on the timeline, and what lies there.

    kind: film, title, generator, png, jpg, sound, off (switched off), scaled, moved, cropped, blend, half (opacity),
    adjustment, black, nested. scaled_up: larger than the frame. held: the tracks of a nested one.
    """

    start: float
    end: float
    kind: str = "film"
    media: str = "a"
    held: tuple[tuple[Clip | Mix, ...], ...] = field(default=())


@dataclass(frozen=True)
class Mix:
    """A transition over [start, end]; the clips beside it meet in its middle, or it opens or closes one."""

    start: float
    end: float


Tracks = tuple[tuple[Clip | Mix, ...], ...]


def clips(track: tuple[Clip | Mix, ...]) -> list[Clip]:
    return [item for item in track if isinstance(item, Clip)]


def end_of(tracks: Tracks) -> float:
    return max(clip.end for track in tracks for clip in clips(track))


def frames(seconds: float) -> int:
    return round(seconds * FPS)


# EDL: one picture track; what lies above it the format cannot say


def timecode(seconds: float) -> str:
    rest, ff = divmod(frames(seconds), FPS)
    rest, ss = divmod(rest, 60)
    hh, mm = divmod(rest, 60)
    return f"{hh:02d}:{mm:02d}:{ss:02d}:{ff:02d}"


def edl(tracks: Tracks, first: float = HOUR) -> str:
    lines = ["TITLE: CASE", "FCM: NON-DROP FRAME", ""]
    number = 0
    for index, track in enumerate(tracks):
        mixes = [item for item in track if isinstance(item, Mix)]
        cursor = 0.0
        for clip in clips(track):
            number += 1
            if clip.kind == "sound":
                lines.append(event(number, "AX", "NONE", "C", clip.start, clip.end, first) + "\nAUD  3    4")
                continue
            if index > 0:
                lines.append(event(number, clip.kind.upper(), "V2", "C", clip.start, clip.end, first))
                continue
            if clip.start > cursor and cursor == 0.0:
                lines.append(event(number, "BL", "V", "C", 0.0, clip.start, first))
            reel = "BL" if clip.kind in ("black", "off") else clip.media.upper()
            opening = next((mix for mix in mixes if mix.start <= clip.start < mix.end), None)
            closing = next((mix for mix in mixes if mix.start < clip.end <= mix.end), None)
            end = clip.end if closing is None else closing.start
            if opening is None:
                lines.append(event(number, reel, "V", "C", clip.start, end, first))
            else:
                before = next((c for c in clips(track) if abs(c.end - clip.start) < 1e-9), None)
                old = "BL" if before is None or before.kind == "black" else before.media.upper()
                lines.append(event(number, old, "V", "C", opening.start, opening.start, first))
                kind = f"D    {frames(opening.end - opening.start):03d}"
                lines.append(event(number, reel, "V", kind, opening.start, end, first))
            cursor = clip.end
            if closing is not None and closing.end == clip.end:
                kind = f"D    {frames(closing.end - closing.start):03d}"
                lines.append(event(number + 1, reel, "V", "C", closing.start, closing.start, first))
                lines.append(event(number + 1, "BL", "V", kind, closing.start, closing.end, first))
    return "\n".join(lines) + "\n"


def event(number: int, reel: str, channels: str, kind: str, start: float, end: float, first: float) -> str:
    source = 600.0 + 20 * number
    times = [source, source + end - start, first + start, first + end]
    return f"{number:03d}  {reel:8} {channels:5} {kind:8} {' '.join(timecode(time) for time in times)}"


# OTIO


def otio(tracks: Tracks) -> str:
    layers = []
    for index, track in enumerate(tracks):
        sound = all(clip.kind == "sound" for clip in clips(track))
        layers.append(_otio_track(f"V{index}", track, "Audio" if sound else "Video"))
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": layers, "source_range": None}
    start = {"OTIO_SCHEMA": "RationalTime.1", "rate": FPS, "value": HOUR * FPS}
    return json.dumps({"OTIO_SCHEMA": "Timeline.1", "name": "t", "global_start_time": start, "tracks": stack}, indent=1)


def _rt(seconds: float) -> dict:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(FPS), "value": float(frames(seconds))}


def _range(start: float, length: float) -> dict:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": _rt(start), "duration": _rt(length)}


def _otio_track(name: str, track: tuple, kind: str) -> dict:
    children: list[dict] = []
    cursor = 0.0
    pending = list(track)
    for item in pending:
        if isinstance(item, Mix):
            meeting = (
                any(c.start < item.start and c.end > item.start for c in clips(track)),
                any(c.start < item.end and c.end > item.end for c in clips(track)),
            )
            at = (item.start + item.end) / 2 if all(meeting) else item.start if meeting[1] else item.end
            children.append(
                {
                    "OTIO_SCHEMA": "Transition.1",
                    "name": "x",
                    "transition_type": "SMPTE_Dissolve",
                    "in_offset": _rt(at - item.start),
                    "out_offset": _rt(item.end - at),
                }
            )
            continue
        if item.start > cursor:
            gap = {"OTIO_SCHEMA": "Gap.1", "name": "", "source_range": _range(0, item.start - cursor)}
            mix = (
                children.pop()
                if children and children[-1]["OTIO_SCHEMA"] == "Transition.1" and cursor < item.start
                else None
            )
            opens = mix is not None and mix["in_offset"]["value"] == 0
            children += [gap, mix] if opens else [mix, gap] if mix else [gap]
        children.append(_otio_clip(item))
        cursor = item.end
    return {"OTIO_SCHEMA": "Track.1", "name": name, "kind": kind, "children": children, "source_range": None}


def _otio_clip(clip: Clip) -> dict:
    made = {
        "OTIO_SCHEMA": "Clip.2",
        "name": clip.media,
        "source_range": _range(10 + 20 * clip.start, clip.end - clip.start),
        "enabled": clip.kind != "off",
        "effects": [],
        "active_media_reference_key": "DEFAULT_MEDIA",
    }
    ending = {"png": "png", "jpg": "jpg", "sound": "wav"}.get(clip.kind, "mov")
    media = {"OTIO_SCHEMA": "ExternalReference.1", "target_url": f"file:///m/{clip.media}.{ending}"}
    if clip.kind in ("title", "generator", "adjustment", "black"):
        kind = {"black": "black"}.get(clip.kind, clip.kind)
        media = {"OTIO_SCHEMA": "GeneratorReference.1", "generator_kind": kind, "parameters": {}}
    if clip.kind == "nested":
        inner = [_otio_track("V1", track, "Video") for track in clip.held]
        whole = _range(0, clip.end - clip.start)
        return {"OTIO_SCHEMA": "Stack.1", "name": "nest", "children": inner, "source_range": whole}
    effect = {
        "scaled": ("Transform", "transformationZoomX", 0.4, 1.0),
        "moved": ("Transform", "transformationPan", 300.0, 0.0),
        "cropped": ("Cropping", "cropLeft", 200.0, 0.0),
        "half": ("Composite", "opacity", 50.0, 100.0),
        "blend": ("Composite", "compositeType", 6, 0),
        "larger": ("Transform", "transformationZoomX", 1.4, 1.0),
    }.get(clip.kind)
    if effect is not None:
        name, parameter, value, default = effect
        told = {
            "Parameter ID": parameter,
            "Parameter Value": value,
            "Default Parameter Value": default,
            "Key Frames": {},
        }
        resolve = {"Effect Name": name, "Enabled": True, "Parameters": [told]}
        made["effects"] = [
            {"OTIO_SCHEMA": "Effect.1", "effect_name": "Resolve Effect", "metadata": {"Resolve_OTIO": resolve}}
        ]
    made["media_references"] = {"DEFAULT_MEDIA": media}
    return made
