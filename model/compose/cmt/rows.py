"""A bar written row by row: every row is one question, with a table for whatever may be drawn in it.

The grammar is that of `write_bar` (tests hold them to the same bars), asked one row ahead: a table also holds what
would be allowed after choices that are then not made. So whoever draws needs no answer between the attributes of a row.
What is drawn together: instrument and strength; pitch, duration and velocity; and behind the last row of a simu-note
the beat that follows, since no pitch changes what may come then.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.cmt.grammar import (
    PITCH_RANGE,
    BarTask,
    Grammar,
    Mask,
    duration_mask,
    lowest_after,
    pitch_mask,
    row_of_locked,
    velocity_mask,
)
from hitpoint.model.compose.cmt.leaning import Place
from hitpoint.model.music import tokens
from hitpoint.model.music.score import Bar, Note
from hitpoint.model.music.tokens import BAR_LINE, DURATIONS, FIRST_TICK

NEVER = np.float32(-np.inf)
Nats = NDArray[np.float32]
"""By class, minus infinity where it is not allowed; (classes,), or (classes of what is drawn before, classes)."""


class RowAsk(NamedTuple):
    """A row to be drawn and read. values: in the order of FIELDS, 0 where it is drawn. tick: where it stands.

    tables: by attribute, of what is drawn in the row; none of them where all of it is known. beat: of the beat of the
    row after it, (1, classes), or (density classes, classes) where the density is drawn; None where it is not asked.
    """

    values: tuple[int, ...]
    tick: int
    tables: Mapping[str, Nats] = {}
    beat: Nats | None = None


class Drawn(NamedTuple):
    """The classes drawn: of the row's attributes in the order of its tables, and of the beat."""

    classes: tuple[int, int, int]
    beat: int


RowWriter = Generator[RowAsk, Drawn, Bar]


def write_rows(task: BarTask) -> RowWriter:
    """The same bar as `write_bar`'s, row by row."""
    grammar = Grammar(task)
    density, beat = yield from _bar_row(grammar)
    grammar.begin(density)
    notes: list[Note] = []
    while beat not in (0, BAR_LINE):
        tick = beat - FIRST_TICK
        place = grammar.at(tick)
        tables = _onset_tables(grammar, place)
        drawn = yield RowAsk(
            (tokens.RHYTHM, beat, _owed_with(grammar, tick), 0, 0, 0, 0, 0), tick, tables
        )  # fmt: skip
        instrument, strength = drawn.classes[0] - 1, drawn.classes[1] - 1
        task.chose("strength", place._replace(instrument=instrument))
        grammar.put(tick, instrument, strength)
        beat = yield from _simu_note(grammar, strength, notes)
    return Bar(task.index, tuple(sorted(notes)))


def _owed_with(grammar: Grammar, tick: int) -> int:
    """Onset ticks still owed, that of the row itself among them."""
    return grammar.owed_ticks + (tick == grammar.tick)


def _bar_row(grammar: Grammar) -> Generator[RowAsk, Drawn, tuple[int, int]]:
    """Density and first beat (0 where none is left to draw)."""
    mask = grammar.densities()
    if mask.sum() == 1:
        density = int(mask.argmax()) - 1
        grammar.begin(density)
        table = _beat_table(grammar)
        beat = None if table is None else table[None]
        drawn = yield RowAsk((tokens.RHYTHM, BAR_LINE, density + 1, 0, 0, 0, 0, 0), 0, {}, beat)
        return density, 0 if beat is None else drawn.beat
    beats = np.full((len(mask), tokens.SIZES[tokens.BEAT]), NEVER)
    for density_class in np.flatnonzero(mask):
        grammar.begin(int(density_class) - 1)
        table = _beat_table(grammar)
        if table is None:
            beats[density_class, BAR_LINE] = 0.0  # the bar is empty then; nothing is left to draw
        else:
            beats[density_class] = table
    drawn = yield RowAsk((tokens.RHYTHM, BAR_LINE, 0, 0, 0, 0, 0, 0), 0, {"density": _nats(mask, {})}, beats)
    return drawn.classes[0] - 1, drawn.beat


