"""Training windows: a run of bars from a piece, transposed, thinned and with its controls recomputed and blurred."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.data.build import PieceInfo, Shard
from hitpoint.model.data.labels import labels_of
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR
from hitpoint.model.music.tokens import FIELDS, Encoded, Notes, Rows, encode, init_rows, notes_of_table
from hitpoint.model.network import conditions
from hitpoint.model.plan.types import PHRASE_BARS

PITCH_RANGE = (12, 115)
MAX_TRANSPOSE = 6


class Batch(NamedTuple):
    """Rows to read and to predict: row t + 1 is predicted from rows 0..t.

    rows (B, T + 1, 8); time (B, T + 1) ticks from the window's first bar; slot (B, T + 1) row of `table` that holds;
    table (B, S, columns); valid (B, T): whether the prediction of row t + 1 counts; loud (B,): whether that of
    velocities does.
    """

    rows: NDArray[np.int64]
    time: NDArray[np.int64]
    slot: NDArray[np.int64]
    table: NDArray[np.int64]
    valid: NDArray[np.bool_]
    loud: NDArray[np.bool_]


@dataclass(frozen=True)
class Augmentation:
    """How training music is varied. drop_track: chance that some parts are left out. control: chance that a window
    has controls at all. forget: chance that a bar's control is missing there. unnamed: chance of an unknown genre or
    instrument list. by_phrase: chance that each bar is told who plays in its phrase, not in the whole piece."""

    transpose: bool = True
    drop_track: float = 0.2
    control: float = 0.85
    forget: float = 0.25
    unnamed: float = 0.1
    by_phrase: float = 0.8


PLAIN = Augmentation(transpose=False, drop_track=0.0, control=0.0, forget=1.0, unnamed=0.0, by_phrase=0.0)
"""No change to the music and no bar controls: for the held-out loss that others can compare with."""
CONTROLLED = Augmentation(transpose=False, drop_track=0.0, control=1.0, forget=0.0, unnamed=0.0, by_phrase=1.0)
"""No change to the music, every control given: the loss under full control."""


def piece_notes(shard: Shard, piece: PieceInfo) -> Notes:
    """The notes of one piece."""
    return notes_of_table(np.asarray(shard.notes[piece.start : piece.end]))


def vary(notes: Notes, augmentation: Augmentation, rng: np.random.Generator) -> tuple[Notes, int]:
    """Transpose the pitched parts together and leave out parts, within the chances given; returns the semitones too."""
    steps = 0
    if rng.random() < augmentation.drop_track:
        present = np.unique(notes.instrument)
        if len(present) > 2:
            dropped = rng.choice(present, size=rng.integers(1, len(present) - 1), replace=False)
            keep = ~np.isin(notes.instrument, dropped)
            notes = notes.where(keep)
    if augmentation.transpose:
        pitched = notes.instrument > 0
        if pitched.any():
            low, high = notes.pitch[pitched].min(), notes.pitch[pitched].max()
            steps = int(rng.integers(-MAX_TRANSPOSE + 1, MAX_TRANSPOSE + 1))
            steps = int(np.clip(steps, min(0, PITCH_RANGE[0] - low), max(0, PITCH_RANGE[1] - high)))
            notes = notes._replace(pitch=np.where(pitched, notes.pitch + steps, notes.pitch).astype(np.int16))
    return notes, steps


def controls_of(notes: Notes, bars: int, flat: bool = False) -> conditions.Controls:
    """All that could be asked of the music, read off it: density, energy and the strength of every tick.

    flat: its velocities say nothing, and so its energy is unknown.
    """
    key = notes.bar.astype(np.int64) * TICKS_PER_BAR + notes.tick
    groups = np.zeros((bars * TICKS_PER_BAR, len(INSTRUMENTS)), np.int16)
    np.add.at(groups, (key, notes.instrument), 1)
    strength = groups.max(axis=1).reshape(bars, TICKS_PER_BAR)
    counts = np.bincount(notes.bar, minlength=bars)
    loudness = np.bincount(notes.bar, weights=notes.velocity, minlength=bars) / np.maximum(counts, 1)
    sounding = loudness[counts > 0]
    spread = max(float(sounding.std()), 4.0) if len(sounding) else 4.0
    standing = (loudness - (sounding.mean() if len(sounding) else 0.0)) / spread
    energy = np.where((counts > 0) & (not flat), 1.0 / (1.0 + np.exp(-1.702 * standing)), np.nan).astype(np.float32)
    return conditions.Controls((strength > 0).sum(axis=1).astype(np.int16), energy, strength.astype(np.int16))


def blur(controls: conditions.Controls, augmentation: Augmentation, rng: np.random.Generator) -> conditions.Controls:
    """Keep a random part of the controls, as uneven as a video's, and a few ticks a bar as the required ones."""
    bars = len(controls.density)
    density, energy = controls.density.copy(), controls.energy.copy()
    required = np.zeros_like(controls.required)
    if rng.random() >= augmentation.control:
        density[:], energy[:] = -1, np.nan
        return conditions.Controls(density, energy, required)
    if rng.random() < augmentation.forget:
        density[:] = -1
    if rng.random() < augmentation.forget:
        energy[:] = np.nan
    density[rng.random(bars) < augmentation.forget] = -1
    energy[rng.random(bars) < augmentation.forget] = np.nan
    energy = np.clip(energy + rng.normal(0.0, 0.06, bars), 0.0, 0.999).astype(np.float32)
    share_of_bars = rng.choice([0.0, 0.3, 0.6, 0.9])
    for bar in np.flatnonzero(rng.random(bars) < share_of_bars):
        onsets = np.flatnonzero(controls.required[bar])
        if len(onsets):
            weight = controls.required[bar, onsets].astype(np.float64) ** 2
            count = min(len(onsets), 1 + int(rng.geometric(0.5)) if rng.random() < 0.5 else 1)
            chosen = rng.choice(onsets, size=count, replace=False, p=weight / weight.sum())
            required[bar, chosen] = controls.required[bar, chosen]
    return conditions.Controls(density, energy, required)


