"""Score -> REAPER project (`.rpp`): film, folder of tracks, tempo map, markers, regions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from hitpoint.model.files import atomic
from hitpoint.model.music.score import Score
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.output.colours import HIT_COLOUR, INSTRUMENT_COLOURS, SECTION_COLOUR, Rgb
from hitpoint.model.output.duck import Duck, duck_of
from hitpoint.model.output.midi_file import (
    CHANNELS,
    PULSES_PER_QUARTER,
    TRACK_NAMES,
    controller_changes,
    end_pulse,
    program_changes,
    sounding_notes,
    tempo_events,
    time_signatures,
)
from hitpoint.model.take import Prepared, Take
from hitpoint.model.video.edit import placed

if TYPE_CHECKING:
    from hitpoint.model.video.types import Clip

_LINEAR, _SQUARE = 0, 1
_BY_TIME = 0
"""Items keep their seconds when the tempo is edited: the film does not move under the music."""
_MARKERS = UUID("5f3b3c5e-0c0e-4c58-9a0e-5c4f2b1f7d10")
_ALL_NOTES_OFF = "b0 7b 00"


def write_rpp(score: Score, clips: Sequence[Clip], path: Path, force: bool = False, duck: Duck | None = None) -> None:
    """Write a project that begins with the score: bars, tempo and markers where the MIDI file has them.

    clips: the film, placed as `hitpoint.model.video.edit.placed` says. duck: becomes the volume envelope of the folder
    that holds all music.
    Raises UsageError as `hitpoint.model.files.atomic`.
    """
    lines = ['<REAPER_PROJECT 0.1 "7.0/hitpoint" 0']
    lines.append(f"  TIMELOCKMODE {_BY_TIME}")
    lines += _tempo(score)
    lines += _markers(score)
    lines += _film(score, clips)
    lines += _music(score, duck or Duck())
    lines.append(">")
    with atomic(path, force) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _quoted(text: str) -> str:
    """As REAPER writes texts: in the first kind of quotes that does not occur in them."""
    flat = " ".join(text.split("\n"))
    mark = next((mark for mark in "\"'`" if mark not in flat), None)
    return f"{mark}{flat}{mark}" if mark else "`" + flat.replace("`", "'") + "`"


def _color(rgb: Rgb) -> int:
    return 0x1000000 | rgb[2] << 16 | rgb[1] << 8 | rgb[0]


def _tempo(score: Score) -> Iterator[str]:
    """The tempo envelope: square points at the MIDI file's own tempo events.

    A point that has more fields than time, tempo and shape begins a time signature.
    """
    end = end_pulse(score)
    events = tempo_events(score.tempo_map, end)
    signatures = {pulse: (beats, unit) for pulse, beats, unit in time_signatures(score)}
    at_last = [pulse for pulse in signatures if pulse not in dict(events)]
    events = sorted([*events, *((pulse, _tempo_at(events, pulse)) for pulse in at_last)])
    yield f"  TEMPO {60e6 / events[0][1]:.10f} {signatures[0][0]} {signatures[0][1]}"
    yield "  <TEMPOENVEX"
    yield "    ACT 1 -1"
    time_s = 0.0
    for index, (pulse, tempo_us) in enumerate(events):
        if index > 0:
            before, before_us = events[index - 1]
            time_s += (pulse - before) / PULSES_PER_QUARTER * before_us / 1e6
        beats, unit = signatures.get(pulse, (0, 0))
        signature = f" {unit * 65536 + beats} 0 1" if beats else ""
        yield f"    PT {time_s:.12f} {60e6 / tempo_us:.10f} {_SQUARE}{signature}"
    yield "  >"


def _tempo_at(events: Sequence[tuple[int, int]], pulse: int) -> int:
    return max(event for event in events if event[0] <= pulse)[1]


def _markers(score: Score) -> Iterator[str]:
    sections = [marker for marker in score.markers if marker.kind == "section"]
    stops = [marker.time_s for marker in sections[1:]] + [score.duration_s]
    for number, marker in enumerate(score.markers, 1):
        start = f"  MARKER {number} {marker.time_s:.12f} {_quoted(marker.text)}"
        if marker not in sections:
            yield f"{start} 0 {_marker_end(number, HIT_COLOUR)}"
            continue
        stop_s = stops[sections.index(marker)]
        yield f"{start} 1 {_marker_end(number, SECTION_COLOUR)}"
        yield f'  MARKER {number} {stop_s:.12f} "" 1'


def _marker_end(number: int, rgb: Rgb) -> str:
    """What follows a marker's kind: its colour, and that its lowest byte is the red one (R); its identity."""
    return f"{_color(rgb)} 1 R {{{str(uuid5(_MARKERS, str(number))).upper()}}} 0"


