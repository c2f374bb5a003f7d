"""Score -> standard MIDI file of type 1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import mido

from hitpoint.model.files import atomic
from hitpoint.model.music.meter import FOUR_FOUR, signature
from hitpoint.model.music.score import (
    GENRES,
    INSTRUMENTS,
    TICKS_PER_BAR,
    TICKS_PER_BEAT,
    Score,
    TempoMap,
)
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.take import Prepared, Take

PULSES_PER_QUARTER = 480
PULSES_PER_TICK = PULSES_PER_QUARTER // TICKS_PER_BEAT

TRACK_NAMES = ("Drums", "Piano", "Guitar", "Bass", "Strings")
"""In the order of INSTRUMENTS."""

CHANNELS = (9, 0, 1, 2, 3)
"""MIDI channel, 0..15, of each instrument: drums on what musicians call channel 10."""

PROGRAMS = {
    "country": (0, 0, 25, 32, 48),
    "dance": (25, 5, 27, 38, 50),
    "electronic": (25, 4, 27, 39, 51),
    "metal": (16, 0, 30, 34, 48),
    "pop": (0, 0, 25, 33, 48),
    "rock": (16, 0, 29, 34, 48),
    "orchestral": (48, 0, 46, 43, 48),
}
"""Genre -> General MIDI program, 0..127, of each instrument; for drums the kit (0 standard, 16 power, 25 TR-808, 48
orchestra). An orchestra's guitar is a harp, its bass a contrabass."""

ABOUT_PREFIX = "hitpoint "
"""The text event that makes a file ours: this, then a JSON object of strings."""

_LONGEST_SPAN = 512 * PULSES_PER_QUARTER
"""A tempo event holds for at most this many pulses, so that rounding it to whole microseconds costs 0.26 ms at most."""

_FASTEST_US, _SLOWEST_US = 1, 0xFFFFFF


def write_midi(score: Score, path: Path, force: bool = False) -> None:
    """Write `score` to `path`: the tempo map, then one named track for each of `score.instruments`.

    Onsets are exact in pulses (120 a tick), and every bar line lies within 1 ms of `score.tempo_map`. Nothing sounds
    after the last bar line, where every track ends. Raises UsageError as `hitpoint.model.files.atomic`.
    """
    file = to_midi(score)
    with atomic(path, force) as part:
        file.save(part)


def to_midi(score: Score) -> mido.MidiFile:
    """The MIDI file of `score`, in memory."""
    file = mido.MidiFile(type=1, ticks_per_beat=PULSES_PER_QUARTER, charset="utf-8")
    end = end_pulse(score)
    file.tracks.append(_conductor_track(score, end))
    for instrument in sorted(score.instruments):
        file.tracks.append(_instrument_track(score, instrument, end))
    return file


def sounding_notes(score: Score, instrument: int) -> list[tuple[int, int, int, int]]:
    """The notes of one instrument as they sound: (start, end, pitch, velocity) in pulses, by start and pitch.

    A note ends where its pitch is struck again and at the end; of equal notes on one tick the longest stays.
    """
    end, at = end_pulse(score), score.tempo_map.written_tick
    struck: dict[tuple[int, int], tuple[int, int]] = {}
    for bar in score.bars:
        for note in bar.notes:
            if note.instrument == instrument:
                begins = at(bar.index, note.tick)
                start = max(0, round((begins + note.shift_ticks) * PULSES_PER_TICK))
                if start >= end:
                    continue
                length, velocity = struck.get((note.pitch, start), (0, 0))
                ticks = at(bar.index, note.tick + note.duration_ticks) - begins
                pulses = max(length, round((ticks + note.release_ticks) * PULSES_PER_TICK))
                struck[note.pitch, start] = (pulses, max(velocity, note.velocity))
    notes: list[tuple[int, int, int, int]] = []
    next_start: dict[int, int] = {}
    for (pitch, start), (length, velocity) in sorted(struck.items(), reverse=True):
        stop = min(start + length, next_start.get(pitch, end), end)
        next_start[pitch] = start
        notes.append((start, stop, pitch, velocity))
    return sorted(notes, key=lambda note: (note[0], note[2]))


def time_signatures(score: Score) -> list[tuple[int, int, int]]:
    """(pulse, numerator, denominator) wherever another one begins: the metre's, and those of odd bars and of the last
    where it is shorter or longer."""
    found: list[tuple[int, int, int]] = []
    for bar in range(max(1, len(score.bars))):
        ticks = score.last_bar_ticks if bar == len(score.bars) - 1 else score.tempo_map.ticks_of(bar)
        here = signature(ticks, score.tempo_map.metre)
        if not found or here != found[-1][1:]:
            found.append((pulse_at(score, bar), *here))
    return found


def pulse_at(score: Score, bar: int, tick: float = 0.0) -> int:
    """The pulse on which a tick of a bar falls."""
    return round(score.tempo_map.written_tick(bar, tick) * PULSES_PER_TICK)


def end_pulse(score: Score) -> int:
    """The pulse with which everything ends."""
    return score.written_ticks * PULSES_PER_TICK


