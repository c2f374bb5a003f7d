"""Standard MIDI file that we wrote -> score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import mido

from hitpoint.model.errors import InputError
from hitpoint.model.music.codec import plain_json
from hitpoint.model.music.meter import FOUR_FOUR, METERS, odd_of
from hitpoint.model.music.score import (
    GENRES,
    TICKS_PER_BAR,
    Bar,
    Controller,
    Marker,
    Note,
    Score,
    TempoMap,
    TempoPoint,
    marker_kind,
)
from hitpoint.model.output.midi_file import ABOUT_PREFIX, PROGRAMS, PULSES_PER_QUARTER, PULSES_PER_TICK, TRACK_NAMES

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
    """The tempo map, how many bars there are, and the ticks of the last: the time signatures tell. Raises ValueError
    where they have no length or no end."""
    end = conductor[-1][0] // PULSES_PER_TICK
    signatures = {pulse // PULSES_PER_TICK: each.numerator * 16 // each.denominator
                  for pulse, each in conductor if each.type == "time_signature"}  # fmt: skip
    ticks: list[int] = []
    at, usual = 0, METERS[meter].ticks
    length = usual
    while at < end:
        length = signatures.get(at, length)
        if length <= 0 or len(ticks) >= MOST_BARS_READ:
            raise ValueError(f"bars without {'length' if length <= 0 else 'end'}")
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
