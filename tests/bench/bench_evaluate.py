"""Does the music do what was asked? Instruments, energy, density, strength and C, each measured on generated music.

Run: python tests/bench/bench_evaluate.py [FILM ...] [--takes N] [--checkpoint F]. Without films: the example film.
The table beside real music and the paper's control is `hitpoint evaluate SHARDS FILM ...`.

Printed: whether any instrument sounds that was not asked for, and how many of those asked for are heard; for each C the
errors of control against what the picture asks in full, and hits on an accent next to chance; the rank correlation of a
bar's energy with its mean velocity, mean of the pieces with its 95% bootstrap interval, next to the same pieces with
their energies shuffled; mean velocity when the user asks for less or more energy.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.music.score import GENRES, Bar, Score
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.training.evaluation.comparison import CONTROL
from hitpoint.model.training.evaluation.rows import Row, figures
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.types import Clip, VisualRhythm

FILM = Path(__file__).parents[2] / "examples" / "film.mp4"
CONTROLS = (0.0, 0.3, 0.5, 0.7, 1.0)
ASKED = ((1,), (2,), (4,), (0, 3), (1, 3), (2, 4), (0, 1, 3), (0, 2, 3), (1, 3, 4), (0, 1, 2, 3), (1, 2, 3, 4))

Pieces = list[tuple[Plan, list[Bar]]]


def pieces(composer: CmtComposer, films: Sequence[VisualRhythm], wishes: Wishes, takes: int) -> Pieces:
    """Takes of every film in every genre."""
    plans = [build_plan(film, replace(wishes, genre=genre)) for film in films for genre in composer.genres]
    return [(plan, bars) for plan in plans for bars in composer.takes(plan, range(takes))]


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's, ties sharing their mean rank."""
    ranks = [np.array([np.mean(np.flatnonzero(np.sort(x) == value)) for value in x]) for x in (one, other)]
    return float(np.corrcoef(*ranks)[0, 1])


def loudness(plan: Plan, bars: Sequence[Bar]) -> tuple[list[float], list[float]]:
    """Energy asked and mean velocity heard, of the bars that sound."""
    sounding = [bar for bar in bars if bar.notes]
    velocities = [float(np.mean([note.velocity for note in bar.notes])) for bar in sounding]
    return [plan.bars[bar.index].energy for bar in sounding], velocities


def print_instruments(composer: CmtComposer, films: Sequence[VisualRhythm]) -> None:
    """Only those asked for, and all of those."""
    others, asked_for, silent, count = 0, 0, 0, 0
    for number, asked in enumerate(ASKED):
        wishes = Wishes(genre=GENRES[number % len(GENRES)], instruments=asked, control=0.7)
        for film in films:
            plan = build_plan(film, wishes)
            heard = {note.instrument for bar in composer.stream(plan, number) for note in bar.notes}
            others, count = others + bool(heard - set(asked)), count + 1
            asked_for, silent = asked_for + len(asked), silent + len(set(asked) - heard)
    print(
        f"instruments: {count - others} of {count} pieces hold only those asked for; "
        f"{silent} of {asked_for} asked-for instruments never sound"
    )


def correlations(made: Pieces) -> Iterator[dict[str, float]]:
    """Energy with velocity in each piece, as it is and with the energies shuffled."""
    for number, (plan, bars) in enumerate(made):
        energy, velocity = loudness(plan, bars)
        shuffled = np.random.default_rng(number).permutation(energy)
        yield {"asked": rank_correlation(energy, velocity), "shuffled": rank_correlation(list(shuffled), velocity)}


def print_energy(composer: CmtComposer, films: Sequence[VisualRhythm], made: Pieces, takes: int) -> None:
    """Energy and velocity, inside a piece and from wish to wish."""
    row = Row("", tuple(correlations(made)))
    (mean, low, high), (chance, *_) = row.interval("asked"), row.interval("shuffled")
    print(f"energy to velocity: rank correlation {mean:.2f} [{low:.2f}, {high:.2f}], shuffled {chance:.2f}")
    for wish in (-0.3, 0.0, 0.3):
        asked = pieces(composer, films, Wishes(control=1.0, energy=wish), takes) if wish else made
        velocity = np.concatenate([loudness(plan, bars)[1] for plan, bars in asked])
        print(f"  energy {wish:+.1f}: mean velocity {velocity.mean():.1f}")


def main() -> None:
    """Print a paragraph a control."""
    parser = argparse.ArgumentParser()
    parser.add_argument("films", nargs="*", type=Path, default=[FILM])
    parser.add_argument("--takes", type=int, default=1, help="pieces a film, genre and C")
    parser.add_argument("--checkpoint", type=Path)
    asked = parser.parse_args()
    films = [analyse([Clip(film)]) for film in asked.films]
    composer = CmtComposer.load(asked.checkpoint, device="cpu")
    print_instruments(composer, films)
    print("C    " + "".join(f"{name:>18}" for name in CONTROL))
    for control in CONTROLS:
        made = pieces(composer, films, Wishes(control=control), asked.takes)
        full = [build_plan(film, Wishes(genre=genre, control=1.0)) for film in films for genre in composer.genres]
        found = []
        for number, (plan, bars) in enumerate(made):
            score = Score(tuple(bars), plan.tempo_map, plan.genre, plan.instruments, plan.seed)
            found.append(figures(score, full[number // asked.takes]))
        row = Row("", tuple(found))
        spans = [row.interval(name) for name in CONTROL]
        print(
            f"{control:<5g}" + "".join(f"{mean:9.3f}±{(high - low) / 2:.3f}".rjust(18) for mean, low, high in spans),
            flush=True,
        )
    print_energy(composer, films, made, asked.takes)


if __name__ == "__main__":
    main()
