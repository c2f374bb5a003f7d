"""What strikes at once where something happens that no plan foresaw: a kick, a crash and the chord in force."""

from __future__ import annotations

from hitpoint.model.music.score import TICKS_PER_BEAT, Note
from hitpoint.model.music.symbols import parse_symbol
from hitpoint.model.plan.arrangement.players import BASS, DRUMS, PIANO, STRINGS
from hitpoint.model.plan.types import BarPlan

KICK, CRASHES = 36, (49, 57)
VELOCITY = 112
LOWEST_BASS, LOWEST_CHORD, LOWEST_STRINGS = 36, 52, 60


def strike(bar: BarPlan, instruments: tuple[int, ...], half: int) -> tuple[Note, ...]:
    """Notes of tick 0, a beat long, for an event in half 0 or 1 of `bar`; by whoever of `instruments` may play."""
    notes = []
    if DRUMS in instruments:
        crash = CRASHES[(bar.index + half) % 2]  # one that still rings starts less clearly
        notes += [Note(0, DRUMS, pitch, 1, VELOCITY) for pitch in (KICK, crash)]
    chord = parse_symbol(bar.chords[half]) if bar.chords else None
    if chord is not None:
        if BASS in instruments:
            notes.append(_note(BASS, _from(LOWEST_BASS, chord.root)))
        for who, lowest in ((PIANO, LOWEST_CHORD), (STRINGS, LOWEST_STRINGS)):
            if who in instruments:
                notes += [_note(who, _from(lowest, tone)) for tone in chord.tones]
    return tuple(notes)


def _note(instrument: int, pitch: int) -> Note:
    return Note(0, instrument, pitch, TICKS_PER_BEAT, VELOCITY)


def _from(lowest: int, pitch_class: int) -> int:
    """The lowest pitch of this class from `lowest` on."""
    return lowest + (pitch_class - lowest) % 12
