"""The tune of a piece: who leads in each section, and where the motif comes, comes back, and how it is varied.

A phrase of four bars states the motif and answers it by a sequence, one step of the chord away; every other phrase
ends with its fragment and a long note. Where a section looks otherwise, the motif comes back in another register. All
of this is leaned to by the composer; a motif of the user's own is quoted note for note where it comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hitpoint.model.music.chords import HALF_BAR_TICKS
from hitpoint.model.music.harmony import Key
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, TICKS_PER_BEAT, Note
from hitpoint.model.music.symbols import parse_key, parse_symbol
from hitpoint.model.plan.motif import Motif, MotifNote, drawn_motif, pitch_at, scale_place
from hitpoint.model.plan.types import PHRASE_BARS, BarPlan, Plan, Section, Wishes

LEADERS = ("strings", "piano", "guitar")
"""Who has the tune: the first of these that plays throughout a section, else the one that plays most of it."""
REGISTERS = {"strings": (64, 86), "piano": (60, 84), "guitar": (55, 79), "bass": (36, 57)}
"""Where each one's tune lies."""
MIDDLE = {name: (low + high) // 2 for name, (low, high) in REGISTERS.items()}
OTHER_REGISTER = 5
"""Semitones higher or lower, by the energy, where the motif comes back in a section of another look."""
VELOCITY = 84


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
    motif = wishes.motif or drawn_motif(energy, np.random.default_rng([plan.seed, 8]))
    bars = list(plan.bars)
    first_look = plan.sections[0].label if plan.sections else ""
    start = pitch_before = None
    quoted_from = None
    for section in plan.sections:
        leader = leader_of(bars[section.first_bar : section.end_bar], plan.instruments, wishes.lead)
        if leader is None:
            continue
        shift = 0 if section.label == first_look else _other_register(bars[section.first_bar : section.end_bar])
        for index in range(section.first_bar, section.end_bar):
            bar = _with_leader(bars[index], leader, wishes.lead is not None, plan)
            if index == len(bars) - 1:
                bars[index] = bar  # the last chord rings
                continue
            form = form_of(index - section.first_bar, section, motif)
            if motif.quoted and quoted_from is None:
                quoted_from = index
            if quoted_from is not None and index < quoted_from + motif.bars:
                bars[index] = _quoted(bar, leader, motif, index - quoted_from)
                pitch_before = bars[index].line[-1].pitch if bars[index].line else pitch_before
                continue
            if form.number == 0 or start is None:
                start = _start(bar, leader, pitch_before, shift)
            bars[index] = replace(bar, leader=leader, line=_line(bar, leader, motif, form, start, pitch_before))
            pitch_before = bars[index].line[-1].pitch if bars[index].line else pitch_before
    return replace(plan, bars=tuple(bars))


def tune_player(wishes: Wishes) -> int | None:
    """Who is to have the tune of most sections, and so rests less; None where no tune is planned."""
    if wishes.harmony == "off":
        return None
    names = (wishes.lead,) if wishes.lead is not None else LEADERS
    return next((INSTRUMENTS.index(name) for name in names if INSTRUMENTS.index(name) in wishes.instruments), None)


def form_of(offset: int, section: Section, motif: Motif) -> _Form:
    """What of the motif the bar has that lies so many bars into a section."""
    phrase, place = divmod(offset, PHRASE_BARS)
    number = place % motif.bars
    statement = place // motif.bars
    last = place == PHRASE_BARS - 1 or offset == section.end_bar - section.first_bar - 1
    sequence = (-1 if phrase % 2 else 1) * statement
    return _Form(number, sequence, fragment=last and (phrase % 2 == 1 or motif.bars == 1))


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
    chord = parse_symbol(bar.chords[min(1, tick // HALF_BAR_TICKS)])
    return chord.tones if chord is not None else ()


def _start(bar: BarPlan, leader: int, before: int | None, shift: int) -> int:
    """The place in the scale on which a statement begins: a tone of the chord, near the line so far and its middle."""
    name, key = INSTRUMENTS[leader], _key(bar)
    low, high = REGISTERS[name]
    middle = MIDDLE[name] + shift
    aim = middle if before is None else (2 * middle + before) / 3
    able = [pitch for pitch in range(low, high + 1) if pitch % 12 in (_tones(bar, 0) or range(12))]
    able = [pitch for pitch in able if pitch != before] or able
    return scale_place(min(able, key=lambda pitch: abs(pitch - aim)), key)[0]


def _line(
    bar: BarPlan, leader: int, motif: Motif, form: _Form, start: int, before: int | None
) -> tuple[Note, ...]:  # fmt: skip
    """The motif's bar in the key of this one, on the ticks that are open to the leader; its notes on beats 1 and 3, and
    long ones, are moved to the nearest tone of the chord. before: the pitch that the line comes from; it moves on.
    """
    players = bar.instruments
    if players is not None and leader not in players:
        return ()
    notes = motif.bar(form.number)
    if form.fragment and notes:
        head = [note for note in notes if note.tick < HALF_BAR_TICKS]
        notes = (*head, MotifNote(HALF_BAR_TICKS, head[-1].degree if head else 0, HALF_BAR_TICKS))
    key = _key(bar)
    closed = {tick for tick, k in bar.closed if k == leader} | {n.tick for n in bar.scored if n.instrument == leader}
    low, high = REGISTERS[INSTRUMENTS[leader]]
    found: list[Note] = []
    for note in notes:
        if note.tick in closed:
            continue
        place = start + note.degree + form.sequence
        heavy = note.tick % HALF_BAR_TICKS == 0 or note.duration_ticks > TICKS_PER_BEAT
        if heavy and _tones(bar, note.tick):
            place = _nearest_inside(place, key, _tones(bar, note.tick), found[-1].pitch if found else before)
        elif found and not note.raised and pitch_at(place, key) % 12 == found[-1].pitch % 12:
            place += 1 if note.degree >= 0 else -1
        pitch = pitch_at(place, key, note.raised)
        while pitch > high:
            pitch -= 12
        while pitch < low:
            pitch += 12
        found.append(Note(note.tick, leader, pitch, note.duration_ticks, VELOCITY))
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
    notes = [Note(n.tick, leader, (n.pitch or 0) + move, n.duration_ticks, VELOCITY) for n in motif.bar(number)]
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