def blur_labels(
    labels: conditions.Labels, augmentation: Augmentation, rng: np.random.Generator
) -> conditions.Labels:  # fmt: skip
    """Keep a random part of what is known of harmony, mood and form: each kind in some windows, some bars of it."""
    bars = len(labels.mode)
    if rng.random() >= augmentation.control:
        return conditions.Labels.unknown(bars)
    forget = augmentation.forget

    def kept(values: NDArray[np.int16], columns: int) -> NDArray[np.int16]:
        groups = values.reshape(bars, columns, -1)
        left = (rng.random(columns) >= forget) & (rng.random((bars, columns)) >= forget / 2)
        return np.where(left[..., None], groups, 0).astype(np.int16).reshape(values.shape)

    chords = kept(labels.chords, 2) if rng.random() >= forget else np.zeros_like(labels.chords)
    starts = labels.starts if rng.random() >= forget else None
    return conditions.Labels(chords, kept(labels.mode, 1), kept(labels.affect, 3), starts)


def players(notes: Notes, bars: int, starts: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Who plays in the phrase of each bar, (bars, 5): phrases of PHRASE_BARS, counted from each section's start."""
    sounds = np.zeros((bars, len(INSTRUMENTS)), bool)
    sounds[notes.bar, notes.instrument] = True
    number = np.arange(bars)
    first = np.maximum.accumulate(np.where(np.zeros(bars, bool) if starts is None else starts, number, 0))
    phrase = np.cumsum((number - first) % PHRASE_BARS == 0) - 1
    together = np.zeros((int(phrase[-1]) + 1, len(INSTRUMENTS)), bool)
    np.logical_or.at(together, phrase, sounds)
    return np.asarray(together[phrase])


def _weight(piece: PieceInfo, mix: Mapping[str, float]) -> float:
    return mix.get(f"{piece.dataset}:{piece.source}", mix.get(piece.dataset, 1.0))


class _Window(NamedTuple):
    init: Rows
    encoded: Encoded
    table: conditions.Table
    loud: bool


class Windows:
    """Draws windows of `length` predicted rows from one split of a shard."""

    def __init__(
        self, shard: Shard, split: str, length: int, *, mix: Mapping[str, float] | None = None,
        augmentation: Augmentation | None = None,
    ) -> None:  # fmt: skip
        """mix: weight of each data set, or of one source of it as "data set:source"; 1 where absent, 0 leaves out."""
        self.shard, self.length = shard, length
        self.augmentation = augmentation or Augmentation()
        self.pieces = [piece for piece in shard.pieces if piece.split == split and _weight(piece, mix or {}) > 0]
        weights = [_weight(piece, mix or {}) * (piece.end - piece.start) for piece in self.pieces]
        by_genre: dict[str | None, list[int]] = {}
        for index, piece in enumerate(self.pieces):
            by_genre.setdefault(piece.genre, []).append(index)
        self.genres = [
            (np.array(members), np.cumsum(np.array([weights[i] for i in members]) / sum(weights[i] for i in members)))
            for members in by_genre.values()
        ]
        self._chance = np.cumsum(_chances({name: sum(weights[i] for i in of) for name, of in by_genre.items()}))

    def draw(self, *drawers: np.random.Generator) -> Batch:
        """A batch of random windows, one by each drawer: genres evenly (music of none by its size, at most as often),
        pieces by weight and size, the start at any bar.
        """
        return _stack([self._any(rng) for rng in drawers], self.length)

    def _any(self, rng: np.random.Generator) -> _Window:
        number = min(int(np.searchsorted(self._chance, rng.random(), "right")), len(self.genres) - 1)
        members, cumulative = self.genres[number]
        piece = self.pieces[members[min(int(np.searchsorted(cumulative, rng.random())), len(members) - 1)]]
        start = 0 if rng.random() < 0.12 else int(rng.integers(max(1, piece.bars - 12)))
        if rng.random() < 0.12:  # the end must be seen as often as the start
            start = max(0, piece.bars - int(rng.integers(8, 32)))
        return self._window(piece, start, rng)

    def sweep(self, batch: int, limit: int, seed: int = 0) -> Iterator[Batch]:
        """The same `limit` windows every time, spread over the split: for the held-out loss."""
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(self.pieces))
        picked = [self.pieces[order[i % len(order)]] for i in range(limit)]
        for at in range(0, limit, batch):
            group = picked[at : at + batch]
            starts = [int(rng.integers(max(1, piece.bars - 8))) for piece in group]
            windows = [self._window(piece, start, rng) for piece, start in zip(group, starts, strict=True)]
            yield _stack(windows, self.length)

    def _window(self, piece: PieceInfo, start: int, rng: np.random.Generator) -> _Window:
        notes, steps = vary(piece_notes(self.shard, piece), self.augmentation, rng)
        controls = blur(controls_of(notes, piece.bars, piece.flat), self.augmentation, rng)
        after = notes.bar >= start
        # Each bar takes at least one row, so this many bars always suffice; encoding fewer notes is what saves time.
        end = min(piece.bars, start + self.length)
        upto = int(np.searchsorted(notes.bar, start)) + self.length
        if upto < len(notes.bar):
            end = min(end, int(notes.bar[upto]) + 1)
        inside = after & (notes.bar < end)
        window = notes.where(inside)
        window = window._replace(bar=window.bar - start)
        encoded = encode(window, end - start, end=end == piece.bars)
        genre = None if rng.random() < self.augmentation.unnamed else piece.genre
        unnamed = rng.random() < self.augmentation.unnamed
        instruments = tuple(int(k) for k in np.unique(notes.instrument))
        table = conditions.build_table(
            controls, genre=genre, instruments=None if unnamed else instruments,
            tempo_bpm=piece.tempo_bpm, labels=self._labels(piece, notes, steps, unnamed, rng), first_bar=start,
            end_bar=end,
        )  # fmt: skip
        return _Window(init_rows(genre, () if unnamed else instruments), encoded, table, not piece.flat)

    def _labels(
        self, piece: PieceInfo, notes: Notes, steps: int, unnamed: bool, rng: np.random.Generator
    ) -> conditions.Labels:  # fmt: skip
        rows = self.shard.labels_of(piece)
        labels = conditions.Labels.unknown(piece.bars) if rows is None else labels_of(rows, steps)
        by_phrase = not unnamed and rng.random() < self.augmentation.by_phrase
        who = players(notes, piece.bars, labels.starts) if by_phrase else None
        return replace(blur_labels(labels, self.augmentation, rng), players=who)


