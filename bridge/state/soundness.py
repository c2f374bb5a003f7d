"""Whether what was read back from the disk can be played: the right types are not all that the players need.

Threads and processes: no state, callable from any. What is unsound is left out, as what is damaged is: a score that an
older or newer version kept, or that somebody changed, must not keep the bridge from starting. What only the composer
asks of a plan is not looked at: there a mistake costs one job.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from hitpoint.model.music.meter import METERS
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Bar, Note

if TYPE_CHECKING:
    from hitpoint.bridge.state.store import JobRecord
    from hitpoint.model.plan.types import Plan

MOST_BPM, MOST_SECONDS = 1e4, 1e7
LONGEST_NOTE_TICKS = 1 << 20
_CHANNELS = range(len(INSTRUMENTS))


def is_sound_record(record: JobRecord) -> bool:
    """Whether the job has clips at moments that there are, and no programs or one for each instrument."""
    score, programs = record.score, record.programs
    moments = [score.fps, *(clip.start_s for clip in score.clips)]
    return bool(
        score.clips
        and score.fps > 0
        and all(_is_moment(moment) for moment in moments)
        and record.take >= 0
        and (not programs or (len(programs) == len(INSTRUMENTS) and all(0 <= each < 128 for each in programs)))
    )


def is_sound_plan(plan: Plan) -> bool:
    """Whether its bars are numbered from 0 and every moment of it lies somewhere."""
    points = plan.tempo_map.points
    rises = all(a.beat < b.beat and a.time_s < b.time_s for a, b in pairwise(points))
    return bool(
        plan.bars
        and [bar.index for bar in plan.bars] == list(range(len(plan.bars)))
        and points
        and rises
        and plan.tempo_map.meter in METERS
        and all(bar >= 0 and 0 < ticks <= 2 * TICKS_PER_BAR for bar, ticks in plan.tempo_map.odd_bars)
        and all(_is_moment(p.time_s) and _is_moment(p.beat) and 0 < p.bpm <= MOST_BPM for p in points)
        and all(_is_moment(hit.time_s) for hit in plan.hits)
        and 0 < plan.last_bar_ticks <= 2 * TICKS_PER_BAR
    )


def is_sound_bar(bar: Bar) -> bool:
    """Whether all of it is MIDI, and lies in a bar."""
    return (
        bar.index >= 0
        and all(_is_sound_note(note) for note in bar.notes)
        and all(
            each.instrument in _CHANNELS and 0 <= each.number < 128 and 0 <= each.value < 128 and _is_moment(each.tick)
            for each in bar.controllers
        )
        and all(instrument in _CHANNELS and 0 <= program < 128 for instrument, program in bar.programs)
    )


def _is_sound_note(note: Note) -> bool:
    return (
        note.instrument in _CHANNELS
        and 0 <= note.pitch < 128
        and 0 < note.velocity < 128
        and -1 <= note.tick <= 2 * TICKS_PER_BAR
        and 0 < note.duration_ticks <= LONGEST_NOTE_TICKS
        and _is_moment(note.shift_ticks)
        and _is_moment(note.release_ticks)
    )


def _is_moment(value: float) -> bool:
    return math.isfinite(value) and abs(value) <= MOST_SECONDS
