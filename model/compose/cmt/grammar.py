"""What may come next in a bar: the masks that make control exact (density, strength, end), by construction.

A bar is written tick by tick. At any moment the grammar knows the onset ticks still owed (r), the notes still owed to
the simu-note being written (q) and the required ticks ahead (V), and allows a class only if the rest of the bar can
still be completed: v(j) <= r <= free(j), with v(j) the required ticks from j on and free(j) = 16 - j. Masks only
ever narrow the network's own probabilities; no sampled token is overwritten.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.cmt.leaning import Leaning, Place, total
from hitpoint.model.music import tokens
from hitpoint.model.music.score import INSTRUMENTS, MAX_STRENGTH, TICKS_PER_BAR, Bar, Note
from hitpoint.model.music.tokens import BAR_LINE, DURATIONS, FIRST_TICK, MAX_SIMU_NOTE

PITCH_RANGE = ((35, 81), (21, 108), (28, 88), (23, 67), (28, 103))
"""Lowest and highest MIDI pitch of each instrument: General MIDI percussion keys, then what the instruments reach."""
MUD = 48
"""Below this pitch the notes of one chord stand at least a fifth apart."""
FIFTH = 7

Mask = NDArray[np.bool_]
_SIZE = dict(zip(tokens.FIELDS, tokens.SIZES, strict=True))


class Ask(NamedTuple):
    """A request for one attribute: its name, what is known of the same token, which classes are allowed, and the nats
    to be added to some of them."""

    attribute: str
    known: dict[str, int]
    mask: Mask
    lean: Mapping[int, float] = {}


class Row(NamedTuple):
    """A finished token row, in the order of FIELDS, and the tick 0..15 on which it stands."""

    values: tuple[int, ...]
    tick: int


Writer = Generator[Ask | Row, int, Bar]
"""Yields Ask (answered with a class) and Row (answered with 0) in turn; returns the finished bar."""


@dataclass(frozen=True)
class BarTask:
    """What one bar must hold.

    density: onset ticks, None = the network's choice. required: tick -> strength. instruments: those that may be
    written. locked: notes that stand already and are repeated as they are. ticks_left: from the bar's start to the end
    of the piece; no note reaches beyond it. closed: (tick, instrument) pairs on which none may start. entries:
    (tick, instrument) pairs that must sound. stops: ticks, counted on over the bar line, at which held notes end.
    caps: tick -> the largest simu-note there, where nothing is required; no crash either. leanings: what the bar
    would rather be like.
    """

    index: int
    instruments: tuple[int, ...]
    ticks_left: int
    density: int | None = None
    required: Mapping[int, int] = field(default_factory=dict)
    locked: Sequence[Note] = ()
    leanings: tuple[Leaning, ...] = ()
    closed: frozenset[tuple[int, int]] = frozenset()
    entries: frozenset[tuple[int, int]] = frozenset()
    stops: tuple[int, ...] = ()
    caps: Mapping[int, int] = field(default_factory=dict)

    @property
    def key(self) -> Hashable:
        """All that masks depend on."""
        required, caps = (tuple(sorted(each.items())) for each in (self.required, self.caps))
        return (
            self.instruments, self.ticks_left, self.density, required, tuple(self.locked), self.closed, self.entries,
            self.stops, caps,
        )  # fmt: skip

    def lean(self, attribute: str, place: Place) -> Mapping[int, float]:
        """Nats by class."""
        return total(self.leanings, attribute, place)

    def chose(self, attribute: str, place: Place) -> None:
        """Tell the leanings of a choice."""
        for leaning in self.leanings:
            leaning.chose(attribute, place)


def write_bar(task: BarTask) -> Writer:
    """The bar row, then simu-note after simu-note until the density is spent."""
    grammar = Grammar(task)
    density = yield from _density(grammar)
    yield Row((tokens.RHYTHM, BAR_LINE, density + 1, 0, 0, 0, 0, 0), 0)
    grammar.begin(density)
    notes: list[Note] = []
    while True:
        known = {"type": tokens.RHYTHM}
        mask = grammar.beats()
        if not mask[FIRST_TICK:].any():
            break
        beat = yield Ask("beat", known, mask, task.lean("beat", grammar.place))
        if beat == BAR_LINE:
            break
        tick = beat - FIRST_TICK
        known["beat"] = beat
        place = grammar.at(tick)
        allowed = grammar.instruments(tick)
        instrument = (yield Ask("instrument", known, allowed, task.lean("instrument", place))) - 1
        known["instrument"] = instrument + 1
        place = place._replace(instrument=instrument)
        allowed = grammar.strengths(tick, instrument)
        strength = (yield Ask("strength", known, allowed, task.lean("strength", place))) - 1
        task.chose("strength", place)
        grammar.put(tick, instrument, strength)
        remaining = grammar.owed_ticks + 1
        yield Row((tokens.RHYTHM, beat, remaining, strength + 1, instrument + 1, 0, 0, 0), tick)
        notes += yield from simu_note(task, grammar.place, strength)
    return Bar(task.index, tuple(sorted(notes)))


def _density(grammar: Grammar) -> Generator[Ask | Row, int, int]:
    mask = grammar.densities()
    if mask.sum() == 1:
        return int(mask.argmax()) - 1
    return (yield Ask("density", {"type": tokens.RHYTHM, "beat": BAR_LINE}, mask)) - 1


def simu_note(task: BarTask, place: Place, strength: int) -> Generator[Ask | Row, int, list[Note]]:
    """The notes of one simu-note, rising in pitch. Locked notes are given to the network as they are."""
    tick, instrument = place.tick, place.instrument
    locked = [note for note in task.locked if note.tick == tick and note.instrument == instrument]
    low, high = PITCH_RANGE[instrument]
    notes: list[Note] = []
    for number in range(strength):
        owed = strength - number - 1
        place = place._replace(owed_notes=owed)
        if locked:
            note, row = locked[number], row_of_locked(locked[number], owed)
        else:
            mask = pitch_mask(task, place, low, high - owed)
            known = {"type": tokens.NOTE}
            pitch = (yield Ask("pitch", known, mask, task.lean("pitch", place._replace(low=low)))) - 1
            known["pitch"] = pitch + 1
            sung = place._replace(low=pitch)
            duration = yield Ask("duration", known, duration_mask(task, place), task.lean("duration", sung))
            task.chose("duration", sung)
            known["duration"] = duration
            velocity = yield Ask("velocity", known, velocity_mask())
            note = Note(tick, instrument, pitch, DURATIONS[duration - 1], tokens.velocity_of(velocity))
            row = (tokens.NOTE, 0, 0, owed + 1, instrument + 1, pitch + 1, duration, velocity)
        low = lowest_after(note.pitch, instrument, owed)
        notes.append(note)
        yield Row(row, tick)
    return notes


CRASHES = [pitch + 1 for pitch in (49, 52, 55, 57)]
_ALL_VELOCITIES = np.arange(_SIZE["velocity"]) >= 3  # class 1 and 2 are below hearing


def row_of_locked(note: Note, owed: int) -> tuple[int, ...]:
    """The row of a note that stands already, with `owed` notes of its simu-note still to come."""
    ticks, loudness = np.array([note.duration_ticks], np.int16), np.array([note.velocity], np.int16)
    duration, velocity = int(tokens.duration_class(ticks)[0]), int(tokens.velocity_class(loudness)[0])
    return (tokens.NOTE, 0, 0, owed + 1, note.instrument + 1, note.pitch + 1, duration, velocity)


def lowest_after(pitch: int, instrument: int, owed: int) -> int:
    """The lowest pitch for the note above this one in the same chord, `owed` of which are still to come."""
    high = PITCH_RANGE[instrument][1]
    apart = pitch < MUD and pitch + FIFTH + owed <= high and INSTRUMENTS[instrument] not in ("drums", "bass")
    return pitch + (FIFTH if apart else 1)


def pitch_mask(task: BarTask, place: Place, low: int, high: int) -> Mask:
    """Pitches low..high; where something is capped no crash."""
    mask = np.zeros(_SIZE["pitch"], bool)
    mask[low + 1 : high + 2] = True
    if place.tick in task.caps and INSTRUMENTS[place.instrument] == "drums":
        mask[CRASHES] = False
    return mask


def velocity_mask() -> Mask:
    """All that can be heard."""
    return _ALL_VELOCITIES


def duration_mask(task: BarTask, place: Place) -> Mask:
    """Nothing reaches beyond the next stop or the end of the piece; the last onset's pitched notes reach just there."""
    ticks_left = task.ticks_left - place.tick
    if INSTRUMENTS[place.instrument] != "drums":
        # The last bar may be shorter or a little longer than others.
        if task.ticks_left < TICKS_PER_BAR * 3 // 2 and place.owed_ticks == 0:
            return np.array([False, *(ticks == ticks_left for ticks in DURATIONS)])
        ticks_left = min([ticks_left, *(stop - place.tick for stop in task.stops if stop > place.tick)])
    return np.array([False, *(ticks <= ticks_left for ticks in DURATIONS)])


