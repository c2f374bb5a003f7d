"""From how sure each moment is to boundaries: cuts, transitions, fades through black, and flashes, which are none."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

MIN_SURE = 0.1
"""Moments below it are forgotten at once."""
SURE = 0.5
TRANSITION_SURE = 0.8
"""At its surest moment; at the others SURE is enough."""
MIN_SHOT_S = 0.2
"""Two cuts, or a cut and a transition, lie so far apart, or the surer one stays."""
JOIN_S = 0.2
"""Moments of one transition may lie so far apart."""
CORE_SHARE = 0.45
"""The part of a transition, around its middle, in which the network was taught to see it."""
DARK_MEAN = 14.0
"""A frame whose luma (0..255 above black) is below this, and flat, is the bottom of a fade."""
DARK_SPREAD = 10.0
WHITE_MEAN = 200.0
FLAT_SPREAD = 4.0
STAND_S = 0.1
"""A fade may stand still for so long: films hold repeated frames."""
MIN_RAMP_S, RAMP_SHARE = 0.1, 0.7
"""So much of a darkening that is quicker than this is a cut to black."""
FLASH_S = 0.3
"""What is bright for less, and then as before, is a flash."""
MIN_FLASH = 0.05
_LUMA_RANGE = 219.0


def choose(
    times_s: NDArray[np.float64], spread: NDArray[np.float32], frames: NDArray[np.int64], sure: NDArray[np.float32]
) -> dict[str, NDArray[Any]]:
    """`cuts`, `cut_sure`, `transitions` and `transition_sure`, as the detector of shots keeps them.

    times_s, spread (n,): of every frame; frames (k,): the moments judged, rising; sure (k, 2): of a cut, a transition.
    """
    cuts = _peaks(times_s[frames], sure[:, 0])
    spans, certain = _spans(times_s, spread, frames, sure[:, 1])
    beats_cut = np.ones(len(spans), bool)
    kept = np.ones(len(cuts), bool)
    for row, (first, _, last) in enumerate(spans):
        at_s = times_s[frames[cuts]]
        inside = (at_s >= times_s[first] - MIN_SHOT_S) & (at_s <= times_s[last] + MIN_SHOT_S)
        if inside.any():
            beats_cut[row] = certain[row] > sure[cuts[inside], 0].max()
            kept &= ~(inside & beats_cut[row])
    cuts = cuts[kept]
    return {
        "cuts": frames[cuts],
        "cut_sure": sure[cuts, 0].astype(np.float32),
        "transitions": spans[beats_cut],
        "transition_sure": certain[beats_cut],
    }


def _peaks(at_s: NDArray[np.float64], sure: NDArray[np.float32]) -> NDArray[np.int64]:
    """Moments of cuts, the surest first, none within MIN_SHOT_S of a surer one; rising."""
    chosen: list[int] = []
    for index in np.argsort(-sure, kind="stable"):
        if sure[index] < SURE:
            break
        if all(abs(at_s[index] - at_s[other]) >= MIN_SHOT_S - 1e-6 for other in chosen):
            chosen.append(int(index))
    return np.asarray(sorted(chosen), np.int64)


def _spans(
    times_s: NDArray[np.float64], spread: NDArray[np.float32], frames: NDArray[np.int64], sure: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(m, 3) first, middle and last frame of each transition, and (m,) how sure each is."""
    spans, certain = [], []
    strong = np.flatnonzero(sure >= SURE)
    breaks = np.flatnonzero(np.diff(times_s[frames[strong]]) > JOIN_S) + 1
    for run in np.split(strong, breaks):
        if len(run) == 0 or sure[run].max() < TRANSITION_SURE:
            continue
        at_s, weight = times_s[frames[run]], sure[run]
        middle_s = float((at_s * weight).sum() / weight.sum())
        half_s = max(0.04, (at_s[-1] - at_s[0]) / 2 / CORE_SHARE)
        first, last = np.searchsorted(times_s, (middle_s - half_s, middle_s + half_s))
        first, last = int(first), int(min(last, len(times_s) - 1))
        middle = int(np.argmin(np.abs(times_s - middle_s)))
        spans.append((first, _flattest(spread, first, middle, last), last))
        certain.append(float(weight.max()))
    return np.asarray(spans, np.int64).reshape(-1, 3), np.asarray(certain, np.float32)


