"""Shot boundaries and which shots look alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.base import Arrays, Detector, Part
from hitpoint.model.video.frames import Frame

HISTOGRAM_SHAPE = (8, 3, 4)
"""Bins of hue, saturation and value."""
HISTOGRAM_BINS = 96
MIN_SHOT_S = 0.2
SCENE_FPS = 25.0
MIN_CHANGE = 4.0
"""Levels (0..255) that pixels change on average across a cut."""
MIN_CHANGE_RATIO = 2.5
"""How much more they change than in the three frames before and after; a fade changes evenly."""
DARK_MEAN = 14.0
"""A frame whose luma (0..255 above black) is below this, and flat, is the bottom of a fade."""
DARK_SPREAD = 10.0
MIN_RAMP_S = 0.12
"""A darkening quicker than this is a cut to black."""
SAME_LOOK = 0.72
"""Shots whose histograms overlap by this share carry one label."""
_LUMA_BLACK = 16.0


class ShotMeter:
    """Looks at frames one by one: cuts, brightness and colours.

    Cuts are those of scenedetect's adaptive detector whose pixels change as well: alone it takes the colour noise of a
    picture that comes out of black for cuts.
    """

    def __init__(self) -> None:
        from scenedetect.detectors import AdaptiveDetector

        self._detector = AdaptiveDetector(min_scene_len=round(MIN_SHOT_S * SCENE_FPS))
        self._last: NDArray[np.uint8] | None = None
        self._changes: list[float] = []
        self._candidates: list[int] = []

    def measure(self, luma: NDArray[np.uint8], bgr: NDArray[np.uint8]) -> tuple[float, float, NDArray[np.float16]]:
        """(mean, spread of luma in 0..255 above black, histogram (HISTOGRAM_BINS,) that sums to 1)."""
        import cv2
        from scenedetect import FrameTimecode

        time = FrameTimecode(len(self._changes), SCENE_FPS)
        self._candidates += [cut.frame_num for cut in self._detector.process_frame(time, bgr)]
        same_size = self._last is not None and self._last.shape == bgr.shape
        self._changes.append(float(cv2.absdiff(bgr, self._last).mean()) if same_size else 0.0)  # type: ignore[arg-type]
        self._last = bgr
        mean, spread = cv2.meanStdDev(luma)
        hsv = cv2.cvtColor(bgr[::2, ::2], cv2.COLOR_BGR2HSV)
        bins = cv2.calcHist([hsv], [0, 1, 2], None, list(HISTOGRAM_SHAPE), [0, 180, 0, 256, 0, 256])
        share = (bins.ravel() / (hsv.shape[0] * hsv.shape[1])).astype(np.float16)
        return max(0.0, float(mean[0, 0]) - _LUMA_BLACK), float(spread[0, 0]), share

    def cuts(self) -> list[int]:
        """Index of the first frame of each shot but the first; complete once every frame was measured."""
        return [cut for cut in self._candidates if self._is_sharp(cut)]

    def _is_sharp(self, cut: int) -> bool:
        around = self._changes[max(1, cut - 3) : cut] + self._changes[cut + 1 : cut + 4]
        usual = sum(around) / max(1, len(around))
        return self._changes[cut] >= max(MIN_CHANGE, MIN_CHANGE_RATIO * usual)


class Shots(Detector):
    """`luma_mean`, `luma_spread` (n,): 0..255 above black. `histograms` (n, HISTOGRAM_BINS): each sums to 1.
    `cuts` (k,): indices of the frames that begin a shot; in an edit, those that begin a part of it too.
    """

    name: ClassVar[str] = "shots"
    version: ClassVar[str] = f"1 {HISTOGRAM_BINS} {MIN_SHOT_S}"
    event_arrays: ClassVar[frozenset[str]] = frozenset({"cuts"})
    is_handed_on: ClassVar[bool] = False

    def __init__(self) -> None:
        self._meter = ShotMeter()
        self._rows: list[tuple[float, float, NDArray[np.float16]]] = []

    def measure(self, frame: Frame) -> None:
        """Add the frame's brightness and colours."""
        self._rows.append(self._meter.measure(frame.luma, frame.bgr))

    def finish(self) -> Arrays:
        """Brightness, colours and cuts."""
        means, spreads, histograms = zip(*self._rows, strict=True)
        return {
            "luma_mean": np.asarray(means, np.float32),
            "luma_spread": np.asarray(spreads, np.float32),
            "histograms": np.asarray(histograms, np.float16),
            "cuts": np.asarray(self._meter.cuts(), np.int64),
        }

    @classmethod
    def black(cls, frames: int) -> Arrays:
        """No hue, no saturation, no value."""
        histograms = np.zeros((frames, HISTOGRAM_BINS), np.float16)
        histograms[:, 0] = 1.0
        dark = np.zeros(frames, np.float32)
        return {"luma_mean": dark, "luma_spread": dark, "histograms": histograms, "cuts": np.zeros(0, np.int64)}

    @classmethod
    def join(cls, parts: Sequence[Part]) -> Arrays:
        """Cuts are counted through the edit; where a part begins, a shot begins."""
        firsts = [part.first for part in parts]
        cuts = [part.arrays["cuts"] + part.first for part in parts]
        return {**super().join(parts), "cuts": np.union1d(firsts, np.concatenate(cuts)).astype(np.int64)}


