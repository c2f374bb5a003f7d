"""Registers, the leading line and who has it: leanings that the arrangement asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from hitpoint.model.compose.cmt.grammar import Leaning, Place
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Bar
from hitpoint.model.music.tokens import FIRST_TICK
from hitpoint.model.plan.types import BarPlan

OUT_OF_RANGE_NATS = -1.5
RISE_NATS = 2.5
RISE_SEMITONES = 9
MIDDLING = 0.5
CHORD_NATS = 0.8
"""For each further note of a chord, by how far the energy is above MIDDLING."""
MOST_NOTES = 4
ONSET_SHARES = (0.7, 0.4, 0.5, 0.3, 0.25)
"""Of a bar's ticks with an onset, on how many each of INSTRUMENTS plays at least in three bars of four of human band
pieces in which it plays at all."""
PRESENCE_NATS, MOST_PRESENCE_NATS = 2.5, 6.0
"""For a player who is behind that, for each onset that it lacks."""
LEADERS = ("strings", "piano", "guitar")
"""Who has the tune: the first of these that plays."""
HOMES = {"guitar": (43, 69), "piano": (50, 81), "strings": (60, 88)}
"""Where each of them stays while the others play as well, at middling energy."""
ENERGY_SEMITONES = 10
"""How much higher the same player stays at full energy than at none."""


class Together:
    """Several leanings at once: their nats add up."""

    def __init__(self, parts: Sequence[Leaning]) -> None:
        self._parts = parts

    def lean(self, attribute: str, place: Place) -> Mapping[int, float]:
        """Nats by class."""
        found = [nats for part in self._parts if (nats := part.lean(attribute, place))]
        if len(found) < 2:
            return found[0] if found else {}
        total: dict[int, float] = {}
        for nats in found:
            for value, each in nats.items():
                total[value] = total.get(value, 0.0) + each
        return total


class Registers:
    """Keeps those who have chords and tunes out of each other's way; all of them lie higher where it is lively."""

    def __init__(self, players: Sequence[int], energy: float) -> None:
        shift = round(ENERGY_SEMITONES * (energy - 0.5))
        there = [INSTRUMENTS[k] for k in players if INSTRUMENTS[k] in HOMES]
        self._homes = {}
        if len(there) > 1:
            self._homes = {INSTRUMENTS.index(name): (HOMES[name][0] + shift, HOMES[name][1] + shift) for name in there}

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class."""
        home = self._homes.get(place.instrument)
        if attribute != "pitch" or home is None:
            return {}
        low, high = home
        return {pitch + 1: OUT_OF_RANGE_NATS for pitch in range(place.low, 128) if not low <= pitch <= high}


class Rise:
    """Leads the highest line upwards through the second half of the bar."""

    def __init__(self, top: int) -> None:
        self._top = top

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class."""
        half = TICKS_PER_BAR // 2
        if attribute != "pitch" or place.tick < half or INSTRUMENTS[place.instrument] in ("drums", "bass"):
            return {}
        aim = self._top + round(RISE_SEMITONES * (place.tick - half) / half)
        return {pitch + 1: RISE_NATS for pitch in range(max(place.low, aim - 1), min(127, aim + 2) + 1)}


class Fullness:
    """Chords are larger where it is lively, smaller where it is calm."""

    def __init__(self, energy: float) -> None:
        self._nats = CHORD_NATS * (energy - MIDDLING)

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class."""
        if attribute != "strength":
            return {}
        return {notes + 1: self._nats * (notes - 1) for notes in range(2, MOST_NOTES + 1)}


class Presence:
    """Who is to play in a bar is heard in it: the longer a player is behind its share of the onsets, the more."""

    def __init__(self, players: Sequence[int]) -> None:
        self._played: dict[int, set[int]] = {k: set() for k in players}
        self._ticks: set[int] = set()

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class; who has played is learnt when a strength is asked for."""
        if attribute == "strength":
            self._ticks.add(place.tick)
            self._played.setdefault(place.instrument, set()).add(place.tick)
        elif attribute == "instrument":
            return {k + 1: nats for k in self._played if (nats := self._behind(k, place.tick))}
        elif attribute == "beat" and place.tick >= 0:
            later = [self._behind(k, place.tick) for k in self._played if k > place.instrument]
            return {FIRST_TICK + place.tick: max(later)} if any(later) else {}
        return {}

    def _behind(self, instrument: int, tick: int) -> float:
        due = ONSET_SHARES[instrument] * len(self._ticks | {tick}) - len(self._played[instrument])
        return min(MOST_PRESENCE_NATS, PRESENCE_NATS * max(0.0, due))


def leader_of(players: Collection[int]) -> int | None:
    """Who of `players` has the tune; None where none of them has one."""
    return next((INSTRUMENTS.index(name) for name in LEADERS if INSTRUMENTS.index(name) in players), None)


def recast(bar: Bar, players: Collection[int]) -> Bar:
    """`bar` for other players: its tune goes to whom has the tune now, where its own player rests."""
    heard = {note.instrument for note in bar.notes}
    had, has = leader_of(heard), leader_of(players)
    if had is None or has is None or had in players or has in heard:
        return bar
    notes = (replace(note, instrument=has) if note.instrument == had else note for note in bar.notes)
    return replace(bar, notes=tuple(sorted(notes)))


def colours(asked: BarPlan, players: Sequence[int], written: Sequence[Bar]) -> list[Leaning]:
    """The leanings of one bar that do not come from its form, its tune or its harmony."""
    parts: list[Leaning] = [Registers(players, asked.energy), Fullness(asked.energy), Presence(players)]
    tops = [note.pitch for note in written[-1].notes if note.instrument] if written else []
    if asked.lead == "rise" and tops:
        parts.append(Rise(min(84, max(tops))))
    return parts
