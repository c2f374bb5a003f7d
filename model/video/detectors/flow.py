"""How fast things move in the picture, without the camera's own motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.camera import STILL, Floats, Images, tall

BORDER_SHARE = 0.05
"""Part of each edge that is not looked at: flow is least sure there (Davis & Agrawala 2018)."""
STRUCTURE = 4.0
"""Levels (0..255): flow counts half where the picture's local spread is this. Elsewhere flow is a guess."""
WILD_SHARE = 0.03
"""Of the picture's width in one step: more flow than this is not followed on."""
SAME_LEVELS = 2
"""Two pictures of which no pixel differs by more are one, coded twice."""
_STRUCTURE_PIXELS = 3
DECIMALS = 6
"""Of what is measured; finer is noise."""
_QUIET_PX = 0.05


class FlowMeter:
    """Dense flow (DIS, Kroeger et al. 2016) from each frame to the next, as a share of the frame's width.

    It looks at half the detectors' size: its finest step has no more.
    """

    def __init__(self) -> None:
        import cv2

        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._flow.setFinestScale(0)
        self._field: NDArray[np.float32] | None = None

    def restart(self) -> None:
        """Forget the flow before."""
        self._field = None

    def measure(self, small: Images, moved: Floats, contrast: Floats) -> tuple[Floats, Floats]:
        """((m,) mean |flow| that the camera's motion does not explain, (m,) share of the picture that has structure).

        small (m + 1, h, w): the frames at half size; moved (m, 3, 3): as `Camera.measure`; contrast (m,): of each later
        frame.
        """
        import cv2

        count, height, width = len(small) - 1, *small.shape[1:]
        gain = np.minimum(1 / contrast, 4.0)
        fields = self._fields(small, gain)
        rows, columns = round(height * BORDER_SHARE), round(width * BORDER_SHARE)
        inside = (slice(None), slice(rows, height - rows), slice(columns, width - columns))
        moves = np.any(moved != STILL, axis=(1, 2))
        if moves.any():
            fields[moves] -= _flow_of(moved[moves], height, width)
        fields = fields[inside]
        size = cv2.magnitude(*(np.ascontiguousarray(fields[..., axis]).reshape(count, -1) for axis in (0, 1)))
        size *= np.clip(size / _QUIET_PX - 1, 0, 1)
        weight = np.ascontiguousarray(structure(small[:-1], gain)[inside]).reshape(count, -1)
        # Summed in double precision: in single, the sum depends on where in memory the numbers happen to lie.
        # Rounded, since the libraries' single products differ in their last bit from place to place as well.
        own = (size * weight).mean(axis=1, dtype=np.float64) / width
        return own.round(DECIMALS), weight.mean(axis=1, dtype=np.float64).round(DECIMALS)

    def _fields(self, small: Images, gain: Floats) -> NDArray[np.float32]:
        """(m, h, w, 2): flow from each picture to the next, in pixels of these pictures."""
        import cv2

        fields = np.zeros((len(small) - 1, *small.shape[1:], 2), np.float32)
        for k in range(len(fields)):
            if cv2.norm(small[k], small[k + 1], cv2.NORM_INF) <= SAME_LEVELS:
                self._field = None
                continue
            before, after = (cv2.convertScaleAbs(each, alpha=float(gain[k])) for each in small[k : k + 2])
            # Begun at the flow before, true motion is followed on and the flow of grain, which has none, halves.
            field = np.asarray(self._flow.calc(before, after, self._field), np.float32)  # type: ignore[arg-type]
            fields[k] = field
            # Across a cut flow is a guess, and one that the next would not get rid of.
            is_wild = cv2.norm(field, cv2.NORM_L1) > WILD_SHARE * field.shape[1] * field[..., 0].size
            self._field = None if is_wild else field
        return fields


def _flow_of(moved: Floats, height: int, width: int) -> NDArray[np.float32]:
    """(m, h, w, 2) pixels by which the camera's motion `moved` (m, 3, 3), of a picture twice as large, shifts each."""
    grow = (moved - STILL).astype(np.float32)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    flow = np.empty((len(moved), height, width, 2), np.float32)
    for axis in (0, 1):
        across = x * grow[:, axis, 0, None] + grow[:, axis, 2, None] / 2
        np.add(across[:, None, :], (y * grow[:, axis, 1, None])[:, :, None], out=flow[..., axis])
    return flow


def structure(lumas: Images, gain: Floats) -> NDArray[np.float32]:
    """How far flow can be trusted (m, h, w), 0..1: the local variance of brightness against STRUCTURE squared."""
    import cv2

    size = (_STRUCTURE_PIXELS, _STRUCTURE_PIXELS)
    level = tall(lumas).astype(np.float32)
    mean = cv2.blur(level, size)
    variance = np.maximum(cv2.blur(level * level, size) - mean * mean, 0).reshape(lumas.shape)
    variance *= np.square(gain).astype(np.float32)[:, None, None]
    return np.asarray(variance / (variance + np.float32(STRUCTURE**2)), np.float32)
