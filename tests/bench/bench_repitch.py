"""Do pitches follow the tension that is asked for, and what else changes?

    python tests/bench/bench_repitch.py [--pieces 3]

Pieces of the example film with a rise, an arc and the picture's own curve. Beside the search stand what was composed,
the same search with the curve shuffled, and a random search of equal time, which keeps the best of many throws.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from hitpoint.model import job
from hitpoint.model.compose.base import COMPOSERS, ComposerOptions
from hitpoint.model.compose.patterns import patterns
from hitpoint.model.compose.repitch import FARTHEST, Search, asked_tension, repitched
from hitpoint.model.mood.types import Affect
from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import TICKS_PER_BAR, Bar
from hitpoint.model.music.symbols import parse_key
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.video.types import Clip

ROOT = Path(__file__).parents[2]
GENRES = ("pop", "rock", "electronic", "country", "dance", "metal")
SCALES = {False: {0, 2, 4, 5, 7, 9, 11}, True: {0, 2, 3, 5, 7, 8, 10, 11}}


def curves(plan: Plan) -> dict[str, Plan]:
    """The plan with each curve."""
    count = len(plan.bars)
    wave = np.sin(np.linspace(0, np.pi, count))
    asked = {"rise": np.linspace(0.15, 0.9, count), "arc": 0.15 + 0.75 * wave}
    made = {name: replace(plan, bars=tuple(replace(bar, affect=Affect(0.0, 0.0, float(value)))
            for bar, value in zip(plan.bars, values, strict=True))) for name, values in asked.items()}  # fmt: skip
    return {**made, **({"picture": plan} if asked_tension(plan) is not None else {})}


def measured(bars: Sequence[Bar], plan: Plan) -> np.ndarray:
    """(half bars,) tension."""
    target = asked_tension(plan)
    assert target is not None
    return Search(bars, plan, target, np.random.default_rng(0)).tension


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Of the bars' means."""
    ranks = [np.argsort(np.argsort(each.reshape(-1, 2).mean(axis=1))) for each in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1])


def in_key(bars: Sequence[Bar], plan: Plan) -> float:
    """The share of pitched notes in their bar's key."""
    keys: list[Key] = [parse_key(bar.key or "C major") for bar in plan.bars]
    inside = [(note.pitch - keys[bar.index].root) % 12 in SCALES[keys[bar.index].minor]
              for bar in bars for note in bar.notes if note.instrument]  # fmt: skip
    return float(np.mean(inside))


def intact(search: Search) -> float:
    """Of the repeated patterns, the share whose notes all moved as those of their first occurrence."""
    moved = search.pitches - search._composed
    groups = [group for group in search.groups if len(group) > 1]
    return float(np.mean([len(set(moved[group])) == 1 for group in groups])) if groups else 1.0


def covered(bars: Sequence[Bar]) -> float:
    """The share of pitched notes that are part of a repeated pattern, found anew."""
    inside, count = 0, 0
    for instrument in sorted({note.instrument for bar in bars for note in bar.notes} - {0}):
        places = [(bar.index * TICKS_PER_BAR + note.tick, note.pitch)
                  for bar in bars for note in bar.notes if note.instrument == instrument]  # fmt: skip
        inside += sum(len(notes) for occurrences in patterns(places) for notes in occurrences)
        count += len(set(places))
    return inside / max(1, count)


def untouched(bars: Sequence[Bar], after: Sequence[Bar]) -> bool:
    """Whether ticks, instruments, numbers and lengths of the notes are what they were."""

    def template(each: Sequence[Bar]) -> list[list[tuple[int, int, int]]]:
        return [sorted((note.tick, note.instrument, note.duration_ticks) for note in bar.notes) for bar in each]

    return template(bars) == template(after)


def random_search(bars: Sequence[Bar], plan: Plan, seconds: float) -> np.ndarray:
    """The tension of the best of many random throws."""
    target = asked_tension(plan)
    assert target is not None
    dice, end = np.random.default_rng(1), time.process_time() + seconds
    search = Search(bars, plan, target, dice)
    best, kept = search.cost(), search.tension.copy()
    while time.process_time() < end:
        for group in search.groups:
            by = int(dice.integers(-FARTHEST, FARTHEST + 1))
            if by and search._may(group, by):
                search._move(group, by)
        if search.cost() < best:
            best, kept = search.cost(), search.tension.copy()
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, default=3)
    options = parser.parse_args()
    composer = COMPOSERS.load("cmt").create(ComposerOptions(device="cpu"))
    rhythm = job.prepare([Clip(ROOT / "examples" / "film.mp4")], Wishes()).rhythm
    for number in range(options.pieces):
        plan = build_plan(rhythm, Wishes(GENRES[number % 6], seed=number))
        report(f"{GENRES[number % 6]} {number}", list(composer.stream(plan, number)), plan)


def report(name: str, bars: Sequence[Bar], plan: Plan) -> None:
    """Print a line for each curve."""
    for curve, asked in curves(plan).items():
        target = asked_tension(asked)
        assert target is not None
        begun = time.process_time()
        search = Search(bars, asked, target, np.random.default_rng([1, 21]))
        search.run()
        after = search.bars()
        spent_s = time.process_time() - begun
        assert after == repitched(bars, asked, 1)
        heard = measured(after, asked)
        shuffled = np.repeat(np.random.default_rng(2).permutation(target[::2]), 2)
        random = random_search(bars, asked, spent_s)
        error = np.square(heard - target).mean() / np.square(random - target).mean()
        print(
            f"{name:14} {curve:8} Spearman {spearman(measured(bars, asked), target):+.2f} -> "
            f"{spearman(heard, target):+.2f} (shuffled curve {spearman(heard, shuffled):+.2f}); error {error:.2f} of "
            f"random search's; patterns intact {intact(search):.2f}, notes in patterns {covered(bars):.2f} -> "
            f"{covered(after):.2f}; rhythm untouched {untouched(bars, after)}; in key {in_key(bars, asked):.3f} -> "
            f"{in_key(after, asked):.3f}; {spent_s * 60 / asked.duration_s:.1f} s a minute",
            flush=True,
        )


if __name__ == "__main__":
    main()
