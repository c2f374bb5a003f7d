"""One row of the plot: who plays, how loud it is, where accents, breaths and fills are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BEAT, Score
from hitpoint.model.plan.types import Plan

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACCENT_MARKS = {"crash": "*", "chord": "D", "swell": "^", "stress": "."}
"""Kind of accent -> the shape that stands for it."""
ACCENT, LOUDNESS, LEAD, BREATH, FAINT = "#ffffff", "#ffe9a8", "#ffb86b", "#05060a", "#8c94a3"
_TOP = len(INSTRUMENTS)


def draw_arrangement(axis: Axes, score: Score, plan: Plan, colours: tuple[str, ...]) -> None:
    """A lane an instrument, filled where it sounds; the loudness of each beat as a line over them; accents on top.

    colours: of the instruments, in the order of INSTRUMENTS.
    """
    _players(axis, score, colours)
    _loudness(axis, score)
    for bar in plan.bars:
        if bar.lead:
            axis.text(plan.tempo_map.time_at_tick(bar.index, bar.ticks - 0.3), _TOP - 0.05, bar.lead, color=LEAD,
                      fontsize=7, ha="right", va="top")  # fmt: skip
    for hit in plan.hits:
        if hit.accent is not None:
            start = plan.tempo_map.time_at_tick(hit.bar, hit.tick - hit.accent.breath_ticks)
            axis.axvspan(start, plan.tempo_map.time_at_tick(hit.bar, hit.tick), color=BREATH, linewidth=0, zorder=3)
            axis.plot(hit.time_s, _TOP + 0.45, marker=ACCENT_MARKS[hit.accent.kind], color=ACCENT,
                      markersize=3 + 5 * hit.accent.size, linewidth=0, clip_on=False, zorder=6)  # fmt: skip
    axis.set_ylim(0, _TOP + 0.9)
    axis.set_yticks([])
    axis.text(0.998, 0.03, "* crash  ◆ chord  ▲ swell  • stress  ▮ breath  line: loudness", transform=axis.transAxes,
              color=FAINT, fontsize=7, ha="right", va="bottom")  # fmt: skip


def _players(axis: Axes, score: Score, colours: tuple[str, ...]) -> None:
    for instrument in score.instruments:
        bars = [bar.index for bar in score.bars if any(note.instrument == instrument for note in bar.notes)]
        spans = [(score.tempo_map.time_at_tick(bar), score.tempo_map.time_at_tick(bar + 1)) for bar in bars]
        lane = _TOP - 1 - instrument
        axis.broken_barh([(a, b - a) for a, b in spans], (lane + 0.15, 0.7), color=colours[instrument], alpha=0.45)


def _loudness(axis: Axes, score: Score) -> None:
    """The mean velocity of the notes that start in each beat, 0..127 over the height of the lanes."""
    at = score.tempo_map.written_tick
    beats = -(-round(at(len(score.bars))) // TICKS_PER_BEAT)
    total, count = np.zeros(beats), np.zeros(beats)
    for bar in score.bars:
        for note in bar.notes:
            beat = round(at(bar.index, note.tick)) // TICKS_PER_BEAT
            total[beat] += note.velocity
            count[beat] += 1
    times = [score.tempo_map.time_at_beat(beat + 0.5) for beat in range(beats)]
    heights = np.where(count > 0, total / np.maximum(count, 1) / 127 * _TOP, np.nan)
    axis.plot(times, heights, color=LOUDNESS, linewidth=1.2, zorder=4)
