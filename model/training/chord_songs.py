"""Songs with human chord labels, as the chord planner learns from them: chords of half bars, counted from the tonic.

Songs are moved so that the tonic is C in major and A in minor. What a picture would have said is read from the chords
themselves: valence from mode and chord colour over four bars, arousal from tempo and rate of change, tension from the
spiral array; each as a rank among the training songs.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.data.labels import COLOUR
from hitpoint.model.data.splits import song_key, split_of
from hitpoint.model.mood.affect import emotion_of
from hitpoint.model.mood.types import MOODS
from hitpoint.model.music.chords import QUALITIES, Chord
from hitpoint.model.music.harmony import PROFILES
from hitpoint.model.music.keys import Key
from hitpoint.model.music.spiral import measures
from hitpoint.model.music.symbols import parse_symbol
from hitpoint.model.plan.harmony.columns import COLUMN, Span, Table, affect_class, table

LEFT_OUT = ("nottingham",)
"""GPL: may not shape weights under another licence."""
HALF_BEATS = 2
WINDOW_HALVES = 8
TONIC_SHARE, LAST_CHORD = 0.3, 0.15
"""What a key gains by the share of half bars on its tonic, and where the song ends on it."""


@dataclass(frozen=True)
class Song:
    """chords: one a half bar, as they are written; None where none sounds. spans: its sections, in half bars.

    arrangements: (genre, tempo in BPM) of the pieces made over it.
    """

    key_of_split: str
    chords: tuple[Chord | None, ...]
    spans: tuple[Span, ...]
    key: Key
    arrangements: tuple[tuple[str | None, float | None], ...]

    @property
    def split(self) -> str:
        """train, validation or test."""
        return split_of(self.key_of_split)

    @property
    def home(self) -> Key:
        """C major or A minor."""
        return Key(9 if self.key.minor else 0, self.key.minor)

    def at_home(self) -> list[Chord | None]:
        """The chords with the tonic moved to C or A."""
        move = self.home.root - self.key.root
        return [None if each is None else Chord((each.root + move) % 12, each.quality) for each in self.chords]


def read_songs(songs_path: Path, manifest_path: Path | None = None) -> list[Song]:
    """The songs of `songs.json.xz`, those under the GPL left out. manifest_path: of the arrangements made over them."""
    with lzma.open(songs_path, "rt", encoding="utf-8") as file:
        sources: dict[str, dict[str, Any]] = json.load(file)
    made: dict[str, list[tuple[str | None, float | None]]] = {}
    for entry in json.loads(manifest_path.read_text(encoding="utf-8")) if manifest_path else ():
        made.setdefault(f"{entry['source']}/{entry['id']}", []).append((entry.get("genre"), entry.get("tempo")))
    songs = []
    for source in sorted(set(sources) - set(LEFT_OUT)):
        for name, content in sorted(sources[source].items()):
            song = _song(song_key("band", {"source": source, "id": name, "file": ""}), content)
            if song is not None:
                songs.append(_with(song, made.get(f"{source}/{name}", [])))
    return songs


def _with(song: Song, arrangements: Sequence[tuple[str | None, float | None]]) -> Song:
    return Song(song.key_of_split, song.chords, song.spans, song.key, tuple(arrangements) or ((None, None),))


def _song(key: str, content: Mapping[str, Any]) -> Song | None:
    """None for a song without chords."""
    chords: list[Chord | None] = []
    spans = []
    seen: set[str] = set()
    for section in content["sections"]:
        first = len(chords)
        for text in section["bars"]:
            chords += half_bars(text)
        if len(chords) > first:
            spans.append(Span(first, len(chords), section["label"] in seen))
            seen.add(section["label"])
    if not any(chords):
        return None
    return Song(key, tuple(chords), tuple(spans), key_of_chords(chords), ())


def half_bars(text: str) -> tuple[Chord | None, Chord | None]:
    """ "0:F/A 3:G/B" (beat:symbol) -> the chord that fills most of each half bar, the earlier of equals."""
    beats: list[Chord | None] = [None] * (2 * HALF_BEATS)
    for part in text.split():
        beat, _, symbol = part.partition(":")
        start = min(int(float(beat)), len(beats) - 1)
        beats[start:] = [parse_symbol(symbol)] * (len(beats) - start)
    first, second = beats[:HALF_BEATS], beats[HALF_BEATS:]
    return max(first, key=first.count), max(second, key=second.count)


def key_of_chords(chords: Sequence[Chord | None]) -> Key:
    """The key whose profile fits the chords' tones best, the tonic chord's share and the last chord counted in."""
    heard = [chord for chord in chords if chord is not None]
    weights = tone_weights(heard)
    centred = weights - weights.mean()
    scores: dict[Key, float] = {}
    for minor, profile in enumerate(PROFILES):
        for root in range(12):
            key = Key(root, bool(minor))
            tonic = [each.root == root and each.minor in (None, bool(minor)) for each in heard]
            turned = np.roll(profile, root) - profile.mean()
            fit = centred @ turned / max(1e-9, float(np.linalg.norm(centred) * np.linalg.norm(turned)))
            scores[key] = float(fit) + TONIC_SHARE * float(np.mean(tonic)) + LAST_CHORD * tonic[-1]
    return max(scores, key=lambda key: scores[key])


def tone_weights(chords: Sequence[Chord | None]) -> NDArray[np.float64]:
    """How often each pitch class is in a chord, the root twice, (12,)."""
    weights = np.zeros(12)
    for chord in chords:
        if chord is not None:
            weights[list(chord.tones)] += 1
            weights[chord.root] += 1
    return weights


@dataclass(frozen=True)
class Scales:
    """What ranks are taken among: sorted values of all training half bars, and mean and deviation of the spiral's."""

    valence: NDArray[np.float64]
    rate: NDArray[np.float64]
    tempo: NDArray[np.float64]
    means: NDArray[np.float64]
    deviations: NDArray[np.float64]
    tension: NDArray[np.float64]


