"""The shots of the clips, what each looks like and how it moves, and which of them look alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.timeline.timecode import standard
from hitpoint.model.video.types import Clip, VisualRhythm

INSET_S, FADE_INSET_S = 0.08, 0.5
"""So much on each side of a cut, and of a fade, is left out: a boundary may be a frame off, and a mix shows both."""
SHORTEST_S = 0.2
BLACK, DIM = 12.0, 0.7
"""A shot of less lightness (0..255) shows nothing; one that begins or ends with less than this share of its own median
comes out of black there, or goes into it."""
SHOTS_A_LOOK = 3
MOST_LOOKS = 8
_MOTION_FLOOR = 1e-3


@dataclass(frozen=True)
class Shot:
    """A stretch of a clip that can be shown. in_s, out_s: seconds of its file. colour: mean and spread of L, a, b.
    motion: frame widths a second. pace: its rank by motion, 0 the stillest .. 1. look: number of the kind it is of."""

    clip: Clip
    in_s: float
    out_s: float
    colour: tuple[float, ...]
    motion: float
    pace: float = 0.5
    look: int = 0

    @property
    def length_s(self) -> float:
        """Seconds of it."""
        return self.out_s - self.in_s


@dataclass(frozen=True)
class Footage:
    """All shots, by clip and time. fps, width, height: those of most of the footage. notes: clips left out, and why."""

    shots: tuple[Shot, ...]
    fps: float
    width: int
    height: int
    notes: tuple[str, ...] = ()


def read_footage(
    clips: Sequence[Clip],
    progress: Callable[[float], None] | None = None,
    look: Callable[..., VisualRhythm] = analyse,
) -> Footage:
    """Look at every clip, at its own speed. look: `analyse`, or what does the same elsewhere.

    What cannot be read is left out with a sentence. Raises InputError where nothing is left.
    """
    say = progress or (lambda share: None)
    shots: list[Shot] = []
    notes: list[str] = []
    shapes: Counter[tuple[float, int, int]] = Counter()
    refused: InputError | None = None
    for number, clip in enumerate(clips):
        try:
            rhythm = look([replace(clip, rate=1.0, start_s=0.0)], progress=partial(_part, say, number, len(clips)))
        except InputError as error:
            refused = error
            notes.append(f"left out: {error}")
            continue
        found = shots_of(clip, rhythm)
        shots += found
        notes += [] if found else [f"left out: {clip.path.name} shows nothing for {SHORTEST_S:g} s or more"]
        media = rhythm.media[0]
        shapes[standard(media.usual_fps or media.fps), media.width, media.height] += round(
            1000 * sum(shot.length_s for shot in found)
        )
    if not shots:
        if refused is not None and len(clips) == 1:
            raise refused
        reasons = "; ".join(notes) or "there are none"
        raise InputError(f"none of the clips can be used ({reasons}); give films that a video player can open")
    fps, width, height = shapes.most_common(1)[0][0]
    return Footage(tuple(kinds_of(shots)), fps, width, height, tuple(notes))


def _part(say: Callable[[float], None], number: int, count: int, share: float) -> None:
    say((number + share) / count)


def shots_of(clip: Clip, rhythm: VisualRhythm) -> list[Shot]:
    """The shots of one analysed clip, without the frames around its cuts."""
    starts = [(0.0, 0.0)]
    ends: list[tuple[float, float]] = []
    for boundary in rhythm.boundaries:
        inset_s = FADE_INSET_S if boundary.kind == "fade" else INSET_S
        starts.append((boundary.time_s, inset_s))
        ends.append((boundary.time_s, inset_s))
    ends.append((rhythm.duration_s, 0.0))
    found = []
    for (start_s, after_s), (end_s, before_s) in zip(starts, ends, strict=True):
        first_s, last_s = _lit(rhythm, start_s + after_s, end_s - before_s)
        if last_s - first_s >= SHORTEST_S:
            colour, motion = _measured(rhythm, first_s, last_s)
            found.append(Shot(clip, clip.in_s + first_s, clip.in_s + last_s, colour, motion))
    return found


def _lit(rhythm: VisualRhythm, start_s: float, end_s: float) -> tuple[float, float]:
    """A stretch without the black that it comes out of or goes into; of no length where it is all black."""
    import cv2

    looks = rhythm.measured["palette"]
    kept_s = rhythm.times_s[looks["swatch_frames"]]
    own = np.flatnonzero((kept_s >= start_s) & (kept_s < end_s))
    if not len(own):
        return start_s, end_s
    swatches = looks["swatches"][own]
    lab = cv2.cvtColor(swatches.reshape(1, -1, 3), cv2.COLOR_BGR2LAB)[0]
    light = lab[:, 0].reshape(len(own), -1).mean(axis=1)
    usual = float(np.median(light))
    if usual < BLACK:
        return start_s, start_s
    lit = np.flatnonzero(light >= DIM * usual)
    first, last = int(lit[0]), int(lit[-1])
    begin_s = start_s if first == 0 else float(kept_s[own[first]])
    return begin_s, end_s if last == len(own) - 1 else float(kept_s[own[last]])


def _measured(rhythm: VisualRhythm, start_s: float, end_s: float) -> tuple[tuple[float, ...], float]:
    """Mean and spread of the colours in Lab, and the mean motion, of a stretch."""
    import cv2

    first, last = np.searchsorted(rhythm.times_s, (start_s, end_s))
    motion = float(rhythm.motion[first : max(last, first + 1)].mean()) if first < len(rhythm.motion) else 0.0
    looks = rhythm.measured["palette"]
    kept_s = rhythm.times_s[looks["swatch_frames"]]
    begin, end = np.searchsorted(kept_s, (start_s, end_s))
    begin = min(int(begin), len(kept_s) - 1)
    swatches = looks["swatches"][begin : max(int(end), begin + 1)]
    lab = cv2.cvtColor(swatches.reshape(1, -1, 3), cv2.COLOR_BGR2LAB)[0].astype(np.float64)
    return (*lab.mean(axis=0).tolist(), *lab.std(axis=0).tolist()), motion


def kinds_of(shots: Sequence[Shot]) -> list[Shot]:
    """The shots with their looks, numbered by motion from 0, the stillest: K-means over colour and motion."""
    motions = np.log(np.array([shot.motion for shot in shots]) + _MOTION_FLOOR)
    order = np.argsort(np.argsort(motions, kind="stable"), kind="stable")
    paces = order / (len(shots) - 1) if len(shots) > 1 else np.full(1, 0.5)
    numbers = _clustered(np.column_stack([np.array([shot.colour for shot in shots]), motions]))
    means = {int(number): float(motions[numbers == number].mean()) for number in np.unique(numbers)}
    places = {number: place for place, number in enumerate(sorted(means, key=lambda n: means[n]))}
    return [
        replace(shot, pace=float(pace), look=places[int(number)])
        for shot, pace, number in zip(shots, paces, numbers, strict=True)
    ]


def _clustered(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """A number for each row (n, 7): K-means of as many looks as SHOTS_A_LOOK gives, MOST_LOOKS at most."""
    import cv2

    spread = rows.std(axis=0)
    scaled = np.where(spread > 1e-6, (rows - rows.mean(axis=0)) / np.maximum(spread, 1e-6), 0.0)
    scaled[:, -1] *= np.sqrt(rows.shape[1] / 2)  # motion counts for as much as half of the colours
    wanted = min(MOST_LOOKS, max(2, len(rows) // SHOTS_A_LOOK), len(np.unique(scaled, axis=0)))
    if wanted < 2:
        return np.zeros(len(rows), np.int64)
    cv2.setRNGSeed(0)  # the same clips, the same looks
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 100, 1e-4)
    _, numbers, _ = cv2.kmeans(scaled.astype(np.float32), wanted, None, stop, 8, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    return np.asarray(numbers[:, 0], np.int64)
