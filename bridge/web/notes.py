"""A MIDI file's notes in seconds, for the piano roll and the browser's MIDI out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mido


def notes_of(path: Path) -> list[dict[str, Any]]:
    """A row a part: its name, channel (0..15), program (0..127), and its notes [start, end, pitch, velocity], seconds.

    Parts stand in the file's order; those without notes are left out.
    """
    file = mido.MidiFile(path)
    parts = []
    tempi = _tempi(file)
    for track in file.tracks:
        part: dict[str, Any] = {"name": track.name, "channel": 0, "program": 0, "notes": []}
        open_notes: dict[int, list[tuple[float, int]]] = {}
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "program_change":
                part["channel"], part["program"] = message.channel, message.program
            elif message.type == "note_on" and message.velocity:
                part["channel"] = message.channel
                open_notes.setdefault(message.note, []).append((_seconds(tick, tempi), message.velocity))
            elif message.type in ("note_on", "note_off") and open_notes.get(message.note):
                start_s, velocity = open_notes[message.note].pop(0)
                part["notes"].append([round(start_s, 4), round(_seconds(tick, tempi), 4), message.note, velocity])
        if part["notes"]:
            part["notes"].sort()
            parts.append(part)
    return parts


def _tempi(file: mido.MidiFile) -> list[tuple[int, float, float]]:
    """(tick, second there, seconds a tick from there on) of each change of tempo."""
    rows = [(0, 0.0, 0.5 / file.ticks_per_beat)]
    tick = 0
    for message in file.tracks[0]:
        tick += message.time
        if message.type == "set_tempo":
            rows.append((tick, _seconds(tick, rows), message.tempo / 1e6 / file.ticks_per_beat))
    return rows


def _seconds(tick: int, tempi: list[tuple[int, float, float]]) -> float:
    begin, begin_s, step_s = next(row for row in reversed(tempi) if row[0] <= tick)
    return begin_s + (tick - begin) * step_s
