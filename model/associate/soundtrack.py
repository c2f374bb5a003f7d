"""A film that has only its soundtrack: what of its sound has a twin among the figures that are taken from notes.

Seven of the 24 sounds can be heard without notes, near enough (`tests/bench/bench_associate.py` says how near): bright
timbre for high notes, what is struck for drums, and so on. Each is taken against its mean over the film, as those from
notes are, and brought to their size by one factor; the other fourteen count as usual for the film. Bars are four beats
of librosa's, segments eight bars.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.associate.looks import ranked
from hitpoint.model.associate.mine import Song
from hitpoint.model.associate.sounds import SOUNDS
from hitpoint.model.errors import InputError
from hitpoint.model.mood.looks import looks_of
from hitpoint.model.music.score import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.sound.beats import (
    HOP,
    RATE_HZ,
    Samples,
    music_samples,
    onset_curve,
    onsets_of,
    steady_beats,
)
from hitpoint.model.video.types import Clip

TWINS = {
    "share of drums": 1.4,
    "mean pitch": 12.0,
    "spread of pitch": 7.8,
    "lowest pitch": 11.5,
    "off the beat": 0.51,
    "chords a bar": 0.41,
    "likeness to the bar before": 0.79,
}
"""What is heard, and how much of the figure from notes one unit of it stands for: the slope over segments of rendered
pieces, each less its piece's mean."""
SEGMENT_BEATS = 8 * BEATS_PER_BAR
STEP_S = 0.5
"""So far apart are what stands for beats where there are none."""
_WIDE = 2048
_HOP = 4 * HOP

Table = NDArray[np.float64]


def song_of_soundtrack(film: Path, progress: Callable[[float], None] | None = None) -> Song:
    """The segments of a film's own sound, each with what is seen while it sounds.

    Raises InputError for a film without sound, silent or too short; MissingError without librosa.
    """
    samples = music_samples(film)
    beats_s = beats_of(samples)
    spans_s = spans_of(beats_s)
    if len(spans_s) < 2:
        raise InputError(
            f"the sound of {film.name} is shorter than two segments of {SEGMENT_BEATS} beats; give a longer film"
        )
    rhythm = analyse([Clip(film)], progress=progress)
    seen = [n for n, (start_s, end_s) in enumerate(spans_s) if (start_s + end_s) / 2 < rhythm.duration_s]
    if not seen:
        raise InputError(f"the picture of {film.name} ends before its music has played a segment; give the whole film")
    heard = np.zeros((len(spans_s), len(SOUNDS)))
    found = twins_of(samples, beats_s)
    for column, (name, slope) in enumerate(TWINS.items()):
        heard[:, SOUNDS.index(name)] = slope * (found[:, column] - found[:, column].mean())
    return Song(ranked(looks_of(rhythm, [spans_s[n] for n in seen])), heard[seen])


def beats_of(samples: Samples) -> Table:
    """The beats of a sound; where it keeps to none, steps of STEP_S."""
    strength, duration_s = onset_curve(samples), len(samples) / RATE_HZ
    beats_s = steady_beats(strength, onsets_of(strength), duration_s)
    return beats_s if len(beats_s) else np.arange(0.0, duration_s, STEP_S)


def spans_of(beats_s: Table) -> list[tuple[float, float]]:
    """Whole segments, in seconds."""
    edges = beats_s[::SEGMENT_BEATS].tolist()
    return list(pairwise(edges))


def twins_of(samples: Samples, beats_s: Table) -> Table:
    """(segments, TWINS): what is heard in each whole segment, in the units of the ear."""
    count = (len(beats_s) - 1) // SEGMENT_BEATS
    grid_s = _sixteenths(beats_s[: count * SEGMENT_BEATS + 1])
    rhythm = _rhythm(onset_curve(samples), grid_s).reshape(-1, TICKS_PER_BAR)
    timbre, chroma = _spectra(samples, grid_s)
    total = np.maximum(rhythm.sum(axis=1), 1e-9)
    off = np.arange(TICKS_PER_BAR) % TICKS_PER_BEAT != 0
    halves = chroma.reshape(-1, TICKS_PER_BAR // 2, 12).mean(axis=1)
    turned = 1.0 - _cosine(halves, np.roll(halves, 1, axis=0))
    alike = _cosine(rhythm, np.roll(rhythm, 1, axis=0))
    bars = np.column_stack([
        timbre.reshape(-1, TICKS_PER_BAR, timbre.shape[1]).mean(axis=1), rhythm[:, off].sum(axis=1) / total,
        turned.reshape(-1, 2).sum(axis=1), alike,
    ])  # fmt: skip
    return np.asarray(bars.reshape(count, -1, len(TWINS)).mean(axis=1))


def _sixteenths(beats_s: Table) -> Table:
    """Four steps a beat, from the first to before the last."""
    at = np.arange((len(beats_s) - 1) * TICKS_PER_BEAT) / TICKS_PER_BEAT
    return np.asarray(np.interp(at, np.arange(len(beats_s)), beats_s))


def _rhythm(strength: NDArray[np.float32], grid_s: Table) -> Table:
    """(steps,): the strongest beginning around each step."""
    half_s = float(np.median(np.diff(grid_s))) / 2
    first = np.maximum(((grid_s - half_s) * RATE_HZ / HOP).astype(int), 0)
    last = np.maximum(((grid_s + half_s) * RATE_HZ / HOP).astype(int), first + 1)
    return np.array([strength[a:b].max(initial=0.0) for a, b in zip(first, last, strict=True)], np.float64)


def _spectra(samples: Samples, grid_s: Table) -> tuple[Table, Table]:
    """(steps, 4): share of what is struck, octaves of the spectrum's centre, width and lower edge; (steps, 12): pitch
    classes."""
    import librosa
    from librosa.decompose import hpss

    power = np.abs(librosa.stft(samples, n_fft=_WIDE, hop_length=_HOP))
    held, struck = hpss(power)
    centre = librosa.feature.spectral_centroid(S=held, sr=RATE_HZ)[0]
    width = librosa.feature.spectral_bandwidth(S=held, sr=RATE_HZ)[0]
    lower = librosa.feature.spectral_rolloff(S=held, sr=RATE_HZ, roll_percent=0.1)[0]
    chroma = librosa.feature.chroma_stft(S=held**2, sr=RATE_HZ, tuning=0.0)
    share = struck.sum(axis=0) / np.maximum(power.sum(axis=0), 1e-9)
    frames = np.minimum((grid_s * RATE_HZ / _HOP).astype(int), power.shape[1] - 1)
    octaves = np.log2(np.maximum(np.stack([centre, width, lower]), 20.0))
    return np.column_stack([share, *octaves])[frames], np.asarray(chroma.T[frames], np.float64)


def _cosine(a: Table, b: Table) -> Table:
    """Of the rows."""
    size = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / np.maximum(size, 1e-9))
