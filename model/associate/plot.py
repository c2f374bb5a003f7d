"""Which look goes with which sound, as a picture: what was learnt, to be looked at before it is trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.associate.association import Association
from hitpoint.model.associate.sounds import SOUNDS
from hitpoint.model.files import atomic
from hitpoint.model.mood.looks import LOOKS

LITTLE, MUCH = 0.1, 0.9
"""Ranks between which a look is turned up, all others staying in the middle."""
BACKGROUND, TEXT = "#12141a", "#e4e7ee"
DPI = 120


def leanings(association: Association) -> NDArray[np.float64]:
    """(8, 24): by how many standard deviations each sound is expected to rise where one look goes from little to
    much."""
    looks = np.full((2, len(LOOKS), len(LOOKS)), 0.5)
    for number, rank in enumerate((LITTLE, MUCH)):
        np.fill_diagonal(looks[number], rank)
    low, high = (association.expected(each) for each in looks)
    return np.asarray(high - low)


def strongest(association: Association, count: int = 8) -> list[str]:
    """Sentences on what goes together most: "impacts: more notes a chord (+0.61)"."""
    table = leanings(association)
    order = np.argsort(-np.abs(table), axis=None)[:count]
    found = []
    for look, sound in zip(*np.unravel_index(order, table.shape), strict=True):
        value = table[look, sound]
        found.append(f"{LOOKS[look]}: {'more' if value > 0 else 'less'} {SOUNDS[sound]} ({value:+.2f})")
    return found


def plot(association: Association, path: Path, force: bool = False) -> None:
    """Write a PNG: looks down, sounds across; warm colours where one brings more of the other. Raises UsageError as
    `hitpoint.model.files.atomic`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    table = leanings(association)
    most = max(float(np.abs(table).max()), 1e-6)
    figure = Figure(figsize=(11, 4.6), facecolor=BACKGROUND, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    shown = axis.imshow(table, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto")
    axis.set_xticks(range(len(SOUNDS)), SOUNDS, rotation=60, ha="right", fontsize=8, color=TEXT)
    axis.set_yticks(range(len(LOOKS)), LOOKS, fontsize=9, color=TEXT)
    for (row, column), value in np.ndenumerate(table):
        axis.text(column, row, f"{value:+.1f}", ha="center", va="center", fontsize=6, color="#222222")
    bar = figure.colorbar(shown, ax=axis, pad=0.01)
    bar.ax.tick_params(colors=TEXT, labelsize=7)
    bar.set_label("standard deviations, from little to much of a look", color=TEXT, fontsize=8)
    with atomic(path, force) as part:
        figure.savefig(part, format="png", dpi=DPI, facecolor=BACKGROUND)
