"""A small library: songs in several keys, tempi and moods, written to a folder."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest

from hitpoint.model.compose.library.reading import read_library
from hitpoint.model.video.cache import FOLDER_VARIABLE

MAJOR, MINOR = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)), ((0, 3, 7), (5, 8, 12), (7, 10, 14), (0, 3, 7))


def write_chords(
    path: Path, root: int, minor: bool, bpm: float = 120.0, bars: int = 16, every: int = 4, drums: bool = True,
    seed: int = 0, pitched: bool = True,
) -> None:  # fmt: skip
    """Chords of a key, a bar each, struck every so many sixteenths, with bass and drums."""
    midi = mido.MidiFile(type=1, ticks_per_beat=480)
    midi.tracks.append(mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))]))
    parts: list[tuple[str, int, dict[int, tuple[int, ...]]]] = []
    chords = MINOR if minor else MAJOR
    rng = np.random.default_rng(seed)
    struck = {bar: [t for t in range(0, 16, every) if t == 0 or rng.random() < 0.8] for bar in range(bars)}
    at = {bar * 16 + t: bar for bar in range(bars) for t in struck[bar]}
    if pitched:
        parts.append(("Piano", 0, {t: tuple(60 + root + p for p in chords[bar % 4]) for t, bar in at.items()}))
        parts.append(("Bass", 1, {bar * 16: (36 + root + chords[bar % 4][0],) for bar in range(bars)}))
    if drums:
        parts.append(("Drums", 9, {t: (36,) if t % 8 == 0 else (42,) for t in at}))
    for name, channel, notes in parts:
        events = [(t * 120, 1, p) for t, pitches in notes.items() for p in pitches]
        events += [(t * 120 + 110 * (1 if name == "Drums" else every), 0, p) for t, ps in notes.items() for p in ps]
        track, now = mido.MidiTrack([mido.MetaMessage("track_name", name=name)]), 0
        for time, on, pitch in sorted(events):
            kind = "note_on" if on else "note_off"
            velocity = int(50 + 40 * rng.random()) if on else 0
            track.append(mido.Message(kind, note=pitch, velocity=velocity, channel=channel, time=time - now))
            now = time
        midi.tracks.append(track)
    midi.save(path)


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve songs."""
    folder = tmp_path_factory.mktemp("music")
    for number in range(12):
        every, bpm = (2, 4, 8)[number % 3], 90.0 + 10 * (number % 5)
        write_chords(folder / f"{number:02}.mid", (5 * number) % 12, bool(number % 2), bpm, 16, every, seed=number)
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Libraries are kept in a folder of the test's own."""
    place = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv(FOLDER_VARIABLE, str(place))
    return place


@pytest.fixture(scope="session")
def library(music: Path, tmp_path_factory: pytest.TempPathFactory):
    """The songs, read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, "")
        return read_library(music)
