"""The mood of a picture as `hitpoint analyse` shows it. Loads numpy inside its functions only."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hitpoint.model.mood.types import Affect
    from hitpoint.model.video.types import VisualRhythm

SHOTS_SHOWN = 12


def mood_json(rhythm: VisualRhythm) -> dict[str, Any]:
    """`mood`: of the whole film, of each shot with its palette, and the curve; nothing where nothing was measured."""
    from hitpoint.model.mood.affect import whole
    from hitpoint.model.mood.curve import mood_curve

    curve = mood_curve(rhythm)
    if curve is None:
        return {}
    shots = [
        {"start_s": start_s, "end_s": end_s, "palette": colours, **_row(affect)}
        for start_s, end_s, affect, colours in _shots(rhythm)
    ]
    names = ("times_s", "valence", "arousal", "tension")
    curves = {name: [round(float(value), 4) for value in getattr(curve, name)] for name in names}
    return {"mood": {**_row(whole(curve)), "notes": list(curve.notes), "shots": shots, "curve": curves}}


def mood_text(rhythm: VisualRhythm) -> list[str]:
    """A line on the film, and one on each of the first shots."""
    from hitpoint.model.mood.affect import whole
    from hitpoint.model.mood.curve import mood_curve

    curve = mood_curve(rhythm)
    if curve is None:
        return []
    lines = [f"  mood: {_said(whole(curve))}", *(f"  note: {note}" for note in curve.notes)]
    shots = _shots(rhythm)
    lines += [
        f"    {start_s:7.2f}-{end_s:.2f} s  {_said(affect)}  {' '.join(colours)}"
        for start_s, end_s, affect, colours in shots[:SHOTS_SHOWN]
    ]
    left = len(shots) - SHOTS_SHOWN
    return lines + ([f"    and {left} shots more: --json has them all"] if left > 0 else [])


def _shots(rhythm: VisualRhythm) -> list[tuple[float, float, Affect, list[str]]]:
    from hitpoint.model.mood.affect import affects
    from hitpoint.model.mood.curve import mood_curve
    from hitpoint.model.mood.palette import palettes

    curve = mood_curve(rhythm)
    assert curve is not None
    edges_s = [0.0, *(boundary.time_s for boundary in rhythm.boundaries), rhythm.duration_s]
    spans = list(pairwise(edges_s))
    felt = affects(curve, edges_s, range(len(spans)))
    looks = palettes(rhythm, spans, coarse=True)
    return [(*span, affect, look.colours) for span, affect, look in zip(spans, felt, looks, strict=True)]


def _row(affect: Affect) -> dict[str, Any]:
    return {name: getattr(affect, name) for name in ("emotion", "valence", "arousal", "tension")}


def _said(affect: Affect) -> str:
    figures = f"valence {affect.valence:+.2f}, arousal {affect.arousal:+.2f}, tension {affect.tension:.2f}"
    return f"{affect.emotion} ({figures})"
