"""The rows side by side: how far each is from real music, and the tables as text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.training.evaluation.answers import as_text as answers_as_text
from hitpoint.model.training.evaluation.rows import (
    ARRANGED,
    ASSOCIATED,
    BY_EAR,
    DIFFUSION,
    HUMAN,
    MOVED,
    MUSIC,
    OURS,
    RESAMPLES,
    SHUFFLED,
    STRETCHES,
    Row,
)
from hitpoint.model.training.heard.table import means, real_music, table

NINE = {name: (name,) for name in MUSIC if not name.startswith("si_")} | {"si": ("si_short", "si_mid", "si_long")}
"""The metrics by which two ways of composing are compared; structure counts once."""
CONTROL = ("density_error", "strength_error", "time_error", "hits_accented", "chance")
ANSWERING = {HUMAN: "real", "match": "match", STRETCHES: "library", ASSOCIATED: "association",
             DIFFUSION: "diffusion", SHUFFLED: "shuffled", OURS: "ours"}  # fmt: skip
"""Rows of which the last table tells how they answer the picture, and what their columns are called."""


def distances(row: Row, real: Row) -> dict[str, NDArray[np.float64]]:
    """Distance to real music of each music figure, in standard deviations of the real pieces.

    (1 + RESAMPLES,): that of the pieces themselves, then of pieces drawn again on both sides. Rows of as many pieces
    are drawn alike, so that rows made from the same plans can be compared draw by draw.
    """
    own, other = (_draws(len(each.pieces), seed) for each, seed in ((row, 1), (real, 2)))
    result = {}
    for name in MUSIC:
        ours, theirs = row.values(name), real.values(name)
        apart = np.abs(ours[own].mean(axis=1) - theirs[other].mean(axis=1))
        result[name] = apart / (float(theirs.std()) or 1.0)
    return result


def _draws(count: int, seed: int) -> NDArray[np.int64]:
    """(1 + RESAMPLES, count) indices: all once, then with replacement."""
    drawn = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    return np.concatenate([np.arange(count)[None], drawn])


def nine(apart: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Distances by metric -> (9, 1 + RESAMPLES), in the order of NINE."""
    return np.stack([np.mean([apart[name] for name in names], axis=0) for names in NINE.values()])


def as_heard(rows: Sequence[Row]) -> str:
    """The ear's table: a figure a line, a way of making music a column; real music's means that the package holds
    come last.
    """
    columns = {BY_EAR[row.name]: means(row.pieces) for row in rows if row.name in BY_EAR}
    return "\n".join(["what an ear takes from it, and where each figure should lie", table(columns | real_music())])


def as_text(rows: Sequence[Row]) -> str:
    """The table: mean and half the width of the 95% interval of each figure, then the distances to the first row, then
    what follows for control, and last the ear's table; that one alone where no real music is among the rows.
    """
    by_ear, rows = as_heard(rows), [row for row in rows if row.name != MOVED]
    by_ear += "\n\n" + answers_as_text({ANSWERING[row.name]: row.pieces for row in rows if row.name in ANSWERING})
    if rows[0].name not in (HUMAN, ARRANGED):
        return by_ear
    names = (*CONTROL, *MUSIC)
    width = max(len(row.name) for row in rows) + 2
    lines = [" " * width + " ".join(f"{name[:13]:>13}" for name in names)]
    for row in rows:
        cells = []
        for name in names:
            mean, low, high = row.interval(name)
            cells.append(f"{'-':>13}" if np.isnan(mean) else f"{mean:7.3f}±{(high - low) / 2:.3f}".rjust(13))
        lines.append(f"{row.name:<{width}}" + " ".join(cells))
    lines += ["", f"distance to {rows[0].name}, in its standard deviations"]
    for row in rows[1:]:
        if row.pieces:
            apart = distances(row, rows[0])
            cells = [_spread(apart[name]).rjust(13) if name in apart else " " * 13 for name in names]
            lines.append(
                f"{row.name:<{width}}" + " ".join(cells) + f"  mean {_spread(np.mean(list(apart.values()), axis=0))}"
            )
    return "\n".join([*lines, "", *_verdicts(rows), "", by_ear])


def _spread(values: NDArray[np.float64]) -> str:
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return f"{values[0]:.2f}±{(high - low) / 2:.2f}"


def _verdicts(rows: Sequence[Row]) -> list[str]:
    """Ours against the paper's control on the nine metrics, and what full control costs ours in groove and form."""
    real = rows[0]
    apart = {row.name: nine(distances(row, real)) for row in rows if row.pieces}
    lines = []
    for control in ("C=0.7", "C=1"):
        wins = (apart[f"ours {control}"] < apart[f"paper {control}"]).sum(axis=0)
        low, high = np.percentile(wins[1:], [2.5, 97.5])
        lines.append(
            f"{control}: nearer to {real.name} than the paper's control "
            f"on {wins[0]} of {len(NINE)} metrics [{low:.0f}, {high:.0f}]"
        )
    cost = apart["ours C=1"] - apart["no control"]
    for metric in ("gs16", "si"):
        lines.append(
            f"full control takes {metric} farther from {real.name} by {_spread(cost[list(NINE).index(metric)])}"
        )
    return lines