def _flattest(spread: NDArray[np.float32], first: int, middle: int, last: int) -> int:
    """The middle of the flat frames of a transition that goes through a colour; `middle` for any other."""
    part = spread[first : last + 1]
    if part.min() > FLAT_SPREAD:
        return middle
    flat = first + np.flatnonzero(part <= part.min() + 1.0)
    return int(flat[len(flat) // 2])


def find_flashes(times_s: NDArray[np.float64], luma: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """`flashes` (f,) and `flash_sizes` (f,): what is brighter than all that lies FLASH_S around it, and by how much."""
    if len(luma) < 3:
        return {"flashes": np.zeros(0, np.int64), "flash_sizes": np.zeros(0, np.float32)}
    width = 2 * int(FLASH_S / 2 / np.median(np.diff(times_s))) + 1
    kernel = np.ones((1, max(3, width)), np.uint8)
    rise = cv2.morphologyEx(luma[None], cv2.MORPH_TOPHAT, kernel)[0] / _LUMA_RANGE
    before, after = np.append(0, rise[:-1]), np.append(rise[1:], 0)
    flashes = np.flatnonzero((rise >= MIN_FLASH) & (rise > before) & (rise >= after))
    return {"flashes": flashes, "flash_sizes": rise[flashes].astype(np.float32)}


def find_fades(
    times_s: NDArray[np.float64], mean: NDArray[np.float32], spread: NDArray[np.float32]
) -> list[tuple[int, int, int]]:
    """(first, darkest, last) frame of each fade through black, frames rising.

    `first` and `last` bound the darkening and the brightening. The darkest moment is the middle of the black; a
    picture that only comes out of black at the start, or goes into it at the end, joins no two shots.
    """
    fades = []
    for start, end in _runs((mean < DARK_MEAN) & (spread < DARK_SPREAD)):
        if start == 0 or end == len(mean):
            continue
        first, last = _foot(times_s, mean, start, -1), _foot(times_s, mean, end - 1, 1)
        if max(_ramp_s(times_s, mean, start, first), _ramp_s(times_s, mean, end - 1, last)) >= MIN_RAMP_S:
            low = mean[start:end].min()
            black = start + np.flatnonzero(mean[start:end] <= low + 1.0)
            fades.append((first, int(black[len(black) // 2]), last))
    return fades


def blank_ends(
    times_s: NDArray[np.float64], mean: NDArray[np.float32], spread: NDArray[np.float32]
) -> list[tuple[int, int]]:
    """(first, last) frame of a fade out of the black or white in which the film begins, and of one into that in which
    it ends. They join no two shots. A film that is suddenly bright, or suddenly black, has a cut there.
    """
    ends = []
    for start, end in _runs(((mean < DARK_MEAN) | (mean > WHITE_MEAN)) & (spread < DARK_SPREAD)):
        far = np.abs(mean - (mean[start] if start == 0 else mean[end - 1]))
        if start == 0 and end < len(mean):
            last = _foot(times_s, far, end - 1, 1)
            if _ramp_s(times_s, far, end - 1, last) >= MIN_RAMP_S:
                ends.append((0, last))
        elif end == len(mean) and start > 0:
            first = _foot(times_s, far, start, -1)
            if _ramp_s(times_s, far, start, first) >= MIN_RAMP_S:
                ends.append((first, end - 1))
    return ends


def black_edges(times_s: NDArray[np.float64], mean: NDArray[np.float32], spread: NDArray[np.float32]) -> list[int]:
    """Frames at which the picture goes black, or comes back, at once; the black lasts longer than a flash does."""
    edges = []
    for start, end in _runs((mean < DARK_MEAN) & (spread < DARK_SPREAD)):
        stays_s = (times_s[end] if end < len(times_s) else times_s[-1]) - times_s[start]
        before_s = _ramp_s(times_s, mean, start, _foot(times_s, mean, start, -1))
        after_s = _ramp_s(times_s, mean, end - 1, _foot(times_s, mean, end - 1, 1))
        if stays_s >= FLASH_S and max(before_s, after_s) < MIN_RAMP_S:
            edges += [frame for frame in (start, end) if 0 < frame < len(mean)]
    return edges


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, one past the last) of each run of marked frames."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False])).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _foot(times_s: NDArray[np.float64], level: NDArray[np.float32], frame: int, step: int) -> int:
    """Where the level stops to rise, going from `frame` in steps of `step`; a repeated frame does not stop it."""
    ahead = frame + step
    while 0 <= ahead < len(level):
        if level[ahead] > level[frame] + 0.5:
            frame = ahead
        elif level[ahead] < level[frame] - 0.5 or abs(times_s[ahead] - times_s[frame]) > STAND_S:
            break
        ahead += step
    return frame


def _ramp_s(times_s: NDArray[np.float64], level: NDArray[np.float32], flat: int, foot: int) -> float:
    """Seconds from the flat frame to the one at which most of the way to the foot's level is gone; a picture's own
    changes after a cut are not a ramp.
    """
    step = 1 if foot >= flat else -1
    way = level[flat : foot + step : step] if foot + step >= 0 else level[flat::step]
    gone = int(np.argmax(way >= way[0] + RAMP_SHARE * (level[foot] - way[0])))
    return float(abs(times_s[flat + step * gone] - times_s[flat]))
