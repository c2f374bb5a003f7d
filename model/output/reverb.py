"""A light room around the synth, which has none of its own: linear, so that stems still sum to the mix.

The room is noise that dies away, other noise on either side (Moorer 1979), convolved block by block. pedalboard would
do as well, but is under the GPL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]

DECAY_S, PREDELAY_S = 1.1, 0.018
"""Until it has fallen by 60 dB; until it begins."""
WET_DB = -17.0
"""Power of the room beside that of the direct sound, for noise."""
HIGH_HZ, LOW_HZ = 5000.0, 150.0
"""Above and below the room says little: no hiss, no boom."""
SIZE = 80_000
"""Frames convolved at once: with the room they fill a power of two."""


@lru_cache(maxsize=4)
def room(rate_hz: int) -> Block:
    """(frames, 2): the answer of the room to a click."""
    frames = round((PREDELAY_S + DECAY_S) * rate_hz)
    dice = np.random.default_rng(1979)
    at_s = np.arange(frames) / rate_hz - PREDELAY_S
    noise = dice.standard_normal((frames, 2)) * (10 ** (-3 * np.maximum(at_s, 0) / DECAY_S) * (at_s >= 0))[:, None]
    hertz = np.fft.rfftfreq(frames, 1 / rate_hz)
    band = 1 / np.sqrt((1 + (hertz / HIGH_HZ) ** 4) * (1 + (LOW_HZ / np.maximum(hertz, 1.0)) ** 4))
    shaped = np.fft.irfft(np.fft.rfft(noise, axis=0) * band[:, None], frames, axis=0)
    return np.asarray(shaped * 10 ** (WET_DB / 20) / np.sqrt(np.square(shaped).sum(axis=0).mean()), np.float32)


class Reverb:
    """Adds the room to blocks of sound. One for one sound: what has sounded dies away into what follows."""

    def __init__(self, rate_hz: int) -> None:
        """rate_hz: frames a second."""
        answer = room(rate_hz)
        self._length = len(answer) - 1
        self._points = 1 << int(np.ceil(np.log2(SIZE + self._length)))
        self._answer = np.fft.rfft(answer.T, self._points)
        self._tail = np.zeros((2, self._length))

    def through(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The same frames with the room, in blocks of SIZE and a last one that is shorter."""
        kept: list[Block] = []
        count = 0
        for block in blocks:
            kept.append(block)
            count += len(block)
            while count >= SIZE:
                joined = np.concatenate(kept)
                yield self._wet(joined[:SIZE])
                kept, count = [joined[SIZE:]], count - SIZE
        if count:
            yield self._wet(np.concatenate(kept))

    def _wet(self, block: Block) -> Block:
        turned = np.ascontiguousarray(block.T, np.float64)
        spread = np.fft.irfft(np.fft.rfft(turned, self._points) * self._answer, self._points)
        spread = spread[:, : len(block) + self._length]
        spread[:, : self._length] += self._tail
        self._tail = spread[:, len(block) :].copy()
        return np.asarray(block + spread[:, : len(block)].T, np.float32)
