"""Where somebody speaks: by Silero VAD's network where the extra `speech` is installed, else by energy.

The energy in the speech band rises above its floor and falls back to it with every syllable, some four times a second;
steady noise does not rise, music does not fall back (Scheirer & Slaney 1997: modulation at 4 Hz, share of low-energy
frames), and a note stands still where a vowel glides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.sound import silero
from hitpoint.model.video.sound.decode import Block

Span = tuple[float, float]
"""Begin and end in seconds."""

RATE_HZ = 16_000
HOP, WINDOW = 160, 512
"""Samples: a value each 10 ms, of 32 ms."""
BAND_HZ = (250.0, 3800.0)
FLOOR_PERCENT, FLOOR_S = 15, 6.0
"""The floor of a moment: this percentile of the band's level within so many seconds to either side."""
ABOVE_FLOOR_DB, LEAST_DB, BELOW_LOUDEST_DB = 8.0, -58.0, 32.0
SYLLABLES_S, LEAST_FALL = 0.6, 0.12
"""Within so many seconds to either side at least this share of the frames lies near the floor or far below the mean."""
EDGE_S, EDGE_SHARE, EDGE_BACK_S = 0.06, 0.5, 0.02
"""Where speech begins and ends so much of the sound within so many seconds to either side glides; a soft consonant may
lie so much farther out."""
STEADY = 0.93
"""Spectra 80 ms apart that are more alike than this belong to a note."""
SHORTEST_S, PAUSE_S = 0.25, 0.35
"""Shorter speech is a noise; a shorter pause is one between words."""


def find_speech(blocks: Iterable[Block], detector: str = "auto") -> list[Span]:
    """Spans in which somebody speaks, rising, in seconds of the sound. blocks: (frames, 1) at RATE_HZ, full scale = 1.

    detector: "silero", "energy", or "auto": the former where it is installed. Raises MissingError where it is not.
    """
    if detector == "silero" or (detector == "auto" and silero.is_installed()):
        speaks, hop_s = silero.speaking(blocks), silero.HOP_S
    else:
        speaks, hop_s = _by_energy(blocks), HOP / RATE_HZ
    return joined(_spans(speaks, hop_s), PAUSE_S, SHORTEST_S)


def joined(spans: Sequence[Span], pause_s: float, shortest_s: float = 0.0) -> list[Span]:
    """Spans with shorter pauses between them made one; then those that are too short left out."""
    whole: list[Span] = []
    for start_s, end_s in spans:
        if whole and start_s - whole[-1][1] < pause_s:
            whole[-1] = (whole[-1][0], max(end_s, whole[-1][1]))
        else:
            whole.append((start_s, end_s))
    return [span for span in whole if span[1] - span[0] >= shortest_s]


def _spans(speaks: NDArray[np.bool_], hop_s: float) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], speaks.astype(np.int8), [0]])))
    return [(float(a * hop_s), float(b * hop_s)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def windows(blocks: Iterable[Block], length: int, hop: int) -> Iterator[NDArray[np.float32]]:
    """(n, length) windows of the joined blocks, `hop` samples apart; the last ones are filled with silence."""
    kept = np.zeros(0, np.float32)
    for block in blocks:
        kept = np.concatenate([kept, block[:, 0]])
        count = (len(kept) - length) // hop + 1
        if count > 0:
            yield np.lib.stride_tricks.sliding_window_view(kept, length)[: count * hop : hop]
            kept = kept[count * hop :]
    if len(kept):
        kept = np.concatenate([kept, np.zeros(length, np.float32)])
        yield np.lib.stride_tricks.sliding_window_view(kept, length)[: len(kept) - length : hop]


def _by_energy(blocks: Iterable[Block]) -> NDArray[np.bool_]:
    """(n,) whether there is speech in each hop."""
    taper = np.hanning(WINDOW).astype(np.float32)
    hertz = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    band = (hertz >= BAND_HZ[0]) & (hertz <= BAND_HZ[1])
    levels, alike, before = [], [], np.zeros((8, int(band.sum())), np.float32)
    for frames in windows(blocks, WINDOW, HOP):
        power = np.abs(np.fft.rfft(frames * taper)).astype(np.float32)[:, band] ** 2 / (WINDOW * taper.sum() / 4)
        levels.append(10 * np.log10(power.sum(axis=1) / WINDOW + 1e-12))
        shape = np.sqrt(power)
        run = np.concatenate([before, shape])
        alike.append(_likeness(run[:-8], run[8:]))
        before = run[-8:]
    if not levels:
        return np.zeros(0, bool)
    level, steady = np.concatenate(levels), np.concatenate(alike)
    return _is_speech(level, steady)


def _likeness(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n,) cosine of each pair of spectra."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / np.maximum(lengths, 1e-12), np.float32)


def _is_speech(level: NDArray[np.float64], steady: NDArray[np.float32]) -> NDArray[np.bool_]:
    """level (n,): of the band, dB; steady (n,): likeness to 80 ms before."""
    floor = _floor(level)
    loud = (level > floor + ABOVE_FLOOR_DB) & (
        level > max(LEAST_DB, float(np.percentile(level, 99)) - BELOW_LOUDEST_DB)
    )
    reach = round(SYLLABLES_S * RATE_HZ / HOP)
    mean_db = 10 * np.log10(_mean(10 ** (level / 10), reach) + 1e-12)
    falls = _mean((level < np.maximum(mean_db - 6.0, floor + 3.0)).astype(float), reach)
    glides = _mean((steady < STEADY).astype(float) * loud, reach) / np.maximum(_mean(loud.astype(float), reach), 1e-9)
    speaks = loud & (falls > LEAST_FALL) & (glides > 0.35)
    return _trimmed(speaks, _mean((loud & (steady < STEADY)).astype(float), round(EDGE_S * RATE_HZ / HOP)))


def _trimmed(speaks: NDArray[np.bool_], gliding: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Without what only lies beside speech: means over SYLLABLES_S reach beyond its first and its last syllable.

    gliding (n,): the share of what glides around each moment; a stroke glides for less than a syllable.
    """
    reach, back = round(SYLLABLES_S * RATE_HZ / HOP), round(EDGE_BACK_S * RATE_HZ / HOP)
    kept = np.zeros(len(speaks), bool)
    for start_s, end_s in joined(_spans(speaks, HOP / RATE_HZ), PAUSE_S):
        first, end = round(start_s * RATE_HZ / HOP), round(end_s * RATE_HZ / HOP)
        inside = gliding[first:end] >= EDGE_SHARE
        before = max(0, min(int(np.argmax(inside)), reach) - back)
        after = max(0, min(int(np.argmax(inside[::-1])), reach) - back)
        kept[first + before : end - after] = speaks[first + before : end - after]
    return kept


def _floor(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) the floor at each moment."""
    step, reach = 50, round(FLOOR_S * RATE_HZ / HOP)
    centres = np.arange(0, len(level) + step, step)
    lows = [np.percentile(level[max(0, at - reach) : at + reach], FLOOR_PERCENT) for at in centres if at < len(level)]
    return np.interp(np.arange(len(level)), centres[: len(lows)], lows)


def _mean(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """(n,) mean within `reach` values to either side."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    first, last = np.maximum(0, at - reach), np.minimum(len(values), at + reach + 1)
    return np.asarray((sums[last] - sums[first]) / (last - first))


def between(spans: Sequence[Span], end_s: float) -> list[Span]:
    """What the spans leave free of 0..end_s."""
    edges = [0.0, *(edge for span in spans for edge in span), end_s]
    return [(a, b) for a, b in list(pairwise(edges))[::2] if b > a]
