"""The chords that the plan asks for: every pitched player leans to them, the bass to their roots."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from hitpoint.model.compose.cmt.grammar import PITCH_RANGE
from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.compose.cmt.wishes import (
    NEXT_TONES,
    OVER,
    OVER_FROM,
    ROOT,
    SIZE,
    STEP_BIT,
    Nats,
    Wishes,
    bits,
    spread,
)
from hitpoint.model.music.chords import HALF_BAR_TICKS, Chord
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, TICKS_PER_BEAT
from hitpoint.model.music.symbols import parse_key, parse_symbol
from hitpoint.model.music.tokens import DURATIONS
from hitpoint.model.plan.harmony.rules import half_at
from hitpoint.model.plan.types import Plan

BEAT_NATS, BETWEEN_NATS = 4.5, 2.5
"""For the tones of the chord on the beats, and between them, where a tune passes through others."""
TUNE_BEAT_NATS = 3.0
"""On the beats for the one who has the tune, who is free to move between them."""
ROOT_NATS, BASS_NATS, LOWEST_NATS = 7.0, 1.5, 5.0
"""For the root in the bass at its first onset under a chord; there and later for root and fifth; and for the root as
the lowest note where no bass plays."""
COLOUR_NATS = 1.0
"""Besides for what a chord has over its triad, a seventh or sixth: a seventh that nobody plays is not heard."""
OVER_NATS = -3.0
"""Against notes that last into the next chord without belonging to it."""
FOREIGN_NATS = -1.3
"""Against what belongs neither to the chord nor to the key's scale."""
BOUND_NATS = -90.0
"""Against all but chord tones on the beats, where the chords bind: more than the network ever has for a pitch."""
_SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10)}
_DRUMS, _BASS = INSTRUMENTS.index("drums"), INSTRUMENTS.index("bass")


class Step(NamedTuple):
    """From `tick` of the bar on, `chord` is in force; None = no chord."""

    tick: int
    chord: Chord | None


def same_chords(plan: Plan, index: int, other: int) -> bool:
    """Whether two bars ask for the same chords, or neither for any."""
    return plan.bars[index].chords == plan.bars[other].chords


def steps_of(plan: Plan, index: int) -> list[Step]:
    """What is in force in a bar with chords: one chord a half bar. It comes in where the plan names a change of harmony
    within its half bar or just before, so that it is heard with the cut.
    """
    bar = plan.bars[index]
    assert bar.chords is not None
    before = plan.bars[index - 1].chords if index else None
    after = plan.bars[index + 1].chords if index + 1 < len(plan.bars) else None
    starts = {0: 0, 1: HALF_BAR_TICKS}
    for tick in bar.changes:
        starts[half_at(tick)] = tick
    steps = [Step(starts[half], parse_symbol(bar.chords[half])) for half in (0, 1)]
    if steps[0].tick:
        steps.insert(0, Step(0, parse_symbol((before or bar.chords)[1])))
    if 2 in starts and after is not None:
        steps.append(Step(starts[2], parse_symbol(after[0])))
    return steps


