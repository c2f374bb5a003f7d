"""Valence and tension as somebody drew them, in place of the picture's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hitpoint.model.mood.curve import STEP_S, MoodCurve, Values
from hitpoint.model.mood.types import MoodPoint


def drawn_into(curve: MoodCurve, points: Sequence[MoodPoint]) -> MoodCurve:
    """The curve with what was drawn: straight from each point to the next, up to a step beyond the outer ones; the
    picture's own elsewhere. The film as a whole changes by as much as its windows do in the mean.
    """
    changed = {
        name: _drawn(curve.times_s, getattr(curve, name), [(each.time_s, getattr(each, name)) for each in points])
        for name in ("valence", "tension")
    }
    valence, arousal, tension = curve.overall
    overall = (
        float(np.clip(valence + (changed["valence"] - curve.valence).mean(), -1.0, 1.0)),
        arousal,
        float(np.clip(tension + (changed["tension"] - curve.tension).mean(), 0.0, 1.0)),
    )
    return replace(curve, valence=changed["valence"], tension=changed["tension"], overall=overall)


def _drawn(times_s: Values, values: Values, points: Sequence[tuple[float, float | None]]) -> Values:
    known = [(time_s, value) for time_s, value in points if value is not None]
    if not known:
        return values
    at_s, drawn = np.array([each[0] for each in known]), np.array([each[1] for each in known], np.float64)
    inside = (times_s >= at_s[0] - STEP_S) & (times_s <= at_s[-1] + STEP_S)
    return np.where(inside, np.interp(times_s, at_s, drawn), values)