TENSION_WEIGHTS = np.array([0.45, 0.35, 0.20])


def spiral_rows(song: Song) -> NDArray[np.float64]:
    """Strain, diameter, momentum of each half bar, (half bars, 3); NaN where none sounds."""
    rows = np.full((len(song.chords), 3), np.nan)
    before = None
    for place, chord in enumerate(song.at_home()):
        if chord is not None:
            rows[place] = measures(chord, before, song.home)
            before = chord
    return rows


def scales_of(songs: Sequence[Song]) -> Scales:
    """The scales of the training songs."""
    spiral = np.concatenate([spiral_rows(song) for song in songs])
    spiral = spiral[~np.isnan(spiral).any(axis=1)]
    means, deviations = spiral.mean(axis=0), spiral.std(axis=0)
    tempi = [bpm for song in songs for _, bpm in song.arrangements if bpm is not None]
    return Scales(
        np.sort(np.concatenate([valence_of(song) for song in songs])),
        np.sort(np.concatenate([rate_of(song) for song in songs])),
        np.sort(np.array(tempi or [120.0])),
        means,
        deviations,
        np.sort(((spiral - means) / deviations) @ TENSION_WEIGHTS),
    )


def valence_of(song: Song) -> NDArray[np.float64]:
    """(half bars,): mode and chord colour over four bars around each, -1..1; 0 where nothing sounds."""
    chords = song.at_home()
    tones = np.array([tone_weights([chord]) for chord in chords])
    colour = np.array([np.nan if chord is None else COLOUR[chord.quality] for chord in chords])
    windows = [_window(len(chords), place) for place in range(len(chords))]
    weights = np.array([tones[window].sum(axis=0) for window in windows])
    known = np.array([(~np.isnan(colour[window])).sum() for window in windows])
    bright = np.array([np.nansum(colour[window]) for window in windows]) / np.maximum(1, known)
    fits = _correlations(weights)
    return np.where(known > 0, 0.5 * np.clip((fits[0] - fits[1]) / 0.3, -1, 1) + 0.5 * bright, 0.0)


