"""Real music as scores, to be measured by the code that measures ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hitpoint.model.data.reader import family_set, read_piece
from hitpoint.model.errors import InputError
from hitpoint.model.music.score import Bar, Note, Score, TempoMap, TempoPoint
from hitpoint.model.music.tokens import Notes


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