def _beat_table(grammar: Grammar) -> Nats | None:
    """What may come after a finished row; None where nothing but the bar's end can."""
    mask = grammar.beats()
    if not mask[FIRST_TICK:].any():
        return None
    return _nats(mask, grammar.task.lean("beat", grammar.place))


def _onset_tables(grammar: Grammar, place: Place) -> dict[str, Nats]:
    task, tick = grammar.task, place.tick
    mask = grammar.instruments(tick)
    strengths = np.full((len(mask), tokens.SIZES[tokens.STRENGTH]), NEVER)
    for choice in np.flatnonzero(mask):
        instrument = int(choice) - 1
        lean = task.lean("strength", place._replace(instrument=instrument))
        strengths[choice] = _nats(grammar.strengths(tick, instrument), lean)
    return {"instrument": _nats(mask, task.lean("instrument", place)), "strength": strengths}


def _simu_note(grammar: Grammar, strength: int, notes: list[Note]) -> Generator[RowAsk, Drawn, int]:
    """The notes of one simu-note, appended to `notes`; returns the beat that follows."""
    task, place = grammar.task, grammar.place
    locked = [note for note in task.locked if (note.tick, note.instrument) == (place.tick, place.instrument)]
    low, high = PITCH_RANGE[place.instrument]
    beat = 0
    for number in range(strength):
        owed = strength - number - 1
        place = place._replace(owed_notes=owed)
        table = _beat_table(grammar) if owed == 0 else None
        values: tuple[int, ...] = (tokens.NOTE, 0, 0, owed + 1, place.instrument + 1, 0, 0, 0)
        following = None if table is None else table[None]
        if locked:
            note, values = locked[number], row_of_locked(locked[number], owed)
            drawn = yield RowAsk(values, place.tick, {}, following)
        else:
            drawn = yield RowAsk(values, place.tick, _note_tables(task, place, low, high - owed), following)
            pitch, duration, velocity = drawn.classes
            task.chose("duration", place._replace(low=pitch - 1))
            ticks, loudness = DURATIONS[duration - 1], tokens.velocity_of(velocity)
            note = Note(place.tick, place.instrument, pitch - 1, ticks, loudness)
        low = lowest_after(note.pitch, place.instrument, owed)
        notes.append(note)
        beat = 0 if table is None else drawn.beat
    return beat


def _note_tables(task: BarTask, place: Place, low: int, high: int) -> dict[str, Nats]:
    mask = pitch_mask(task, place, low, high)
    pitches = np.flatnonzero(mask) - 1
    lengths = duration_mask(task, place)
    durations = np.full((len(mask), len(lengths)), NEVER)
    durations[pitches + 1] = np.where(lengths, np.float32(0.0), NEVER)
    wishes = np.zeros(durations.shape)
    for leaning in task.leanings:
        if "duration" in leaning.leans_on:
            for nats, those in _by_table(leaning.durations(place, pitches.tolist())):
                wishes[np.ix_(those, list(nats))] += list(nats.values())
    durations += wishes.astype(np.float32)
    return {
        "pitch": _nats(mask, task.lean("pitch", place._replace(low=low))),
        "duration": durations,
        "velocity": _nats(velocity_mask(), {}),
    }


def _by_table(wishes: Mapping[int, Mapping[int, float]]) -> list[tuple[Mapping[int, float], list[int]]]:
    """The same nats for several pitches are added in one go: (nats by class, classes of the pitches)."""
    found: dict[int, tuple[Mapping[int, float], list[int]]] = {}
    for pitch, nats in wishes.items():
        found.setdefault(id(nats), (nats, []))[1].append(pitch + 1)
    return list(found.values())


def _nats(mask: Mask, lean: Mapping[int, float]) -> Nats:
    table: Nats = np.where(mask, np.float32(0.0), NEVER)
    if lean:
        table[list(lean)] += np.fromiter(lean.values(), np.float32, len(lean))
    return table
