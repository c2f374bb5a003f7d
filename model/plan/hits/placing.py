"""Which moments the plan promises, and on which tick each falls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import TICKS_PER_BAR, TICKS_PER_BEAT, TempoMap
from hitpoint.model.plan.hits.weights import Moment

TOLERANCE_S = 0.019
"""A promise: the note falls within 20 ms of the picture's moment, half a frame; 1 ms is left for MIDI."""
WIDE_TOLERANCE_S = 0.04
"""For a cut or a loud visual beat that no tick lies so near to: better a frame off than silence. Below the 45 ms of
early sound, and far below the 125 ms of late sound, from which on it is noticed (ITU-R BT.1359)."""
HITS_PER_BAR = 5
"""More accents than this in one bar are a texture, and no longer hits: visual beats then give way."""
CUTS_PER_BAR = 8
BEAT_SPACE = 3
"""A visual beat keeps so many ticks from a cut, so that the cut stands out, and two from another."""
SYNCOPATED_BEAT = 0.75
"""A visual beat of less saliency is promised on eighths alone: it is not worth a syncopated sixteenth."""


@dataclass(frozen=True)
class Placed:
    """A promised moment and where its note falls: bar from 0, tick 0..15; written: sixteenths from the first bar line,
    with all bars as long as they are."""

    moment: Moment
    bar: int
    tick: int
    written: int = 0


@dataclass(frozen=True)
class Placement:
    """The promised moments in order of time; those that no tick lies near to; those that gave way to weightier ones."""

    hits: tuple[Placed, ...] = ()
    off_grid: tuple[Moment, ...] = ()
    crowded: tuple[Moment, ...] = ()


def place(moments: Sequence[Moment], tempo_map: TempoMap, bars: int, end_tick: int) -> Placement:
    """Put `moments` on the ticks of `bars` bars, of which the last ends with `end_tick`.

    A moment on the last frame, or in the ticks by which the last bar is longer than others, is left out without a note:
    the music is over.
    """
    if not moments:
        return Placement()
    times_s = np.array([each.time_s for each in moments])
    knots_s, knots_beat = _knots(tempo_map, bars)
    end = min(end_tick, bars * TICKS_PER_BAR)
    written_end = round(tempo_map.written_tick(0, end))
    ticks = np.rint(np.interp(times_s, knots_s, knots_beat) * TICKS_PER_BEAT)
    off_s = np.abs(np.interp(ticks / TICKS_PER_BEAT, knots_beat, knots_s) - times_s)
    candidates, off_grid = [], []
    for moment, tick, away_s in zip(moments, ticks.astype(int).tolist(), off_s.tolist(), strict=True):
        if tick >= written_end:
            continue
        weighty = moment.kind != "beat" or moment.saliency >= SYNCOPATED_BEAT
        if away_s > (WIDE_TOLERANCE_S if weighty else TOLERANCE_S):
            off_grid.append(moment)
        elif weighty or tick % 2 == 0:
            bar, within = tempo_map.place_of(tick)
            candidates.append(Placed(moment, bar, round(within), tick))
    kept, crowded = _thin(candidates)
    return Placement(kept, tuple(off_grid), crowded)


def _knots(tempo_map: TempoMap, bars: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The tempo map as a broken line from beats to seconds: far quicker than asking it moment by moment."""
    end = tempo_map.written_tick(bars) / TICKS_PER_BEAT
    times_s = [*(point.time_s for point in tempo_map.points), tempo_map.time_at_beat(end)]
    return np.array(times_s), np.array([*(point.beat for point in tempo_map.points), float(end)])


def bar_lines(tempo_map: TempoMap, bars: int, end_tick: int) -> NDArray[np.float64]:
    """Seconds of every bar line, and of the end (bars + 1,)."""
    times_s, beats = _knots(tempo_map, bars)
    written = np.array([tempo_map.first_tick(bar) for bar in range(bars + 1)]) / TICKS_PER_BEAT
    lines_s = np.interp(written, beats, times_s)
    lines_s[-1] = tempo_map.time_at_tick(0, end_tick)
    return np.asarray(lines_s)


def _thin(candidates: Sequence[Placed]) -> tuple[tuple[Placed, ...], tuple[Moment, ...]]:
    """The weightiest first: no two on one tick, a visual beat at some distance from all, so many in a bar."""
    cuts: set[int] = set()
    beats: set[int] = set()
    full: Counter[int] = Counter()
    kept, crowded = [], []
    for each in sorted(candidates, key=lambda one: (one.moment.kind == "beat", -one.moment.weight, one.moment.time_s)):
        if each.moment.kind == "beat":
            near_cut = not cuts.isdisjoint(range(each.written - BEAT_SPACE + 1, each.written + BEAT_SPACE))
            near_beat = not beats.isdisjoint((each.written - 1, each.written, each.written + 1))
            fits = not (near_cut or near_beat) and full[each.bar] < HITS_PER_BAR
        else:
            fits = each.written not in cuts and full[each.bar] < CUTS_PER_BAR
        if not fits:
            crowded.append(each.moment)
            continue
        (beats if each.moment.kind == "beat" else cuts).add(each.written)
        full[each.bar] += 1
        kept.append(each)
    return tuple(sorted(kept, key=lambda one: one.written)), tuple(crowded)
