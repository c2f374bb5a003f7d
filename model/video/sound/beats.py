"""Beats and onsets of recorded music, by librosa, an extra: those that a film's sound, or a recording, keeps to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError, MissingError
from hitpoint.model.video.media import PROTOCOLS

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

Samples = NDArray[np.float32]


def check_librosa() -> None:
    """Raise MissingError where the library is not installed."""
    try:
        import librosa  # noqa: F401
    except ImportError as error:
        raise MissingError(f"the beats of recorded music need librosa; run `{INSTALL}`, or give a MIDI file") from error


def music_samples(path: Path) -> Samples:
    """The first track of sound in a file, mono, at RATE_HZ.

    Raises InputError for a file without sound, silent, or too short or long; MissingError without librosa.
    """
    check_librosa()
    samples = _samples(path)
    duration_s = len(samples) / RATE_HZ
    if duration_s < LEAST_S:
        raise InputError(f"{path.name} is {duration_s:.1f} s long; give {LEAST_S:g} s of music or more")
    if float(np.abs(samples).max()) < QUIET:
        raise InputError(f"{path.name} is silent; give music that sounds")
    return samples


def onset_curve(samples: Samples) -> NDArray[np.float32]:
    """How much begins, in dB, HOP samples apart; all 0 where it is one tone that is held."""
    from librosa.onset import onset_strength

    strength = onset_strength(y=samples, sr=RATE_HZ, hop_length=HOP)
    strength = np.append(strength[1:], np.float32(0))  # what rises shows one look later
    return np.zeros_like(strength) if float(np.quantile(strength, 0.99)) < FAINT else np.asarray(strength)


def steady_beats(
    strength: NDArray[np.float32], onsets_s: NDArray[np.float64], duration_s: float
) -> NDArray[np.float64]:
    """The beats, each moved to an onset near it; () where the music keeps to none."""
    from librosa import frames_to_time
    from librosa.beat import beat_track

    frames = beat_track(onset_envelope=strength, sr=RATE_HZ, hop_length=HOP, trim=False)[1]
    found = np.asarray(frames_to_time(frames, sr=RATE_HZ, hop_length=HOP), np.float64)
    if len(found) > 3 and steadiness(strength, float(np.median(np.diff(found)))) >= STEADY:
        return _on_onsets(found, onsets_s, duration_s)
    return np.zeros(0)


def _samples(path: Path) -> Samples:
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


def onsets_of(strength: NDArray[np.float32]) -> NDArray[np.float64]:
    """When something begins, in seconds."""
    from librosa import frames_to_time
    from librosa.onset import onset_detect

    if not strength.any():
        return np.zeros(0)
    frames = onset_detect(onset_envelope=strength, sr=RATE_HZ, hop_length=HOP)
    return np.asarray(frames_to_time(frames, sr=RATE_HZ, hop_length=HOP), np.float64)


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
