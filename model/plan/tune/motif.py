"""A motif: two to four bars of tune, as rhythm and as steps of the scale, that a piece keeps and brings back."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.plan.tune.rhythm_table import RHYTHMS

if TYPE_CHECKING:
    import numpy as np

SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10)}
"""Of major (False) and minor (True), from the tonic."""
REGISTERS = {"strings": (60, 83), "piano": (60, 84), "guitar": (55, 79), "bass": (36, 57)}
"""Who may have a tune, and where each one's lies."""
SIZES = ((3, 4, 5), (5, 6, 7), (6, 7, 8, 9, 10))
"""Onsets of one bar of tune: calm, flowing, lively."""
RIFF = 0.25
"""How often a motif is one bar, said again in each to another chord, rather than two bars of a song."""
AGAIN = 0.6
"""How often the second bar of a motif has the rhythm of the first."""
ECHO = 0.5
"""And how often it then begins with the moves of the first, too."""
NEIGHBOUR = 0.5
"""How many of the lower neighbours between two notes of one pitch are raised to a semitone below it."""
STEPS = {-4: 0.02, -3: 0.03, -2: 0.09, -1: 0.28, 0: 0.22, 1: 0.25, 2: 0.07, 3: 0.03, 4: 0.02}
"""How often a tune moves by so many steps of the scale: people's stay on their pitch at .21 to .27 of their moves."""
SPAN = 5
"""It stays so many steps from where it began."""
FIRST_CUTS = 2
CALM, LIVELY = 0.35, 0.7
"""Energies up to which a tune is calm, and from which it is lively."""


@dataclass(frozen=True)
class MotifNote:
    """tick: from the motif's start. degree: steps of the scale over its first note. duration_ticks: 1 or more.

    raised: semitones off the scale. pitch: as it is quoted, None where it was drawn.
    """

    tick: int
    degree: int
    duration_ticks: int
    raised: int = 0
    pitch: int | None = None


@dataclass(frozen=True)
class Motif:
    """bars: 1..4. notes: one at a time, ticks rising. key: that in which a quoted one stands."""

    bars: int
    notes: tuple[MotifNote, ...]
    key: Key | None = None

    @property
    def quoted(self) -> bool:
        """Whether it is the user's own."""
        return self.key is not None

    def bar(self, number: int) -> tuple[MotifNote, ...]:
        """The notes of one of its bars, their ticks counted from its bar line."""
        first = number * TICKS_PER_BAR
        inside = [note for note in self.notes if first <= note.tick < first + TICKS_PER_BAR]
        return tuple(MotifNote(n.tick - first, n.degree, n.duration_ticks, n.raised, n.pitch) for n in inside)


def chance_of(seed: int, genre: str, cuts_s: Sequence[float] = ()) -> np.random.Generator:
    """What a motif is drawn by. cuts_s: the film's; the first FIRST_CUTS of them count, to the second, so that two
    films with the same seed have tunes of their own, and an edit of what comes later keeps its tune.
    """
    import numpy as np

    seen = repr((genre, [round(each) for each in cuts_s[:FIRST_CUTS]]))
    return np.random.default_rng([seed, 8, zlib.crc32(seen.encode())])


def drawn_motif(energy: float, rng: np.random.Generator) -> Motif:
    """One or two bars as lively as the piece is, in rhythms of people's tunes; of two the second answers the first."""
    level = 0 if energy < CALM else 2 if energy >= LIVELY else 1
    if rng.random() < RIFF:
        said = _rhythm(SIZES[level], rng)
        return Motif(1, with_lengths(said, _walk(len(said), rng), TICKS_PER_BAR))
    first = _rhythm(SIZES[level], rng)
    answer = first if rng.random() < AGAIN else _rhythm(SIZES[max(0, level - 1)], rng)
    ticks = [*first, *(TICKS_PER_BAR + tick for tick in answer)]
    kept = len(first) // 2 + 1 if answer == first and rng.random() < ECHO else 0
    degrees = _walk(len(ticks), rng, len(first), kept)
    return Motif(2, with_lengths(ticks, degrees, 2 * TICKS_PER_BAR, _chromatic(degrees, rng)))


def _walk(notes: int, rng: np.random.Generator, answer: int = 0, kept: int = 0) -> list[int]:
    """Steps of the scale over the first note. The first `kept` notes from number `answer` on have the moves of those
    that the motif begins with."""
    import numpy as np  # plans go through processes that do without it

    moves, weights = list(STEPS), np.array(list(STEPS.values()))
    degrees = [0]
    for number in range(1, notes):
        place = number - answer
        if 0 < place < kept:
            degrees.append(degrees[-1] + degrees[place] - degrees[place - 1])
            continue
        able = np.array([abs(degrees[-1] + move) <= SPAN for move in moves]) * weights
        able = able if able.any() else np.array([-np.sign(degrees[-1]) == move for move in moves])
        degrees.append(degrees[-1] + int(moves[int(rng.choice(len(moves), p=able / able.sum()))]))
    return degrees


def _chromatic(degrees: Sequence[int], rng: np.random.Generator) -> list[int]:
    """Semitones by which lower neighbours are raised to their note: some of those between two notes of one pitch."""
    raised = [0] * len(degrees)
    for at in range(1, len(degrees) - 1):
        if degrees[at - 1] == degrees[at + 1] == degrees[at] + 1 and rng.random() < NEIGHBOUR:
            raised[at] = 1
    return raised


def _rhythm(sizes: Sequence[int], rng: np.random.Generator) -> tuple[int, ...]:
    """One of people's rhythms with so many onsets, as often as they have it."""
    able = RHYTHMS[sizes[int(rng.integers(len(sizes)))]]
    total = sum(able.values())
    return list(able)[int(rng.choice(len(able), p=[count / total for count in able.values()]))]


def with_lengths(
    ticks: Sequence[int], degrees: Sequence[int], end: int, raised: Sequence[int] | None = None
) -> tuple[MotifNote, ...]:
    """Notes that last until the next one, at most half a bar. raised: semitones off the scale."""
    ends, off = [*ticks[1:], end], raised or [0] * len(ticks)
    return tuple(
        MotifNote(tick, degree, min(8, stop - tick), semitones)
        for tick, degree, stop, semitones in zip(ticks, degrees, ends, off, strict=True)
    )


def scale_place(pitch: int, key: Key) -> tuple[int, int]:
    """A pitch as (steps of the key's scale over its tonic in MIDI octave 0, semitones above that step: 0 or 1)."""
    octave, inside = divmod(pitch - key.root, 12)
    scale = SCALES[key.minor]
    step = max(n for n, semitones in enumerate(scale) if semitones <= inside)
    return 7 * octave + step, inside - scale[step]


def pitch_at(place: int, key: Key, raised: int = 0) -> int:
    """The MIDI pitch so many steps of the key's scale over its tonic in octave 0."""
    octave, step = divmod(place, 7)
    return key.root + 12 * octave + SCALES[key.minor][step] + raised
