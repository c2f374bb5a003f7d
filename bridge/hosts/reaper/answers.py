"""A finished MIDI file as the rows of an answer that a host's script can write into its project as they stand.

Threads and processes: no state, callable from any; loads mido only when a file is read.
All times are seconds of the host's timeline: seconds of the MIDI file, with its own tempo events, plus the score's
first second. Rows, in order (fields as in `rows.py`, buffers as in `notes.py`):
    take N | range first last | tempo second bpm beats unit | marker is_region first last text red green blue
    point second quarter_notes, both from the score's first second: where the buffers expect the tempo map
    track name channel program red green blue buffer
    duck second factor: the volume that makes room for what is said
    note text: for the user, what could not be taken into account
or, where a part is replaced: for each take in the order of the request, notes buffer.
A tempo's `beats` and `unit` are the time signature that begins there, 0 and 0 for none; a marker that is not a region
ends where it begins.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hitpoint.bridge.hosts.reaper import notes as file_notes
from hitpoint.bridge.hosts.reaper import rows as file_rows
from hitpoint.bridge.hosts.reaper.notes import Message, QuarterNotes
from hitpoint.bridge.hosts.reaper.rows import Field
from hitpoint.model.music.codec import plain_json
from hitpoint.model.music.score import marker_kind
from hitpoint.model.output.colours import HIT_COLOUR, SECTION_COLOUR, of_track

MISSED_COLOUR = (200, 60, 60)
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
class FileControl:
    """A controller's value from a pulse on."""

    pulse: int
    number: int
    value: int


@dataclass(frozen=True)
class FileTrack:
    """One instrument's track. channel 0..15, program 0..127."""

    name: str
    channel: int
    program: int
    notes: tuple[FileNote, ...]
    controls: tuple[FileControl, ...] = ()