def _correlations(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (n, 12) -> how well the best major and the best minor key fit each, (2, n)."""
    centred = weights - weights.mean(axis=1, keepdims=True)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    best = []
    for profile in PROFILES:
        turned = np.array([np.roll(profile, root) - profile.mean() for root in range(12)]) / np.linalg.norm(
            profile - profile.mean()
        )
        best.append((centred @ turned.T).max(axis=1))
    return np.array(best)


def rate_of(song: Song) -> NDArray[np.float64]:
    """(half bars,): share of changes over four bars around each."""
    chords = np.array([0 if chord is None else chord.number for chord in song.chords])
    changed = np.concatenate([[0.0], (np.diff(chords) != 0).astype(float)])
    return np.array([changed[_window(len(chords), place)].mean() for place in range(len(chords))])


def _window(length: int, place: int) -> slice:
    first = max(0, min(place - WINDOW_HALVES // 2, length - WINDOW_HALVES))
    return slice(first, first + WINDOW_HALVES)


def rank(sorted_values: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """0..1: the share of `sorted_values` below each, equals by half; NaN stays."""
    low = np.searchsorted(sorted_values, values, "left")
    high = np.searchsorted(sorted_values, values, "right")
    return np.where(np.isnan(values), np.nan, (low + high) / 2 / max(1, len(sorted_values)))


@dataclass(frozen=True)
class Example:
    """A song as arrays: root and quality (half bars,), -1 where none sounds; ranks 0..1; what genres it was set in."""

    root: NDArray[np.int64]
    quality: NDArray[np.int64]
    valence: NDArray[np.float64]
    rate: NDArray[np.float64]
    tension: NDArray[np.float64]
    spans: tuple[Span, ...]
    minor: bool
    arrangements: tuple[tuple[str | None, float | None], ...]


def example_of(song: Song, scales: Scales) -> Example:
    """`song` as arrays."""
    chords = song.at_home()
    order = list(QUALITIES)
    spiral = (spiral_rows(song) - scales.means) / scales.deviations @ TENSION_WEIGHTS
    return Example(
        np.array([-1 if each is None else each.root for each in chords]),
        np.array([-1 if each is None else order.index(each.quality) for each in chords]),
        rank(scales.valence, valence_of(song)),
        rank(scales.rate, rate_of(song)),
        _smooth(rank(scales.tension, spiral)),
        song.spans,
        song.key.minor,
        song.arrangements,
    )


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each bar, as a picture's is given; NaN where nothing sounds in it."""
    bars = values.reshape(-1, 2)
    known = ~np.isnan(bars)
    means = np.where(known.any(axis=1), np.nansum(bars, axis=1) / np.maximum(1, known.sum(axis=1)), np.nan)
    return np.repeat(means, 2)


def conditions_of(example: Example, scales: Scales, arrangement: int) -> Table:
    """What the planner is told of the song, set in one of its arrangements."""
    genre, tempo_bpm = example.arrangements[arrangement % len(example.arrangements)]
    rows = table(len(example.root), example.spans, minor=example.minor, tempo_bpm=tempo_bpm, genre=genre)
    arousal = example.rate
    if tempo_bpm is not None:
        arousal = (arousal + rank(scales.tempo, np.array([tempo_bpm]))[0]) / 2
    rows[:, COLUMN["valence"]] = affect_class(example.valence)
    rows[:, COLUMN["arousal"]] = affect_class(arousal)
    rows[:, COLUMN["tension"]] = affect_class(example.tension)
    emotions = [emotion_of(2 * v - 1, 2 * a - 1) for v, a in zip(example.valence, arousal, strict=True)]
    rows[:, COLUMN["emotion"]] = [1 + MOODS.index(each) for each in emotions]
    return rows
