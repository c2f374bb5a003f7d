"""A film with black before and after it: the range that is scored reaches beyond its moving pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.edit import SMALLEST_GAP_S
from hitpoint.model.video.types import Boundary, VisualRhythm

BLACK = "black"
STEP_S = 1 / 24


def padded(rhythm: VisualRhythm, lead_s: float, length_s: float) -> VisualRhythm:
    """`rhythm` with `lead_s` of black before it, `length_s` long in all; where black begins or ends there is a cut.

    Less than SMALLEST_GAP_S on either side is rounding and makes no cut.
    """
    end_s = lead_s + rhythm.duration_s
    length_s = max(length_s, end_s)
    before, after = lead_s >= SMALLEST_GAP_S, length_s - end_s >= SMALLEST_GAP_S
    labelled = len(rhythm.shots) == len(rhythm.boundaries) + 1
    boundaries = [replace(each, time_s=each.time_s + lead_s) for each in rhythm.boundaries]
    shots = list(rhythm.shots)
    if before:
        boundaries.insert(0, Boundary(lead_s, "cut", 1.0))
        shots.insert(0, BLACK)
    if after:
        boundaries.append(Boundary(end_s, "cut", 1.0))
        shots.append(BLACK)
    head_s = np.arange(0.0, lead_s - 1e-6, STEP_S)
    tail_s = np.arange(end_s, length_s - 1e-6, STEP_S)
    return replace(
        rhythm,
        duration_s=length_s,
        times_s=np.concatenate([head_s, rhythm.times_s + lead_s, tail_s]),
        motion=_still(head_s, rhythm.motion, tail_s),
        saliency=_still(head_s, rhythm.saliency, tail_s),
        beats=tuple(replace(each, time_s=each.time_s + lead_s) for each in rhythm.beats),
        boundaries=tuple(boundaries),
        shots=tuple(shots) if labelled else rhythm.shots,
        measured={
            name: {key: _rows(array, len(head_s), len(rhythm.times_s), len(tail_s)) for key, array in arrays.items()}
            for name, arrays in rhythm.measured.items()
        },
        speech=tuple((begin_s + lead_s, stop_s + lead_s) for begin_s, stop_s in rhythm.speech),
    )


def _rows(array: NDArray[Any], before: int, frames: int, after: int) -> NDArray[Any]:
    """An array of one row a frame with rows of nothing, as black has them, around it; others as they are."""
    if len(array) != frames:
        return array
    head, tail = (np.zeros((rows, *array.shape[1:]), array.dtype) for rows in (before, after))
    return np.concatenate([head, array, tail])


def _still(
    head_s: NDArray[np.float64], values: NDArray[np.float32], tail_s: NDArray[np.float64]
) -> NDArray[np.float32]:
    return np.concatenate([np.zeros(len(head_s)), values, np.zeros(len(tail_s))]).astype(np.float32)
