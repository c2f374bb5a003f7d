"""Stretches of several pieces -> bars that sound as one piece: parts given to who plays, drums carried over, common
tones held across the joins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hitpoint.model.compose.cmt.grammar import PITCH_RANGE
from hitpoint.model.compose.library.bars import Library
from hitpoint.model.compose.library.path import Chosen
from hitpoint.model.data.labels import bars_of
from hitpoint.model.music.chords import CHORDS
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Bar, Note
from hitpoint.model.plan.types import BarPlan, Plan

DRUMS, BASS = INSTRUMENTS.index("drums"), INSTRUMENTS.index("bass")
OCTAVE = 12
LONGEST_TIE = TICKS_PER_BAR // 2
"""Ticks of the new stretch over which a common tone is held at most."""


def played(library: Library, plan: Plan, path: Sequence[Chosen]) -> list[Bar]:
    """The bars of a path, as the pieces have them: transposed, without who does not play, joined."""
    found: list[Bar] = []
    drums: list[tuple[Note, ...]] = []
    for number, chosen in enumerate(path):
        source = _transposed(library, chosen)
        bars = chosen.span.bars
        if any(note.instrument == DRUMS for notes in source for note in notes):
            drums = [tuple(note for note in notes if note.instrument == DRUMS) for notes in source]
        elif drums:
            source = [(*drums[at % len(drums)], *notes) for at, notes in enumerate(source)]
        count = Counter(note.instrument for notes in source for note in notes)
        own = [Bar(bar.index, _cast(notes, _roles(count, bar, plan))) for bar, notes in zip(bars, source, strict=True)]
        if found and own and number:
            found[-1] = _held(found[-1], own[0], _first_chord(library, chosen))
        found += own
    return found


def _transposed(library: Library, chosen: Chosen) -> list[tuple[Note, ...]]:
    """The notes of each bar of what a span plays; drums stay where they are."""
    piece = int(library.piece_of[chosen.route[0]])
    held = bars_of(library.notes_of(piece), library.pieces[piece].bars)
    rows = chosen.route - library.first[piece]
    moved = []
    for row in rows.tolist():
        notes = (
            note if note.instrument == DRUMS else replace(note, pitch=note.pitch + chosen.transpose)
            for note in held[row].notes
        )
        moved.append(tuple(note for note in notes if 0 <= note.pitch <= 127))
    return moved


def _roles(count: Counter[int], bar: BarPlan, plan: Plan) -> dict[int, int]:
    """Who plays the part of which instrument of the piece: its own player where he plays, else one who has no part of
    his own, the busiest parts first. count: notes of each instrument in the stretch."""
    players = set(plan.instruments if bar.instruments is None else bar.instruments)
    roles = {k: k for k in count if k in players}
    idle = [k for k in sorted(players) if k not in count and k not in (DRUMS, BASS)]
    pitched = [k for k, _ in count.most_common() if k != DRUMS and k not in players]
    for part in pitched:
        if not idle:
            break
        roles[part] = idle.pop(0)
    if pitched and not any(k != DRUMS for k in roles) and players - {DRUMS}:
        roles[pitched[0]] = min(players - {DRUMS})
    return roles


def _cast(notes: Sequence[Note], roles: dict[int, int]) -> tuple[Note, ...]:
    """The notes with their players, moved by octaves to where these can play them; each pitch once."""
    cast: dict[tuple[int, int, int], Note] = {}
    for note in notes:
        if note.instrument in roles:
            player = roles[note.instrument]
            pitch = within(note.pitch, player) if player != DRUMS else note.pitch
            cast.setdefault((note.tick, player, pitch), replace(note, instrument=player, pitch=pitch))
    return tuple(sorted(cast.values()))


def within(pitch: int, instrument: int) -> int:
    """The pitch, or the nearest octave of it that the instrument reaches."""
    low, high = PITCH_RANGE[instrument]
    while pitch < low:
        pitch += OCTAVE
    while pitch > high:
        pitch -= OCTAVE
    return pitch


def _first_chord(library: Library, chosen: Chosen) -> tuple[int, ...]:
    """Pitch classes of the chord with which a stretch begins; none where it has no chord."""
    number = int(library.column("chord_in")[chosen.route[0]])
    return tuple((tone + chosen.transpose) % OCTAVE for tone in CHORDS[number - 1].tones) if number else ()


def _held(last: Bar, first: Bar, chord: Sequence[int]) -> Bar:
    """The bar before a join: what sounds up to the bar line and belongs to the next chord is held over it until its
    player's next note, and everything else ends there."""
    begins = {k: min((note.tick for note in first.notes if note.instrument == k), default=LONGEST_TIE) for k in
              {note.instrument for note in last.notes}}  # fmt: skip
    notes = []
    for note in last.notes:
        left = TICKS_PER_BAR - note.tick
        if note.instrument != DRUMS and note.duration_ticks >= left:
            over = min(begins[note.instrument], LONGEST_TIE) if note.pitch % OCTAVE in chord else 0
            note = replace(note, duration_ticks=left + over)
        notes.append(note)
    return replace(last, notes=tuple(notes))
