"""Beats, bars and sections of a MIDI file: its tempo, its metre, its markers, and novelty where it has none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np
from numpy.typing import NDArray

from hitpoint.model.cut.music import Music, Section
from hitpoint.model.errors import InputError
from hitpoint.model.music.midi_tempo import tempo_map_of
from hitpoint.model.music.novelty import bar_vectors, segments
from hitpoint.model.music.score import BEATS_PER_BAR, marker_kind, section_label
from hitpoint.model.video.types import letter

MAX_BYTES = 100_000_000
MAX_BARS = 20_000
_DRUMS = 9
_SLOTS = 16
_OURS = "hitpoint "
_CLOSE_S = 0.5


Seconds = Callable[[float], float]


class _Struck(NamedTuple):
    """A note: pulses from the start."""

    pulse: int
    end: int
    pitch: int
    channel: int


class _Bars(NamedTuple):
    """Where the bars (n,) begin and where all beats fall, in pulses; beats_in_bar: of the first metre."""

    starts: NDArray[np.float64]
    beats: NDArray[np.float64]
    beats_in_bar: int


def read_midi_music(path: Path) -> Music:
    """The music in a MIDI file: ours with its own sections; any other with those that its markers name, else with those
    that its notes show. Raises InputError for a file that is damaged or holds no notes."""
    file = _opened(path)
    events = sorted(
        ((pulse, message) for track in file.tracks for pulse, message in _absolute(track)), key=lambda e: e[0]
    )
    struck = sorted(note for track in file.tracks for note in _struck(_absolute(track)))
    if not struck:
        raise InputError(f"{path.name} holds no notes; give music that sounds")
    tempo = tempo_map_of(file)
    is_ours = any(message.type == "text" and message.text.startswith(_OURS) for _, message in events)
    end = events[-1][0] if is_ours else max(note.end for note in struck)
    bars = _bars(events, end, file.ticks_per_beat, path)

    def seconds(pulses: float) -> float:
        return tempo.time_at_beat(pulses / file.ticks_per_beat)

    sections, note = _sections(events, struck, bars, seconds, end)
    onsets = sorted({(seconds(each.pulse), each.channel) for each in struck})
    return Music(
        path,
        seconds(end),
        np.array([seconds(pulse) for pulse in bars.beats]),
        np.array([onset_s for onset_s, _ in onsets]),
        sections,
        bars.beats_in_bar,
        is_midi=True,
        notes=(note,) if note else (),
    )


def _opened(path: Path) -> mido.MidiFile:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path.name} is larger than {MAX_BYTES // 1_000_000} MB; give a shorter piece")
        file = mido.MidiFile(path, clip=True, charset="utf-8")
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise InputError(
            f"{path.name} is not a readable MIDI file ({str(error) or 'it breaks off'}); export it again"
        ) from None
    if file.type == 2 or file.ticks_per_beat <= 0:
        raise InputError(f"{path.name} is a MIDI file whose tracks share no beat; export it as type 0 or 1")
    return file


def _absolute(track: mido.MidiTrack) -> list[tuple[int, mido.Message]]:
    now, messages = 0, []
    for message in track:
        now += message.time
        messages.append((now, message))
    return messages


def _struck(messages: Sequence[tuple[int, mido.Message]]) -> list[_Struck]:
    sounding: dict[tuple[int, int], int] = {}
    found = []
    for pulse, message in messages:
        if message.type not in ("note_on", "note_off"):
            continue
        key = (message.channel, message.note)
        if key in sounding:
            found.append(_Struck(sounding.pop(key), pulse, message.note, message.channel))
        if message.type == "note_on" and message.velocity:
            sounding[key] = pulse
    return found


def _bars(events: Sequence[tuple[int, mido.Message]], end: int, quarter: int, path: Path) -> _Bars:
    """Bars and beats by the file's metres, 4/4 where it states none. In 6/8 and its kin a beat is three eighths."""
    metres = {0: (BEATS_PER_BAR, 4)}
    metres |= {pulse: (m.numerator, m.denominator) for pulse, m in events if m.type == "time_signature"}
    starts: list[float] = []
    beats: list[float] = []
    changes = sorted(metres)
    for at, until in zip(changes, [*changes[1:], end], strict=True):
        upper, lower = metres[at]
        bar = 4 * quarter * upper / lower
        beat = 4 * quarter / lower if lower <= 4 else quarter * (1.5 if lower == 8 and upper % 3 == 0 else 1)
        if (min(until, end) - at) / bar > MAX_BARS:
            raise InputError(f"{path.name} has over {MAX_BARS} bars; give a shorter piece")
        for start in np.arange(at, min(until, end), bar):
            starts.append(float(start))
            beats += np.arange(start, min(start + bar, until, end) - 1e-6, beat).tolist()
    upper, lower = metres[changes[0]]
    in_bar = upper // 3 if lower == 8 and upper % 3 == 0 else upper
    return _Bars(np.array(starts), np.array(beats), max(1, in_bar))


def _sections(
    events: Sequence[tuple[int, mido.Message]], struck: Sequence[_Struck], bars: _Bars, seconds: Seconds, end: int
) -> tuple[tuple[Section, ...], str]:
    """The sections, and a sentence where the file itself does not say them."""
    texts = [(pulse, message.text.strip()) for pulse, message in events if message.type == "marker" and pulse < end]
    own = [(pulse, section_label(text)) for pulse, text in texts if marker_kind(text) == "section"]
    named = own or [(pulse, text) for pulse, text in texts if text and not marker_kind(text)]
    if named:
        firsts = dict(sorted(named, reverse=True))  # of two on one pulse the first stays
        marked = [(seconds(pulse), firsts[pulse]) for pulse in sorted(firsts)]
        if marked[0][0] > _CLOSE_S:
            marked.insert(0, (0.0, ""))
        return tuple(Section(start_s if n else 0.0, text) for n, (start_s, text) in enumerate(marked)), ""
    turned = segments(_vectors(struck, bars.starts, end))
    found = tuple(Section(seconds(bars.starts[first]) if first else 0.0, letter(kind)) for first, kind in turned)
    how = f"the {len(found)} are" if len(found) > 1 else "it is taken as one, for its bars are alike; they would be"
    return found, f"the MIDI file names no sections: {how} where its bars change"


def _vectors(struck: Sequence[_Struck], starts: NDArray[np.float64], end: float) -> NDArray[np.float64]:
    """One row a bar, whatever the metre."""
    edges = np.append(starts, end)
    pulses, _, pitches, channels = np.array(struck, np.int64).T
    bar = np.minimum(np.searchsorted(edges, pulses + 1e-6) - 1, len(starts) - 1)
    slot = np.floor(_SLOTS * (pulses - edges[bar]) / np.maximum(edges[bar + 1] - edges[bar], 1.0)).astype(np.int64)
    slot = np.clip(slot, 0, _SLOTS - 1)
    return bar_vectors(len(starts), bar, slot, pitches, channels, 16, channels != _DRUMS)
