"""Small pieces of music whose beats and turns are known: MIDI files, and drums played by the built-in synth."""

from __future__ import annotations

import wave
from pathlib import Path

import mido
import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import Bar, Marker, Note, Score, TempoMap, TempoPoint
from hitpoint.model.output.midi_file import write_midi
from hitpoint.model.output.render import SAMPLE_RATE, SOUNDFONT, BuiltInSynth

CALM, BUSY = (0, 8), tuple(range(0, 16, 2))


def our_song(path: Path, sections: str = "AABBAA", bars: int = 2, bpm: float = 117.0, markers: bool = True) -> Score:
    """A MIDI file of ours: `bars` bars a letter; A is calm, B busy; equal letters in a row are one section."""
    tempo = TempoMap((TempoPoint(0.0, 0.0, bpm),))
    played = [_bar(n, sections[n // bars]) for n in range(bars * len(sections))]
    turns = [n for n in range(len(sections)) if n == 0 or sections[n] != sections[n - 1]]
    marked = [Marker.section(tempo.time_at_tick(n * bars), sections[n]) for n in turns] if markers else []
    marked.append(Marker.hit(tempo.time_at_tick(1), "cut"))
    score = Score(tuple(played), tempo, "pop", (0, 1, 3), 0, tuple(sorted(marked, key=lambda m: m.time_s)))
    write_midi(score, path, force=True)
    return score


def _bar(index: int, label: str) -> Bar:
    ticks, root = (CALM, 48) if label == "A" else (BUSY, 53)
    notes = [Note(tick, 0, 36 if tick % 8 == 0 else 42, 1, 90) for tick in ticks]
    notes += [Note(tick, 1, root + step, 2, 70) for tick in ticks for step in (12, 16, 19)]
    notes += [Note(0, 3, root - 12, 8, 80)] * (label != "A")
    return Bar(index, tuple(sorted(notes)))


def others_song(path: Path, numerator: int = 3, denominator: int = 4, bars: int = 24, markers: str = "") -> None:
    """Somebody else's MIDI file of type 0: its first half calm, its second busy, 96 quarters a minute.

    markers: names of markers, spread evenly.
    """
    events: list[tuple[int, mido.Message]] = []
    bar = 4 * 96 * numerator // denominator
    for number in range(bars):
        busy = number >= bars // 2
        for step in range(0, bar, 24 if busy else 96):
            for pitch in (65, 69, 72) if busy else (60, 64, 67):
                on = mido.Message("note_on", note=pitch, velocity=80, channel=3)
                events += [(number * bar + step, on), (number * bar + step + 20, on.copy(velocity=0))]
    names = [name for name in markers.split(",") if name]
    for place, name in enumerate(names):
        events.append((place * bars // len(names) * bar, mido.MetaMessage("marker", text=name)))
    events.append((0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(96))))
    events.append((0, mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)))
    track, now = mido.MidiTrack(), 0
    for at, message in sorted(events, key=lambda event: (event[0], event[1].type == "note_on")):
        track.append(message.copy(time=at - now))
        now = at
    track.append(mido.MetaMessage("end_of_track", time=100_000))  # as a studio's project goes on long after the music
    midi = mido.MidiFile(type=0, ticks_per_beat=96)
    midi.tracks.append(track)
    midi.save(path)


def drums(
    path: Path, bpm: float = 117.3, seconds: float = 20.0, start_s: float = 0.2, turn: int = 32
) -> NDArray[np.float64]:
    """A WAV of a drum kit and a chord a bar, which is another one after every `turn` beats; its beats, in seconds."""
    synth = BuiltInSynth(SOUNDFONT)
    synth.program(9, 0, drums=True)
    synth.program(0, 0)
    beats_s = np.arange(start_s, seconds - 0.3, 60 / bpm)
    struck: list[tuple[float, int, int, int]] = []
    for number, beat_s in enumerate(beats_s.tolist()):
        struck += [(beat_s, 9, 38 if number % 2 else 36, 110), (beat_s, 9, 42, 80), (beat_s + 30 / bpm, 9, 42, 60)]
        if number % 4 == 0:
            struck += [(beat_s, 0, pitch + 5 * (number // turn % 2), 70) for pitch in (48, 60, 64, 67)]
    blocks, done = [], 0
    for at_s, channel, key, velocity in sorted(struck):
        blocks.append(synth.generate(round(at_s * SAMPLE_RATE) - done))
        done = round(at_s * SAMPLE_RATE)
        synth.note_on(channel, key, velocity)
    blocks.append(synth.generate(round(seconds * SAMPLE_RATE) - done))
    sound = np.concatenate(blocks)
    write_sound(path, sound / np.abs(sound).max() * 0.7)
    return beats_s


def write_sound(path: Path, sound: NDArray[np.floating]) -> Path:
    """A WAV of samples (n, 2) or (n,)."""
    stereo = np.repeat(sound[:, None], 2, axis=1) if sound.ndim == 1 else sound
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(stereo, -1, 1) * 32767).astype("<i2").tobytes())
    return path
