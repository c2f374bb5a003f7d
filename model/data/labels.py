"""What is known of a piece bar by bar beyond its notes: chords, mode, form, and what the music feels like.

Chords, keys and sections come from people where a manifest or a collection of songs has them, and from the labeller
(`model/music/chords.py`) and key profiles elsewhere. Valence, arousal and tension are measured on the notes over four
bars and become classes by their octiles over the training songs, data sets weighing alike: what the picture says of
itself, ranked within a film, meets them there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.data.reader import Piece
from hitpoint.model.music.chords import CHORDS, QUALITIES, Chord, label_chords
from hitpoint.model.music.harmony import PROFILES
from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import TICKS_PER_BAR, Bar, Note
from hitpoint.model.music.symbols import parse_symbol
from hitpoint.model.music.tokens import Notes, velocity_class
from hitpoint.model.network.conditions import AFFECT_CLASSES, MAJOR, MINOR, Labels, chord_classes
from hitpoint.model.plan.harmony.tension import tension_table

COLOUR = {
    "maj": 1.0, "maj6": 0.8, "maj7": 0.6, "7": 0.2, "sus4": 0.2, "sus2": 0.1, "min7": -0.4, "min": -0.6, "min6": -0.7,
    "aug": -0.7, "hdim7": -0.9, "dim": -1.0, "dim7": -1.0,
}  # fmt: skip
"""How bright a quality is, -1..1; set by hand."""
MOOD_BARS = 4
FLAT_SHARE = 0.98
"""Where so many notes share a class of velocity, the piece has no dynamics to learn from."""
NO_START, START = 1, 2

Rows = NDArray[np.uint8]
"""(bars, 9): root and quality of both half bars, mode, valence, arousal, tension; then whether a section starts there
(NO_START, START). 0 = unknown throughout."""
COLUMNS = 9
_CHORDS, _MODE, _AFFECT, _START = slice(0, 4), 4, slice(5, 8), 8


@dataclass(frozen=True)
class Known:
    """What people say of a piece. chords: one a half bar, None where none sounds; () = unknown. starts: bars at which
    sections begin; () = unknown. key: None where they do not say. relatives: a pair of keys, one of which it is in.
    """

    chords: tuple[Chord | None, ...] = ()
    starts: tuple[int, ...] = ()
    key: Key | None = None
    relatives: tuple[Key, Key] | None = None


class Measured(NamedTuple):
    """A piece's labels as far as it alone decides them.

    rows: as Rows, the affect still 0. feelings (bars, 4): valence, density, velocity and tension over MOOD_BARS, NaN
    where there is none. flat: whether the velocities say nothing.
    """

    rows: Rows
    feelings: NDArray[np.float32]
    flat: bool


def known_of(entry: Mapping[str, object], songs: Mapping[str, object]) -> Known:
    """What the manifest's entry of a piece says, and the song it is made from. songs: of one source, by id.

    An entry may hold `chords` (a list a bar of [beat, [root, suffix, bass]]), `key` ("A minor", or as Humdrum writes
    it) or `fifths` (sharps of the signature), and `transpose`, by which the piece stands higher than the song.
    """
    move = int(str(entry.get("transpose") or 0))
    bars: list[str] = []
    starts: list[int] = []
    song = songs.get(str(entry.get("id")))
    for section in song["sections"] if isinstance(song, dict) else ():
        starts.append(len(bars))
        bars += section["bars"]
    chords = [chord for text in bars for chord in half_bars(_beats_of_text(text), move)]
    listed = entry.get("chords")
    if isinstance(listed, list):
        chords = [chord for bar in listed for chord in half_bars(_beats_of_list(bar), 0)]
    key, relatives = _key_of_entry(entry)
    return Known(tuple(chords), tuple(starts), key, relatives)


def _beats_of_text(text: str) -> list[tuple[int, Chord | None]]:
    """ "0:F/A 3:G/B" -> beats and chords."""
    pairs = (part.partition(":") for part in text.split())
    return [(int(float(beat)), None if symbol == "z" else parse_symbol(symbol)) for beat, _, symbol in pairs]


def _beats_of_list(bar: Sequence[tuple[int, Sequence[object] | None]]) -> list[tuple[int, Chord | None]]:
    quality = {suffix: parse_symbol(f"C{suffix}") for _, named in bar if named for suffix in [str(named[1])]}
    found: list[tuple[int, Chord | None]] = []
    for beat, named in bar:
        chord = quality[str(named[1])] if named else None
        found.append((int(beat), chord and Chord(int(str(named[0])) % 12, chord.quality) if named else None))
    return found


def half_bars(beats: Sequence[tuple[int, Chord | None]], move: int) -> tuple[Chord | None, Chord | None]:
    """Beats (0..3) at which chords begin -> the chord that fills most of each half bar, the earlier of equals."""
    filled: list[Chord | None] = [None] * 4
    for beat, chord in beats:
        start = min(max(beat, 0), 3)
        moved = None if chord is None else Chord((chord.root + move) % 12, chord.quality)
        filled[start:] = [moved] * (4 - start)
    first, second = filled[:2], filled[2:]
    return max(first, key=first.count), max(second, key=second.count)


def _key_of_entry(entry: Mapping[str, object]) -> tuple[Key | None, tuple[Key, Key] | None]:
    named, fifths = entry.get("key"), entry.get("fifths")
    if isinstance(named, str) and named[:1].lower() in "abcdefg" and named:
        tonic = named.partition(":")[0].replace("-", "b").split()[0]
        chord = parse_symbol(tonic[0].upper() + tonic[1:].rstrip("m"))
        minor = tonic[0].islower() or tonic.endswith("m") or "min" in named.lower()
        return (None, None) if chord is None else (Key(chord.root, minor), None)
    if isinstance(fifths, int):
        major = (7 * fifths) % 12
        return None, (Key(major, False), Key((major + 9) % 12, True))
    return None, None


def measured(piece: Piece, known: Known) -> Measured:
    """The labels of a piece: what people say of it, and what its notes tell."""
    rows = np.zeros((piece.bars, COLUMNS), np.uint8)
    weights = pitch_classes(piece.notes, piece.bars)
    chords = _padded(known.chords, piece)
    rows[:, _CHORDS] = np.array([chord_classes(chord) for chord in chords], np.uint8).reshape(piece.bars, 4)
    key = known.key or _key(weights.sum(axis=0), known.relatives)
    if key is not None:
        rows[:, _MODE] = MINOR if key.minor else MAJOR
    if known.starts:
        rows[:, _START] = NO_START
        rows[[bar for bar in known.starts if bar < piece.bars], _START] = START
    flat = _is_flat(piece.notes)
    return Measured(rows, _feelings(piece, chords, key, weights, flat), flat)


def _padded(chords: Sequence[Chord | None], piece: Piece) -> list[Chord | None]:
    """One chord a half bar: those given, or the labeller's where none are."""
    if not chords:
        return label_chords(bars_of(piece.notes, piece.bars))
    wanted = 2 * piece.bars
    return [*chords[:wanted], *[None] * (wanted - len(chords))]