def _chances(sizes: Mapping[str | None, float]) -> NDArray[np.float64]:
    """The chance of each genre to be drawn: all alike, but music of unknown genre by its size and at most so often."""
    named = [size for name, size in sizes.items() if name is not None]
    share = 1.0 if not named else min(1.0, sizes.get(None, 0.0) / (sum(named) / len(named)))
    chances = np.array([share if name is None else 1.0 for name in sizes])
    return np.asarray(chances / chances.sum()) if len(chances) else chances


def _stack(windows: Sequence[_Window], length: int) -> Batch:
    """Windows of unequal length as one batch of `length` + 1 rows, end rows as padding that does not count."""
    batch, width = len(windows), length + 1
    slots = max(int(each.encoded.bar[: width - len(each.init)].max(initial=0)) + 2 for each in windows)
    rows = np.zeros((batch, width, len(FIELDS)), np.int64)
    time = np.zeros((batch, width), np.int64)
    slot = np.zeros((batch, width), np.int64)
    table = np.zeros((batch, slots, len(conditions.NAMES)), np.int64)
    valid = np.zeros((batch, length), bool)
    for b, (init, encoded, conditioned, _) in enumerate(windows):
        head = len(init)
        n = min(len(encoded.rows), width - head)
        rows[b, :head], rows[b, head : head + n] = init, encoded.rows[:n]
        time[b, head : head + n] = encoded.bar[:n] * TICKS_PER_BAR + encoded.tick[:n]
        known = min(slots, len(conditioned))
        table[b, :known] = conditioned[:known]
        slot[b, head : head + n] = np.minimum(encoded.bar[:n] + 1, known - 1)
        valid[b, head - 1 : head + n - 1] = True
    return Batch(rows, time, slot, table, valid, np.array([each.loud for each in windows]))
