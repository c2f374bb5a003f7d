"""What the plan promises, kept by music that knew nothing of it: breaths, entries, hits, the end.

Strengths at hits are met by doubling in octaves or by leaving notes out; nothing starts in a breath; who has to come in
does; the last chord is the home chord and rings to the last frame. How busy a bar is stays the piece's own affair, and
is forced at control 1 alone: the plan's ticks first, then those that weigh most in the bar or, where there are too few,
in the stretch. What can be promised at all is asked of the composer's own grammar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hitpoint.model.compose.cmt.grammar import PITCH_RANGE, BarTask, Grammar
from hitpoint.model.compose.library.voicing import DRUMS, Tones, thinned, to_chord
from hitpoint.model.music.score import MAX_STRENGTH, TICKS_PER_BAR, Bar, Note
from hitpoint.model.music.symbols import parse_symbol
from hitpoint.model.plan.types import Plan

BOUND = 1.0
"""From this control on densities are forced."""
LONGEST_BARS = 4
METRE = tuple(4 if t == 0 else 3 if t == 8 else 2 if t % 4 == 0 else 1 if t % 2 == 0 else 0 for t in range(16))
"""What each tick of a bar weighs."""
HAT, SOFT = 42, 56
CRASHES = frozenset({49, 52, 55, 57})

Groups = dict[tuple[int, int], list[Note]]
"""(tick, instrument) -> the notes that start there, rising in pitch."""


@dataclass
class Fitting:
    """Bars fitted one after another. home: pitch classes of the chord to end on. force: densities too. changed: how
    often what was done to meet a hit. last: the pitches that each instrument struck last."""

    plan: Plan
    home: tuple[int, ...]
    force: bool
    changed: Counter[str] = field(default_factory=Counter)
    last: dict[int, list[int]] = field(default_factory=dict)

    def bar(self, bar: Bar, usual: Mapping[int, int]) -> Bar:
        """One bar. usual: how many bars of its stretch have an onset on each tick."""
        task = task_of(self.plan, bar.index, self.force)
        grammar = Grammar(task)
        groups = _opened(bar, grammar, task)
        tones = self._tones(groups, bar.index)
        for tick, k in sorted(grammar.entries):
            if (tick, k) not in groups:
                groups[tick, k] = tones.voiced(groups, tick, k, 2)
        if bar.index == len(self.plan.bars) - 1 and self.plan.ending == "chord" and task.entries:
            _end_at_home(groups, max(tick for tick, _ in task.entries), self.home, task)
        self._meet(groups, grammar, tones)
        if self.force and task.density is not None:
            _fill(groups, grammar, tones, usual)
        _cap(groups, grammar, task)
        notes = _ended(groups, task)
        for note in sorted(notes):
            struck = [other.pitch for other in notes if (other.tick, other.instrument) == (note.tick, note.instrument)]
            self.last[note.instrument] = struck
        return replace(bar, notes=tuple(sorted(notes)))

    def _tones(self, groups: Groups, index: int) -> Tones:
        """What may be doubled or struck in this bar: its own pitch classes, else the planned chord's."""
        sounding = Counter(
            note.pitch % 12 for (_, k), notes in groups.items() if k != DRUMS for note in notes for _ in range(2)
        )
        classes = tuple(pitch for pitch, _ in sounding.most_common(4))
        symbols = self.plan.bars[index].chords
        if not classes and symbols is not None:
            chord = parse_symbol(symbols[0])
            classes = chord.tones if chord is not None else ()
        return Tones(classes or self.home, self.last)

    def _meet(self, groups: Groups, grammar: Grammar, tones: Tones) -> None:
        """Bring each hit's largest simu-note to its strength."""
        for tick, wanted in grammar.required.items():
            for (at, k), notes in list(groups.items()):
                if at == tick and (at, k) not in grammar.locked and len(notes) > wanted:
                    groups[at, k] = thinned(notes, wanted)
                    self.changed["thinned"] += 1
            largest = max((len(notes) for (at, _), notes in groups.items() if at == tick), default=0)
            if largest < wanted:
                k = _player(groups, grammar, tick, wanted)
                standing = groups.get((tick, k)) or thinned(tones.voiced(groups, tick, k, 1), wanted)
                groups[tick, k] = tones.doubled(standing, wanted)
                self.changed["doubled" if largest else "struck"] += 1


def task_of(plan: Plan, index: int, force: bool) -> BarTask:
    """What the plan asks of a bar; its density only where it is forced."""
    bar = plan.bars[index]
    near = plan.bars[index : index + 1 + LONGEST_BARS]
    return BarTask(
        index,
        tuple(sorted(plan.instruments if bar.instruments is None else bar.instruments)),
        plan.end_tick - index * TICKS_PER_BAR,
        bar.density if force else None,
        dict(bar.required),
        tuple(sorted(bar.scored)),
        closed=frozenset(bar.closed),
        entries=frozenset(bar.entries),
        stops=tuple(tick + TICKS_PER_BAR * ahead for ahead, each in enumerate(near) for tick in each.stops),
        caps=dict(bar.caps),
    )


