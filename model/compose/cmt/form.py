"""Form inside a piece: a bar leans to an earlier one, and the last bars to the end.

At the head of a phrase that the picture wants just as the earlier one, the earlier bar is played again, as 7 of 100
bars of real pieces are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.cmt.chords import same_chords
from hitpoint.model.compose.cmt.echo import Echo, recalled
from hitpoint.model.compose.cmt.harmony import home_key, move_of, wished_key
from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.compose.cmt.wishes import (
    AGAIN,
    AHEAD,
    AS_MANY,
    FEWER,
    LATER,
    PLAYERS,
    SAME_LENGTH,
    Wishes,
    next_player,
    pitches_of,
)
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
ANEW = 0.3
"""What is left of it where a passage is written again."""
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


def _groups(notes: Sequence[Note]) -> dict[tuple[int, int], list[Note]]:
    """Simu-notes by (tick, instrument)."""
    groups: dict[tuple[int, int], list[Note]] = {}
    for note in notes:
        groups.setdefault((note.tick, note.instrument), []).append(note)
    return groups


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

    def tell(self, wishes: Wishes) -> None:
        """By the onset reached: the onset that comes next, and in it the note that comes next by the lowest pitch."""
        groups = _groups(self._notes)
        nats = np.float32(AGAIN_NATS)
        wishes.nats[[AGAIN, SAME_LENGTH]] = AGAIN_NATS
        reached = [(tick, player) for tick in range(-1, TICKS_PER_BAR) for player in range(-1, PLAYERS)]
        onsets = sorted(groups)
        for at, (tick, player) in enumerate(reached):
            number = bisect_right(onsets, (tick, player))
            beat = FIRST_TICK + onsets[number][0] if number < len(onsets) else BAR_LINE
            wishes.beat[divmod(at, PLAYERS + 1)][:, beat] += nats
            if number < len(onsets) and onsets[number][0] == tick:
                wishes.instrument[tick, player + 1, :, onsets[number][1] + 1] += nats
        for place, notes in groups.items():
            wishes.strength[place][:, len(notes) + 1] += nats
            pitches = np.array([note.pitch for note in notes])
            lengths = duration_class(np.array([note.duration_ticks for note in notes], np.int16))
            low = np.searchsorted(pitches, np.arange(pitches[-1] + 1))
            wishes.following[place][: len(low)] = pitches[low] + 1
            wishes.length[place][: len(low)] = lengths[low]


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
        if here.anew:  # whoever asks for other notes is not to get the same
            echo = echo._replace(rhythm_nats=ANEW * echo.rhythm_nats, pitch_nats=ANEW * echo.pitch_nats)
        return cls(earlier.recast, echo)

    def __init__(self, bar: Bar, echo: Echo) -> None:
        self._notes = bar.notes
        self._groups = _groups(bar.notes)
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

    def tell(self, wishes: Wishes) -> None:
        """By the onset reached and the ticks still owed; pitches are those of the instrument's last onset there."""
        if not self._notes:
            return
        columns = [(note.tick, note.instrument, note.pitch, note.duration_ticks) for note in self._notes]
        ticks, players, pitches, lengths = np.array(columns).T
        counts = np.zeros((TICKS_PER_BAR, PLAYERS), np.int64)
        np.add.at(counts, (ticks, players), 1)
        there = counts > 0
        self._tell_beats(wishes, there)
        wishes.nats[SAME_LENGTH] = self._rhythm
        wishes.length[ticks, players, pitches] = duration_class(lengths)
        tick, player = np.nonzero(there)
        wishes.strength[tick, player, :, counts[tick, player] + 1] += self._rhythm
        following = next_player(there)
        tick, before = np.nonzero(following < PLAYERS)
        wishes.instrument[tick, before, :, following[tick, before] + 1] += self._rhythm
        onsets = np.zeros((TICKS_PER_BAR + 1, *wishes.pitch.shape[1:]), np.float32)
        onsets[ticks, players, pitches + 1] = self._pitch
        last = np.where(there, np.arange(TICKS_PER_BAR)[:, None], TICKS_PER_BAR)  # the row of zeros
        for at in range(1, TICKS_PER_BAR):
            last[at] = np.where(there[at], at, last[at - 1])
        wishes.pitch += onsets[last, np.arange(PLAYERS)]

    def _tell_beats(self, wishes: Wishes, there: NDArray[np.bool_]) -> None:
        nats, sounds = np.float32(self._rhythm), there.any(axis=1)
        for tick, player in enumerate(np.where(there, np.arange(PLAYERS), -1).max(axis=1)):
            wishes.beat[tick + 1, : player + 1, :, FIRST_TICK + tick] += nats
        ahead = sounds * LATER
        passing = LATER * (np.cumsum(ahead, axis=1) - ahead > 0)  # one lies between
        wishes.by_tick[:, AHEAD] = ahead.sum(axis=1)
        wishes.beat[:, :, FEWER : AS_MANY + 1, FIRST_TICK:] += nats * ahead[:, None, None]
        wishes.beat[:, :, AS_MANY:, FIRST_TICK:] -= nats * passing[:, None, None]

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

    def tell(self, wishes: Wishes) -> None:
        """The same wherever it is due."""
        if self.last:
            wishes.beat[..., FIRST_TICK + LAST_ONSET + 1 :] += LATE_NATS
        chord = self.key.tonic if self.last else self.key.dominant
        for player, name in enumerate(INSTRUMENTS):
            wanted = pitches_of(chord[:1] if name == "bass" else chord) & (name != "drums")
            wishes.pitch[0 if self.last else TICKS_PER_BAR // 2 :, player, wanted] += TRIAD_NATS
