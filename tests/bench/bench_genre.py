"""Can the genre that was asked for be heard? A classifier that learnt genres from real songs judges generated pieces.

Run: python tests/bench/bench_genre.py SHARDS [FILM ...] [--takes N] [--controls C ...] [--strength G ...]
    [--checkpoint F].
Without films: the example film and, where it is there, ../shared/clips.

A softmax regression on hand-made features of a stretch of 8 to 16 bars judges: where in the bar each kind of drum and
each other instrument strikes, chord sizes, durations, registers, intervals of the bass, pitch classes around the
commonest one, velocities against the mean of their bar. Tempo and loudness are left out, and only songs of all five
instruments count, for the plan decides these three; of orchestral music, which has no kit, all with two or more.
It learns from the songs of the training split and is judged on those of the test split, which nobody trained on. What
the genres of those songs are worth: in `band` they are the grooves chosen by those who arranged it, in `real5` a guess.

Printed: accuracy on held-out real songs (mean of the genres, so that the many pop songs do not decide; 95% bootstrap
interval over songs), then on generated pieces for each C, the share of the real accuracy, and who is taken for whom.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hitpoint.model.compose.cmt.composer import GENRE_STRENGTH, CmtComposer
from hitpoint.model.data.build import Shard, load
from hitpoint.model.data.windows import piece_notes
from hitpoint.model.job import prepare
from hitpoint.model.music.score import GENRES, INSTRUMENTS, KIT_GENRES, TICKS_PER_BAR
from hitpoint.model.music.tokens import Notes, notes_of
from hitpoint.model.network import checkpoint
from hitpoint.model.plan.types import Wishes
from hitpoint.model.training.evaluation.ways import loosened
from hitpoint.model.video.types import Clip

ROOT = Path(__file__).parents[2]
DRUM_KINDS = ((35, 36), (37, 38, 39, 40), (42, 44), (46,), (49, 52, 55, 57), (51, 53, 59), (41, 43, 45, 47, 48, 50))
DURATION_EDGES = (2, 3, 5, 9, 17)
DRUMS, BASS = 0, 3
LEAST_WITHOUT_KIT = 2
"""Instruments of a piece whose genre has no kit."""

Vector = NDArray[np.float64]


def features(notes: Notes, bars: int) -> Vector:
    """One row of figures of a stretch, each a rate or a mean that does not grow with its length."""
    found: list[Vector] = []
    drums = notes.instrument == DRUMS
    kind = np.full(128, len(DRUM_KINDS))
    for index, keys in enumerate(DRUM_KINDS):
        kind[list(keys)] = index
    struck = np.zeros((len(DRUM_KINDS) + 1, TICKS_PER_BAR))
    np.add.at(struck, (kind[notes.pitch[drums]], notes.tick[drums]), 1 / bars)
    found.append(np.minimum(struck, 1).ravel())
    loudness = np.bincount(notes.bar, notes.velocity) / np.maximum(1, np.bincount(notes.bar))
    velocity = notes.velocity - loudness[notes.bar]
    for instrument in range(len(INSTRUMENTS)):
        mine = notes.instrument == instrument
        part = notes.where(mine)
        onsets = np.unique(part.bar.astype(int) * TICKS_PER_BAR + part.tick)
        count = max(1, len(part.bar))
        found.append(np.bincount(onsets % TICKS_PER_BAR, minlength=TICKS_PER_BAR) / bars)
        found.append(np.array([len(onsets) > 0, len(part.bar) / max(1, len(onsets)), len(onsets) / bars / 4]))
        found.append(np.array([velocity[mine].sum() / count / 32, velocity[mine].std() / 16 if len(onsets) else 0]))
        if instrument != DRUMS:
            durations = np.searchsorted(DURATION_EDGES, part.duration, side="right")
            found.append(np.bincount(durations, minlength=len(DURATION_EDGES) + 1) / count)
            found.append(np.array([part.pitch.sum() / count / 12, part.pitch.std() / 6 if len(onsets) else 0]))
    bass = notes.pitch[notes.instrument == BASS].astype(int)
    found.append(np.bincount(np.minimum(np.abs(np.diff(bass)), 13), minlength=14) / max(1, len(bass)))
    classes = np.bincount(notes.pitch[~drums] % 12, minlength=12) / max(1, (~drums).sum())
    found.append(np.roll(classes, -int(classes.argmax())))
    return np.concatenate(found)


def stretches(shard: Shard, split: str, each: int, rng: np.random.Generator) -> Iterator[tuple[Vector, int, str, str]]:
    """(features, genre, song, data set) of `each` random stretches of every piece of a split that may be judged."""
    for piece in shard.pieces:
        full = len(INSTRUMENTS) if piece.genre in KIT_GENRES else LEAST_WITHOUT_KIT
        if piece.split == split and piece.genre is not None and len(piece.instruments) >= full:
            notes = piece_notes(shard, piece)
            for _ in range(each):
                bars = min(piece.bars, int(rng.integers(8, 17)))
                first = int(rng.integers(piece.bars - bars + 1))
                inside = notes.where((notes.bar >= first) & (notes.bar < first + bars))
                if len(inside.bar):
                    yield features(inside, bars), GENRES.index(piece.genre), piece.song, piece.dataset


class Classifier:
    """Softmax regression on standardised features, each genre weighing the same."""

    def __init__(self, x: Vector, genre: NDArray[np.int64], decay: float = 1e-3) -> None:
        self.mean, self.spread = x.mean(axis=0), x.std(axis=0) + 1e-3
        torch.manual_seed(0)
        inputs = torch.from_numpy((x - self.mean) / self.spread).float()
        goal = torch.from_numpy(genre)
        weight = 1 / torch.bincount(goal, minlength=len(GENRES)).float()
        self.layer = torch.nn.Linear(inputs.shape[1], len(GENRES))
        optimizer = torch.optim.LBFGS(self.layer.parameters(), max_iter=200, line_search_fn="strong_wolfe")

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(self.layer(inputs), goal, weight=weight)
            loss = loss + decay * self.layer.weight.square().sum()
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        optimizer.step(closure)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def judge(self, x: Vector) -> NDArray[np.int64]:
        """The genre of each row."""
        return self.layer(torch.from_numpy((x - self.mean) / self.spread).float()).argmax(dim=1).numpy()


def accuracy(
    asked: NDArray[np.int64], judged: NDArray[np.int64], group: Sequence[object]
) -> tuple[float, float, float]:
    """Mean over the genres of the share judged right, and its 95% interval: a bootstrap over groups (songs, plans)."""
    names, member = np.unique(np.array([str(name) for name in group]), return_inverse=True)
    right = np.zeros((len(names), len(GENRES)))
    count = np.zeros((len(names), len(GENRES)))
    np.add.at(right, (member, asked), asked == judged)
    np.add.at(count, (member, asked), 1)

    def mean(rows: NDArray[np.int64]) -> float:
        summed, of = right[rows].sum(axis=0), count[rows].sum(axis=0)
        return float(np.mean(summed[of > 0] / of[of > 0]))

    rng = np.random.default_rng(0)
    draws = [mean(rng.integers(0, len(names), len(names))) for _ in range(1000)]
    low, high = np.percentile(draws, [2.5, 97.5])
    return mean(np.arange(len(names))), float(low), float(high)


def print_result(
    name: str, asked: NDArray[np.int64], judged: NDArray[np.int64], group: Sequence[object], real: float
) -> float:
    """One line, and the table of who is taken for whom (rows: asked; columns: heard, in per cent)."""
    share, low, high = accuracy(asked, judged, group)
    of_real = f", {share / real:.0%} of real" if real else ""
    print(f"\n{name}: {share:.3f} [{low:.3f}, {high:.3f}] of {len(asked)}{of_real}")
    print(" " * 12 + "".join(f"{genre[:6]:>8}" for genre in GENRES))
    for index, genre in enumerate(GENRES):
        heard = np.bincount(judged[asked == index], minlength=len(GENRES))
        if heard.sum():
            print(f"{genre:<12}" + "".join(f"{each:8.0%}" for each in heard / heard.sum()))
    return share


def main() -> None:
    """Train the classifier, judge real songs and generated pieces."""
    parser = argparse.ArgumentParser()
    parser.add_argument("shards", type=Path)
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--takes", type=int, default=4, help="pieces a film, genre and C")
    parser.add_argument("--controls", type=float, nargs="+", default=[0.7, 1.0])
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--strength", type=float, nargs="+", default=[1.0, GENRE_STRENGTH], help="guidance")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    shard, rng = load(asked.shards), np.random.default_rng(0)
    x, genre, _, _ = zip(*stretches(shard, "train", 3, rng), strict=True)
    classifier, known = Classifier(np.array(x), np.array(genre)), set(genre)
    x, genre, song, dataset = zip(*stretches(shard, "test", 6, rng), strict=True)
    judged, goal = classifier.judge(np.array(x)), np.array(genre)
    real = print_result("real, held out", goal, judged, song, 0.0)
    for name in sorted(set(dataset)):
        of = np.array(dataset) == name
        print(f"  {name}: {np.mean(judged[of] == goal[of]):.3f} of {of.sum()} stretches")

    loaded = checkpoint.load(asked.checkpoint)
    clips = ROOT.parent / "shared" / "clips"
    films = asked.films or [ROOT / "examples" / "film.mp4", *sorted(clips.glob("*.webm"))]
    for strength, control in itertools.product(asked.strength, asked.controls):
        composer = CmtComposer(loaded, genre_strength=strength)
        rows: list[tuple[Vector, int, str]] = []
        for film in films:
            for number, name in enumerate(composer.genres):
                if number not in known:
                    continue
                plan = loosened(prepare([Clip(film)], Wishes(genre=name, control=1.0, seed=number)).plan, control)
                plan = replace(plan, control=control)
                for take, bars in enumerate(composer.takes(plan, range(asked.takes))):
                    rows.append((features(notes_of(bars), len(bars)), number, f"{film} {take}"))
        vectors, wanted, group = zip(*rows, strict=True)
        print_result(
            f"generated, C={control:g}, strength {strength:g}",
            np.array(wanted),
            classifier.judge(np.array(vectors)),
            group,
            real,
        )


if __name__ == "__main__":
    main()
