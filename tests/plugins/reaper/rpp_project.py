"""A `.rpp` as PyPI's `rpp` reads it, turned into seconds: nothing of our own writes or reads the format here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mido
import pytest


@dataclass
class Take:
    name: str
    notes: list[tuple[float, float, int, int, int]]
    """(start_s, end_s, channel, pitch, velocity), sorted."""
    programs: list[tuple[int, int]]
    rate: float = 1.0


@dataclass
class Item:
    first_s: float
    length_s: float
    takes: list[Take] = field(default_factory=list)
    active: int = 0


@dataclass
class Track:
    name: str
    color: int
    bus: tuple[int, int]
    items: list[Item]


class RppProject:
    """tempo: (second, bpm) rising; markers: (second, name); regions: (first, last, name)."""

    def __init__(self, text: str) -> None:
        rpp = pytest.importorskip("rpp")
        root = rpp.loads(text)
        self.tempo = [(0.0, float(root.find("TEMPO")[1]))]
        envelope = root.find("TEMPOENVEX")
        for point in envelope.findall("PT") if envelope is not None else []:
            time_s, bpm = float(point[1]), float(point[2])
            self.tempo = [p for p in self.tempo if p[0] != time_s] + [(time_s, bpm)]
        self.markers: list[tuple[float, str]] = []
        self.regions: list[tuple[float, float, str]] = []
        opened: dict[str, tuple[float, str]] = {}
        for row in root.findall("MARKER"):
            if row[4] == "0":
                self.markers.append((float(row[2]), row[3]))
            elif row[1] in opened:
                first_s, name = opened.pop(row[1])
                self.regions.append((first_s, float(row[2]), name))
            else:
                opened[row[1]] = (float(row[2]), row[3])
        self.tracks = [self._track(element) for element in root.findall("TRACK")]

    def track(self, name: str) -> Track:
        return next(track for track in self.tracks if track.name == name)

    def beat_at(self, time_s: float) -> float:
        beat = 0.0
        for (start, bpm), following in zip(self.tempo, [*self.tempo[1:], (float("inf"), 0.0)], strict=True):
            beat += max(0.0, min(time_s, following[0]) - start) * bpm / 60
        return beat

    def time_at(self, beat: float) -> float:
        reached = 0.0
        for (start, bpm), following in zip(self.tempo, [*self.tempo[1:], (float("inf"), 0.0)], strict=True):
            length = (following[0] - start) * bpm / 60
            if beat <= reached + length:
                return start + (beat - reached) * 60 / bpm
            reached += length
        raise AssertionError("no such beat")

    def _track(self, element: Any) -> Track:
        items = [self._item(item) for item in element.findall("ITEM")]
        bus = element.find("ISBUS")
        color = element.find("PEAKCOL")
        return Track(element.find("NAME")[1], int(color[1]) if color else 0, (int(bus[1]), int(bus[2])), items)

    def _item(self, element: Any) -> Item:
        item = Item(float(element.find("POSITION")[1]), float(element.find("LENGTH")[1]))
        name, rate, offset_s = "", 1.0, 0.0
        for row in element:
            if isinstance(row, list) and row[0] == "NAME":
                name = row[1]
            elif isinstance(row, list) and row[0] == "SOFFS":
                offset_s = float(row[1])
            elif isinstance(row, list) and row[0] == "PLAYRATE":
                rate = float(row[1])
            elif row == "TAKE" or (isinstance(row, list) and row[0] == "TAKE"):
                item.active = len(item.takes) if "SEL" in row else item.active
            elif not isinstance(row, (list, str)) and row.tag == "SOURCE":
                item.takes.append(self._take(name, row, item.first_s - offset_s))
                item.takes[-1].rate = rate
        return item

    def _take(self, name: str, source: Any, first_s: float) -> Take:
        if source.attrib[0] != "MIDI":
            return Take(name, [], [])
        ppq = int(source.find("HASDATA")[2])
        origin = self.beat_at(first_s)
        now = 0
        notes, programs = [], []
        sounding: dict[tuple[int, int], tuple[float, int]] = {}
        for row in source.findall("E"):
            now += int(row[1])
            status, first, second = (int(value, 16) for value in row[2:5])
            time_s = self.time_at(origin + now / ppq)
            key = (status & 15, first)
            if status & 0xF0 == 0x90:
                sounding[key] = (time_s, second)
            elif status & 0xF0 == 0x80:
                start_s, velocity = sounding.pop(key)
                notes.append((start_s, time_s, *key, velocity))
            elif status & 0xF0 == 0xC0:
                programs.append((status & 15, first))
        assert not sounding, "a note without an end"
        return Take(name, sorted(notes), programs)


def midi_notes(path: Path, first_s: float) -> dict[str, list[tuple[float, float, int, int, int]]]:
    """Track name -> (start_s, end_s, channel, pitch, velocity), the file's first second at `first_s`."""
    file = mido.MidiFile(path)
    tempo = []
    now = 0
    for message in file.tracks[0]:
        now += message.time
        if message.type == "set_tempo":
            tempo.append((now, message.tempo))

    def seconds(pulse: int) -> float:
        total = 0.0
        for (start, micros), following in zip(tempo, [*tempo[1:], (1 << 40, 0)], strict=True):
            total += max(0, min(pulse, following[0]) - start) * micros / 1e6 / file.ticks_per_beat
        return first_s + total

    found = {}
    for track in file.tracks[1:]:
        now, notes, sounding = 0, [], {}
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                sounding[message.note] = (now, message.velocity)
            elif message.type in ("note_on", "note_off"):
                start, velocity = sounding.pop(message.note)
                notes.append((seconds(start), seconds(now), message.channel, message.note, velocity))
        found[track.name] = sorted(notes)
    return found


def largest_error_s(found: list[tuple[float, ...]], wanted: list[tuple[float, ...]]) -> float:
    """The largest difference of an onset or an end between equal notes; AssertionError where they are not the same."""
    key = lambda note: (note[2:4], round(note[0], 2), note[0])  # noqa: E731
    found, wanted = sorted(found, key=key), sorted(wanted, key=key)
    assert [note[2:] for note in found] == [note[2:] for note in wanted]
    errors = [abs(a[i] - b[i]) for a, b in zip(found, wanted, strict=True) for i in (0, 1)]
    return max(errors, default=0.0)