def find_fades(
    times_s: NDArray[np.float64], mean: NDArray[np.float32], spread: NDArray[np.float32]
) -> list[tuple[int, int, int]]:
    """(first, darkest, last) frame of each fade through black, frames rising.

    `first` and `last` bound the darkening and the brightening. The darkest moment is the middle of the black; a
    picture that only comes out of black at the start, or goes into it at the end, joins no two shots.
    """
    dark = (mean < DARK_MEAN) & (spread < DARK_SPREAD)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], dark, [False])).astype(np.int8)))
    fades = []
    for start, end in edges.reshape(-1, 2):
        if start == 0 or end == len(dark):
            continue
        first, last = _foot(mean, start, -1), _foot(mean, end - 1, 1)
        ramp_s = max(times_s[start] - times_s[first], times_s[last] - times_s[end - 1])
        if ramp_s >= MIN_RAMP_S:
            low = mean[start:end].min()
            black = start + np.flatnonzero(mean[start:end] <= low + 1.0)
            fades.append((first, int(black[len(black) // 2]), last))
    return fades


def _foot(mean: NDArray[np.float32], frame: int, step: int) -> int:
    """Where the brightness stops to rise, going from `frame` in steps of `step`."""
    while 0 <= frame + step < len(mean) and mean[frame + step] > mean[frame] + 0.5:
        frame += step
    return frame


def mean_histograms(histograms: NDArray[np.float16], starts: Sequence[int]) -> NDArray[np.float32]:
    """(shots, HISTOGRAM_BINS): mean of each shot; `starts` is the first frame of each, rising from 0."""
    ends = [*starts[1:], len(histograms)]
    # Two boundaries given on one frame leave a shot of no frames: it looks like the frame it stands on.
    spans = [histograms[a : max(b, a + 1)] for a, b in zip(starts, ends, strict=True)]
    return np.stack([span.astype(np.float32).mean(axis=0) for span in spans])


def overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Histogram intersection, 0..1 (Swain & Ballard 1991)."""
    return float(np.minimum(a, b).sum())


def label_shots(histograms: NDArray[np.float32]) -> tuple[str, ...]:
    """One label a shot, "A", "B", …; a shot takes the label of the earlier look that it is most like, if any."""
    looks: list[NDArray[np.float32]] = []
    sizes: list[int] = []
    labels = []
    for histogram in histograms:
        likeness = [overlap(histogram, look) for look in looks]
        best = int(np.argmax(likeness)) if likeness else -1
        if best >= 0 and likeness[best] >= SAME_LOOK:
            sizes[best] += 1
            looks[best] = looks[best] + (histogram - looks[best]) / sizes[best]
        else:
            best = len(looks)
            looks.append(histogram)
            sizes.append(1)
        labels.append(letter(best))
    return tuple(labels)


def letter(index: int) -> str:
    """0 → "A", 25 → "Z", 26 → "AA"."""
    name = ""
    index += 1
    while index:
        index, place = divmod(index - 1, 26)
        name = chr(ord("A") + place) + name
    return name
