"""Form inside a piece: which earlier bar a bar recalls, and how the last bars lead to the end.

A bar's writer adds some nats to the classes by which it would repeat the earlier bar (or close the piece) and leaves
the rest to the network; the masks of the grammar stand above both. At the head of a phrase that the picture wants just
as the earlier one, the earlier bar is played again, as 7 of 100 bars of real pieces are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hitpoint.model.compose.cmt.colour import Together, colours, recast
from hitpoint.model.compose.cmt.grammar import Leaning, Place
from hitpoint.model.compose.cmt.harmony import Home, home_key, moving
from hitpoint.model.compose.cmt.wished_key import opening, wished_key
from hitpoint.model.music.harmony import Key, key_of
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Bar, Note
from hitpoint.model.music.tokens import FIRST_TICK, duration_class
from hitpoint.model.plan.types import BarPlan, Plan

PHRASE_BARS = 4
CLOSING_BARS = 2
HEAD_BARS = 2
MOST_HEARD = 3
"""The first HEAD_BARS of a phrase may be an earlier bar played again; none is heard more often than MOST_HEARD."""
AGAINST_NATS = 0.5
"""What is left of a recall where the harmony must move elsewhere."""
AGAIN_NATS = 30.0
"""More than the network ever has against a class that the masks allow."""
TRIAD_NATS = 4.0
LATE_NATS = -2.0
LAST_ONSET = TICKS_PER_BAR // 2
"""The last chord rather starts by the middle of the last bar, so that it can ring."""


class Echo(NamedTuple):
    """An earlier bar to recall, and the nats that speak for its onsets and for its pitches."""

    bar: int
    rhythm_nats: float
    pitch_nats: float


THEME_BARS = 8
RETURN_NATS, PHRASE_NATS, THEME_NATS, GROOVE_NATS = (4.0, 4.0), (3.5, 3.5), (1.5, 2.0), (3.0, 0.5)
"""For rhythm and pitch, chosen so that structure and grooving come nearest to held-out human music."""


def echo_of(plan: Plan, index: int) -> Echo | None:
    """The bar that bar `index` of the plan recalls: its counterpart in the first section that looks alike, else the
    one a phrase before it, else the one THEME_BARS before it, so that a theme goes on through sections that look
    otherwise, else the one before. A section's last bar recalls only rhythm, so that a return differs.

    None for the first bar of new material and for the last bar of the piece.
    """
    bar = plan.bars[index]
    if not 0 <= bar.section < len(plan.sections) or index == len(plan.bars) - 1:
        return None
    section = plan.sections[bar.section]
    offset = index - section.first_bar
    before = (each for each in plan.sections[: bar.section] if each.end_bar > each.first_bar)
    alike = next((each for each in before if each.label == section.label), None)
    if alike is not None:
        return _echo(alike.first_bar + offset % (alike.end_bar - alike.first_bar), index, RETURN_NATS, section.end_bar)
    if offset >= PHRASE_BARS:
        return _echo(index - PHRASE_BARS, index, PHRASE_NATS, section.end_bar)
    if index >= THEME_BARS:
        return _echo(index - THEME_BARS, index, THEME_NATS, section.end_bar)
    return _echo(index - 1, index, GROOVE_NATS, section.end_bar) if offset else None


def _echo(earlier: int, index: int, nats: tuple[float, float], end_bar: int) -> Echo | None:
    if not 0 <= earlier < index:
        return None
    return Echo(earlier, nats[0], 0.0 if index == end_bar - 1 else nats[1])


def leaning_of(plan: Plan, index: int, written: Sequence[Bar], anew: bool = False) -> Leaning | None:
    """What bar `index` leans to, given all bars before it. anew: not to playing an earlier bar again."""
    asked = plan.bars[index]
    bars_left = len(plan.bars) - index
    wished = wished_key(asked)
    if bars_left <= CLOSING_BARS and len(written) >= PHRASE_BARS:
        key = wished or home_key(written) or key_of(written)
        if key is not None:
            return Close(key, last=bars_left == 1)
    players = plan.instruments if asked.instruments is None else asked.instruments
    echo = echo_of(plan, index)
    earlier = None if echo is None or echo.bar >= len(written) else written[echo.bar]
    if earlier is not None and echo is not None and not anew:
        alike = _label(plan, index) == _label(plan, echo.bar)  # elsewhere a theme returns varied
        wanted_again = alike and _heads_phrase(plan, index) and _fits(asked, players, earlier)
        if wanted_again and not _worn(earlier, written):
            return Again(earlier)
    if earlier is not None:
        earlier = recast(earlier, players)
    recalled = earlier if echo is not None and echo.pitch_nats else None
    hit_ticks = {hit.tick for hit in plan.hits if hit.bar == index and hit.accent is not None}
    moves = moving(asked, hit_ticks, players, written, recalled, plan.seed, wished)
    parts: list[Leaning] = colours(asked, players, written)
    if earlier is not None and echo is not None:
        against = moves is not None and moves.against
        parts.append(Recall(earlier, echo._replace(pitch_nats=min(AGAINST_NATS, echo.pitch_nats)) if against else echo))
    if moves is not None:
        parts.append(moves.leaning)
    elif wished is not None and not written:
        parts.append(opening(wished, players))
    home = wished or home_key(written)
    if home is not None:
        parts.append(Home(home, 0.0 if asked.affect is None else asked.affect.tension))
    return Together(parts)


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


class Again:
    """Plays an earlier bar again wherever the masks allow it, with a loudness of its own."""

    def __init__(self, bar: Bar) -> None:
        self._notes = bar.notes

    def lean(self, attribute: str, place: Place) -> dict[int, float]:
        """Nats by class: of the first note not yet played, for the attribute that is asked for."""
        reached = (place.tick, place.instrument)
        ahead = [n for n in self._notes if (n.tick, n.instrument) > reached]
        here = [n for n in self._notes if (n.tick, n.instrument) == reached and n.pitch >= place.low]
        if attribute == "beat" and ahead:
            return {FIRST_TICK + ahead[0].tick: AGAIN_NATS}
        if attribute == "instrument" and ahead and ahead[0].tick == place.tick:
            return {ahead[0].instrument + 1: AGAIN_NATS}
        if attribute == "strength" and here:
            return {len(here) + 1: AGAIN_NATS}
        if attribute == "pitch" and here:
            return {here[0].pitch + 1: AGAIN_NATS}
        if attribute == "duration" and here:
            return {int(duration_class(np.array([here[0].duration_ticks], np.int16))[0]): AGAIN_NATS}
        return {}


class Recall:
    """Leans to an earlier bar."""

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
class Close:
    """Leans to the dominant in the second half of the bar before the last, and to the tonic in the last bar."""

    key: Key
    last: bool

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