def bars_of(notes: Notes, bars: int) -> list[Bar]:
    """Parallel arrays as bars."""
    table = zip(*(column.tolist() for column in notes), strict=True)
    held = {bar: [Note(*row[1:]) for row in rows] for bar, rows in groupby(table, key=lambda row: row[0])}
    return [Bar(number, tuple(held.get(number, ()))) for number in range(bars)]


def _is_flat(notes: Notes) -> bool:
    counts = np.bincount(velocity_class(notes.velocity))
    return bool(counts.max() >= FLAT_SHARE * counts.sum())


def pitch_classes(notes: Notes, bars: int) -> NDArray[np.float64]:
    """Ticks that each pitch class sounds in the bar in which it starts, (bars, 12)."""
    weights = np.zeros((bars, 12))
    pitched = notes.where(notes.instrument > 0)
    np.add.at(weights, (pitched.bar, pitched.pitch % 12), np.minimum(pitched.duration, TICKS_PER_BAR))
    return weights


def key_fits(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation (n, 2, 12) of pitch classes (n, 12) with the profiles of the 12 major and the 12 minor keys."""
    centred = weights - weights.mean(axis=1, keepdims=True)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    fits: NDArray[np.float64] = np.einsum("np,mkp->nmk", centred, _turned())
    return fits


@cache
def _turned() -> NDArray[np.float64]:
    """The profiles of the 12 major and the 12 minor keys, (2, 12, 12), each with mean 0 and length 1."""
    turned = np.array([[np.roll(profile, root) for root in range(12)] for profile in PROFILES])
    turned -= turned.mean(axis=2, keepdims=True)
    return np.asarray(turned / np.linalg.norm(turned, axis=2, keepdims=True))


def _key(weights: NDArray[np.float64], relatives: tuple[Key, Key] | None) -> Key | None:
    if not weights.any():
        return None
    fits = key_fits(weights[None])[0]
    among = relatives or [Key(root, minor) for minor in (False, True) for root in range(12)]
    return max(among, key=lambda key: fits[int(key.minor), key.root])


def _feelings(
    piece: Piece, chords: Sequence[Chord | None], key: Key | None, weights: NDArray[np.float64], flat: bool
) -> NDArray[np.float32]:
    numbers = np.array([0 if chord is None else chord.number for chord in chords])
    named = numbers > 0
    tense = np.full(len(numbers), np.nan)
    if key is not None and named.any():
        before = np.concatenate([[0], _last_named(numbers)[:-1]])
        tense = np.where(named, tension_table(key)[before, np.maximum(numbers, 1) - 1], np.nan)
    onsets = np.unique(piece.notes.bar.astype(np.int64) * TICKS_PER_BAR + piece.notes.tick) // TICKS_PER_BAR
    density = np.bincount(onsets, minlength=piece.bars).astype(float)
    counts = np.bincount(piece.notes.bar, minlength=piece.bars)
    loud = np.bincount(piece.notes.bar, weights=piece.notes.velocity, minlength=piece.bars) / np.maximum(counts, 1)
    velocity = np.where((counts > 0) & (not flat), loud, np.nan)
    columns = [
        bright_of(numbers, weights),
        _mean(density[:, None]),
        _mean(velocity[:, None]),
        _mean(tense.reshape(-1, 2)),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def bright_of(numbers: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """How glad each bar's MOOD_BARS sound, -1..1, (bars,): half by how much better a major key fits than a minor one,
    half by the chords' colour; NaN without chords. numbers (2 bars,): of the half bars' chords, 0 = none. weights
    (bars, 12): sounding ticks of the pitch classes.
    """
    colours = np.array([0.0, *(COLOUR[chord.quality] for chord in CHORDS)])[numbers]
    fits = key_fits(_over(weights)).max(axis=2)
    colour = _mean(np.where(numbers > 0, colours, np.nan).reshape(-1, 2))
    return np.asarray(0.5 * np.clip((fits[:, 0] - fits[:, 1]) / 0.3, -1.0, 1.0) + 0.5 * colour)


def _last_named(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The last chord that is one, up to each half bar; 0 before the first."""
    at = np.maximum.accumulate(np.where(numbers > 0, np.arange(len(numbers)), -1))
    return np.where(at >= 0, numbers[np.maximum(at, 0)], 0)


def _over(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over MOOD_BARS around each bar, fewer at the ends. values (bars, k)."""
    summed = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])
    number = np.arange(len(values))
    first = np.maximum(number - MOOD_BARS // 2, 0)
    return np.asarray(summed[np.minimum(first + MOOD_BARS, len(values))] - summed[first])


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over MOOD_BARS, of what is known; NaN where nothing is. values (bars, k) -> (bars,)."""
    known = ~np.isnan(values)
    counts = _over(known.astype(float)).sum(axis=1)
    return np.where(counts > 0, _over(np.nan_to_num(values)).sum(axis=1) / np.maximum(counts, 1), np.nan)


class Scale:
    """Ranks among the values of several data sets, each weighing alike."""

    def __init__(self, values: Sequence[NDArray[np.float32]]) -> None:
        """values: of each data set; NaN is left out."""
        known = [each[~np.isnan(each)] for each in values]
        joined = np.concatenate([np.zeros(0, np.float32), *known])
        weights = np.concatenate([np.zeros(0), *(np.full(len(each), 1.0 / len(each)) for each in known if len(each))])
        order = np.argsort(joined, kind="stable")
        self._sorted = joined[order]
        self._below = np.concatenate([[0.0], weights[order].cumsum()]) / max(1e-9, weights.sum())

    def rank(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """0..1, equals by half; NaN stays."""
        low, high = (self._below[np.searchsorted(self._sorted, values, side)] for side in ("left", "right"))
        return np.where(np.isnan(values), np.nan, (low + high) / 2)


def write_affect(
    pieces: Sequence[Measured], tempi_bpm: Sequence[float], dataset: Sequence[str], train: Sequence[bool]
) -> None:
    """Set valence, arousal and tension in the pieces' rows. train: whose values the octiles are taken from."""
    chosen = [index for index, each in enumerate(train) if each] or list(range(len(pieces)))
    tempo = [np.full(len(piece.rows), bpm, np.float32) for piece, bpm in zip(pieces, tempi_bpm, strict=True)]

    def ranked(values: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float64]]:
        sets = sorted({dataset[index] for index in chosen})
        scale = Scale([np.concatenate([values[i] for i in chosen if dataset[i] == name]) for name in sets])
        return [scale.rank(each) for each in values]

    valence, density, velocity, tension = (ranked([piece.feelings[:, k] for piece in pieces]) for k in range(4))
    pace = ranked(tempo)
    stirred = [_known_mean(np.stack(each)).astype(np.float32) for each in zip(density, velocity, pace, strict=True)]
    for piece, *ranks in zip(pieces, valence, ranked(stirred), tension, strict=True):
        classes = 1 + np.clip(np.nan_to_num(np.stack(ranks, axis=1)) * AFFECT_CLASSES, 0, AFFECT_CLASSES - 1).astype(
            int
        )
        piece.rows[:, _AFFECT] = np.where(np.isnan(np.stack(ranks, axis=1)), 0, classes)


def _known_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the first axis, of what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    return np.where(counts > 0, np.nan_to_num(values).sum(axis=0) / np.maximum(counts, 1), np.nan)


def labels_of(rows: Rows, steps: int = 0) -> Labels:
    """A piece's rows as conditions. steps: semitones by which the piece was transposed."""
    chords = rows[:, _CHORDS].astype(np.int16)
    roots = chords[:, ::2]
    first = chord_classes(CHORDS[0])[0]
    chords[:, ::2] = np.where(roots >= first, (roots - first + steps) % 12 + first, roots)
    starts = rows[:, _START]
    known = bool(starts.any())
    return Labels(
        chords, rows[:, _MODE].astype(np.int16), rows[:, _AFFECT].astype(np.int16), starts == START if known else None
    )


assert COLOUR.keys() == QUALITIES.keys()
