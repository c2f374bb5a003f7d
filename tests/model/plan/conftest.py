"""Made-up rhythms: what an analysis would say of a film, without the film."""

from collections.abc import Callable

import numpy as np
import pytest

from hitpoint.model.video.types import Boundary, VisualBeat, VisualRhythm


def _rhythm(
    duration_s: float = 60.0,
    cuts_s: tuple[float, ...] = (),
    beats_s: tuple[float, ...] = (),
    motion: tuple[float, ...] = (0.1,),
    shots: str = "",
    kinds: tuple[str, ...] = (),
    seed: int = 0,
) -> VisualRhythm:
    """`motion`: levels, each for an equal part of the film. `shots`: one letter a shot, A B A B where empty."""
    random = np.random.default_rng(seed)
    times_s = np.arange(0.0, duration_s, 1 / 24)
    part = (np.arange(len(times_s)) * len(motion)) // max(1, len(times_s))
    labels = tuple(shots) or tuple("AB"[index % 2] for index in range(len(cuts_s) + 1))
    kinds = kinds or ("cut",) * len(cuts_s)
    return VisualRhythm(
        duration_s=duration_s,
        media=(),
        times_s=times_s,
        motion=np.array(motion, dtype=np.float32)[part],
        saliency=np.zeros(len(times_s), dtype=np.float32),
        beats=tuple(VisualBeat(time_s, float(random.random())) for time_s in beats_s),
        boundaries=tuple(
            Boundary(time_s, kind, float(random.random())) for time_s, kind in zip(cuts_s, kinds, strict=True)
        ),
        shots=labels,
    )


@pytest.fixture(scope="session")
def rhythm() -> Callable[..., VisualRhythm]:
    return _rhythm
