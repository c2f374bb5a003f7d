"""The players: small networks that say how loud and how late people would play a note. Numpy alone runs them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import INSTRUMENTS, Bar, Note
from hitpoint.model.perform.features import STYLE_OF, drums, pitched
from hitpoint.model.plan.types import BarPlan

WEIGHTS = Path(__file__).parents[1] / "checkpoints" / "players.safetensors"
_LAYERS = ("0", "2", "4")


@lru_cache(maxsize=1)
def _weights() -> dict[str, NDArray[np.float64]]:
    from safetensors.numpy import load_file

    return {name: np.asarray(values, np.float64) for name, values in load_file(WEIGHTS).items()}


def guess(part: str, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2): velocities against the bar's mean, milliseconds behind the grid, for columns (n, c) of `features`.

    part: "keys", "tune" or "drums". Rounded to a hundredth, so that no machine's last bits are heard.
    """
    weights, x = _weights(), columns
    for layer in _LAYERS:
        x = x @ weights[f"{part}.{layer}.weight"].T + weights[f"{part}.{layer}.bias"]
        x = np.tanh(x) if layer != _LAYERS[-1] else x
    return np.asarray(np.round(x, 2))


class Heard(NamedTuple):
    """What a player does to a note: velocities above its part's mean in the bar, milliseconds behind the grid."""

    louder: float
    late_ms: float


def heard(bar: Bar, asked: BarPlan) -> dict[Note, Heard]:
    """What the players would do to the bar's notes; of the bass only when. Nothing where nothing is humanised."""
    playing = asked.playing
    if playing is None or playing.humanise == 0:
        return {}
    found: dict[Note, Heard] = {}
    for number, name in enumerate(INSTRUMENTS):
        own = [note for note in bar.notes if note.instrument == number]
        if not own:
            continue
        ticks, pitches = [note.tick for note in own], [note.pitch for note in own]
        if name == "drums":
            rows = guess("drums", drums(ticks, pitches, STYLE_OF[playing.genre], playing.bpm))
        else:
            part = "tune" if number == asked.leader and name != "piano" else "keys"
            lengths = [note.duration_ticks for note in own]
            rows = guess(part, pitched(ticks, pitches, lengths, _others(bar.notes, number, asked.leader), playing.bpm))
        rows = rows - np.array([rows[:, 0].mean(), 0.0])
        found |= {note: Heard(float(row[0]), float(row[1])) for note, row in zip(own, rows, strict=True)}
    return found


def _others(notes: Sequence[Note], number: int, leader: int | None) -> list[int]:
    """Ticks of what a part listens to: the tune, or where it is the tune, everybody else's but the drums'."""
    return sorted({
        note.tick for note in notes
        if note.instrument not in (0, number) and (number == leader or note.instrument == leader)
    })  # fmt: skip
