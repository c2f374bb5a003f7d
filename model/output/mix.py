"""The film's own sound and the music in one: the music at the voice's level, and down where somebody speaks."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.output import loudness
from hitpoint.model.output.duck import Duck
from hitpoint.model.output.level import Delivery, applied, delivered, sixteen_bit
from hitpoint.model.video.film import Film
from hitpoint.model.video.sound.decode import SoundTrack, samples

BLOCK = 8192
LOWEST_DB = -15.0
"""The music goes down no farther than this to meet a soft voice."""
CODECS = {
    "aac": Delivery(codec=("-c:a", "aac", "-b:a", "192k"), form="adts"),
    "libopus": Delivery(codec=("-c:a", "libopus", "-b:a", "192k"), form="ogg"),
}
"""What a film's sound goes through."""


@dataclass(frozen=True)
class Voice:
    """The film's own sound. in_s, out_s: of the film (None: its end); speech: spans in seconds from in_s."""

    film: Film
    track: SoundTrack
    in_s: float = 0.0
    out_s: float | None = None
    speech: tuple[tuple[float, float], ...] = ()


class Mix:
    """A music WAV (stereo, 16 bit), with a film's own sound under it or without (None)."""

    def __init__(self, music: Path, voice: Voice | None = None, duck: Duck | None = None) -> None:
        """duck: None leaves the music alone. Raises as `hitpoint.model.output.loudness.measure`."""
        self._music, self._voice, self._duck = music, voice, duck or Duck()
        with closing(wave.open(str(music), "rb")) as file:
            self.frames, self.rate_hz = file.getnframes(), file.getframerate()
        self.music_db = self._beside_the_voice()

    def _beside_the_voice(self) -> float:
        """The gain that brings the music down to the loudness of the speech; never up, and 0 where nobody speaks."""
        if self._voice is None or not self._voice.speech:
            return 0.0
        spoken = loudness.measure(_within(self._spoken(), self._voice.speech, self.rate_hz), self.rate_hz, peak=False)
        if spoken.is_silent:
            return 0.0
        return float(np.clip(spoken.lufs - loudness.measure_file(self._music, peak=False).lufs, LOWEST_DB, 0.0))

    def _spoken(self) -> Iterator[NDArray[np.float32]]:
        assert self._voice is not None
        voice = self._voice
        return samples(voice.film, voice.track, voice.in_s, voice.out_s, self.rate_hz, 2)

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Both together, not yet levelled: as many frames as the music has."""
        for own, music in zip(self._own(), self._under(self._music), strict=True):
            yield own + music

    def _own(self) -> Iterator[NDArray[np.float32]]:
        """The film's own sound, silence where there is none."""
        return _sized(self._spoken() if self._voice is not None else (), BLOCK, self.frames)

    def _under(self, music: Path) -> Iterator[NDArray[np.float32]]:
        """The music, or one of its stems, as it lies under the voice; blocks as `_own`."""
        gain, done = 10 ** (self.music_db / 20), 0
        with closing(wave.open(str(music), "rb")) as file:
            for own in self._own():
                raw = np.frombuffer(file.readframes(len(own)), "<i2").reshape(-1, 2) / np.float32(32768)
                ducked = self._duck.at((done + np.arange(len(own))) / self.rate_hz)
                yield (raw * (gain * ducked)[:, None]).astype(np.float32)
                done += len(own)

    def write(self, path: Path, to: Delivery) -> None:
        """A WAV, 16 bit. Raises as `hitpoint.model.output.level.delivered`."""
        self._write(path, self.blocks(), delivered(self.blocks, self.frames, self.rate_hz, to))

    def write_stems(self, own: Path, stems: Mapping[Path, Path], to: Delivery) -> None:
        """The film's own sound and each stem of the music (file -> where its part of the mix goes), which sum to the
        mix. Raises as `hitpoint.model.output.level.delivered`.
        """
        gains = delivered(self.blocks, self.frames, self.rate_hz, to)
        self._write(own, self._own(), gains)
        for stem, path in stems.items():
            self._write(path, self._under(stem), gains)

    def _write(self, path: Path, blocks: Iterable[NDArray[np.float32]], gains: NDArray[np.float32]) -> None:
        with closing(wave.open(str(path), "wb")) as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(self.rate_hz)
            for block in applied(blocks, gains):
                file.writeframesraw(sixteen_bit(block).tobytes())


def _within(
    blocks: Iterable[NDArray[np.float32]], spans: Sequence[tuple[float, float]], rate_hz: int
) -> Iterator[NDArray[np.float32]]:
    """Only what lies within the spans."""
    done = 0
    for block in blocks:
        for start_s, end_s in spans:
            first, last = round(start_s * rate_hz) - done, round(end_s * rate_hz) - done
            if last > 0 and first < len(block):
                yield block[max(0, first) : last]
        done += len(block)


def _sized(blocks: Iterable[NDArray[np.float32]], size: int, frames: int) -> Iterator[NDArray[np.float32]]:
    """The same sound in blocks of `size`, `frames` in all: cut off, or with silence at its end."""
    left = frames
    for block in blocks:
        for first in range(0, min(len(block), left), size):
            piece = block[first : min(first + size, left)]
            yield piece
        left -= min(len(block), left)
    for first in range(0, left, size):
        yield np.zeros((min(size, left - first), 2), np.float32)
