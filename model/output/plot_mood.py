"""The row of a plot that shows the mood: curves of valence, arousal and tension over the colours of the shots."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hitpoint.model.mood.curve import mood_curve
from hitpoint.model.mood.palette import palettes
from hitpoint.model.video.types import VisualRhythm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hitpoint.model.plan.types import Plan

CURVES = (("valence", "#ffd166"), ("arousal", "#ff6b78"), ("tension", "#b795ff"))
PALETTE_HEIGHT = 0.35
"""Of the axis, from −1 − PALETTE_HEIGHT up to −1: the colours, each as wide as its shot."""
FAINT = "#8c94a3"


def draw_mood(axis: Axes, rhythm: VisualRhythm, plan: Plan | None = None) -> None:
    """plan: draw what its bars were given, wishes included, rather than what the picture alone says."""
    curve = mood_curve(rhythm)
    if curve is not None:
        edges_s = [0.0, *(boundary.time_s for boundary in rhythm.boundaries), rhythm.duration_s]
        spans = list(pairwise(edges_s))
        for (start_s, end_s), (colours, _) in zip(spans, palettes(rhythm, spans, coarse=True), strict=True):
            step = PALETTE_HEIGHT / len(colours)
            for number, colour in enumerate(colours):
                low = -1.0 - (number + 1) * step
                axis.fill_between([start_s, end_s], low, low + step, color=colour, linewidth=0)
    felt = [] if plan is None else [bar.affect for bar in plan.bars if bar.affect is not None]
    for name, colour in CURVES:
        if plan is not None and len(felt) == len(plan.bars):
            lines = [*(plan.tempo_map.time_at_tick(bar.index) for bar in plan.bars), plan.duration_s]
            axis.stairs([getattr(each, name) for each in felt], lines, baseline=None, color=colour, linewidth=1.4)
        elif plan is None and curve is not None:
            axis.plot(curve.times_s, getattr(curve, name), color=colour, linewidth=1.4)
    axis.axhline(0.0, color=FAINT, linewidth=0.6, linestyle=":")
    axis.set_ylim(-1.0 - PALETTE_HEIGHT, 1.08)
    axis.set_yticks([-1, 0, 1])
    place = 0.998
    for name, colour in reversed(CURVES):
        axis.text(place, 0.95, name, transform=axis.transAxes, color=colour, fontsize=8, ha="right", va="top")
        place -= 0.04
