"""The top line, the drums' repeats, loudness from beat to beat, and how far the tempo bends."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Score
from hitpoint.model.training.heard.grid import BASS, DRUMS, STRINGS, playing, table_of

RECALL_BARS = 8
_LEADS_SHARE = 0.5


def line_figures(score: Score) -> dict[str, float]:
    """All figures of this page; one without anything to measure is left out."""
    return top_line_figures(score) | drum_figures(score) | loudness_figures(score) | tempo_figures(score)


def top_line(score: Score) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ticks and pitches of the line that an ear follows: the highest notes of the strings where they play in half of
    the bars or more, else of all instruments but drums and bass.
    """
    table = table_of(score)
    leads = bool(len(score.bars)) and playing(score)[:, STRINGS].mean() >= _LEADS_SHARE
    notes = table.where(table.instrument == STRINGS if leads else ~np.isin(table.instrument, (DRUMS, BASS)))
    highest: dict[int, int] = {}
    for tick, pitch in zip(notes.tick.tolist(), notes.pitch.tolist(), strict=True):
        highest[tick] = max(pitch, highest.get(tick, 0))
    return np.array(list(highest), np.int64), np.array(list(highest.values()), np.int64)


def top_line_figures(score: Score) -> dict[str, float]:
    """Shares of the line's moves that are steps (1 or 2 semitones) and that repeat the pitch; and how much of a bar's
    intervals returns 8 bars later, whatever their order (those in common over those of the fuller bar).
    """
    ticks, pitches = top_line(score)
    if len(ticks) < 3:
        return {}
    moves = np.diff(pitches)
    found = {
        "steps": float(((np.abs(moves) == 1) | (np.abs(moves) == 2)).mean()),
        "repeated_pitches": float((moves == 0).mean()),
    }
    intervals: dict[int, Counter[int]] = {}
    for bar, move in zip((ticks[1:] // TICKS_PER_BAR).tolist(), moves.tolist(), strict=True):
        intervals.setdefault(bar, Counter())[move] += 1
    pairs = [(now, intervals[bar + RECALL_BARS]) for bar, now in intervals.items() if bar + RECALL_BARS in intervals]
    if pairs:
        shares = [(one & other).total() / max(one.total(), other.total()) for one, other in pairs]
        found["recall"] = float(np.mean(shares))
    return found


def drum_figures(score: Score) -> dict[str, float]:
    """drum_copies: share of neighbouring bars with drums whose strokes are the same."""
    bars = [frozenset((n.tick, n.pitch) for n in bar.notes if n.instrument == DRUMS) for bar in score.bars]
    pairs = [one == other for one, other in pairwise(bars) if one and other]
    return {"drum_copies": float(np.mean(pairs))} if pairs else {}


def loudness_figures(score: Score) -> dict[str, float]:
    """Change of mean velocity from one beat to the next, at bar lines and elsewhere."""
    table = table_of(score)
    beats = len(score.bars) * BEATS_PER_BAR
    beat = table.tick // TICKS_PER_BEAT
    count = np.bincount(beat, minlength=beats)
    mean = np.bincount(beat, table.velocity, minlength=beats) / np.maximum(count, 1)
    both = (count[1:] > 0) & (count[:-1] > 0)
    jumps = np.abs(np.diff(mean))
    line = np.arange(1, beats) % BEATS_PER_BAR == 0
    found = {}
    for name, chosen in (("jump_at_lines", both & line), ("jump_elsewhere", both & ~line)):
        if chosen.any():
            found[name] = float(jumps[chosen].mean())
    return found


def tempo_figures(score: Score) -> dict[str, float]:
    """tempo_bend: the most that the tempo differs within two bars, as a share; tempo_steps: its changes a bar;
    bpm: the tempo of most beats.
    """
    points = score.tempo_map.points
    beats = np.array([point.beat for point in points])
    tempi = np.array([point.bpm for point in points])
    bars = max(1, len(score.bars))
    ends = np.array([*beats[1:], score.tempo_map.first_tick(bars) / TICKS_PER_BEAT])
    held = ends - beats
    bend = 0.0
    for index, end in enumerate(ends):
        window = tempi[index:][beats[index:] < end + 2 * BEATS_PER_BAR]
        bend = max(bend, float(window.max() / window.min() - 1))
    changes = int((np.abs(np.diff(tempi)) > 1e-3).sum())
    return {"tempo_bend": bend, "tempo_steps": changes / bars, "bpm": float(tempi[held.argmax()])}
