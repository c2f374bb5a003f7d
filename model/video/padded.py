"""A film with black before and after it: the range that is scored reaches beyond its moving pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.base import Arrays, Part
from hitpoint.model.video.detectors.registry import registered
from hitpoint.model.video.edit import SMALLEST_GAP_S
from hitpoint.model.video.types import Boundary, VisualRhythm

Floats = NDArray[np.float64]

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
        measured=_measured(rhythm, head_s, rhythm.times_s + lead_s, tail_s),
        speech=tuple((begin_s + lead_s, stop_s + lead_s) for begin_s, stop_s in rhythm.speech),
    )


def _measured(rhythm: VisualRhythm, head_s: Floats, times_s: Floats, tail_s: Floats) -> dict[str, Arrays]:
    """What the detectors found, with what they find in black around it."""
    found: dict[str, Arrays] = {}
    for each in registered():
        if each.name in rhythm.measured:
            inside: tuple[Arrays, Floats] = (rhythm.measured[each.name], times_s)
            spans = ((each.black(len(head_s)), head_s), inside, (each.black(len(tail_s)), tail_s))
            firsts = np.cumsum([0, *(len(span_s) for _, span_s in spans)]).tolist()
            found[each.name] = each.join(
                [Part(arrays, span_s, first) for (arrays, span_s), first in zip(spans, firsts, strict=False)]
            )
    return found


def _still(head_s: Floats, values: NDArray[np.float32], tail_s: Floats) -> NDArray[np.float32]:
    return np.concatenate([np.zeros(len(head_s)), values, np.zeros(len(tail_s))]).astype(np.float32)
