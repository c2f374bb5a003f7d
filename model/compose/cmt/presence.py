"""Who is to play is heard, and chords are as large as the music is lively."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.compose.cmt.wishes import Wishes, bits
from hitpoint.model.music.score import INSTRUMENTS
from hitpoint.model.music.tokens import FIRST_TICK

_BASS = INSTRUMENTS.index("bass")
MIDDLING = 0.25
CHORD_NATS = 0.8
"""For each further note of a chord, by how far the energy is above MIDDLING."""
LAST = 5.0
"""The chord that is held at the end is as full as at this energy, however calm it is: it is to have all its tones. At 2
orchestral pieces, whose players have single lines, ended on a bare octave."""
MOST_NOTES = 4
ONSET_SHARES = (0.7, 0.4, 0.5, 0.3, 0.25)
"""Of a bar's ticks with an onset, on how many each of INSTRUMENTS plays at least in three bars of four of human band
pieces in which it plays at all."""
PRESENCE_NATS, MOST_PRESENCE_NATS = 2.5, 6.0
"""For a player who is behind that, for each onset that it lacks."""
TICK_WEIGHTS = {4: 1.0, 2: 0.7, 1: 0.2}
"""How much of it counts on beats, on eighths and between: nobody comes in late on the last sixteenth of a bar."""


class Fullness(Leaning):
    """Chords are larger where it is lively, smaller where it is calm."""

    leans_on = ("strength",)

    @classmethod
    def of(cls, here: Here) -> Fullness:
        """For every bar."""
        last = here.plan.ending == "chord" and here.index == len(here.plan.bars) - 1
        return cls(LAST if last else here.asked.energy + here.asked.fullness)

    def __init__(self, energy: float) -> None:
        self._nats = CHORD_NATS * (energy - MIDDLING)

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class."""
        if attribute != "strength" or place.instrument == _BASS:
            return {}
        return {notes + 1: self._nats * (notes - 1) for notes in range(2, MOST_NOTES + 1)}

    @property
    def signature(self) -> Hashable:
        """All that it is made of."""
        return self._nats

    def tell(self, wishes: Wishes) -> None:
        """The same for all but the bass, which plays single notes."""
        others = [k for k in range(len(INSTRUMENTS)) if k != _BASS]
        for notes in range(2, MOST_NOTES + 1):
            wishes.strength[:, others, :, notes + 1] += self._nats * (notes - 1)


class Presence(Leaning):
    """Who is to play in a bar is heard in it: the longer a player is behind its share of the onsets, the more."""

    leans_on = ("beat", "instrument")

    @classmethod
    def of(cls, here: Here) -> Presence:
        """For every bar."""
        return cls(here.players)

    def __init__(self, players: Sequence[int]) -> None:
        self._played: dict[int, set[int]] = {k: set() for k in players}
        self._ticks: set[int] = set()

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class."""
        if attribute == "instrument":
            return {k + 1: nats for k in self._played if (nats := self._behind(k, place.tick))}
        if attribute == "beat" and place.tick >= 0:
            later = [self._behind(k, place.tick) for k in self._played if k > place.instrument]
            return {FIRST_TICK + place.tick: max(later)} if any(later) else {}
        return {}

    def chose(self, attribute: str, place: Place) -> None:
        """Who has played is learnt from the strengths."""
        if attribute == "strength":
            self._ticks.add(place.tick)
            self._played.setdefault(place.instrument, set()).add(place.tick)

    @property
    def signature(self) -> Hashable:
        """All that it is made of."""
        return tuple(self._played)

    def tell(self, wishes: Wishes) -> None:
        """Who lags behind is found out on the way."""
        wishes.lagging = bits(k + 1 for k in self._played)

    def _behind(self, instrument: int, tick: int) -> float:
        return behind(instrument, tick, len(self._ticks | {tick}), len(self._played[instrument]))


def behind(instrument: int, tick: int, ticks: int, played: int) -> float:
    """The nats for a player on `tick` that has played on so many of `ticks` ticks."""
    due = ONSET_SHARES[instrument] * ticks - played
    weight = next(each for step, each in TICK_WEIGHTS.items() if tick % step == 0)
    return weight * min(MOST_PRESENCE_NATS, PRESENCE_NATS * max(0.0, due))
