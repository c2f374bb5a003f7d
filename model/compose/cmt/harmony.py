"""Where the harmony moves on: chords to lean to at the ticks that the plan names, and the home key of the piece."""

from __future__ import annotations

from collections.abc import Sequence, Set
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.cmt.echo import recalled
from hitpoint.model.compose.cmt.grammar import PITCH_RANGE
from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.compose.cmt.wishes import ROOT, Wishes, pitches_of
from hitpoint.model.music.harmony import key_of
from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Bar
from hitpoint.model.music.symbols import parse_key
from hitpoint.model.plan.types import BarPlan

HALF = TICKS_PER_BAR // 2
CHORD_NATS, ROOT_NATS, BASS_NATS, OUTSIDE_NATS = 2.5, 1.5, 5.0, -1.5
"""For the tones of the chord, for its root below where no bass plays, for its root in the bass, and against all else
while the chord is new."""
HOLD_NATS = 1.2
"""For the chord that stands before a change within the bar, so that the change is one."""
FOREIGN_NATS = -2.2
"""Against pitches outside the home key's scale."""
TENSE, TENSE_FREEDOM = 0.45, 1.2
"""Above this tension they are less foreign, by so much of it at full tension."""
KEPT_KEYS = 1024
HOME_BARS = 8
"""The home key is that of the first bars; fewer than four say nothing of it."""
CLOSE_TONES = 2
CLOSE_SHARE = 0.4
"""A chord that shares so many tones with the one before is taken less often: the change would hardly be heard."""
_MAJOR_STEPS = {0: 0.22, 5: 0.22, 7: 0.2, 9: 0.2, 2: 0.11, 4: 0.05}
_MINOR_STEPS = {0: 0.25, 8: 0.22, 10: 0.18, 3: 0.15, 5: 0.13, 7: 0.07}
"""How often each diatonic triad is moved to, by its root's distance from the tonic."""
_MINOR_TRIADS = {False: (2, 4, 9), True: (0, 5)}


class Chord(NamedTuple):
    """Pitch classes 0..11, the root first."""

    root: int
    third: int
    fifth: int


def _triad(root: int, minor: bool) -> Chord:
    return Chord(root % 12, (root + 4 - minor) % 12, (root + 7) % 12)


_BASS = INSTRUMENTS.index("bass")
_OTHERS = [k for k, name in enumerate(INSTRUMENTS) if name not in ("drums", "bass")]
_TRIADS = tuple(_triad(root, minor) for root in range(12) for minor in (False, True))


def chord_of(bar: Bar, first_tick: int = 0) -> Chord | None:
    """The triad that fits best what sounds from `first_tick` on, the bass counting double; None without pitches."""
    weights = np.zeros(12)
    for note in bar.notes:
        sounding = min(note.tick + note.duration_ticks, TICKS_PER_BAR) - max(note.tick, first_tick)
        if note.instrument and sounding > 0:
            weights[note.pitch % 12] += sounding * (2 if INSTRUMENTS[note.instrument] == "bass" else 1)
    if not weights.any():
        return None
    return max(_TRIADS, key=lambda chord: float(weights[list(chord)].sum() + 0.2 * weights[chord.root]))


def wished_key(asked: BarPlan) -> Key | None:
    """The key that the plan asks for, if it does."""
    return None if asked.key is None else parse_key(asked.key)


def home_key(written: Sequence[Bar]) -> Key | None:
    """The key that the piece began in; None while too little is written."""
    return _first_key(tuple(written[:HOME_BARS])) if len(written) >= HOME_BARS // 2 else None


@lru_cache(KEPT_KEYS)
def _first_key(bars: tuple[Bar, ...]) -> Key | None:
    """Asked for by several leanings of every bar, and the same from the eighth bar on."""
    return key_of(bars)


class Step(NamedTuple):
    """From `tick` on `chord` is in force; new: it comes in there, rather than standing from before."""

    tick: int
    chord: Chord
    new: bool


