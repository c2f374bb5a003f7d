"""Any MIDI file -> a piece on the grid of sixteenths, its parts merged into five families (the LPD-5 rule)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, TICKS_PER_BEAT
from hitpoint.model.music.tokens import DURATIONS, Notes, sort_notes, trim

MAX_BYTES = 100_000_000
MIN_BARS = 4
MIN_NOTES = 16


@dataclass(frozen=True)
class Piece:
    """A piece of music on the grid. bars: count of 4/4 bars. tempo_bpm: the one that holds longest."""

    notes: Notes
    bars: int
    tempo_bpm: float


def family_of(track_name: str, program: int, channel: int) -> int:
    """Index into INSTRUMENTS: by the track's name if it is one of the five, else by channel and General MIDI program.

    LPD-5 rule: channel 10 drums; 0-7 piano; 24-31 guitar; 32-39 bass; everything else strings.
    """
    name = track_name.strip().lower()
    if name in INSTRUMENTS:
        return INSTRUMENTS.index(name)
    if channel == 9:
        return 0
    if program < 8:
        return 1
    if 24 <= program < 32:
        return 2
    return 3 if 32 <= program < 40 else 4


def read_piece(path: Path) -> Piece:
    """Read a MIDI file of one 4/4 metre.

    Raises InputError with the reason when the file cannot be used: not MIDI, another metre, too short, too large.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path.name} is larger than {MAX_BYTES // 1_000_000} MB; leave it out")
    try:
        midi = mido.MidiFile(str(path), clip=True)
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        reason = str(error) or "it breaks off"
        raise InputError(f"{path.name} is not a readable MIDI file ({reason}); leave it out") from None
    if midi.type == 2 or midi.ticks_per_beat <= 0:
        raise InputError(f"{path.name} is of MIDI type {midi.type}, whose tracks share no beat; leave it out")
    table: list[tuple[int, int, int, int, int, int]] = []
    tempi: list[tuple[int, int]] = []
    for track in midi.tracks:
        _read_track(track, TICKS_PER_BEAT / midi.ticks_per_beat, path, table, tempi)
    if len(table) < MIN_NOTES:
        raise InputError(f"{path.name} has {len(table)} notes; at least {MIN_NOTES} are needed")
    notes = trim(sort_notes(np.array(table, np.int32)))
    bars = int(notes.bar[-1]) + 1
    if bars < MIN_BARS:
        raise InputError(f"{path.name} has {bars} bars; at least {MIN_BARS} are needed")
    return Piece(notes, bars, _longest_tempo(tempi, bars * TICKS_PER_BAR))


def _read_track(
    track: mido.MidiTrack,
    scale: float,
    path: Path,
    table: list[tuple[int, int, int, int, int, int]],
    tempi: list[tuple[int, int]],
) -> None:
    """Append the track's notes (bar, tick, family, pitch, ticks, velocity) and its tempi (tick, us a beat)."""
    now = 0
    programs = [0] * 16
    sounding: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for message in track:
        now += message.time
        if message.type == "note_on" and message.velocity > 0:
            start = round(now * scale)
            family = family_of(track.name, programs[message.channel], message.channel)
            sounding.setdefault((message.channel, message.note), []).append((start, message.velocity, family))
        elif message.type in ("note_on", "note_off"):
            for start, velocity, family in sounding.pop((message.channel, message.note), ()):
                ticks = min(max(1, round(now * scale) - start), DURATIONS[-1])
                table.append((*divmod(start, TICKS_PER_BAR), family, message.note, ticks, velocity))
        elif message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type == "set_tempo":
            tempi.append((round(now * scale), message.tempo))
        elif message.type == "time_signature" and message.numerator * 4 != message.denominator * 4:
            raise InputError(
                f"{path.name} is in {message.numerator}/{message.denominator}; only music in 4/4 can be learnt from"
            )


def _longest_tempo(tempi: list[tuple[int, int]], end_tick: int) -> float:
    """The tempo in beats a minute that holds for most ticks; 120 where the file says nothing."""
    spans: dict[int, int] = {}
    ordered = sorted(tempi) or [(0, 500_000)]
    for (tick, tempo), (following, _) in zip(ordered, [*ordered[1:], (end_tick, 0)], strict=True):
        spans[tempo] = spans.get(tempo, 0) + max(0, following - tick)
    return 60e6 / max(spans, key=lambda tempo: spans[tempo])


def family_set(notes: Notes) -> tuple[int, ...]:
    """The instruments that sound at all, rising."""
    return tuple(int(k) for k in np.unique(notes.instrument))


def to_table(notes: Notes) -> NDArray[np.uint16]:
    """Notes as one compact array (n, 6) for storage."""
    return np.stack([np.asarray(column, np.uint16) for column in notes], axis=1)
