"""The control of the paper, kept to be compared with: Algorithm 1 of Di et al. 2021, which replaces sampled tokens.

At a bar row the sampled density is replaced by the video's with probability C. When the sampled token lies on or behind
a visual beat not yet written, it is replaced by that beat and its strength with probability C. Nothing makes the bar
keep to its density: the network is expected to have learnt what the countdown means.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hitpoint.model.compose.cmt.grammar import Ask, BarTask, Mask, Row, Writer, simu_note
from hitpoint.model.compose.cmt.leaning import Place
from hitpoint.model.music import tokens
from hitpoint.model.music.score import TICKS_PER_BAR, Bar, Note
from hitpoint.model.music.tokens import BAR_LINE, FIRST_TICK, MAX_SIMU_NOTE

_SIZE = dict(zip(tokens.FIELDS, tokens.SIZES, strict=True))


def overwriting(control: float, draws: np.random.Generator) -> Callable[[BarTask], Writer]:
    """A writer with control degree C in 0..1; `draws` decides what is replaced."""

    def write(task: BarTask) -> Writer:
        return _write_bar(task, control, draws)

    return write


def _write_bar(task: BarTask, control: float, draws: np.random.Generator) -> Writer:
    density = (yield Ask("density", {"type": tokens.RHYTHM, "beat": BAR_LINE}, np.arange(_SIZE["density"]) > 0)) - 1
    if task.density is not None and draws.random() < control:
        density = task.density
    yield Row((tokens.RHYTHM, BAR_LINE, density + 1, 0, 0, 0, 0, 0), 0)
    pending = sorted(task.required)
    notes: list[Note] = []
    tick = last = -1
    while True:
        beat = yield Ask("beat", {"type": tokens.RHYTHM}, _beats(task, tick, last))
        wanted = None
        if pending and (beat == BAR_LINE or beat - FIRST_TICK >= pending[0]):
            hit = pending.pop(0)
            if draws.random() < control:
                beat, wanted = FIRST_TICK + hit, task.required[hit]
        if beat == BAR_LINE:
            return Bar(task.index, tuple(sorted(notes)))
        if beat - FIRST_TICK != tick:
            density, tick, last = max(0, density - 1), beat - FIRST_TICK, -1
        known = {"type": tokens.RHYTHM, "beat": beat}
        last = (yield Ask("instrument", known, _instruments(task, last))) - 1
        if wanted is None:
            allowed = (np.arange(_SIZE["strength"]) >= 2) & (np.arange(_SIZE["strength"]) <= MAX_SIMU_NOTE + 1)
            wanted = (yield Ask("strength", known | {"instrument": last + 1}, allowed)) - 1
        yield Row((tokens.RHYTHM, beat, density + 1, wanted + 1, last + 1, 0, 0, 0), tick)
        notes += yield from simu_note(task, Place(tick, last, 0, 1), wanted)


def _beats(task: BarTask, tick: int, last: int) -> Mask:
    """The bar line, a later tick, or the same tick again where a later instrument is left."""
    mask = np.zeros(_SIZE["beat"], bool)
    mask[BAR_LINE] = True
    mask[FIRST_TICK + tick + 1 : FIRST_TICK + TICKS_PER_BAR] = True
    if tick >= 0:
        mask[FIRST_TICK + tick] = max(task.instruments) > last
    return mask


def _instruments(task: BarTask, last: int) -> Mask:
    mask = np.zeros(_SIZE["instrument"], bool)
    mask[[k + 1 for k in task.instruments if k > last]] = True
    return mask
