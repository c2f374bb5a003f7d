"""Score -> standard MIDI file of type 1, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import mido

from hitpoint.model.errors import InputError
from hitpoint.model.files import atomic
from hitpoint.model.music.codec import plain_json
from hitpoint.model.music.meter import FOUR_FOUR, METERS, odd_of, signature
from hitpoint.model.music.score import (
    GENRES,
    INSTRUMENTS,
    TICKS_PER_BAR,
    TICKS_PER_BEAT,
    Bar,
    Controller,
    Marker,
    Note,
    Score,
    TempoMap,
    TempoPoint,
    marker_kind,
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


MOST_BARS_READ = 100_000
"""More than a day of music at any tempo: a damaged length would fill the memory."""


def read_midi(path: Path) -> Score:
    """The score of a MIDI file that `write_midi` made.

    Notes lose what the file cannot hold (parts after a new strike or the last bar line); times are within 0.3 ms.
    Raises InputError for a file that is missing, damaged or not one of ours.
    """
    try:
        file = mido.MidiFile(path, charset="utf-8")
    except (OSError, EOFError, ValueError, IndexError, KeyError) as error:
        raise InputError(f"{path} is not a readable MIDI file; write it again with `hitpoint score`") from error
    try:
        score = _read_ours(file)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise InputError(f"{path} is damaged; write it again with `hitpoint score`") from error
    if score is None:
        raise InputError(f"{path} was not written by Hitpoint; give a file that `hitpoint score` made")
    return score


def _read_ours(file: mido.MidiFile) -> Score | None:
    """The score of an opened file; None where it is not ours. Raises almost anything where it is damaged."""
    about = _read_about(file)
    is_ours = about is not None and file.ticks_per_beat == PULSES_PER_QUARTER and about.get("genre") in GENRES
    if about is None or not is_ours or not {track.name for track in file.tracks[1:]} <= set(TRACK_NAMES):
        return None
    conductor = _absolute(file.tracks[0])
    tempo_map, count, last_bar_ticks = _read_bars(conductor, about.pop("meter", FOUR_FOUR))
    if count > MOST_BARS_READ:
        raise ValueError(f"{count} bars")
    tracks = [(TRACK_NAMES.index(track.name), track) for track in file.tracks[1:]]
    return Score(
        bars=_read_music(tracks, count, about["genre"], tempo_map),
        tempo_map=tempo_map,
        genre=about.pop("genre"),
        instruments=tuple(sorted(instrument for instrument, _ in tracks)),
        seed=int(about.pop("seed")),
        markers=tuple(
            Marker(tempo_map.time_at_beat(pulse / PULSES_PER_QUARTER), message.text, marker_kind(message.text))
            for pulse, message in conductor
            if message.type == "marker"
        ),
        about=about,
        last_bar_ticks=last_bar_ticks,
        chords=tuple(
            (_grid_tick(tempo_map, round(pulse / PULSES_PER_TICK)), message.text)
            for pulse, message in conductor
            if message.type == "text" and not message.text.startswith(ABOUT_PREFIX)
        ),
    )


def _grid_tick(tempo_map: TempoMap, written: int) -> int:
    """Where on the grid a tick is, counted from the start with 16 a bar."""
    bar, tick = tempo_map.place_of(written)
    return bar * TICKS_PER_BAR + round(tick)


def _read_music(
    tracks: Sequence[tuple[int, mido.MidiTrack]], count: int, genre: str, tempo_map: TempoMap
) -> tuple[Bar, ...]:
    """Notes, controllers and programs of (instrument, track) pairs, as `count` bars."""
    programs: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    notes: list[list[Note]] = [[] for _ in range(count)]
    controllers: list[list[Controller]] = [[] for _ in range(count)]
    for instrument, track in tracks:
        for start, stop, pitch, velocity in _note_spans(track):
            written = round(start / PULSES_PER_TICK)
            bar, tick = divmod(_grid_tick(tempo_map, written), TICKS_PER_BAR)
            shift = start / PULSES_PER_TICK - written
            sounds = (stop - start) / PULSES_PER_TICK
            written_ticks = max(1, round(sounds))
            ticks = _grid_tick(tempo_map, written + written_ticks) - bar * TICKS_PER_BAR - tick
            notes[bar].append(Note(tick, instrument, pitch, ticks, velocity, shift, sounds - written_ticks))
        found = [(pulse, m.program) for pulse, m in _absolute(track) if m.type == "program_change"]
        if [program for _, program in found] != [PROGRAMS[genre][instrument]]:
            for bar in range(count):
                line = tempo_map.first_tick(bar) * PULSES_PER_TICK
                programs[bar] += [(instrument, program) for pulse, program in found if pulse <= line][-1:]
        for pulse, message in _absolute(track):
            if message.type == "control_change":
                bar = min(tempo_map.place_of(pulse / PULSES_PER_TICK)[0], count - 1)
                tick_of = pulse / PULSES_PER_TICK - tempo_map.first_tick(bar)
                controllers[bar].append(Controller(tick_of, instrument, message.control, message.value))
    return tuple(
        Bar(index, tuple(sorted(notes[index])), tuple(sorted(controllers[index])), tuple(sorted(programs[index])))
        for index in range(count)
    )


def _read_bars(conductor: Sequence[tuple[int, mido.MetaMessage]], meter: str) -> tuple[TempoMap, int, int]:
    """The tempo map, how many bars there are, and the ticks of the last: the time signatures tell."""
    end = conductor[-1][0] // PULSES_PER_TICK
    signatures = {pulse // PULSES_PER_TICK: each.numerator * 16 // each.denominator
                  for pulse, each in conductor if each.type == "time_signature"}  # fmt: skip
    ticks: list[int] = []
    at, usual = 0, METERS[meter].ticks
    length = usual
    while at < end:
        length = signatures.get(at, length)
        ticks.append(min(length, end - at))
        at += length
    found = replace(_read_tempo_map(conductor), meter=meter, odd_bars=odd_of(ticks, METERS[meter]))
    return found, len(ticks), ticks[-1] if ticks else usual


def _read_about(file: mido.MidiFile) -> dict[str, str] | None:
    for message in file.tracks[0] if file.tracks else ():
        if message.type == "text" and message.text.startswith(ABOUT_PREFIX):
            about: dict[str, str] = plain_json(message.text.removeprefix(ABOUT_PREFIX))
            return about
    return None


def _read_tempo_map(conductor: Sequence[tuple[int, mido.MetaMessage]]) -> TempoMap:
    points: list[TempoPoint] = []
    for pulse, message in conductor:
        if message.type == "set_tempo":
            beat = pulse / PULSES_PER_QUARTER
            time_s = TempoMap(tuple(points)).time_at_beat(beat) if points else 0.0
            points.append(TempoPoint(time_s, beat, 60e6 / message.tempo))
    return TempoMap(tuple(points))


def _note_spans(track: mido.MidiTrack) -> list[tuple[int, int, int, int]]:
    """(start, stop, pitch, velocity) of each note of a track, in pulses."""
    spans = []
    sounding: dict[int, tuple[int, int]] = {}
    for pulse, message in _absolute(track):
        if message.type in ("note_on", "note_off") and message.note in sounding:
            start, velocity = sounding.pop(message.note)
            spans.append((start, pulse, message.note, velocity))
        if message.type == "note_on" and message.velocity > 0:
            sounding[message.note] = (pulse, message.velocity)
    return spans


def _absolute(track: mido.MidiTrack) -> list[tuple[int, mido.Message]]:
    """The messages of a track with their pulses from the start."""
    now = 0
    messages = []
    for message in track:
        now += message.time
        messages.append((now, message))
    return messages


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
