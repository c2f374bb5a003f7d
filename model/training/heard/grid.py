"""A score as arrays, which the measures read: notes on one grid of ticks, who plays in which bar, where cuts fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, TICKS_PER_BEAT, Score, beat_places
from hitpoint.model.plan.types import Plan
from hitpoint.model.video.types import VisualRhythm

DRUMS, PIANO, GUITAR, BASS, STRINGS = range(len(INSTRUMENTS))


class Table(NamedTuple):
    """All notes of a score as arrays (n,), by time. tick: from the start of the piece, 16 a bar."""

    tick: NDArray[np.int64]
    instrument: NDArray[np.int64]
    pitch: NDArray[np.int64]
    duration: NDArray[np.int64]
    velocity: NDArray[np.int64]

    def where(self, keep: NDArray[np.bool_]) -> Table:
        """The notes of a mask (n,)."""
        return Table(*(column[keep] for column in self))


def table_of(score: Score) -> Table:
    """The notes of `score`, by (tick, instrument, pitch)."""
    rows = [
        (bar.index * TICKS_PER_BAR + note.tick, note.instrument, note.pitch, note.duration_ticks, note.velocity)
        for bar in score.bars
        for note in bar.notes
    ]
    columns = np.array(sorted(rows), np.int64).reshape(-1, 5).T
    return Table(*columns)


def playing(score: Score) -> NDArray[np.bool_]:
    """Which instruments start a note in which bar, (bars, 5)."""
    table = table_of(score)
    heard = np.zeros((len(score.bars), len(INSTRUMENTS)), bool)
    heard[table.tick // TICKS_PER_BAR, table.instrument] = True
    return heard


def beat_times(score: Score) -> NDArray[np.float64]:
    """Seconds of every beat of the piece, (beats,)."""
    return np.array([score.tempo_map.time_at_tick(0, place) for place in beat_places(score)])


def nearest_tick(score: Score, time_s: float) -> int:
    """The tick, from the start of the piece and 16 a bar, that lies nearest to a moment."""
    written = round(score.tempo_map.beat_at_time(time_s) * TICKS_PER_BEAT)
    if written < 0:
        return written
    bar, tick = score.tempo_map.place_of(written)
    return bar * TICKS_PER_BAR + round(tick)


@dataclass(frozen=True)
class Marks:
    """What of a picture the music is measured against.

    cuts_s: hard cuts. fades_s: fades. bound_s: where the notes of the bound hits fall. section_bars: first bars of the
    sections, that of the piece left out. All times in seconds from the start of the music.
    """

    cuts_s: tuple[float, ...] = ()
    fades_s: tuple[float, ...] = ()
    bound_s: tuple[float, ...] = ()
    section_bars: tuple[int, ...] = ()


def marks_of(rhythm: VisualRhythm, plan: Plan) -> Marks:
    """The cuts that the analysis found (those of the first and last quarter second left out), and what the plan made
    of them.
    """
    inside = [each for each in rhythm.boundaries if EDGE_S < each.time_s < rhythm.duration_s - EDGE_S]
    return Marks(
        cuts_s=tuple(each.time_s for each in inside if each.kind == "cut"),
        fades_s=tuple(each.time_s for each in inside if each.kind != "cut"),
        bound_s=tuple(plan.tempo_map.time_at_tick(hit.bar, hit.tick) for hit in plan.hits if hit.strength is not None),
        section_bars=tuple(section.first_bar for section in plan.sections[1:]),
    )


EDGE_S = 0.25
"""So near to the first or last frame a cut has no surroundings to stand out in."""


def shuffled(marks: Marks, score: Score, seed: int = 0) -> Marks:
    """Chance: as many cuts, fades and sections, but on beats and bars of the piece drawn at random."""
    draws = np.random.default_rng([seed, 91])
    beats = beat_times(score)
    beats = beats[(beats > EDGE_S) & (beats < score.duration_s - EDGE_S)]

    def moved(times_s: Sequence[float]) -> tuple[float, ...]:
        count = min(len(times_s), len(beats))
        return tuple(sorted(draws.choice(beats, count, replace=False).tolist()))

    later = np.arange(1, len(score.bars))
    bars = draws.choice(later, min(len(marks.section_bars), len(later)), replace=False)
    return Marks(moved(marks.cuts_s), moved(marks.fades_s), moved(marks.bound_s), tuple(sorted(bars.tolist())))