def _opened(bar: Bar, grammar: Grammar, task: BarTask) -> Groups:
    """The notes that may start where they do, and those that stand in the plan."""
    groups: Groups = {}
    for note in (*bar.notes, *task.locked):
        at = note.tick, note.instrument
        stands = note in task.locked
        if stands or (
            note.tick < grammar.ticks and note.instrument in grammar.open[note.tick] and at not in grammar.locked
        ):
            groups.setdefault(at, []).append(note)
    return groups


def _player(groups: Groups, grammar: Grammar, tick: int, wanted: int) -> int:
    """Who is to reach a strength on a tick: of those who can, the one with most notes there already, drums last."""
    able = [k for k in grammar.open[tick] if (tick, k) not in grammar.locked and MAX_STRENGTH[k] >= wanted]
    return max(able, key=lambda k: (k != DRUMS, len(groups.get((tick, k), ())), MAX_STRENGTH[k]))


def _cap(groups: Groups, grammar: Grammar, task: BarTask) -> None:
    """Around a hit no other chord is as large, and no crash sounds."""
    for (tick, k), notes in list(groups.items()):
        if tick not in task.caps or tick in grammar.required or (tick, k) in grammar.locked:
            continue
        kept = [note for note in notes if k != DRUMS or note.pitch not in CRASHES]
        kept = thinned(kept, task.caps[tick])
        if kept:
            groups[tick, k] = kept
        else:
            groups[tick, k] = [replace(notes[0], pitch=HAT)]


def _fill(groups: Groups, grammar: Grammar, tones: Tones, usual: Mapping[int, int]) -> None:
    """Exactly as many ticks with an onset as the plan asks for."""
    wanted = int(np.argmax(grammar.densities())) - 1
    used = {tick for tick, _ in groups}
    spare = sorted(used - set(grammar.musts), key=lambda tick: (_weight(groups, tick, usual), -tick))
    for tick in spare[: max(0, len(used) - wanted)]:
        for at in [each for each in groups if each[0] == tick]:
            del groups[at]
    free = [tick for tick in grammar.able if tick not in used and grammar.open[tick]]
    free.sort(key=lambda tick: (-usual.get(tick, 0), -METRE[tick], tick))
    for tick in free[: max(0, wanted - len(used))]:
        _strike(groups, grammar.open[tick], tick, tones)


def _weight(groups: Groups, tick: int, usual: Mapping[int, int]) -> float:
    return (
        METRE[tick]
        + 0.5 * usual.get(tick, 0)
        + 0.2 * sum(len(notes) for (at, _), notes in groups.items() if at == tick)
    )


def _strike(groups: Groups, able: Sequence[int], tick: int, tones: Tones) -> None:
    """Something soft on a tick: a hat where drums play, else what is held there is struck again."""
    if DRUMS in able and any(k == DRUMS for _, k in groups):
        groups[tick, DRUMS] = [Note(tick, DRUMS, HAT, 1, SOFT)]
        return
    for (at, k), notes in sorted(groups.items(), reverse=True):
        if k != DRUMS and k in able and at < tick < at + max(note.duration_ticks for note in notes):
            held = [note for note in notes if note.tick + note.duration_ticks > tick]
            groups[at, k] = [
                replace(note, duration_ticks=min(note.duration_ticks, tick - at)) if note in held else note
                for note in notes
            ]
            groups[tick, k] = [
                replace(note, tick=tick, duration_ticks=note.duration_ticks - (tick - at), velocity=SOFT)
                for note in held
            ]
            return
    busiest = Counter(k for _, k in groups if k in able and k != DRUMS).most_common(1)
    k = busiest[0][0] if busiest else max(able, key=lambda each: (each != DRUMS, MAX_STRENGTH[each]))
    groups[tick, k] = tones.voiced(groups, tick, k, 1)


def _end_at_home(groups: Groups, tick: int, home: Sequence[int], task: BarTask) -> None:
    """The last chord in the home chord's tones."""
    for (at, k), notes in list(groups.items()):
        if at == tick and k != DRUMS and not any(note in task.locked for note in notes):
            groups[at, k] = to_chord(notes, home, PITCH_RANGE[k])


def _ended(groups: Groups, task: BarTask) -> list[Note]:
    """Nothing sounds beyond the next stop or the end of the piece; the last onset's pitched notes reach just there."""
    last = max((tick for tick, _ in groups), default=-1)
    closes = task.ticks_left < TICKS_PER_BAR * 3 // 2
    found = []
    for (tick, k), notes in groups.items():
        left = task.ticks_left - tick
        for note in notes:
            ticks = min(note.duration_ticks, left)
            if k != DRUMS and closes and tick == last:
                ticks = left
            elif k != DRUMS:
                ticks = min([ticks, *(stop - tick for stop in task.stops if stop > tick)])
            found.append(replace(note, duration_ticks=ticks))
    return found
