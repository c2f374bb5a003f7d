"""The built-in synth as a sink: what sounds where there is no MIDI system at all.

Threads and processes: SynthSink belongs to the clock process and only hands messages on; the synth itself runs in a
process of its own (numpy, an audio thread), which falls silent and exits when its channel closes.
"""

from __future__ import annotations

import importlib
import multiprocessing
import signal
import socket
import threading
import time
import wave
from collections import deque
from typing import Any

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import HitpointError, MissingError
from hitpoint.bridge.ipc.channel import Channel, ChannelClosed
from hitpoint.bridge.midi.base import Sink

START_S = 10.0
WAIT_S = 0.2
BLOCK_FRAMES = 256
DRUM_CHANNEL = 9
INSTALL = "start JACK, PipeWire or ALSA for MIDI, or run `pip install sounddevice` on a machine with a loudspeaker"


class SynthSink(Sink):
    """Plays MIDI messages through the loudspeaker, or into the WAV file `path` in real time.

    Raises MissingError where the synth or a sound device is lacking.
    """

    name, api = "built-in synth", "synth"

    @classmethod
    def open(cls, config: Config, argument: str) -> SynthSink:
        """argument: the WAV file to play into, empty for the setting's, or the loudspeaker."""
        return cls(argument or config.synth_file)

    def __init__(self, path: str = "") -> None:
        self._channel, theirs = Channel.pair()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=run_synth, args=(theirs, path), name="hitpoint-synth")
        self._process.start()
        theirs.close()
        problem = self._hear_problem()
        if problem:
            self.close()
            raise MissingError(f"no MIDI system answers and the built-in synth cannot play ({problem}): {INSTALL}")

    def _hear_problem(self) -> str:
        """What the synth says is wrong; empty once it plays."""
        until_s = time.monotonic() + START_S
        while time.monotonic() < until_s:
            self._channel.wait(WAIT_S)
            try:
                messages = self._channel.receive()
            except ChannelClosed:
                return "it ended at once"
            if messages:
                return str(messages[0])
        return "it does not answer"

    def send(self, message: bytes) -> None:
        """Hand one MIDI message on; a synth that died is a silent one."""
        try:
            self._channel.send(message)
        except ChannelClosed:
            return

    def close(self) -> None:
        """Stop the synth."""
        self._channel.close()
        self._process.join(2.0)
        if self._process.is_alive():
            self._process.kill()


def run_synth(sock: socket.socket, path: str) -> None:
    """The synth process's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = Channel(sock)
    waiting: deque[bytes] = deque(maxlen=4096)
    try:
        from hitpoint.model.output.render import BuiltInSynth

        synth = BuiltInSynth()
        playing = _Playing(synth, waiting)
        sound = _WavFile(path, playing, synth.sample_rate) if path else _loudspeaker(playing, synth.sample_rate)
    except (HitpointError, OSError, ImportError) as error:
        channel.send(str(error))
        return
    channel.send("")
    try:
        while True:
            channel.wait(WAIT_S)
            waiting.extend(message for message in channel.receive() if isinstance(message, bytes))
    except ChannelClosed:
        sound.stop()


class _Playing:
    """Turns messages into blocks of sound; called from the audio thread."""

    def __init__(self, synth: Any, waiting: deque[bytes]) -> None:
        self._synth, self._waiting = synth, waiting

    def block(self, frames: int) -> Any:
        """The next `frames` frames: (frames, 2) float32."""
        while self._waiting:
            self._obey(self._waiting.popleft())
        return self._synth.generate(frames)

    def _obey(self, message: bytes) -> None:
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind == 0x90 and message[2]:
            self._synth.note_on(channel, message[1], message[2])
        elif kind in (0x80, 0x90):
            self._synth.note_off(channel, message[1])
        elif kind == 0xB0:
            self._synth.control(channel, message[1], message[2])
        elif kind == 0xC0:
            self._synth.program(channel, message[1], channel == DRUM_CHANNEL)


def _loudspeaker(playing: _Playing, sample_rate: int) -> Any:
    try:
        sounddevice = importlib.import_module("sounddevice")
    except (ImportError, OSError) as error:
        raise MissingError(f"no sound library: {error}") from error

    def fill(out: Any, frames: int, at: object, status: object) -> None:
        out[:] = playing.block(frames)

    try:
        stream = sounddevice.OutputStream(
            sample_rate, BLOCK_FRAMES, channels=2, dtype="float32", latency="low", callback=fill
        )
        stream.start()
    except sounddevice.PortAudioError as error:
        raise MissingError(f"no sound device: {error}") from error
    return stream


class _WavFile:
    """Writes the sound to a file as fast as it would be heard; for tests, and for machines without a loudspeaker."""

    def __init__(self, path: str, playing: _Playing, sample_rate: int) -> None:
        self._file = wave.open(path, "wb")  # noqa: SIM115  (closed by stop)
        self._file.setparams((2, 2, sample_rate, 0, "NONE", ""))
        self._playing, self._rate = playing, sample_rate
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, name="wav", daemon=True)
        self._thread.start()

    def _write(self) -> None:
        next_s = time.monotonic()
        while not self._ended.is_set():
            samples = (self._playing.block(BLOCK_FRAMES).clip(-1.0, 1.0) * 32767).astype("<i2")
            self._file.writeframesraw(samples.tobytes())
            next_s += BLOCK_FRAMES / self._rate
            time.sleep(max(0.0, next_s - time.monotonic()))

    def stop(self) -> None:
        """Finish the file."""
        self._ended.set()
        self._thread.join(1.0)
        self._file.close()
