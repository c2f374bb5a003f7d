"""A MIDI file as sound: ours as it is written everywhere, any other as it stands, by the same synth."""

from __future__ import annotations

import wave
from contextlib import closing
from pathlib import Path

import mido
import numpy as np

from hitpoint.model.cut.music import Music
from hitpoint.model.errors import InputError
from hitpoint.model.output.level import sixteen_bit
from hitpoint.model.output.midi_reading import read_midi
from hitpoint.model.output.render import CEILING, SAMPLE_RATE, BuiltInSynth, write_wav

_DRUMS = 9


def play_midi(music: Music, wav: Path, soundfont: Path | None = None) -> None:
    """Write the sound of a MIDI file, as long as the music. Raises MissingError without the synth or its sound font."""
    try:
        score = read_midi(music.path)
    except InputError:  # somebody else's
        _play_others(music, wav, soundfont)
    else:
        write_wav(score, wav, soundfont=soundfont)


def _play_others(music: Music, wav: Path, soundfont: Path | None) -> None:
    """Every channel with the program that the file gives it; the loudest peak at CEILING."""
    synth = BuiltInSynth(soundfont)
    for channel in range(16):
        synth.program(channel, 0, drums=channel == _DRUMS)
    whole = round(music.duration_s * SAMPLE_RATE)
    sound = np.zeros((whole, 2), np.float32)
    at_s, done = 0.0, 0
    for message in mido.MidiFile(music.path, clip=True):
        at_s += message.time
        until = min(whole, round(at_s * SAMPLE_RATE))
        if until > done:
            sound[done:until] = synth.generate(until - done)
            done = until
        if message.type == "program_change":
            synth.program(message.channel, message.program, drums=message.channel == _DRUMS)
        elif message.type == "control_change":
            synth.control(message.channel, message.control, message.value)
        elif message.type == "note_on" and message.velocity:
            synth.note_on(message.channel, message.note, message.velocity)
        elif message.type in ("note_on", "note_off"):
            synth.note_off(message.channel, message.note)
    if done < whole:
        sound[done:] = synth.generate(whole - done)
    sound *= CEILING / max(float(np.abs(sound).max()), 1e-6)
    with closing(wave.open(str(wav), "wb")) as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframesraw(sixteen_bit(sound).tobytes())
