"""Score -> sound: the built-in synthesiser, block by block, and a WAV as long as the clip."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError, MissingError
from hitpoint.model.files import atomic
from hitpoint.model.music.score import INSTRUMENTS, Score
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.output.ffmpeg import find_ffmpeg
from hitpoint.model.output.level import HOP, MOST_GAIN, Delivery, delivered, gain_at, hop_peaks, limited, sixteen_bit
from hitpoint.model.output.midi_file import (
    CHANNELS,
    PROGRAMS,
    PULSES_PER_QUARTER,
    controller_changes,
    program_changes,
    sounding_notes,
)
from hitpoint.model.output.reverb import Reverb
from hitpoint.model.take import Prepared, Take

SAMPLE_RATE = 44_100
SOUNDFONT = Path(__file__).parents[1] / "sounds" / "sf_GMbank.sf2"
"""The small one in the package: in one voice, a sketch."""
BETTER_SOUNDFONTS = (Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"), Path("/usr/share/soundfonts/FluidR3_GM.sf2"))
"""Fluid R3 (MIT, 148 MB): in stereo, loads in .3 s, where MuseScore General (SF3) takes 3 s and more."""
INSTALL_SOUNDFONT = "sudo apt install fluid-soundfont-gm"
INSTALL_SYNTH = "pip install --no-deps tinysoundfont"
"""Without its dependencies: it asks for pyaudio, which needs a compiler and PortAudio and is never used here."""

VOLUMES = (100, 100, 84, 96, 78)
"""MIDI channel volume (controller 7), 0..127, of each instrument in the order of INSTRUMENTS."""

PANS = (64, 54, 78, 64, 50)
"""MIDI pan (controller 10), 0 left .. 127 right."""

LOUDNESS = 10 ** (-18 / 20)
"""Root mean square, full scale = 1, that the sounding parts of a piece are brought to."""

CEILING = 10 ** (-1 / 20)
"""The highest peak, full scale = 1."""

FADE_S = 0.05
_BLOCK = 4096
_QUIET = 1e-4


def best_soundfont() -> Path:
    """The sound font that is taken where none is named: the system's Fluid R3, else the small one in the package."""
    return next((path for path in BETTER_SOUNDFONTS if path.is_file()), SOUNDFONT)


def soundfont_note(soundfont: Path | None) -> str:
    """A sentence where the small sound font is heard and nobody asked for it, else ""."""
    if soundfont is not None or best_soundfont() != SOUNDFONT:
        return ""
    return (
        f"the sound is that of the small sound font in the package; `{INSTALL_SOUNDFONT}` (148 MB) gives a better one"
    )


class BuiltInSynth:
    """A General MIDI synthesiser without an audio device: notes in, blocks of sound out. Not safe across threads."""

    def __init__(self, soundfont: Path | None = None, sample_rate: int = SAMPLE_RATE) -> None:
        """soundfont: an SF2 or SF3 file; None takes `best_soundfont`. sample_rate: frames a second.

        Raises MissingError without tinysoundfont or the file, InputError for a file that is not a sound font.
        """
        try:
            import tinysoundfont
        except ImportError as error:
            raise MissingError(f"the built-in synth is not installed; run `{INSTALL_SYNTH}`") from error
        path = soundfont or best_soundfont()
        if not path.is_file():
            raise MissingError(f"the sound font {path} does not exist; give another with --soundfont")
        self.sample_rate = sample_rate
        self._synth: Any = tinysoundfont.Synth(gain=-6.0, samplerate=sample_rate)
        try:
            self._synth.sfload(str(path))
        except (RuntimeError, tinysoundfont.SoundFontException) as error:
            raise InputError(f"{path} is not a readable sound font; give an SF2 or SF3 file") from error

    def program(self, channel: int, program: int, drums: bool = False) -> None:
        """Choose a General MIDI program 0..127 (a kit where `drums`) for a channel 0..15; the first one if lacking."""
        try:
            self._synth.program_change(channel, program, drums)
        except RuntimeError:
            self._synth.program_change(channel, 0, drums)

    def control(self, channel: int, controller: int, value: int) -> None:
        """A MIDI controller, 0..127, such as 7 volume, 10 pan, 64 pedal."""
        self._synth.control_change(channel, controller, value)

    def note_on(self, channel: int, pitch: int, velocity: int) -> None:
        """Strike a pitch 0..127 with a velocity 1..127."""
        self._synth.noteon(channel, pitch, velocity)

    def note_off(self, channel: int, pitch: int) -> None:
        """Release a pitch; it may ring on as its sound does."""
        self._synth.noteoff(channel, pitch)

    def all_off(self) -> None:
        """Silence at once, on every channel."""
        self._synth.sounds_off()

    def generate(self, frames: int) -> NDArray[np.float32]:
        """The next `frames` frames: (frames, 2), nominally -1..1, which loud chords may exceed."""
        return np.frombuffer(self._synth.generate(frames), dtype=np.float32).reshape(-1, 2)


