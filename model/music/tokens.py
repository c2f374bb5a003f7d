"""Notes <-> token rows: the compound words of CMT (Di et al. 2021, section 4.1), with velocity as an eighth attribute.

A bar is a bar row, then for each tick and instrument that starts notes a beat row followed by its note rows. The
bar row carries the bar's density; each beat row carries how many ticks are still to come, so that the density counts
down. A beat row carries its simu-note's strength; each note row carries how many notes are still owed after it, so
that the strength counts down as well (the paper leaves that attribute empty on notes). Rows within a bar rise in
(tick, instrument, pitch). Class 0 of every attribute but the type means "not used here".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import GENRES, INSTRUMENTS, TICKS_PER_BAR, Bar, Note

FIELDS = ("type", "beat", "density", "strength", "instrument", "pitch", "duration", "velocity")
TYPE, BEAT, DENSITY, STRENGTH, INSTRUMENT, PITCH, DURATION, VELOCITY = range(len(FIELDS))

EOS, RHYTHM, NOTE, INIT = range(4)
BAR_LINE = 1
FIRST_TICK = 2
MAX_SIMU_NOTE = 8
DURATIONS = (*range(1, 33), 40, 48, 56, 64)
VELOCITY_STEP = 8

SIZES = (4, FIRST_TICK + TICKS_PER_BAR, TICKS_PER_BAR + 2, MAX_SIMU_NOTE + 2, len(INSTRUMENTS) + 1, 129,
         len(DURATIONS) + 1, 128 // VELOCITY_STEP + 1)  # fmt: skip
"""Classes of each field, in the order of FIELDS."""

INIT_IDS = len(GENRES) + 1 + len(INSTRUMENTS)
"""Initial tokens: 0 unknown genre, then the genres, then the instruments. They stand in the pitch column."""

Rows = NDArray[np.int16]
"""(n, 8) in the order of FIELDS."""

_DURATION_CLASS = np.searchsorted(
    np.array([(low + high) / 2 for low, high in pairwise(DURATIONS)]), np.arange(0, 65)
).astype(np.int16)


class Notes(NamedTuple):
    """Notes as parallel arrays (n,), sorted by (bar, tick, instrument, pitch); classes as in Note."""

    bar: NDArray[np.int32]
    tick: NDArray[np.int16]
    instrument: NDArray[np.int16]
    pitch: NDArray[np.int16]
    duration: NDArray[np.int16]
    velocity: NDArray[np.int16]

    def where(self, keep: NDArray[np.bool_]) -> Notes:
        """The notes of a mask (n,)."""
        return Notes(*(column[keep] for column in self))  # type: ignore[arg-type]  # a tuple's columns keep their types


class Encoded(NamedTuple):
    """Token rows with the bar (n,) each belongs to and the tick 0..15 (n,) it stands on (0 for a bar row)."""

    rows: Rows
    bar: NDArray[np.int32]
    tick: NDArray[np.int16]


def duration_class(ticks: NDArray[np.int16]) -> NDArray[np.int16]:
    """Ticks (n,), 1 or more -> classes 1..36; the nearest of DURATIONS, the longest for more."""
    classes: NDArray[np.int16] = _DURATION_CLASS[np.clip(ticks, 1, DURATIONS[-1])] + np.int16(1)
    return classes


def velocity_class(velocity: NDArray[np.int16]) -> NDArray[np.int16]:
    """MIDI velocities (n,) -> classes 1..16, eight velocities wide."""
    return (velocity // VELOCITY_STEP + 1).astype(np.int16)


def velocity_of(velocity_cls: int) -> int:
    """The middle of a velocity class, 4..124."""
    return (velocity_cls - 1) * VELOCITY_STEP + VELOCITY_STEP // 2


def init_rows(genre: str | None, instruments: Sequence[int]) -> Rows:
    """The initial tokens: genre (None = unknown), then one row an instrument, rising. Shape (1 + k, 8)."""
    ids = [0 if genre is None else 1 + GENRES.index(genre)]
    ids += [len(GENRES) + 1 + instrument for instrument in sorted(instruments)]
    rows = np.zeros((len(ids), len(FIELDS)), np.int16)
    rows[:, TYPE] = INIT
    rows[:, PITCH] = ids
    return rows


def encode(notes: Notes, bars: int, *, end: bool) -> Encoded:
    """Notes of bars 0..bars-1 -> rows. No simu-note may be larger than MAX_SIMU_NOTE (`trim` sees to it).

    end: append the end row, which belongs to bar `bars`.
    """
    n = len(notes.bar)
    tick_key = notes.bar.astype(np.int64) * TICKS_PER_BAR + notes.tick
    first, group_of_note, sizes = _simu_notes(tick_key * len(INSTRUMENTS) + notes.instrument)
    ticks = np.unique(tick_key)
    density = np.bincount(ticks // TICKS_PER_BAR, minlength=bars)[:bars]
    bar_of_group = notes.bar[first]
    at_bar, at_group, at_note = _row_numbers(notes, bars, first, group_of_note)

    total = bars + len(first) + n + int(end)
    rows = np.zeros((total, len(FIELDS)), np.int16)
    bar_column = np.zeros(total, np.int32)
    tick_column = np.zeros(total, np.int16)

    rows[:, TYPE] = NOTE
    rows[at_bar, TYPE] = RHYTHM
    rows[at_bar, BEAT] = BAR_LINE
    rows[at_bar, DENSITY] = density + 1
    bar_column[at_bar] = np.arange(bars)

    rows[at_group, TYPE] = RHYTHM
    rows[at_group, BEAT] = FIRST_TICK + notes.tick[first]
    rank = np.searchsorted(ticks, tick_key[first])
    ticks_up_to_bar = np.cumsum(density)
    rows[at_group, DENSITY] = ticks_up_to_bar[bar_of_group] - rank
    rows[at_group, STRENGTH] = sizes + 1
    rows[at_group, INSTRUMENT] = notes.instrument[first] + 1
    bar_column[at_group] = bar_of_group
    tick_column[at_group] = notes.tick[first]

    rows[at_note, STRENGTH] = sizes[group_of_note] - (np.arange(n) - first[group_of_note])
    rows[at_note, INSTRUMENT] = notes.instrument + 1
    rows[at_note, PITCH] = notes.pitch + 1
    rows[at_note, DURATION] = duration_class(notes.duration)
    rows[at_note, VELOCITY] = velocity_class(notes.velocity)
    bar_column[at_note] = notes.bar
    tick_column[at_note] = notes.tick

    if end:
        rows[-1] = 0
        bar_column[-1] = bars
    return Encoded(rows, bar_column, tick_column)


def _simu_notes(key: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Runs of equal keys (n,): the first note of each run, the run of each note, the notes in each run."""
    new = np.ones(len(key), bool)
    new[1:] = key[1:] != key[:-1]
    first = np.flatnonzero(new)
    return first, np.cumsum(new) - 1, np.diff(np.append(first, len(key)))


