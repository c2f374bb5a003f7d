"""One piece of diffusion under way: window after window, or a passage in the midst of one, and the band around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.cmt.composer import CmtComposer, task_of
from hitpoint.model.compose.cmt.grammar import BarTask, Grammar
from hitpoint.model.compose.diffusion.busy import Busy
from hitpoint.model.compose.diffusion.choice import HABIT_BARS, Chooser, habit_of
from hitpoint.model.compose.diffusion.sampler import Logits
from hitpoint.model.compose.diffusion.windows import (
    Window,
    goes_on,
    known_pixels,
    lengths,
    model_of,
    passage_windows,
    windows,
)
from hitpoint.model.music.roll import LOWEST, PITCHES, PLAYERS, ROLL_TICKS, Roll
from hitpoint.model.music.score import TICKS_PER_BAR, TICKS_PER_BEAT, Bar, Note
from hitpoint.model.music.symbols import parse_symbol
from hitpoint.model.network.conditions import controls_of_plan, labels_of_plan
from hitpoint.model.network.roll_conditions import Told, told_of
from hitpoint.model.plan.types import Plan

REDRAWS = 3
"""A window in which nothing would start is drawn again so often."""
MIDDLE_VELOCITY, VELOCITY_SPAN = 84, 40
"""A note's velocity at energy .5, and between energies 0 and 1; how loud a bar is played is the plan's."""


class Rolls(Protocol):
    """Who draws."""

    @property
    def band(self) -> CmtComposer:
        """Who writes for the other instruments."""

    def drawn(
        self, told: Told, known: Roll, fixed: Roll, busy: Busy, chance: Sequence[int], like: Roll | None
    ) -> Logits:  # fmt: skip
        """As `DiffusionComposer.drawn`."""


class Piece:
    """A piece under way."""

    def __init__(
        self, composer: Rolls, plan: Plan, seed: int, standing: Sequence[Bar],
        free: frozenset[int] | None = None,
    ) -> None:  # fmt: skip
        """standing: bars that are there. free: whose notes are written; None: everybody's."""
        self._composer, self._plan, self._seed = composer, plan, seed
        self._told = told_of(controls_of_plan(plan), labels_of_plan(plan))
        self._free = frozenset(plan.instruments) if free is None else free
        self._others = tuple(sorted(self._free - set(PLAYERS)))
        self._standing = {index: replace(bar, index=index) for index, bar in enumerate(standing)}
        self.told: list[str] = []
        self.pressure = {"onset": 0.0, "pitch": 0.0}

    # A whole piece, window after window.

    def bars(self) -> Iterator[Bar]:
        """Those that are not there yet. The last of a window waits for the next one, into which its notes may reach."""
        written, total = len(self._standing), len(self._plan.bars)
        waiting: list[Bar] = []
        empty: set[int] = set()
        for window in windows(total):
            if window.new.stop <= written:
                continue
            logits, onsets, rolls = self._window(window, written)
            waiting = [self._held_on(bar, window, logits, onsets) for bar in waiting]
            self._standing |= {bar.index: bar for bar in waiting}
            yield from self._with_others(waiting, empty)
            empty = set() if rolls else set(window.new)
            waiting = rolls or [Bar(index) for index in window.new]
            waiting = [bar for bar in waiting if bar.index >= written]
            self._standing |= {bar.index: bar for bar in waiting}
            if rolls and window.new.stop < total:
                ready, waiting = waiting[:-1], waiting[-1:]
                yield from self._with_others(ready, empty)
        yield from self._with_others(waiting, empty)

    def _window(self, window: Window, written: int) -> tuple[Logits, Roll, list[Bar]]:
        """A window as it was drawn when its bars were new, where some of them stand already as it gave them."""
        there = {index: self._standing[index] for index in window.new if index in self._standing and index < written}
        if there:
            before = {index: bar for index, bar in self._standing.items() if index < window.new.start}
            kept, self._standing = self._standing, before
            found = self._drawn(window)
            self._standing = kept
            if all(_same(bar, there[bar.index]) for bar in found[2] if bar.index in there):
                return found
            window = Window(window.first_bar, range(written, window.new.stop))
        return self._drawn(window)

    # A passage in the midst of one.

    def passage(self, passage: range) -> list[Bar]:
        """The bars written again."""
        whole = dict(self._standing)
        bare = {index: _without(whole[index], self._free & set(PLAYERS)) for index in passage}
        for window in passage_windows(passage, len(self._plan.bars)):
            later = range(window.new.stop, passage.stop)
            self._standing = {index: bar for index, bar in (whole | bare).items() if index not in later}
            rolls = self._drawn(window, varies=False)[2]
            if not rolls:
                new = self._composer.band.regenerate(
                    self._plan, [(whole | bare)[index] for index in range(len(whole))], window.new[0], window.new[-1],
                    sorted(self._free), self._seed,
                )  # fmt: skip
                rolls = [new[index] for index in window.new]
                self._say_empty(window.new)
            bare |= {bar.index: bar for bar in rolls}
        if self._others:
            piece = [(whole | bare)[index] for index in range(len(whole))]
            first, last = passage[0], passage[-1]
            again = self._composer.band.regenerate(self._plan, piece, first, last, self._others, self._seed)
            return again[first : last + 1]
        return [bare[index] for index in passage]

    # One window.

    def _model(self, window: Window, standing: Mapping[int, Bar]) -> Roll | None:
        """What the new bars are a variation of, in their place; None where nothing earlier has their chords."""
        writing = frozenset().union(*(self._players(index) for index in window.new))
        first = model_of(window, self._told.semantic, self._standing, writing)
        if first is None:
            return None
        moved = {index: replace(self._standing[first + index - window.new.start], index=index) for index in window.new}
        return known_pixels(window, {**standing, **moved}, {index: frozenset() for index in window.new})[0]

    def _drawn(self, window: Window, varies: bool = True) -> tuple[Logits, Roll, list[Bar]]:
        """A window's logits, where its notes start, and its new bars, others' standing notes in them; no bars where
        nothing starts in it, however often it is drawn. varies: where earlier bars have its chords the first draw is
        like them; what comes out empty so is drawn from nothing."""
        players = {index: self._players(index) for index in window.new}
        standing = {index: self._seen(index, window) for index in range(window.first_bar - 4, window.first_bar + 8)
                    if index in self._standing or index in window.new}  # fmt: skip
        known, fixed = known_pixels(window, standing, players)
        known &= fixed
        like, busy = self._model(window, standing) if varies else None, self._busy(window, players)
        for redraw in range(REDRAWS + 1):
            chance = (self._seed & 0xFFFFFFFF, window.first_bar, window.new.start, redraw)
            model = None if redraw else like
            told = self._told.window(window.first_bar)
            logits = self._composer.drawn(told, known, fixed, busy, chance, model)
            written = [logits[2 * PLAYERS.index(who), window.ticks(bar)] for bar in players for who in players[bar]]
            if not written or any((each > 0).any() for each in written):
                break
        else:
            return logits, np.zeros((2, ROLL_TICKS, PITCHES), bool), []
        return self._written(window, logits, known)

    def _busy(self, window: Window, players: Mapping[int, frozenset[int]]) -> Busy:
        """Onsets that are asked of a window: as many as the density says, or at most so many where others play too; at
        least one of whoever writes."""
        asked = Busy.anyhow()
        for index, who in players.items():
            at, density = index - window.first_bar, self._plan.bars[index].density
            asked.writing[:, at] = [player in who for player in PLAYERS]
            asked.least[at] = 1 if density is None or self._others else density
            asked.most[at] = TICKS_PER_BAR if density is None else max(density, 1)
        return asked

    def _players(self, index: int) -> frozenset[int]:
        """Who of the roll writes in a bar."""
        players = self._plan.bars[index].instruments
        return self._free & set(PLAYERS) & set(self._plan.instruments if players is None else players)

    def _seen(self, index: int, window: Window) -> Bar:
        """What the roll shows of a bar before it is written."""
        if index in window.new:
            free = self._free & set(PLAYERS)
            return _without(self._standing.get(index, Bar(index)), free)
        return self._standing[index]

    def _written(self, window: Window, logits: Logits, known: Roll) -> tuple[Logits, Roll, list[Bar]]:
        onsets = known[::2].copy()
        chosen: dict[int, list[tuple[int, int, int]]] = {}
        rhythms = [{note.tick for note in self._standing[index].notes if note.instrument in PLAYERS}
                   for index in range(max(0, window.new.start - HABIT_BARS), window.new.start)]  # fmt: skip
        grammars = {index: Grammar(self._task(index)) for index in window.new}
        for index, grammar in grammars.items():
            first = window.ticks(index).start
            chooser = Chooser(grammar, logits[::2, window.ticks(index)], self._allowed(index), self._others,
                              habit_of(rhythms))  # fmt: skip
            found = chooser.choose()
            chosen[index] = [(PLAYERS.index(player), tick, pitch) for (tick, player), pitches in sorted(found.items())
                             for pitch in pitches]  # fmt: skip
            rhythms.append({tick for _, tick, _ in chosen[index]})
            for number, tick, pitch in chosen[index]:
                onsets[number, first + tick, pitch - LOWEST] = True
            for note in grammar.task.locked:
                if note.instrument in PLAYERS and 0 <= note.pitch - LOWEST < PITCHES:
                    onsets[PLAYERS.index(note.instrument), first + note.tick, note.pitch - LOWEST] = True
            for name, value in chooser.pressure.items():
                self.pressure[name] += value
        bars = [self._bar(index, window, grammars[index], chosen[index], logits, onsets) for index in window.new]
        return logits, onsets, bars

    def _task(self, index: int) -> BarTask:
        return task_of(self._plan, index, sorted(self._free), self._standing.get(index, Bar(index)))

    def _allowed(self, index: int) -> NDArray[np.bool_] | None:
        """Pitches that may start, where the harmony is bound: on the beats those of the chord alone."""
        asked = self._plan.bars[index]
        if asked.chords is None or self._plan.harmony != "bound":
            return None
        allowed = np.ones((TICKS_PER_BAR, PITCHES), bool)
        for beat in range(0, TICKS_PER_BAR, TICKS_PER_BEAT):
            chord = parse_symbol(asked.chords[2 * beat // TICKS_PER_BAR])
            if chord is not None:
                allowed[beat] = np.isin((np.arange(PITCHES) + LOWEST) % 12, chord.tones)
        return allowed

    def _bar(
        self, index: int, window: Window, grammar: Grammar, places: Sequence[tuple[int, int, int]], logits: Logits,
        onsets: Roll,
    ) -> Bar:  # fmt: skip
        """The bar's notes: those chosen, and those that stand."""
        first, task = window.ticks(index).start, grammar.task
        ticks = lengths(logits, onsets, [(number, first + tick, pitch) for number, tick, pitch in places])
        energy = self._plan.bars[index].energy
        velocity = int(np.clip(MIDDLE_VELOCITY + VELOCITY_SPAN * (energy - 0.5), 16, 120))
        last = max((tick for _, tick, _ in places), default=-1)
        notes = [note for note in task.locked if note.instrument not in self._others]
        for (number, tick, pitch), length in zip(places, ticks, strict=True):
            left = task.ticks_left - tick
            ends = [stop - tick for stop in task.stops if stop > tick]
            length = min([length, left, *ends])
            if tick == last and task.ticks_left < TICKS_PER_BAR * 3 // 2:
                length = left  # the end of the piece is held
            notes.append(Note(tick, PLAYERS[number], pitch, length, velocity))
        return Bar(index, tuple(sorted(notes)))

    def _held_on(self, bar: Bar, window: Window, logits: Logits, onsets: Roll) -> Bar:
        """The bar before a window's new ones, its notes lasting into them as long as they are held there."""
        line = window.ticks(window.new.start).start
        stops = task_of(self._plan, bar.index).stops
        notes = []
        for note in bar.notes:
            end = note.tick + note.duration_ticks
            if note.instrument in PLAYERS and end == TICKS_PER_BAR and end not in stops:
                more = goes_on(logits, onsets, PLAYERS.index(note.instrument), line, note.pitch)
                limit = min([stop - end for stop in stops if stop > end], default=more)
                note = replace(note, duration_ticks=note.duration_ticks + min(more, limit))
            notes.append(note)
        return replace(bar, notes=tuple(notes))

    # The others.

    def _with_others(self, rolls: Sequence[Bar], empty: set[int]) -> Iterator[Bar]:
        """The bars with the instruments that are not of the roll; `empty` ones are written wholly by the others'
        composer."""
        if not rolls:
            return
        history = [self._standing[index] for index in range(rolls[0].index)]
        left_empty = rolls[0].index in empty
        if left_empty:
            self._say_empty(range(rolls[0].index, rolls[-1].index + 1))
        if not left_empty and not self._others:
            yield from rolls
            return
        who = self._plan.instruments if left_empty else self._others
        for bar in self._composer.band.around(self._plan, rolls, who, self._seed, history):
            self._standing[bar.index] = bar
            yield bar

    def _say_empty(self, bars: range) -> None:
        self.told.append(f"bars {bars[0]}-{bars[-1]} are composed by cmt: diffusion left them empty")


def _without(bar: Bar, players: frozenset[int]) -> Bar:
    return replace(bar, notes=tuple(note for note in bar.notes if note.instrument not in players))


def _same(bar: Bar, other: Bar) -> bool:
    """Whether the roll's notes start alike."""
    mine, theirs = (
        {(note.tick, note.instrument, note.pitch) for note in each.notes if note.instrument in PLAYERS}
        for each in (bar, other)
    )
    return mine == theirs