def pans_of(score: Score) -> tuple[int, ...]:
    """Pan of each instrument: who alone has the chords stands in the middle, several stand apart."""
    sounding = {note.instrument for bar in score.bars for note in bar.notes}
    apart = sounding - {INSTRUMENTS.index("drums"), INSTRUMENTS.index("bass")}
    return PANS if len(apart) > 1 else tuple(64 for _ in PANS)


def set_up(synth: BuiltInSynth, genre: str, pans: Sequence[int] = PANS) -> None:
    """Give the synth the programs, volumes and pans (of each instrument) of `genre`."""
    for instrument, channel in enumerate(CHANNELS):
        synth.program(channel, PROGRAMS[genre][instrument], drums=instrument == 0)
        synth.control(channel, 7, VOLUMES[instrument])
        synth.control(channel, 10, pans[instrument])


def play(score: Score, sample_rate: int = SAMPLE_RATE, soundfont: Path | None = None) -> NDArray[np.float32]:
    """The sound of `score` as the synth gives it, dry and not evened out: (frames, 2), `score.duration_s` long, in
    memory. soundfont: None takes the package's, so that what is measured is the same on every machine.
    """
    synth = BuiltInSynth(soundfont or SOUNDFONT, sample_rate)
    set_up(synth, score.genre)
    frames = round(score.duration_s * sample_rate)
    events = _events(score, score.instruments, sample_rate)
    return np.concatenate([np.zeros((0, 2), np.float32), *_play(synth, events, frames)])


def write_wav(
    score: Score,
    path: Path,
    force: bool = False,
    soundfont: Path | None = None,
    progress: Callable[[float], None] | None = None,
    instruments: Sequence[int] | None = None,
    level_of: Sequence[int] | None = None,
    lufs: float | None = None,
) -> None:
    """Write 44.1 kHz, 16 bit, stereo, `score.duration_s` long to the frame; memory does not grow with the length.

    The piece is played twice: once to learn its level, once to write it, evened out to LOUDNESS and held below CEILING
    by a limiter that looks ahead. The last 50 ms fade out. `instruments`: only these sound (None: all).
    `level_of`: the instruments whose level is evened out (None: those that sound); stems name the whole mix here.
    `lufs`: brought to this integrated loudness instead, its true peak below -1 dBTP; MissingError without ffmpeg then.
    """
    frames = round(score.duration_s * SAMPLE_RATE)
    sounding = score.instruments if instruments is None else instruments
    events = _events(score, sounding)
    measured = events if level_of is None else _events(score, level_of)
    say = progress or (lambda share: None)
    with atomic(path, force) as part:

        def played(which: Sequence[_Event]) -> Iterator[NDArray[np.float32]]:
            synth = BuiltInSynth(soundfont)
            set_up(synth, score.genre, pans_of(score))
            return Reverb(SAMPLE_RATE).through(_play(synth, which, frames))

        if lufs is None:
            gains = _gains(played(measured), frames, lambda share: say(share / 2))
        else:
            gains = delivered(lambda: played(measured), frames, SAMPLE_RATE, Delivery(lufs))
        with closing(wave.open(str(part), "wb")) as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            done = 0
            for block in played(events):
                level = gain_at(gains, done, len(block)) * _fade(frames, done, len(block))
                file.writeframesraw(sixteen_bit(block * level[:, None]).tobytes())
                done += len(block)
                say(0.5 + done / frames / 2)
    say(1.0)