@dataclass(frozen=True)
class MidiScore:
    """A MIDI file as it stands. tempo: (pulse, microseconds a quarter), from pulse 0 on; markers: (pulse, text).
    signatures: (pulse, numerator, denominator).
    """

    pulses_per_quarter: int
    end: int
    tempo: tuple[tuple[int, int], ...]
    markers: tuple[tuple[int, str], ...]
    tracks: tuple[FileTrack, ...]
    signatures: tuple[tuple[int, int, int], ...] = ((0, 4, 4),)

    def seconds(self, pulse: int) -> float:
        """Seconds from the file's start at which `pulse` falls."""
        time_s = 0.0
        for (start, tempo_us), following in zip(self.tempo, [*self.tempo[1:], None], strict=True):
            stop = pulse if following is None else min(pulse, following[0])
            time_s += max(0, stop - start) * tempo_us / 1e6 / self.pulses_per_quarter
        return time_s

    def bar_lines(self) -> list[float]:
        """Seconds of every bar line, the last one included."""
        return [self.seconds(pulse) for pulse in self.bar_pulses()]

    def bar_pulses(self) -> list[int]:
        """The pulse of every bar line, the last one included; the last bar may be shorter, or longer by a beat."""
        lengths = {pulse: self.pulses_per_quarter * 4 * beats // unit for pulse, beats, unit in self.signatures}
        lines, length = [0], lengths.get(0, self.pulses_per_quarter * 4)
        while self.end - lines[-1] - length > self.pulses_per_quarter:
            lines.append(lines[-1] + length)
            length = lengths.get(lines[-1], length)
        if lines[-1] + length in lengths and lines[-1] + length < self.end:
            lines.append(lines[-1] + length)
        return [*lines, self.end]


def read_score(path: Path) -> MidiScore:
    """The notes, tempo and markers of a type 1 MIDI file. Raises OSError or ValueError where it cannot be read."""
    import mido

    try:
        file = mido.MidiFile(path, charset="utf-8")
    except (EOFError, IndexError, KeyError) as error:
        raise ValueError(f"{path} is damaged") from error
    tempo: dict[int, int] = {0: 500_000}
    markers: list[tuple[int, str]] = []
    signatures: dict[int, tuple[int, int]] = {0: (4, 4)}
    tracks: list[FileTrack] = []
    end = 0
    for track in file.tracks:
        events, length = _absolute(track)
        end = max(end, length)
        tempo.update({pulse: message.tempo for pulse, message in events if message.type == "set_tempo"})
        markers += [(pulse, message.text) for pulse, message in events if message.type == "marker"]
        signatures.update({pulse: (message.numerator, message.denominator)
                           for pulse, message in events if message.type == "time_signature"})  # fmt: skip
        if any(message.type in ("note_on", "program_change") for _, message in events):
            tracks.append(_track(track.name, events))
    return MidiScore(file.ticks_per_beat, end, tuple(sorted(tempo.items())), tuple(markers), tuple(tracks),
                     tuple((pulse, *signature) for pulse, signature in sorted(signatures.items())))  # fmt: skip


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
    controls: list[FileControl] = []
    sounding: dict[int, tuple[int, int]] = {}
    channel = program = 0
    for pulse, message in events:
        if message.type == "control_change":
            controls.append(FileControl(pulse, message.control, message.value))
        if message.type == "program_change":
            channel, program = message.channel, message.program
        if message.type in ("note_on", "note_off"):
            channel = message.channel
            if message.note in sounding:
                start, velocity = sounding.pop(message.note)
                notes.append(FileNote(start, pulse, message.note, velocity))
            if message.type == "note_on" and message.velocity > 0:
                sounding[message.note] = (pulse, message.velocity)
    notes.sort(key=lambda note: (note.start, note.pitch))
    return FileTrack(name, channel, program, tuple(notes), tuple(controls))


def bars_touched(score: MidiScore, first_s: float, last_s: float) -> tuple[int, int] | None:
    """The first and last bar (from 0) that [first_s, last_s) of the file's time reaches into; None where none is."""
    lines = score.bar_lines()
    first = max(0, bisect_right(lines, first_s + _NEAR_S) - 1)
    last = min(len(lines) - 2, bisect_right(lines, last_s - _NEAR_S) - 1)
    return (first, last) if first <= last and first_s + _NEAR_S < lines[-1] and last_s > 0 else None


@dataclass(frozen=True)
class Placing:
    """Where the host plays a score: the second of its timeline at which it begins, and its tempo there.

    quarters: None where the host takes over the score's own tempo. ppq: ticks a quarter note; base: the tick of the
    first second.
    """

    first_s: float
    quarters: QuarterNotes | None = None
    ppq: int = file_notes.PPQ
    base: int = 0

    def quarter(self, score: MidiScore, pulse: int) -> float:
        """Quarter notes from the score's first second to `pulse`."""
        if self.quarters is None:
            return pulse / score.pulses_per_quarter
        return self.quarters.at(self.first_s + score.seconds(pulse)) - self.quarters.at(self.first_s)

    def tick(self, score: MidiScore, pulse: int) -> int:
        """The tick of a take at which `pulse` falls."""
        return self.base + round(self.quarter(score, pulse) * self.ppq)

    def messages(self, score: MidiScore, track: FileTrack, first: int = 0, last: int | None = None) -> list[Message]:
        """What the notes and controllers of a track that begin in pulses [first, last) are in a take, in order."""
        last = score.end if last is None else last
        made = []
        for control in track.controls:
            if first <= control.pulse < last:
                data = bytes((file_notes.CONTROL | track.channel, control.number, control.value))
                made.append(Message(self.tick(score, control.pulse), data))
        for note in track.notes:
            if not first <= note.start < last:
                continue
            start, stop = self.tick(score, note.start), self.tick(score, note.stop)
            made.append(Message(start, bytes((file_notes.NOTE_ON | track.channel, note.pitch, note.velocity))))
            made.append(Message(max(start + 1, stop), bytes((file_notes.NOTE_OFF | track.channel, note.pitch, 0))))
        return sorted(made, key=lambda message: message.order)


def score_rows(score: MidiScore, place: Placing, take: int) -> list[tuple[Field, ...]]:
    """Everything of a score."""
    first_s, end_s = place.first_s, score.seconds(score.end)
    rows: list[tuple[Field, ...]] = [("take", take), ("range", first_s, first_s + end_s)]
    signatures = {pulse: signature for pulse, *signature in score.signatures if pulse < score.end}
    for pulse in sorted({*signatures, *(pulse for pulse, _ in score.tempo)}):
        tempo_us = [each for start, each in score.tempo if start <= pulse][-1]
        rows.append(("tempo", first_s + score.seconds(pulse), 60e6 / tempo_us, *signatures.get(pulse, (0, 0))))
    sections = [(score.seconds(pulse), text) for pulse, text in score.markers if marker_kind(text) == "section"]
    stops = [time_s for time_s, _ in sections[1:]] + [end_s]
    for pulse, text in score.markers:
        if marker_kind(text) != "section":
            time_s = first_s + score.seconds(pulse)
            rows.append(("marker", 0, time_s, time_s, text, *HIT_COLOUR))
    for (time_s, text), stop_s in zip(sections, stops, strict=True):
        rows.append(("marker", 1, first_s + time_s, first_s + stop_s, text, *SECTION_COLOUR))
    for pulse in sorted({score.end, *(pulse for pulse, _ in score.tempo)}):
        rows.append(("point", score.seconds(pulse), place.quarter(score, pulse)))
    for track in score.tracks:
        end = Message(
            place.tick(score, score.end),
            bytes((file_notes.CONTROL | track.channel, file_notes.ALL_NOTES_OFF, 0)),
        )
        buffer = file_notes.pack([*place.messages(score, track), end])
        rows.append(("track", track.name, track.channel, track.program, *of_track(track.name), buffer))
    return rows


def missed_rows(report: Path | None, first_s: float) -> list[tuple[Field, ...]]:
    """A marker to jump to for each cut that the music does not hit, and how many it does; none where it hits all."""
    try:
        cuts = plain_json(report.read_text(encoding="utf-8"))["cuts"] if report is not None else None
        missed = [first_s + float(time_s) for time_s in cuts["missed_s"]] if cuts else []
        counts = (int(cuts["hit"]), int(cuts["found"])) if cuts else (0, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return []
    rows: list[tuple[Field, ...]] = [("marker", 0, time_s, time_s, "Not hit: cut", *MISSED_COLOUR) for time_s in missed]
    if missed:
        text = f"{counts[0]} of {counts[1]} cuts are hit. The others have markers named 'Not hit: cut'."
        rows.append(("note", text))
    return rows


def suggestion_rows(report: Path | None) -> list[tuple[Field, ...]]:
    """The genre and the mood that were suggested, and why, where that was asked for."""
    try:
        found = plain_json(report.read_text(encoding="utf-8"))["suggestion"] if report is not None else None
        return [("note", f"Suggested: {found['genre']}, {found['mood']} ({'; '.join(found['why'])}).")] if found else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def duck_rows(report: Path | None, first_s: float) -> list[tuple[Field, ...]]:
    """How far the music goes down where somebody speaks: second, factor; straight lines between."""
    try:
        points = plain_json(report.read_text(encoding="utf-8"))["sound"]["duck"] if report is not None else []
        return [("duck", first_s + float(time_s), 10 ** (float(gain_db) / 20)) for time_s, gain_db in points]
    except (OSError, ValueError, KeyError, TypeError):
        return []


@dataclass(frozen=True)
class TakeNotes:
    """A take of instrument `name` whose notes are to be changed; buffer: what it holds now."""

    name: str
    place: Placing
    buffer: bytes

    @classmethod
    def of(cls, row: list[str], first_s: float, quarters: QuarterNotes | None) -> TakeNotes:
        """Of a row: notes, name, seconds by which it was moved, ticks a quarter note, first tick, buffer."""
        _, name, shift, ppq, base, buffer = row
        return cls(name, Placing(first_s + float(shift), quarters, int(ppq), int(base)), file_rows.as_bytes(buffer))


def part_row(score: MidiScore, take: TakeNotes, bars: tuple[int, int]) -> tuple[Field, ...]:
    """The take's buffer with the score's notes in bars `bars[0]`..`bars[1]`.

    Its own notes that begin in other bars, and everything else in it, stay. Raises ValueError where it is damaged.
    """
    lines = score.bar_pulses()
    start, stop = lines[min(bars[0], len(lines) - 1)], lines[min(bars[1] + 1, len(lines) - 1)]
    first, last = take.place.tick(score, start), take.place.tick(score, stop)
    new: list[Message] = []
    for track in score.tracks:
        if track.name == take.name:
            new += take.place.messages(score, track, start, stop)
    return ("notes", file_notes.pack(file_notes.replaced(file_notes.unpack(take.buffer), first, last, new)))
