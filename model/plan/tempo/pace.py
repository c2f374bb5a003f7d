"""How quick the music wants to be, and why: a quick tempo needs a reason in the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.plan.hits.weights import Moment
from hitpoint.model.video.types import LOUD_BEAT

CALM_BPM, CUTS_BPM, MOTION_BPM = 76.0, 44.0, 12.0
"""The tempo of a still picture without cuts, and what many cuts and quick motion add to it at most."""
LIVELY_CUTS_PER_S = 0.5
MOTION_FLOOR, MOTION_CEILING = 0.03, 0.5
"""Mean motion, frame widths a second, that adds nothing and all. Between them its logarithm counts, so that a darker
copy or another frame rate, which measure a little more or less of it, hardly matter."""
SLOWEST_BPM, CALM_TOP_BPM, TOP_BPM = 60.0, 100.0, 140.0
"""The tempi that may be chosen: up to CALM_TOP_BPM without a reason, up to TOP_BPM with one."""
PULSE_BEATS, PULSE_SHARE, PULSE_ERROR = 8, 0.7, 0.08
"""A pulse: so many loud visual beats, of whose gaps this share is a whole number of the usual gap, within the error."""
MOST_GAPS = 4
"""A gap of more beats than this says nothing."""


def pulse_s(moments: Sequence[Moment]) -> float | None:
    """Seconds between the visual beats, if they keep time; None if not."""
    times_s = [each.time_s for each in moments if each.kind == "beat" and each.saliency >= LOUD_BEAT]
    if len(times_s) < PULSE_BEATS:
        return None
    gaps_s = np.diff(times_s)
    usual_s = float(np.median(gaps_s))
    counts = np.rint(gaps_s / usual_s)
    even = (counts >= 1) & (counts <= MOST_GAPS) & (np.abs(gaps_s / usual_s - counts) <= PULSE_ERROR)
    return float((gaps_s[even] / counts[even]).mean()) if even.mean() >= PULSE_SHARE else None


def pace(
    moments: Sequence[Moment], motion: NDArray[np.float32], duration_s: float, bias_bpm: float = 0.0
) -> tuple[float, float]:
    """(the BPM to lean to, the quickest BPM to take). motion (n,): frame widths a second. bias_bpm: what the mood adds;
    visual beats that keep time give their tempo whatever the mood.
    """
    cuts = sum(each.kind == "cut" for each in moments)
    by_cuts = min(1.0, cuts / duration_s / LIVELY_CUTS_PER_S)
    known = motion[np.isfinite(motion)]
    moved = float(known.mean()) if len(known) else 0.0
    by_motion = np.log(max(moved, 1e-9) / MOTION_FLOOR) / np.log(MOTION_CEILING / MOTION_FLOOR)
    by_motion = float(np.clip(by_motion, 0.0, 1.0))
    aim_bpm = CALM_BPM + CUTS_BPM * by_cuts + MOTION_BPM * by_motion
    top = CALM_TOP_BPM + (TOP_BPM - CALM_TOP_BPM) * min(1.0, 1.5 * by_cuts + 0.5 * by_motion)
    beat_s = pulse_s(moments)
    biased = min(TOP_BPM, max(SLOWEST_BPM, aim_bpm + bias_bpm)), min(TOP_BPM, top + max(0.0, bias_bpm))
    if beat_s is None:
        return biased
    octave = round(np.log2(aim_bpm * beat_s / 60.0))
    pulse_bpm = 60.0 / beat_s * 2.0**octave
    return (pulse_bpm, TOP_BPM) if SLOWEST_BPM <= pulse_bpm <= TOP_BPM else biased
