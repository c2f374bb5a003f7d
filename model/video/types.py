"""What the picture says: the result of the analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOUD_BEAT = 0.6
"""A visual beat of this saliency or more is sure: more likely than not an impact that a viewer would tap to."""


@dataclass(frozen=True)
class Clip:
    """A video file with an in and an out point in seconds from its zero, the moment at which a player shows or sounds
    its first; `out_s` None means its end.

    rate: playback speed in the edit (2.0 plays twice as fast, -1.0 from the out point back to the in point). start_s:
    where it begins on the timeline, seconds.
    fade_s: length of the mix from the clip before, in whose middle it begins; 0 where it begins by a cut.
    """

    path: Path
    in_s: float = 0.0
    out_s: float | None = None
    rate: float = 1.0
    start_s: float = 0.0
    fade_s: float = 0.0

    @property
    def speed(self) -> float:
        """Seconds of the film a second of the edit, whichever way it plays."""
        return abs(self.rate)


@dataclass(frozen=True)
class VisualBeat:
    """A moment at which something strikes, stops or turns back, as a viewer would tap to it.

    time_s from the in point. saliency: 0..1, rises with the confidence and a little with the size among the film's own.
    kind: "stop", "turn" or "light" (a sudden one). confidence: 0..1, how likely a viewer sees an impact here.
    """

    time_s: float
    saliency: float
    kind: str = "turn"
    confidence: float = 1.0


@dataclass(frozen=True)
class Boundary:
    """A shot boundary. kind: "cut" or "fade"; a fade's time is its darkest moment. weight: 0..1."""

    time_s: float
    kind: str
    weight: float


@dataclass(frozen=True)
class Media:
    """Facts of the file. duration_s: of the whole picture, from the film's zero to the moment at which its last frame
    goes; fps: mean; frames: counted, repeats not; width, height: upright pixels; usual_fps: of frames that follow
    each other as usual, which in a film of varying rate is more than the mean."""

    path: Path
    sha256: str
    duration_s: float
    fps: float
    frames: int
    width: int
    height: int
    usual_fps: float = 0.0


@dataclass(frozen=True)
class VisualRhythm:
    """The rhythm of one clip (or of a whole edit). All times are seconds from its in point.

    times_s (n,): moment of each analysed frame. motion (n,): mean speed where the picture shows structure, as a share
    of the frame's width, per second, without the camera's tremble; motion[0] = 0. saliency (n,): impact curve, how much
    of the picture stops or turns there; 0 or more. shots: one label per shot, equal where shots look alike. measured:
    what further detectors found, their arrays by detector; most have one row a frame. notes: sentences on what was
    lost of a damaged film, or had to be assumed. speech: (begin, end) of what somebody says in the film's own sound.
    """

    duration_s: float
    media: tuple[Media, ...]
    times_s: NDArray[np.float64]
    motion: NDArray[np.float32]
    saliency: NDArray[np.float32]
    beats: tuple[VisualBeat, ...]
    boundaries: tuple[Boundary, ...]
    shots: tuple[str, ...] = field(default=())
    measured: Mapping[str, Mapping[str, NDArray[Any]]] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = field(default=())
    speech: tuple[tuple[float, float], ...] = field(default=())


def letter(index: int) -> str:
    """The label of a look, by its number: 0 → "A", 25 → "Z", 26 → "AA"."""
    name = ""
    index += 1
    while index:
        index, place = divmod(index - 1, 26)
        name = chr(ord("A") + place) + name
    return name
