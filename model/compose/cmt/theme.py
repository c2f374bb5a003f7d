"""The tune that the plan asks for: its player leans to its onsets and pitches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.music.score import INSTRUMENTS, Note
from hitpoint.model.music.tokens import FIRST_TICK, duration_class

ONSET_NATS, PITCH_NATS, LENGTH_NATS, ALONE_NATS = 4.0, 7.0, 2.0, 2.5
"""For the tune's onsets, its pitches, its lengths, and for one note at a time."""
BESIDE_NATS = -6.0
"""Against other onsets of the one who has the tune."""


OVER_NATS = -3.0
"""Against others' notes at the tune's pitch and above."""
_DRUMS, _BASS = INSTRUMENTS.index("drums"), INSTRUMENTS.index("bass")


class Theme(Leaning):
    """Leads one instrument along a line of notes."""

    @classmethod
    def of(cls, here: Here) -> Theme | None:
        """Where the plan has a line for somebody who plays."""
        leader = here.asked.leader
        if leader is None or not here.asked.line or leader not in here.players:
            return None
        return cls(leader, here.asked.line)

    def __init__(self, leader: int, line: Sequence[Note]) -> None:
        self._leader = leader
        self._line = {note.tick: note for note in line}

    def lean(self, attribute: str, place: Place) -> Mapping[int, float]:
        """Nats by class."""
        if attribute == "beat":
            here = place.tick in self._line and place.instrument < self._leader
            ticks = [tick for tick in self._line if tick > place.tick or (here and tick == place.tick)]
            return {FIRST_TICK + tick: ONSET_NATS for tick in ticks[:1]}
        if attribute == "instrument":
            return {self._leader + 1: ONSET_NATS if place.tick in self._line else BESIDE_NATS}
        if attribute == "pitch" and place.instrument not in (self._leader, _DRUMS, _BASS):
            return _from_up(max((n for n in self._line.values() if n.tick <= place.tick), default=None))
        note = self._line.get(place.tick)
        if note is None or place.instrument != self._leader:
            return {}
        if attribute == "strength":
            return {2: ALONE_NATS}
        if attribute == "pitch":
            above = {pitch + 1: -PITCH_NATS for pitch in range(note.pitch + (place.owed_notes == 0), 128)}
            return above if place.owed_notes else above | {note.pitch + 1: PITCH_NATS}
        if attribute == "duration":
            return {int(duration_class(np.array([note.duration_ticks], np.int16))[0]): LENGTH_NATS}
        return {}


def _from_up(note: Note | None) -> Mapping[int, float]:
    return {} if note is None else {pitch + 1: OVER_NATS for pitch in range(note.pitch, 128)}
