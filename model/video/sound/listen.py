"""Where somebody speaks in an edit, by the sound of the films it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hitpoint.model.errors import InputError
from hitpoint.model.video.edit import closed, placed
from hitpoint.model.video.film import Film
from hitpoint.model.video.sound.decode import heard_track, samples, tracks
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
        if clip.rate < 0:
            continue  # nobody is understood backwards
        film = films[clip.path]
        try:
            track = heard_track(film, clip.in_s, clip.out_s)
            if track is None:
                continue
            heard = samples(film, track, clip.in_s, clip.out_s, RATE_HZ, 1)
            found = find_speech(heard, detector)
            count = len(tracks(film))
        except InputError as error:
            notes.append(f"the sound of {clip.path.name} is not heard: {error}")
            continue
        if count > 1:
            named = f" ({track.name})" if track.name else ""
            notes.append(f"{clip.path.name} has {count} tracks of sound; stream {track.index}{named} is the one kept")
        spans += [(start_s + a / clip.rate, start_s + min(b / clip.rate, length_s)) for a, b in found]
    return tuple(joined(spans, 1e-6)), tuple(dict.fromkeys(notes))
