"""Learning associations: from music alone, each segment with the shot that it would cast, or from pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.associate.association import Association
from hitpoint.model.associate.correlation import correlated
from hitpoint.model.associate.harmonium import learn
from hitpoint.model.associate.looks import ranked, virtual_looks
from hitpoint.model.associate.segments import segments
from hitpoint.model.associate.sounds import bar_sums, sounds
from hitpoint.model.data.build import Shard
from hitpoint.model.data.labels import bars_of, bright_of, pitch_classes
from hitpoint.model.data.windows import piece_notes
from hitpoint.model.errors import InputError
from hitpoint.model.mood.looks import LOOKS
from hitpoint.model.music.chords import label_chords
from hitpoint.model.music.tokens import Notes

WORDS, KINDS = 64, 32
FEW, FEWEST = 200, 30
"""Below so many pairs canonical correlation stands in for the harmonium; below the other nothing can be learnt."""
NOISE = 0.1
"""Standard deviation of what is added to a virtual shot's ranks."""
HALF_COUNT = 0.5
LEAST_SPREAD, UNHEARD = 1e-3, 1e9
"""A sound that is the same throughout says nothing, and so counts nothing where it is not."""

Table = NDArray[np.float64]


class Song(NamedTuple):
    """A song's segments in order: looks (n, 8), ranked, and sounds (n, 24), less their means over the song."""

    looks: Table
    sounds: Table


def song_of(notes: Notes, bars: int, bar_s: float) -> Song:
    """The segments of a piece, each with its virtual shot, without noise."""
    chords = chord_numbers(notes, bars)
    weights = pitch_classes(notes, bars)
    valence = np.nan_to_num(bright_of(chords, weights))
    spans = segments(notes, bars)
    looks = ranked(virtual_looks(notes, bars, spans, valence, bar_s))
    heard = sounds_of(notes, bars, chords, spans)
    return Song(looks, heard - heard.mean(axis=0))


def chord_numbers(notes: Notes, bars: int) -> NDArray[np.int64]:
    """(2 bars,): the number of each half bar's chord, 0 where none sounds."""
    return np.array([0 if chord is None else chord.number for chord in label_chords(bars_of(notes, bars))], np.int64)


def sounds_of(notes: Notes, bars: int, chords: NDArray[np.int64], spans: NDArray[np.int64]) -> Table:
    """(n, 24): the sounds of stretches of bars."""
    sums = bar_sums(notes, bars, chords)
    return sounds(np.stack([sums[first:end].sum(axis=0) for first, end in spans.tolist()]))


def songs_of(
    shard: Shard, split: str, datasets: Sequence[str], progress: Callable[[float], None], most: int = 0
) -> list[Song]:
    """One song of each key of the shard, of a split; spread over all of them where `most` is given and are enough."""
    seen: dict[str, int] = {}
    for number, piece in enumerate(shard.pieces):
        if piece.split == split and piece.dataset in datasets:
            seen.setdefault(piece.song, number)
    found = []
    numbers = list(seen.values())
    for done, number in enumerate(numbers[:: max(1, len(numbers) // most)] if most else numbers):
        piece = shard.pieces[number]
        found.append(song_of(piece_notes(shard, piece), piece.bars, 240.0 / piece.tempo_bpm))
        progress(done / len(seen))
    return found


def mined(songs: Sequence[Song], about: dict[str, str], seed: int = 0, noise: float = NOISE) -> Association:
    """What the songs' segments say together. noise: 0 for looks that are real.

    Raises InputError for fewer than FEWEST segments.
    """
    rng = np.random.default_rng(seed)
    looks = np.concatenate([song.looks for song in songs])
    heard = np.concatenate([song.sounds for song in songs])
    if len(looks) < FEWEST:
        raise InputError(
            f"{len(looks)} segments of music with their picture are too few to learn from; at least {FEWEST} are needed"
        )
    spread = np.where(heard.std(axis=0) > LEAST_SPREAD, heard.std(axis=0), UNHEARD)
    shown = np.clip(looks + rng.normal(0, noise, looks.shape), 0.0, 1.0) if noise else looks
    centres = clustered(_as_films_are(shown, rng) if noise else shown, min(WORDS, len(looks) // 4), seed)
    found = Association(centres, spread, np.zeros((0, 24)), np.zeros((0, 0)), about=about)
    standard = found.standard(heard)
    found = replace(found, classes=clustered(standard, min(KINDS, len(looks) // 8), seed))
    chain = _chain((found.kinds(found.standard(song.sounds)) for song in songs), len(found.classes))
    if len(looks) < FEW:
        return replace(found, chain=chain, correlation=correlated(shown, standard))
    return replace(found, chain=chain, harmonium=learn(found.words(shown), standard, len(centres), seed))


def _as_films_are(looks: Table, rng: np.random.Generator) -> Table:
    """The looks, and as many whose figures owe nothing to each other, as in pictures: there warm is not bright."""
    return np.concatenate([looks, rng.random((len(looks), len(LOOKS)))])


def clustered(rows: Table, count: int, seed: int) -> Table:
    """The centres (count, d) of K-means."""
    import cv2

    cv2.setRNGSeed(seed)
    count = min(count, len(np.unique(rows, axis=0)))
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 1e-4)
    centres = cv2.kmeans(rows.astype(np.float32), count, None, stop, 2, cv2.KMEANS_PP_CENTERS)[2]  # type: ignore[call-overload]
    return np.asarray(centres, np.float64)


def _chain(kinds: Iterable[NDArray[np.int64]], count: int) -> Table:
    """ln P(kind | kind before), with half a count for what never follows."""
    counts = np.full((count, count), HALF_COUNT)
    for each in kinds:
        np.add.at(counts, (each[:-1], each[1:]), 1.0)
    return np.asarray(np.log(counts / counts.sum(axis=1, keepdims=True)))


def about(songs: Sequence[Song], source: str) -> dict[str, str]:
    """What is kept beside what was learnt."""
    return {"from": source, "songs": str(len(songs)), "segments": str(sum(len(song.looks) for song in songs))}
