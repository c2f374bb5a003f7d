"""How alike the pictures before and after a moment are: the numbers by which shot boundaries are told.

Two pictures are compared in four ways: pixel by pixel, by local structure (which light does not change), by spatial
frequencies (which a shift does not change) and by colours. Around a moment, pictures near and far on both sides are
compared pair by pair. A cut, a flash, a dissolve and a pan each leave their own pattern there: after a flash the
picture is what it was before; the middle of a dissolve lies on the straight line between its ends, a pan's does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 32, 18
"""Of the luma thumbnail, whatever the film's shape; colours are kept at half of that."""
STEP_S = 0.04
"""Films are looked at near this pace: a frame that shows longer counts so many times, one that comes earlier waits."""
EARLY_SHARE = 0.6
REPEAT_LEVELS, REPEAT_PEAK = 0.25, 5.0
"""A picture that differs by less, on average and at its most changed place, is the one before, shown again."""
OFFSETS = (0, 1, 2, 4, 7, 11, 17, 25, 37)
"""Steps from the moment to the pictures compared, on each side."""
REACH = OFFSETS[-1] + 1
SHIFTED = (0, 1, 3)
"""Offsets of the pairs that are also compared at their best common shift."""
SIGNS = 4 * 153 + len(SHIFTED) + 2 * 2 * len(OFFSETS)
_FLOOR_LEVELS = 4.0
_LOCAL = 7

_Floats = NDArray[np.float32]
_PLACES = np.array([*(-1 - k for k in reversed(OFFSETS)), *OFFSETS])
_FIRST, _SECOND = np.triu_indices(len(_PLACES), 1)
PAIR_OF = {(int(a), int(b)): k for k, (a, b) in enumerate(zip(_FIRST, _SECOND, strict=True))}


@dataclass(frozen=True)
class Thumbnail:
    """luma (HEIGHT, WIDTH), bgr (HEIGHT // 2, WIDTH // 2, 3), both uint8; histogram (bins,) that sums to 1."""

    luma: NDArray[np.uint8]
    bgr: NDArray[np.uint8]
    histogram: NDArray[np.float16]


def thumbnail(luma: NDArray[np.uint8], bgr: NDArray[np.uint8], histogram: NDArray[np.float16]) -> Thumbnail:
    """The thumbnail of a frame."""
    import cv2

    small = cv2.resize(luma, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    colours = cv2.resize(bgr, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    return Thumbnail(np.asarray(small, np.uint8), np.asarray(colours, np.uint8), histogram)


def change(a: Thumbnail, b: Thumbnail) -> float:
    """Mean difference of luma, in levels."""
    import cv2

    return float(cv2.norm(a.luma, b.luma, cv2.NORM_L1)) / a.luma.size


def is_repeat(a: Thumbnail, b: Thumbnail) -> bool:
    """Whether `b` is the picture `a` again, but for what a codec adds."""
    import cv2

    if change(a, b) > REPEAT_LEVELS or float(cv2.norm(a.luma, b.luma, cv2.NORM_INF)) > REPEAT_PEAK:
        return False
    return float(cv2.norm(a.bgr, b.bgr, cv2.NORM_INF)) <= 2 * REPEAT_PEAK


def signs(pictures: list[Thumbnail], shown: NDArray[np.int64], moments: NDArray[np.int64]) -> _Floats:
    """(moments, SIGNS): the numbers of each moment.

    shown (steps,): index of the picture at each step of STEP_S; moment k lies between steps k - 1 and k.
    """
    places = np.clip(moments[:, None] + _PLACES, 0, len(shown) - 1)
    at = shown[places]  # (moments, pictures compared)
    luma = np.stack([p.luma for p in pictures]).astype(np.float32)
    structure = _structure(luma)
    spectrum = np.fft.rfft2(structure).astype(np.complex64)
    pairs = at[:, _FIRST], at[:, _SECOND]
    parts = [
        np.log1p(_distances(np.stack([p.bgr for p in pictures]))[pairs] / 2),
        1 - _cosines(structure.reshape(len(luma), -1))[pairs],
        1 - _cosines(_magnitudes(spectrum))[pairs],
        1 - _cosines(np.sqrt(np.stack([p.histogram for p in pictures]).astype(np.float32)))[pairs],
        _shifted(spectrum, shown, moments),
        (luma.mean(axis=(1, 2)) / 64)[at],
        np.log1p(luma.std(axis=(1, 2)) / 4)[at],
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _structure(luma: _Floats) -> _Floats:
    """(n, HEIGHT, WIDTH): luma less its local mean, over its local spread; length 1 where there is much of it."""
    import cv2

    out = np.empty_like(luma)
    for index, image in enumerate(luma):
        mean = cv2.blur(image, (_LOCAL, _LOCAL))
        variance = cv2.blur(image * image, (_LOCAL, _LOCAL)) - mean * mean
        out[index] = (image - mean) / np.sqrt(np.maximum(variance, 0) + _FLOOR_LEVELS)
    return out


def product(a: _Floats, b: _Floats) -> _Floats:
    """a (n, d) times b (m, d) transposed, in this thread alone: numpy's library wakes others, which costs more than
    they save at this size.
    """
    import cv2

    return np.asarray(cv2.gemm(a, b, 1.0, None, 0.0, flags=cv2.GEMM_2_T), np.float32)  # type: ignore[call-overload]


def _distances(images: NDArray[np.uint8]) -> _Floats:
    """(n, n): root mean square difference of images (n, …), in levels."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat = flat - flat.mean(axis=0)
    power = np.einsum("ij,ij->i", flat, flat)
    square = (power[:, None] + power - 2 * product(flat, flat)) / flat.shape[1]
    return np.asarray(np.sqrt(np.maximum(square, 0)), np.float32)


def _cosines(vectors: _Floats) -> _Floats:
    """(n, n): cosine of each pair of vectors (n, d); two empty ones are alike."""
    weak = 0.02 * vectors.shape[1] ** 0.5
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    extended = np.concatenate([vectors, np.full((len(vectors), 1), weak, np.float32)], axis=1)
    extended /= np.sqrt(length**2 + weak**2)[:, None]
    return product(extended, extended)


def _magnitudes(spectrum: NDArray[np.complex64]) -> _Floats:
    """(n, d): square roots of the magnitudes of each frequency."""
    return np.sqrt(np.abs(spectrum)).reshape(len(spectrum), -1)


def _shifted(spectrum: NDArray[np.complex64], shown: NDArray[np.int64], moments: NDArray[np.int64]) -> _Floats:
    """(moments, SHIFTED): 1 - likeness of structure at the best common shift, for one pair of pictures each."""
    power = np.sqrt(np.square(np.abs(spectrum)).mean(axis=(1, 2))) + 1e-3
    columns = []
    for offset in SHIFTED:
        a = shown[np.clip(moments - 1 - offset, 0, len(shown) - 1)]
        b = shown[np.clip(moments + offset, 0, len(shown) - 1)]
        product = spectrum[a] * spectrum[b].conj() / (power[a] * power[b])[:, None, None]
        columns.append(1 - np.fft.irfft2(product, (HEIGHT, WIDTH)).max(axis=(1, 2)))
    return np.stack(columns, axis=1).astype(np.float32)
