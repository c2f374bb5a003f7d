"""The figures as a table to read: a line a figure, a column a way of making music."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hitpoint.model.training.heard.figures import FIGURES, Figures

REAL_MUSIC = Path(__file__).with_name("real.json")
"""Means of human music: `real5`, 181 pieces of five parts from games and one composer; `pop909_5`, 812 pop songs
arranged for piano and a melody (POP909). Of this music only these means are in the package."""
_NAMES = {"real5": "games", "pop909_5": "pop909"}
_LABEL, _CELL = 42, 11


def real_music() -> dict[str, Figures]:
    """Column name -> the figures of real music, measured by the same code."""
    measured: dict[str, Figures] = json.loads(REAL_MUSIC.read_text(encoding="utf-8"))
    return {_NAMES.get(name, name): figures for name, figures in measured.items()}


def means(pieces: Sequence[Figures]) -> Figures:
    """The mean of each figure over the pieces that have it."""
    names = {name for piece in pieces for name in piece}
    values = {name: [piece[name] for piece in pieces if name in piece] for name in names}
    return {name: sum(each) / len(each) for name, each in values.items()}


def table(columns: Mapping[str, Figures]) -> str:
    """The figures that any column has, a line each, with the aim last; "-" where a column lacks one."""
    lines = [" " * _LABEL + "".join(f"{name[: _CELL - 1]:>{_CELL}}" for name in columns) + "  aim"]
    for figure in FIGURES:
        if any(figure.name in column for column in columns.values()):
            cells = _cells(column.get(figure.name, math.nan) for column in columns.values())
            lines.append(f"{figure.says:<{_LABEL}}{cells}  {figure.aim}".rstrip())
    return "\n".join(lines)


def _cells(values: Iterable[float]) -> str:
    return "".join(f"{'-' if math.isnan(value) else f'{value:.2f}':>{_CELL}}" for value in values)
