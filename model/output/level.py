"""Sound brought to a loudness and held below a peak: one gain per hop, by a limiter that looks ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.output import loudness
from hitpoint.model.output.loudness import MOST_DBTP, Loudness

Blocks = Callable[[], Iterable[NDArray[np.float32]]]
"""Begins the sound anew: (frames, 2) blocks, full scale = 1."""

HOP = 128
_HALF_WINDOW = 8
NEAR_LU = 0.2
TRIES = 6
MOST_GAIN = 100.0
_MARGIN_DB = 0.1


def hop_peaks(peaks: NDArray[np.float32], done: int, block: NDArray[np.float32]) -> None:
    """Note a block, which begins at frame `done`, in the peaks (hops,) of the whole."""
    level = np.abs(block).max(axis=1)
    np.maximum.at(peaks, (done + np.arange(len(block))) // HOP, level)


def limited(peaks: NDArray[np.float32], make_up: float, ceiling: float) -> NDArray[np.float32]:
    """One gain per hop: the make-up gain, lowered around each peak that it would lift over the ceiling.

    Each hop's gain is the mean over a window of the minimum over a window wider by a hop on either side, so that no
    gain, nor any line between two neighbours, exceeds what a hop allows.
    """
    allowed = np.minimum(make_up, ceiling / np.maximum(peaks, 1e-9)).astype(np.float32)
    reach = _HALF_WINDOW + 1
    padded = np.pad(allowed, reach + _HALF_WINDOW, mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(axis=1)
    window = 2 * _HALF_WINDOW + 1
    mean = np.lib.stride_tricks.sliding_window_view(lowest, window).mean(axis=1)
    return np.asarray(mean, dtype=np.float32)


def gain_at(gains: NDArray[np.float32], start: int, count: int) -> NDArray[np.float64]:
    """(count,) gains for the frames from `start` on, along lines between the centres of the hops."""
    position = (start + np.arange(count) + 0.5) / HOP - 0.5
    first = max(0, start // HOP - 1)
    nearby = gains[first : (start + count) // HOP + 2]
    return np.interp(position, first + np.arange(len(nearby)), nearby)


def applied(blocks: Iterable[NDArray[np.float32]], gains: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """The blocks with the gains."""
    done = 0
    for block in blocks:
        yield (block * gain_at(gains, done, len(block))[:, None]).astype(np.float32)
        done += len(block)


@dataclass(frozen=True)
class Delivery:
    """What the sound is brought to. lufs: integrated loudness, None: as it is. codec, form: ffmpeg's options for the
    codec it goes through and a container for that, for the peak is measured behind it; empty: none.
    """

    lufs: float | None = None
    codec: tuple[str, ...] = ()
    form: str = ""


def delivered(make: Blocks, frames: int, rate_hz: int, to: Delivery) -> NDArray[np.float32]:
    """The gains (hops,) that bring the sound to its loudness, with no true peak over MOST_DBTP.

    Measured by ffmpeg and set again until it is met: a limiter costs loudness, and a codec overshoots. Silence stays.
    Raises as `hitpoint.model.output.loudness.measure`.
    """
    peaks = np.zeros(frames // HOP + 1, np.float32)
    make_up, ceiling = 1.0, 10 ** (MOST_DBTP / 20)
    if to.lufs is None:
        for _ in _noting(make(), peaks):
            pass
    else:
        first = loudness.measure(_noting(make(), peaks), rate_hz, peak=False)
        make_up = 1.0 if first.is_silent else min(MOST_GAIN, 10 ** ((to.lufs - first.lufs) / 20))
        if first.is_silent:
            to = Delivery(None, to.codec, to.form)
    for _ in range(TRIES):
        gains = limited(peaks, make_up, ceiling)
        now = _measured(applied(make(), gains), rate_hz, to)
        if now.is_silent:
            break
        over_db = now.true_peak_db - MOST_DBTP
        if over_db <= -_MARGIN_DB and (to.lufs is None or abs(now.lufs - to.lufs) <= NEAR_LU):
            return gains
        if over_db > -_MARGIN_DB:
            ceiling *= 10 ** (-(over_db + 2 * _MARGIN_DB) / 20)
        if to.lufs is not None:
            make_up = min(MOST_GAIN, make_up * 10 ** ((to.lufs - now.lufs) / 20))
    over_db = max(0.0, now.true_peak_db - MOST_DBTP + _MARGIN_DB)  # sound that no limiter holds: softer, then
    return np.asarray(gains * 10 ** (-over_db / 20), np.float32)


def sixteen_bit(block: NDArray[np.floating[Any]]) -> NDArray[np.int16]:
    """The block as a WAV holds it, cut off at full scale."""
    return np.asarray((np.clip(block, -1.0, 1.0) * 32767).round(), "<i2")


def _noting(blocks: Iterable[NDArray[np.float32]], peaks: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    done = 0
    for block in blocks:
        hop_peaks(peaks, done, block)
        done += len(block)
        yield block


def _measured(blocks: Iterable[NDArray[np.float32]], rate_hz: int, to: Delivery) -> Loudness:
    written = (sixteen_bit(block) / np.float32(32768) for block in blocks)  # a codec's noise hangs on every bit
    if to.codec:
        return loudness.measure_coded(written, rate_hz, to.codec, to.form)
    return loudness.measure(written, rate_hz)