class _Event(NamedTuple):
    """Something the synth is told at a frame; of one frame ends come first, then programs, controllers and notes."""

    frame: int
    kind: int
    value: int
    channel: int
    key: int


_OFF, _PROGRAM, _CONTROL, _ON = range(4)


def _events(score: Score, instruments: Sequence[int], sample_rate: int = SAMPLE_RATE) -> list[_Event]:
    """Every note's begin and end and every controller, in time order."""

    def frame(pulse: int) -> int:
        return round(score.tempo_map.time_at_beat(pulse / PULSES_PER_QUARTER) * sample_rate)

    events = []
    for instrument in instruments:
        channel = CHANNELS[instrument]
        for pulse, program in program_changes(score, instrument):
            events.append(_Event(frame(pulse), _PROGRAM, program, channel, instrument))
        for pulse, number, value in controller_changes(score, instrument):
            events.append(_Event(frame(pulse), _CONTROL, value, channel, number))
        for start, stop, pitch, velocity in sounding_notes(score, instrument):
            events.append(_Event(frame(start), _ON, velocity, channel, pitch))
            events.append(_Event(frame(stop), _OFF, 0, channel, pitch))
    return sorted(events)


def _play(synth: BuiltInSynth, events: Sequence[_Event], frames: int) -> Iterator[NDArray[np.float32]]:
    """Blocks of sound, `frames` frames in all, each event at its own frame."""
    done = 0
    position = 0
    while done < frames:
        while position < len(events) and events[position].frame <= done:
            _, kind, value, channel, key = events[position]
            if kind == _ON:
                synth.note_on(channel, key, value)
            elif kind == _OFF:
                synth.note_off(channel, key)
            elif kind == _PROGRAM:
                synth.program(channel, value, drums=key == 0)
            else:
                synth.control(channel, key, value)
            position += 1
        until = min(frames, events[position].frame) if position < len(events) else frames
        count = min(until - done, _BLOCK)
        yield synth.generate(count)
        done += count


def _gains(
    blocks: Iterator[NDArray[np.float32]], frames: int, progress: Callable[[float], None]
) -> NDArray[np.float32]:
    """One gain per hop: what brings the sounding parts to LOUDNESS, held below CEILING by the limiter."""
    peaks = np.zeros(frames // HOP + 1, dtype=np.float32)
    energy, loud_frames, done = 0.0, 0, 0
    for block in blocks:
        hop_peaks(peaks, done, block)
        loud = np.abs(block).max(axis=1) > _QUIET
        energy += float(np.square(block[loud], dtype=np.float64).mean(axis=1).sum())
        loud_frames += int(loud.sum())
        done += len(block)
        progress(done / frames)
    loudness = np.sqrt(energy / loud_frames) if loud_frames else LOUDNESS
    return limited(peaks, min(LOUDNESS / loudness, MOST_GAIN), CEILING)


def _fade(frames: int, start: int, count: int) -> NDArray[np.float64]:
    """(count,) factors that fall in a straight line to 0 over the last 50 ms of `frames`."""
    length = min(FADE_S * SAMPLE_RATE, frames / 4)
    return np.clip((frames - 1 - start - np.arange(count)) / length, 0.0, 1.0)


class WavOutput(Output):
    """The sound of the built-in synth."""

    key = "wav"
    suffix = ".wav"

    def check(self, path: Path, instruments: Sequence[int], writing: Writing) -> None:
        """Also MissingError where the synth or its sound font is lacking."""
        super().check(path, instruments, writing)
        BuiltInSynth(writing.soundfont)
        if writing.lufs is not None:
            find_ffmpeg()

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """As `write_wav`."""
        say = partial(writing.progress, self.key)
        write_wav(take.score, path, writing.force, writing.soundfont, say, lufs=writing.lufs)
