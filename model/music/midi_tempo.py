"""When the beats of any MIDI file fall."""

from __future__ import annotations

import mido

from hitpoint.model.music.score import TempoMap, TempoPoint

USUAL_BPM = 120.0
"""A MIDI file that says nothing has this tempo."""


def tempo_map_of(file: mido.MidiFile) -> TempoMap:
    """The tempi of all tracks, whichever they stand in."""
    changes: dict[float, float] = {0.0: USUAL_BPM}
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "set_tempo" and message.tempo > 0:
                changes[now / file.ticks_per_beat] = 60e6 / message.tempo
    points: list[TempoPoint] = []
    for beat in sorted(changes):
        time_s = TempoMap(tuple(points)).time_at_beat(beat) if points else 0.0
        points.append(TempoPoint(time_s, beat, changes[beat]))
    return TempoMap(tuple(points))
