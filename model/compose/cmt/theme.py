"""The tune that the plan asks for: its player leans to its onsets and pitches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np

from hitpoint.model.compose.cmt.grammar import PITCH_RANGE
from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.music.score import INSTRUMENTS, Note
from hitpoint.model.music.tokens import FIRST_TICK, duration_class

ONSET_NATS, PITCH_NATS, LENGTH_NATS, ALONE_NATS = 4.0, 7.0, 2.0, 2.5
"""For the tune's onsets, its pitches, its lengths, and for one note at a time."""
BESIDE_NATS = -6.0
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
            here = place.tick in self._line and place.instrument < self._leader
            ticks = [tick for tick in self._line if tick > place.tick or (here and tick == place.tick)]
            nats = {FIRST_TICK + tick: ONSET_NATS for tick in ticks[:1]}
            alone = place.tick >= 0 and [k for k in self._players if k > place.instrument] == [self._leader]
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

    def durations(self, place: Place, pitches: Iterable[int]) -> Mapping[int, Mapping[int, float]]:
        """The same for every pitch."""
        nats = self.lean("duration", place)
        return dict.fromkeys(pitches, nats) if nats else {}

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