class Chords(Leaning):
    """Leans to the planned chord in force at each tick."""

    leans_on = ("pitch", "duration")

    @classmethod
    def of(cls, here: Here) -> Chords | None:
        """Where the plan has chords for the bar."""
        if not here.has_chords:
            return None
        scale = frozenset(range(12))
        if here.asked.key is not None:
            key = parse_key(here.asked.key)
            scale = frozenset((key.root + step) % 12 for step in _SCALES[key.minor])
        bound = here.plan.harmony == "bound"
        next_bar = here.plan.bars[here.index + 1 : here.index + 2]
        after = parse_symbol(next_bar[0].chords[0]) if next_bar and next_bar[0].chords else None
        return cls(
            steps_of(here.plan, here.index),
            here.players,
            scale,
            here.plan.harmony_strength,
            bound,
            after,
            here.asked.leader,
        )

    def __init__(
        self, steps: Sequence[Step], players: Sequence[int], scale: frozenset[int], strength: float, bound: bool,
        after: Chord | None = None, leader: int | None = None,
    ) -> None:  # fmt: skip
        """steps: rising in tick. scale: pitch classes of the key. strength: 0..2, 1 = as usual. after: the chord of the
        next bar. leader: who has the tune.
        """
        self._steps = steps
        self._ends = [*(step.tick for step in steps[1:]), TICKS_PER_BAR]
        self._after = after
        self._lowest = min((k for k in players if k != _DRUMS), default=-1) if _BASS not in players else -1
        self._scale, self._strength, self._bound = scale, strength, bound
        self._rooted: set[int] = set()
        self._leader = leader

    def lean(self, attribute: str, place: Place) -> Mapping[int, float]:
        """Nats by class. A bass that has played its pitch under a chord is free to leave the root."""
        if place.instrument == _DRUMS or place.instrument < 0 or attribute not in ("pitch", "duration"):
            return {}
        number = self._number(place.tick)
        chord = self._steps[number].chord
        if attribute == "duration":
            following = self._following(number)
            inside = following is None or place.low % 12 in following.tones
            return {} if inside else self._not_over(number, place.tick)
        if chord is None:
            return {}
        heavy, bound = self._heavy(place.tick), self._bound and _on_beat(place.tick)
        role = "plain"
        if place.instrument == _BASS:
            role = "bass" if number in self._rooted else "root"
        elif place.instrument == self._leader:
            role = "tune"
        elif place.instrument == self._lowest and place.low == PITCH_RANGE[place.instrument][0]:
            role = "lowest"
        return _nats(chord, role, place.instrument, heavy, self._scale, self._strength, bound)

    def chose(self, attribute: str, place: Place) -> None:
        """Where the bass has played is learnt from its durations."""
        if attribute == "duration" and place.instrument == _BASS:
            self._rooted.add(self._number(place.tick))

    def _number(self, tick: int) -> int:
        return next(n for n, end in enumerate(self._ends) if tick < end)

    @property
    def signature(self) -> Hashable:
        """All that it is made of."""
        return tuple(self._steps), self._after, self._lowest, self._scale, self._strength, self._bound, self._leader

    def tell(self, wishes: Wishes) -> None:
        """By tick; the root counts besides for the bass's first note under a chord, and for the lowest note."""
        roles = ["plain"] * len(INSTRUMENTS)
        if self._leader is not None:
            roles[self._leader] = "tune"
        roles[_BASS] = "bass"
        wishes.nats[OVER] = self._strength * OVER_NATS
        for tick in range(TICKS_PER_BAR):
            number = self._number(tick)
            by_tick = wishes.by_tick[tick + 1]
            by_tick[STEP_BIT] = 1 << number
            chord, following = self._steps[number].chord, self._following(number)
            if following is not None:
                longer = _longer_than(self._ends[number] - tick)
                by_tick[OVER_FROM] = min(longer, default=SIZE["duration"])
                by_tick[NEXT_TONES] = bits(following.tones)
            if chord is None:
                continue
            wishes.pitch[tick] += _players_nats(
                chord, tuple(roles), self._heavy(tick), self._scale, self._strength, self._bound and _on_beat(tick)
            )
            by_tick[ROOT] = chord.root
            wishes.first[tick, _BASS] += self._strength * (ROOT_NATS - BASS_NATS)
            if self._lowest not in (-1, self._leader):
                wishes.first[tick, self._lowest] += self._strength * LOWEST_NATS

    def _heavy(self, tick: int) -> bool:
        """On a beat, or where a chord comes in with a cut between two beats."""
        return _on_beat(tick) or tick == self._steps[self._number(tick)].tick

    def _following(self, number: int) -> Chord | None:
        return self._steps[number + 1].chord if number + 1 < len(self._steps) else self._after

    def _not_over(self, number: int, tick: int) -> Mapping[int, float]:
        """Against notes that last into a chord to which they do not belong."""
        return dict.fromkeys(_longer_than(self._ends[number] - tick), self._strength * OVER_NATS)


@cache
def _longer_than(ticks: int) -> tuple[int, ...]:
    """The classes of durations over so many ticks."""
    return tuple(1 + n for n, each in enumerate(DURATIONS) if each > ticks)


def _on_beat(tick: int) -> bool:
    return tick % TICKS_PER_BEAT == 0


@cache
def _players_nats(
    chord: Chord, roles: tuple[str, ...], beat: bool, scale: frozenset[int], strength: float, bound: bool
) -> Nats:  # fmt: skip
    """(5, classes): `_nats` of every instrument in its role."""
    return np.stack(
        [
            spread({} if k == _DRUMS else _nats(chord, role, k, beat, scale, strength, bound), SIZE["pitch"])
            for k, role in enumerate(roles)
        ]
    )


@cache
def _nats(
    chord: Chord, role: str, instrument: int, beat: bool, scale: frozenset[int], strength: float, bound: bool
) -> Mapping[int, float]:
    """Nats by pitch class's class: one table for all octaves, made once."""
    tones = set(chord.tones)
    on_beats, between = (TUNE_BEAT_NATS, 0.0) if role == "tune" else (BEAT_NATS, BETWEEN_NATS)
    by_tone = dict.fromkeys(tones, on_beats if beat else between)
    by_tone |= {tone: by_tone[tone] + COLOUR_NATS for tone in chord.tones[3:]}
    by_tone |= {tone: FOREIGN_NATS for tone in range(12) if tone not in tones | scale}
    if role in ("bass", "root"):
        fifth = next((tone for tone in chord.tones if (tone - chord.root) % 12 in (6, 7, 8)), chord.root)
        by_tone[fifth] = by_tone.get(fifth, 0.0) + BASS_NATS / 2
        by_tone[chord.root] += ROOT_NATS if role == "root" else BASS_NATS
    elif role == "lowest":
        by_tone[chord.root] += LOWEST_NATS
    nats = {tone: strength * each for tone, each in by_tone.items()}
    if bound:
        nats |= {tone: BOUND_NATS for tone in range(12) if tone not in tones}
    low, high = PITCH_RANGE[instrument]
    return {pitch + 1: nats[pitch % 12] for pitch in range(low, high + 1) if nats.get(pitch % 12)}