def _film(score: Score, clips: Sequence[Clip]) -> Iterator[str]:
    yield "  <TRACK"
    yield "    NAME Film"
    yield "    ISBUS 0 0"
    for clip, start_s, length_s in placed(clips, score.duration_s):
        yield "    <ITEM"
        yield f"      POSITION {start_s:.12f}"
        yield f"      LENGTH {length_s:.12f}"
        yield "      LOOP 0"
        yield f"      NAME {_quoted(clip.path.name)}"
        yield f"      SOFFS {clip.in_s:.12f}"
        yield f"      PLAYRATE {clip.rate:.12f} 1 0 -1 0 0.0025"
        yield "      <SOURCE VIDEO"
        yield f"        FILE {_quoted(str(clip.path.absolute()))}"
        yield "      >"
        yield "    >"
    yield "  >"


def _music(score: Score, duck: Duck) -> Iterator[str]:
    """The folder "Hitpoint" and one track an instrument; nothing for a score without instruments."""
    instruments = sorted(score.instruments)
    yield "  <TRACK"
    yield "    NAME Hitpoint"
    yield f"    PEAKCOL {_color(HIT_COLOUR)}"
    yield f"    ISBUS {'1 1' if instruments else '0 0'}"
    yield from _volume(duck)
    yield "  >"
    for instrument in instruments:
        yield "  <TRACK"
        yield f"    NAME {TRACK_NAMES[instrument]}"
        yield f"    PEAKCOL {_color(INSTRUMENT_COLOURS[instrument])}"
        yield f"    ISBUS {'2 -1' if instrument == instruments[-1] else '0 0'}"
        yield "    <ITEM"
        yield "      POSITION 0"
        yield f"      LENGTH {score.duration_s:.12f}"
        yield "      LOOP 0"
        yield f"      NAME {TRACK_NAMES[instrument]}"
        yield "      <SOURCE MIDI"
        yield f"        HASDATA 1 {PULSES_PER_QUARTER} QN"
        for delta, message in _events(score, instrument):
            yield f"        E {delta} {message}"
        yield "      >"
        yield "    >"
        yield "  >"


def _volume(duck: Duck) -> Iterator[str]:
    """A track's volume envelope: gains as factors, straight lines between the points."""
    if duck.points:
        yield "    <VOLENV2"
        yield f"      EGUID {{{str(uuid5(_MARKERS, 'volume')).upper()}}}"
        yield "      ACT 1 -1"
        yield "      VIS 1 1 1"
        yield from (f"      PT {time_s:.12f} {gain:.10f} {_LINEAR}" for time_s, gain in duck.points)
        yield "    >"


def _events(score: Score, instrument: int) -> Iterator[tuple[int, str]]:
    """(pulses since the one before, hexadecimal bytes) of one instrument, to the last bar line."""
    channel = CHANNELS[instrument]
    notes = sounding_notes(score, instrument)
    events = [
        (pulse, 0, f"{0xC0 | channel:02x} {program:02x} 00") for pulse, program in program_changes(score, instrument)
    ]
    for pulse, number, value in controller_changes(score, instrument):
        events.append((pulse, 1, f"{0xB0 | channel:02x} {number:02x} {value:02x}"))
    events += [(stop, 1, f"{0x80 | channel:02x} {pitch:02x} 00") for _, stop, pitch, _ in notes]
    events += [(start, 2, f"{0x90 | channel:02x} {pitch:02x} {velocity:02x}") for start, _, pitch, velocity in notes]
    now = 0
    for pulse, _, message in sorted(events):
        yield pulse - now, message
        now = pulse
    yield end_pulse(score) - now, _ALL_NOTES_OFF


class RppOutput(Output):
    """A REAPER project."""

    key = "rpp"
    suffix = ".rpp"

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """As `write_rpp`."""
        write_rpp(take.score, prepared.clips, path, writing.force, duck_of(prepared))
