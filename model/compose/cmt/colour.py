"""Registers, rises and who has the tune: leanings that the arrangement asks for."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace

from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.compose.cmt.wishes import Wishes
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Bar
from hitpoint.model.plan.types import Affect

OUT_OF_RANGE_NATS = -3.0
RISE_NATS = 2.5
RISE_SEMITONES = 9
HALF = TICKS_PER_BAR // 2
HIGHEST_START = 84
LEADERS = ("strings", "piano", "guitar")
"""Who has the tune: the first of these that plays."""
HOMES = {"guitar": (38, 57), "piano": (50, 79), "strings": (62, 88)}
"""Where each of them stays while the others play as well, at middling energy: at 43 to 69 the guitar lay within a fifth
of piano and strings in two bars of five (`tests/bench/bench_registers.py`; people's in one of seven)."""
BASS_HOME, BASS_NATS = (28, 46), -8.0
"""Where the bass stays whatever happens above it: the bass part of chamber music and choirs, which the network has
learnt for orchestral pieces, lies an octave higher and leaves nothing below."""
LEFT_HAND, LOWER = 36, 12
"""Where nobody has the bass, the lowest of the others reaches down to this, and up to so many semitones less."""
ENERGY_SEMITONES = 10
"""How much higher the same player stays at full energy than at none."""
TENSION_SEMITONES, USUAL_TENSION, VALENCE_SEMITONES = 8, 0.3, 3
"""How much lower at full tension than at none, and higher where the picture is glad than where it says nothing."""
SPEECH_SEMITONES = 9
"""How much lower under nothing but speech, whose vowels and consonants lie above middle C."""


class Registers(Leaning):
    """Keeps those who have chords and tunes out of each other's way; all of them lie higher where it is lively or
    glad, and lower where it is tense or somebody speaks."""

    leans_on = ("pitch",)

    @classmethod
    def of(cls, here: Here) -> Registers:
        """For every bar."""
        return cls(here.players, here.asked.energy, here.asked.affect, here.asked.spoken, here.asked.leader)

    def __init__(
        self, players: Sequence[int], energy: float, affect: Affect | None = None, spoken: float = 0.0,
        leader: int | None = None,
    ) -> None:  # fmt: skip
        """leader: who has the tune; a guitar that has it goes where that lies."""
        lift = ENERGY_SEMITONES * (energy - 0.5) - SPEECH_SEMITONES * spoken
        if affect is not None:
            lift += VALENCE_SEMITONES * affect.valence - TENSION_SEMITONES * (affect.tension - USUAL_TENSION)
        shift = round(lift)
        names = {INSTRUMENTS[k] for k in players}
        there = [name for name in HOMES if name in names]
        self._homes: dict[int, tuple[int, int, float]] = {}
        if len(there) > 1:
            homes = {name: (HOMES[name][0] + shift, HOMES[name][1] + shift) for name in there}
            if "bass" not in names:
                low, high = homes[there[0]]
                homes[there[0]] = (min(low, LEFT_HAND), max(high - LOWER, BASS_HOME[1]))
            self._homes = {
                INSTRUMENTS.index(name): (*homes[name], OUT_OF_RANGE_NATS)
                for name in there
                if name != "guitar" or INSTRUMENTS.index(name) != leader
            }
        if there and "bass" in names:
            self._homes[INSTRUMENTS.index("bass")] = (*BASS_HOME, BASS_NATS)

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class."""
        home = self._homes.get(place.instrument)
        if attribute != "pitch" or home is None:
            return {}
        low, high, nats = home
        return {pitch + 1: nats for pitch in range(place.low, 128) if not low <= pitch <= high}

    @property
    def signature(self) -> Hashable:
        """All that it is made of."""
        return tuple(self._homes.items())

    def tell(self, wishes: Wishes) -> None:
        """The same on every tick."""
        for player, (low, high, nats) in self._homes.items():
            wishes.pitch[:, player, 1 : max(1, low + 1)] += nats
            wishes.pitch[:, player, high + 2 :] += nats


class Rise(Leaning):
    """Leads the highest line upwards through the second half of the bar."""

    leans_on = ("pitch",)

    @classmethod
    def of(cls, here: Here) -> Rise | None:
        """Where the plan prepares what follows by a rise, from the highest pitch of the bar before."""
        tops = [note.pitch for note in here.written[-1].notes if note.instrument] if here.written else []
        return cls(min(HIGHEST_START, max(tops))) if here.asked.lead == "rise" and tops else None

    def __init__(self, top: int) -> None:
        self._top = top

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class."""
        if attribute != "pitch" or place.tick < HALF or INSTRUMENTS[place.instrument] in ("drums", "bass"):
            return {}
        aim = self._aim(place.tick)
        return {pitch + 1: RISE_NATS for pitch in range(max(place.low, aim - 1), min(127, aim + 2) + 1)}

    def tell(self, wishes: Wishes) -> None:
        """By tick."""
        players = [k for k, name in enumerate(INSTRUMENTS) if name not in ("drums", "bass")]
        for tick in range(HALF, TICKS_PER_BAR):
            aim = self._aim(tick)
            wishes.pitch[tick, players, aim : aim + 4] += RISE_NATS

    def _aim(self, tick: int) -> int:
        return self._top + round(RISE_SEMITONES * (tick - HALF) / HALF)


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