class Grammar:
    """The state of one bar being written, and the masks that follow from it."""

    def __init__(self, task: BarTask) -> None:
        self.task = task
        self.locked = {(note.tick, note.instrument): 0 for note in task.locked}
        for note in task.locked:
            self.locked[note.tick, note.instrument] += 1
        self.ticks = min(TICKS_PER_BAR, task.ticks_left)
        self.locked_ticks = {tick for tick, _ in self.locked}
        self.open = [self._open_on(tick) if tick < self.ticks else () for tick in range(TICKS_PER_BAR)]
        self.required = {tick: self._reachable(tick, strength) for tick, strength in task.required.items()}
        self.entries = {(tick, k) for tick, k in task.entries if k in self.open[tick] or (tick, k) in self.locked}
        self.musts = sorted({*self.required, *self.locked_ticks, *(tick for tick, _ in self.entries)})
        self.able = sorted({*self.musts, *(tick for tick in range(TICKS_PER_BAR) if self.open[tick])})
        self.tick = -1
        self.instrument = -1
        self.owed_ticks = 0
        self.loudest = 0

    def _open_on(self, tick: int) -> tuple[int, ...]:
        """Instruments that may start notes on a tick; what is promised there opens it to somebody in any case."""
        able = tuple(k for k in self.task.instruments if (tick, k) not in self.task.closed)
        return able if able or tick not in self.task.required else self.task.instruments

    def _reachable(self, tick: int, strength: int) -> int:
        """A strength that the instruments can play there: what is locked already counts, and may be more."""
        standing = max((n for (at, _), n in self.locked.items() if at == tick), default=0)
        able = max((MAX_STRENGTH[k] for k in self.open[tick] if (tick, k) not in self.locked), default=0)
        return max(standing, min(strength, max(able, standing)))

    def densities(self) -> Mask:
        """Classes of the bar's density: what is asked, raised to the ticks that must sound; else any that fits."""
        mask = np.zeros(_SIZE["density"], bool)
        most = len(self.able)
        if self.task.density is None:
            mask[len(self.musts) + 1 : most + 2] = True
        else:
            mask[min(max(self.task.density, len(self.musts)), most) + 1] = True
        return mask

    def begin(self, density: int) -> None:
        """The bar row is written: `density` ticks are owed."""
        self.owed_ticks = density

    def _musts_on(self, tick: int) -> set[int]:
        """Instruments that must sound on a tick: those that stand there, and those that enter."""
        return {k for (at, k) in self.locked if at == tick} | {k for (at, k) in self.entries if at == tick}

    def _unmet(self) -> bool:
        return self.tick in self.required and self.loudest < self.required[self.tick]

    def beats(self) -> Mask:
        """Classes of the next beat: the same tick again, a later tick, or the bar line."""
        mask = np.zeros(_SIZE["beat"], bool)
        if self.tick >= 0 and self.instruments(self.tick).any():
            mask[FIRST_TICK + self.tick] = True
        due = self.tick >= 0 and any(k > self.instrument for k in self._musts_on(self.tick))
        if due or (self.tick >= 0 and self._unmet()):
            return mask
        if self.owed_ticks == 0:
            mask[BAR_LINE] = True
            return mask
        ahead = [tick for tick in self.musts if tick > self.tick]
        first = ahead[0] if ahead else self.ticks - 1
        after = self.owed_ticks - 1
        for number, tick in enumerate(self.able):
            if self.tick < tick <= first:
                needed = len(ahead) - (tick == first and bool(ahead))
                mask[FIRST_TICK + tick] = needed <= after <= len(self.able) - 1 - number
        return mask

    def instruments(self, tick: int) -> Mask:
        """Classes of the instrument on `tick`: later than the last one there, none locked passed over, and for an
        accent not yet reached one that can reach it, or leaves another that can."""
        mask = np.zeros(_SIZE["instrument"], bool)
        last, loudest = (self.instrument, self.loudest) if tick == self.tick else (-1, 0)
        standing = sorted(k for (at, k) in self.locked if at == tick and k > last)
        limit = min((k for k in self._musts_on(tick) if k > last), default=len(INSTRUMENTS))
        free = [k for k in self.open[tick] if k > last and (tick, k) not in self.locked]
        wanted = self.required.get(tick, 0)
        for k in sorted({*free, *standing}):
            if k > limit:
                break
            if loudest >= wanted or self._reach(tick, k, free, standing) >= wanted:
                mask[k + 1] = True
        return mask

    def _reach(self, tick: int, instrument: int, free: Sequence[int], standing: Sequence[int]) -> int:
        """The strength that `instrument` or any later one can give `tick`."""
        able = [MAX_STRENGTH[k] for k in free if k >= instrument]
        return max([*able, *(self.locked[tick, k] for k in standing if k >= instrument)], default=0)

    def strengths(self, tick: int, instrument: int) -> Mask:
        """Classes of the strength: what stands if locked; at an accent at most its strength, and just that when no
        later instrument could reach it."""
        mask = np.zeros(_SIZE["strength"], bool)
        if (tick, instrument) in self.locked:
            mask[self.locked[tick, instrument] + 1] = True
            return mask
        low, high = PITCH_RANGE[instrument]
        most = min(MAX_SIMU_NOTE, high - low + 1, MAX_STRENGTH[instrument] + 2, self.task.caps.get(tick, MAX_SIMU_NOTE))
        wanted = self.required.get(tick)
        least = 1
        if wanted is not None:
            most = min(MAX_SIMU_NOTE, high - low + 1, MAX_STRENGTH[instrument] + 2, wanted)
            loudest = self.loudest if tick == self.tick else 0
            free = [k for k in self.open[tick] if (tick, k) not in self.locked]
            standing = [k for (at, k) in self.locked if at == tick]
            if loudest < wanted and self._reach(tick, instrument + 1, free, standing) < wanted:
                least = wanted
        mask[least + 1 : most + 2] = True
        return mask

    @property
    def place(self) -> Place:
        """Where the writer stands."""
        return self.at(self.tick)

    def at(self, tick: int) -> Place:
        """Where it would stand with `tick` as its next beat."""
        same = tick == self.tick
        instrument = self.instrument if same else -1
        return Place(tick, instrument, 0, self.owed_ticks - (not same))

    def put(self, tick: int, instrument: int, strength: int) -> None:
        """A simu-note is decided; a new tick spends one of the owed ones."""
        if tick != self.tick:
            self.owed_ticks -= 1
            self.loudest = 0
        self.tick, self.instrument = tick, instrument
        self.loudest = max(self.loudest, strength)
