"""Where somebody speaks in an edit, by the sound of the films it shows, or by what lies beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hitpoint.model.errors import InputError
from hitpoint.model.video.edit import closed, placed
from hitpoint.model.video.film import Film
from hitpoint.model.video.sound.decode import Source, heard_track, open_sound, samples, tracks
from hitpoint.model.video.sound.speech import RATE_HZ, Span, find_speech, joined
from hitpoint.model.video.types import Clip


def speech_of(
    clips: Sequence[Clip], films: Mapping[Path, Film], detector: str = "auto"
) -> tuple[tuple[Span, ...], tuple[str, ...]]:
    """(spans in which somebody speaks, in seconds of the edit, rising; sentences on what was assumed or not readable).

    detector: as `find_speech`. A clip at another speed is taken to sound at that speed.
    """
    spans: list[Span] = []
    notes: list[str] = []
    for clip, start_s, length_s in placed([closed(clip, films[clip.path].media.duration_s) for clip in clips]):
        spans += _spoken(films[clip.path], clip, start_s, length_s, detector, notes)
    return tuple(joined(spans, 1e-6)), tuple(dict.fromkeys(notes))


def speech_beside(
    sounds: Sequence[Clip], origin_s: float, length_s: float, detector: str = "auto"
) -> tuple[tuple[Span, ...], tuple[str, ...]]:
    """As `speech_of`, of sounds that may overlap, each at its own `start_s`. origin_s: the edit's second 0 on that
    timeline; length_s: of the edit."""
    spans: list[Span] = []
    notes: list[str] = []
    for clip in sounds:
        try:
            source = open_sound(clip.path)
        except InputError as error:
            notes.append(f"the sound of {clip.path.name} is not heard: {error}")
            continue
        clip = closed(clip, source.track.end_s)
        assert clip.out_s is not None
        lasts_s = (clip.out_s - clip.in_s) / clip.speed
        spans += _spoken(source, clip, clip.start_s - origin_s, lasts_s, detector, notes)
    inside = sorted((max(0.0, a), min(length_s, b)) for a, b in spans if b > 0.0 and a < length_s)
    return tuple(joined(inside, 1e-6)), tuple(dict.fromkeys(notes))


def _spoken(source: Source, clip: Clip, start_s: float, length_s: float, detector: str, notes: list[str]) -> list[Span]:
    """Where somebody speaks in a clip that lies at start_s of the edit; what is to be said of it goes into `notes`."""
    if clip.rate < 0:
        return []  # nobody is understood backwards
    try:
        track = heard_track(source, clip.in_s, clip.out_s)
        if track is None:
            return []
        found = find_speech(samples(source, track, clip.in_s, clip.out_s, RATE_HZ, 1), detector)
        count = len(tracks(source))
    except InputError as error:
        notes.append(f"the sound of {clip.path.name} is not heard: {error}")
        return []
    if count > 1:
        named = f" ({track.name})" if track.name else ""
        notes.append(f"{clip.path.name} has {count} tracks of sound; stream {track.index}{named} is the one kept")
    return [(start_s + a / clip.rate, start_s + min(b / clip.rate, length_s)) for a, b in found]
