"""Form inside a piece: a bar leans to an earlier one, and the last bars to the end.

At the head of a phrase that the picture wants just as the earlier one, the earlier bar is played again, as 7 of 100
bars of real pieces are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hitpoint.model.compose.cmt.chords import same_chords
from hitpoint.model.compose.cmt.echo import Echo, recalled
from hitpoint.model.compose.cmt.harmony import home_key, move_of, wished_key
from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.music.harmony import key_of
from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Bar, Note
from hitpoint.model.music.tokens import BAR_LINE, FIRST_TICK, duration_class
from hitpoint.model.plan.types import PHRASE_BARS, BarPlan, Plan

CLOSING_BARS = 2
HEAD_BARS = 2
MOST_HEARD = 3
"""The first HEAD_BARS of a phrase may be an earlier bar played again; none is heard more often than MOST_HEARD."""
AGAINST_NATS = 0.5
"""What is left of a recall where the harmony must move elsewhere."""
AGAIN_NATS = 45.0
"""More than the network ever has against a class that the masks allow."""
TRIAD_NATS = 4.0
LATE_NATS = -2.0
LAST_ONSET = TICKS_PER_BAR // 2
"""The last chord rather starts by the middle of the last bar, so that it can ring."""


def _label(plan: Plan, index: int) -> str:
    return plan.sections[plan.bars[index].section].label


def _heads_phrase(plan: Plan, index: int) -> bool:
    first_bar = plan.sections[plan.bars[index].section].first_bar
    return (index - first_bar) % PHRASE_BARS < HEAD_BARS


def _fits(wanted: BarPlan, players: Sequence[int], bar: Bar) -> bool:
    """Whether a bar already written is all that the plan wants of another."""
    strengths = bar.strengths()
    heard = {(note.tick, note.instrument) for note in bar.notes}
    if wanted.scored or any(wanted.changes) or heard & set(wanted.closed) or not set(wanted.entries) <= heard:
        return False
    if not {note.instrument for note in bar.notes} <= set(players):
        return False
    return wanted.density == bar.density and all(strengths.get(tick) == most for tick, most in wanted.required)


def _worn(bar: Bar, written: Sequence[Bar]) -> bool:
    return sum(_onsets(each) == _onsets(bar) for each in written) >= MOST_HEARD


def _onsets(bar: Bar) -> list[tuple[int, int, int]]:
    return [(note.tick, note.instrument, note.pitch) for note in bar.notes]


class Again(Leaning):
    """Plays an earlier bar again wherever the masks allow it, with a loudness of its own."""

    alone = True

    @classmethod
    def of(cls, here: Here) -> Again | None:
        """At the head of a phrase that the picture wants just as the one recalled, which is not worn yet."""
        earlier = recalled(here)
        if earlier is None or here.anew or not _heads_phrase(here.plan, here.index):
            return None
        if _label(here.plan, here.index) != _label(here.plan, earlier.echo.bar):
            return None  # elsewhere a theme returns varied
        if not same_chords(here.plan, here.index, earlier.echo.bar):
            return None
        if here.asked.line != here.plan.bars[earlier.echo.bar].line:
            return None
        wanted = _fits(here.asked, here.players, earlier.bar) and not _worn(earlier.bar, here.written)
        return cls(earlier.bar) if wanted else None

    def __init__(self, bar: Bar) -> None:
        self._notes = bar.notes

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class: of the first note not yet played, for the attribute that is asked for."""
        reached = (place.tick, place.instrument)
        ahead = [n for n in self._notes if (n.tick, n.instrument) > reached]
        here = [n for n in self._notes if (n.tick, n.instrument) == reached and n.pitch >= place.low]
        if attribute == "beat":
            return {FIRST_TICK + ahead[0].tick if ahead else BAR_LINE: AGAIN_NATS}
        if attribute == "instrument" and ahead and ahead[0].tick == place.tick:
            return {ahead[0].instrument + 1: AGAIN_NATS}
        if attribute == "strength" and here:
            return {len(here) + 1: AGAIN_NATS}
        if attribute == "pitch" and here:
            return {here[0].pitch + 1: AGAIN_NATS}
        if attribute == "duration" and here:
            return {int(duration_class(np.array([here[0].duration_ticks], np.int16))[0]): AGAIN_NATS}
        return {}


