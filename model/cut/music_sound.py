"""Beats and sections of recorded music, by librosa: the beats that its onsets keep to, and where it turns."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.cut.music import Music, Section
from hitpoint.model.errors import InputError, MissingError
from hitpoint.model.music.novelty import segments
from hitpoint.model.video.media import PROTOCOLS
from hitpoint.model.video.types import letter

INSTALL = "pip install 'hitpoint[audio]'"
RATE_HZ = 22_050
HOP = 256
"""Samples between two looks for onsets: 12 ms."""
QUIET = 10 ** (-60 / 20)
LEAST_S, LONGEST_S = 1.0, 3 * 3600.0
STEADY = 0.15
"""Autocorrelation of the onsets a beat apart below which there is no beat to speak of; noise has .05."""
FAINT = 0.5
"""Mean rise in dB that only a hundredth of a piece exceeds: below, it is a tone that is held."""
NEAR_S = 0.06
"""A beat is moved to an onset that lies so near."""
HALF_BEATS, LEAST_BEATS = 16, 8
"""What is compared on both sides of a turn, and the shortest section, in beats."""
GRID_S, APART_S = 2.0, 0.4
"""Without beats: onsets so far apart stand for them; without those either, the clock does."""

Samples = NDArray[np.float32]


def read_sound(path: Path) -> Music:
    """The music in a file of sound (or a film's first track of it).

    Raises InputError for a file without sound, silent, or too short or long; MissingError without librosa.
    """
    check_librosa()
    samples = _samples(path)
    duration_s = len(samples) / RATE_HZ
    if duration_s < LEAST_S:
        raise InputError(f"{path.name} is {duration_s:.1f} s long; give {LEAST_S:g} s of music or more")
    if float(np.abs(samples).max()) < QUIET:
        raise InputError(f"{path.name} is silent; give music that sounds")
    from librosa.onset import onset_strength

    strength = onset_strength(y=samples, sr=RATE_HZ, hop_length=HOP)
    strength = np.append(strength[1:], np.float32(0))  # what rises shows one look later
    if float(np.quantile(strength, 0.99)) < FAINT:
        strength = np.zeros_like(strength)
    onsets_s = _onsets(strength)
    beats_s, notes = _beats(strength, onsets_s, duration_s)
    sections, note = _sections(samples, beats_s, duration_s)
    return Music(path, duration_s, beats_s, onsets_s, sections, notes=(*notes, *note))


def check_librosa() -> None:
    """Raise MissingError where the library is not installed."""
    try:
        import librosa  # noqa: F401
    except ImportError as error:
        raise MissingError(f"the beats of recorded music need librosa; run `{INSTALL}`, or give a MIDI file") from error


def _samples(path: Path) -> Samples:
    """The first track of sound, mono. Raises InputError."""
    import av

    blocks: list[Samples] = []
    count = 0
    try:
        with av.open(str(path.absolute()), options={"protocol_whitelist": PROTOCOLS}) as container:
            if not container.streams.audio:
                raise InputError(f"{path.name} has no sound; give music, or a film with its soundtrack")
            resampler = av.AudioResampler("flt", "mono", RATE_HZ)
            for packet in container.demux(container.streams.audio[0]):
                found = _decoded(packet, resampler)
                blocks += found
                count += sum(map(len, found))
                if count > LONGEST_S * RATE_HZ:
                    raise InputError(f"{path.name} is over {LONGEST_S / 3600:g} hours long; give a shorter piece")
            blocks += [each.to_ndarray()[0] for each in resampler.resample(None)]
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or "unknown reason"
        raise InputError(f"{path.name} is not a sound that can be decoded ({reason}); convert it to WAV") from None
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _decoded(packet: Any, resampler: Any) -> list[Samples]:
    """The samples of a packet; of a damaged one, none."""
    import av

    try:
        return [part.to_ndarray()[0] for frame in packet.decode() for part in resampler.resample(frame)]
    except av.error.InvalidDataError:
        return []


def _onsets(strength: NDArray[np.float32]) -> NDArray[np.float64]:
    from librosa import frames_to_time
    from librosa.onset import onset_detect

    if not strength.any():
        return np.zeros(0)
    frames = onset_detect(onset_envelope=strength, sr=RATE_HZ, hop_length=HOP)
    return np.asarray(frames_to_time(frames, sr=RATE_HZ, hop_length=HOP), np.float64)


def _beats(
    strength: NDArray[np.float32], onsets_s: NDArray[np.float64], duration_s: float
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The beats; where the music keeps to none, what stands for them, and a sentence that says so."""
    from librosa import frames_to_time
    from librosa.beat import beat_track

    frames = beat_track(onset_envelope=strength, sr=RATE_HZ, hop_length=HOP, trim=False)[1]
    found = np.asarray(frames_to_time(frames, sr=RATE_HZ, hop_length=HOP), np.float64)
    if len(found) > 3 and steadiness(strength, float(np.median(np.diff(found)))) >= STEADY:
        return _on_onsets(found, onsets_s, duration_s), ()
    apart: list[float] = []
    for onset_s in onsets_s.tolist():
        if not apart or onset_s - apart[-1] >= APART_S:
            apart.append(onset_s)
    if len(apart) >= duration_s / (4 * GRID_S):
        return np.array(apart), ("no steady beat was found in the music: cuts fall on its onsets",)
    grid = np.arange(0, duration_s, GRID_S)
    return grid, (f"neither beats nor onsets were found in the music: cuts may fall every {GRID_S:g} s",)


def steadiness(strength: NDArray[np.float32], beat_s: float) -> float:
    """Autocorrelation of the onset curve a beat (within 3 %) apart, -1..1."""
    curve = strength - strength.mean()
    power = float(np.dot(curve, curve))
    lag = beat_s * RATE_HZ / HOP
    lags = range(max(1, round(lag * 0.97)), round(lag * 1.03) + 1)
    if power <= 0 or lags[-1] >= len(curve):
        return 0.0
    return max(float(np.dot(curve[:-each], curve[each:])) for each in lags) / power


def _on_onsets(beats_s: NDArray[np.float64], onsets_s: NDArray[np.float64], duration_s: float) -> NDArray[np.float64]:
    """The beats, each at the onset beside it, if there is one."""
    if len(onsets_s):
        nearest = onsets_s[np.abs(beats_s[:, None] - onsets_s[None]).argmin(axis=1)]
        beats_s = np.where(np.abs(nearest - beats_s) <= NEAR_S, nearest, beats_s)
    beats_s = np.unique(beats_s)
    return beats_s[(beats_s >= 0) & (beats_s < duration_s)]


def _sections(
    samples: Samples, beats_s: NDArray[np.float64], duration_s: float
) -> tuple[tuple[Section, ...], tuple[str, ...]]:
    """Where timbre and harmony, beat by beat, turn."""
    import librosa

    hop = 4 * HOP
    chroma = librosa.feature.chroma_stft(y=samples, sr=RATE_HZ, hop_length=hop, tuning=0.0)
    timbre = librosa.feature.mfcc(y=samples, sr=RATE_HZ, hop_length=hop, n_mfcc=13)
    edges = librosa.time_to_frames(np.append(beats_s, duration_s), sr=RATE_HZ, hop_length=hop)
    rows = []
    for first, last in pairwise(edges):
        span = slice(min(int(first), chroma.shape[1] - 1), max(int(last), int(first) + 1))
        rows.append(np.concatenate([chroma[:, span].mean(axis=1), timbre[:, span].mean(axis=1)]))
    vectors = np.asarray(rows, np.float64)
    vectors = (vectors - vectors.mean(axis=0)) / np.maximum(vectors.std(axis=0), 1e-6)
    found = tuple(
        Section(float(beats_s[first]) if first else 0.0, letter(kind))
        for first, kind in segments(vectors, HALF_BEATS, LEAST_BEATS)
    )
    return found, () if len(found) > 1 else ("the music does not turn anywhere: it is one section",)
