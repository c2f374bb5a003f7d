"""Tension in the notes: after composing, pitches are searched so that the music is as tense as the picture asks.

The idea of MorpheuS (Herremans & Chew 2017): the rhythm is a template, repeated patterns stay patterns, and a search of
growing neighbourhoods changes pitches. Ticks, instruments, strengths and lengths are not touched, so whatever the plan
promises of them is kept; drums, fills and a quoted motif are not touched at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.patterns import patterns
from hitpoint.model.music.chords import HALF_BAR_TICKS
from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Bar, Note
from hitpoint.model.music.spiral import Point, key_centre, point, tonic_fifths
from hitpoint.model.music.symbols import parse_key, parse_symbol
from hitpoint.model.plan.harmony.tension import DEVIATIONS, MEANS, QUANTILES, WEIGHTS
from hitpoint.model.plan.types import Plan

MOVES_A_NOTE, MOST_MOVES = 30, 20_000
OUTSIDE_COST, LEAP_COST = 2.0, 0.5
"""What the share of notes outside their chord costs beside the distance to the target, and each leap over an octave."""
PERTURBED = 0.12
"""The share of groups that are thrown anew where no move helps any more."""
STUCK = 400
"""So many moves in vain are a local optimum."""
FARTHEST = 7
"""Semitones that a note ends up from where it was composed, at most."""
_SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10, 11)}


def asked_tension(plan: Plan) -> NDArray[np.float64] | None:
    """(half bars,) the tension that the picture asks for, 0..1; None where it asks for none, or for one that stays."""
    asked = [bar.affect.tension for bar in plan.bars if bar.affect is not None]
    if len(asked) < len(plan.bars) or np.ptp(asked) < 1e-6:
        return None
    return np.repeat(np.array(asked, float), 2)


def repitched(bars: Sequence[Bar], plan: Plan, seed: int = 0) -> tuple[Bar, ...]:
    """`bars` with other pitches, as tense as the plan asks; the same where it asks for nothing or has no key."""
    target = asked_tension(plan)
    if target is None or any(bar.key is None for bar in plan.bars) or not any(bar.notes for bar in bars):
        return tuple(bars)
    search = Search(bars, plan, target, np.random.default_rng([seed, 21]))
    search.run()
    return search.bars()


class Search:
    """The notes, what moves together, and how far their tension is from what is asked."""

    def __init__(
        self, bars: Sequence[Bar], plan: Plan, target: NDArray[np.float64], dice: np.random.Generator
    ) -> None:  # fmt: skip
        """target (half bars,): 0..1."""
        self._bars, self._plan, self._dice = bars, plan, dice
        self._notes = [(bar.index, note) for bar in bars for note in bar.notes]
        self.pitches = np.array([note.pitch for _, note in self._notes])
        self._composed = self.pitches.copy()
        self.target = target
        self._keys = [parse_key(bar.key or "C major") for bar in plan.bars for _ in (0, 1)]
        self._spots = [_places(key) for key in self._keys]
        self._centres = np.array([key_centre(key) for key in self._keys])
        self._weights = np.zeros((len(target), 12))
        self._windows = [self._sounding(bar, note) for bar, note in self._notes]
        for index in range(len(self._notes)):
            self._put(index, 1.0)
        self._mean = np.array([self._centre(window) for window in range(len(target))])
        self.tension = np.array([self._tension(window) for window in range(len(target))])
        self._tones = [self._chord(bar, note) for bar, note in self._notes]
        self._pitched = max(1, sum(bool(windows) for windows in self._windows))
        self._at: dict[tuple[int, int, int], list[int]] = defaultdict(list)
        for index, (bar, note) in enumerate(self._notes):
            self._at[bar, note.tick, note.instrument].append(index)
        self.groups = self._grouped()

    # What the music is.

    def _sounding(self, bar: int, note: Note) -> list[tuple[int, float]]:
        """(window, ticks) in which a pitched note sounds."""
        if INSTRUMENTS[note.instrument] == "drums":
            return []
        start = bar * TICKS_PER_BAR + note.tick
        end = min(start + note.duration_ticks, len(self.target) * HALF_BAR_TICKS)
        windows = range(start // HALF_BAR_TICKS, -(-end // HALF_BAR_TICKS))
        return [(w, float(min(end, (w + 1) * HALF_BAR_TICKS) - max(start, w * HALF_BAR_TICKS))) for w in windows]

    def _put(self, index: int, sign: float) -> None:
        for window, ticks in self._windows[index]:
            self._weights[window, self.pitches[index] % 12] += sign * ticks

    def _centre(self, window: int) -> Point:
        weights = self._weights[window]
        total = float(weights.sum())
        return weights @ self._spots[window] / total if total > 0 else np.full(3, np.nan)

    def _tension(self, window: int) -> float:
        """0..1 of a half bar; what it asks for where nothing sounds."""
        centre = self._mean[window]
        if np.isnan(centre[0]):
            return float(self.target[window])
        there = self._spots[window][self._weights[window] > 1e-9]
        apart = np.sqrt(np.square(there[:, None] - there[None]).sum(axis=2).max())
        before = self._mean[window - 1] if window else centre
        moved = 0.0 if np.isnan(before[0]) else float(np.linalg.norm(centre - before))
        strain = float(np.linalg.norm(centre - self._centres[window]))
        raw = sum(weight * (value - mean) / spread for weight, value, mean, spread
                  in zip(WEIGHTS, (strain, apart, moved), MEANS, DEVIATIONS, strict=True))  # fmt: skip
        return float(np.interp(raw, QUANTILES, np.linspace(0, 1, len(QUANTILES))))

    def _chord(self, bar: int, note: Note) -> tuple[int, ...]:
        symbols = self._plan.bars[bar].chords
        chord = parse_symbol(symbols[min(1, note.tick // HALF_BAR_TICKS)]) if symbols is not None else None
        return chord.tones if chord is not None else ()

    # What moves together.

    def _grouped(self) -> list[list[int]]:
        """Notes that move by one interval: those in one place of a pattern's occurrences; every other one alone."""
        free = [index for index, (bar, note) in enumerate(self._notes)
                if self._windows[index] and note not in self._plan.bars[bar].scored]  # fmt: skip
        grouped: list[list[int]] = []
        for instrument in {self._notes[index][1].instrument for index in free}:
            own = {}
            for index in free:
                bar, note = self._notes[index]
                if note.instrument == instrument:
                    own[bar * TICKS_PER_BAR + note.tick, note.pitch] = index
            alone = set(own.values())
            for occurrences in patterns(list(own)):
                for places in zip(*occurrences, strict=True):
                    group = [own[place] for place in places]
                    grouped.append(group)
                    alone -= set(group)
            grouped += [[index] for index in sorted(alone)]
        return grouped

    # The search.

    def cost(self) -> float:
        """Distance to the target, notes outside their chords, leaps."""
        pitched = [index for index, windows in enumerate(self._windows) if windows]
        outside = sum(bool(self._tones[i]) and self.pitches[i] % 12 not in self._tones[i] for i in pitched)
        leaps = np.abs(self.pitches[pitched] - self._composed[pitched]) > 12
        apart = float(np.linalg.norm(self.tension - self.target))
        return apart + OUTSIDE_COST * outside / self._pitched + LEAP_COST * float(leaps.sum())

    def run(self) -> None:
        """Move pitches until the moves are used up; the best that was found stays."""
        if not self.groups:
            return
        now = best = self.cost()
        kept, vain = self.pitches.copy(), 0
        for _ in range(min(MOST_MOVES, MOVES_A_NOTE * len(self.groups))):
            group = self.groups[int(self._dice.integers(len(self.groups)))]
            by = int(self._dice.integers(1, FARTHEST + 1)) * (1 if self._dice.random() < 0.5 else -1)
            if not self._may(group, by):
                continue
            then = now + self._move(group, by)
            if then < now - 1e-12:
                now, vain = then, 0
            else:
                self._move(group, -by)
                vain += 1
            if now < best - 1e-12:
                best, kept = now, self.pitches.copy()
            if vain >= STUCK:
                self._perturb()
                now, vain = self.cost(), 0
        self.pitches = kept

    def _perturb(self) -> None:
        for group in self.groups:
            if self._dice.random() < PERTURBED:
                by = int(self._dice.integers(-FARTHEST, FARTHEST + 1))
                if by and self._may(group, by):
                    self._move(group, by)

    def _may(self, group: Sequence[int], by: int) -> bool:
        """Whether every note stays in its key, near where it was, inside its strings, and apart from its chord's."""
        for index in group:
            bar, note = self._notes[index]
            pitch = int(self.pitches[index]) + by
            key: Key = self._keys[2 * bar]
            inside = (pitch - key.root) % 12 in _SCALES[key.minor] or pitch % 12 in self._tones[index]
            if not inside or abs(pitch - int(self._composed[index])) > FARTHEST or not 24 <= pitch <= 103:
                return False
            if self._plan.harmony == "bound" and note.tick % 4 == 0 and pitch % 12 not in self._tones[index]:
                return False
            beside = self._at[bar, note.tick, note.instrument]
            if any(int(self.pitches[other]) == pitch for other in beside if other not in group):
                return False
        return True

    def _move(self, group: Sequence[int], by: int) -> float:
        """Move the group; by how much the cost changes."""
        touched = {window for index in group for window, _ in self._windows[index]}
        touched |= {window + 1 for window in touched if window + 1 < len(self.target)}
        before = float(np.linalg.norm(self.tension - self.target))
        outside = 0
        for index in group:
            self._put(index, -1.0)
            tones = self._tones[index]
            was = bool(tones) and self.pitches[index] % 12 not in tones
            self.pitches[index] += by
            outside += (bool(tones) and self.pitches[index] % 12 not in tones) - was
            self._put(index, 1.0)
        for window in sorted(touched):
            self._mean[window] = self._centre(window)
        for window in touched:
            self.tension[window] = self._tension(window)
        apart = float(np.linalg.norm(self.tension - self.target)) - before
        return apart + OUTSIDE_COST * outside / self._pitched

    def bars(self) -> tuple[Bar, ...]:
        """The bars with the pitches found."""
        moved: dict[int, list[Note]] = {bar.index: [] for bar in self._bars}
        for (bar, note), pitch in zip(self._notes, self.pitches, strict=True):
            moved[bar].append(replace(note, pitch=int(pitch)))
        return tuple(replace(bar, notes=tuple(sorted(moved[bar.index]))) for bar in self._bars)


def _places(key: Key) -> Point:
    """(12, 3): where each pitch class lies, spelled as in the key."""
    centre = tonic_fifths(key) + (-1 if key.minor else 2)
    return np.array([point((7 * tone - centre + 6) % 12 + centre - 6) for tone in range(12)])
