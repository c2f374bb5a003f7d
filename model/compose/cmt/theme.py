"""The tune that the plan asks for: its player leans to its onsets and pitches."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cache

import numpy as np

from hitpoint.model.compose.cmt.grammar import PITCH_RANGE
from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.compose.cmt.wishes import LEAD_LENGTH, LENGTH, PLAYERS, SIZE, Wishes, spread
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Note
from hitpoint.model.music.tokens import FIRST_TICK, duration_class

ONSET_NATS, PITCH_NATS, LENGTH_NATS, ALONE_NATS = 4.0, 9.0, 2.0, 2.5
"""For the tune's onsets, its pitches, its lengths, and for one note at a time."""
BESIDE_NATS = -10.0
"""Against other onsets of the one who has the tune."""


STEP_NATS = {-4: 1.0, -3: 1.0, -2: 3.5, -1: 3.0, 0: -1.5, 1: 3.0, 2: 3.5}
"""For other notes of the one who has the tune, by the distance in semitones from the tune's last note."""
OVER_NATS = -3.0
"""Against others' notes at the tune's pitch and above."""
HIGHEST = max(high for _, high in PITCH_RANGE)
_DRUMS, _BASS = INSTRUMENTS.index("drums"), INSTRUMENTS.index("bass")


class Theme(Leaning):
    """Leads one instrument along a line of notes."""

    @classmethod
    def of(cls, here: Here) -> Theme | None:
        """Where the plan has a line for somebody who plays."""
        leader = here.asked.leader
        if leader is None or not here.asked.line or leader not in here.players:
            return None
        return cls(leader, here.asked.line, here.players)

    def __init__(self, leader: int, line: Sequence[Note], players: Sequence[int] = ()) -> None:
        self._leader, self._players = leader, players
        self._line = {note.tick: note for note in line}

    def lean(self, attribute: str, place: Place) -> Mapping[int, float]:
        """Nats by class."""
        if attribute == "beat":
            ticks = self._onsets(place.tick, place.instrument < self._leader)
            nats = {FIRST_TICK + tick: ONSET_NATS for tick in ticks[:1]}
            alone = place.tick >= 0 and self._alone(place.instrument)
            return nats | {FIRST_TICK + place.tick: BESIDE_NATS} if alone and place.tick not in self._line else nats
        if attribute == "instrument":
            return {self._leader + 1: ONSET_NATS if place.tick in self._line else BESIDE_NATS}
        if attribute == "pitch" and place.instrument not in (self._leader, _DRUMS, _BASS):
            before = max((n for n in self._line.values() if n.tick <= place.tick), default=None)
            return {} if before is None else _below(before.pitch)
        note = self._line.get(place.tick)
        if place.instrument != self._leader:
            return {}
        if note is None:
            return self._between(place) if attribute == "pitch" else {}
        if attribute == "strength":
            return {2: ALONE_NATS}
        if attribute == "pitch":
            return _up_to(note.pitch, place.owed_notes == 0)
        if attribute == "duration":
            return {int(duration_class(np.array([note.duration_ticks], np.int16))[0]): LENGTH_NATS}
        return {}

    @property
    def signature(self) -> Hashable:
        """All that it is made of."""
        return self._leader, tuple(self._players), tuple(self._line.values())

    def tell(self, wishes: Wishes) -> None:
        """By tick; the leader's pitches by whether the note is the top of its chord."""
        wishes.leader, wishes.nats[LEAD_LENGTH] = self._leader, LENGTH_NATS
        others = [k for k in range(PLAYERS) if k not in (self._leader, _DRUMS, _BASS)]
        alone = [player for player in range(-1, PLAYERS) if self._alone(player)]
        for tick in range(-1, TICKS_PER_BAR):
            for players, here in ((slice(0, self._leader + 1), True), (slice(self._leader + 1, None), False)):
                for onset in self._onsets(tick, here)[:1]:
                    wishes.beat[tick + 1, players, :, FIRST_TICK + onset] += ONSET_NATS
            if tick < 0:
                continue
            if tick not in self._line:
                wishes.beat[tick + 1, [player + 1 for player in alone], :, FIRST_TICK + tick] += BESIDE_NATS
            sung = self._line.get(tick)
            wishes.instrument[tick, ..., self._leader + 1] += BESIDE_NATS if sung is None else ONSET_NATS
            before = max((n for n in self._line.values() if n.tick <= tick), default=None)
            if before is not None:
                wishes.pitch[tick, others] += spread(_below(before.pitch), SIZE["pitch"])
            for top in (False, True):
                place = Place(tick, self._leader, 0, 0, 0 if top else 1)
                wishes.lead[top * TICKS_PER_BAR + tick] += spread(self.lean("pitch", place), SIZE["pitch"])
            if sung is not None:
                wishes.strength[tick, self._leader, :, 2] += ALONE_NATS
                wishes.by_tick[tick + 1, LENGTH] = duration_class(np.array([sung.duration_ticks], np.int16))[0]

    def _onsets(self, tick: int, here: bool) -> list[int]:
        """The tune's ticks still to come; here: that of the tick reached among them."""
        return [each for each in self._line if each > tick or (here and each == tick)]

    def _alone(self, reached: int) -> bool:
        """Whether nobody but the leader comes after an instrument."""
        return [k for k in self._players if k > reached] == [self._leader]

    def _between(self, place: Place) -> Mapping[int, float]:
        """For a note that the tune does not have: a step from the one before it, the top of its chord."""
        before = max((n for n in self._line.values() if n.tick < place.tick), default=None)
        if before is None or place.owed_notes:
            return {}
        return {before.pitch + step + 1: nats for step, nats in STEP_NATS.items()}


@cache
def _below(pitch: int) -> Mapping[int, float]:
    """Against a pitch and all above it."""
    return {each + 1: OVER_NATS for each in range(pitch, HIGHEST + 1)}


@cache
def _up_to(pitch: int, top: bool) -> Mapping[int, float]:
    """For a pitch where it is the top of its chord, against those above it; lower notes of the chord leave it room."""
    above = {each + 1: -PITCH_NATS for each in range(pitch + top, HIGHEST + 1)}
    return above | {pitch + 1: PITCH_NATS} if top else above