def controller_changes(score: Score, instrument: int) -> list[tuple[int, int, int]]:
    """The controllers of one instrument: (pulse, number, value), by pulse; what is set already is not set again, and
    what would come after the end, where a note is cut short there, is left out."""
    changes: list[tuple[int, int, int]] = []
    end = end_pulse(score)
    standing: dict[int, int] = {}
    for bar in score.bars:
        for each in sorted(bar.controllers):
            if each.tick >= score.tempo_map.ticks_of(bar.index) and each.tick < TICKS_PER_BAR:
                continue  # behind a short bar's end
            pulse = pulse_at(score, bar.index, each.tick)
            if each.instrument == instrument and standing.get(each.number) != each.value and pulse <= end:
                standing[each.number] = each.value
                changes.append((pulse, each.number, each.value))
    return changes


def program_changes(score: Score, instrument: int) -> list[tuple[int, int]]:
    """(pulse, General MIDI program) of one instrument: the first at the start, then wherever its sound changes."""
    changes = [
        (0, dict(score.bars[0].programs if score.bars else ()).get(instrument, PROGRAMS[score.genre][instrument]))
    ]
    for bar in score.bars:
        program = dict(bar.programs).get(instrument)
        if program is not None and program != changes[-1][1]:
            changes.append((pulse_at(score, bar.index), program))
    return changes


def tempo_events(tempo_map: TempoMap, end: int) -> list[tuple[int, int]]:
    """(pulse, microseconds a quarter) pairs whose running sum follows `tempo_map` up to pulse `end`.

    Whole microseconds drift by half a microsecond a quarter, 7 ms in two hours of 120 BPM; so each span of the map is
    aimed at its own end from where the rounding left the last one, and a long span is aimed again every 512 quarters.
    """
    starts = sorted({0, *(round(point.beat * PULSES_PER_QUARTER) for point in tempo_map.points)})
    starts = [start for start in starts if start < end]
    events: list[tuple[int, int]] = []
    elapsed_us = 0.0
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        while start < stop:
            aim = min(stop, start + _LONGEST_SPAN)
            quarters = (aim - start) / PULSES_PER_QUARTER
            target_us = tempo_map.time_at_beat(aim / PULSES_PER_QUARTER) * 1e6
            tempo_us = min(max(round((target_us - elapsed_us) / quarters), _FASTEST_US), _SLOWEST_US)
            if not events or events[-1][1] != tempo_us:
                events.append((start, tempo_us))
            elapsed_us += tempo_us * quarters
            start = aim
    return events


def _conductor_track(score: Score, end: int) -> mido.MidiTrack:
    about = {"seed": str(score.seed), "genre": score.genre, **score.about}
    if score.tempo_map.meter != FOUR_FOUR:
        about["meter"] = score.tempo_map.meter
    events = [
        (0, mido.MetaMessage("track_name", name="Hitpoint")),
        (0, mido.MetaMessage("text", text=ABOUT_PREFIX + json.dumps(about))),
        *(
            (pulse, mido.MetaMessage("time_signature", numerator=beats, denominator=unit))
            for pulse, beats, unit in time_signatures(score)
        ),
    ]
    for pulse, tempo_us in tempo_events(score.tempo_map, end):
        events.append((pulse, mido.MetaMessage("set_tempo", tempo=tempo_us)))
    for marker in score.markers:
        pulse = round(score.tempo_map.beat_at_time(marker.time_s) * PULSES_PER_QUARTER)
        events.append((min(max(pulse, 0), end), mido.MetaMessage("marker", text=marker.text)))
    events += [(pulse_at(score, 0, tick), mido.MetaMessage("text", text=symbol)) for tick, symbol in score.chords]
    return _track(events, end)


def _instrument_track(score: Score, instrument: int, end: int) -> mido.MidiTrack:
    channel = CHANNELS[instrument]
    events = [(0, mido.MetaMessage("track_name", name=TRACK_NAMES[instrument]))]
    events += [
        (pulse, mido.Message("program_change", channel=channel, program=program))
        for pulse, program in program_changes(score, instrument)
    ]
    events += [
        (pulse, mido.Message("control_change", channel=channel, control=number, value=value))
        for pulse, number, value in controller_changes(score, instrument)
    ]
    notes = sounding_notes(score, instrument)
    offs = [(stop, mido.Message("note_off", channel=channel, note=pitch)) for _, stop, pitch, _ in notes]
    ons = [
        (start, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity))
        for start, _, pitch, velocity in notes
    ]
    return _track(events + sorted(offs + ons, key=lambda event: (event[0], event[1].type == "note_on")), end)


def _track(events: Sequence[tuple[int, mido.Message | mido.MetaMessage]], end: int) -> mido.MidiTrack:
    """A track of (pulse, message) pairs, sorted by pulse with the order of equals kept, that ends at pulse `end`."""
    track = mido.MidiTrack()
    now = 0
    for pulse, message in sorted(events, key=lambda event: event[0]):
        track.append(message.copy(time=pulse - now))
        now = pulse
    track.append(mido.MetaMessage("end_of_track", time=end - now))
    return track


assert len(TRACK_NAMES) == len(CHANNELS) == len(INSTRUMENTS) and PROGRAMS.keys() == set(GENRES)


class MidiOutput(Output):
    """The MIDI file."""

    key = "midi"
    suffix = ".mid"

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """As `write_midi`."""
        score = take.score
        if writing.duck_cc:
            from hitpoint.model.output.duck import duck_of
            from hitpoint.model.output.duck_cc import with_channel_volumes

            score = with_channel_volumes(score, duck_of(prepared))
        write_midi(score, path, writing.force)
        writing.progress(self.key, 1.0)
