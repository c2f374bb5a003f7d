"""A plan that grows bar by bar with what has just been seen, for music without end.

The music is a chain of sections of at most SECTION_BARS. At each bar the planner is given a short film: the section so
far as it was seen, and from here on what is seen now; the next bar of that plan is taken. So everything that a film's
music has (who plays, fills, chords, a tune that comes back) is there, and follows within a bar. A section ends when
its bars are over, or when the picture has become another one; sections of one look share their chords.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.mood.curve import STILL_MOTION, WILD_MOTION
from hitpoint.model.music.chords import Chord
from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import BEATS_PER_BAR, Bar, Note, TempoMap, TempoPoint
from hitpoint.model.music.symbols import key_name, parse_key, symbol_of
from hitpoint.model.plan.arrangement.strike import strike
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.seen import Seen
from hitpoint.model.plan.tempo.planner import TempoPlan
from hitpoint.model.plan.tune.melody import tune_player
from hitpoint.model.plan.tune.motif import chance_of, drawn_motif
from hitpoint.model.plan.types import BarPlan, ChordAt, Plan, Section, Wishes
from hitpoint.model.video.types import Boundary, VisualRhythm

SECTION_BARS = 8
SHORTEST_BARS = 4
"""A section that another picture ends has so many bars at least."""
BEFORE, AFTER = 8, 2
"""Bars of the short film before the section, in which the tune is stated first, and behind it."""
AHEAD_BARS = 34
"""Bars that the plan always holds beyond the next one: the composer is told up to 32 to come, and knows of no end."""
MOST_BARS, KEPT_BARS = 96, 32
"""Beyond so many bars behind it the plan forgets all but so many: the composer listens to 16."""
OTHER_LEVEL, OTHER_VALENCE = 0.3, 0.5
"""From this far on another level, or valence, is another picture."""
CUT_WEIGHT, TURN_WEIGHT = 1.0, 0.3
"""How hard a section begins: with an event that was seen, and without."""
MOOD_VALENCE = 0.1
"""From here on valence says major or minor; nearer to 0 the mode stays."""
PLAIN_LOOK = {"brightness": 0.43, "saturation": 0.33, "spread": 20.0}
"""A picture of everyday light and colour, which says nothing of the mood: that is told."""
PLAIN_LEVEL = 110
"""Of its tiny picture, 0..255."""
FRAMES_PER_BAR = 4
SEED_STEP = 9_973


@dataclass
class _Section:
    """levels: of its bars so far. before: the level of the bar before it. chords: once it is planned."""

    label: str
    seed: int
    weight: float
    before: float
    seen: Seen
    key: str | None
    chords: tuple[ChordAt, ...] = ()
    levels: list[float] = field(default_factory=list)


class GrowingPlan:
    """wishes: what is asked for. bpm: the one tempo. key: that of music that goes on, None: a new one.

    `next` plans a bar, `accept` takes in what was composed for it; `cadence` plans the last two.
    """

    def __init__(self, wishes: Wishes, bpm: float, key: str | None = None) -> None:
        self._wishes = wishes
        if wishes.motif is None and tune_player(wishes) is not None:
            self._wishes = replace(wishes, motif=drawn_motif(0.5, chance_of(wishes.seed, wishes.genre)))
        self._bpm, self._bar_s = bpm, 60.0 * BEATS_PER_BAR / bpm
        self._tempo_map = TempoMap((TempoPoint(0.0, 0.0, bpm),))
        self._key = wishes.key or key
        self._section: _Section | None = None
        self._sections = 0
        self._chords: dict[tuple[str, str | None], tuple[ChordAt, ...]] = {}
        self._players = wishes.instruments
        self._bars: list[Bar] = []
        self._plans: list[BarPlan] = []
        self._labels: list[tuple[int, str]] = []
        """(number of the section, its label) of each bar."""
        self._coming: list[BarPlan] = []
        self._before: tuple[_Section | None, int, Seen, int] = (None, 0, Seen(), 0)
        """The section before the last bar, its bars, what was seen, and its number."""

    @property
    def history(self) -> Sequence[Bar]:
        """The bars so far, as far back as they are kept, counted from 0."""
        return self._bars

    @property
    def key(self) -> str | None:
        """The key of the section, "A minor"; None where no harmony is planned."""
        return self._section.key if self._section is not None else self._key

    def wish(self, wishes: Wishes) -> None:
        """Other wishes from the next bar on; genre, instruments and tempo stay."""
        self._wishes = replace(wishes, motif=self._wishes.motif)

    def next(self, seen: Seen) -> Plan:
        """The plan in which bar `len(history)` is the next; the bars behind it are a guess."""
        before = self._section
        known = (0, Seen()) if before is None else (len(before.levels), before.seen)
        self._before = (before, *known, self._sections)
        section = self._turned(seen)
        draft = self._draft(section, seen)
        place = BEFORE + len(section.levels)
        left = list(draft.bars[place : BEFORE + SECTION_BARS])
        again = list(draft.bars[BEFORE : BEFORE + SECTION_BARS])
        while len(left) <= AHEAD_BARS:
            left += again
        return self._whole(left, draft, section)

    def accept(self, bar: Bar) -> None:
        """`bar` was composed for the plan's next one."""
        section = self._section
        assert section is not None and self._coming
        self._bars.append(replace(bar, index=len(self._bars)))
        self._plans.append(self._coming[0])
        self._labels.append((self._sections, section.label))
        section.levels.append(section.seen.level)
        del self._coming[0]

    def take_back(self) -> None:
        """The bar that was accepted last is to be planned again: something else is seen by now."""
        del self._bars[-1], self._plans[-1], self._labels[-1]
        self._section, bars, seen, self._sections = self._before
        if self._section is not None:
            del self._section.levels[bars:]
            self._section.seen = seen

    def shorten(self) -> int | None:
        """Forget the oldest bars where there are too many; how many stay, None where all do."""
        if len(self._bars) <= MOST_BARS:
            return None
        self._bars = [replace(bar, index=i) for i, bar in enumerate(self._bars[-KEPT_BARS:])]
        self._plans, self._labels = self._plans[-KEPT_BARS:], self._labels[-KEPT_BARS:]
        return KEPT_BARS

    def cadence(self, seen: Seen) -> Plan:
        """The plan that ends with the two bars to come: the way home, and the last chord."""
        section = self._turned(seen)
        chords = self._way_home(section.key)
        harmony = self._wishes.harmony if chords is None else chords
        level = np.full(4, seen.level)
        rhythm = self._rhythm(level, ())
        wishes = replace(self._asked(section, seen), harmony=harmony)
        draft = build_plan(rhythm, wishes, self._tempo(4), level)
        return replace(self._whole(list(draft.bars[2:]), draft, section), ending=draft.ending)

    def strikes(self, bar: BarPlan) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
        """What an event strikes in either half of `bar`."""
        return strike(bar, self._players, 0), strike(bar, self._players, 1)

    def _turned(self, seen: Seen) -> _Section:
        """The section of the next bar: the one that is played, or a new one."""
        section = self._section
        if section is not None and len(section.levels) < SECTION_BARS and not self._is_other(section, seen):
            section.seen = seen
            return section
        self._sections += 1
        key = self._mode(seen, section.key if section is not None else self._key)
        label = _look(seen)
        seed = self._wishes.seed + SEED_STEP * (self._sections - 1)
        begins_hard = section is None or seen.cuts > 0
        before = seen.level if section is None else section.levels[-1]
        weight = CUT_WEIGHT if begins_hard else TURN_WEIGHT
        self._section = _Section(label, seed, weight, before, seen, key, self._chords.get((label, key), ()))
        return self._section

    def _is_other(self, section: _Section, seen: Seen) -> bool:
        """Whether the picture is another one than the section's."""
        if len(section.levels) < SHORTEST_BARS:
            return False
        usual = sum(section.levels) / len(section.levels)
        valence = (seen.valence or 0.0) - (section.seen.valence or 0.0)
        return seen.cuts > 0 or abs(seen.level - usual) >= OTHER_LEVEL or abs(valence) >= OTHER_VALENCE

    def _mode(self, seen: Seen, key: str | None) -> str | None:
        """The home key, major or minor by what is seen, unless the user named it."""
        valence = (seen.valence or 0.0) + self._wishes.valence
        if key is None or self._wishes.key is not None or abs(valence) < MOOD_VALENCE:
            return key
        return key_name(Key(parse_key(key).root, valence < 0))

    def _draft(self, section: _Section, seen: Seen) -> Plan:
        """The plan of the short film around the section."""
        rest = BEFORE + SECTION_BARS + AFTER - BEFORE - len(section.levels)
        level = np.array([*[section.before] * BEFORE, *section.levels, *[seen.level] * rest])
        turns = (
            Boundary(BEFORE * self._bar_s, "cut", section.weight),
            Boundary((BEFORE + SECTION_BARS) * self._bar_s, "fade", TURN_WEIGHT),
        )
        wishes = self._asked(section, seen)
        draft = build_plan(self._rhythm(level, turns), wishes, self._tempo(len(level)), level)
        if not section.chords and draft.harmony:
            section.key = section.key or draft.bars[0].key
            section.chords = tuple(
                ChordAt(bar.index, half, symbol) for bar in draft.bars for half, symbol in enumerate(bar.chords or ())
            )
            self._chords.setdefault((section.label, section.key), section.chords)
        if self._wishes.harmony == "bound" and draft.harmony:
            draft = replace(draft, harmony="bound")
        return draft

    def _asked(self, section: _Section, seen: Seen) -> Wishes:
        """The wishes with what is seen added."""
        wishes = self._wishes
        mood = wishes.mood != "off"
        stir = seen.stir - seen.level
        return replace(
            wishes,
            seed=section.seed,
            key=wishes.key or section.key,
            harmony=section.chords or wishes.harmony,
            valence=_clipped(wishes.valence + (seen.valence or 0.0), 1.0) if mood else 0.0,
            arousal=_clipped(wishes.arousal + 2 * stir, 1.0) if mood else 0.0,
            energy=_clipped(wishes.energy + stir / 2, 0.5),
            keep_sound=False,
        )

    def _rhythm(self, level: NDArray[np.float64], turns: tuple[Boundary, ...]) -> VisualRhythm:
        """A film of so many bars, as quick as `level` (bars,) says."""
        count = FRAMES_PER_BAR * len(level)
        times_s = (np.arange(count) + 0.5) * self._bar_s / FRAMES_PER_BAR
        motion = STILL_MOTION * (WILD_MOTION / STILL_MOTION) ** np.repeat(level, FRAMES_PER_BAR)
        look: dict[str, NDArray[Any]] = {
            "swatches": np.full((1, 8, 16, 3), PLAIN_LEVEL, np.uint8),
            "swatch_frames": np.zeros(1, np.int64),
            **{name: np.full(count, value, np.float32) for name, value in PLAIN_LOOK.items()},
        }
        none = np.zeros(count, np.float32)
        shots = tuple("ABC"[: len(turns) + 1])
        length_s = len(level) * self._bar_s
        return VisualRhythm(
            length_s,
            (),
            times_s,
            motion.astype(np.float32),
            none,
            (),
            turns,
            shots,
            measured={"palette": look},
        )

    def _tempo(self, bars: int) -> TempoPlan:
        return TempoPlan(self._tempo_map, bars, self._bpm)

    def _way_home(self, key: str | None) -> tuple[ChordAt, ...] | None:
        """Subdominant and dominant, then the tonic; None where no harmony is planned."""
        if key is None or self._wishes.harmony == "off":
            return None
        home = parse_key(key)
        tonic = symbol_of(Chord(home.root, "min" if home.minor else "maj"), home)
        fourth = symbol_of(Chord((home.root + 5) % 12, "min" if home.minor else "maj"), home)
        fifth = symbol_of(Chord((home.root + 7) % 12, "7"), home)
        symbols = (tonic, tonic, tonic, tonic, fourth, fifth, tonic, tonic)
        return tuple(ChordAt(place // 2, place % 2, symbol) for place, symbol in enumerate(symbols))

    def _whole(self, coming: list[BarPlan], draft: Plan, section: _Section) -> Plan:
        """What was played and what is to come as one plan."""
        first = len(self._bars)
        labels = [*self._labels, *self._places(len(coming), section)]
        sections: list[Section] = []
        place: dict[int, int] = {}
        for index, (number, label) in enumerate(labels):
            if number not in place:
                place[number] = len(sections)
                sections.append(Section(label, index, index + 1))
            sections[place[number]] = replace(sections[place[number]], end_bar=index + 1)
        numbered = [
            replace(bar, index=index, section=place[labels[index][0]])
            for index, bar in enumerate([*self._plans, *coming])
        ]
        self._coming, self._players = numbered[first:], draft.instruments
        return replace(
            draft, duration_s=len(numbered) * self._bar_s, bars=tuple(numbered), hits=(), sections=tuple(sections),
            changes=(), ending="", seed=self._wishes.seed,
        )  # fmt: skip

    def _places(self, count: int, section: _Section) -> list[tuple[int, str]]:
        """Number and label of the section of each of the bars to come."""
        done = len(section.levels)
        return [(self._sections + (done + index) // SECTION_BARS, section.label) for index in range(count)]


def _look(seen: Seen) -> str:
    """Pictures of one look have one label: by thirds of level and of valence."""
    level = min(2, int(3 * seen.level))
    valence = min(2, int(1.5 * ((seen.valence or 0.0) + 1.0)))
    return "ABCDEFGHI"[3 * valence + level]


def _clipped(value: float, most: float) -> float:
    return max(-most, min(most, value))
