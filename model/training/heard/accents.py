"""Can the cuts be heard? Onset strength of the rendered sound at a cut, against that of the beats around it.

Onset strength is spectral flux: how much louder the sound grows from one window to the next, summed over all
frequencies. At a moment it is the highest value from 30 ms before to 70 ms after: an attack takes that long.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import Score
from hitpoint.model.output.render import play
from hitpoint.model.training.heard.grid import Marks, beat_times

SAMPLE_RATE = 22_050
HOP = 256
WINDOW = 1024
BEFORE_S, AFTER_S = 0.03, 0.07
AROUND_S = 2.6
STRONGEST_S = 1.2
BOUND_S = 0.045
"""A hit this near to a cut is heard with it."""
_SAME_S = 0.1
_COMPRESSION = 100.0


def onset_strength(sound: NDArray[np.float32], compressed: bool = False) -> NDArray[np.float64]:
    """Spectral flux of `sound` (samples,), mono at SAMPLE_RATE: a value each HOP samples, the first at time 0.

    compressed: magnitudes as log(1 + 100 |X|), |X| a share of the loudest, by which a soft cymbal counts beside a loud
    kick. Two ears are better than one: music made for a single formula need not sound like anything.
    """
    padded = np.pad(sound, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    window = np.hanning(WINDOW).astype(np.float32)
    spectrum = np.concatenate([np.abs(np.fft.rfft(part * window)) for part in _blocks(frames)])
    level = spectrum / max(float(spectrum.max(initial=0.0)), 1e-9)
    if compressed:
        level = np.log1p(_COMPRESSION * level)
    rise = np.maximum(np.diff(level, axis=0, prepend=level[:1]), 0.0).sum(axis=1)
    return np.asarray(rise, np.float64)


def _blocks(frames: NDArray[np.float32], size: int = 2048) -> list[NDArray[np.float32]]:
    return [frames[start : start + size] for start in range(0, len(frames), size)]


class Ear(NamedTuple):
    """Two curves of onset strength of one piece: of plain and of compressed magnitudes."""

    plain: NDArray[np.float64]
    compressed: NDArray[np.float64]


def listen(score: Score, soundfont: Path | None = None) -> Ear:
    """The onset strength of `score` as the built-in synth plays it. Raises MissingError without tinysoundfont."""
    sound = play(score, SAMPLE_RATE, soundfont).mean(axis=1)
    return Ear(onset_strength(sound), onset_strength(sound, compressed=True))


def strength_at(
    curve: NDArray[np.float64], time_s: float, before_s: float = BEFORE_S, after_s: float = AFTER_S
) -> float:
    """The highest onset strength from `before_s` before to `after_s` after a moment."""
    first = max(0, int(np.ceil((time_s - before_s) * SAMPLE_RATE / HOP)))
    last = int(np.floor((time_s + after_s) * SAMPLE_RATE / HOP))
    return float(curve[first : last + 1].max(initial=0.0))


def rank_among_beats(
    curve: NDArray[np.float64], time_s: float, beats_s: NDArray[np.float64], others_s: Sequence[float]
) -> float | None:
    """The rank, 0..1, of the onset strength at a moment among the beats within 2.6 s; .5 = like any beat.

    others_s: the cuts, whose beats are left out. None where fewer than three beats are left.
    """
    near = beats_s[(np.abs(beats_s - time_s) <= AROUND_S) & (np.abs(beats_s - time_s) > _SAME_S)]
    cuts = np.asarray(others_s, float)
    if len(cuts):
        near = near[np.abs(near[:, None] - cuts).min(axis=1) > _SAME_S]
    if len(near) < 3:
        return None
    own = strength_at(curve, time_s)
    theirs = np.array([strength_at(curve, float(beat)) for beat in near])
    return float(((theirs < own) + 0.5 * (theirs == own)).mean())


def is_strongest(curve: NDArray[np.float64], time_s: float) -> bool:
    """Whether no onset within 1.2 s is stronger than that at the moment."""
    return strength_at(curve, time_s) >= strength_at(curve, time_s, STRONGEST_S, STRONGEST_S)


def accent_figures(score: Score, marks: Marks, ear: Ear) -> dict[str, float]:
    """Rank and share strongest of the cuts, rank of the fades and of plain downbeats, share of cuts with a bound hit.

    cut_rank_log: the same on compressed magnitudes. A figure without anything to measure is left out.
    """
    beats_s = beat_times(score)
    all_s = [*marks.cuts_s, *marks.fades_s]
    lines_s = [score.tempo_map.time_at_tick(bar.index) for bar in score.bars[1:]]
    downbeats = [line_s for line_s in lines_s if _far(line_s, all_s)]
    found: dict[str, float] = {}
    for name, times_s, curve in (
        ("cut_rank", marks.cuts_s, ear.plain),
        ("cut_rank_log", marks.cuts_s, ear.compressed),
        ("fade_rank", marks.fades_s, ear.plain),
        ("downbeat_rank", downbeats, ear.plain),
    ):
        ranks = [rank_among_beats(curve, each, beats_s, all_s) for each in times_s]
        _put(found, name, [rank for rank in ranks if rank is not None])
    _put(found, "cut_strongest", [float(is_strongest(ear.plain, cut)) for cut in marks.cuts_s])
    bound = np.asarray(marks.bound_s)
    _put(found, "cuts_bound", [float((np.abs(bound - cut) <= BOUND_S).any()) for cut in marks.cuts_s])
    return found


def _far(time_s: float, others_s: Sequence[float]) -> bool:
    return all(abs(time_s - each) > _SAME_S for each in others_s)


def _put(found: dict[str, float], name: str, values: Sequence[float]) -> None:
    if values:
        found[name] = float(np.mean(values))