class Recall(Leaning):
    """Leans to an earlier bar."""

    @classmethod
    def of(cls, here: Here) -> Recall | None:
        """To the bar recalled, less so in pitch where the harmony must move elsewhere."""
        earlier = recalled(here)
        if earlier is None:
            return None
        echo, move = earlier.echo, move_of(here)
        other = not same_chords(here.plan, here.index, echo.bar)
        if other or (move is not None and move.against):
            echo = echo._replace(pitch_nats=min(AGAINST_NATS, echo.pitch_nats))
        return cls(earlier.recast, echo)

    def __init__(self, bar: Bar, echo: Echo) -> None:
        self._groups: dict[tuple[int, int], list[Note]] = {}
        for note in bar.notes:
            self._groups.setdefault((note.tick, note.instrument), []).append(note)
        self._ticks = sorted({note.tick for note in bar.notes})
        self._rhythm, self._pitch = echo.rhythm_nats, echo.pitch_nats

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class."""
        if attribute == "beat":
            return self._beats(place)
        if attribute == "instrument":
            later = [k for (tick, k) in self._groups if tick == place.tick and k > place.instrument]
            return {min(later) + 1: self._rhythm} if later else {}
        group = self._groups.get((place.tick, place.instrument))
        if attribute == "strength":
            return {len(group) + 1: self._rhythm} if group else {}
        if attribute == "pitch" and self._pitch:
            return {note.pitch + 1: self._pitch for note in group or self._nearest(place) if note.pitch >= place.low}
        if attribute == "duration" and group:
            lengths = np.array([note.duration_ticks for note in group if note.pitch == place.low], np.int16)
            return {int(each): self._rhythm for each in duration_class(lengths)}
        return {}

    def durations(self, place: Place, pitches: Iterable[int]) -> Mapping[int, Mapping[int, float]]:
        """Only the pitches of the earlier bar have lengths to lean to."""
        there = {note.pitch for note in self._groups.get((place.tick, place.instrument), ())}
        return super().durations(place, [pitch for pitch in pitches if pitch in there])

    def _beats(self, place: Place) -> dict[int, float]:
        """Speaks for the earlier bar's onsets where there are enough of them, and against passing over one where
        there are not too many: onsets then are a part of the earlier ones, or hold them all."""
        same = any(tick == place.tick and k > place.instrument for tick, k in self._groups)
        nats = {FIRST_TICK + place.tick: self._rhythm} if same else {}
        ahead = self._ticks[bisect_right(self._ticks, place.tick) :]
        if ahead and place.owed_ticks <= len(ahead):
            nats |= {FIRST_TICK + tick: self._rhythm for tick in ahead}
        if ahead and place.owed_ticks >= len(ahead):
            for tick in range(ahead[0] + 1, TICKS_PER_BAR):
                nats[FIRST_TICK + tick] = nats.get(FIRST_TICK + tick, 0.0) - self._rhythm
        return nats

    def _nearest(self, place: Place) -> list[Note]:
        """The notes of the instrument's last onset in the earlier bar before this tick."""
        before = [tick for tick, k in self._groups if k == place.instrument and tick < place.tick]
        return self._groups[max(before), place.instrument] if before else []


@dataclass(frozen=True)
class Close(Leaning):
    """Leans to the dominant in the second half of the bar before the last, and to the tonic in the last bar."""

    alone = True
    leans_on = ("beat", "pitch")
    key: Key
    last: bool

    @classmethod
    def of(cls, here: Here) -> Close | None:
        """For the last bars of a piece that has a key and no chords planned."""
        bars_left = len(here.plan.bars) - here.index
        if bars_left > CLOSING_BARS or len(here.written) < PHRASE_BARS or here.has_chords:
            return None
        key = wished_key(here.asked) or home_key(here.written) or key_of(here.written)
        return None if key is None else cls(key, last=bars_left == 1)

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class."""
        if attribute == "beat" and self.last:
            return {FIRST_TICK + tick: LATE_NATS for tick in range(LAST_ONSET + 1, TICKS_PER_BAR)}
        due = self.last or place.tick >= TICKS_PER_BAR // 2
        if attribute != "pitch" or INSTRUMENTS[place.instrument] == "drums" or not due:
            return {}
        chord = self.key.tonic if self.last else self.key.dominant
        wanted = chord[:1] if INSTRUMENTS[place.instrument] == "bass" else chord
        return {pitch + 1: TRIAD_NATS for pitch in range(place.low, 128) if pitch % 12 in wanted}
