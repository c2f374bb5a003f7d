"""The duck as channel volume in the MIDI itself, for players that know no envelopes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hitpoint.model.music.score import Bar, Controller, Score
from hitpoint.model.output.duck import Duck

VOLUME = 7
FULL = 100
"""What General MIDI has a channel begin with."""
STEPS_A_TICK = 4


def with_channel_volumes(score: Score, duck: Duck) -> Score:
    """The score with controller 7 for each instrument, a step each quarter of a tick where the duck moves.

    The value follows General MIDI's curve, gain = (value / 127)^2 (RP-015), from FULL down.
    """
    return replace(score, bars=tuple(_ducked(score, bar, duck) for bar in score.bars)) if duck.points else score


def _ducked(score: Score, bar: Bar, duck: Duck) -> Bar:
    last = bar.index == len(score.bars) - 1
    ticks = (
        np.arange(0, (score.last_bar_ticks if last else score.tempo_map.ticks_of(bar.index)) * STEPS_A_TICK)
        / STEPS_A_TICK
    )
    times_s = np.array([score.tempo_map.time_at_tick(bar.index, float(tick)) for tick in ticks])
    values = np.rint(FULL * np.sqrt(duck.at(times_s))).astype(int)
    moves = [(float(tick), int(value)) for tick, value in zip(ticks, values, strict=True)]
    kept = [move for index, move in enumerate(moves) if index == 0 or move[1] != moves[index - 1][1]]
    added = [Controller(tick, k, VOLUME, value) for tick, value in kept for k in score.instruments]
    return replace(bar, controllers=tuple(sorted([*bar.controllers, *added])))
