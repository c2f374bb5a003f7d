"""A finished MIDI file as the rows of an answer that a host's script can write into its project as they stand.

Threads and processes: no state, callable from any; loads mido only when a file is read.
All times are seconds of the host's timeline: seconds of the MIDI file, with its own tempo events, plus the score's
first second. Rows, in order (fields as in `bridge/file_rows.py`):
    take N | range first last | span first last (only where a part is replaced)
    tempo second bpm | marker second text | region first last text
    track name channel program red green blue, followed by its notes: note first last pitch velocity
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hitpoint.bridge.file_rows import Field

BEATS_PER_BAR = 4
SECTION_PREFIX = "Section "
COLORS = {
    "Drums": (204, 102, 90),
    "Piano": (86, 148, 204),
    "Guitar": (214, 162, 74),
    "Bass": (122, 112, 196),
    "Strings": (96, 172, 122),
}
"""Red, green, blue of each instrument's track, 0..255."""

_NEAR_S = 0.010
"""A selection that reaches this little into a bar does not mean that bar."""


@dataclass(frozen=True)
class FileNote:
    """One note of a MIDI file. start, stop: pulses."""

    start: int
    stop: int
    pitch: int
    velocity: int


@dataclass(frozen=True)
class FileTrack:
    """One instrument's track. channel 0..15, program 0..127."""

    name: str
    channel: int
    program: int
    notes: tuple[FileNote, ...]


@dataclass(frozen=True)
class MidiScore:
    """A MIDI file as it stands. tempo: (pulse, microseconds a quarter), from pulse 0 on; markers: (pulse, text)."""

    pulses_per_quarter: int
    end: int
    tempo: tuple[tuple[int, int], ...]
    markers: tuple[tuple[int, str], ...]
    tracks: tuple[FileTrack, ...]

    def seconds(self, pulse: int) -> float:
        """Seconds from the file's start at which `pulse` falls."""
        time_s = 0.0
        for (start, tempo_us), following in zip(self.tempo, [*self.tempo[1:], None], strict=True):
            stop = pulse if following is None else min(pulse, following[0])
            time_s += max(0, stop - start) * tempo_us / 1e6 / self.pulses_per_quarter
        return time_s

    def bar_lines(self) -> list[float]:
        """Seconds of every bar line, the last one included."""
        step = self.pulses_per_quarter * BEATS_PER_BAR
        return [self.seconds(pulse) for pulse in range(0, self.end + 1, step)]


def read_score(path: Path) -> MidiScore:
    """The notes, tempo and markers of a type 1 MIDI file. Raises OSError or ValueError where it cannot be read."""
    import mido

    try:
        file = mido.MidiFile(path, charset="utf-8")
    except (EOFError, IndexError, KeyError) as error:
        raise ValueError(f"{path} is damaged") from error
    tempo: dict[int, int] = {0: 500_000}
    markers: list[tuple[int, str]] = []
    tracks: list[FileTrack] = []
    end = 0
    for track in file.tracks:
        events, length = _absolute(track)
        end = max(end, length)
        tempo.update({pulse: message.tempo for pulse, message in events if message.type == "set_tempo"})
        markers += [(pulse, message.text) for pulse, message in events if message.type == "marker"]
        if any(message.type in ("note_on", "program_change") for _, message in events):
            tracks.append(_track(track.name, events))
    return MidiScore(file.ticks_per_beat, end, tuple(sorted(tempo.items())), tuple(markers), tuple(tracks))


def _absolute(track: Any) -> tuple[list[tuple[int, Any]], int]:
    """The messages of a track with their pulses, and its length in pulses."""
    now = 0
    events = []
    for message in track:
        now += message.time
        events.append((now, message))
    return events, now


def _track(name: str, events: list[tuple[int, Any]]) -> FileTrack:
    notes: list[FileNote] = []
    sounding: dict[int, tuple[int, int]] = {}
    channel = program = 0
    for pulse, message in events:
        if message.type == "program_change":
            channel, program = message.channel, message.program
        if message.type in ("note_on", "note_off"):
            channel = message.channel
            if message.note in sounding:
                start, velocity = sounding.pop(message.note)
                notes.append(FileNote(start, pulse, message.note, velocity))
            if message.type == "note_on" and message.velocity > 0:
                sounding[message.note] = (pulse, message.velocity)
    return FileTrack(name, channel, program, tuple(sorted(notes, key=lambda note: (note.start, note.pitch))))


def bars_touched(score: MidiScore, first_s: float, last_s: float) -> tuple[int, int] | None:
    """The first and last bar (from 0) that [first_s, last_s) of the file's time reaches into; None where none is."""
    lines = score.bar_lines()
    first = max(0, bisect_right(lines, first_s + _NEAR_S) - 1)
    last = min(len(lines) - 2, bisect_right(lines, last_s - _NEAR_S) - 1)
    return (first, last) if first <= last and first_s + _NEAR_S < lines[-1] and last_s > 0 else None


def score_rows(score: MidiScore, first_s: float, take: int) -> list[tuple[Field, ...]]:
    """Everything of a score that begins at `first_s` of the host's timeline."""
    end_s = score.seconds(score.end)
    rows: list[tuple[Field, ...]] = [("take", take), ("range", first_s, first_s + end_s)]
    rows += [("tempo", first_s + score.seconds(pulse), 60e6 / tempo_us) for pulse, tempo_us in score.tempo]
    sections = [(score.seconds(pulse), text) for pulse, text in score.markers if text.startswith(SECTION_PREFIX)]
    stops = [time_s for time_s, _ in sections[1:]] + [end_s]
    for pulse, text in score.markers:
        if not text.startswith(SECTION_PREFIX):
            rows.append(("marker", first_s + score.seconds(pulse), text))
    for (time_s, text), stop_s in zip(sections, stops, strict=True):
        rows.append(("region", first_s + time_s, first_s + stop_s, text))
    for track in score.tracks:
        rows += _track_rows(score, track, first_s, track.notes)
    return rows


def part_rows(
    score: MidiScore, first_s: float, take: int, bars: tuple[int, int], names: frozenset[str]
) -> list[tuple[Field, ...]]:
    """The notes of bars `bars[0]`..`bars[1]` of the instruments in `names` (of all where it is empty)."""
    lines = score.bar_lines()
    rows: list[tuple[Field, ...]] = [
        ("take", take),
        ("range", first_s, first_s + lines[-1]),
        ("span", first_s + lines[bars[0]], first_s + lines[bars[1] + 1]),
    ]
    step = score.pulses_per_quarter * BEATS_PER_BAR
    for track in score.tracks:
        if not names or track.name in names:
            inside = tuple(note for note in track.notes if bars[0] <= note.start // step <= bars[1])
            rows += _track_rows(score, track, first_s, inside)
    return rows


def _track_rows(
    score: MidiScore, track: FileTrack, first_s: float, notes: tuple[FileNote, ...]
) -> list[tuple[Field, ...]]:
    color = COLORS.get(track.name, (128, 128, 128))
    rows: list[tuple[Field, ...]] = [("track", track.name, track.channel, track.program, *color)]
    for note in notes:
        start_s, stop_s = score.seconds(note.start), score.seconds(note.stop)
        rows.append(("note", first_s + start_s, first_s + stop_s, note.pitch, note.velocity))
    return rows