def _row_numbers(
    notes: Notes, bars: int, first: NDArray[np.int64], group_of_note: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Where the rows of bars, simu-notes and notes stand: a bar's row, then each simu-note's row before its notes."""
    bar_of_group = notes.bar[first]
    groups_before = np.searchsorted(bar_of_group, np.arange(bars))
    notes_before = np.searchsorted(notes.bar, np.arange(bars))
    return (
        np.arange(bars) + groups_before + notes_before,
        bar_of_group + 1 + np.arange(len(first)) + first,
        notes.bar + 1 + group_of_note + 1 + np.arange(len(notes.bar)),
    )


def decode(rows: Rows) -> list[Bar]:
    """Rows -> bars, in order; init and end rows are passed over. Durations and velocities are those of the classes.

    Raises ValueError where the rows break the grammar.
    """
    bars: list[list[Note]] = []
    tick = instrument = -1
    for row in rows.tolist():
        kind = row[TYPE]
        if kind == NOTE:
            if tick < 0:
                raise ValueError("a note row before any beat row of its bar")
            velocity = velocity_of(row[VELOCITY])
            bars[-1].append(Note(tick, instrument, row[PITCH] - 1, DURATIONS[row[DURATION] - 1], velocity))
        elif kind == RHYTHM and row[BEAT] == BAR_LINE:
            bars.append([])
            tick = -1
        elif kind == RHYTHM:
            if not bars:
                raise ValueError("a beat row before any bar row")
            tick, instrument = row[BEAT] - FIRST_TICK, row[INSTRUMENT] - 1
    return [Bar(index, tuple(notes)) for index, notes in enumerate(bars)]


def notes_of(bars: Sequence[Bar]) -> Notes:
    """Bars as parallel arrays; the n-th bar of the sequence is bar n."""
    table = np.array(
        [
            (number, note.tick, note.instrument, note.pitch, note.duration_ticks, note.velocity)
            for number, bar in enumerate(bars)
            for note in bar.notes
        ],
        np.int32,
    ).reshape(-1, 6)
    return sort_notes(table)


def sort_notes(table: NDArray[np.int32]) -> Notes:
    """A table (n, 6) of bar, tick, instrument, pitch, duration, velocity -> sorted Notes, one per (onset, pitch)."""
    order = np.lexsort((-table[:, 4], table[:, 3], table[:, 2], table[:, 1], table[:, 0]))
    table = table[order]
    if len(table):
        keep = np.ones(len(table), bool)
        keep[1:] = np.any(table[1:, :4] != table[:-1, :4], axis=1)
        table = table[keep]
    return notes_of_table(table)


def notes_of_table(table: NDArray[np.int32] | NDArray[np.uint16]) -> Notes:
    """A sorted table (n, 6) of bar, tick, instrument, pitch, duration, velocity as Notes."""
    return Notes(table[:, 0].astype(np.int32), *(table[:, column].astype(np.int16) for column in range(1, 6)))


def trim(notes: Notes) -> Notes:
    """Keep at most MAX_SIMU_NOTE notes of a simu-note: the lowest and the highest ones."""
    key = (notes.bar.astype(np.int64) * TICKS_PER_BAR + notes.tick) * len(INSTRUMENTS) + notes.instrument
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    if not len(counts) or counts.max() <= MAX_SIMU_NOTE:
        return notes
    within = np.arange(len(key)) - np.repeat(first, counts)
    size = np.repeat(counts, counts)
    half = MAX_SIMU_NOTE // 2
    keep = (size <= MAX_SIMU_NOTE) | (within < half) | (within >= size - half)
    return notes.where(keep)
