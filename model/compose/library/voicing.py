"""Pitches for notes that a piece does not have: doublings, chords struck anew, the last chord."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from hitpoint.model.compose.cmt.grammar import PITCH_RANGE
from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import INSTRUMENTS, Note

DRUMS, BASS = INSTRUMENTS.index("drums"), INSTRUMENTS.index("bass")
CENTRE = (40, 60, 55, 40, 64)
"""About where each of INSTRUMENTS is struck that has not been heard yet."""
KIT = (36, 38, 42, 45, 49, 43, 51, 57)
"""Kick, snare, hat, toms and cymbals, in the order in which a hit takes them."""
OCTAVE = 12
C_MAJOR = (0, 4, 7)
MUD = 48
"""Below this pitch nothing is doubled downwards."""
STRUCK_TICKS, STRUCK_VELOCITY = 4, 84


class Tones(NamedTuple):
    """What may be struck: pitch classes, the weightiest first, and what each instrument struck last."""

    classes: tuple[int, ...]
    last: Mapping[int, Sequence[int]]

    def voiced(self, groups: Mapping[tuple[int, int], Sequence[Note]], tick: int, k: int, count: int) -> list[Note]:
        """A simu-note of instrument k on `tick`: what it plays nearby in the bar, what it struck last, or a chord of
        `count` notes (one for a bass)."""
        if k == DRUMS:
            return [Note(tick, k, pitch, 1, STRUCK_VELOCITY) for pitch in KIT[:count]]
        near = sorted((abs(at - tick), at) for at, other in groups if other == k)
        if near:
            notes = groups[near[0][1], k]
            return [replace(note, tick=tick, duration_ticks=min(note.duration_ticks, STRUCK_TICKS)) for note in notes]
        pitches = [pitch for pitch in self.last.get(k, ()) if pitch % OCTAVE in self.classes]
        if not pitches:
            classes = self.classes[: 1 if k == BASS else count]
            pitches = sorted({nearest(CENTRE[k], each, PITCH_RANGE[k]) for each in classes})
        return [Note(tick, k, pitch, STRUCK_TICKS, STRUCK_VELOCITY) for pitch in pitches]

    def doubled(self, notes: Sequence[Note], wanted: int) -> list[Note]:
        """The notes with others above or below them, `wanted` in all: octaves first, then the bar's other tones."""
        found = {note.pitch: note for note in notes}
        k, (low, high) = notes[0].instrument, PITCH_RANGE[notes[0].instrument]
        own = sorted(found)
        if k == DRUMS:
            more: list[int] = list(KIT)
        else:
            more = [pitch + OCTAVE for pitch in reversed(own)] + [
                pitch - OCTAVE for pitch in own if pitch > MUD + OCTAVE
            ]
            centre = own[len(own) // 2]
            more += [
                nearest(centre + step, each, (low, high)) for step in (0, OCTAVE, -OCTAVE) for each in self.classes
            ]
            more += list(range(centre + OCTAVE, high, 7))
        for pitch in (*more, *range(low, high + 1)):
            if len(found) >= wanted:
                break
            if low <= pitch <= high and pitch not in found:
                found[pitch] = replace(notes[0], pitch=pitch)
        return [found[pitch] for pitch in sorted(found)]


def nearest(centre: int, pitch_class: int, reach: tuple[int, int]) -> int:
    """The pitch of a class that lies nearest to `centre` within what an instrument reaches."""
    low, high = reach
    return min(
        (pitch for pitch in range(low, high + 1) if pitch % OCTAVE == pitch_class), key=lambda p: abs(p - centre)
    )


def thinned(notes: Sequence[Note], wanted: int) -> list[Note]:
    """At most `wanted` of the notes of a chord, its outer ones first."""
    kept = list(notes)
    while len(kept) > wanted:
        del kept[len(kept) // 2]
    return kept


def home_chord(key: int, transpose: int) -> tuple[int, ...]:
    """Pitch classes of the tonic chord of key 0..23 (minor from 12 on), its root first, `transpose` semitones up; of C
    major where there is no key (-1)."""
    return C_MAJOR if key < 0 else Key((key + transpose) % OCTAVE, key >= OCTAVE).tonic


def to_chord(notes: Sequence[Note], chord: Sequence[int], reach: tuple[int, int]) -> list[Note]:
    """Each note on the nearest tone of a chord; a bass, or what stands alone, on its root. Each pitch once."""
    alone = len(notes) == 1 and notes[0].instrument == BASS
    classes = chord[:1] if alone else chord
    found: dict[int, Note] = {}
    for note in notes:
        pitch = min((nearest(note.pitch, each, reach) for each in classes), key=lambda p: abs(p - note.pitch))
        found.setdefault(pitch, replace(note, pitch=pitch))
    return [found[pitch] for pitch in sorted(found)]
