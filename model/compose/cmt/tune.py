"""The tune: the highest notes of the player who leads. It moves by steps, and what it once sang returns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from hitpoint.model.compose.cmt.colour import leader_of
from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.compose.cmt.wishes import AT_ONCE, GIVEN, LATER, MOVE, MOVES, Wishes
from hitpoint.model.music.score import TICKS_PER_BAR, Bar
from hitpoint.model.music.tokens import FIRST_TICK
from hitpoint.model.plan.types import Plan

STEP_NATS = {-2: 3.0, -1: 2.7, 0: -1.0, 1: 2.7, 2: 3.0}
"""For the next pitch of the tune, by its distance from the last one."""
BELOW_NATS = -2.0
"""Against the lower notes of a chord where they leave its top no room for a step."""
THEME_BARS = 8
"""Length of a theme: it begins again, varied, as often as fits into the piece."""
INTERVAL_NATS, ONSET_NATS = 6.0, 4.0
"""For the intervals that the theme has here, and for its rhythm."""
VARIED = 0.7
"""What is left of both in a section that looks otherwise."""


class Move(NamedTuple):
    """The tune starts a note at `tick` of a bar, so many semitones above the one before."""

    tick: int
    semitones: int


def line_of(bar: Bar) -> list[tuple[int, int]]:
    """(tick, pitch) of the tune in a bar, ticks rising: the highest notes of its leader."""
    leader = leader_of({note.instrument for note in bar.notes})
    highest: dict[int, int] = {}
    for note in bar.notes:
        if note.instrument == leader:
            highest[note.tick] = max(note.pitch, highest.get(note.tick, 0))
    return sorted(highest.items())


def moves_of(written: Sequence[Bar], index: int) -> list[Move]:
    """The moves of the tune in bar `index`, that into its first note with them."""
    line = line_of(written[index])
    before = line_of(written[index - 1])[-1:] if index else []
    pitches = [pitch for _, pitch in before + line]
    ticks = [tick for tick, _ in line][0 if before else 1 :]
    return [Move(tick, b - a) for tick, a, b in zip(ticks, pitches, pitches[1:], strict=False)]


def _label(plan: Plan, index: int) -> str:
    section = plan.bars[index].section
    return plan.sections[section].label if 0 <= section < len(plan.sections) else ""


class Tune(Leaning):
    """Leads the tune by steps rather than by leaps, not on one pitch, and along the moves of an earlier bar."""

    leans_on = ("beat", "instrument", "pitch")

    @classmethod
    def of(cls, here: Here) -> Tune | None:
        """For whoever has the tune, along what was sung THEME_BARS before; where a line is planned, for what its
        player has besides.
        """
        leader, earlier = leader_of(here.players), here.index - THEME_BARS
        if here.asked.line and here.asked.leader in here.players:
            return cls(here.asked.leader, here.written, planned={note.tick for note in here.asked.line})
        if leader is None:
            return None
        if not 0 <= earlier < len(here.written):
            return cls(leader, here.written)
        alike = _label(here.plan, earlier) == _label(here.plan, here.index)
        return cls(leader, here.written, moves_of(here.written, earlier), 1.0 if alike else VARIED)

    def __init__(
        self, instrument: int, written: Sequence[Bar], again: Sequence[Move] = (), share: float = 1.0,
        planned: Collection[int] = (),
    ) -> None:  # fmt: skip
        """share: how far the earlier moves count. planned: ticks on which the pitch is given already."""
        self._planned = planned
        self._instrument = instrument
        lines = [line_of(bar) for bar in written[-2:]]
        self._before = next((line[-1][1] for line in reversed(lines) if line), -1)
        self._now = (-1, -1)
        self._again = dict(again)
        self._share = share

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class."""
        if attribute == "beat" and self._again:
            here = place.instrument < self._instrument
            ticks = [tick for tick in self._again if tick > place.tick or (tick == place.tick and here)]
            return {FIRST_TICK + tick: self._share * ONSET_NATS for tick in ticks}
        if attribute == "instrument" and self._again:
            away = 1.0 if place.tick in self._again else -0.5
            return {self._instrument + 1: away * self._share * ONSET_NATS}
        if place.instrument != self._instrument:
            return {}
        before = self._now[1] if self._now[0] not in (-1, place.tick) else self._before
        return self._pitches(place, before) if attribute == "pitch" and before >= 0 else {}

    def chose(self, attribute: str, place: Place) -> None:
        """The pitch that was sung last is learnt with its duration."""
        if attribute == "duration" and place.instrument == self._instrument:
            if self._now[0] not in (-1, place.tick):
                self._before = self._now[1]
            self._now = (place.tick, place.low)

    def tell(self, wishes: Wishes) -> None:
        """Onsets by tick; pitches are counted from the one sung last, which is found out on the way."""
        wishes.tune, wishes.before = self._instrument, self._before
        wishes.by_tick[[1 + tick for tick in self._planned], GIVEN] = 1
        wishes.nats[MOVE] = self._share * INTERVAL_NATS
        if not self._again:
            return
        nats = np.float32(self._share * ONSET_NATS)
        sung = np.zeros(TICKS_PER_BAR, np.float32)
        sung[list(self._again)] = nats
        wishes.by_tick[[1 + tick for tick in self._again], MOVES] = list(self._again.values())
        wishes.beat[..., FIRST_TICK:] += (sung * LATER)[:, None, None]
        wishes.beat[:, : self._instrument + 1, :, FIRST_TICK:] += (sung * AT_ONCE)[:, None, None]
        wishes.instrument[..., self._instrument + 1] += np.where(sung > 0, nats, -0.5 * nats)[:, None, None]

    def _pitches(self, place: Place, before: int) -> dict[int, float]:
        if place.tick in self._planned:
            return {}
        if place.owed_notes:
            return {pitch + 1: BELOW_NATS for pitch in range(max(place.low, before - 2), 128)}
        nats = {before + step: each for step, each in STEP_NATS.items()}
        if place.tick in self._again:
            wanted = before + self._again[place.tick]
            nats[wanted] = nats.get(wanted, 0.0) + self._share * INTERVAL_NATS
        return {pitch + 1: each for pitch, each in nats.items() if place.low <= pitch < 128}
