"""Real music as scores, to be measured by the code that measures ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.data.reader import family_set, read_piece
from hitpoint.model.errors import InputError
from hitpoint.model.music.score import TICKS_PER_BAR, Bar, Note, Score, TempoMap, TempoPoint
from hitpoint.model.music.tokens import Notes
from hitpoint.model.training.heard.grid import DRUMS, Marks, table_of


def bars_of(notes: Notes) -> list[Bar]:
    """The bars of a piece on the grid, from its first to its last note."""
    count = int(notes.bar[-1]) + 1 if len(notes.bar) else 0
    found: list[list[Note]] = [[] for _ in range(count)]
    for bar, tick, instrument, pitch, ticks, velocity in zip(*(column.tolist() for column in notes), strict=True):
        found[bar].append(Note(tick, instrument, pitch, ticks, velocity))
    return [Bar(index, tuple(sorted(each))) for index, each in enumerate(found)]


def read_scores(folder: Path, most: int | None = None) -> Iterator[tuple[str, Score]]:
    """(file name, score) of the MIDI files of a folder, `most` of them evenly spread; those of no use are left out.

    A steady tempo stands for each piece's own, and genre is "pop" throughout: neither is measured in real music.
    """
    files = sorted(each for each in folder.rglob("*") if each.suffix.lower() in (".mid", ".midi"))
    if most is not None and len(files) > most:
        files = [files[index * len(files) // most] for index in range(most)]
    for path in files:
        try:
            piece = read_piece(path)
        except (InputError, OSError):
            continue
        tempo_map = TempoMap((TempoPoint(0.0, 0.0, piece.tempo_bpm),))
        yield path.name, Score(tuple(bars_of(piece.notes)), tempo_map, "pop", family_set(piece.notes), 0)


def excerpt(score: Score, first_bar: int, bars: int) -> Score:
    """Bars first_bar.. of a score, counted from 0 again."""
    chosen: Sequence[Bar] = score.bars[first_bar : first_bar + bars]
    return replace(score, bars=tuple(replace(bar, index=index) for index, bar in enumerate(chosen)))


NOVELTY_BARS = 4
_LEAST_NOVEL = 0.5


def real_marks(score: Score) -> Marks:
    """The marks of music without a picture: sections begin where rhythm and pitch classes turn to something new."""
    return Marks(section_bars=novel_bars(score))


def novel_bars(score: Score) -> tuple[int, ...]:
    """Bars at which a section seems to begin: peaks of novelty (Foote 2000), half a deviation over the mean and at
    least 4 bars apart.

    Who plays is left out of what is compared, so that entries at these bars are found and not presupposed.
    """
    bars = len(score.bars)
    if bars < 2 * NOVELTY_BARS:
        return ()
    looks = _bar_looks(score)
    likeness = looks @ looks.T
    sign = np.repeat([1.0, -1.0], NOVELTY_BARS)
    kernel = np.outer(sign, sign)
    novelty = np.zeros(bars)
    for bar in range(NOVELTY_BARS, bars - NOVELTY_BARS + 1):
        window = slice(bar - NOVELTY_BARS, bar + NOVELTY_BARS)
        novelty[bar] = float((kernel * likeness[window, window]).sum())
    least = novelty.mean() + _LEAST_NOVEL * novelty.std()
    chosen: list[int] = []
    for bar in np.argsort(-novelty).tolist():
        if novelty[bar] > least and all(abs(bar - each) >= NOVELTY_BARS for each in chosen):
            chosen.append(bar)
    return tuple(sorted(chosen))


def _bar_looks(score: Score) -> NDArray[np.float64]:
    """Pitch classes and onset pattern of each bar, (bars, 12 + 16), each half of unit length."""
    table, bars = table_of(score), len(score.bars)
    bar = table.tick // TICKS_PER_BAR
    pitched = table.instrument != DRUMS
    chroma = np.bincount(bar[pitched] * 12 + table.pitch[pitched] % 12, table.duration[pitched], bars * 12)
    rhythm = np.bincount(table.tick, minlength=bars * TICKS_PER_BAR).astype(float)
    halves = [chroma.reshape(bars, 12), rhythm.reshape(bars, TICKS_PER_BAR)]
    return np.concatenate(
        [half / np.maximum(np.linalg.norm(half, axis=1, keepdims=True), 1e-9) for half in halves], axis=1
    )
