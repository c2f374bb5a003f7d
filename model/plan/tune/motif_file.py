"""A motif of the user's own, from a MIDI file: one tune of up to four bars of 4/4."""

from __future__ import annotations

from pathlib import Path

import mido

from hitpoint.model.errors import UsageError
from hitpoint.model.music.harmony import key_of
from hitpoint.model.music.score import TICKS_PER_BAR, TICKS_PER_BEAT, Bar, Note
from hitpoint.model.plan.tune.motif import Motif, MotifNote, scale_place

MOST_BARS = 4
_DRUM_CHANNEL = 9


def read_motif(path: Path) -> Motif:
    """The highest notes of the file's first track with notes, on sixteenths, from the bar of the first one on.

    What comes after four bars is left out. Raises UsageError for a file that cannot be read, is not in 4/4, or holds
    no pitched note.
    """
    try:
        file = mido.MidiFile(path)
    except (OSError, EOFError, ValueError, IndexError, KeyError) as error:
        raise UsageError(f"cannot read the motif {path}; give a MIDI file of two to four bars") from error
    for track in file.tracks:
        for message in track:
            if message.type == "time_signature" and (message.numerator, message.denominator) not in ((4, 4), (2, 2)):
                metre = f"{message.numerator}/{message.denominator}"
                raise UsageError(f"the motif {path} is in {metre}, and motifs are read in 4/4; write it in 4/4")
    notes = next((found for track in file.tracks if (found := _notes(track, file.ticks_per_beat))), [])
    if not notes:
        raise UsageError(f"the motif {path} holds no pitched note; give a MIDI file with a tune of two to four bars")
    first = notes[0][0] // TICKS_PER_BAR * TICKS_PER_BAR
    inside = [
        (tick - first, length, pitch) for tick, length, pitch in notes if tick - first < MOST_BARS * TICKS_PER_BAR
    ]
    return _motif(inside)


def _motif(notes: list[tuple[int, int, int]]) -> Motif:
    """From (tick, ticks, pitch), ticks rising."""
    bars = notes[-1][0] // TICKS_PER_BAR + 1
    lines = [Bar(n, tuple(Note(t % TICKS_PER_BAR, 1, p, d, 80) for t, d, p in notes if t // TICKS_PER_BAR == n))
             for n in range(bars)]  # fmt: skip
    key = key_of(lines)
    assert key is not None
    origin = scale_place(notes[0][2], key)[0]
    places = [(tick, length, pitch, *scale_place(pitch, key)) for tick, length, pitch in notes]
    return Motif(bars, tuple(MotifNote(t, place - origin, d, raised, p) for t, d, p, place, raised in places), key)


def _notes(track: mido.MidiTrack, pulses_per_beat: int) -> list[tuple[int, int, int]]:
    """(tick, ticks, pitch) of the highest note that starts on each sixteenth of a track; drums are left out."""
    pulses_per_tick = max(1, pulses_per_beat) / TICKS_PER_BEAT
    now, sounding, spans = 0, dict[int, int](), dict[int, tuple[int, int]]()
    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == _DRUM_CHANNEL:
            continue
        if message.note in sounding:
            start = sounding.pop(message.note)
            tick = round(start / pulses_per_tick)
            length = max(1, round((now - start) / pulses_per_tick))
            spans[tick] = max(spans.get(tick, (0, 0)), (message.note, length))
        if message.type == "note_on" and message.velocity:
            sounding[message.note] = now
    ticks = sorted(spans)
    ends = [*ticks[1:], 1 << 30][: len(ticks)]
    return [(tick, min(spans[tick][1], end - tick), spans[tick][0]) for tick, end in zip(ticks, ends, strict=True)]
