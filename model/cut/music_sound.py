"""Beats and sections of recorded music, by librosa: the beats that its onsets keep to, and where it turns."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.cut.music import Music, Section
from hitpoint.model.music.novelty import segments
from hitpoint.model.video.sound.beats import (
    HOP,
    RATE_HZ,
    Samples,
    music_samples,
    onset_curve,
    onsets_of,
    steady_beats,
)
from hitpoint.model.video.types import letter

HALF_BEATS, LEAST_BEATS = 16, 8
"""What is compared on both sides of a turn, and the shortest section, in beats."""
GRID_S, APART_S = 2.0, 0.4
"""Without beats: onsets so far apart stand for them; without those either, the clock does."""


def read_sound(path: Path) -> Music:
    """The music in a file of sound (or a film's first track of it).

    Raises InputError for a file without sound, silent, or too short or long; MissingError without librosa.
    """
    samples = music_samples(path)
    duration_s = len(samples) / RATE_HZ
    strength = onset_curve(samples)
    onsets_s = onsets_of(strength)
    beats_s, notes = _beats(strength, onsets_s, duration_s)
    sections, note = _sections(samples, beats_s, duration_s)
    return Music(path, duration_s, beats_s, onsets_s, sections, notes=(*notes, *note))


def _beats(
    strength: NDArray[np.float32], onsets_s: NDArray[np.float64], duration_s: float
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The beats; where the music keeps to none, what stands for them, and a sentence that says so."""
    beats_s = steady_beats(strength, onsets_s, duration_s)
    if len(beats_s):
        return beats_s, ()
    apart: list[float] = []
    for onset_s in onsets_s.tolist():
        if not apart or onset_s - apart[-1] >= APART_S:
            apart.append(onset_s)
    if len(apart) >= duration_s / (4 * GRID_S):
        return np.array(apart), ("no steady beat was found in the music: cuts fall on its onsets",)
    grid = np.arange(0, duration_s, GRID_S)
    return grid, (f"neither beats nor onsets were found in the music: cuts may fall every {GRID_S:g} s",)


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
