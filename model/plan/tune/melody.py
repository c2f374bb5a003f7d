"""The tune of a piece: who leads in each section, and where the motif comes, comes back, and how it is varied.

A phrase of four bars states the motif and answers it by a sequence, a step of the scale away; every other phrase ends
with its fragment and a long note. So a theme of eight bars goes on through all sections, and its moves come back as
nearly as the chords let them. Where a section looks otherwise, the motif comes back in another register. All
of this is leaned to by the composer; a motif of the user's own is quoted note for note where it comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np

from hitpoint.model.music.chords import HALF_BAR_TICKS
from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, TICKS_PER_BEAT, Note
from hitpoint.model.music.symbols import parse_key, parse_symbol
from hitpoint.model.plan.tune.motif import REGISTERS, Motif, MotifNote, chance_of, drawn_motif, pitch_at, scale_place
from hitpoint.model.plan.types import PHRASE_BARS, BarPlan, Plan, Wishes

LEADERS = ("strings", "piano", "guitar")
"""Who has the tune: the first of these that plays throughout a section, else the one that plays most of it."""
MIDDLE = {name: (low + high) // 2 for name, (low, high) in REGISTERS.items()}
OTHER_REGISTER = 5
"""Semitones higher or lower, by the energy, where the motif comes back in a section of another look."""
VELOCITY = 84
THEME_BARS = 8
"""Two phrases: after so many bars the theme begins anew."""
REACH, NEAR_COST = 4, 0.05
"""A bar's line begins at the most so many steps of the scale from where it would, and what each step costs beside the
share of moves that come back."""
LEAP, LEAP_COST = 7, 0.3
"""Semitones from which a move is a leap, and what each costs."""
BESIDE_COST = 0.6
"""What it costs where all notes that are to be tones of the chord are others."""
SAME_PITCHES = 0.35
"""What speaks for a line all of whose notes stand where they stood a theme or a phrase before."""
PASSING_COST = 0.3
"""What it costs where all notes beside the chord are left or reached by more than a step."""
LEADING_COST = 0.3
"""What it costs where all notes are leading tones that do not lead to the tonic."""
STEPS_PER_SEMITONE = 7 / 12
DRIFT = 2
"""Steps by which the notes after one that was moved to a tone of the chord go along: the motif keeps its moves."""
WAITS = 5
"""Ticks that a note of the tune waits at the most where nothing may start: a breath is four."""


@dataclass(frozen=True)
class _Form:
    """Which bar of the motif a bar has. number: of its bar; sequence: steps of the scale away; fragment: only its
    first half, then a long note."""

    number: int
    sequence: int = 0
    fragment: bool = False


def with_melody(plan: Plan, wishes: Wishes) -> Plan:
    """`plan` with a leader and a line for each bar that has chords; as it is without chords."""
    if any(bar.chords is None or bar.key is None for bar in plan.bars):
        return plan
    energy = float(np.mean([bar.energy for bar in plan.bars]))
    cuts_s = [hit.time_s for hit in plan.hits if hit.kind != "beat"]
    writer = _Writer(wishes.motif or drawn_motif(energy, chance_of(plan.seed, plan.genre, cuts_s)))
    bars = list(plan.bars)
    for section in plan.sections:
        inside = bars[section.first_bar : section.end_bar]
        leader = leader_of(inside, plan.instruments, wishes.lead)
        if leader is None:
            continue
        shift = 0 if section.label == plan.sections[0].label else _other_register(inside)
        for bar in inside:
            led = _with_leader(bar, leader, wishes.lead is not None, plan)
            bars[bar.index] = led if bar.index == len(bars) - 1 else writer.write(led, leader, shift)  # the last rings
    return replace(plan, bars=tuple(bars))


@dataclass(frozen=True)
class _Sung:
    """What the theme had in one of its bars when it was last there. notes: before any was left out. middle: pitch about
    which its register lies. moves: of those that were left.
    """

    notes: tuple[Note, ...]
    middle: int
    moves: Counter[int]


class _Writer:
    """Writes the line of one bar after the other."""

    def __init__(self, motif: Motif) -> None:
        self._motif = motif
        self._start: int | None = None
        self._before: int | None = None
        self._quoted_from: int | None = None
        self._sung: dict[int | None, _Sung] = {}

    def write(self, bar: BarPlan, leader: int, shift: int) -> BarPlan:
        """The bar with its leader and line. shift: semitones by which the register is another one."""
        if self._motif.quoted and self._quoted_from is None:
            self._quoted_from = bar.index
        if self._quoted_from is not None and bar.index < self._quoted_from + self._motif.bars:
            bar = _quoted(bar, leader, self._motif, bar.index - self._quoted_from)
            notes = bar.line
        else:
            notes = self._nearest(bar, leader, shift)
            bar = replace(bar, leader=leader, line=_fitted(notes, bar, leader))
        if bar.line:
            moves = _moves(bar.line, self._before)
            self._sung[bar.index] = _Sung(notes, MIDDLE[INSTRUMENTS[leader]] + shift, moves)
            self._before = bar.line[-1].pitch
        return bar

    def _nearest(self, bar: BarPlan, leader: int, shift: int) -> tuple[Note, ...]:
        """Of the lines that may begin nearby the one whose moves are most those of THEME_BARS before: the line of then
        or of a phrase before, moved as a whole, or the motif once more.
        """
        form = form_of(bar.index, self._motif)
        if form.number == 0 or self._start is None:
            self._start = _start(bar, leader, self._before, shift)
        reach = range(-REACH, REACH + 1)
        able = [(_drawn(bar, leader, self._motif, form, self._start + k, self._before), k) for k in reach]
        then = next((k for k in range(bar.index - THEME_BARS, -1, -THEME_BARS) if k in self._sung), None)
        memories = [self._sung[k] for k in (then, bar.index - PHRASE_BARS) if k in self._sung]
        for sung in memories[: 1 if form.fragment else None]:
            aim = round((MIDDLE[INSTRUMENTS[leader]] + shift - sung.middle) * STEPS_PER_SEMITONE)
            able += [(_moved(sung.notes, aim + k, bar, leader), k) for k in reach]
        costs = [_cost(notes, k, bar, leader, self._before, memories) for notes, k in able]
        best = costs.index(min(costs))
        if form.number == 0 and best < len(reach):
            self._start += able[best][1]
        return able[best][0]


def _cost(
    notes: Sequence[Note], distance: int, bar: BarPlan, leader: int, before: int | None, memories: Sequence[_Sung]
) -> float:
    """What speaks against a line: moves that do not come back, heavy notes beside the chord, leaps, other registers.

    memories: of a theme and of a phrase before, as far as there are any; the moves are to be those of the first.
    """
    line = _fitted(notes, bar, leader)
    moves = _moves(line, before)
    alike = (
        0.0 if not memories else (moves & memories[0].moves).total() / max(1, moves.total(), memories[0].moves.total())
    )
    same = max((_same(line, sung.notes) for sung in memories), default=0.0)
    leaps = sum(count for move, count in moves.items() if abs(move) > LEAP)
    heavy = [note for note in line if _is_heavy(note.tick, note.duration_ticks) and _tones(bar, note.tick)]
    beside = sum(note.pitch % 12 not in _tones(bar, note.tick) for note in heavy) / max(1, len(heavy))
    return (
        -alike - SAME_PITCHES * same + BESIDE_COST * beside + NEAR_COST * abs(distance) + LEAP_COST * leaps
        + _loose(line, bar, before)
    )  # fmt: skip


def _same(line: Sequence[Note], earlier: Sequence[Note]) -> float:
    """The share of notes that stand on the tick and pitch of an earlier line."""
    both = {(note.tick, note.pitch) for note in line} & {(note.tick, note.pitch) for note in earlier}
    return len(both) / max(1, len(line))


def _loose(line: Sequence[Note], bar: BarPlan, before: int | None) -> float:
    """What notes cost that stand in the air: beside the chord without a step on both sides, and leading tones that lead
    nowhere.
    """
    pitches = [note.pitch if before is None else before for note in line[:1]] + [note.pitch for note in line]
    leading = (_key(bar).root + 11) % 12
    cost = 0.0
    for note, last, following in zip(line, pitches, [*pitches[2:], None], strict=False):
        apart = max(abs(note.pitch - last), 0 if following is None else abs(following - note.pitch))
        if _tones(bar, note.tick) and note.pitch % 12 not in _tones(bar, note.tick) and apart > 2:
            cost += PASSING_COST
        if note.pitch % 12 == leading and following is not None and (following - note.pitch) not in (0, 1):
            cost += LEADING_COST
    return cost / max(1, len(line))


def _moves(line: Sequence[Note], before: int | None) -> Counter[int]:
    """How often each interval comes, that into the first note with them."""
    pitches = [*(() if before is None else (before,)), *(note.pitch for note in line)]
    return Counter(b - a for a, b in pairwise(pitches))


def tune_player(wishes: Wishes) -> int | None:
    """Who is to have the tune of most sections, and so rests less; None where no tune is planned."""
    if wishes.harmony == "off":
        return None
    names = (wishes.lead,) if wishes.lead is not None else LEADERS
    return next((INSTRUMENTS.index(name) for name in names if INSTRUMENTS.index(name) in wishes.instruments), None)


def form_of(index: int, motif: Motif) -> _Form:
    """What of the motif bar `index` of the piece has: a theme of THEME_BARS bars goes on through all sections."""
    phrase, place = divmod(index % THEME_BARS, PHRASE_BARS)
    statement, number = divmod(place, motif.bars)
    riff = motif.bars == 1 and not motif.quoted
    sequence = 0 if riff else (-1 if phrase % 2 else 1) * statement
    return _Form(number, sequence, fragment=index % THEME_BARS == THEME_BARS - 1)


def leader_of(bars: Sequence[BarPlan], instruments: Sequence[int], wished: str | None) -> int | None:
    """Who leads in these bars; None where nobody can."""
    if wished is not None:
        return INSTRUMENTS.index(wished)
    able = [INSTRUMENTS.index(name) for name in LEADERS if INSTRUMENTS.index(name) in instruments]
    played = [sum(bar.instruments is None or k in bar.instruments for bar in bars) for k in able]
    if not any(played):
        return None
    most = max(played)
    return next(k for k, count in zip(able, played, strict=True) if count >= min(most, len(bars)))


def _with_leader(bar: BarPlan, leader: int, wished: bool, plan: Plan) -> BarPlan:
    """The bar with a leader that was wished for among its players."""
    players = plan.instruments if bar.instruments is None else bar.instruments
    if leader in players or not wished:
        return bar
    return replace(bar, instruments=tuple(sorted({*players, leader})))


def _other_register(bars: Sequence[BarPlan]) -> int:
    return OTHER_REGISTER if float(np.mean([bar.energy for bar in bars])) >= 0.5 else -OTHER_REGISTER


def _key(bar: BarPlan) -> Key:
    assert bar.key is not None
    return parse_key(bar.key)


def _tones(bar: BarPlan, tick: int) -> tuple[int, ...]:
    """The pitch classes of the chord in force."""
    assert bar.chords is not None
    return _tones_of(bar.chords[min(1, tick // HALF_BAR_TICKS)])


@cache
def _tones_of(symbol: str) -> tuple[int, ...]:
    chord = parse_symbol(symbol)
    return chord.tones if chord is not None else ()


def _start(bar: BarPlan, leader: int, before: int | None, shift: int) -> int:
    """The place in the scale on which a statement begins: a tone of the chord, near the line so far and its middle."""
    name, key = INSTRUMENTS[leader], _key(bar)
    low, high = REGISTERS[name]
    middle = MIDDLE[name] + shift
    aim = middle if before is None else (middle + before) / 2
    able = [pitch for pitch in range(low, high + 1) if pitch % 12 in (_tones(bar, 0) or range(12))]
    able = [pitch for pitch in able if pitch != before] or able
    return scale_place(min(able, key=lambda pitch: abs(pitch - aim)), key)[0]


def _is_heavy(tick: int, duration_ticks: int) -> bool:
    """Whether a note is to be a tone of the chord: on beats 1 and 3, and where it is long."""
    return tick % HALF_BAR_TICKS == 0 or duration_ticks > TICKS_PER_BEAT


def _drawn(bar: BarPlan, leader: int, motif: Motif, form: _Form, start: int, before: int | None) -> tuple[Note, ...]:
    """The motif's bar in the key of this one; its heavy notes are moved to the nearest tone of the chord.

    before: the pitch that the line comes from; it moves on.
    """
    notes = motif.bar(form.number)
    if form.fragment and notes:
        head = [note for note in notes if note.tick < HALF_BAR_TICKS]
        notes = (*head, MotifNote(HALF_BAR_TICKS, head[-1].degree if head else 0, HALF_BAR_TICKS))
    key = _key(bar)
    low, high = REGISTERS[INSTRUMENTS[leader]]
    found: list[Note] = []
    drift = 0
    for last, note in zip((None, *notes), notes, strict=False):
        written = start + note.degree + form.sequence
        place = written + drift
        stays = last is not None and last.degree == note.degree
        if _is_heavy(note.tick, note.duration_ticks) and _tones(bar, note.tick):
            avoided = None if stays else found[-1].pitch if found else before
            place = _nearest_inside(place, key, _tones(bar, note.tick), avoided)
            drift = max(-DRIFT, min(DRIFT, place - written))
        elif found and stays:
            place = scale_place(found[-1].pitch, key)[0]
        elif found and not note.raised and pitch_at(place, key) % 12 == found[-1].pitch % 12:
            place += 1 if note.degree >= 0 else -1
        pitch = sounding(place, key, note.raised, _tones(bar, note.tick))
        while pitch > high:
            pitch -= 12
        while pitch < low:
            pitch += 12
        found.append(Note(note.tick, leader, pitch, note.duration_ticks, VELOCITY))
    return tuple(found)


def sounding(place: int, key: Key, raised: int, tones: Sequence[int]) -> int:
    """The pitch of a place: not raised onto the next step, and in minor the leading tone where the chord has it."""
    pitch, above = pitch_at(place, key, raised), pitch_at(place + 1, key)
    pitch = pitch if pitch < above or not raised else pitch_at(place, key)
    leading = key.minor and (pitch - key.root) % 12 == 10 and (key.root + 11) % 12 in tones
    return pitch + 1 if leading else pitch


def _moved(notes: Sequence[Note], steps: int, bar: BarPlan, leader: int) -> tuple[Note, ...]:
    """A line of before, moved as a whole by so many steps of this bar's scale and into the leader's register."""
    key = _key(bar)
    places = [scale_place(note.pitch, key) for note in notes]
    low, high = REGISTERS[INSTRUMENTS[leader]]
    pitches = [
        sounding(place + steps, key, raised, _tones(bar, note.tick))
        for (place, raised), note in zip(places, notes, strict=True)
    ]
    while pitches and max(pitches) > high:
        pitches = [pitch - 12 for pitch in pitches]
    while pitches and min(pitches) < low:
        pitches = [pitch + 12 for pitch in pitches]
    pairs = zip(notes, pitches, strict=True)
    return tuple(replace(note, instrument=leader, pitch=min(pitch, high)) for note, pitch in pairs)


def _fitted(notes: Sequence[Note], bar: BarPlan, leader: int) -> tuple[Note, ...]:
    """A line as the leader may play it, no more notes than the bar has onsets: one that falls into a breath waits for
    its end, or is left out where that is far.
    """
    if bar.instruments is not None and leader not in bar.instruments:
        return ()
    closed = {tick for tick, k in bar.closed if k == leader} | {n.tick for n in bar.scored if n.instrument == leader}
    found: list[Note] = []
    for note, end in zip(notes, [*(note.tick for note in notes[1:]), TICKS_PER_BAR], strict=True):
        tick = next((t for t in range(note.tick, min(end, note.tick + WAITS + 1)) if t not in closed), None)
        if tick == note.tick:
            found.append(note)
        elif tick is not None:
            found.append(replace(note, tick=tick, duration_ticks=max(1, note.duration_ticks - (tick - note.tick))))
    return _thinned(found, bar)


def _nearest_inside(place: int, key: Key, tones: Sequence[int], before: int | None) -> int:
    """The place nearest to this one whose pitch is a tone of the chord, another one than just before if so near."""
    for distance in (0, 1, 2):
        for step in dict.fromkeys((distance, -distance)):
            pitch = pitch_at(place + step, key)
            if pitch % 12 in tones and pitch != before:
                return place + step
    return place


def _thinned(notes: Sequence[Note], bar: BarPlan) -> tuple[Note, ...]:
    """As many notes as the bar has onsets, the ones on weak ticks left out first."""
    most = TICKS_PER_BAR if bar.density is None else max(1, bar.density)
    must = {tick for tick, _ in bar.required} | {note.tick for note in bar.scored} | {tick for tick, _ in bar.entries}
    room = most - len(must)
    free = sorted(
        (n for n in notes if n.tick not in must), key=lambda n: (n.tick % 8 != 0, n.tick % 4 != 0, n.tick % 2)
    )
    kept = {note.tick for note in free[: max(0, room)]} | must
    return tuple(note for note in notes if note.tick in kept)


def _quoted(bar: BarPlan, leader: int, motif: Motif, number: int) -> BarPlan:
    """The bar with a bar of the user's motif in it, note for note, wherever no other note stands; and nothing else of
    the leader's."""
    assert motif.key is not None
    move = (_key(bar).root - motif.key.root + 6) % 12 - 6
    notes = [Note(n.tick, leader, (n.pitch or 0) + move, n.duration_ticks, VELOCITY) for n in motif.bar(number)
             if n.tick < bar.ticks]  # fmt: skip
    players = bar.instruments
    if players is not None and leader not in players:
        players = tuple(sorted({*players, leader}))
    ticks = {note.tick for note in notes}
    silent = {(tick, leader) for tick in range(TICKS_PER_BAR) if tick not in ticks}
    scored = tuple(sorted((*(n for n in bar.scored if n.instrument != leader), *notes)))
    entries = tuple(entry for entry in bar.entries if entry[1] != leader)
    closed = {pair for pair in bar.closed if pair[1] != leader} | silent
    must = {tick for tick, _ in (*bar.required, *entries)} | {note.tick for note in scored}
    density = None if bar.density is None else max(bar.density, len(must))
    told = None if bar.density_told is None else max(bar.density_told, len(must))
    return replace(bar, instruments=players, scored=scored, entries=entries, closed=tuple(sorted(closed)),
                   density=density, density_told=told, leader=leader, line=tuple(notes))  # fmt: skip