class Moves(Leaning):
    """Leans to the chord in force at each tick of a bar in which the harmony moves on."""

    leans_on = ("pitch",)

    @classmethod
    def of(cls, here: Here) -> Moves | None:
        """Where the plan names ticks at which the harmony moves on."""
        move = move_of(here)
        return None if move is None else move.leaning

    def __init__(self, steps: Sequence[Step], players: Sequence[int]) -> None:
        """steps: rising in tick."""
        self._steps = steps
        self._has_bass = INSTRUMENTS.index("bass") in players

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class."""
        if attribute != "pitch" or INSTRUMENTS[place.instrument] == "drums":
            return {}
        found = [step for step in self._steps if step.tick <= place.tick]
        if not found:
            return {}
        _, chord, new = found[-1]
        if INSTRUMENTS[place.instrument] == "bass":
            nats = BASS_NATS if new else HOLD_NATS
            return {pitch + 1: nats for pitch in range(place.low, 128) if pitch % 12 == chord.root}
        inside, outside = (CHORD_NATS, OUTSIDE_NATS) if new else (HOLD_NATS, 0.0)
        nats_of = {pitch + 1: inside if pitch % 12 in chord else outside for pitch in range(place.low, 128)}
        if not self._has_bass and new and place.low == PITCH_RANGE[place.instrument][0]:
            for pitch in range(place.low + (chord.root - place.low) % 12, 128, 12):
                nats_of[pitch + 1] += ROOT_NATS
        return nats_of

    def tell(self, wishes: Wishes) -> None:
        """By tick; the root counts besides for the lowest note where no bass plays."""
        ends = [*(step.tick for step in self._steps[1:]), TICKS_PER_BAR]
        for (tick, chord, new), end in zip(self._steps, ends, strict=True):
            inside, outside = (CHORD_NATS, OUTSIDE_NATS) if new else (HOLD_NATS, 0.0)
            there = pitches_of(chord)
            wishes.pitch[tick:end, _OTHERS] += np.where(there, inside, outside).astype(np.float32)
            wishes.pitch[tick:end, _BASS] += np.float32(BASS_NATS if new else HOLD_NATS) * pitches_of(chord[:1])
            wishes.by_tick[1 + tick : 1 + end, ROOT] = chord.root
            if not self._has_bass and new:
                wishes.first[tick:end, _OTHERS] += ROOT_NATS


class Home(Leaning):
    """Leans to the scale of the home key, so that a long piece does not wander off."""

    leans_on = ("pitch",)

    @classmethod
    def of(cls, here: Here) -> Home | None:
        """Once the key is known, from the plan, or because enough is written; not where chords are planned."""
        key = None if here.has_chords else wished_key(here.asked) or home_key(here.written)
        return None if key is None else cls(key, 0.0 if here.asked.affect is None else here.asked.affect.tension)

    def __init__(self, key: Key, tension: float = 0.0) -> None:
        """tension: 0..1; what is tense may leave the scale more readily."""
        self._nats = FOREIGN_NATS * (1.0 - TENSE_FREEDOM * max(0.0, tension - TENSE))
        steps = (0, 2, 3, 5, 7, 8, 10, 11) if key.minor else (0, 2, 4, 5, 7, 9, 11)
        self._scale = {(key.root + step) % 12 for step in steps}

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class."""
        if attribute != "pitch" or INSTRUMENTS[place.instrument] == "drums":
            return {}
        return {pitch + 1: self._nats for pitch in range(place.low, 128) if pitch % 12 not in self._scale}

    def tell(self, wishes: Wishes) -> None:
        """The same for every pitched player."""
        wishes.pitch[:, 1:] += np.float32(self._nats) * ~pitches_of(self._scale)


class Move(NamedTuple):
    """leaning: to the chords of a bar; against: whether one of them is not that of the bar it is to recall."""

    leaning: Moves
    against: bool


def move_of(here: Here) -> Move | None:
    """How the harmony moves in the bar about to be written; None where it does not, or where its chords are planned."""
    if here.has_chords:
        return None
    earlier = recalled(here)
    again = None if earlier is None or not earlier.echo.pitch_nats else earlier.recast
    hit_ticks = {hit.tick for hit in here.plan.hits if hit.bar == here.index and hit.accent is not None}
    return moving(here.asked, hit_ticks, here.players, here.written, again, here.plan.seed)


def moving(
    asked: BarPlan, hit_ticks: Set[int], players: Sequence[int], written: Sequence[Bar], recalled: Bar | None, seed: int
) -> Move | None:
    """What a bar leans to at its changes of harmony, and the first bar to the tonic of the key that the plan asks for;
    None where there is nothing to move.

    hit_ticks: those with a hit, whose change must be heard; recalled: the bar that it is to repeat. Where that has
    another chord than what stands before, it is the new one; without a hit it is so in any case.
    """
    wished = wished_key(asked)
    if wished is not None and not written:
        return Move(Moves([Step(0, Chord(*wished.tonic), new=True)], players), False)
    if not asked.changes or not written:
        return None
    before = chord_of(written[-1], HALF) or chord_of(written[-1])
    if before is None or (recalled is not None and not hit_ticks & set(asked.changes) and asked.lead != "dominant"):
        return None
    key = wished or home_key(written) or key_of(written) or Key(before.root, before == _triad(before.root, True))
    rng = np.random.default_rng([seed, asked.index, 5])
    now, steps, against = before, [Step(0, before, new=False)], False
    for tick in asked.changes:
        again = None if recalled is None else chord_of(recalled, tick)
        if asked.lead == "dominant" and tick == asked.changes[-1] and before != Chord(*key.dominant):
            now, against = Chord(*key.dominant), True
        elif again is not None and again.root != now.root:
            now = again
        else:
            now, against = _next_chord(key, now, rng), True
        steps.append(Step(tick, now, new=True))
    return Move(Moves(steps, players), against)


def _next_chord(key: Key, before: Chord, rng: np.random.Generator) -> Chord:
    """A triad of the key on another root than `before`, rather one that shares few tones with it."""
    steps = _MINOR_STEPS if key.minor else _MAJOR_STEPS
    chords = [_triad(key.root + step, step in _MINOR_TRIADS[key.minor]) for step in steps]
    weights: NDArray[np.float64] = np.array(list(steps.values()))
    for number, chord in enumerate(chords):
        if chord.root == before.root:
            weights[number] = 0.0
        elif len(set(chord) & set(before)) >= CLOSE_TONES:
            weights[number] *= CLOSE_SHARE
    return chords[int(rng.choice(len(chords), p=weights / weights.sum()))]
