"""Single frames of a film at its own size, for what needs to see more than the analysis does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video import media
from hitpoint.model.video.edit import closed, shown_s
from hitpoint.model.video.film import open_film
from hitpoint.model.video.types import Clip


def stills(clip: Clip, times_s: Sequence[float]) -> list[NDArray[np.uint8]]:
    """The frames (h, w, 3), RGB, shown at `times_s`, seconds from the clip's in point at its own rate.

    Times at which nothing is shown are left out. Raises InputError for a film that cannot be read.
    """
    film = open_film(clip.path)
    whole = closed(clip, film.media.duration_s)
    found = []
    with media.reading(clip.path), media.open_container(clip.path) as container:
        stream = next(each for each in container.streams.video if each.index == film.track.index)
        unit_s = float(stream.time_base or 1)
        for time_s in times_s:
            wanted_s = shown_s(whole, time_s) - film.track.step_s * (clip.rate < 0) + film.track.zero_s
            container.seek(max(0, int(wanted_s / unit_s)), stream=stream, backward=True)
            for frame in container.decode(stream):
                if frame.pts is None or frame.pts * unit_s >= wanted_s - film.track.step_s:
                    found.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
                    break
    return found
